"""What an open recording knows: its lines so far, and where the request came from."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from audit.models import Result


@dataclass(frozen=True)
class Origin:
    """Where the request came from; set by the middleware, empty in jobs."""

    request_id: str = ""
    ip: str | None = None


@dataclass
class Line:
    """An audit line in the making; the recorded block may fill in what it learns on the way.

    A void line is not written: the block found that what was asked for had been done before.
    """

    category: str
    operation: str
    object_name: str
    tenant_id: UUID
    user_id: str
    user_tenant_id: UUID | None
    relationship_id: UUID | None = None
    approver: str = ""
    before: Any = None
    after: Any = None
    result: str = Result.SUCCESSFUL
    code: str = ""
    is_void: bool = False


@dataclass
class Recorded:
    """The lines of one recorded transaction, in the order in which the recordings were opened."""

    lines: list[Line] = field(default_factory=list)


origin: ContextVar[Origin] = ContextVar("audit_origin", default=Origin())  # noqa: B039 - frozen
recorded: ContextVar[Recorded | None] = ContextVar("audit_recorded", default=None)
# The UPN of whoever has approved the change that is being carried out for somebody else; empty otherwise.
approver: ContextVar[str] = ContextVar("audit_approver", default="")

"""What an open recording knows: its lines so far, and where the request came from."""

from collections.abc import Callable
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
    # Through which relationship somebody works in a tenant's data, by (tenant, user).
    relationships: dict[tuple[UUID, str], UUID] = field(default_factory=dict)

    def named(self) -> list[Line]:
        """The lines, each with the relationship through which it came about."""
        for line in self.lines:
            if line.relationship_id is None:
                line.relationship_id = self.relationships.get((line.tenant_id, line.user_id))
        return self.lines


def through(relationship: UUID, *, tenant: UUID, user: str) -> None:
    """What `user` does in the data of `tenant` in the open recording, he does through this relationship."""
    current = recorded.get()
    if current is not None:
        current.relationships[tenant, user] = relationship


origin: ContextVar[Origin] = ContextVar("audit_origin", default=Origin())  # noqa: B039 - frozen
recorded: ContextVar[Recorded | None] = ContextVar("audit_recorded", default=None)
# The UPN of whoever has approved the change that is being carried out for somebody else; empty otherwise.
approver: ContextVar[str] = ContextVar("audit_approver", default="")
# What has its word before a recorded change is committed, in the change's own transaction; raising undoes the change.
before_commit: ContextVar[tuple[Callable[[], None], ...]] = ContextVar("audit_before_commit", default=())

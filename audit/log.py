"""`recording`: one transaction, one audit line, success or failure.

Every change of the portal runs inside it. Nested recordings are savepoints that hand their lines to the outermost one,
which makes deferred constraints speak, seals the lines into the tenants' chains (chain.py) and commits. When the
change fails, only the Failed lines are kept, written in a transaction of their own.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from audit import chain, context, outbox
from audit.context import Line, Recorded, origin, recorded
from audit.errors import RuleBroken
from audit.models import PLATFORM, Result

security_log = logging.getLogger("trm.security")

SYSTEM = "system"


class Actor(Protocol):
    upn: str
    tenant_id: UUID | None


class Owner(Protocol):
    id: UUID


# Name of a database constraint -> the rule it guards. Filled by the apps' errors.py.
CONSTRAINTS: dict[str, type[RuleBroken]] = {}

_CONSTRAINTS_SPEAK = "SET CONSTRAINTS ALL IMMEDIATE;"
# Inside somebody else's transaction: leave it as it was found.
_IN_PASSING = f"{_CONSTRAINTS_SPEAK} SET CONSTRAINTS ALL DEFERRED;"


@contextmanager
def recording(
    category: str,
    operation: str,
    object_name: str,
    *,
    tenant: Owner | UUID | None,
    by: Actor | None,
    relationship_id: UUID | None = None,
    approver: str = "",
) -> Iterator[Line]:
    """Run the block as one transaction that leaves one audit line in the log of `tenant` (None: the platform's).

    `by` is None for jobs. Raises what the block raised; a broken database constraint that guards a rule comes out as
    that rule's error. `Http404` leaves no line: what the actor cannot see, he must not mark.
    """
    owner = tenant if isinstance(tenant, UUID) else tenant.id if tenant is not None else PLATFORM
    line = Line(
        category,
        operation,
        object_name[:300],
        owner,
        user_id=by.upn if by is not None else SYSTEM,
        user_tenant_id=by.tenant_id if by is not None else None,
        relationship_id=relationship_id,
        approver=approver or context.approver.get(),
    )
    outer = recorded.get()
    if outer is None:
        with _outermost(line):
            yield line
    else:
        with _nested(outer, line):
            yield line


@contextmanager
def together() -> Iterator[None]:
    """Run the recordings of the block as one transaction with one link per tenant's chain; leaves no line of its own."""
    if recorded.get() is None:
        with _outermost(None):
            yield
    else:
        with transaction.atomic():
            yield


def add_lines(lines: Iterable[Line]) -> None:
    """`lines` belong to the open recording and share its fate: for a change made as a set, where a recording for each
    part would cost a savepoint for each. Make them of the recording's own line, by `dataclasses.replace`.

    Raises RuntimeError outside a recording.
    """
    current = recorded.get()
    if current is None:
        raise RuntimeError("lines need an open recording")
    current.lines.extend(lines)


class _Undone(Exception):
    """A rehearsal is over."""


@contextmanager
def rehearsal() -> Iterator[list[Line]]:
    """Run the block inside the open recording, and undo it: afterwards the list has the lines that it would have left.

    Deferred constraints speak, so what passes here breaks no rule. Raises what the block raised, which is on record as
    failed like any refusal; RuntimeError outside a recording.
    """
    current = recorded.get()
    if current is None:
        raise RuntimeError("a rehearsal needs an open recording")
    since, told = len(current.lines), list[Line]()
    try:
        with transaction.atomic():
            yield told
            speak()
            raise _Undone
    except _Undone:
        told[:] = current.lines[since:]
        current.lines[since:] = []
    except IntegrityError as error:
        raise _as_rule(error) from error


@contextmanager
def on_behalf(approver_upn: str) -> Iterator[None]:
    """The block carries out what `approver_upn` has approved: its lines name him, and what it breaks comes out of it."""
    token = context.approver.set(approver_upn)
    try:
        with transaction.atomic():
            yield
            speak()
    except IntegrityError as error:
        raise _as_rule(error) from error
    finally:
        context.approver.reset(token)


def speak() -> None:
    """Deferred constraints are checked now, and go on being deferred. Raises IntegrityError."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_PASSING)


@contextmanager
def _outermost(line: Line | None) -> Iterator[None]:
    current = Recorded([] if line is None else [line])
    token = recorded.set(current)
    is_inside_foreign_block = connection.in_atomic_block
    try:
        with transaction.atomic():
            yield
            written = [one for one in current.named() if not one.is_void]
            for has_its_word in context.before_commit.get() if written else ():
                has_its_word()
            chain.seal(written, origin.get(), after=_IN_PASSING if is_inside_foreign_block else _CONSTRAINTS_SPEAK)
    except Exception as error:
        broken = _as_rule(error)
        _settle_failure(current, line, broken, since=0)
        _write_failures(current, broken)
        if broken is not error:
            raise broken from error
        raise
    finally:
        recorded.reset(token)


@contextmanager
def _nested(outer: Recorded, line: Line) -> Iterator[None]:
    since = len(outer.lines)
    outer.lines.append(line)
    try:
        with transaction.atomic():
            yield
    except Exception as error:
        broken = _as_rule(error)
        _settle_failure(outer, line, broken, since=since)
        if broken is not error:
            raise broken from error
        raise


def _as_rule(error: Exception) -> Exception:
    """The rule behind a broken constraint, if it guards one; else the error itself."""
    if isinstance(error, IntegrityError):
        diagnostics = getattr(error.__cause__, "diag", None)
        rule = CONSTRAINTS.get(getattr(diagnostics, "constraint_name", None) or "")
        if rule is not None:
            return rule()
    return error


def _settle_failure(current: Recorded, line: Line | None, error: Exception, *, since: int) -> None:
    """Drop what was undone; keep the failures, this one included."""
    kept = [other for other in current.lines[since:] if other is not line and other.result == Result.FAILED]
    if line is None or isinstance(error, Http404):
        if line is not None:
            security_log.info("not found: %s %s by %s", line.category, line.operation, line.user_id)
        current.lines[since:] = kept
        return
    line.result, line.code = Result.FAILED, _code(error)
    line.after = None
    current.lines[since:] = [line, *kept]


def _code(error: Exception) -> str:
    if isinstance(error, PermissionDenied):
        return str(getattr(error, "code", "permission_denied"))
    if isinstance(error, ValidationError):
        return str(getattr(error, "code", None) or "invalid")
    return "error"


def _write_failures(current: Recorded, error: Exception) -> None:
    parcels = getattr(error, "parcels", ())
    if not current.lines and not parcels:
        return
    try:
        with transaction.atomic():
            for parcel in parcels:
                outbox.put(parcel)
            chain.seal(current.named(), origin.get())
    except Exception:  # noqa: BLE001 - the change's own error matters more to the caller than ours
        security_log.exception("the failure of %s could not be recorded", current.lines[:1])

"""Where a person is signed in: on record when it begins and ends, looked at and ended by himself.

The lines are in the log of where he is at home, never in that of a customer he works for.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.log import recording
from audit.models import Category, Operation, Result
from rbac.models import PersonSession, User


def of(person: User) -> QuerySet[PersonSession]:
    """The sessions in which `person` is signed in and can go on; the newest first."""
    return PersonSession.objects.filter(user=person, expire_date__gt=timezone.now()).order_by("-began_at", "pk")


def end(sessions: Collection[PersonSession], *, by: User) -> int:
    """Nobody goes on in `sessions` from the next request on; how many there were.

    Those of `by` alone: others are left as they are. Ending none leaves no line.
    """
    with recording(Category.SESSION, Operation.DELETE, by.upn, tenant=by.tenant_id, by=by) as line:
        rows = PersonSession.objects.filter(user=by, pk__in=[one.pk for one in sessions])
        line.before = {"sessions": sorted(str(one.public_id) for one in rows)}
        ended, _ = rows.delete()
        line.is_void = not ended
    return ended


@contextmanager
def beginning(person: User, *, how: str) -> Iterator[None]:
    """The block signs `person` in, and that is on record with it; `how` says by what he has proven who he is."""
    with recording(Category.SESSION, Operation.CREATE, person.upn, tenant=person.tenant_id, by=person) as line:
        yield
        line.after = {"how": how}


@contextmanager
def ending(person: User) -> Iterator[None]:
    """The block signs `person` out, and that is on record with it."""
    with recording(Category.SESSION, Operation.DELETE, person.upn, tenant=person.tenant_id, by=person):
        yield


def note_refusal(person: User, reason: str) -> None:
    """Somebody who signs in as `person` was not let in: it is on record, and why."""
    with recording(Category.SESSION, Operation.CREATE, person.upn, tenant=person.tenant_id, by=person) as line:
        line.result, line.code = Result.FAILED, reason


def note_wrong_name() -> None:
    """Nothing: a name that nobody has leaves no line, but takes as long as one that somebody has."""
    with transaction.atomic():
        note_refusal(User(upn="nobody"), "wrong_password")
        transaction.set_rollback(True)

"""Where a person is signed in: looked at by himself, and ended by himself."""

from collections.abc import Collection

from django.db.models import QuerySet
from django.utils import timezone

from audit.log import recording
from audit.models import Category, Operation
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

"""Bulk changes on their way: rooms chosen, change described, confirmed, carried out, forgotten after a day (see work.py)."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from audit.clock import Now
from rbac.models import Tenant, User
from rooms.errors import ImportOver
from rooms.models import BulkAction, BulkChange, WorkState
from rooms.services import bulk, work
from rooms.services.bulk import Fate
from rooms.services.inventory import Submit

AT_ONCE = 50  # rooms; more are for a worker, and the page shows how far it is
BEAT = 10  # rooms between two signs of life
TASK = "rooms.schedule.carry_out_bulk_changes"

logger = logging.getLogger(__name__)


def prepare(tenant: Tenant, rooms: Sequence[int], *, by: User) -> BulkChange:
    """`rooms` (ids that `by` sees, at most MOST_ROOMS) are chosen; an earlier choice he never confirmed is gone."""
    work.discard_old(BulkChange)
    BulkChange.objects.filter(tenant=tenant, person=by, state=WorkState.CHECKED).delete()
    chosen = list(rooms)[: bulk.MOST_ROOMS]
    return BulkChange.objects.create(
        tenant=tenant, person=by, rooms=chosen, total=len(chosen), beat_at=Now(), created_at=Now()
    )


def describe(found: BulkChange, action: BulkAction, params: Mapping[str, Any]) -> None:
    """What is to be done to the rooms. Raises ImportOver if it has been confirmed already."""
    waiting = BulkChange.objects.filter(pk=found.pk, state=WorkState.CHECKED)
    if not waiting.update(action=action, params=dict(params), beat_at=Now()):
        raise ImportOver


def own(tenant: Tenant, person: User) -> QuerySet[BulkChange]:
    """The bulk changes of `person` in `tenant`; nobody else sees them."""
    return work.own(BulkChange, tenant, person)


def confirm(found: BulkChange, *, submit: Submit) -> None:
    """`found` is carried out: at once if it is small or no worker can be told, else by a worker soon.

    Raises ImportOver if it is under way, done, or not described yet.
    """
    if not found.action:
        raise ImportOver
    work.confirm(found, lambda pk: carry_out(pk, submit=submit), task=TASK, at_once=lambda: len(found.rooms) <= AT_ONCE)


def carry_out(change_id: UUID, *, submit: Submit) -> None:
    """Every room of the waiting (or abandoned) change has its fate; nothing if there is none.

    A change is done room by room, each for good; a run that took over does the rest again, which finds it unchanged.
    """
    found = work.claim(BulkChange, change_id)
    if found is None:
        return
    fates: list[Fate] = []
    action = BulkAction(found.action)
    try:
        for fate in bulk.each(found.tenant, found.rooms, action, found.params, by=found.person, submit=submit):
            fates.append(fate)
            if len(fates) % BEAT == 0 and not work.tell(found, len(fates)):
                return  # another run has taken over, and goes on
        work.finish(found, report=[fate.as_data() for fate in fates], done=len(fates))
    except ImportOver:
        return
    except Exception:
        work.fail(found, "error")
        logger.exception("bulk change %s failed", change_id)


def waiting() -> list[UUID]:
    """The changes that somebody has to carry out, oldest first."""
    return work.waiting(BulkChange)

"""Bulk changes on their way: rooms or tickets chosen, change described, confirmed, carried out, forgotten after a day (see
work.py). What was chosen over several customers is a batch: a change for each of them, one word for all.
"""

import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit.clock import Now
from rbac import step_up
from rbac.models import Tenant, User
from rooms.errors import ImportOver
from rooms.justifications import because
from rooms.models import BulkAbout, BulkAction, BulkChange, WorkState
from rooms.services import bulk, work
from rooms.services.bulk import Fate
from rooms.services.inventory import Submit

BULK = "bulk change"  # how the log calls one
AT_ONCE = 50  # rooms; more are for a worker, and the page shows how far it is
BEAT = 10  # rooms between two signs of life
TASK = "rooms.schedule.carry_out_bulk_changes"
LONGEST_JUSTIFICATION = 500

logger = logging.getLogger(__name__)


def prepare(tenant: Tenant, rooms: Sequence[int], *, by: User) -> BulkChange:
    """`rooms` (ids that `by` sees, at most MOST_ROOMS) are chosen; an earlier choice he never confirmed is gone."""
    work.discard_old(BulkChange)
    BulkChange.objects.filter(tenant=tenant, person=by, batch=None, state=WorkState.CHECKED).delete()
    made = _new(tenant, list(rooms)[: bulk.MOST_ROOMS], by)
    made.save(force_insert=True)
    return made


def prepare_batch(about: BulkAbout, chosen: Mapping[Tenant, Sequence[int]], *, by: User) -> UUID:
    """What `by` has chosen of each customer (ids that he sees, in all at most MOST_ROOMS) waits as one batch; its id. An
    earlier one that he never confirmed is gone."""
    work.discard_old(BulkChange)
    batch = uuid.uuid4()
    with transaction.atomic():
        BulkChange.objects.filter(person=by, batch__isnull=False, about=about, state=WorkState.CHECKED).delete()
        BulkChange.objects.bulk_create(
            [_new(tenant, list(targets), by, about=about, batch=batch) for tenant, targets in chosen.items()]
        )
    return batch


def _new(tenant: Tenant, targets: list[int], by: User, **fields: Any) -> BulkChange:
    at = Now()
    return BulkChange(
        tenant=tenant, person=by, targets=targets, total=len(targets), beat_at=at, created_at=at, **fields
    )


def describe(found: BulkChange, action: BulkAction, params: Mapping[str, Any]) -> None:
    """What is to be done to the rooms. Raises ImportOver if it has been confirmed already, StepUpRequired as `confirm`: what
    somebody confirms was described by nobody who shows less."""
    step_up.require_on_record(found.person, found.tenant, bulk.event_of(action), BULK)
    waiting = BulkChange.objects.filter(pk=found.pk, state=WorkState.CHECKED)
    if not waiting.update(action=action, params=dict(params), beat_at=Now()):
        raise ImportOver


def describe_batch(changes: Sequence[BulkChange], action: BulkAction, params: Mapping[UUID, Mapping[str, Any]]) -> None:
    """What is to be done in each customer of the batch, by `params` of each tenant. Raises ImportOver as `describe`."""
    with transaction.atomic():
        for one in changes:
            describe(one, action, params[one.tenant_id])


def own(tenant: Tenant, person: User) -> QuerySet[BulkChange]:
    """The bulk changes of `person` in `tenant` alone; nobody else sees them."""
    return work.own(BulkChange, tenant, person).filter(batch=None)


def of_batch(batch: UUID, person: User, customers: Collection[Tenant]) -> list[BulkChange]:
    """The changes of `person` that belong to `batch`, as far as they are of `customers`; by the customers' names."""
    found = BulkChange.objects.filter(batch=batch, person=person, tenant__in=[one.pk for one in customers])
    fresh = found.filter(created_at__gt=Now() - work.KEPT_FOR)
    return list(fresh.select_related("tenant").order_by("tenant__name", "tenant"))


def confirm(found: BulkChange, *, submit: Submit, justification: str = "") -> None:
    """`found` is carried out: at once if it is small or no worker can be told, else by a worker soon. What the customer
    wants to approve first is asked for with `justification`.

    Raises ImportOver if it is under way, done, or not described yet.
    """
    confirm_batch([found], submit=submit, justification=justification)


def confirm_batch(changes: Sequence[BulkChange], *, submit: Submit, justification: str = "") -> None:
    """As `confirm`, for each of `changes`; those that are done already stay as they are. Raises StepUpRequired, too, if a
    customer asks its partners for more before they do this: a worker has nothing to show."""
    if not all(one.action for one in changes):
        raise ImportOver
    for one in changes:
        step_up.require_on_record(one.person, one.tenant, bulk.event_of(BulkAction(one.action)), BULK)
    BulkChange.objects.filter(
        pk__in=[one.pk for one in changes], state__in=[WorkState.CHECKED, WorkState.FAILED]
    ).update(justification=justification.strip()[:LONGEST_JUSTIFICATION])
    is_small = sum(one.total for one in changes) <= AT_ONCE
    work.confirm(changes, lambda pk: carry_out(pk, submit=submit), task=TASK, at_once=lambda: is_small)


def discard(changes: Sequence[BulkChange]) -> None:
    """They are gone, all of them. Raises ImportOver if one is being carried out, or done."""
    with transaction.atomic():
        for one in changes:
            work.discard(one)


def carry_out(change_id: UUID, *, submit: Submit) -> None:
    """Every target of the waiting (or abandoned) change has its fate; nothing if there is none.

    A change is done one by one, each for good; a run that took over does the rest again, which finds it unchanged.
    """
    found = work.claim(BulkChange, change_id)
    if found is None:
        return
    fates: list[Fate] = []
    action, params = BulkAction(found.action), found.params | {"since": found.created_at.isoformat()}
    try:
        with because(found.justification):
            for fate in bulk.each(found.tenant, found.targets, action, params, by=found.person, submit=submit):
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

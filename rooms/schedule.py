"""What the clock calls, and what a confirmed change sends for: imports, bulk changes, approvals, silence,
tickets, rollouts, reports.

All of it may run twice at once and at any time.
"""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from celery import shared_task
from django.db import DatabaseError

from audit.errors import RuleBroken
from rooms import change_control
from rooms.models import BulkChange
from rooms.services import (
    approvals,
    assignment_ends,
    attachments,
    bulk_changes,
    inventory_imports,
    monitoring,
    report_sums,
    rollout_clock,
    telemetry,
    ticket_silence,
    work,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

AT_ONCE = 500  # of assignments that end soon, in one run; the next one goes on


@shared_task(name=inventory_imports.TASK, ignore_result=True)
def carry_out_imports() -> None:
    """Every confirmed import is done, and so is what a dead worker left; two of these never do the same one."""
    for import_id in inventory_imports.waiting():
        inventory_imports.carry_out(import_id, submit=change_control.submit)


@shared_task(ignore_result=True)
def discard_old_imports() -> None:
    """Uploaded inventories and bulk changes are gone after a day."""
    inventory_imports.discard_old()
    work.discard_old(BulkChange)


@shared_task(name=bulk_changes.TASK, ignore_result=True)
def carry_out_bulk_changes() -> None:
    """Every confirmed bulk change is done, and so is what a dead worker left; two of these never do the same one."""
    for change_id in bulk_changes.waiting():
        bulk_changes.carry_out(change_id, submit=change_control.submit)


@shared_task(ignore_result=True)
def end_suppressions() -> None:
    """Rooms whose suppression is over are watched again; that they are was true before."""
    monitoring.end_due()


@shared_task(ignore_result=True)
def mark_silent_rooms() -> None:
    """Rooms that have not been heard of for 15 minutes are unmonitored, at most a minute after they fell silent so long."""
    telemetry.mark_silent()


@shared_task(ignore_result=True)
def tell_of_ends() -> None:
    """Whom it concerns has a mail on its way about every assignment whose end has come within 30, 7 or 1 day, once each."""
    for assignment in list(assignment_ends.ending()[:AT_ONCE]):
        try:
            assignment_ends.tell(assignment)
        except (DatabaseError, RuleBroken):
            logger.exception("nobody could be told of the end of assignment %s", assignment.pk)


@shared_task(ignore_result=True)
def close_silent_tickets() -> None:
    """Tickets that nobody has anything to add to are closed; two of these close each one once."""
    ticket_silence.close_silent()


@shared_task(ignore_result=True)
def sweep_attachments() -> None:
    """Files that were handed in and never attached are gone, and so is what failed transactions left."""
    attachments.sweep()


@shared_task(ignore_result=True)
def schedule_rollouts() -> None:
    """Every ring of every tenant has its rollout of the newest release; one query if nothing is new."""
    _each(rollout_clock.schedule, rollout_clock.unscheduled())


@shared_task(ignore_result=True)
def advance_rollouts() -> None:
    """Rollouts that are due have begun, nights too; what was missed is tried again or has failed; what is done is done."""
    _each(rollout_clock.begin, rollout_clock.due())
    rollout_clock.let_go()
    rollout_clock.offer_due()
    rollout_clock.end_nights()
    _each(rollout_clock.finish, rollout_clock.settled())


@shared_task(ignore_result=True)
def take_in_late_rooms() -> None:
    """Rooms that came into a ring, or into the service, after its rollout began take part in it."""
    _each(rollout_clock.take_in_late, rollout_clock.late_rings())


@shared_task(ignore_result=True)
def add_up_reports() -> None:
    """The figures of reports are those of now; what one run does not finish, the next one does."""
    report_sums.run()


@shared_task(ignore_result=True)
def forget_health() -> None:
    """The health of rooms, minute by minute, is gone after 100 days; the days that reports show are kept apart."""
    report_sums.forget()


@shared_task(ignore_result=True)
def remind_of_requests() -> None:
    """Whoever decides has a reminder of each request that nears its end; nobody gets a second one."""
    approvals.remind_due()


@shared_task(ignore_result=True)
def expire_requests() -> None:
    """Approval requests whose time is over are marked; that they are over was true before."""
    approvals.expire_due()


def _each(change: Callable[[T], object], targets: Iterable[T]) -> None:
    """One tenant in somebody's long transaction must not keep the others waiting; the next ring finds it again."""
    for target in targets:
        try:
            change(target)
        except (DatabaseError, RuleBroken):
            logger.exception("%s failed; it is tried again at the next ring", change.__name__)

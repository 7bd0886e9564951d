"""What the clock calls: due invitations and relationships are marked, people told in time, webhooks delivered.

All may run twice at once and at any time: each change is compared with the row under its lock, and access has ended with
the second itself, whether or not anything here runs.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from celery import shared_task
from django.db import DatabaseError

from audit.errors import RuleBroken
from partners import nudges
from partners.models import Invitation
from partners.services import invitations, relationships, reminders, time_limits, webhook_delivery, webhook_log
from rbac.services import primary_admins

logger = logging.getLogger(__name__)

T = TypeVar("T")

AT_ONCE = 200  # of relationships, in one run; the next one goes on


@shared_task(ignore_result=True)
def expire_invitations() -> None:
    """Every invitation whose time is over is marked, with its audit line; one query if there is none."""
    of_relationship = (
        Invitation.objects.due().order_by("relationship").values_list("relationship", flat=True).distinct()
    )
    for relationship_id in list(of_relationship):
        _go_on_after_failure(invitations.expire_due, Invitation.objects.filter(relationship=relationship_id))


@shared_task(ignore_result=True)
def end_relationships() -> None:
    """Relationships past their end are marked as ended, the oldest first; those that have a primary admin again, because
    his day has come, are not marked as needing one any more. One query each if there is none."""
    for relationship in list(time_limits.due()[:AT_ONCE]):
        _go_on_after_failure(relationships.expire, relationship)
    for delegation in list(primary_admins.begun()[:AT_ONCE]):
        _go_on_after_failure(primary_admins.settle_begun, delegation)


@shared_task(ignore_result=True)
def tell_of_ends() -> None:
    """Both sides of every relationship whose end has come within 30, 7 or 1 day have a mail on its way, once each."""
    for delegation in list(time_limits.ending().select_related("relationship")[:AT_ONCE]):
        _go_on_after_failure(time_limits.tell, delegation)


@shared_task(ignore_result=True)
def remind_invited() -> None:
    """Everybody whose invitation nears its end has a reminder on its way; nobody gets a second one."""
    for invitation in list(reminders.due().select_related("relationship").order_by("expires_at", "pk")):
        _go_on_after_failure(reminders.remind, invitation)


def _go_on_after_failure(change: Callable[[T], object], target: T) -> None:
    """One row in somebody's long transaction must not keep the others waiting; the next ring finds it again."""
    try:
        change(target)
    except (DatabaseError, RuleBroken):
        logger.exception("%s failed; it is tried again at the next ring", change.__name__)


@shared_task(name=nudges.TASK, ignore_result=True)
def deliver_webhooks() -> None:
    """What a change has just left for webhooks is on its way, and what no message announced: the clock calls it too."""
    if not webhook_delivery.deliver_due():
        nudges.nudge()  # more is waiting: another run, behind whatever else the workers have to do


@shared_task(ignore_result=True)
def forget_deliveries() -> None:
    """Deliveries of more than 30 days ago are gone, and webhooks that have ended, with all that was left of them."""
    webhook_log.forget()

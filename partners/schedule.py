"""What the clock calls: due invitations are marked, invited people reminded.

Both may run twice at once and at any time: each change is compared with the row under its lock, and access has ended with
the second itself, whether or not anything here runs.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from celery import shared_task
from django.db import DatabaseError

from audit.errors import RuleBroken
from partners.models import Invitation
from partners.services import invitations, reminders

logger = logging.getLogger(__name__)

T = TypeVar("T")


@shared_task(ignore_result=True)
def expire_invitations() -> None:
    """Every invitation whose time is over is marked, with its audit line; one query if there is none."""
    of_relationship = (
        Invitation.objects.due().order_by("relationship").values_list("relationship", flat=True).distinct()
    )
    for relationship_id in list(of_relationship):
        _go_on_after_failure(invitations.expire_due, Invitation.objects.filter(relationship=relationship_id))


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

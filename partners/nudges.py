"""Ask a worker to deliver to webhooks now, once per transaction; a broker that refuses is no reason to fail."""

import logging

from celery import current_app
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

TASK = "partners.schedule.deliver_webhooks"


def nudge_after_commit(connection: BaseDatabaseWrapper) -> None:
    """After the commit a worker looks; whatever no broker takes the sweep finds."""
    if not any(function is nudge for _, function, *_ in connection.run_on_commit):
        transaction.on_commit(nudge)


def nudge() -> None:
    """Ask now."""
    try:
        current_app.send_task(TASK, retry=False)
    except Exception as error:  # noqa: BLE001 - kombu, redis and socket errors have no common root
        logger.warning("broker not reached, the sweep will deliver: %s", error)

"""Delivering what waits in the outbox: claimed row by row, held while it is sent, committed row by row.

A worker holds the row's lock for as long as it sends, so no two workers send the same one. Whatever ends the worker ends
its session at the database as well: the row is free again, still waiting, and the next look finds it. The only thing
that can happen twice is a mail whose worker died between the mail server's yes and the commit; it carries the same
Message-ID. What is due is judged by the database's clock alone.
"""

import enum
import logging
import random
import time
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F

from audit.clock import Now
from audit.mail import NotNow, Postman, Undeliverable, Unreachable
from audit.models import OutboxMessage, OutboxState
from audit.outbox import Obsolete, handler_of

logger = logging.getLogger(__name__)

RUN_FOR = 120.0  # seconds one run goes on; well below the task's time limit
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=4)
ATTEMPTS = 21  # with these waits the last one is about two days after the first
JITTER = 0.2
# A worker's machine that vanished is noticed by the database no later than this; a mail takes less (EMAIL_TIMEOUT).
HELD_AT_MOST = "180s"


class Outcome(enum.Enum):
    """What became of a run's last look."""

    SETTLED = enum.auto()  # for good, or until later
    UNREACHABLE = enum.auto()  # the mail server takes nothing at the moment
    NOTHING_DUE = enum.auto()


def deliver_due(run_for: float = RUN_FOR) -> bool:
    """Everything that was due is delivered or has been put off; False if `run_for` seconds were not enough for that."""
    end = time.monotonic() + run_for
    with Postman() as postman:
        while time.monotonic() < end:
            if _deliver_next(postman) is not Outcome.SETTLED:
                return True
    return False


def _deliver_next(postman: Postman) -> Outcome:
    with transaction.atomic():
        message = _claim()
        if message is None:
            return Outcome.NOTHING_DUE
        try:
            with transaction.atomic():  # a savepoint: after a failure inside, the row can still be written
                handler_of(message.kind)(message, postman)
        except Obsolete:
            _settle(message, OutboxState.CANCELLED)
        except Undeliverable as error:
            _settle(message, OutboxState.UNDELIVERABLE, str(error))
        except NotNow as error:
            _put_off(message, str(error))
            return Outcome.UNREACHABLE if isinstance(error, Unreachable) else Outcome.SETTLED
        except Exception as error:  # a fault of ours in one message must not keep the others from leaving
            logger.exception("%s (row %s) could not be delivered", message.kind, message.pk)
            _put_off(message, f"{type(error).__name__}: {error}")
        else:
            _settle(message, OutboxState.SENT)
    return Outcome.SETTLED


def _claim() -> OutboxMessage | None:
    """The next due row that no other worker holds, locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{HELD_AT_MOST}'")
    due = OutboxMessage.objects.filter(state=OutboxState.WAITING, due_at__lte=Now())
    return due.select_for_update(skip_locked=True).order_by("due_at", "id").first()


def _settle(message: OutboxMessage, state: OutboxState, error: str = "") -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(
        state=state, settled_at=Now(), attempts=F("attempts") + 1, last_error=error[:500]
    )
    if state == OutboxState.UNDELIVERABLE:
        logger.warning("%s (row %s) is undeliverable: %s", message.kind, message.pk, error)


def _put_off(message: OutboxMessage, error: str) -> None:
    """Try again later, each time about twice as late; after the last attempt it is undeliverable."""
    attempts = message.attempts + 1
    if attempts >= ATTEMPTS:
        _settle(message, OutboxState.UNDELIVERABLE, error)
        return
    OutboxMessage.objects.filter(pk=message.pk).update(
        attempts=attempts, due_at=Now() + wait_after(attempts), last_error=error[:500]
    )


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts; a little different each time, so that not all come back at once."""
    wait: timedelta = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    return wait * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing

"""What a recorded change leaves to be delivered: a row first, a message second.

`leave` writes the row inside the change's transaction; after the commit ONE message to the broker asks a worker to
look (`nudge`), and a periodic sweep finds whatever no broker took. How a kind is delivered is registered by the app that
leaves it (`delivers`); delivery.py claims the rows and calls it.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction

from audit.clock import Now, now
from audit.context import recorded
from audit.mail import Postman
from audit.models import OutboxMessage, OutboxState

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parcel:
    """A message to be left: what kind, about what, and the plain values its delivery needs."""

    kind: str
    subject_id: str
    tenant_id: UUID
    payload: dict[str, Any] = field(default_factory=dict)
    after: timedelta = timedelta()


class Obsolete(Exception):
    """What the message would tell is over, or was told by another one: it is cancelled instead of delivered."""


Deliver = Callable[[OutboxMessage, Postman], None]
_handlers: dict[str, Deliver] = {}


def delivers(kind: str) -> Callable[[Deliver], Deliver]:
    """Register the function that delivers messages of `kind`; it gets the row, locked, and somebody who sends mails.

    It returns once the message is delivered; it raises Obsolete, or what `Postman.send` raises.
    """

    def register(function: Deliver) -> Deliver:
        _handlers[kind] = function
        return function

    return register


def handler_of(kind: str) -> Deliver:
    """The function that delivers `kind`. Raises KeyError for a kind nobody delivers."""
    return _handlers[kind]


def leave(parcel: Parcel) -> OutboxMessage:
    """Leave `parcel` with the open change; it is delivered once that change has been committed.

    Raises RuntimeError outside a recording: what is to be told belongs to a recorded change.
    """
    if recorded.get() is None:
        raise RuntimeError("outbox.leave needs an open recording")
    return put(parcel)


def leave_all(parcels: Iterable[Parcel]) -> None:
    """As `leave`, for many parcels of a change made as a set. Raises RuntimeError outside a recording."""
    if recorded.get() is None:
        raise RuntimeError("outbox.leave_all needs an open recording")
    at = now()
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            kind=one.kind,
            subject_id=one.subject_id,
            tenant_id=one.tenant_id,
            payload=one.payload,
            due_at=at + one.after,
        )
        for one in parcels
    )
    _nudge_once()


def put(parcel: Parcel) -> OutboxMessage:
    """Write the row and ask for a delivery after the commit (for the recorder itself; others call `leave`)."""
    message = OutboxMessage.objects.create(
        kind=parcel.kind,
        subject_id=parcel.subject_id,
        tenant_id=parcel.tenant_id,
        payload=parcel.payload,
        due_at=now() + parcel.after,
    )
    _nudge_once()
    return message


def split(message: OutboxMessage, payloads: Iterable[dict[str, Any]]) -> None:
    """In place of `message` one of its kind waits for each of `payloads`, once the delivery of `message` is committed.

    For what goes to several people: each gets a mail of their own, which fails, waits and is repeated alone.
    """
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            kind=message.kind,
            subject_id=message.subject_id,
            tenant_id=message.tenant_id,
            payload=payload,
            due_at=message.due_at,
        )
        for payload in payloads
    )


def cancel(kind: str, subject_ids: list[str]) -> int:
    """Nothing of `kind` about `subject_ids` leaves any more; how many were stopped.

    A row that a worker holds is just being delivered: it cannot be stopped, and a mail server that is slow to answer
    must not hold up the change that asks.
    """
    waiting = OutboxMessage.objects.filter(kind=kind, subject_id__in=subject_ids, state=OutboxState.WAITING)
    free = list(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True))
    return OutboxMessage.objects.filter(pk__in=free).update(state=OutboxState.CANCELLED, settled_at=Now())


def _nudge_once() -> None:
    connection = transaction.get_connection()
    if not any(function is nudge for _, function, *_ in connection.run_on_commit):
        transaction.on_commit(nudge)


def nudge() -> None:
    """Ask a worker to look now. A broker that refuses is no reason to fail: the sweep comes anyway.

    The message never expires: its age would be judged by two machines' clocks, and one too many costs one query.
    """
    try:
        current_app.send_task("audit.tasks.deliver_outbox", retry=False)
    except Exception as error:  # noqa: BLE001 - kombu, redis and socket errors have no common root
        logger.warning("broker not reached, the sweep will deliver: %s", error)

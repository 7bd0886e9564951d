"""Delivering what waits for webhooks: webhook by webhook, event by event, without holding any row while it is sent.

Who delivers to a webhook has it for a while (`busy_until`): no two do it at once, so its events leave in order, and whatever
ends a worker ends its hold a minute later. Nothing is locked meanwhile: a receiver that is slow to answer holds up neither a
change nor a removal. What can happen twice is an event whose worker died between the receiver's yes and the commit; it
carries the same id. What is due is judged by the database's clock alone.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, connections, transaction
from django.db.models import Exists, F, OuterRef, Q

from audit import outbox
from audit.clock import Now, now
from audit.delivery import ATTEMPTS, wait_after
from audit.log import recording
from audit.models import Category, Operation
from partners import bodies, posting, signatures
from partners.failures import Failure
from partners.parcels import webhook_off_notice
from partners.posting import Answer
from partners.services import webhooks
from partners.webhooks import DeliveryState, OffReason, Webhook, WebhookDelivery, WebhookQuerySet

logger = logging.getLogger(__name__)

RUN_FOR = 20.0  # seconds one run goes on before it makes way for other jobs of the worker
AT_ONCE = 4  # webhooks that are served side by side
TURN = 5.0  # seconds after which a webhook makes way for the next one
HELD_FOR = timedelta(seconds=60)  # longer than a turn and one more request
OFF_AFTER = timedelta(days=3)  # of nothing but failures
GONE = 410
_LANE = 0x77656268  # the advisory lock of whoever delivers


def deliver_due(run_for: float = RUN_FOR, at_once: int = AT_ONCE) -> bool:
    """Everything that was due has been tried; False if `run_for` seconds were not enough for that.

    Only one process at a time does this: mails and other jobs keep the rest of the workers.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '300s'")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LANE])
        if not cursor.fetchone()[0]:
            return True
        end = time.monotonic() + run_for
        with ThreadPoolExecutor(at_once, "webhooks") as pool:
            return all(list(pool.map(lambda _: _in_thread(end), range(at_once))))


def _in_thread(end: float) -> bool:
    try:
        return serve(end)
    finally:
        connections.close_all()


def serve(end: float) -> bool:
    """One webhook after the other gets what is due for it; False if `end` (monotonic seconds) came before that."""
    while time.monotonic() < end:
        key = _claim()
        if key is None:
            return True
        try:
            _serve(key, min(end, time.monotonic() + TURN))
        finally:
            Webhook.objects.filter(pk=key).update(busy_until=None)
    return False


def _claim() -> UUID | None:
    """A webhook for which something is due, tried longest ago, held; None if there is none."""
    with transaction.atomic():
        due = WebhookDelivery.objects.due().filter(webhook=OuterRef("pk"))
        free = _rested(Webhook.objects.open()).filter(Q(busy_until=None) | Q(busy_until__lte=Now()))
        order = F("tried_at").asc(nulls_first=True)
        found = (
            free.filter(Exists(due))
            .order_by(order, "pk")
            .select_for_update(of=("self",), no_key=True, skip_locked=True)
        )
        key = found.values_list("pk", flat=True).first()
        if key is not None:
            Webhook.objects.filter(pk=key).update(busy_until=Now() + HELD_FOR)
    return key


def _rested(rows: WebhookQuerySet) -> WebhookQuerySet:
    return rows.filter(Q(rests_until=None) | Q(rests_until__lte=Now()))


def _serve(key: UUID, end: float) -> None:
    while True:
        still = _rested(Webhook.objects.open()).filter(pk=key)  # asked before every event: it may just have ended
        due = WebhookDelivery.objects.due().filter(webhook__in=still).select_related("webhook__tenant")
        delivery = due.order_by("pk").first()
        if delivery is None:
            return
        Webhook.objects.filter(pk=key).update(busy_until=Now() + HELD_FOR)
        _settle(delivery, _sent(delivery))
        if time.monotonic() >= end:
            return


def _sent(delivery: WebhookDelivery) -> Answer:
    """What the receiver answers; a fault of ours in one event must not keep the others from leaving."""
    try:
        body = bodies.body_of(delivery)
        moment = int(now().timestamp())
        signed = signatures.headers(str(delivery.event_id), moment, body, webhooks.secrets_of(delivery.webhook))
        return posting.post(delivery.webhook.url, body, signed)
    except Exception:
        logger.exception("delivery %s could not be sent", delivery.pk)
        return Answer(0, Failure.PORTAL)


def _settle(delivery: WebhookDelivery, answer: Answer) -> None:
    """What has become of it is written down, unless it was cancelled meanwhile."""
    attempts = delivery.attempts + 1
    tried = {"attempts": attempts, "tried_at": Now(), "status": answer.status, "error": answer.failure}
    waiting = WebhookDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING)
    with transaction.atomic():
        _note(delivery.webhook, answer)  # the webhook before its events, as everywhere
        if answer.is_taken:
            waiting.update(state=DeliveryState.DELIVERED, settled_at=Now(), **tried)
        elif attempts >= ATTEMPTS:
            waiting.update(state=DeliveryState.UNDELIVERABLE, settled_at=Now(), **tried)
        else:
            waiting.update(due_at=Now() + wait_after(attempts), **tried)
    since = delivery.webhook.failing_since
    if answer.status == GONE:
        _give_up(delivery.webhook, OffReason.GONE)
    elif not answer.is_taken and since is not None and now() - since > OFF_AFTER:
        _give_up(delivery.webhook, OffReason.FAILING)


def _note(webhook: Webhook, answer: Answer) -> None:
    """What the answer says of the receiver. Without any, the next event would not fare better: it is left in peace."""
    fields: dict[str, Any] = {"failures": 0, "failing_since": None, "rests_until": None}
    if not answer.is_taken:
        failures = min(webhook.failures + 1, ATTEMPTS)
        fields = {"failures": failures, "failing_since": webhook.failing_since or now()}
        if not answer.status:
            fields["rests_until"] = now() + wait_after(failures)
    Webhook.objects.filter(pk=webhook.pk).update(tried_at=Now(), **fields)


def _give_up(webhook: Webhook, reason: OffReason) -> None:
    """The webhook is off, and its people are told why; what waits goes on waiting until somebody turns it on."""
    with recording(
        Category.SETTINGS,
        Operation.UPDATE,
        webhook.name,
        tenant=webhook.tenant_id,
        by=None,
        relationship_id=webhook.delegation_id,
    ) as line:
        on = Webhook.objects.live().filter(pk=webhook.pk, is_active=True)
        if not on.update(is_active=False, off_reason=reason, version=F("version") + 1):
            line.is_void = True
            return
        outbox.leave(webhook_off_notice(webhook))
        line.before, line.after = {"on": True}, {"on": False, "reason": reason}

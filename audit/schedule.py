"""What the clock calls: the heads of the audit chains leave the database, settled messages are forgotten."""

import json
import logging
from datetime import timedelta

from celery import shared_task

from audit.clock import Now
from audit.heads import heads
from audit.models import OutboxMessage, OutboxState

# A name of its own, so that an installation can send these lines to a store of their own.
heads_log = logging.getLogger("trm.audit")

KEPT_FOR = timedelta(days=90)
FORGOTTEN_AT_ONCE = 5_000


@shared_task(ignore_result=True)
def publish_heads() -> None:
    """The log holds the head of every audit chain, one JSON line each.

    A log store outside the database keeps them: whoever rewrites a chain there, from whichever line on, cannot make it
    pass through the digests that were published.
    """
    for head in heads():
        line = {"audit_head": str(head.tenant_id), "seq": head.seq, "digest": head.digest.hex()}
        heads_log.info(json.dumps(line | {"at": head.at.isoformat()}))


@shared_task(ignore_result=True)
def forget_settled() -> None:
    """Messages that were settled more than 90 days ago are gone, their addressees with them; what waits stays."""
    old = OutboxMessage.objects.exclude(state=OutboxState.WAITING).filter(settled_at__lt=Now() - KEPT_FOR)
    while some := list(old.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        OutboxMessage.objects.filter(pk__in=some).delete()

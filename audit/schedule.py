"""What the clock calls: the heads of the audit chains leave the database, settled messages are forgotten."""

from datetime import timedelta

import structlog
from celery import shared_task

from audit.clock import Now
from audit.heads import heads
from audit.models import OutboxMessage, OutboxState

# A logger of its own (see LOGGING): always JSON, and easily sent to a store of its own.
heads_log = structlog.get_logger("trm.audit")

KEPT_FOR = timedelta(days=90)
FORGOTTEN_AT_ONCE = 5_000


@shared_task(ignore_result=True)
def publish_heads() -> None:
    """The log holds the head of every audit chain, one JSON line each.

    A log store outside the database keeps them: whoever rewrites a chain there, from whichever line on, cannot make it
    pass through the digests that were published.
    """
    for head in heads():
        heads_log.info(
            "audit_head",
            tenant_id=str(head.tenant_id),
            seq=head.seq,
            digest=head.digest.hex(),
            at=head.at.isoformat(),
        )


@shared_task(ignore_result=True)
def forget_settled() -> None:
    """Messages that were settled more than 90 days ago are gone, their addressees with them; what waits stays."""
    old = OutboxMessage.objects.exclude(state=OutboxState.WAITING).filter(settled_at__lt=Now() - KEPT_FOR)
    while some := list(old.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        OutboxMessage.objects.filter(pk__in=some).delete()

"""The log of deliveries: how it is read, and how long it is kept."""

from datetime import timedelta

from audit.clock import Now
from partners.webhooks import Webhook, WebhookDelivery

KEPT_FOR = timedelta(days=30)
ENDED_KEPT_FOR = timedelta(hours=1)  # longer than any transaction that may still be writing to it
FORGOTTEN_AT_ONCE = 5_000


def forget() -> int:
    """What happened more than 30 days ago is gone, waiting or not; so is every webhook that has ended. How many events."""
    old = WebhookDelivery.objects.filter(created_at__lt=Now() - KEPT_FOR)
    ended = WebhookDelivery.objects.filter(webhook__ended_at__lt=Now() - ENDED_KEPT_FOR)
    forgotten = 0
    for rows in (old, ended):
        while some := list(rows.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
            forgotten += WebhookDelivery.objects.filter(pk__in=some).delete()[0]
    Webhook.objects.filter(ended_at__lt=Now() - ENDED_KEPT_FOR).delete()
    return forgotten

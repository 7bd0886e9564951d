"""From what happens to what waits for delivery: who hears of an event, written with the change that it tells of.

A customer's webhooks hear of everything of the customer. A partner's hear of its own relationship, invitations, approvals
and rooms, and of tickets with at least one room that is delegated to it at that moment.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.clock import now
from audit.events import About, Event
from partners.nudges import nudge_after_commit
from partners.webhooks import DeliveryState, Webhook, WebhookDelivery
from rbac.models import AssignmentKey, DelegationState
from rooms.reach import tickets_within

# While a partner is suspended what it would hear of is kept; it is sent once the partner is resumed.
_HEARING = (DelegationState.ACTIVE, DelegationState.SUSPENDED)


def note(events: Sequence[Event]) -> None:
    """A delivery waits for each webhook that is to hear of one of `events`; one query if there is none."""
    listening = _listening(events)
    if not listening:
        return
    within = _tickets_of(listening, events)
    at = now()
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                webhook=webhook,
                type=event.type.value,
                about=event.about.value,
                object_id=str(event.object_id),
                relationship_id=_relationship(webhook, event),
                created_at=at,
                due_at=at,
                state=DeliveryState.WAITING,
            )
            for event in events
            for webhook in listening
            if _hears(webhook, event, within)
        ],
        batch_size=2000,
    )
    nudge_after_commit(transaction.get_connection())


def _listening(events: Sequence[Event]) -> list[Webhook]:
    """The webhooks that want one of `events` at all."""
    return list(
        Webhook.objects.live()
        .filter(
            Q(delegation=None) | Q(delegation__state__in=_HEARING),
            tenant__in={one.tenant_id for one in events},
            events__overlap=sorted({one.type.value for one in events}),
            is_active=True,
        )
        .select_related("delegation")
        .order_by("pk")
    )


def _hears(webhook: Webhook, event: Event, within: Collection[tuple[UUID, int]]) -> bool:
    if webhook.tenant_id != event.tenant_id or event.type.value not in webhook.events:
        return False
    if webhook.delegation_id is None:
        return True
    if event.about is About.TICKET:
        return (webhook.delegation_id, event.object_id) in within
    return webhook.delegation_id == event.relationship_id


def _tickets_of(listening: Sequence[Webhook], events: Sequence[Event]) -> set[tuple[UUID, int]]:
    """Which tickets of `events` have a room that is delegated to which of the listening partners."""
    partners = {one.delegation_id for one in listening if one.delegation_id is not None}
    tickets = {int(one.object_id) for one in events if one.about is About.TICKET}
    return tickets_within(AssignmentKey.INVITED_ADMINS, partners, tickets) if partners and tickets else set()


def _relationship(webhook: Webhook, event: Event) -> UUID | None:
    """Of the delegation that it is about; a ticket is of none, but a partner hears through which one it knows it."""
    return event.relationship_id or webhook.delegation_id

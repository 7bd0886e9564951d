"""What a delivery says: that something happened to which object. No names and nothing personal: the tool reads the rest
over the API, under its own rights. The same bytes at every attempt."""

import json
from typing import Any

from django.conf import settings
from django.urls import reverse

from audit.events import About
from partners.models import PartnerRelationship
from partners.webhooks import WebhookDelivery


def body_of(delivery: WebhookDelivery) -> bytes:
    """The JSON that is signed and sent."""
    relationship = _relationship_of(delivery)
    about, object_id = About(delivery.about), delivery.object_id
    if about is About.RELATIONSHIP and relationship is not None:
        object_id = relationship
    said = {
        "id": str(delivery.event_id),
        "type": delivery.type,
        "created_at": delivery.created_at.isoformat().replace("+00:00", "Z"),
        "customer": {"id": str(delivery.webhook.tenant_id)},
        "relationship": relationship,
        "object": {
            "type": about.value,
            "id": int(object_id) if object_id.isdigit() and about in _NUMBERED else object_id,
            "url": _url_of(delivery, about, object_id, relationship),
        },
        "sequence": delivery.pk,
    }
    return json.dumps(said, separators=(",", ":")).encode()


_NUMBERED = (About.TICKET, About.ASSIGNMENT)


def _relationship_of(delivery: WebhookDelivery) -> str | None:
    """The id under which the API knows it."""
    if delivery.relationship_id is None:
        return None
    found = PartnerRelationship.objects.filter(delegation=delivery.relationship_id).values_list("pk", flat=True)
    return str(found.get())


def _url_of(delivery: WebhookDelivery, about: About, object_id: str, relationship: str | None) -> str | None:
    """Where the reader of this webhook reads the object; None where the API shows it nothing."""
    tenant, is_partners = delivery.webhook.tenant_id, delivery.webhook.delegation_id is not None
    places: dict[About, tuple[str, list[Any]] | None] = {
        About.TICKET: ("api-ticket", [tenant, object_id]),
        About.APPROVAL: ("api-approval", [tenant, object_id]),
        About.ASSIGNMENT: ("api-assignment", [tenant, object_id]),
        About.WEBHOOK: ("api-webhook", [tenant, object_id]),
        About.RELATIONSHIP: ("api-customer", [tenant]) if is_partners else ("api-partner", [tenant, object_id]),
        About.INVITATION: None if is_partners else ("api-partner-invitation", [tenant, relationship, object_id]),
    }
    place = places[about]
    return None if place is None else settings.PUBLIC_URL + reverse(place[0], args=place[1])

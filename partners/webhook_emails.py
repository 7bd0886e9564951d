"""The mail about webhooks: that one is off because nothing arrives."""

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit.mail import Postman
from audit.models import OutboxMessage
from audit.outbox import Obsolete, delivers, split
from partners.parcels import WEBHOOK_OFF
from partners.webhooks import OffReason, Webhook
from rbac import letters
from rbac.letters import Facts
from rbac.models import User
from rbac.services import delegations, notifications


@delivers(WEBHOOK_OFF)
def send_webhook_off(message: OutboxMessage, postman: Postman) -> None:
    """Who keeps the webhook knows that it is off, and why. Raises Obsolete once it is on again, or gone."""
    webhook = Webhook.objects.live().select_related("tenant", "delegation").filter(pk=message.subject_id).first()
    if webhook is None or webhook.is_active:
        raise Obsolete
    people = _keepers(webhook)
    if "to" not in message.payload:
        split(message, [{"to": person.upn} for person in people.order_by("upn")])
        return
    person = people.filter(upn=message.payload["to"]).first()
    if person is None:
        raise Obsolete
    facts: Facts = {
        "host": webhook.host,
        "failing_since": webhook.failing_since,
        "is_gone": "1" if webhook.off_reason == OffReason.GONE else "",
        "button_url": settings.PUBLIC_URL + reverse("webhook", args=[webhook.tenant_id, webhook.pk]),
    }
    language = person.language or (person.tenant.language if person.tenant is not None else "")
    letter = letters.write(
        "partners/mail/webhook_off",
        person.upn,
        language,
        webhook.tenant,
        facts,
        subject=_("The webhook to %(host)s is off"),
        button=_("Show the webhook"),
    )
    postman.send(letter, message.message_key)


def _keepers(webhook: Webhook) -> QuerySet[User]:
    """The MMR admins of the customer, or the partner's primary admins for it."""
    if webhook.delegation is None:
        return notifications.admins_of(webhook.tenant)
    base = delegations.base_assignment(webhook.delegation)
    return User.objects.filter(groups=base.group_id, is_active=True).select_related("tenant").distinct()

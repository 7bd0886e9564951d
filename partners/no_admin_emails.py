"""The mails about a partner that nobody is primary admin of any more: to the customer, and to the partner."""

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit import outbox
from audit.mail import Postman
from audit.models import OutboxMessage
from audit.outbox import Obsolete, delivers, split
from partners.answering import answering
from partners.emails import address_of, language_of, open_relationship
from partners.models import PartnerRelationship
from partners.parcels import CUSTOMER_NO_ADMIN, NO_ADMIN, no_admin_notices
from rbac import letters
from rbac.models import Delegation, User
from rbac.services import notifications
from rbac.services.notifications import Event


def tell(delegation: Delegation) -> None:
    """Both sides are told once the open change is committed."""
    outbox.leave_all(no_admin_notices(delegation.relationship))


@delivers(NO_ADMIN)
def send_no_admin(message: OutboxMessage, postman: Postman) -> None:
    """The customer knows that nobody is a partner's primary admin, and where to invite one. Raises Obsolete once somebody
    is again."""
    relationship = _without_admin(message)
    if "to" not in message.payload:
        notifications.share_out(message, relationship.tenant, Event.PARTNER_NO_ADMIN)
        return
    recipient = notifications.addressee(message, relationship.tenant, Event.PARTNER_NO_ADMIN)
    letter = letters.write(
        "partners/mail/no_admin",
        recipient.address,
        recipient.language,
        relationship.tenant,
        {
            "partner": relationship.label,
            "button_url": settings.PUBLIC_URL + reverse("partner", args=[relationship.tenant_id, relationship.pk]),
        },
        subject=_("%(partner)s needs a primary admin"),
        button=_("Show the partner"),
    )
    postman.send(letter, message.message_key)


@delivers(CUSTOMER_NO_ADMIN)
def send_customer_no_admin(message: OutboxMessage, postman: Postman) -> None:
    """Who answers for the partner knows the same: none of its primary admins could. Raises Obsolete as `send_no_admin`,
    and for somebody who does not answer for it (any more)."""
    relationship = _without_admin(message)
    people = _in_place_of_admins(relationship)
    if "to" not in message.payload:
        split(message, [{"to": one.upn} for one in people])
        return
    person = people.filter(upn=message.payload["to"]).first()
    if person is None:
        raise Obsolete
    letter = letters.write(
        "partners/mail/customer_no_admin",
        address_of(person, relationship),
        language_of(person),
        relationship.tenant,
        {"name": person.get_full_name()},
        subject=_("Your organisation needs a primary admin for %(customer)s"),
    )
    postman.send(letter, message.message_key)


def _without_admin(message: OutboxMessage) -> PartnerRelationship:
    relationship = open_relationship(message.subject_id)
    if not relationship.delegation.needs_primary_admin:
        raise Obsolete
    return relationship


def _in_place_of_admins(relationship: PartnerRelationship) -> QuerySet[User]:
    """Who answers for the partner; where nobody does, whoever of it still works for the customer."""
    partner = relationship.delegation.held_by
    assert partner is not None
    people = answering(partner)
    if people.exists():
        return people
    colleagues = User.objects.filter(groups__assignment__role__delegation=relationship.delegation_id, is_active=True)
    return colleagues.select_related("tenant").distinct().order_by("upn")

"""The mails about partners: who is told what, in which language. What has to be told is in parcels.py.

A mail is written when it is sent, from the rows as they are then; what is over by then is not told any more. What goes to
several people is first split into one message for each, so that each mail fails, waits and is repeated alone.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from audit.clock import Now, now
from audit.mail import Postman
from audit.models import OutboxMessage, OutboxState
from audit.outbox import Obsolete, delivers, split
from partners import links, parcels
from partners.answering import answering
from partners.models import OF_WHAT_IS_OVER, Invitation, PartnerRelationship, Terms, TermsAcceptance
from rbac import letters
from rbac.letters import Facts
from rbac.models import DelegationState, Tenant, TenantStatus, User
from rbac.services import notifications
from rbac.services.delegations import base_assignment
from rbac.services.notifications import Event
from rbac.time_limits import left, over

ONE_NOTICE_IN = timedelta(days=1)


@dataclass(frozen=True)
class Wording:
    """What a mail says outside its templates; the subject is its heading as well."""

    subject: Any
    button: Any = ""


WORDINGS = {
    parcels.INVITATION: Wording(_("%(customer)s invites you to manage its meeting rooms"), _("Review the invitation")),
    parcels.REMINDER: Wording(
        _("Reminder: %(customer)s has invited you to manage its meeting rooms"), _("Review the invitation")
    ),
    parcels.LINKED: Wording(_("%(organisation)s is now your partner"), _("Show the partner")),
    parcels.WRONG_TENANT: Wording(
        _("Somebody from another organisation tried to accept your invitation"), _("Show the partner")
    ),
    parcels.REMOVED: Wording(_("You no longer manage the meeting rooms of %(customer)s")),
    parcels.ENDED: Wording(_("%(partner)s is no longer your partner"), _("Show the partner")),
    # The subjects of these two say the days: see there.
    parcels.ENDING: Wording("", _("Change the time limit")),
    parcels.CUSTOMER_ENDING: Wording("", _("Show the customer")),
    parcels.TERMS: Wording(_("There are new terms for working with partners"), _("Read the terms")),
}
DOMAIN = Wording(_("%(customer)s invites your organisation to manage its meeting rooms"), _("Review the invitation"))
LAPSED = Wording(_("Nobody of %(partner)s has accepted your invitation"), _("Show the partner"))

# What customers are told, and may choose not to be told.
EVENTS = {
    parcels.LINKED: Event.PARTNER_LINKED,
    parcels.WRONG_TENANT: Event.PARTNER_STRANGER,
    parcels.ENDED: Event.PARTNER_ENDED,
    parcels.ENDING: Event.PARTNER_ENDING,
    parcels.TERMS: Event.TERMS_CHANGED,
}


@delivers(parcels.INVITATION)
def send_invitation(message: OutboxMessage, postman: Postman) -> None:
    """The invited person knows who invites to what and until when. Raises Obsolete unless it is open and the newest."""
    invitation = _open_invitation(message)
    if message.payload.get("rotation", invitation.rotation) != invitation.rotation:
        raise Obsolete  # sent again in the meantime: this link is dead, and a later mail carries the new one
    _send_to_whom_it_names(message, invitation, postman)


@delivers(parcels.REMINDER)
def send_reminder(message: OutboxMessage, postman: Postman) -> None:
    """The invited person is reminded of what is still open. Raises Obsolete if it is not."""
    _send_to_whom_it_names(message, _open_invitation(message), postman)


@delivers(parcels.LINKED)
def send_linked(message: OutboxMessage, postman: Postman) -> None:
    """The customer's MMR admins know which organisation has linked, and where to remove it."""
    relationship = open_relationship(message.subject_id)
    if "to" not in message.payload:
        notifications.share_out(message, relationship.tenant, EVENTS[message.kind])
        return
    _send_to_customer(message, relationship, {"linked_at": relationship.delegation.linked_at}, postman)


@delivers(parcels.WRONG_TENANT)
def send_wrong_tenant(message: OutboxMessage, postman: Postman) -> None:
    """The customer's MMR admins know that somebody of another organisation tried to accept; once a day for each one."""
    invitation = Invitation.objects.get(pk=message.subject_id)
    relationship = open_relationship(invitation.relationship_id)
    if "to" not in message.payload:
        _require_news(message)
        notifications.share_out(message, relationship.tenant, EVENTS[message.kind])
        return
    _send_to_customer(message, relationship, {"invited_upn": invitation.addressee}, postman)


@delivers(parcels.REMOVED)
def send_removed(message: OutboxMessage, postman: Postman) -> None:
    """Those who lost access know that it has ended. Raises Obsolete for somebody who is not active any more."""
    if "to" not in message.payload:
        split(message, [{"to": upn} for upn in message.payload["upns"]])
        return
    relationship = PartnerRelationship.objects.select_related("tenant", "delegation").get(pk=message.subject_id)
    people = User.objects.filter(tenant=relationship.delegation.held_by_id, is_active=True)
    person = people.filter(upn=message.payload["to"]).select_related("tenant").first()
    if person is None:
        raise Obsolete
    address = address_of(person, relationship)
    facts: Facts = {
        "name": person.get_full_name(),
        "upn": person.upn,
        "ended_at": relationship.delegation.over_since,
        "is_expired": "1" if relationship.delegation.has_expired else "",
    }
    _send(message, address, language_of(person), relationship.tenant, facts, postman)


@delivers(parcels.ENDED)
def send_ended(message: OutboxMessage, postman: Postman) -> None:
    """The customer knows that a partner was removed and by whom, that its time is over, or that it has lapsed. Raises
    Obsolete if it was invited again."""
    known = PartnerRelationship.objects.select_related("tenant", "delegation")
    relationship = known.get(pk=message.subject_id)
    is_lapsed = message.payload["has_lapsed"]
    if relationship.state != (DelegationState.LAPSED if is_lapsed else DelegationState.ENDED):
        raise Obsolete
    if "to" not in message.payload:
        notifications.share_out(message, relationship.tenant, EVENTS[message.kind])
        return
    recipient = notifications.addressee(message, relationship.tenant, EVENTS[message.kind])
    facts: Facts = {
        "partner": message.payload["label"],
        "by": message.payload["by"],
        "ended_at": relationship.delegation.over_since,
        "is_lapsed": "1" if is_lapsed else "",
        "button_url": settings.PUBLIC_URL + reverse("partner", args=[relationship.tenant_id, relationship.pk]),
    }
    wording = LAPSED if is_lapsed else WORDINGS[parcels.ENDED]
    _send(message, recipient.address, recipient.language, relationship.tenant, facts, postman, wording)


@delivers(parcels.ENDING)
def send_ending(message: OutboxMessage, postman: Postman) -> None:
    """The customer knows that a partner's end comes near, and where to give it more time. Raises Obsolete if that end was
    moved or has passed."""
    relationship, days = _ending(message)
    if "to" not in message.payload:
        notifications.share_out(message, relationship.tenant, EVENTS[message.kind])
        return
    recipient = notifications.addressee(message, relationship.tenant, EVENTS[message.kind])
    facts: Facts = {
        "partner": relationship.label,
        "days": str(days),
        "until": relationship.delegation.valid_until,
        "button_url": settings.PUBLIC_URL + reverse("partner_limit", args=[relationship.tenant_id, relationship.pk]),
    }
    subject = ngettext_lazy(
        "The partnership with %(partner)s ends in %(days)s day",
        "The partnership with %(partner)s ends in %(days)s days",
        days,
    )
    wording = Wording(subject, WORDINGS[message.kind].button)
    _send(message, recipient.address, recipient.language, relationship.tenant, facts, postman, wording)


@delivers(parcels.CUSTOMER_ENDING)
def send_customer_ending(message: OutboxMessage, postman: Postman) -> None:
    """The partner's primary admins know the same, and who can give more time. Raises Obsolete as `send_ending`, and for
    somebody who is none (any more)."""
    relationship, days = _ending(message)
    base = base_assignment(relationship.delegation)
    admins = User.objects.filter(groups__assignment=base, is_active=True).select_related("tenant")
    if "to" not in message.payload:
        split(message, [{**message.payload, "to": one.upn} for one in admins.order_by("upn")])
        return
    person = admins.filter(upn=message.payload["to"]).first()
    if person is None:
        raise Obsolete
    facts: Facts = {
        "name": person.get_full_name(),
        "days": str(days),
        "until": relationship.delegation.valid_until,
        "button_url": settings.PUBLIC_URL + reverse("customer", args=[relationship.tenant_id]),
    }
    subject = ngettext_lazy(
        "The partnership with %(customer)s ends in %(days)s day",
        "The partnership with %(customer)s ends in %(days)s days",
        days,
    )
    wording = Wording(subject, WORDINGS[message.kind].button)
    address = address_of(person, relationship)
    _send(message, address, language_of(person), relationship.tenant, facts, postman, wording)


@delivers(parcels.TERMS)
def send_terms(message: OutboxMessage, postman: Postman) -> None:
    """Every customer that agreed to older terms knows of new ones: one message for each customer, then for each person.

    Raises Obsolete for a customer that has agreed, or once there are newer ones still.
    """
    if "customer" not in message.payload:
        asked = (
            TermsAcceptance.objects.exclude(tenant__status=TenantStatus.CLOSED).order_by("tenant").distinct("tenant")
        )
        split(message, [{"customer": str(one)} for one in asked.values_list("tenant", flat=True)])
        return
    customer = Tenant.objects.get(pk=message.payload["customer"])
    waiting = Terms.objects.waiting_for(customer)
    if waiting is None or str(waiting.version) != message.subject_id:
        raise Obsolete
    if "to" not in message.payload:
        notifications.share_out(message, customer, EVENTS[message.kind])
        return
    recipient = notifications.addressee(message, customer, EVENTS[message.kind])
    facts: Facts = {
        "version": message.subject_id,
        "published_at": waiting.published_at,
        "button_url": settings.PUBLIC_URL + reverse("settings_terms", args=[customer.pk]),
    }
    _send(message, recipient.address, recipient.language, customer, facts, postman)


def _open_invitation(message: OutboxMessage) -> Invitation:
    open_ones = Invitation.objects.pending().exclude(OF_WHAT_IS_OVER)
    invitation = open_ones.select_related("tenant", "invited_tenant").filter(pk=message.subject_id).first()
    if invitation is None:
        raise Obsolete
    return invitation


def open_relationship(relationship_id: UUID | str) -> PartnerRelationship:
    """The relationship as it is now. Raises Obsolete if it is over."""
    known = PartnerRelationship.objects.select_related("tenant", "delegation")
    relationship = known.exclude(over("delegation")).filter(pk=relationship_id).first()
    if relationship is None:
        raise Obsolete
    return relationship


def _ending(message: OutboxMessage) -> tuple[PartnerRelationship, int]:
    """The relationship that still ends when the message says, and in how many days."""
    relationship = open_relationship(message.subject_id)
    until = relationship.delegation.valid_until
    time = left(until, now())
    if until is None or time is None or until.isoformat() != message.payload["until"]:
        raise Obsolete
    return relationship, time.days


def _require_news(message: OutboxMessage) -> None:
    """Raise Obsolete if the customer was told the same within a day: whoever keeps clicking must not flood its admins."""
    told = OutboxMessage.objects.filter(
        kind=message.kind,
        subject_id=message.subject_id,
        payload__tenant_id=message.payload["tenant_id"],
        state=OutboxState.SENT,
        settled_at__gt=Now() - ONE_NOTICE_IN,
    )
    if told.exists():
        raise Obsolete


def _send_to_whom_it_names(message: OutboxMessage, invitation: Invitation, postman: Postman) -> None:
    """To the invited person; or, invited by domain, to each manager of its tenant, one message for each."""
    if invitation.invited_tenant is None:
        _send_to_invited(message, invitation, postman)
        return
    people = answering(invitation.invited_tenant)
    if "to" not in message.payload:
        split(message, [{**message.payload, "to": one.upn} for one in people])
        return
    person = people.filter(upn=message.payload["to"]).first()
    if person is None:
        raise Obsolete
    facts: Facts = {
        "name": person.get_full_name(),
        "upn": person.upn,
        "domain": invitation.domain,
        "invited_by": invitation.invited_by,
        "until": invitation.expires_at,
        "button_url": links.url_of(invitation),
    }
    wording = DOMAIN if message.kind == parcels.INVITATION else None
    _send(message, person.upn, language_of(person), invitation.tenant, facts, postman, wording)


def _send_to_invited(message: OutboxMessage, invitation: Invitation, postman: Postman) -> None:
    facts: Facts = {
        "name": invitation.contact_name,
        "upn": invitation.upn,
        "invited_by": invitation.invited_by,
        "by_partner": "1" if invitation.by_partner else "",
        "until": invitation.expires_at,
        "button_url": links.url_of(invitation),
    }
    _send(message, invitation.address, invitation.language, invitation.tenant, facts, postman)


def _send_to_customer(
    message: OutboxMessage, relationship: PartnerRelationship, facts: Facts, postman: Postman
) -> None:
    who = message.payload
    recipient = notifications.addressee(message, relationship.tenant, EVENTS[message.kind])
    path = reverse("partner", args=[relationship.tenant_id, relationship.pk])
    facts = {
        **facts,
        "partner": relationship.label,
        "organisation": who["tenant"],
        "domain": who["domain"],
        "tid": who["tid"],
        "who": who["upn"],
        "button_url": settings.PUBLIC_URL + path,
    }
    _send(message, recipient.address, recipient.language, relationship.tenant, facts, postman)


def _send(
    message: OutboxMessage,
    to: str,
    language: str,
    customer: Tenant,
    facts: Facts,
    postman: Postman,
    wording: Wording | None = None,
) -> None:
    said, template = wording or WORDINGS[message.kind], f"partners/mail/{message.kind.rpartition('.')[2]}"
    letter = letters.write(template, to, language, customer, facts, subject=said.subject, button=said.button)
    postman.send(letter, message.message_key)


def address_of(person: User, relationship: PartnerRelationship) -> str:
    """Where mails to somebody of the partner go: a UPN need not be a mailbox."""
    accepted = Invitation.objects.filter(relationship=relationship, accepted_by=person).first()
    return person.upn if accepted is None else accepted.address or person.upn


def language_of(person: User) -> str:
    """His own, else that of his organisation."""
    return person.language or (person.tenant.language if person.tenant is not None else "")

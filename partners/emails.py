"""The mails about partners: who is told what, in which language. What has to be told is in parcels.py.

A mail is written when it is sent, from the rows as they are then; what is over by then is not told any more. What goes to
several people is first split into one message for each, so that each mail fails, waits and is repeated alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import dateformat
from django.utils.translation import get_language, get_supported_language_variant, override, pgettext
from django.utils.translation import gettext_lazy as _

from audit.clock import Now
from audit.mail import Letter, Postman, one_line
from audit.models import OutboxMessage, OutboxState
from audit.outbox import Obsolete, delivers, split
from partners import links, parcels
from partners.models import Invitation, PartnerRelationship
from rbac.catalogue import BuiltIn
from rbac.models import Assignment, DelegationState, Tenant, User

Facts = Mapping[str, str | datetime | None]
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
}


@delivers(parcels.INVITATION)
def send_invitation(message: OutboxMessage, postman: Postman) -> None:
    """The invited person knows who invites to what and until when. Raises Obsolete unless it is open and the newest."""
    invitation = _open_invitation(message)
    if message.payload.get("rotation", invitation.rotation) != invitation.rotation:
        raise Obsolete  # sent again in the meantime: this link is dead, and a later mail carries the new one
    _send_to_invited(message, invitation, postman)


@delivers(parcels.REMINDER)
def send_reminder(message: OutboxMessage, postman: Postman) -> None:
    """The invited person is reminded of what is still open. Raises Obsolete if it is not."""
    _send_to_invited(message, _open_invitation(message), postman)


@delivers(parcels.LINKED)
def send_linked(message: OutboxMessage, postman: Postman) -> None:
    """The customer's MMR admins know which organisation has linked, and where to remove it."""
    relationship = _open_relationship(message.subject_id)
    admins = admins_of(relationship.tenant)
    if "to" not in message.payload:
        split(message, _for_each(message, admins))
        return
    _send_to_admin(message, admins, relationship, {"linked_at": relationship.delegation.linked_at}, postman)


@delivers(parcels.WRONG_TENANT)
def send_wrong_tenant(message: OutboxMessage, postman: Postman) -> None:
    """The customer's MMR admins know that somebody of another organisation tried to accept; once a day for each one."""
    invitation = Invitation.objects.get(pk=message.subject_id)
    relationship = _open_relationship(invitation.relationship_id)
    admins = admins_of(relationship.tenant)
    if "to" not in message.payload:
        _require_news(message)
        split(message, _for_each(message, admins))
        return
    _send_to_admin(message, admins, relationship, {"invited_upn": invitation.upn}, postman)


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
    accepted = Invitation.objects.filter(relationship=relationship, accepted_by=person).first()
    address = person.upn if accepted is None else accepted.address
    facts: Facts = {"name": person.get_full_name(), "upn": person.upn, "ended_at": relationship.delegation.ended_at}
    _send(message, address, _language_of(person), relationship.tenant, facts, postman)


def admins_of(customer: Tenant) -> QuerySet[User]:
    """Whom the customer wants told: active members, directly or by group, of its MMR Admin assignments with e-mail."""
    assignments = Assignment.objects.valid().filter(
        tenant=customer, role__key=BuiltIn.MMR_ADMIN, role__delegation=None, sends_email=True
    )
    through_group = "group_memberships__group__memberships_in_assignments__assignment__in"
    members = Q(memberships__assignment__in=assignments) | Q(**{through_group: assignments})
    people = User.objects.filter(members, tenant=customer, is_active=True)
    return people.select_related("tenant").distinct().order_by("upn")


def _open_invitation(message: OutboxMessage) -> Invitation:
    open_ones = Invitation.objects.pending().exclude(relationship__delegation__state=DelegationState.ENDED)
    invitation = open_ones.select_related("tenant").filter(pk=message.subject_id).first()
    if invitation is None:
        raise Obsolete
    return invitation


def _open_relationship(relationship_id: UUID | str) -> PartnerRelationship:
    relationship = PartnerRelationship.objects.select_related("tenant", "delegation").get(pk=relationship_id)
    if not relationship.is_open:
        raise Obsolete
    return relationship


def _for_each(message: OutboxMessage, people: Iterable[User]) -> list[dict[str, Any]]:
    return [message.payload | {"to": person.pk} for person in people]


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


def _send_to_invited(message: OutboxMessage, invitation: Invitation, postman: Postman) -> None:
    facts: Facts = {
        "name": invitation.contact_name,
        "upn": invitation.upn,
        "invited_by": invitation.invited_by,
        "until": invitation.expires_at,
        "button_url": links.url_of(invitation),
    }
    _send(message, invitation.address, _supported(invitation.language), invitation.tenant, facts, postman)


def _send_to_admin(
    message: OutboxMessage, admins: QuerySet[User], relationship: PartnerRelationship, facts: Facts, postman: Postman
) -> None:
    person = admins.filter(pk=message.payload["to"]).first()
    if person is None:  # no MMR admin any more, or not to be mailed
        raise Obsolete
    path = reverse("partner", args=[relationship.tenant_id, relationship.pk])
    who = message.payload
    facts = {
        **facts,
        "partner": relationship.label,
        "organisation": who["tenant"],
        "domain": who["domain"],
        "tid": who["tid"],
        "who": who["upn"],
        "button_url": settings.PUBLIC_URL + path,
    }
    _send(message, person.upn, _language_of(person), relationship.tenant, facts, postman)


def _send(message: OutboxMessage, to: str, language: str, customer: Tenant, facts: Facts, postman: Postman) -> None:
    with override(language):
        letter = write(message.kind, to, customer, facts)
    postman.send(letter, message.message_key)


def write(kind: str, to: str, customer: Tenant, facts: Facts) -> Letter:
    """The mail of `kind` in the active language, as text and as HTML; moments are told in the customer's time zone.

    Whatever people have entered is one line without control characters: nobody's name becomes a paragraph of ours.
    """
    zone = _zone_of(customer)
    told = {
        name: moment(fact, zone) if isinstance(fact, datetime) else one_line(fact or "") for name, fact in facts.items()
    }
    told["customer"] = one_line(customer.name)
    subject, button = str(WORDINGS[kind].subject) % told, str(WORDINGS[kind].button)
    template = f"partners/mail/{kind.rpartition('.')[2]}"
    context = told | {"heading": subject, "button_label": button}
    text, html = (render_to_string(f"{template}.{form}", context) for form in ("txt", "html"))
    return Letter(to, subject, text.strip() + "\n", html, get_language() or settings.LANGUAGE_CODE)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`at` with weekday, date, time and zone, so that nobody has to guess which noon is meant."""
    local = at.astimezone(zone)
    # Translators: a date format as Django writes it; in German “l, j. F Y, H:i \U\h\r”.
    told = dateformat.format(local, pgettext("date format in mails", "l, j F Y, H:i"))
    offset = local.strftime("%z")
    return f"{told} ({zone.key})" if zone.key == "UTC" else f"{told} ({zone.key}, UTC{offset[:3]}:{offset[3:]})"


def _zone_of(customer: Tenant) -> ZoneInfo:
    try:
        return ZoneInfo(customer.time_zone)
    except (ValueError, ZoneInfoNotFoundError):  # a zone this machine does not know is no reason to say nothing
        return ZoneInfo("UTC")


def _language_of(person: User) -> str:
    return _supported(person.language or (person.tenant.language if person.tenant is not None else ""))


def _supported(language: str) -> str:
    try:
        return get_supported_language_variant(language)
    except LookupError:
        return settings.LANGUAGE_CODE

"""Who of a customer is told of what: the closed list of events, what each customer chose, and whom that means today.

Whatever writes a mail about an event to the customer asks `recipients_of` when the mail is written, not when the event
happens: who is no MMR admin any more is not told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import get_supported_language_variant
from django.utils.translation import gettext_lazy as _

from audit import outbox
from audit.clock import Now
from audit.log import recording
from audit.mail import one_line
from audit.models import Category, Operation, OutboxMessage
from audit.outbox import Parcel
from rbac.access import require
from rbac.catalogue import BuiltIn, Permission
from rbac.errors import InvalidAddress, MailTestLimit, TooManyAddresses
from rbac.models import Assignment, Tenant, User
from rbac.precondition import digest, meet, tag_of
from rbac.preferences import MOST_ADDRESSES, NotificationPreference

TEST = "rbac.test_mail"
TESTS_PER_HOUR = 10
LONGEST_ADDRESS = 254


class Event(models.TextChoices):
    """Everything that a customer can be told by mail."""

    PARTNER_LINKED = "partner.linked", _("A partner has accepted and is linked")
    PARTNER_STRANGER = "partner.stranger", _("Somebody of another organisation tried to accept an invitation")
    APPROVAL_REQUESTED = "approval.requested", _("A partner’s change waits for approval")
    PARTNER_ENDING = "partner.ending", _("The time limit of a partner comes near")
    PARTNER_ENDED = (
        "partner.ended",
        _("A partner was removed, its time limit was reached, or all of its invitations have ended unanswered"),
    )
    PARTNER_NO_ADMIN = "partner.no_admin", _("A partner has no primary admin any more")
    ASSIGNMENT_ENDING = "assignment.ending", _("The last day of an assignment of your own roles comes near")
    TICKET_HIGH_IMPACT = "ticket.high_impact", _("An incident with high impact is reported")
    TICKET_CRITICAL = "ticket.critical", _("A critical ticket is opened")
    TICKET_IMPORTANT = "ticket.important", _("An important ticket is opened")
    TICKET_WARNING = "ticket.warning", _("A ticket with a warning is opened")
    TICKET_RECOMMENDATION = "ticket.recommendation", _("A ticket with a recommendation is opened")
    TICKET_CLOSED = "ticket.closed", _("A ticket is closed")
    ROLLOUT_FAILED = "rollout.failed", _("A rollout is completed with failures")
    KEY_RESET = "key.reset", _("The enrolment key is reset")
    TERMS_CHANGED = "terms.changed", _("The operator has published new terms")


# Told to the MMR admins until the customer chooses otherwise.
DEFAULTS = frozenset(
    {
        Event.PARTNER_LINKED,
        Event.PARTNER_STRANGER,
        Event.PARTNER_ENDING,
        Event.PARTNER_ENDED,
        Event.PARTNER_NO_ADMIN,
        Event.ASSIGNMENT_ENDING,
        Event.APPROVAL_REQUESTED,
        Event.TICKET_HIGH_IMPACT,
        Event.TICKET_CRITICAL,
        Event.ROLLOUT_FAILED,
        Event.KEY_RESET,
        Event.TERMS_CHANGED,
    }
)

# How a page puts them together, in this order.
GROUPS: Mapping[str, tuple[object, tuple[Event, ...]]] = {
    "partner": (
        _("Partners"),
        (
            Event.PARTNER_LINKED,
            Event.PARTNER_STRANGER,
            Event.APPROVAL_REQUESTED,
            Event.PARTNER_ENDING,
            Event.PARTNER_ENDED,
            Event.PARTNER_NO_ADMIN,
        ),
    ),
    "role": (_("Roles"), (Event.ASSIGNMENT_ENDING,)),
    "ticket": (
        _("Tickets"),
        (
            Event.TICKET_HIGH_IMPACT,
            Event.TICKET_CRITICAL,
            Event.TICKET_IMPORTANT,
            Event.TICKET_WARNING,
            Event.TICKET_RECOMMENDATION,
            Event.TICKET_CLOSED,
        ),
    ),
    "device": (_("Devices and updates"), (Event.ROLLOUT_FAILED, Event.KEY_RESET)),
    "portal": (_("This portal"), (Event.TERMS_CHANGED,)),
}


class Recipient(NamedTuple):
    """Where a mail goes, in which language, and who that is; None for an address that is nobody's account."""

    address: str
    language: str
    user: User | None


@dataclass(frozen=True)
class Choice:
    """Who is told of one event."""

    to_admins: bool
    addresses: tuple[str, ...] = ()

    @property
    def is_silent(self) -> bool:
        return not (self.to_admins or self.addresses)


@dataclass(frozen=True)
class Choices:
    """What a tenant chose for all events."""

    of: Mapping[Event, Choice]


@tag_of.register
def _state_of(choices: Choices) -> str:
    return digest({event.value: _as_data(one) for event, one in choices.of.items()})


def ticket_opened(severity: str) -> Event:
    """The event of a ticket that is opened with `severity`. Raises ValueError for a severity nobody knows."""
    return Event(f"ticket.{severity}")


def recipients_of(tenant: Tenant, event: Event) -> list[Recipient]:
    """Whom `tenant` wants told of `event`, as of now: its MMR admins in their language, further addresses in the tenant's.

    Each address once; empty if nobody is to be told.
    """
    choice = choices_of(tenant)[event]
    found = [_recipient(person, tenant) for person in admins_of(tenant)] if choice.to_admins else []
    known = {one.address.lower() for one in found}
    return found + [
        Recipient(address, supported(tenant.language), None)
        for address in choice.addresses
        if address.lower() not in known
    ]


def recipient_of(tenant: Tenant, event: Event, address: str) -> Recipient | None:
    """The one of `recipients_of` with `address`; None if it is not to be told (any more)."""
    return next((one for one in recipients_of(tenant, event) if one.address == address), None)


def choices_of(tenant: Tenant) -> dict[Event, Choice]:
    """What `tenant` chose for each event; the default where it chose nothing."""
    kept = {one.event: one for one in NotificationPreference.objects.filter(tenant=tenant)}
    return {event: _choice(event, kept.get(event.value)) for event in Event}


def change(tenant: Tenant, choices: Mapping[Event, Choice], *, by: User) -> None:
    """Of each event in `choices` those are told whom it says; other events stay as they are.

    Raises PermissionDenied if `by` may not modify settings here, InvalidAddress, TooManyAddresses.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, "notifications", tenant=tenant, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, tenant)
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        before = choices_of(tenant)
        meet(Choices(before))
        wanted = {event: Choice(one.to_admins, _checked(one.addresses)) for event, one in choices.items()}
        changed = {event: one for event, one in wanted.items() if one != before[event]}
        if not changed:
            line.is_void = True  # saved without a change
            return
        NotificationPreference.objects.bulk_create(
            [
                NotificationPreference(
                    tenant=tenant, event=event.value, to_admins=one.to_admins, addresses=list(one.addresses)
                )
                for event, one in changed.items()
            ],
            update_conflicts=True,
            unique_fields=["tenant", "event"],
            update_fields=["to_admins", "addresses"],
        )
        line.before = {event.value: _as_data(before[event]) for event in changed}
        line.after = {event.value: _as_data(one) for event, one in changed.items()}


def check(choice: Choice) -> None:
    """Pass if `choice` can be kept. Raises InvalidAddress, TooManyAddresses."""
    _checked(choice.addresses)


def send_test(tenant: Tenant, *, by: User) -> None:
    """A mail to `by` himself, in the customer's look, is on its way.

    Raises PermissionDenied if `by` may not modify settings here, MailTestLimit after TESTS_PER_HOUR of them.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, "test mail", tenant=tenant, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, tenant)
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        sent = OutboxMessage.objects.filter(kind=TEST, tenant_id=tenant.pk, due_at__gt=Now() - timedelta(hours=1))
        if sent.count() >= TESTS_PER_HOUR:
            raise MailTestLimit
        outbox.leave(Parcel(TEST, str(by.pk), tenant.pk))
        line.after = {"to": by.upn}


def _checked(addresses: Iterable[str]) -> tuple[str, ...]:
    """`addresses` in their order, each once. Raises InvalidAddress, TooManyAddresses."""
    found: dict[str, str] = {}
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError as error:
            raise InvalidAddress(params={"address": one_line(address)[:60]}) from error
        if not address.isascii() or len(address) > LONGEST_ADDRESS:
            raise InvalidAddress(params={"address": one_line(address)[:60]})
        found.setdefault(address.lower(), address)
    if len(found) > MOST_ADDRESSES:
        raise TooManyAddresses(params={"most": MOST_ADDRESSES})
    return tuple(found.values())


def _as_data(choice: Choice) -> dict[str, object]:
    return {"to_admins": choice.to_admins, "addresses": list(choice.addresses)}


def _choice(event: Event, kept: NotificationPreference | None) -> Choice:
    return Choice(event in DEFAULTS) if kept is None else Choice(kept.to_admins, tuple(kept.addresses))


def admins_of(tenant: Tenant) -> QuerySet[User]:
    """Active members, directly or by group, of the MMR Admin assignments of `tenant` whose members get e-mail."""
    return mmr_admins_of(tenant, sends_email=True)


def mmr_admins_of(tenant: Tenant, **fields: bool) -> QuerySet[User]:
    """Active members, directly or by group, of the MMR Admin assignments of `tenant` with these `fields`."""
    assignments = Assignment.objects.valid().filter(
        tenant=tenant, role__key=BuiltIn.MMR_ADMIN, role__delegation=None, **fields
    )
    through_group = "group_memberships__group__memberships_in_assignments__assignment__in"
    members = Q(memberships__assignment__in=assignments) | Q(**{through_group: assignments})
    people = User.objects.filter(members, tenant=tenant, is_active=True)
    return people.select_related("tenant").distinct().order_by("upn")


def share_out(message: OutboxMessage, tenant: Tenant, event: Event) -> None:
    """In the place of `message` there is one for each whom `tenant` wants told of `event`: each gets a mail of its own."""
    outbox.split(message, [{**message.payload, "to": one.address} for one in recipients_of(tenant, event)])


def addressee(message: OutboxMessage, tenant: Tenant, event: Event) -> Recipient:
    """Whom a shared-out message goes to. Raises Obsolete for who is not to be told (any more)."""
    found = recipient_of(tenant, event, message.payload["to"])
    if found is None:
        raise outbox.Obsolete
    return found


def _recipient(person: User, tenant: Tenant) -> Recipient:
    return Recipient(person.upn, supported(person.language or tenant.language), person)


def supported(language: str) -> str:
    """`language` if the portal speaks it, else a kindred one, else the portal's own."""
    try:
        return get_supported_language_variant(language)
    except LookupError:
        return settings.LANGUAGE_CODE

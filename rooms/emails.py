"""The mails about tickets: who is told what. What has to be told is in parcels.py.

Who is told, and what of the ticket he may read, is asked when the mail leaves: a person gets it only if he sees the ticket
then, and it names only rooms of it that he sees. An address the customer added is nobody's account: it reads no room.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext, override

from audit.mail import Postman
from audit.models import OutboxMessage
from audit.outbox import Obsolete, delivers, split
from rbac import letters
from rbac.access import visible
from rbac.catalogue import Permission
from rbac.holders import holders
from rbac.models import Assignment, User
from rbac.services import notifications
from rbac.services.notifications import Event, supported
from rooms import parcels
from rooms.models import Room, Severity, Ticket, TicketEntry, TicketState
from rooms.ticket_readers import participants, rooms_of

TEMPLATE = "rooms/mail/ticket"
BUTTON = gettext_lazy("Show the ticket")
NAMED_ROOMS = 5
LONGEST_EXCERPT = 500

SUBJECTS = {
    parcels.OPENED: gettext_lazy("New ticket %(number)s at %(customer)s: %(title)s"),
    parcels.ASSIGNED: gettext_lazy("Ticket %(number)s is assigned to you: %(title)s"),
    parcels.MESSAGE: gettext_lazy("New message in ticket %(number)s: %(title)s"),
    parcels.CLOSED: gettext_lazy("Ticket %(number)s is closed: %(title)s"),
}
HIGH_IMPACT = gettext_lazy("High impact: ticket %(number)s at %(customer)s: %(title)s")


@dataclass(frozen=True)
class Told:
    """One whom a mail goes to: a person, or an address the customer chose."""

    address: str
    language: str
    person: User | None = None


@delivers(parcels.OPENED)
def send_opened(message: OutboxMessage, postman: Postman) -> None:
    """Whom the customer chose, and of high impact who may work on it, know of the ticket. Raises Obsolete once closed."""
    ticket = _ticket(message)
    if ticket.state == TicketState.CLOSED:
        raise Obsolete
    event = _event_of(ticket)
    subject = HIGH_IMPACT if ticket.is_high_impact else SUBJECTS[parcels.OPENED]
    text = ticket.justification if ticket.is_high_impact else ticket.description
    _deliver(message, postman, ticket, lambda: _interested(ticket, event, message), text, subject, event)


@delivers(parcels.ASSIGNED)
def send_assigned(message: OutboxMessage, postman: Postman) -> None:
    """The person a ticket is assigned to knows it. Raises Obsolete once it is assigned to somebody else."""
    ticket = _ticket(message)
    person = ticket.assigned_to
    if ticket.state == TicketState.CLOSED or person is None or person.pk != message.payload["person"]:
        raise Obsolete
    _deliver(message, postman, ticket, lambda: [person], ticket.description)


@delivers(parcels.MESSAGE)
def send_message(message: OutboxMessage, postman: Postman) -> None:
    """The others who take part know what was said."""
    ticket = _ticket(message)
    entry = TicketEntry.objects.get(pk=message.payload["entry"], ticket=ticket)
    _deliver(message, postman, ticket, lambda: _taking_part(ticket, message), entry.text)


@delivers(parcels.CLOSED)
def send_closed(message: OutboxMessage, postman: Postman) -> None:
    """Those who take part, and whom the customer chose, know that and why it is closed. Raises Obsolete once reopened."""
    ticket = _ticket(message)
    if ticket.state != TicketState.CLOSED:
        raise Obsolete
    event = Event.TICKET_CLOSED
    _deliver(message, postman, ticket, lambda: _taking_part(ticket, message), ticket.closing_note, event=event)


def _deliver(
    message: OutboxMessage,
    postman: Postman,
    ticket: Ticket,
    people: Callable[[], Iterable[User]],
    text: str,
    subject: object = None,
    event: Event | None = None,
) -> None:
    if "to" not in message.payload:
        split(message, _payloads(message, ticket, people(), event))
        return
    told = _still_told(message, ticket, event)
    with override(supported(told.language)):
        facts = _facts(message, ticket, told, text)
    letter = letters.write(
        TEMPLATE,
        told.address,
        told.language,
        ticket.tenant,
        facts,
        subject=subject or SUBJECTS[message.kind],
        button=BUTTON,
    )
    postman.send(letter, message.message_key)


def _payloads(
    message: OutboxMessage, ticket: Ticket, people: Iterable[User], event: Event | None
) -> list[dict[str, Any]]:
    """One for each address, people before addresses that are nobody's."""
    found = {person.upn: message.payload | {"to": person.upn, "account": person.pk} for person in people}
    for one in notifications.recipients_of(ticket.tenant, event) if event is not None else ():
        account = one.user.pk if one.user is not None else None
        if account is None or account != message.payload["by"]:
            found.setdefault(one.address, message.payload | {"to": one.address, "account": account})
    return list(found.values())


def _still_told(message: OutboxMessage, ticket: Ticket, event: Event | None) -> Told:
    """Whom this mail goes to, if he may still be told. Raises Obsolete otherwise."""
    address, account = message.payload["to"], message.payload["account"]
    if account is None:
        chosen = notifications.recipient_of(ticket.tenant, event, address) if event is not None else None
        if chosen is None or chosen.user is not None:
            raise Obsolete
        return Told(chosen.address, chosen.language)
    person = User.objects.select_related("tenant").filter(pk=account, is_active=True).first()
    own = Ticket.objects.filter(pk=ticket.pk)
    if person is None or not visible(person, Permission.TICKETS_VIEW, own).exists():
        raise Obsolete
    return Told(person.upn, person.language or (person.tenant.language if person.tenant is not None else ""), person)


def _facts(message: OutboxMessage, ticket: Ticket, told: Told, text: str) -> Mapping[str, str]:
    path = reverse("ticket", args=[ticket.tenant_id, ticket.pk])
    return {
        "kind": message.kind.rpartition(".")[2],
        "number": f"#{ticket.pk}",
        "title": ticket.title,
        "who": message.payload["who"],
        "severity": str(Severity(ticket.severity).label),
        "reason": str(ticket.get_closing_reason_display()),
        "text": text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]} …",
        "rooms": _named_rooms(ticket, told),
        "button_url": settings.PUBLIC_URL + path if told.person is not None else "",
    }


def _named_rooms(ticket: Ticket, told: Told) -> str:
    """The rooms of the ticket that the reader sees, some of them by name."""
    if told.person is None:
        return ""
    names = list(rooms_of(ticket, told.person).order_by("display_name", "pk").values_list("display_name", flat=True))
    more = len(names) - NAMED_ROOMS
    shown = names[:NAMED_ROOMS]
    if more > 0:
        shown.append(ngettext("%(n)d more", "%(n)d more", more) % {"n": more})
    return ", ".join(shown)


def _ticket(message: OutboxMessage) -> Ticket:
    found = Ticket.objects.select_related("tenant", "assigned_to").filter(pk=message.subject_id).first()
    if found is None:
        raise Obsolete
    return found


def _event_of(ticket: Ticket) -> Event:
    return Event.TICKET_HIGH_IMPACT if ticket.is_high_impact else notifications.ticket_opened(ticket.severity)


def _interested(ticket: Ticket, event: Event, message: OutboxMessage) -> list[User]:
    """Of high impact: who may work on the ticket through an assignment whose members want mail, but for its author."""
    if event != Event.TICKET_HIGH_IMPACT:
        return []
    able = holders(Permission.TICKETS_UPDATE, _rooms(ticket))
    wanted = {one for through in able.values() for one in through}
    mailed = set(Assignment.objects.filter(pk__in=wanted, sends_email=True).values_list("pk", flat=True))
    people = [person for person, through in able.items() if through & mailed]
    return _active(people, message)


def _taking_part(ticket: Ticket, message: OutboxMessage) -> list[User]:
    """Those who take part and may still see the ticket, but for the one who did what is told."""
    seeing = holders(Permission.TICKETS_VIEW, _rooms(ticket))
    upns = participants(ticket)
    return [person for person in _active(seeing, message) if person.upn in upns]


def _rooms(ticket: Ticket) -> list[Room]:
    return list(Room.objects.filter(tickets__ticket=ticket))


def _active(people: Iterable[int], message: OutboxMessage) -> list[User]:
    found = User.objects.filter(pk__in=list(people), is_active=True).exclude(pk=message.payload["by"] or 0)
    return list(found.order_by("upn", "pk"))

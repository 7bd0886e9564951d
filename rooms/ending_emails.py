"""The mails about an assignment that ends soon: to those who can let it last longer, and to its members.

Each person gets one. Written when they leave: an end that was moved in the meantime is told of anew, by another message.
"""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy, ngettext_lazy, override

from audit.clock import Now, now
from audit.mail import Postman
from audit.models import OutboxMessage
from audit.outbox import Obsolete, Parcel, delivers, split
from rbac import letters
from rbac.letters import Facts
from rbac.models import Assignment, User
from rbac.services import delegations, notifications
from rbac.services.notifications import Event, Recipient, supported
from rbac.time_limits import left

ENDING = "rooms.assignment_ending"
TEMPLATE = "rooms/mail/assignment_ending"


@dataclass(frozen=True)
class Reader:
    """Who gets the mail, and whether he is told as somebody who can let it last longer."""

    recipient: Recipient
    keeps: bool


def ending_notice(assignment: Assignment) -> Parcel:
    """Tells whom it concerns that the assignment ends, as long as it is that end."""
    assert assignment.valid_until is not None
    payload = {"until": assignment.valid_until.isoformat()}
    return Parcel(ENDING, str(assignment.pk), assignment.tenant_id, payload)


@delivers(ENDING)
def send_ending(message: OutboxMessage, postman: Postman) -> None:
    """Whom it concerns knows until when the assignment holds. Raises Obsolete if that end was moved or has passed."""
    known = Assignment.objects.select_related("role__delegation", "tenant").filter(valid_until__gt=Now())
    assignment = known.filter(pk=message.subject_id, valid_until=parse_datetime(message.payload["until"])).first()
    if assignment is None:
        raise Obsolete
    readers = {one.recipient.address: one for one in readers_of(assignment)}
    if "to" not in message.payload:
        split(message, [{**message.payload, "to": address} for address in readers])
        return
    reader = readers.get(message.payload["to"])
    if reader is None:
        raise Obsolete
    _send(message, assignment, reader, postman)


def readers_of(assignment: Assignment) -> list[Reader]:
    """Whom the end concerns, each once: those who can let it last longer, and the members, if they are told by mail."""
    keepers = [Reader(one, keeps=True) for one in _keepers_of(assignment)]
    known = {one.recipient.address.lower() for one in keepers}
    members = _people_in(assignment) if assignment.sends_email else []
    return keepers + [Reader(one, keeps=False) for one in members if one.address.lower() not in known]


def _keepers_of(assignment: Assignment) -> list[Recipient]:
    """A partner's primary admins; of the customer's own roles, whom the customer wants told."""
    delegation = assignment.role.delegation
    if delegation is None:
        return notifications.recipients_of(assignment.tenant, Event.ASSIGNMENT_ENDING)
    return _people_in(delegations.base_assignment(delegation))


def _people_in(assignment: Assignment) -> list[Recipient]:
    """Its active members, by groups too."""
    people = User.objects.filter(groups__assignment=assignment, is_active=True).select_related("tenant")
    return [
        Recipient(one.upn, one.language or (one.tenant.language if one.tenant is not None else ""), one)
        for one in people.order_by("upn")
    ]


def _send(message: OutboxMessage, assignment: Assignment, reader: Reader, postman: Postman) -> None:
    time, person = left(assignment.valid_until, now()), reader.recipient.user
    days = time.days if time is not None else 0
    language = supported(reader.recipient.language)
    with override(language):
        role, label = str(assignment.role.label), str(assignment.label)
    facts: Facts = {
        "keeps": "yes" if reader.keeps else "",
        "days": str(days),
        "name": person.get_full_name() if person is not None else "",
        "upn": person.upn if person is not None else "",
        "role": role,
        "assignment": label,
        "until": assignment.valid_until,
        "button_url": settings.PUBLIC_URL + _place(assignment, reader) if person is not None else "",
    }
    subject = (
        ngettext_lazy(
            "The assignment “%(assignment)s” ends in %(days)s day",
            "The assignment “%(assignment)s” ends in %(days)s days",
            days,
        )
        if reader.keeps
        else ngettext_lazy(
            "Your access to meeting rooms of %(customer)s ends in %(days)s day",
            "Your access to meeting rooms of %(customer)s ends in %(days)s days",
            days,
        )
    )
    button = gettext_lazy("Change its last day") if reader.keeps else gettext_lazy("Show what you can do")
    letter = letters.write(
        TEMPLATE, reader.recipient.address, language, assignment.tenant, facts, subject=subject, button=button
    )
    postman.send(letter, message.message_key)


def _place(assignment: Assignment, reader: Reader) -> str:
    if reader.keeps:
        return reverse("assignment_edit", args=[assignment.tenant_id, assignment.role_id, assignment.pk])
    return reverse("permission_table", args=[assignment.tenant_id])

"""Tickets that people raise and work on: reported, answered, assigned, moved on, closed, reopened.

Messages need `tickets.update` on at least one of a ticket's rooms; state, assignment and closing on all of them. Which
rooms a ticket is about never changes. What the portal does by itself is in system_tickets.py and ticket_silence.py.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext_lazy as _

from audit import outbox
from audit.clock import now
from audit.context import Line
from audit.log import recording
from audit.models import Category, Operation
from rbac.access import require, visible
from rbac.catalogue import Permission
from rbac.errors import WrongState
from rbac.models import Tenant, User
from rooms.errors import SystemTicket, TicketOver, UnknownPerson, UnknownRooms
from rooms.models import (
    ClosingReason,
    EntryKind,
    Room,
    Severity,
    Ticket,
    TicketEntry,
    TicketKind,
    TicketRoom,
    TicketState,
)
from rooms.parcels import assigned_notice, closed_notice, message_notice, opened_notice
from rooms.services.ticket_history import enter, hold, line_of, name_of, tell_of, tell_rooms
from rooms.services.ticket_people import assignable, hold_delegations_of
from rooms.states import TICKET
from rooms.values import is_readable

T = TypeVar("T")

MOST_ROOMS = 200
# What people may say; *critical* is what high impact comes to.
SEVERITIES = (Severity.IMPORTANT, Severity.WARNING, Severity.RECOMMENDATION)
REASONS = (
    ClosingReason.FIXED,
    ClosingReason.NOT_REPRODUCIBLE,
    ClosingReason.NO_FAULT,
    ClosingReason.DUPLICATE,
    ClosingReason.OTHER,
)


def report(
    tenant: Tenant,
    *,
    by: User,
    title: str,
    rooms: Collection[int],
    description: str = "",
    severity: str = Severity.IMPORTANT,
    is_high_impact: bool = False,
    justification: str = "",
) -> Ticket:
    """A new incident about `rooms` (ids); with high impact it is critical, and the rooms are unhealthy until it is closed.

    Raises PermissionDenied if `by` may not report incidents for one of the rooms, UnknownRooms for one that is not there
    for him, ValidationError by field.
    """
    with recording(Category.TICKET, Operation.CREATE, title, tenant=tenant, by=by) as line:
        found = _reported(tenant, rooms, by)
        require(by, Permission.TICKETS_CREATE_INCIDENT, found[0])
        wanted = Room.objects.filter(tenant=tenant, pk__in=[room.pk for room in found])
        if visible(by, Permission.TICKETS_CREATE_INCIDENT, wanted).count() != len(found):
            raise PermissionDenied
        if is_high_impact:  # held before the ticket is there, as `settle` will hold them
            list(wanted.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        at = now()
        ticket = Ticket(
            tenant=tenant,
            kind=TicketKind.CUSTOMER,
            severity=_severity(severity, is_high_impact),
            title=_text("title", title, 200, is_needed=True, is_line=True),
            description=_text("description", description, 5000),
            is_high_impact=is_high_impact,
            justification=_text("justification", justification, 500, is_needed=True) if is_high_impact else "",
            opened_by=by.upn,
            opened_by_organisation=by.tenant.name if by.tenant is not None else "",
            opened_at=at,
            touched_at=at,
        )
        ticket.save()
        TicketRoom.objects.bulk_create([TicketRoom(tenant=tenant, ticket=ticket, room=room) for room in found])
        detail = {"severity": ticket.severity, "high_impact": is_high_impact}
        TicketEntry.objects.create(**line_of(ticket, EntryKind.OPENED, at, by), detail=detail)
        tell_of(EntryKind.OPENED, [(ticket.tenant_id, ticket.pk)])
        tell_rooms([ticket], "opened", by=by)
        outbox.leave(opened_notice(ticket, by))
        line.object_name = name_of(ticket)[:300]
        line.after = {"rooms": sorted(room.pk for room in found), **detail}
    return ticket


def write(ticket: Ticket, *, by: User, text: str) -> TicketEntry:
    """`text` is said in the ticket; those who take part are told. Raises PermissionDenied, TicketOver, ValidationError."""
    with _changing(ticket, by) as line:
        require(by, Permission.TICKETS_UPDATE, ticket)
        current = hold(ticket)
        if current.state == TicketState.CLOSED:
            raise TicketOver
        said = _text("text", text, 5000, is_needed=True)
        entry = enter(current, EntryKind.MESSAGE, by=by, text=said)
        outbox.leave(message_notice(current, entry, by))
        line.after = {"message": len(said)}
    return entry


def assign(ticket: Ticket, *, by: User, person: int | None, version: int | None = None) -> Ticket:
    """The ticket is assigned to `person` (an id), or to nobody; who gets it is told.

    Raises PermissionDenied unless `by` may update it with all its rooms, UnknownPerson for somebody who may not, or whom
    `by` is not to know, TicketOver, StaleTicket.
    """
    with _changing(ticket, by) as line:
        chosen = None if person is None else User.objects.select_related("tenant").filter(pk=person).first()
        hold_delegations_of(ticket, *([by] if chosen is None else [by, chosen]))
        require(by, Permission.TICKETS_UPDATE, ticket, whole=True)
        if person is not None and (chosen is None or chosen not in assignable(ticket, by)):
            raise UnknownPerson
        current = hold(ticket, version)
        if current.state == TicketState.CLOSED:
            raise TicketOver
        line.before = {"assigned_to": current.assigned_upn}
        line.after = {"assigned_to": chosen.upn if chosen is not None else ""}
        if current.assigned_to == chosen and (chosen is not None or not current.assigned_upn):
            line.is_void = True
            return current
        detail = {"from": current.assigned_upn, "to": line.after["assigned_to"]}
        if chosen is not None and chosen.tenant is not None:
            detail["organisation"] = chosen.tenant.name
        current.assigned_to, current.assigned_upn = chosen, line.after["assigned_to"]
        enter(current, EntryKind.ASSIGNED, by=by, detail=detail)
        if chosen is not None and chosen != by:
            outbox.leave(assigned_notice(current, by))
    return current


def change_state(ticket: Ticket, *, by: User, state: str, version: int | None = None) -> Ticket:
    """The ticket is in `state`; a closed one of a person's is reopened. Closing needs a reason: see `close`.

    Raises PermissionDenied unless `by` may update it with all its rooms, WrongState where no way leads there,
    SystemTicket for reopening what the portal closed, StaleTicket, ValidationError for no state at all.
    """
    with _changing(ticket, by) as line:
        require(by, Permission.TICKETS_UPDATE, ticket, whole=True)
        wanted = _choice("state", state, TicketState)
        current = hold(ticket, version)
        before = TicketState(current.state)
        if wanted == TicketState.CLOSED or wanted not in TICKET[before]:
            raise WrongState
        line.before, line.after = {"state": before}, {"state": wanted}
        detail = {"from": before.value, "to": wanted.value}
        current.state = wanted
        if before != TicketState.CLOSED:
            enter(current, EntryKind.STATE, by=by, detail=detail)
            return current
        if current.kind == TicketKind.SYSTEM:
            raise SystemTicket
        current.closed_at, current.closing_reason, current.closing_note = None, "", ""
        if current.assigned_to is None:  # somebody who has left meanwhile
            current.assigned_upn = ""
        enter(current, EntryKind.REOPENED, by=by, detail=detail)
        tell_rooms([current], "reopened", by=by)
    return current


def close(ticket: Ticket, *, by: User, reason: str, note: str = "", version: int | None = None) -> Ticket:
    """The ticket is closed for `reason`; rooms that it made unhealthy are what else they are; who takes part is told.

    Raises PermissionDenied unless `by` may update it with all its rooms, SystemTicket for what closes by itself,
    TicketOver, StaleTicket, ValidationError by field.
    """
    with _changing(ticket, by) as line:
        require(by, Permission.TICKETS_UPDATE, ticket, whole=True)
        current = hold(ticket, version)
        if current.kind == TicketKind.SYSTEM:
            raise SystemTicket
        if current.state == TicketState.CLOSED:
            raise TicketOver
        chosen = _choice("reason", reason, REASONS)
        line.before = {"state": current.state}
        current.state = TicketState.CLOSED
        current.closing_reason, current.closing_note = chosen, _text("note", note, 500)
        enter(current, EntryKind.CLOSED, by=by, text=current.closing_note, detail={"reason": chosen.value})
        tell_rooms([current], "closed", by=by)
        outbox.leave(closed_notice(current, by))
        line.after = {"state": current.state, "reason": chosen}
    return current


@contextmanager
def _changing(ticket: Ticket, by: User) -> Iterator[Line]:
    with recording(Category.TICKET, Operation.UPDATE, name_of(ticket), tenant=ticket.tenant_id, by=by) as line:
        yield line


def _reported(tenant: Tenant, rooms: Collection[int], by: User) -> list[Room]:
    """The rooms, in order of their ids. Raises ValidationError for none or too many, UnknownRooms for one not seen."""
    wanted = set(rooms)
    if not wanted:
        raise ValidationError({"rooms": ValidationError(_("Choose at least one room."), code="required")})
    if len(wanted) > MOST_ROOMS:
        message = ValidationError(_("Choose at most %(count)d rooms."), code="too_many", params={"count": MOST_ROOMS})
        raise ValidationError({"rooms": message})
    own = Room.objects.filter(tenant=tenant, pk__in=wanted)
    found = list(visible(by, Permission.ROOMS_VIEW, own).order_by("pk"))
    if len(found) != len(wanted):
        raise UnknownRooms
    return found


def _severity(severity: str, is_high_impact: bool) -> Severity:
    return Severity.CRITICAL if is_high_impact else _choice("severity", severity, SEVERITIES)


def _choice(field: str, value: str, allowed: Iterable[T]) -> T:
    """The member of `allowed` that `value` is. Raises ValidationError at `field` for anything else."""
    for one in allowed:
        if one == value:
            return one
    error = ValidationError(_("There is no such choice here (any more)."), code="invalid_choice")
    raise ValidationError({field: error})


def _text(field: str, text: str, longest: int, *, is_needed: bool = False, is_line: bool = False) -> str:
    """`text` as it is stored, without blanks around it. Raises ValidationError at `field`: missing, too long, unreadable."""
    found = text.replace("\r\n", "\n").strip()
    readable = found if is_line else found.replace("\n", " ").replace("\t", " ")
    if is_needed and not found:
        error = ValidationError(_("This field is required."), code="required")
    elif len(found) > longest:
        message = _("Enter at most %(count)d characters.")
        error = ValidationError(message, code="max_length", params={"count": longest})
    elif not is_readable(readable):
        error = ValidationError(_("This text holds a character that cannot be read."), code="unreadable_character")
    else:
        return found
    raise ValidationError({field: error})

"""A ticket's history: the lines of it, and what the rooms it is about tell of it. Steps of changes that have asked."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from audit.clock import now
from audit.events import About, Event, EventType, tell
from audit.log import SYSTEM
from rbac.models import User
from rbac.precondition import meet
from rooms.errors import StaleTicket
from rooms.models import ActivityKind, EntryKind, Room, RoomActivity, Ticket, TicketEntry, TicketRoom
from rooms.services import health

# What is told of a ticket besides that something of it is another.
_TOLD = {
    EntryKind.OPENED: EventType.TICKET_OPENED,
    EntryKind.CLOSED: EventType.TICKET_CLOSED,
    EntryKind.REOPENED: EventType.TICKET_REOPENED,
}


def hold(ticket: Ticket, version: int | None = None) -> Ticket:
    """The ticket as it is now, held until the transaction ends; before it, if its health hangs on it, its rooms.

    Which rooms a ticket is about, and whether it has high impact, never changes. Raises StaleTicket if `version` is given
    and not the current one, Http404 if the ticket is gone.
    """
    if ticket.is_high_impact:  # rooms before tickets, as everywhere: `settle` will want them
        list(_rooms(ticket).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    found = Ticket.objects.select_for_update(of=("self",), no_key=True).select_related("tenant", "assigned_to")
    current = found.filter(pk=ticket.pk).first()
    if current is None:
        raise Http404
    meet(current)
    if version is not None and current.version != version:
        raise StaleTicket
    return current


def enter(
    ticket: Ticket, kind: EntryKind, *, by: User | None, text: str = "", detail: dict[str, Any] | None = None
) -> TicketEntry:
    """A line in the history of `ticket`, which is held; silence counts from here, the version rises, all is saved."""
    at = now()
    ticket.touched_at, ticket.version = at, ticket.version + 1
    if kind == EntryKind.CLOSED:
        ticket.closed_at = at
    ticket.save()
    tell_of(kind, [(ticket.tenant_id, ticket.pk)])
    return TicketEntry.objects.create(**line_of(ticket, kind, at, by), text=text, detail=detail or {})


def tell_of(kind: EntryKind, tickets: Iterable[tuple[UUID, int]]) -> None:
    """Tools hear of what was entered into `tickets` (tenant and id of each), whose rooms are tied by now."""
    told = _TOLD.get(kind, EventType.TICKET_UPDATED)
    tell(*(Event(told, tenant_id, About.TICKET, pk) for tenant_id, pk in tickets))


def line_of(ticket: Ticket, kind: EntryKind, at: Any, by: User | None) -> dict[str, Any]:
    """The columns of a line that say where, what, when and by whom; authorship is text, it outlives accounts."""
    return {
        "tenant_id": ticket.tenant_id,
        "ticket": ticket,
        "kind": kind,
        "at": at,
        "by": by.upn if by is not None else SYSTEM,
        "organisation": by.tenant.name if by is not None and by.tenant is not None else "",
    }


def tell_rooms(tickets: Collection[Ticket], event: str, *, by: User | None) -> None:
    """The rooms of `tickets` tell of it (tab *Activity*), and are as healthy as they are to be now."""
    at, ties = now(), list(TicketRoom.objects.filter(ticket__in=tickets).order_by("room", "ticket"))
    RoomActivity.objects.bulk_create(
        [
            RoomActivity(
                tenant_id=tie.tenant_id,
                room_id=tie.room_id,
                at=at,
                kind=ActivityKind.INCIDENT,
                by=by.upn if by is not None else "",
                detail={"ticket": tie.ticket_id, "event": event},
            )
            for tie in ties
        ],
        batch_size=5000,
    )
    impaired = {ticket.pk for ticket in tickets if ticket.is_high_impact}
    if rooms := {tie.room_id for tie in ties if tie.ticket_id in impaired}:
        health.settle(rooms)


def name_of(ticket: Ticket) -> str:
    """How the log names it."""
    return f"#{ticket.pk} {ticket.title}"


def _rooms(ticket: Ticket) -> QuerySet[Room]:
    return Room.objects.filter(pk__in=TicketRoom.objects.filter(ticket=ticket).values("room"))

"""Tickets for tests: an incident that people report, a ticket that a device's signal opened."""

from typing import Any

from rooms.models import Room, Ticket, TicketEntry, TicketKind, TicketRoom
from rooms.services import tickets
from tests.factories.world import World


def reported(world: World, *rooms: Room, **fields: Any) -> Ticket:
    """An incident that Contoso's admin reports about `rooms` (the German ones, without)."""
    contoso = world.contoso
    wanted = [room.pk for room in rooms or contoso.german]
    return tickets.report(contoso.tenant, by=contoso.admin, rooms=wanted, **{"title": "No sound"} | fields)


def system_ticket(world: World, room: Room | None = None, name: str = "microphone", **fields: Any) -> Ticket:
    """A ticket of a signal of `room` (Contoso's first, without)."""
    room = room or world.contoso.rooms[0]
    asked = {"state": "needs_action", "severity": "important", "title": "Microphone lost"} | fields
    times = {"opened_at": "2026-11-02T08:00Z", "touched_at": "2026-11-02T08:00Z"}
    ticket = Ticket.objects.create(
        tenant=room.tenant,
        kind=TicketKind.SYSTEM,
        signal_room=room,
        signal_category="audio",
        signal_name=name,
        opened_by="system",
        **times | asked,
    )
    TicketRoom.objects.create(tenant=room.tenant, ticket=ticket, room=room)
    TicketEntry.objects.create(tenant=room.tenant, ticket=ticket, kind="opened", at=ticket.opened_at, by="system")
    return ticket

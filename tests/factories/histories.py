"""Health and tickets of the past, as rows: services only write what is now."""

from datetime import datetime

from rooms.models import EntryKind, HealthPeriod, Room, Severity, Ticket, TicketEntry, TicketKind, TicketRoom


def stretch(room: Room, health: str, began_at: datetime, ended_at: datetime | None = None) -> HealthPeriod:
    """`room` had this health from then to then."""
    return HealthPeriod.objects.create(
        tenant_id=room.tenant_id, room=room, health=health, began_at=began_at, ended_at=ended_at
    )


def ticket(*rooms: Room, category: str = "", events: list[tuple[EntryKind, datetime]]) -> Ticket:
    """A ticket about `rooms` that was opened, closed and reopened at these moments; of a signal if it has a category."""
    tenant, (_, opened_at), (last, at) = rooms[0].tenant_id, events[0], events[-1]
    found = Ticket.objects.create(
        tenant_id=tenant,
        kind=TicketKind.SYSTEM if category else TicketKind.CUSTOMER,
        severity=Severity.IMPORTANT,
        title="Something is wrong",
        signal_room=rooms[0] if category else None,
        signal_category=category,
        signal_name=f"signal {Ticket.objects.count()}" if category else "",
        opened_by="system",
        opened_at=opened_at,
        touched_at=at,
        **({"state": "closed", "closed_at": at, "closing_reason": "fixed"} if last == EntryKind.CLOSED else {}),
    )
    TicketRoom.objects.bulk_create([TicketRoom(tenant_id=tenant, ticket=found, room=room) for room in rooms])
    TicketEntry.objects.bulk_create(
        [TicketEntry(tenant_id=tenant, ticket=found, kind=kind, at=at, by="system") for kind, at in events]
    )
    return found

"""What unenrolling a room takes with it: its system tickets, its device, its updates, what its device said."""

from collections.abc import Iterator
from dataclasses import replace

from django.db.models import F

from audit.clock import now
from audit.context import Line
from audit.log import SYSTEM
from audit.models import Category
from rooms.models import (
    ClosingReason,
    Device,
    EntryKind,
    HealthSignal,
    Room,
    RoomUpdate,
    RoomUpdateState,
    Ticket,
    TicketEntry,
    TicketKind,
    TicketState,
)

LIVE = (RoomUpdateState.WAITING, RoomUpdateState.OFFERED, RoomUpdateState.PAUSED)


def consequences(room: Room) -> dict[str, int]:
    """How many system tickets would be closed, devices revoked, updates ended."""
    return {
        "tickets": _tickets(room).count(),
        "devices": _devices(room).count(),
        "updates": _updates(room).count(),
    }


def leave(room: Room, line: Line) -> list[Line]:
    """`room`, which is being unenrolled and is held, leaves nothing behind that acts; the lines of what was closed."""
    lines = list(_close_tickets(room, line))
    _devices(room).update(revoked_at=now())
    _updates(room).delete()
    HealthSignal.objects.filter(room=room).delete()
    return lines


def _close_tickets(room: Room, line: Line) -> Iterator[Line]:
    at = now()
    tickets = list(_tickets(room).order_by("pk").select_for_update(no_key=True, of=("self",)))
    Ticket.objects.filter(pk__in=[one.pk for one in tickets]).update(
        state=TicketState.CLOSED,
        closing_reason=ClosingReason.UNENROLLED,
        closed_at=at,
        touched_at=at,
        version=F("version") + 1,
    )
    TicketEntry.objects.bulk_create(
        TicketEntry(
            tenant_id=one.tenant_id,
            ticket=one,
            kind=EntryKind.CLOSED,
            at=at,
            by=SYSTEM,
            detail={"before": one.state, "reason": ClosingReason.UNENROLLED.value},
        )
        for one in tickets
    )
    for one in tickets:
        yield replace(
            line,
            category=Category.TICKET,
            object_name=str(one),
            before={"state": one.state},
            after={"state": TicketState.CLOSED.value, "reason": ClosingReason.UNENROLLED.value},
        )


def _tickets(room: Room):  # type: ignore[no-untyped-def]
    return Ticket.objects.filter(kind=TicketKind.SYSTEM, signal_room=room).exclude(state=TicketState.CLOSED)


def _devices(room: Room):  # type: ignore[no-untyped-def]
    return Device.objects.filter(room=room, revoked_at=None)


def _updates(room: Room):  # type: ignore[no-untyped-def]
    return RoomUpdate.objects.filter(room=room, state__in=LIVE)

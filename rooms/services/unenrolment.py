"""What unenrolling a room takes with it: its system tickets, its device, its updates, what its device said."""

from rooms.models import ClosingReason, Device, HealthSignal, Room, Ticket, TicketKind, TicketState
from rooms.services import enrolments, rollouts, system_tickets


def consequences(room: Room) -> dict[str, int]:
    """How many system tickets would be closed, devices revoked, updates ended."""
    tickets = Ticket.objects.filter(kind=TicketKind.SYSTEM, signal_room=room).exclude(state=TicketState.CLOSED)
    return {
        "tickets": tickets.count(),
        "devices": Device.objects.filter(room=room, revoked_at=None).count(),
        "updates": rollouts.open_in([room.pk]).count(),
    }


def leave(room: Room) -> dict[str, int]:
    """`room`, which is being unenrolled and is held, leaves nothing behind that acts; how much of each there was."""
    closed = system_tickets.close_for([room.pk], ClosingReason.UNENROLLED)
    gone = {"tickets": closed, "devices": enrolments.revoke([room.pk]), "updates": rollouts.leave([room.pk])}
    HealthSignal.objects.filter(room=room).delete()
    return gone

"""What a reader of a ticket sees of it: its rooms; and who takes part in it."""

from django.db.models import QuerySet

from rbac.access import visible
from rbac.catalogue import Permission
from rbac.models import User
from rooms.models import Room, Ticket, TicketEntry


def rooms_of(ticket: Ticket, reader: User) -> QuerySet[Room]:
    """The rooms of `ticket` that `reader` sees it through; for him it is about no others."""
    return visible(reader, Permission.TICKETS_VIEW, Room.objects.filter(tickets__ticket=ticket))


def participants(ticket: Ticket) -> set[str]:
    """The UPNs of those who opened it, wrote something, did something to it, or have it assigned."""
    wrote = set(TicketEntry.objects.filter(ticket=ticket).values_list("by", flat=True).distinct())
    return wrote | {ticket.opened_by, ticket.assigned_upn} - {""}

"""What changes of tickets leave in the outbox: each kind of mail and the plain values it needs (written by emails.py).

Who is told, and what of it he may read, is found out when the mail is sent.
"""

from audit.outbox import Parcel
from rbac.models import User
from rooms.models import Ticket, TicketEntry

OPENED = "tickets.opened"
ASSIGNED = "tickets.assigned"
MESSAGE = "tickets.message"
CLOSED = "tickets.closed"
KINDS = (OPENED, ASSIGNED, MESSAGE, CLOSED)


def opened_notice(ticket: Ticket, by: User | None) -> Parcel:
    """Tells whom the customer chose for it, and of high impact all who may work on it, as long as it is open."""
    return _about(OPENED, ticket, by)


def assigned_notice(ticket: Ticket, by: User) -> Parcel:
    """Tells the person it is assigned to, as long as it is."""
    payload = {"by": by.pk, "who": by.upn, "person": ticket.assigned_to_id}
    return Parcel(ASSIGNED, str(ticket.pk), ticket.tenant_id, payload)


def message_notice(ticket: Ticket, entry: TicketEntry, by: User) -> Parcel:
    """Tells the others who take part."""
    return Parcel(MESSAGE, str(ticket.pk), ticket.tenant_id, {"by": by.pk, "who": by.upn, "entry": entry.pk})


def closed_notice(ticket: Ticket, by: User | None) -> Parcel:
    """Tells those who take part and whom the customer chose, while it stays closed; `by` None: the portal itself."""
    return _about(CLOSED, ticket, by)


def _about(kind: str, ticket: Ticket, by: User | None) -> Parcel:
    payload = {"by": by.pk if by is not None else None, "who": by.upn if by is not None else ""}
    return Parcel(kind, str(ticket.pk), ticket.tenant_id, payload)

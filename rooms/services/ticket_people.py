"""Whom a ticket can be assigned to, and who takes part in it.

A reader is offered people he may know: a customer's own people everybody who may update the ticket, its partners' people
too; a partner's people their colleagues, and beyond them those whose names they read on the ticket anyway. So nobody
learns who else works for a customer, or that there is another partner.
"""

from collections.abc import Iterable

from django.db.models import Q

from audit.clock import now
from audit.context import Line
from audit.log import add_lines
from audit.models import Category, Operation
from rbac.catalogue import Permission
from rbac.holders import holders
from rbac.models import Delegation, DelegationState, User
from rooms.models import EntryKind, Room, Ticket, TicketEntry, TicketState
from rooms.services.ticket_history import line_of, name_of, tell_of
from rooms.ticket_readers import participants, rooms_of


def assignable(ticket: Ticket, reader: User, rooms: Iterable[Room] | None = None) -> list[User]:
    """The people `reader` may assign `ticket` to: active, allowed to update it, known to him; his colleagues first."""
    seen = list(rooms_of(ticket, reader) if rooms is None else rooms)
    able = User.objects.filter(pk__in=holders(Permission.TICKETS_UPDATE, seen), is_active=True)
    if reader.tenant_id != ticket.tenant_id:
        able = able.filter(Q(tenant=reader.tenant_id) | Q(upn__in=participants(ticket)))
    people = able.select_related("tenant")
    return sorted(people, key=lambda one: (one.tenant_id != reader.tenant_id, str(one.tenant), one.get_full_name()))


def hold_delegations_of(ticket: Ticket, *people: User) -> None:
    """Hold the delegations through which `people` work for the customer, in one order, until the transaction ends.

    A removal of the partner comes either before, and is seen, or afterwards, and lets go what was assigned.
    """
    homes = {person.tenant_id for person in people} - {ticket.tenant_id}
    live = Delegation.objects.filter(tenant=ticket.tenant_id, held_by__in=homes, state=DelegationState.ACTIVE)
    list(live.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def let_go(delegation: Delegation, *, by: User | None) -> int:
    """No ticket of the customer is assigned to people of the partner any more; how many open ones were.

    A step of removing the partner, whose delegation is held: an entry and an audit line for each ticket that is open;
    of closed ones the name stays as text.
    """
    if delegation.held_by_id is None:
        return 0
    theirs = Ticket.objects.filter(tenant=delegation.tenant_id, assigned_to__tenant=delegation.held_by_id)
    held = list(theirs.order_by("pk").select_for_update(of=("self",), no_key=True))
    going = [ticket for ticket in held if ticket.state != TicketState.CLOSED]
    at, entries, lines = now(), [], []
    for ticket in going:
        detail = {"from": ticket.assigned_upn, "cause": "partner_removed"}
        entries.append(TicketEntry(**line_of(ticket, EntryKind.ASSIGNED, at, by), detail=detail))
        line = Line(
            Category.TICKET,
            Operation.UPDATE,
            name_of(ticket)[:300],
            ticket.tenant_id,
            user_id=by.upn if by is not None else "system",
            user_tenant_id=by.tenant_id if by is not None else None,
            relationship_id=delegation.pk,
            before={"assigned_to": ticket.assigned_upn},
            after={"assigned_to": ""},
        )
        lines.append(line)
        ticket.assigned_upn, ticket.touched_at, ticket.version = "", at, ticket.version + 1
    TicketEntry.objects.bulk_create(entries, batch_size=1000)
    for ticket in held:
        ticket.assigned_to = None
    Ticket.objects.bulk_update(held, ["assigned_to", "assigned_upn", "touched_at", "version"], batch_size=500)
    add_lines(lines)
    tell_of(EntryKind.ASSIGNED, [(ticket.tenant_id, ticket.pk) for ticket in going])
    return len(going)

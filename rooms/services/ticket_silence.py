"""Tickets about which nobody has anything to add are closed by the clock, in sets (docs/adr/0018-ticket-silence.md)."""

from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet

from audit import outbox
from audit.clock import now
from audit.context import Line
from audit.log import SYSTEM, add_lines, together
from audit.models import Category, Operation
from rbac.letters import zone_of
from rbac.models import Tenant
from rooms.business_days import silent_since
from rooms.models import ClosingReason, EntryKind, Room, Ticket, TicketEntry, TicketKind, TicketRoom, TicketState
from rooms.parcels import closed_notice
from rooms.services.ticket_history import line_of, name_of, tell_of, tell_rooms

AFTER = {TicketKind.CUSTOMER: 3, TicketKind.SYSTEM: 15}  # business days of the customer
BATCH = 500


def close_silent() -> int:
    """Every ticket that has been silent for long enough is closed, with entry, audit line and notice; how many.

    Two of these at once close each ticket once: what is silent is asked again of rows that are held.
    """
    open_ones = Ticket.objects.exclude(state=TicketState.CLOSED)
    tenants = Tenant.objects.filter(pk__in=open_ones.values("tenant").distinct()).order_by("pk")
    return sum(_close_of(tenant) for tenant in tenants)


def silent(tenant: Tenant, zone: ZoneInfo | None = None) -> QuerySet[Ticket]:
    """The open tickets of `tenant` that nobody has anything to add to.

    Of customers' incidents those that wait for an answer or are solved: somebody who investigates owes one himself. One
    with high impact has to be solved first: rooms are unhealthy until it is closed.
    """
    at, zone = now(), zone or zone_of(tenant)
    since = {kind: silent_since(at, days, zone) for kind, days in AFTER.items()}
    waiting = Q(state=TicketState.NEEDS_ACTION, is_high_impact=False) | Q(state=TicketState.RESOLVED)
    return Ticket.objects.filter(
        Q(kind=TicketKind.CUSTOMER, touched_at__lte=since[TicketKind.CUSTOMER]) & waiting
        | Q(kind=TicketKind.SYSTEM, touched_at__lte=since[TicketKind.SYSTEM]) & ~Q(state=TicketState.CLOSED),
        tenant=tenant,
    )


def _close_of(tenant: Tenant) -> int:
    closed = 0
    while some := list(silent(tenant).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        done = _close(tenant, some)
        closed += done
        if not done:
            break  # others hold or have closed them
    return closed


def _close(tenant: Tenant, some: list[int]) -> int:
    with together():
        impaired = TicketRoom.objects.filter(ticket__in=some, ticket__is_high_impact=True).values("room")
        list(Room.objects.filter(pk__in=impaired).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        due = silent(tenant).filter(pk__in=some).order_by("pk")
        tickets = list(due.select_for_update(of=("self",), no_key=True, skip_locked=True))
        at = now()
        Ticket.objects.filter(pk__in=[one.pk for one in tickets]).update(
            state=TicketState.CLOSED,
            closing_reason=ClosingReason.SILENCE,
            closed_at=at,
            touched_at=at,
            version=F("version") + 1,
        )
        detail = {"reason": ClosingReason.SILENCE.value}
        TicketEntry.objects.bulk_create(
            TicketEntry(**line_of(one, EntryKind.CLOSED, at, None), detail=detail) for one in tickets
        )
        tell_of(EntryKind.CLOSED, [(one.tenant_id, one.pk) for one in tickets])
        tell_rooms(tickets, "closed", by=None)
        outbox.leave_all(closed_notice(one, None) for one in tickets)
        add_lines(_line(one) for one in tickets)
    return len(tickets)


def _line(ticket: Ticket) -> Line:
    return Line(
        Category.TICKET,
        Operation.UPDATE,
        name_of(ticket)[:300],
        ticket.tenant_id,
        user_id=SYSTEM,
        user_tenant_id=None,
        before={"state": ticket.state},
        after={"state": TicketState.CLOSED, "reason": ClosingReason.SILENCE},
    )

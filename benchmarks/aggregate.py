"""P12: the open tickets over all customers of a partner, in one statement, against the plain join."""

from typing import Any

from django.db import connection, connections
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from benchmarks.data import Kind
from benchmarks.measure import Report, medians
from benchmarks.reads import run
from rbac import access
from rbac.catalogue import Permission
from rbac.models import Tenant
from rooms.aggregate_lists import AggregateTicketFilter
from rooms.ticket_lists import LISTED

ASKED = "partner admin, half, 101 customers"
EVERY = 5  # one room in so many has a ticket; one ticket in four is closed

_TICKETS = """
INSERT INTO rooms_ticket (tenant_id, kind, state, severity, title, description, is_high_impact, justification,
    signal_category, signal_name, opened_by, opened_by_organisation, assigned_upn, closing_reason, closing_note,
    opened_at, touched_at, closed_at, version)
SELECT tenant_id, 'customer', CASE WHEN id %% 4 = 0 THEN 'closed' ELSE 'needs_action' END, 'important',
    'Ticket ' || id, '', false, '', '', '', 'somebody', '', '', CASE WHEN id %% 4 = 0 THEN 'fixed' ELSE '' END, '',
    now() - id * interval '1 minute', now(), CASE WHEN id %% 4 = 0 THEN now() END, id
FROM rooms_room WHERE id %% %s = 0
"""
_TIES = """
INSERT INTO rooms_ticketroom (tenant_id, ticket_id, room_id)
SELECT tenant_id, id, version FROM rooms_ticket WHERE kind = 'customer' AND opened_by = 'somebody'
"""

# The plain way: join everything that a decision has to look at, leave the plan to PostgreSQL.
RAW_JOIN = """
SELECT t.id, t.title, t.state, t.severity, c.name FROM rooms_ticket t JOIN rbac_tenant c ON c.id = t.tenant_id
WHERE t.state <> 'closed' AND t.id IN (
    SELECT tr.ticket_id FROM rbac_assignmentmember m JOIN rbac_assignment a ON a.id = m.assignment_id
    JOIN rbac_role ro ON ro.id = a.role_id AND 'tickets.view' = ANY(ro.permissions)
    JOIN rbac_delegation d ON d.id = ro.delegation_id AND d.state = 'active'
    JOIN rooms_roomgrantrow g ON g.group_id = a.group_id AND g.permission_id = %(permission)s
    JOIN rooms_ticketroom tr ON tr.room_id = g.content_object_id
    WHERE m.user_id = %(user)s)
ORDER BY t.opened_at DESC, t.id DESC LIMIT 50
"""


def tickets(kinds: list[Kind], report: Report) -> None:
    """The first page, as page and API ask for it; rights and customers resolved before, as both sides need them."""
    kind = next(one for one in kinds if one.name == ASKED)
    _make()
    held = access.rights(kind.user)
    customers = list(Tenant.objects.filter(pk__in={one.tenant_id for one in held}))
    permission = access.row_id(Permission.TICKETS_VIEW)

    def ours() -> list[Any]:
        chosen = AggregateTicketFilter(
            QueryDict(), reader=kind.user, customers=customers, held=access.rights(kind.user)
        )
        rows = chosen.tickets.values(*LISTED, "tenant__name", "rank").order_by(*chosen.order)
        return [row["id"] for row in rows[:50]]

    def raw() -> list[Any]:
        return [row[0] for row in run(RAW_JOIN, {"user": kind.user.pk, "permission": permission})]

    def one_by_one() -> list[Any]:
        found: list[Any] = []
        for customer in customers:
            own = AggregateTicketFilter(
                QueryDict(), reader=kind.user, customers=[customer], held=access.rights(kind.user, customer.pk)
            )
            found += own.tickets.order_by("-opened_at", "-id").values_list("opened_at", "pk")[:50]
        return [pk for _, pk in sorted(found, reverse=True)[:50]]

    assert ours() == raw() == one_by_one()
    with CaptureQueriesContext(connection) as queries:
        ours()
    times = medians({"ours": ours, "raw": raw}, 200)
    slow = medians({"one by one": one_by_one}, 20)["one by one"]
    print(
        f"     {len(customers)} customers: {times['ours'] * 1e3:.1f} ms in {len(queries)} statements, rights included,"
        f" plain join {times['raw'] * 1e3:.1f} ms, customer by customer {slow * 1e3:.0f} ms"
    )
    report.add("P12 tickets over 101 customers against the plain join", times["ours"] / times["raw"], 2.0, "1.7–2.1")


def _make() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TICKETS, [EVERY])
        cursor.execute(_TIES)
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) rooms_ticket, rooms_ticketroom")

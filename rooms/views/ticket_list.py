"""The tickets of a tenant: list and CSV."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, tenant_page
from rbac.paging import Page, page
from rooms.exports import ticket_lines
from rooms.ticket_lists import LISTED, TicketFilter

NAMED_ROOMS = 2  # in a row; more are counted


@require_safe
@tenant_page(Permission.TICKETS_VIEW)
def tickets(request: TenantRequest) -> HttpResponse:
    """The tickets the person sees, the open ones unless others are asked for; of their rooms those he sees."""
    chosen = _filter(request)
    found = page(chosen.tickets.values(*LISTED, "rank"), order=chosen.order, cursor=chosen.cursor)
    names = chosen.rooms_of([row["id"] for row in found.items])
    return render(
        request,
        "rooms/tickets/tickets.html",
        {
            "filter": chosen,
            "rows": [row_of(row, names.get(row["id"], [])) for row in found.items],
            "page": pager_of(found, chosen),
            "sorts": chosen.directions(),
            "without_room": chosen.query(room=None),
            "may_report": access.holds(request.held, Permission.TICKETS_CREATE_INCIDENT, request.customer.pk),
            "add_url": reverse("ticket_add", args=[request.customer.pk]),
            "export_url": reverse("tickets_export", args=[request.customer.pk]) + chosen.query(),
        },
        status=200 if chosen.is_valid() else 400,
    )


@require_safe
@tenant_page(Permission.TICKETS_VIEW)
def export(request: TenantRequest) -> HttpResponseBase:
    """What the list shows under the same filter, all of it, as CSV."""
    chosen = _filter(request)
    if not chosen.is_valid():
        return redirect(reverse("tickets", args=[request.customer.pk]) + chosen.query())
    name = f"tickets-{slugify(request.customer.name) or 'export'}.csv"
    lines = ticket_lines(chosen.tickets.order_by(*chosen.order), chosen.rooms)
    answer = StreamingHttpResponse(lines, content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _filter(request: TenantRequest) -> TicketFilter:
    return TicketFilter(
        request.GET, reader=request.person, customers=[request.customer], held=request.held, also={"cursor"}
    )


def row_of(row: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """A line of the list: the ticket with some of its rooms (`names`), and how many more there are."""
    more = len(names) - NAMED_ROOMS
    return row | {"rooms": ", ".join(names[:NAMED_ROOMS]), "more": max(more, 0)}


def pager_of(found: Page[Any], chosen: TicketFilter) -> dict[str, str | None]:
    """The links below the list, and how much it shows."""
    count = len(found.items)
    is_all = found.next is None and found.previous is None
    text = (
        ngettext("%(count)d ticket", "%(count)d tickets", count)
        if is_all
        else ngettext("%(count)d ticket on this page", "%(count)d tickets on this page", count)
    )
    return {
        "previous_url": chosen.query(cursor=found.previous) if found.previous else None,
        "next_url": chosen.query(cursor=found.next) if found.next else None,
        "shown_text": text % {"count": count},
    }

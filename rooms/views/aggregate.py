"""Rooms, tickets and approvals over all customers that somebody works for. Every row leads into its customer."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rbac import access
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.gates import PersonRequest, aggregate_page
from rbac.models import Tenant
from rbac.paging import Page, page
from rooms.aggregate_lists import AggregateRoomFilter, AggregateTicketFilter
from rooms.exports import room_lines, ticket_lines
from rooms.inbox import seen_everywhere
from rooms.models import FilterView, Room, state_now
from rooms.ticket_lists import LISTED
from rooms.views.approvals import DECIDED, WAITING, rows_of
from rooms.views.rooms import SHOWN, pager_of, with_rings
from rooms.views.saved_filters import Shelf, opening
from rooms.views.ticket_list import pager_of as ticket_pager
from rooms.views.ticket_list import row_of

CUSTOMER = ("tenant_id", "tenant__name")
_OF_APPROVALS = {"tab", "event", "customer", "cursor"}


@require_safe
@aggregate_page(Permission.ROOMS_VIEW)
def rooms(request: PersonRequest) -> HttpResponse:
    """The rooms that the person sees, of all customers."""
    shelf = Shelf(None, FilterView.ROOMS)
    saved = shelf.own(request)
    if (first := opening(request, saved)) is not None:
        return first
    chosen = room_filter(request)
    if chosen.is_valid() and (conflicts := chosen.conflicts):
        return redirect(request.path + chosen.query(**dict.fromkeys(conflicts)))
    listed = chosen.rooms.annotate(state_now=state_now()).values(*SHOWN, *CUSTOMER, "state_now")
    found = page(listed, order=chosen.order, cursor=chosen.cursor)
    context = {
        "filter": chosen,
        "rooms": with_rings(request, found.items),
        "page": pager_of(found, chosen),
        "sorts": chosen.directions(),
        "sees_rings": bool(access.holding(request.held, Permission.RINGS_VIEW)),
        "may_modify": bool(access.holding(request.held, Permission.ROOMS_MODIFY)),
        "export_url": reverse("all_rooms_export") + chosen.query(cursor=None),
        "bulk_url": reverse("all_rooms_bulk") + chosen.query(cursor=None),
        **shelf.chips(saved, chosen.query(cursor=None), is_narrowed=chosen.is_narrowed and chosen.is_valid()),
    }
    return render(request, "rooms/aggregate/rooms.html", context, status=200 if chosen.is_valid() else 400)


@require_safe
@aggregate_page(Permission.ROOMS_VIEW)
def rooms_export(request: PersonRequest) -> HttpResponseBase:
    """What the list shows under the same filter, all of it, as CSV."""
    chosen = room_filter(request)
    if not chosen.is_valid():
        return redirect(reverse("all_rooms") + chosen.query())
    with_ring = access.visible(request.person, Permission.RINGS_VIEW, Room.objects.all(), request.held)
    return _file("rooms.csv", room_lines(chosen.rooms.order_by(*chosen.order), with_ring, with_customer=True))


@require_safe
@aggregate_page(Permission.TICKETS_VIEW)
def tickets(request: PersonRequest) -> HttpResponse:
    """The tickets that the person sees, of all customers; the open ones unless others are asked for."""
    shelf = Shelf(None, FilterView.TICKETS)
    saved = shelf.own(request)
    if (first := opening(request, saved)) is not None:
        return first
    chosen = ticket_filter(request)
    found = page(chosen.tickets.values(*LISTED, *CUSTOMER, "rank"), order=chosen.order, cursor=chosen.cursor)
    names = chosen.rooms_of([row["id"] for row in found.items])
    context = {
        "filter": chosen,
        "rows": [row_of(row, names.get(row["id"], [])) for row in found.items],
        "page": ticket_pager(found, chosen),
        "sorts": chosen.directions(),
        "without_room": chosen.query(room=None),
        "may_update": bool(access.holding(request.held, Permission.TICKETS_UPDATE)),
        "export_url": reverse("all_tickets_export") + chosen.query(cursor=None),
        "bulk_url": reverse("all_tickets_bulk") + chosen.query(cursor=None),
        **shelf.chips(saved, chosen.query(cursor=None), is_narrowed=chosen.is_narrowed and chosen.is_valid()),
    }
    return render(request, "rooms/aggregate/tickets.html", context, status=200 if chosen.is_valid() else 400)


@require_safe
@aggregate_page(Permission.TICKETS_VIEW)
def tickets_export(request: PersonRequest) -> HttpResponseBase:
    """What the list shows under the same filter, all of it, as CSV."""
    chosen = ticket_filter(request)
    if not chosen.is_valid():
        return redirect(reverse("all_tickets") + chosen.query())
    return _file("tickets.csv", ticket_lines(chosen.tickets.order_by(*chosen.order), chosen.rooms, with_customer=True))


@require_safe
@aggregate_page()
def approvals(request: PersonRequest) -> HttpResponse:
    """What waits for a customer's decision, soonest over first; or what was decided, newest first."""
    shelf = Shelf(None, FilterView.APPROVALS)
    saved = shelf.own(request)
    if (first := opening(request, saved)) is not None:
        return first
    tab, event = request.GET.get("tab", WAITING), request.GET.get("event", "")
    customer = chosen_customer(request)
    if tab not in (WAITING, DECIDED) or event not in ("", *CONTROLLED_EVENTS) or set(request.GET) - _OF_APPROVALS:
        raise BadRequest("no such list")
    own = seen_everywhere(request)
    own = own if customer is None else own.filter(tenant=customer)
    waiting = own.waiting()  # type: ignore[attr-defined]  # the model's own queryset
    found = waiting if tab == WAITING else own.exclude(pk__in=waiting.values("pk"))
    order = ("expires_at", "id") if tab == WAITING else ("-requested_at", "-id")
    listed = page(found.filter(event=event) if event else found, order=order, cursor=request.GET.get("cursor") or None)
    rest = (f"&event={event}" if event else "") + (f"&customer={customer.pk}" if customer is not None else "")
    context = _of_tab(tab, rest, waiting.count(), listed) | {
        "rows": rows_of(request, listed.items),
        "tab": tab,
        "event": event,
        "events": [(one.value, one.full_label) for one in CONTROLLED_EVENTS],
        "customers": request.customers,
        "customer": customer,
        "is_filtered": bool(rest),
        **shelf.chips(saved, f"tab={tab}{rest}", is_narrowed=bool(rest) or tab != WAITING),
    }
    return render(request, "rooms/aggregate/approvals.html", context)


def _of_tab(tab: str, rest: str, waiting: int, listed: Page[Any]) -> dict[str, Any]:
    """The tabs, and the links below the list."""
    count = len(listed.items)
    return {
        "tabs": [
            {"label": _("Waiting"), "url": f"?tab={WAITING}{rest}", "current": tab == WAITING, "count": waiting},
            {"label": _("Decided"), "url": f"?tab={DECIDED}{rest}", "current": tab == DECIDED},
        ],
        "page": {
            "shown_text": ngettext("%(count)d request", "%(count)d requests", count) % {"count": count},
            "previous_url": f"?tab={tab}{rest}&cursor={listed.previous}" if listed.previous else "",
            "next_url": f"?tab={tab}{rest}&cursor={listed.next}" if listed.next else "",
        },
    }


def room_filter(request: PersonRequest, permission: Permission = Permission.ROOMS_VIEW) -> AggregateRoomFilter:
    """What the address asks for, of the rooms on which the person holds `permission`."""
    return AggregateRoomFilter(
        request.GET,
        reader=request.person,
        customers=request.customers,
        held=request.held,
        permission=permission,
        also={"cursor"},
    )


def ticket_filter(request: PersonRequest) -> AggregateTicketFilter:
    """What the address asks for."""
    return AggregateTicketFilter(
        request.GET, reader=request.person, customers=request.customers, held=request.held, also={"cursor"}
    )


def chosen_customer(request: PersonRequest) -> Tenant | None:
    """The one customer that the address asks about, if any. Raises BadRequest for what is none of the person's."""
    asked = request.GET.get("customer", "")
    found = next((one for one in request.customers if str(one.pk) == asked), None)
    if asked and found is None:
        raise BadRequest("no such customer")
    return found


def _file(name: str, lines: Any) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(lines, content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer

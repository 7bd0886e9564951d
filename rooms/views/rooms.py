"""The rooms of a tenant: list and CSV."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import PersonRequest, TenantRequest, tenant_page
from rbac.paging import Page, page
from rooms.exports import room_lines
from rooms.lists import RoomFilter
from rooms.models import FilterView, Room, RoomGroup, UpdateRing, state_now
from rooms.views.saved_filters import Shelf, opening

SHOWN = ("id", "display_name", "resource_account", "state", "health", "country", "city", "building", "last_seen_at")


@require_safe
@tenant_page(Permission.ROOMS_VIEW)
def rooms(request: TenantRequest) -> HttpResponse:
    """The rooms the person sees, searched, filtered, sorted, page by page."""
    shelf = Shelf(request.customer, FilterView.ROOMS)
    saved = shelf.own(request)
    if (first := opening(request, saved)) is not None:
        return first
    chosen = filter_of(request)
    if chosen.is_valid() and (conflicts := chosen.conflicts):
        return redirect(request.path + chosen.query(**dict.fromkeys(conflicts)))
    found = page(
        chosen.rooms.annotate(state_now=state_now()).values(*SHOWN, "state_now"),
        order=chosen.order,
        cursor=chosen.cursor,
    )
    may_modify = access.holds(request.held, Permission.ROOMS_MODIFY, request.customer.pk)
    return render(
        request,
        "rooms/rooms.html",
        {
            "filter": chosen,
            "rooms": with_rings(request, found.items),
            "page": pager_of(found, chosen),
            "sorts": chosen.directions(),
            "may_import": may_modify,
            "may_modify": may_modify,
            "sees_rings": access.holds(request.held, Permission.RINGS_VIEW, request.customer.pk),
            "is_for_all": access.holds_all(request.held, Permission.ROOMS_MODIFY, request.customer.pk),
            "import_url": reverse("rooms_import", args=[request.customer.pk]),
            "export_url": reverse("rooms_export", args=[request.customer.pk]) + chosen.query(cursor=None),
            "bulk_url": reverse("rooms_bulk", args=[request.customer.pk]) + chosen.query(cursor=None),
            **shelf.chips(saved, chosen.query(cursor=None), is_narrowed=chosen.is_narrowed and chosen.is_valid()),
        },
        status=200 if chosen.is_valid() else 400,
    )


@require_safe
@tenant_page(Permission.ROOMS_VIEW)
def export(request: TenantRequest) -> HttpResponseBase:
    """What the list shows under the same filter, all of it, as CSV."""
    chosen = filter_of(request)
    if not chosen.is_valid():
        return redirect(reverse("rooms", args=[request.customer.pk]) + chosen.query())
    name = f"rooms-{slugify(request.customer.name) or 'export'}.csv"
    with_ring = access.visible(request.person, Permission.RINGS_VIEW, Room.objects.all(), request.held)
    lines = room_lines(chosen.rooms.order_by(*chosen.order), with_ring)
    answer = StreamingHttpResponse(lines, content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def filter_of(request: TenantRequest, permission: Permission = Permission.ROOMS_VIEW) -> RoomFilter:
    """What the address asks for, of the rooms on which the person holds `permission`."""
    held, person, customer = request.held, request.person, request.customer
    return RoomFilter(
        request.GET,
        rooms=access.visible(person, permission, Room.objects.filter(tenant=customer), held),
        groups=access.visible(person, Permission.GROUPS_VIEW, RoomGroup.objects.filter(tenant=customer), held),
        also={"cursor"},
    )


def with_rings(request: TenantRequest | PersonRequest, rooms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rooms of the page with the rings the person may see; one query, none for who sees no ring."""
    pks = [room["id"] for room in rooms]
    seen: QuerySet[Room] = access.visible(
        request.person, Permission.RINGS_VIEW, Room.objects.filter(pk__in=pks), request.held
    )
    rings = {
        pk: UpdateRing(name=name, key=key).label for pk, name, key in seen.values_list("pk", "ring__name", "ring__key")
    }
    return [room | {"ring": rings.get(room["id"], "")} for room in rooms]


def pager_of(found: Page, chosen: RoomFilter) -> dict[str, str | None]:
    """The links below the list, and how much it shows."""
    count = len(found.items)
    is_all = found.next is None and found.previous is None
    return {
        "previous_url": chosen.query(cursor=found.previous) if found.previous else None,
        "next_url": chosen.query(cursor=found.next) if found.next else None,
        "shown_text": (
            ngettext("%(count)d room", "%(count)d rooms", count)
            if is_all
            else ngettext("%(count)d room on this page", "%(count)d rooms on this page", count)
        )
        % {"count": count},
    }

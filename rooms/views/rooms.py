"""The rooms of a tenant: list, CSV, detail, edit."""

from copy import copy

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from rbac import access
from rbac.catalogue import TABLE, Permission
from rbac.gates import TenantRequest, find, refuse, tenant_page
from rbac.paging import Page, page
from rooms import change_control
from rooms.errors import StaleVersion
from rooms.exports import room_lines
from rooms.forms import RoomForm
from rooms.lists import RoomFilter
from rooms.models import Room, RoomGroup

SHOWN = (
    "id",
    "display_name",
    "resource_account",
    "state",
    "health",
    "country",
    "city",
    "building",
    "floor",
    "capacity",
)


@require_safe
@tenant_page(Permission.ROOMS_VIEW)
def rooms(request: TenantRequest) -> HttpResponse:
    """The rooms the person sees, searched, filtered, sorted, page by page."""
    chosen = _filter(request)
    if chosen.is_valid() and (conflicts := chosen.conflicts):
        return redirect(request.path + chosen.query(**dict.fromkeys(conflicts)))
    found = page(chosen.rooms.values(*SHOWN), order=chosen.order, cursor=chosen.cursor)
    return render(
        request,
        "rooms/rooms.html",
        {
            "filter": chosen,
            "rooms": found.items,
            "page": _pager(found, chosen),
            "sorts": chosen.directions(),
            "may_import": access.holds(request.held, Permission.ROOMS_MODIFY, request.customer.pk),
            "is_for_all": access.holds_all(request.held, Permission.ROOMS_MODIFY, request.customer.pk),
            "import_url": reverse("rooms_import", args=[request.customer.pk]),
            "export_url": reverse("rooms_export", args=[request.customer.pk]) + chosen.query(),
        },
        status=200 if chosen.is_valid() else 400,
    )


@require_safe
@tenant_page(Permission.ROOMS_VIEW)
def export(request: TenantRequest) -> HttpResponseBase:
    """What the list shows under the same filter, all of it, as CSV."""
    chosen = _filter(request)
    if not chosen.is_valid():
        return redirect(reverse("rooms", args=[request.customer.pk]) + chosen.query())
    name = f"rooms-{slugify(request.customer.name) or 'export'}.csv"
    answer = StreamingHttpResponse(room_lines(chosen.rooms.order_by(*chosen.order)), content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_safe
@tenant_page(Permission.ROOMS_VIEW)
def room(request: TenantRequest, room_id: int) -> HttpResponse:
    """One room: what it is, where it is, and what the person may do with it."""
    found = _find(request, room_id)
    held = access.permissions_on(request.person, [found], request.held)[found.pk]
    groups = access.visible(request.person, Permission.GROUPS_VIEW, RoomGroup.objects.filter(rooms=found), request.held)
    return render(
        request,
        "rooms/room.html",
        {
            "room": found,
            "crumbs": _crumbs(request, (found.display_name, "")),
            "groups": list(groups.order_by("name")),
            "sees_groups": Permission.GROUPS_VIEW in held,
            "may_edit": Permission.ROOMS_MODIFY in held,
            "may_report": Permission.TICKETS_CREATE_INCIDENT in held,
            "permissions": [code for code in TABLE if code in held],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_VIEW)
def edit(request: TenantRequest, room_id: int) -> HttpResponse:
    """Change a room. Somebody else's faster change is shown beside what was typed."""
    found = _find(request, room_id)
    if not access.can(request.person, Permission.ROOMS_MODIFY, found, request.held):
        refuse(request, Permission.ROOMS_MODIFY)
    form = RoomForm(request.POST if request.method == "POST" else None, instance=copy(found))  # it writes into its own
    if request.method == "POST" and form.is_valid() and _save(request, form, found):
        return redirect("room", request.customer.pk, room_id)
    url = reverse("room", args=[request.customer.pk, room_id])
    return render(
        request,
        "rooms/room_edit.html",
        {
            "form": form,
            "room": found,
            "url": url,
            "crumbs": _crumbs(request, (found.display_name, url), (_("Edit"), "")),
        },
    )


def _save(request: TenantRequest, form: RoomForm, found: Room) -> bool:
    """Whether it worked; what went wrong stands in the form."""
    changes = form.changes()
    if not changes:
        messages.info(request, _("Nothing was changed: everything is as it was stored."))
        return True
    try:
        change_control.submit(
            Permission.ROOMS_MODIFY,
            found,
            by=request.person,
            changes=changes,
            version=form.cleaned_data["version"],
        )
    except StaleVersion as error:
        form.show_current(Room.objects.get(pk=found.pk))
        form.add_error(None, error)
        return False
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, _("The changes to “%(name)s” are saved.") % {"name": form.cleaned_data["display_name"]})
    return True


def _filter(request: TenantRequest) -> RoomFilter:
    held, person, customer = request.held, request.person, request.customer
    return RoomFilter(
        request.GET,
        rooms=access.visible(person, Permission.ROOMS_VIEW, Room.objects.filter(tenant=customer), held),
        groups=access.visible(person, Permission.GROUPS_VIEW, RoomGroup.objects.filter(tenant=customer), held),
        also={"cursor"},
    )


def _find(request: TenantRequest, room_id: int) -> Room:
    rooms: QuerySet[Room] = Room.objects.filter(tenant=request.customer)
    return find(request, Permission.ROOMS_VIEW, rooms, pk=room_id)


def _pager(found: Page, chosen: RoomFilter) -> dict[str, str | None]:
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


def _crumbs(request: TenantRequest, *further: tuple[str, str]) -> list[tuple[str, str]]:
    return [(_("Rooms"), reverse("rooms", args=[request.customer.pk])), *further]

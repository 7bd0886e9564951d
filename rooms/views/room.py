"""One room: its page with tabs, and the form that edits it."""

from collections.abc import Callable, Collection
from copy import copy
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from rbac import access
from rbac.catalogue import TABLE, Permission
from rbac.gates import TenantRequest, find, require_on, tenant_page
from rbac.paging import Page, page
from rooms import change_control
from rooms.activity_lines import told
from rooms.errors import StaleVersion
from rooms.forms import RoomForm
from rooms.models import Room, RoomActivity, RoomGroup, RoomState, RoomUpdate, Ticket, state_now
from rooms.room_status import status_of

PAGE_SIZE = 25
Held = Collection[Permission]


@require_safe
@tenant_page(Permission.ROOMS_VIEW)
def room(request: TenantRequest, room_id: int) -> HttpResponse:
    """One room, tab by tab: how it is, its incidents and updates, what happened, what is set."""
    if set(request.GET) - {"tab", "cursor"}:
        raise BadRequest("unknown parameter")
    tab = request.GET.get("tab", "status")
    if tab not in _TABS:
        raise BadRequest("no such tab")
    found = find_room(request, room_id)
    held = access.permissions_on(request.person, [found], request.held)[found.pk]
    needed, content = _TABS[tab]
    if needed not in held:
        raise PermissionDenied
    return render(
        request,
        f"rooms/room/{tab}.html",
        {
            "room": found,
            "held": held,
            "tab": tab,
            "tabs": _tabs(request, found, tab, held),
            "crumbs": crumbs(request, (found.display_name, "")),
            "may_edit": Permission.ROOMS_MODIFY in held,
            "may_unenroll": Permission.ROOMS_UNENROLL in held,
            **content(request, found, held),
        },
    )


def _status(request: TenantRequest, found: Room, held: Held) -> dict[str, Any]:
    state = found.state_now  # type: ignore[attr-defined]
    return {
        "status": status_of(found, request.person, held, request.held),
        "is_monitored": state in (RoomState.ENROLLED, RoomState.SUPPRESSED),
        "is_suppressed": state == RoomState.SUPPRESSED,
        "permissions": [code for code in TABLE if code in held],
    }


def _incidents(request: TenantRequest, found: Room, held: Held) -> dict[str, Any]:
    own = Ticket.objects.filter(tenant=request.customer, tied_rooms__room=found)
    seen = access.visible(request.person, Permission.TICKETS_VIEW, own, request.held)
    listed = _page(request, seen, ("-opened_at", "-id"))
    return {
        "tickets": listed.items,
        "page": _pager(listed, "incidents"),
        "may_report": Permission.TICKETS_CREATE_INCIDENT in held,
    }


def _updates(request: TenantRequest, found: Room, held: Held) -> dict[str, Any]:
    own = RoomUpdate.objects.filter(room=found).select_related("rollout__release", "rollout__ring")
    listed = _page(request, own, ("-id",))
    return {"ring": found.ring, "updates": listed.items, "page": _pager(listed, "updates")}


def _activity(request: TenantRequest, found: Room, held: Held) -> dict[str, Any]:
    listed = _page(request, RoomActivity.objects.filter(room=found), ("-at", "-id"))
    return {
        "lines": told(listed.items, request.person, request.customer, held),
        "page": _pager(listed, "activity"),
    }


def _settings(request: TenantRequest, found: Room, held: Held) -> dict[str, Any]:
    own = RoomGroup.objects.filter(rooms=found)
    groups = access.visible(request.person, Permission.GROUPS_VIEW, own, request.held)
    return {"groups": list(groups.order_by("name")), "sees_groups": Permission.GROUPS_VIEW in held}


_TABS: dict[str, tuple[Permission, Callable[[TenantRequest, Room, Held], dict[str, Any]]]] = {
    "status": (Permission.ROOMS_VIEW, _status),
    "incidents": (Permission.TICKETS_VIEW, _incidents),
    "updates": (Permission.RINGS_VIEW, _updates),
    "activity": (Permission.ROOMS_VIEW, _activity),
    "settings": (Permission.ROOMS_VIEW, _settings),
}


def _tabs(request: TenantRequest, found: Room, current: str, held: Held) -> list[dict[str, Any]]:
    labels = {
        "status": _("Status"),
        "incidents": _("Incidents"),
        "updates": _("Updates"),
        "activity": _("Activity"),
        "settings": _("Settings"),
    }
    url = reverse("room", args=[request.customer.pk, found.pk])
    shown: list[dict[str, Any]] = [
        {
            "label": labels[name],
            "url": url if name == "status" else f"{url}?tab={name}",
            "current": name == current,
            "in_pane": bool(request.htmx),  # type: ignore[attr-defined]
        }
        for name, (needed, _content) in _TABS.items()
        if needed in held
    ]
    try:
        access_url = reverse("room_access", args=[request.customer.pk, found.pk])
    except NoReverseMatch:
        return shown
    if access.holds(request.held, Permission.ROLES_VIEW, request.customer.pk):
        shown.append({"label": _("Access"), "url": access_url, "current": False})
    return shown


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_VIEW)
def edit(request: TenantRequest, room_id: int) -> HttpResponse:
    """Change a room. Somebody else's faster change is shown beside what was typed."""
    found = find_room(request, room_id)
    require_on(request, Permission.ROOMS_MODIFY, found)
    form = RoomForm(request.POST if request.method == "POST" else None, instance=copy(found))  # it writes into its own
    url = reverse("room", args=[request.customer.pk, room_id]) + "?tab=settings"
    if request.method == "POST" and form.is_valid() and _save(request, form, found):
        return redirect(url)
    return render(
        request,
        "rooms/room_edit.html",
        {
            "form": form,
            "room": found,
            "url": url,
            "crumbs": crumbs(request, (found.display_name, url), (_("Edit"), "")),
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


def find_room(request: TenantRequest, room_id: int) -> Room:
    """The room with its ring and its state as it is now, if the person may see it. Raises Http404 otherwise."""
    rooms = Room.objects.filter(tenant=request.customer).select_related("ring").annotate(state_now=state_now())
    return find(request, Permission.ROOMS_VIEW, rooms, pk=room_id)


def crumbs(request: TenantRequest, *further: tuple[str, str]) -> list[tuple[str, str]]:
    """The way to a page of rooms."""
    return [(_("Rooms"), reverse("rooms", args=[request.customer.pk])), *further]


def _page(request: TenantRequest, queryset: Any, order: tuple[str, ...]) -> Page[Any]:
    return page(queryset, order=order, cursor=request.GET.get("cursor") or None, size=PAGE_SIZE)


def _pager(found: Page[Any], tab: str) -> dict[str, str | None]:
    count = len(found.items)
    return {
        "previous_url": f"?tab={tab}&cursor={found.previous}" if found.previous else None,
        "next_url": f"?tab={tab}&cursor={found.next}" if found.next else None,
        "shown_text": ngettext("%(count)d on this page", "%(count)d on this page", count) % {"count": count},
    }

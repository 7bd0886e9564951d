"""Enrolling, suppressing and unenrolling a room: a button, or a page that says what will happen."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.errors import RuleBroken
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, require_on, tenant_page
from rooms import change_control
from rooms.errors import StateForbids
from rooms.models import Room, RoomState
from rooms.monitoring_forms import SuppressForm
from rooms.services import monitoring, unenrolment
from rooms.views.room import crumbs, find_room


@require_POST
@tenant_page(Permission.ROOMS_VIEW)
def enroll(request: TenantRequest, room_id: int) -> HttpResponse:
    """Monitoring begins."""
    found = find_room(request, room_id)
    change_control.submit(Permission.ROOMS_MODIFY, found, by=request.person, action="enroll")
    messages.success(request, _("“%(name)s” is enrolled.") % {"name": found.display_name})
    return redirect("room", request.customer.pk, room_id)


@require_POST
@tenant_page(Permission.ROOMS_VIEW)
def unsuppress(request: TenantRequest, room_id: int) -> HttpResponse:
    """The maintenance is over."""
    found = find_room(request, room_id)
    change_control.submit(Permission.ROOMS_MODIFY, found, by=request.person, action="unsuppress")
    messages.success(request, _("“%(name)s” is monitored again.") % {"name": found.display_name})
    return redirect("room", request.customer.pk, room_id)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_VIEW)
def suppress(request: TenantRequest, room_id: int) -> HttpResponse:
    """Maintenance: until when and why, then no alerts and no history."""
    found = _permitted(request, room_id, Permission.ROOMS_MODIFY)
    url = reverse("room", args=[request.customer.pk, room_id])
    if not _is_monitored(found):
        return _not_now(request, url)
    zone = zone_of(request, found)
    form = SuppressForm(request.POST if request.method == "POST" else None, zone=zone)
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_control.submit(
                Permission.ROOMS_MODIFY, found, by=request.person, action="suppress", **form.params
            )
        except StateForbids:
            return _not_now(request, url)
        except (RuleBroken, ValidationError) as error:
            form.add_error("until" if isinstance(error, RuleBroken) else None, error)
        else:
            messages.success(request, _said(changed, zone))
            return redirect(url)
    context = {"form": form, "room": found, "url": url}
    way = crumbs(request, (found.display_name, url), (_("Suppress"), ""))
    return render(request, "rooms/room/suppress.html", context | {"crumbs": way})


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_VIEW)
def unenroll(request: TenantRequest, room_id: int) -> HttpResponse:
    """Say what unenrolling takes with it, then do it."""
    found = _permitted(request, room_id, Permission.ROOMS_UNENROLL)
    url = reverse("room", args=[request.customer.pk, room_id])
    if not _is_monitored(found):
        return _not_now(request, url)
    if request.method == "POST":
        try:
            monitoring.unenroll(found, by=request.person)
        except StateForbids:
            return _not_now(request, url)
        messages.success(request, _("“%(name)s” is not monitored any more.") % {"name": found.display_name})
        return redirect(url)
    way = crumbs(request, (found.display_name, url), (_("Unenrol"), ""))
    context = {"room": found, "url": url, "crumbs": way, "counts": unenrolment.consequences(found)}
    return render(request, "rooms/room/unenroll.html", context)


def zone_of(request: TenantRequest, room: Room | None = None) -> str:
    """In which zone a moment is typed: the room's own, else the customer's."""
    return (room.time_zone if room is not None else "") or request.customer.time_zone


def _permitted(request: TenantRequest, room_id: int, permission: Permission) -> Room:
    found = find_room(request, room_id)
    require_on(request, permission, found)
    return found


def _is_monitored(found: Room) -> bool:
    return found.state_now in (RoomState.ENROLLED, RoomState.SUPPRESSED)  # type: ignore[attr-defined]


def _not_now(request: TenantRequest, url: str) -> HttpResponse:
    messages.error(request, _("This room is not monitored (any more). Enrol it first."))
    return redirect(url)


def _said(room: Room, zone: str) -> str:
    if room.suppressed_until is None:
        return _("“%(name)s” is suppressed until somebody lifts it.") % {"name": room.display_name}
    until = date_format(room.suppressed_until.astimezone(ZoneInfo(zone)), "SHORT_DATETIME_FORMAT")
    said = {"name": room.display_name, "until": until, "zone": zone.replace("_", " ")}
    return _("“%(name)s” is suppressed until %(until)s (%(zone)s).") % said

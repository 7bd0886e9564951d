"""Enrolling, suppressing and unenrolling a room: a button, or a page that says what will happen."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from audit.clock import now
from audit.errors import RuleBroken
from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, refuse, tenant_page
from rooms import change_control
from rooms.errors import StateForbids
from rooms.models import Room, RoomState
from rooms.services import monitoring, unenrolment
from rooms.services.monitoring import LONGEST_REASON
from rooms.views.room import crumbs, find_room

HOURS = (1, 4, 24, 7 * 24)


class SuppressForm(forms.Form):
    """Until when a room is in maintenance, and why. A moment of one's own is read in the zone of the page."""

    ends = forms.ChoiceField(label=gettext_lazy("For how long"), widget=forms.RadioSelect, initial="4")
    until = forms.DateTimeField(
        label=gettext_lazy("Date and time"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=LONGEST_REASON)

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self._zone = ZoneInfo(zone)
        self.fields["ends"].choices = [  # type: ignore[attr-defined]
            ("1", _("1 hour")),
            ("4", _("4 hours")),
            ("24", _("1 day")),
            ("168", _("1 week")),
            ("until", _("Until a moment that I choose below")),
            ("open", _("Until somebody lifts it")),
        ]
        self.fields["until"].help_text = _("Time of %(zone)s, at most 90 days ahead.") % {
            "zone": zone.replace("_", " ")
        }

    def clean_until(self) -> datetime | None:
        typed: datetime | None = self.cleaned_data["until"]
        # The form reads it in the server's zone; what was meant is the same clock face in the page's.
        return None if typed is None else timezone.make_naive(typed).replace(tzinfo=self._zone)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("ends") == "until" and not found.get("until") and "until" not in self.errors:
            self.add_error("until", ValidationError(_("Choose date and time."), code="required"))
        return found

    @property
    def end(self) -> datetime | None:
        """The moment chosen, by the database's clock; None for an open end."""
        ends = self.cleaned_data["ends"]
        if ends == "open":
            return None
        if ends == "until":
            end: datetime = self.cleaned_data["until"]
            return end
        return now() + timedelta(hours=int(ends))

    @property
    def params(self) -> dict[str, Any]:
        """Plain values for the service."""
        end = self.end
        chosen = {"until": end.isoformat() if end is not None else None, "reason": self.cleaned_data["reason"]}
        return {name: value for name, value in chosen.items() if value}


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
    if not access.can(request.person, permission, found, request.held):
        refuse(request, permission)
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

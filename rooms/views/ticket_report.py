"""Reporting an incident: what is wrong, in which rooms. Searching for rooms keeps everything that was typed."""

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, tenant_page
from rooms import change_control
from rooms.lists import RoomFilter
from rooms.models import Room, RoomGroup
from rooms.services.tickets import MOST_ROOMS
from rooms.ticket_forms import ReportForm
from rooms.views.room_choice import ids

OFFERED = 25  # rooms below the search; whoever has no more needs none


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.TICKETS_CREATE_INCIDENT)
def add(request: TenantRequest) -> HttpResponse:
    """A new incident about rooms for which the person may report one; `?room=` brings one along."""
    if set(request.GET) - {"room"}:
        raise BadRequest("unknown parameter")
    is_search = "search" in request.POST
    if request.method != "POST":
        form = ReportForm()
    elif is_search:
        form = ReportForm(initial=_typed(request))
    else:
        form = ReportForm(request.POST)
    asked = request.POST.getlist("rooms") if request.method == "POST" else request.GET.getlist("room")
    chosen = list(_rooms(request).filter(pk__in=ids(asked[: MOST_ROOMS + 1])).order_by("display_name", "pk"))
    room_error = ""
    if request.method == "POST" and not is_search:
        room_error = "" if chosen else _("Choose at least one room.")
        if form.is_valid() and chosen and (answer := _report(request, form, chosen)) is not None:
            return answer
    context = {"form": form, "url": reverse("tickets", args=[request.customer.pk]), "room_error": room_error}
    return render(request, "rooms/tickets/add.html", context | _picker(request, chosen) | {"crumbs": _crumbs(request)})


def _typed(request: TenantRequest) -> dict[str, object]:
    names = ("title", "description", "severity", "is_high_impact", "justification")
    return {name: request.POST.get(name, "") for name in names}


def _report(request: TenantRequest, form: ReportForm, chosen: list[Room]) -> HttpResponse | None:
    """Where to go on; None if a rule was against it, which stands in the form."""
    try:
        made = change_control.submit(
            Permission.TICKETS_CREATE_INCIDENT,
            request.customer,
            by=request.person,
            action="report",
            rooms=[room.pk for room in chosen],
            **form.wanted(),
        )
    except ValidationError as error:
        form.add_error(None, error)
        return None
    messages.success(request, _("The incident is reported as ticket #%(number)d.") % {"number": made.pk})
    if access.can(request.person, Permission.TICKETS_VIEW, made):
        return redirect("ticket", request.customer.pk, made.pk)
    return redirect("room", request.customer.pk, chosen[0].pk)


def _rooms(request: TenantRequest) -> QuerySet[Room]:
    held = request.held if request.method in ("GET", "HEAD") else None
    own = Room.objects.filter(tenant=request.customer)
    return access.visible(request.person, Permission.TICKETS_CREATE_INCIDENT, own, held)


def _picker(request: TenantRequest, chosen: list[Room]) -> dict[str, object]:
    """The rooms that are ticked, and those that fit the search."""
    words = request.POST.get("room_q", "").strip()[:100]
    fitting = RoomFilter({"q": words}, rooms=_rooms(request), groups=RoomGroup.objects.none())
    others = fitting.rooms.exclude(pk__in=[room.pk for room in chosen]).order_by("display_name", "pk")
    offered = list(others[: OFFERED + 1])
    return {
        "chosen": chosen,
        "offered": offered[:OFFERED],
        "is_cut": len(offered) > OFFERED,
        "room_q": words,
        "is_searchable": bool(words) or len(offered) > OFFERED,
    }


def _crumbs(request: TenantRequest) -> list[tuple[str, str]]:
    return [(_("Incidents"), reverse("tickets", args=[request.customer.pk])), (_("Report an incident"), "")]

"""Many rooms at once: choose them in the list, say what is to change, look at it, see what became of each."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, tenant_page
from rooms import change_control
from rooms.bulk_forms import field_label, form_for
from rooms.bulk_reports import counts, result_lines, worded
from rooms.errors import ImportOver
from rooms.forms import shown
from rooms.justifications import justification
from rooms.models import BulkAction, BulkChange, ClosingReason, Room, RoomGroup, TicketState, UpdateRing, WorkState
from rooms.services import bulk, bulk_changes, work
from rooms.services.bulk import Fate, Outcome
from rooms.views.monitoring import zone_of
from rooms.views.room_choice import ids
from rooms.views.rooms import filter_of

LISTED = 200  # rooms named on the review
UNDER_WAY = (WorkState.QUEUED, WorkState.RUNNING)
ICONS = {
    BulkAction.EDIT: "pencil",
    BulkAction.ENROLL: "check-circle",
    BulkAction.SUPPRESS: "bell-slash",
    BulkAction.UNSUPPRESS: "bell",
    BulkAction.GROUP: "collection",
    BulkAction.RING: "diagram-3",
    BulkAction.ASSIGN: "person-check",
    BulkAction.STATE: "arrow-right",
    BulkAction.WRITE: "chat-left-text",
    BulkAction.CLOSE: "check-lg",
}


@require_POST
@tenant_page(Permission.ROOMS_MODIFY)
def choose(request: TenantRequest) -> HttpResponse:
    """The ticked rooms, or all that match the list's filter, are chosen; next is what to do with them."""
    chosen = filter_of(request)
    back = reverse("rooms", args=[request.customer.pk]) + chosen.query(cursor=None)
    if "all_matching" in request.POST:
        rooms = chosen.rooms
    else:
        seen = access.visible(
            request.person, Permission.ROOMS_VIEW, Room.objects.filter(tenant=request.customer), request.held
        )
        rooms = seen.filter(pk__in=ids(request.POST.getlist("pick")))
    picked = list(rooms.order_by("display_name", "id").values_list("pk", flat=True)[: bulk.MOST_ROOMS + 1])
    if not picked:
        messages.info(request, _("Tick the rooms first."))
        return redirect(back)
    if len(picked) > bulk.MOST_ROOMS:
        text = _("These are more than %(most)s rooms. Narrow the filter, and change one part after the other.")
        messages.error(request, text % {"most": bulk.MOST_ROOMS})
        return redirect(back)
    made = bulk_changes.prepare(request.customer, picked, by=request.person)
    return redirect("rooms_bulk_change", request.customer.pk, made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.ROOMS_MODIFY)
def change(request: TenantRequest, change_id: UUID) -> HttpResponse:
    """What is to be done, the review of it, how far it is, or what became of each room."""
    found = _find(request, change_id)
    if found.state in UNDER_WAY:
        is_left = change_id in work.left_lying(BulkChange)
        return render(request, "rooms/bulk/progress.html", _context(request, found) | {"is_left": is_left})
    if found.state == WorkState.DONE:
        return _result(request, found)
    if found.action and "action" not in request.GET:
        return _review(request, found)
    return _describe(request, found)


def _describe(request: TenantRequest, found: BulkChange) -> HttpResponse:
    """Which action, and its values."""
    name = request.GET.get("action", "")
    actions = _actions(request)
    if not name:
        return render(request, "rooms/bulk/actions.html", _context(request, found) | {"actions": actions})
    if name not in BulkAction.values:
        raise BadRequest("no such action")
    action = BulkAction(name)
    data = request.POST if request.method == "POST" else None
    form = form_for(action, data, zone=zone_of(request), groups=_groups(request), rings=_rings(request))
    if request.method == "POST" and form.is_valid():
        bulk_changes.describe(found, action, form.params)
        return redirect("rooms_bulk_change", request.customer.pk, found.pk)
    context = {"form": form, "action": action, "icon": ICONS[action]}
    return render(request, "rooms/bulk/describe.html", _context(request, found) | context)


def _review(request: TenantRequest, found: BulkChange) -> HttpResponse:
    """Everything chosen, before anything is written."""
    seen = access.visible(
        request.person, Permission.ROOMS_VIEW, Room.objects.filter(pk__in=found.targets), request.held
    )
    rooms = list(seen.order_by("display_name", "id").values("pk", "display_name", "city", "building")[:LISTED])
    context = {
        "action": BulkAction(found.action),
        "event": bulk.event_of(BulkAction(found.action)).value,
        "values": _values(request, found),
        "rooms": rooms,
        "more": max(0, found.total - len(rooms)),
        "is_failed": found.state == WorkState.FAILED,
    }
    return render(request, "rooms/bulk/review.html", _context(request, found) | context)


def _result(request: TenantRequest, found: BulkChange) -> HttpResponse:
    fates = [Fate.from_data(data) for data in found.report]
    wanted = request.GET.get("outcome", "")
    if wanted and wanted not in Outcome.values:
        raise BadRequest("no such outcome")
    number = counts(fates)
    everything = {"label": _("All"), "url": request.path, "current": not wanted, "count": len(fates)}
    tabs = [everything] + [
        {
            "label": str(outcome.label),
            "url": f"{request.path}?outcome={outcome.value}",
            "current": outcome == wanted,
            "count": number[outcome.value],
        }
        for outcome in Outcome
    ]
    lines = worded([one for one in fates if not wanted or one.outcome == wanted])
    context = {"action": BulkAction(found.action), "tabs": tabs, "lines": lines, "counts": number}
    return render(request, "rooms/bulk/result.html", _context(request, found) | context)


@require_POST
@tenant_page(Permission.ROOMS_MODIFY)
def confirm(request: TenantRequest, change_id: UUID) -> HttpResponse:
    """Carry it out: here if it is small, else by a worker; the page tells."""
    with suppress(ImportOver):  # pressed twice: the page shows what became of it
        why = justification.get()
        bulk_changes.confirm(_find(request, change_id), submit=change_control.submit, justification=why)
    return redirect("rooms_bulk_change", request.customer.pk, change_id)


@require_POST
@tenant_page(Permission.ROOMS_MODIFY)
def discard(request: TenantRequest, change_id: UUID) -> HttpResponse:
    """Forget the choice, and go back to the list."""
    bulk_changes.discard([_find(request, change_id)])
    return redirect("rooms", request.customer.pk)


@require_safe
@tenant_page(Permission.ROOMS_MODIFY)
def download(request: TenantRequest, change_id: UUID) -> HttpResponseBase:
    """What became of each room as CSV, in the reader's language."""
    found = _find(request, change_id)
    lines = list(result_lines(worded([Fate.from_data(data) for data in found.report])))
    answer = StreamingHttpResponse(lines, content_type="text/csv")
    answer["Content-Disposition"] = 'attachment; filename="rooms-bulk-result.csv"'
    return answer


def _find(request: TenantRequest, change_id: UUID) -> BulkChange:
    found = bulk_changes.own(request.customer, request.person).filter(pk=change_id).first()
    if found is None:
        raise Http404
    return found


def _groups(request: TenantRequest) -> QuerySet[RoomGroup]:
    own = RoomGroup.objects.filter(tenant=request.customer)
    return access.visible(request.person, Permission.GROUPS_MODIFY, own, request.held)


def _rings(request: TenantRequest) -> QuerySet[UpdateRing]:
    own = UpdateRing.objects.filter(tenant=request.customer)
    return access.visible(request.person, Permission.RINGS_VIEW, own, request.held)


def texts() -> dict[BulkAction, str]:
    """What can be done with rooms, with a sentence of what it does."""
    return {
        BulkAction.EDIT: _("Location, kind of room, time zone, tags. What you leave empty stays as it is."),
        BulkAction.ENROLL: _("Monitoring and reports begin."),
        BulkAction.SUPPRESS: _("Maintenance: no alerts, no history."),
        BulkAction.UNSUPPRESS: _("The maintenance is over."),
        BulkAction.GROUP: _("The rooms come into a room group; scopes that name it follow."),
        BulkAction.RING: _("The rooms get updates together with the rooms of that ring."),
    }


def _actions(request: TenantRequest) -> list[dict[str, Any]]:
    return [
        {"action": action, "text": text, "icon": ICONS[action], "url": f"?action={action.value}"}
        for action, text in texts().items()
        if access.holds(request.held, bulk.event_of(action), request.customer.pk)
    ]


def _values(request: TenantRequest, found: BulkChange) -> list[tuple[str, str]]:
    """The parameters in words; a moment is worded by the template."""
    params = dict(found.params)
    if found.action == BulkAction.GROUP:
        name = _groups(request).filter(pk=params["group"]).values_list("name", flat=True).first()
        return [(_("Room group"), name or _("gone"))]
    if found.action == BulkAction.RING:
        ring = _rings(request).filter(pk=params["ring"]).first()
        return [(_("Update ring"), ring.label if ring is not None else _("gone"))]
    return plain_values(found)


def plain_values(found: BulkChange) -> list[tuple[str, str]]:
    """The parameters of an action that names no object of the customer, in words."""
    params = dict(found.params)
    if found.action == BulkAction.EDIT:
        return [(field_label(name), shown(name, value)) for name, value in params.items()]
    if found.action == BulkAction.STATE:
        return [(_("State"), str(TicketState(params["state"]).label))]
    if found.action == BulkAction.WRITE:
        return [(_("Message"), params["text"])]
    if found.action == BulkAction.CLOSE:
        note = [(_("Closing note"), params["note"])] if params.get("note") else []
        return [(_("Closing reason"), str(ClosingReason(params["reason"]).label)), *note]
    return [(_("Reason"), params["reason"])] if params.get("reason") else []


def _context(request: TenantRequest, found: BulkChange) -> dict[str, Any]:
    def url(name: str) -> str:
        return reverse(name, args=[request.customer.pk, found.pk])

    rooms = (_("Rooms"), reverse("rooms", args=[request.customer.pk]))
    number = ngettext("%(n)d room", "%(n)d rooms", found.total) % {"n": found.total}
    return {
        "change": found,
        "number": number,
        "until": found.params.get("until"),
        "crumbs": [rooms, (_("Change several rooms"), "")],
        "change_url": url("rooms_bulk_change"),
        "confirm_url": url("rooms_bulk_confirm"),
        "discard_url": url("rooms_bulk_discard"),
        "download_url": url("rooms_bulk_download"),
        "rooms_url": rooms[1],
    }

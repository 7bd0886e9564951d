"""Many rooms or tickets of several customers at once: chosen in the lists over all customers, described once, confirmed
once, done in each customer for itself. The result says what became of each, customer by customer.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.gates import PersonRequest, aggregate_page, require_anywhere
from rbac.models import Tenant
from rooms import change_control
from rooms.bulk_forms import RingsForm, form_for, ticket_form_for
from rooms.bulk_reports import counts, result_lines, worded
from rooms.errors import ImportOver
from rooms.justifications import justification
from rooms.models import OF_TICKETS, BulkAbout, BulkAction, BulkChange, Room, RoomGroup, Ticket, UpdateRing, WorkState
from rooms.services import bulk, bulk_changes, work
from rooms.services.bulk import Fate, Outcome
from rooms.views.aggregate import room_filter, ticket_filter
from rooms.views.bulk import ICONS, LISTED, UNDER_WAY, plain_values, texts
from rooms.views.room_choice import ids

NEEDED = {BulkAbout.ROOMS: Permission.ROOMS_MODIFY, BulkAbout.TICKETS: Permission.TICKETS_UPDATE}
# Groups are a customer's own, and no partner changes their rooms.
OF_ROOMS = (BulkAction.EDIT, BulkAction.ENROLL, BulkAction.SUPPRESS, BulkAction.UNSUPPRESS, BulkAction.RING)


@dataclass(frozen=True)
class Batch:
    """The changes that were chosen together, one for each customer."""

    id: UUID
    changes: Sequence[BulkChange]

    @property
    def about(self) -> BulkAbout:
        return BulkAbout(self.changes[0].about)

    @property
    def action(self) -> str:
        return self.changes[0].action

    @property
    def total(self) -> int:
        return sum(one.total for one in self.changes)

    @property
    def done(self) -> int:
        return sum(one.total if one.state == WorkState.DONE else one.done for one in self.changes)

    @property
    def state(self) -> WorkState:
        """Of all of them together: under way while one is."""
        found = {one.state for one in self.changes}
        order = (WorkState.RUNNING, WorkState.QUEUED, WorkState.CHECKED, WorkState.FAILED, WorkState.DONE)
        return next(one for one in order if one in found)


@require_POST
@aggregate_page(Permission.ROOMS_MODIFY)
def choose_rooms(request: PersonRequest) -> HttpResponse:
    """The ticked rooms, or all that match the list's filter, are chosen; next is what to do with them."""
    chosen = room_filter(request)
    seen = access.visible(request.person, Permission.ROOMS_VIEW, _here(request, Room.objects.all()), request.held)
    rooms = chosen.rooms if "all_matching" in request.POST else seen.filter(pk__in=ids(request.POST.getlist("pick")))
    back = reverse("all_rooms") + chosen.query(cursor=None)
    return _choose(request, BulkAbout.ROOMS, rooms.order_by("display_name", "id"), back)


@require_POST
@aggregate_page(Permission.TICKETS_UPDATE)
def choose_tickets(request: PersonRequest) -> HttpResponse:
    """The ticked tickets, or all that match the list's filter, are chosen; next is what to do with them."""
    chosen = ticket_filter(request)
    seen = access.visible(request.person, Permission.TICKETS_VIEW, _here(request, Ticket.objects.all()), request.held)
    tickets = (
        chosen.tickets if "all_matching" in request.POST else seen.filter(pk__in=ids(request.POST.getlist("pick")))
    )
    back = reverse("all_tickets") + chosen.query(cursor=None)
    return _choose(request, BulkAbout.TICKETS, tickets.order_by("opened_at", "id"), back)


def _here(request: PersonRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(tenant__in=[one.pk for one in request.customers])


def _choose(request: PersonRequest, about: BulkAbout, rows: QuerySet[Any], back: str) -> HttpResponse:
    picked = list(rows.values_list("tenant", "pk")[: bulk.MOST_ROOMS + 1])
    if not picked:
        is_rooms = about == BulkAbout.ROOMS
        messages.info(request, _("Tick the rooms first.") if is_rooms else _("Tick the tickets first."))
        return redirect(back)
    if len(picked) > bulk.MOST_ROOMS:
        text = _("These are more than %(most)s. Narrow the filter, and change one part after the other.")
        messages.error(request, text % {"most": bulk.MOST_ROOMS})
        return redirect(back)
    chosen: dict[Tenant, list[int]] = {}
    tenants = {one.pk: one for one in request.customers}
    for tenant, pk in picked:
        chosen.setdefault(tenants[tenant], []).append(pk)
    return redirect("all_change", bulk_changes.prepare_batch(about, chosen, by=request.person))


@require_http_methods(["GET", "HEAD", "POST"])
@aggregate_page()
def change(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """What is to be done, the review of it, how far it is, or what became of each."""
    batch = _find(request, batch_id)
    if batch.state in UNDER_WAY:
        lying = set(work.left_lying(BulkChange))
        context = {"is_left": any(one.pk in lying for one in batch.changes)}
        return render(request, "rooms/bulk/progress.html", _context(batch) | context)
    if batch.state == WorkState.DONE:
        return _result(request, batch)
    if batch.action and "action" not in request.GET:
        return _review(request, batch)
    return _describe(request, batch)


def _describe(request: PersonRequest, batch: Batch) -> HttpResponse:
    """Which action, and its values."""
    name = request.GET.get("action", "")
    offered = _actions(request, batch)
    if not name:
        actions = [
            {"action": one, "text": text, "icon": ICONS[one], "url": f"?action={one.value}"} for one, text in offered
        ]
        return render(request, "rooms/bulk/actions.html", _context(batch) | {"actions": actions})
    action = next((one for one, _text in offered if one == name), None)
    if action is None:
        raise BadRequest("no such action")
    form = _form(request, batch, action, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        bulk_changes.describe_batch(batch.changes, action, _params(batch, action, form))
        return redirect("all_change", batch.id)
    context = {"form": form, "action": action, "icon": ICONS[action]}
    return render(request, "rooms/bulk/describe.html", _context(batch) | context)


def _actions(request: PersonRequest, batch: Batch) -> list[tuple[BulkAction, str]]:
    """What can be done, with a sentence of what it does: what the person may do for one of the customers."""
    of_tickets = {
        BulkAction.ASSIGN: _("You take care of them."),
        BulkAction.STATE: _("Needs action, investigating or resolved."),
        BulkAction.WRITE: _("The same message in each of them. Those who take part are told by mail."),
        BulkAction.CLOSE: _("With the same reason. System tickets close by themselves."),
    }
    every = of_tickets if batch.about == BulkAbout.TICKETS else {one: texts()[one] for one in OF_ROOMS}
    return [(one, text) for one, text in every.items() if access.holding(request.held, bulk.event_of(one))]


def _form(request: PersonRequest, batch: Batch, action: BulkAction, data: Any) -> Any:
    if action in OF_TICKETS:
        return ticket_form_for(action, data)
    if action == BulkAction.RING:
        return RingsForm(data, rings=_rings(request, batch))
    home = request.person.tenant
    zone = home.time_zone if home is not None else "UTC"
    return form_for(action, data, zone=zone, groups=RoomGroup.objects.none(), rings=UpdateRing.objects.none())


def _rings(request: PersonRequest, batch: Batch) -> dict[Tenant, list[UpdateRing]]:
    """The rings that the person sees of each customer of the batch."""
    tenants = {one.tenant_id: one.tenant for one in batch.changes}
    rings = access.visible(
        request.person, Permission.RINGS_VIEW, UpdateRing.objects.filter(tenant__in=tenants), request.held
    )
    found: dict[Tenant, list[UpdateRing]] = {}
    for ring in rings.order_by("order", "pk"):
        found.setdefault(tenants[ring.tenant_id], []).append(ring)
    return {tenant: found[tenant] for tenant in tenants.values() if tenant in found}


def _ring_names(request: PersonRequest, batch: Batch) -> dict[int | None, str]:
    return {ring.pk: ring.label for found in _rings(request, batch).values() for ring in found}


def _params(batch: Batch, action: BulkAction, form: Any) -> dict[UUID, dict[str, Any]]:
    """The values for each customer (id)."""
    if action == BulkAction.RING:
        chosen = form.chosen
        return {one.tenant_id: {"ring": chosen.get(one.tenant_id)} for one in batch.changes}
    return {one.tenant_id: form.params for one in batch.changes}


def _review(request: PersonRequest, batch: Batch) -> HttpResponse:
    """Everything chosen, customer by customer, before anything is written."""
    action = BulkAction(batch.action)
    event = bulk.event_of(action)
    asking = change_control.asking_customers(event, request.held) if event in CONTROLLED_EVENTS else set()
    names = _names(request, batch)
    rings = _ring_names(request, batch) if action == BulkAction.RING else {}
    context = {
        "action": action,
        "values": [] if action == BulkAction.RING else plain_values(batch.changes[0]),
        "until": batch.changes[0].params.get("until"),
        "parts": [
            {
                "customer": one.tenant,
                "total": one.total,
                "ring": rings.get(one.params.get("ring"), _("none")) if rings else "",
                "asks": one.tenant_id in asking,
                "names": [names[pk] for pk in one.targets if pk in names],
            }
            for one in batch.changes
        ],
        "asking": [one.tenant.name for one in batch.changes if one.tenant_id in asking],
        "listed": LISTED,
        "is_failed": batch.state == WorkState.FAILED,
    }
    return render(request, "rooms/aggregate/review.html", _context(batch) | context)


def _names(request: PersonRequest, batch: Batch) -> dict[int, str]:
    """What is changed, as far as the person still sees it; the first LISTED of all."""
    wanted = [pk for one in batch.changes for pk in one.targets][:LISTED]
    if batch.about == BulkAbout.TICKETS:
        own = Ticket.objects.filter(pk__in=wanted)
        seen = access.visible(request.person, Permission.TICKETS_VIEW, own, request.held)
        return {pk: f"#{pk} {title}" for pk, title in seen.values_list("pk", "title")}
    rooms = access.visible(request.person, Permission.ROOMS_VIEW, Room.objects.filter(pk__in=wanted), request.held)
    return dict(rooms.values_list("pk", "display_name"))


def _result(request: PersonRequest, batch: Batch) -> HttpResponse:
    wanted = request.GET.get("outcome", "")
    if wanted and wanted not in Outcome.values:
        raise BadRequest("no such outcome")
    number: Counter[str] = Counter()
    parts = []
    for one in batch.changes:
        fates = [Fate.from_data(data) for data in one.report]
        own = counts(fates)
        number.update(own)
        lines = worded([fate for fate in fates if not wanted or fate.outcome == wanted])
        parts.append({"customer": one.tenant, "counts": own, "lines": lines})
    everything = {"label": _("All"), "url": request.path, "current": not wanted, "count": number.total()}
    tabs = [everything] + [
        {
            "label": str(outcome.label),
            "url": f"{request.path}?outcome={outcome.value}",
            "current": outcome == wanted,
            "count": number[outcome.value],
        }
        for outcome in Outcome
    ]
    context = {
        "action": BulkAction(batch.action),
        "tabs": tabs,
        "parts": [part for part in parts if part["lines"]],
        "counts": {outcome.value: number[outcome.value] for outcome in Outcome},
        "target_url": "ticket" if batch.about == BulkAbout.TICKETS else "room",
    }
    return render(request, "rooms/aggregate/result.html", _context(batch) | context)


@require_POST
@aggregate_page()
def confirm(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """Carry it out, in each customer for itself: here if it is small, else by a worker; the page tells."""
    batch = _find(request, batch_id)
    with suppress(ImportOver):  # pressed twice: the page shows what became of it
        bulk_changes.confirm_batch(batch.changes, submit=change_control.submit, justification=justification.get())
    return redirect("all_change", batch_id)


@require_POST
@aggregate_page()
def discard(request: PersonRequest, batch_id: UUID) -> HttpResponse:
    """Forget the choice, and go back to the list."""
    batch = _find(request, batch_id)
    bulk_changes.discard(batch.changes)
    return redirect("all_rooms" if batch.about == BulkAbout.ROOMS else "all_tickets")


@require_safe
@aggregate_page()
def download(request: PersonRequest, batch_id: UUID) -> HttpResponseBase:
    """What became of each as CSV, in the reader's language."""
    batch = _find(request, batch_id)
    answer = StreamingHttpResponse(list(_result_lines(batch)), content_type="text/csv")
    answer["Content-Disposition"] = 'attachment; filename="bulk-result.csv"'
    return answer


def _result_lines(batch: Batch) -> Iterator[bytes]:
    for number, one in enumerate(batch.changes):
        lines = worded([Fate.from_data(data) for data in one.report])
        yield from result_lines(lines, customer=one.tenant.name, with_head=number == 0)


def _find(request: PersonRequest, batch_id: UUID) -> Batch:
    """The person's own batch, as far as it is of customers he still works for. Raises Http404, PermissionDenied."""
    changes = bulk_changes.of_batch(batch_id, request.person, request.customers)
    if not changes:
        raise Http404
    batch = Batch(batch_id, changes)
    require_anywhere(request, [NEEDED[batch.about]])
    return batch


def _context(batch: Batch) -> dict[str, Any]:
    def url(name: str) -> str:
        return reverse(name, args=[batch.id])

    is_rooms = batch.about == BulkAbout.ROOMS
    number = (
        ngettext("%(n)d room", "%(n)d rooms", batch.total)
        if is_rooms
        else ngettext("%(n)d ticket", "%(n)d tickets", batch.total)
    )
    back = (
        (_("Rooms of all customers"), reverse("all_rooms"))
        if is_rooms
        else (
            _("Incidents of all customers"),
            reverse("all_tickets"),
        )
    )
    title = _("Change several rooms") if is_rooms else _("Change several tickets")
    return {
        "change": batch,
        "title": title,
        "number": number % {"n": batch.total},
        "crumbs": [back, (title, "")],
        "change_url": url("all_change"),
        "confirm_url": url("all_change_confirm"),
        "discard_url": url("all_change_discard"),
        "download_url": url("all_change_download"),
        "back_url": back[1],
        "is_rooms": is_rooms,
    }

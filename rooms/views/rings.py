"""Update rings: list, one ring, new, edit, order, move rooms, delete. The rules are in services/update_rings.py."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.errors import RuleBroken
from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find, require_on, require_whole, tenant_page
from rbac.paging import page
from rooms import change_control, progress
from rooms.errors import StaleRing
from rooms.lists import RoomFilter
from rooms.models import MOST_DAYS, Rollout, RolloutState, Room, RoomGroup, UpdateRing
from rooms.services import releases, room_updates, update_rings
from rooms.views.room_choice import ids

PAGE_SIZE = 50
ROLLOUTS_SHOWN = 10


class RingForm(forms.Form):
    """What a ring is called, and its days."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    rollout_days = forms.IntegerField(
        label=gettext_lazy("Rollout duration"),
        min_value=1,
        max_value=MOST_DAYS,
        help_text=gettext_lazy("Days over which the rooms of this ring are spread, one night each."),
    )
    test_days = forms.IntegerField(
        label=gettext_lazy("Test period"),
        min_value=0,
        max_value=MOST_DAYS,
        help_text=gettext_lazy("Days that pass after the rollout before the next ring begins."),
    )


class RingEditForm(RingForm):
    """The same of a ring that is there, and whether new rooms come into it."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    is_default = forms.BooleanField(
        label=gettext_lazy("Default ring"), required=False, help_text=gettext_lazy("New rooms come into it.")
    )


@require_safe
@tenant_page(Permission.RINGS_VIEW)
def rings(request: TenantRequest) -> HttpResponse:
    """The rings in their order, with what is under way in each."""
    if request.GET:
        raise BadRequest("unknown parameter")
    found = list(listed(request))
    release = releases.newest()
    rollouts = {
        one.ring_id: one
        for one in Rollout.objects.filter(ring__in=found, release=release).select_related("release", "tenant")
    }
    counted = progress.of_rollouts([*rollouts.values()], rooms_in_sight(request))
    is_for_all = access.holds_all(request.held, Permission.RINGS_VIEW, request.customer.pk)
    return render(
        request,
        "rooms/rings/rings.html",
        {
            "rings": [
                (one, rollouts.get(one.pk), counted.get(getattr(rollouts.get(one.pk), "pk", 0))) for one in found
            ],
            "release": release,
            "days": sum(one.test_days + one.rollout_days for one in found) if is_for_all else None,
            "most_days": MOST_DAYS,
            "may_order": access.holds_all(request.held, Permission.RINGS_MODIFY, request.customer.pk),
            "may_create": access.holds_all(request.held, Permission.RINGS_CREATE, request.customer.pk),
            "is_full": is_for_all and len(found) >= update_rings.MOST_RINGS,
            "add_url": reverse("ring_add", args=[request.customer.pk]),
        },
    )


@require_safe
@tenant_page(Permission.RINGS_VIEW)
def ring(request: TenantRequest, ring_id: int) -> HttpResponse:
    """One ring: its days, what happens next, its rollouts, and its rooms as far as the person sees them."""
    if set(request.GET) - {"cursor"}:
        raise BadRequest("unknown parameter")
    found = find_ring(request, ring_id)
    seen = rooms_in_sight(request).filter(ring=found)
    rollouts = list(found.rollouts.select_related("release", "tenant").order_by("-release__order")[:ROLLOUTS_SHOWN])
    counted = progress.of_rollouts(rollouts, seen)
    listed_rooms = page(seen, order=("display_name", "id"), cursor=request.GET.get("cursor") or None, size=PAGE_SIZE)
    current = next((one for one in rollouts if one.state in (RolloutState.SCHEDULED, RolloutState.IN_PROGRESS)), None)
    is_scheduled = current is not None and current.state == RolloutState.SCHEDULED
    total = seen.count()
    return render(
        request,
        "rooms/rings/ring.html",
        {
            "ring": found,
            "rollouts": [(one, counted[one.pk]) for one in rollouts],
            "current": current,
            "begins_at": room_updates.first_nights([current])[current.pk]
            if current is not None and is_scheduled
            else None,
            "next_night": counted[current.pk].next_night if current is not None else None,
            "rooms": listed_rooms.items,
            "room_total": total,
            "page": pager_of(listed_rooms, "?", ngettext("%(n)d room", "%(n)d rooms", total) % {"n": total}),
            "may_modify": access.can(request.person, Permission.RINGS_MODIFY, found, request.held),
            "may_modify_some": access.holds(request.held, Permission.RINGS_MODIFY, request.customer.pk),
            "crumbs": crumbs(request, (found.label, "")),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.RINGS_CREATE)
def add(request: TenantRequest) -> HttpResponse:
    """A new ring; rooms are moved into it on the next page."""
    require_whole(request, Permission.RINGS_CREATE)
    form = RingForm(request.POST if request.method == "POST" else None, initial={"rollout_days": 7, "test_days": 0})
    if request.method == "POST" and form.is_valid():
        try:
            made = update_rings.create(request.customer, by=request.person, **form.cleaned_data)
        except ValidationError as error:
            _explain(form, error)
        else:
            text = _("The ring “%(name)s” is there. Now move rooms into it.")
            messages.success(request, text % {"name": made.name})
            return redirect("ring_rooms", request.customer.pk, made.pk)
    url = reverse("rings", args=[request.customer.pk])
    context = {"form": form, "url": url, "budget": _budget(request), "crumbs": crumbs(request, (_("New ring"), ""))}
    return render(request, "rooms/rings/edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.RINGS_VIEW)
def edit(request: TenantRequest, ring_id: int) -> HttpResponse:
    """Other names or days. Somebody else's faster change is shown beside what was typed."""
    found = _modifiable(request, ring_id)
    initial = {name: getattr(found, name) for name in ("description", "test_days", "rollout_days", "is_default")}
    initial |= {"name": found.label, "version": found.version}
    form = RingEditForm(request.POST if request.method == "POST" else None, initial=initial)
    if found.is_default:
        form.fields["is_default"].disabled = True
    if request.method == "POST" and form.is_valid() and _save(request, form, found):
        return redirect("ring", request.customer.pk, ring_id)
    url = reverse("ring", args=[request.customer.pk, ring_id])
    context = {"form": form, "ring": found, "url": url, "budget": _budget(request)}
    context |= {"crumbs": crumbs(request, (found.label, url), (_("Edit"), ""))}
    return render(request, "rooms/rings/edit.html", context)


def _save(request: TenantRequest, form: RingEditForm, found: UpdateRing) -> bool:
    changes = {name: form.cleaned_data[name] for name in form.changed_data if name != "version"}
    try:
        _submit(request, found, changes=changes, version=form.cleaned_data["version"])
    except StaleRing as error:
        form.data = form.data.copy()
        form.data["version"] = str(found.version)
        form.add_error(None, error)
        for name, value in form.initial.items():
            if name in form.cleaned_data and name != "version" and form.cleaned_data[name] != value:
                form.add_error(name, _("Now stored: %(value)s") % {"value": value})
        return False
    except ValidationError as error:
        _explain(form, error)
        return False
    messages.success(request, _("The changes to “%(name)s” are saved.") % {"name": form.cleaned_data["name"]})
    return True


def _explain(form: forms.Form, error: ValidationError) -> None:
    """`error` stands in the form, at its field if it has one there."""
    if hasattr(error, "error_dict"):
        for name, errors in error.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error("name" if error.code == "ring_name_taken" else None, error)


@require_POST
@tenant_page(Permission.RINGS_VIEW)
def order(request: TenantRequest, ring_id: int) -> HttpResponse:
    """One place up or down."""
    found = _modifiable(request, ring_id)
    step = {"up": -1, "down": 1}.get(request.POST.get("to", ""))
    if step is None:
        raise BadRequest("neither up nor down")
    try:
        _submit(request, found, changes={"order": found.order + step})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("rings", request.customer.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.RINGS_VIEW)
def delete(request: TenantRequest, ring_id: int) -> HttpResponse:
    """Ask, then delete; a ring that has to stay says so instead."""
    found = _modifiable(request, ring_id)
    if request.method == "POST":
        try:
            _submit(request, found, action="delete")
        except RuleBroken as error:
            messages.error(request, " ".join(error.messages))
            return redirect("ring", request.customer.pk, ring_id)
        messages.success(request, _("The ring “%(name)s” has been deleted.") % {"name": found.label})
        return redirect("rings", request.customer.pk)
    url = reverse("ring", args=[request.customer.pk, ring_id])
    context: dict[str, Any] = {"ring": found, "url": url, "room_total": found.rooms.count()}
    context["default"] = UpdateRing.objects.get(tenant=request.customer, is_default=True)
    context["crumbs"] = crumbs(request, (found.label, url), (_("Delete"), ""))
    return render(request, "rooms/rings/delete.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.RINGS_MODIFY)
def rooms(request: TenantRequest, ring_id: int) -> HttpResponse:
    """Rooms of other rings: search, filter, move those that are ticked or all that match."""
    found = find_ring(request, ring_id)
    chosen = _movable(request, found)
    if request.method == "POST":
        return _move(request, found, chosen)
    listed_rooms = page(chosen.rooms.select_related("ring"), order=chosen.order, cursor=chosen.cursor, size=PAGE_SIZE)
    url = reverse("ring", args=[request.customer.pk, ring_id])
    total = chosen.rooms.count()
    return render(
        request,
        "rooms/rings/rooms.html",
        {
            "ring": found,
            "filter": chosen,
            "rooms": listed_rooms.items,
            "total": total,
            "page": {
                "previous_url": chosen.query(cursor=listed_rooms.previous) if listed_rooms.previous else None,
                "next_url": chosen.query(cursor=listed_rooms.next) if listed_rooms.next else None,
                "shown_text": ngettext("%(n)d room", "%(n)d rooms", total) % {"n": total},
            },
            "sorts": chosen.directions(),
            "url": url,
            "crumbs": crumbs(request, (found.label, url), (_("Move rooms"), "")),
        },
        status=200 if chosen.is_valid() else 400,
    )


def _movable(request: TenantRequest, found: UpdateRing) -> RoomFilter:
    held = request.held if request.method in ("GET", "HEAD") else None
    elsewhere = Room.objects.filter(tenant=request.customer).exclude(ring=found)
    seen = access.visible(request.person, Permission.RINGS_MODIFY, elsewhere, held)
    groups = RoomGroup.objects.filter(tenant=request.customer)
    groups = access.visible(request.person, Permission.GROUPS_VIEW, groups, held)
    return RoomFilter(request.GET, rooms=seen, groups=groups, also={"cursor"})


def _move(request: TenantRequest, found: UpdateRing, chosen: RoomFilter) -> HttpResponse:
    if "move_matching" in request.POST and chosen.is_valid():
        wanted = list(chosen.rooms.order_by("pk").values_list("pk", flat=True))
    else:
        wanted = sorted(set(ids(request.POST.getlist("pick"))))
    if not wanted:
        messages.info(request, _("Tick the rooms first."))
        return redirect(request.get_full_path())
    try:
        _submit(request, found, action="move_rooms", rooms=wanted)
    except RuleBroken as error:
        messages.error(request, " ".join(error.messages))
        return redirect(request.get_full_path())
    text = ngettext("%(n)d room is now in “%(name)s”.", "%(n)d rooms are now in “%(name)s”.", len(wanted))
    messages.success(request, text % {"n": len(wanted), "name": found.label})
    return redirect("ring", request.customer.pk, found.pk)


# --- Shared -------------------------------------------------------------------------------------
def rooms_in_sight(request: TenantRequest) -> QuerySet[Room]:
    """The rooms of whose rings the person may know."""
    return access.visible(
        request.person, Permission.RINGS_VIEW, Room.objects.filter(tenant=request.customer), request.held
    )


def listed(request: TenantRequest) -> QuerySet[UpdateRing]:
    """The rings the person sees in their order, with the number of those of their rooms that he sees."""
    own = UpdateRing.objects.filter(tenant=request.customer)
    seen = access.visible(request.person, Permission.RINGS_VIEW, own, request.held)
    return seen.annotate(room_total=Count("rooms", filter=Q(rooms__in=rooms_in_sight(request)))).order_by("order")


def find_ring(request: TenantRequest, ring_id: int) -> UpdateRing:
    """The ring, if the person sees it. Raises Http404 otherwise."""
    own = UpdateRing.objects.filter(tenant=request.customer).select_related("tenant")
    return find(request, Permission.RINGS_VIEW, own, pk=ring_id)


def crumbs(request: TenantRequest, *further: tuple[str, str]) -> list[tuple[str, str]]:
    return [(_("Updates"), reverse("rings", args=[request.customer.pk])), *further]


def pager_of(found: Any, query: str, text: str) -> dict[str, str | None]:
    """Links to the pages around `found`; `query` is what the address says beside the place in the list."""
    sign = "" if query == "?" else "&"
    return {
        "previous_url": f"{query}{sign}cursor={found.previous}" if found.previous else None,
        "next_url": f"{query}{sign}cursor={found.next}" if found.next else None,
        "shown_text": text,
    }


def _budget(request: TenantRequest) -> dict[str, int] | None:
    """The days of all rings, for who sees all of them."""
    if not access.holds_all(request.held, Permission.RINGS_VIEW, request.customer.pk):
        return None
    own = UpdateRing.objects.filter(tenant=request.customer)
    days = sum(own.annotate(days=F("test_days") + F("rollout_days")).values_list("days", flat=True))
    return {"days": days, "left": MOST_DAYS - days, "most": MOST_DAYS}


def _modifiable(request: TenantRequest, ring_id: int) -> UpdateRing:
    found = find_ring(request, ring_id)
    require_on(request, Permission.RINGS_MODIFY, found)
    return found


def _submit(request: TenantRequest, found: UpdateRing, *, action: str = "modify", **params: Any) -> Any:
    return change_control.submit(Permission.RINGS_MODIFY, found, by=request.person, action=action, **params)

"""One rollout: its rooms by state, and pause, resume, retry, force, each behind a page that says what will happen."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from audit.errors import RuleBroken
from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find, refuse, tenant_page
from rbac.paging import page
from rooms import change_control, progress
from rooms.models import (
    OPEN_UPDATES,
    Rollout,
    RolloutState,
    Room,
    RoomUpdate,
    RoomUpdateState,
)
from rooms.services import releases
from rooms.views.rings import crumbs, pager_of, rooms_in_sight
from rooms.views.room_choice import ids

PAGE_SIZE = 50
NIGHTS_AHEAD = (RolloutState.IN_PROGRESS, RolloutState.COMPLETED_WITH_FAILURES)
# What each action is for: the rooms in these states.
TOUCHED = {
    "pause": (RoomUpdateState.WAITING, RoomUpdateState.OFFERED),
    "resume": (RoomUpdateState.PAUSED,),
    "retry": (RoomUpdateState.FAILED,),
    "force": (*OPEN_UPDATES, RoomUpdateState.FAILED),
}


class StateForm(forms.Form):
    """The one filter of the rooms."""

    state = forms.ChoiceField(label=gettext_lazy("State"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [("", _("All")), *RoomUpdateState.choices]  # type: ignore[attr-defined]


@require_safe
@tenant_page(Permission.RINGS_VIEW)
def rollout(request: TenantRequest, rollout_id: int) -> HttpResponse:
    """How far a release is in a ring, room by room."""
    if set(request.GET) - {"state", "cursor"}:
        raise BadRequest("unknown parameter")
    found = find_rollout(request, rollout_id)
    form = StateForm(request.GET)
    state = form.cleaned_data["state"] if form.is_valid() else ""
    seen = rooms_in_sight(request)
    counted = progress.of_rollouts([found], seen)[found.pk]
    updates = RoomUpdate.objects.filter(rollout=found, room__in=seen).select_related("room")
    if state:
        updates = updates.filter(state=state)
    elif form.is_valid():
        updates = updates.exclude(state=RoomUpdateState.ENDED)
    listed = page(
        updates if form.is_valid() else updates.none(),
        order=("room__display_name", "id"),
        cursor=request.GET.get("cursor") or None,
        size=PAGE_SIZE,
    )
    query = f"?state={state}" if state else "?"
    possible = _possible(request, found, counted)
    ring_url = reverse("ring", args=[request.customer.pk, found.ring_id])
    name = _("Release %(version)s") % {"version": found.release.version}
    return render(
        request,
        "rooms/rings/rollout.html",
        {
            "rollout": found,
            "ring": found.ring,
            "progress": counted,
            "form": form,
            "state": state,
            "updates": listed.items,
            "page": pager_of(listed, query, _shown_text(len(listed.items))),
            "actions": _actions(request, found, possible),
            "may_force": "force" in possible,
            "crumbs": crumbs(request, (found.ring.label, ring_url), (name, "")),
        },
        status=200 if form.is_valid() else 400,
    )


def _shown_text(count: int) -> str:
    return ngettext("%(count)d room on this page", "%(count)d rooms on this page", count) % {"count": count}


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_page(Permission.RINGS_VIEW)
def change(request: TenantRequest, rollout_id: int, action: str) -> HttpResponse:
    """Say what will happen, then do it."""
    found = find_rollout(request, rollout_id)
    own = _own_rooms(request, found)
    is_whole = access.can(request.person, Permission.RINGS_MODIFY, found.ring, request.held)
    if not is_whole and not own.exists():
        refuse(request, Permission.RINGS_MODIFY)
    picked = ids((request.POST if request.method == "POST" else request.GET).getlist("pick"))
    url = reverse("rollout", args=[request.customer.pk, rollout_id])
    if request.method == "POST":
        return _carry_out(request, found, action, sorted(set(picked)), url)
    touched = RoomUpdate.objects.filter(rollout=found, room__in=own, state__in=TOUCHED[action])
    if picked:
        touched = touched.filter(room__in=picked)
    ring_url = reverse("ring", args=[request.customer.pk, found.ring_id])
    name = _("Release %(version)s") % {"version": found.release.version}
    return render(
        request,
        f"rooms/rings/{action}.html",
        {
            "rollout": found,
            "ring": found.ring,
            "is_whole": is_whole,
            "room_total": touched.count(),
            "picked": list(touched.values_list("room", flat=True)) if picked else [],
            "url": url,
            "crumbs": crumbs(request, (found.ring.label, ring_url), (name, url), (_NAMES[action][0], "")),
        },
    )


def _carry_out(request: TenantRequest, found: Rollout, action: str, picked: list[int], url: str) -> HttpResponse:
    params: dict[str, Any] = {"rooms": picked} if action == "force" and picked else {}
    try:
        change_control.submit(Permission.RINGS_MODIFY, found, by=request.person, action=action, **params)
    except RuleBroken as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _NAMES[action][1])
    return redirect(url)


def find_rollout(request: TenantRequest, rollout_id: int) -> Rollout:
    """The rollout, if the person sees its ring. Raises Http404 otherwise."""
    own = Rollout.objects.filter(tenant=request.customer).select_related("ring", "release", "tenant")
    return find(request, Permission.RINGS_VIEW, own, pk=rollout_id)


def _own_rooms(request: TenantRequest, found: Rollout) -> QuerySet[Room]:
    """The rooms of the ring whose updates the person may change."""
    rooms = Room.objects.filter(ring=found.ring_id)
    return access.visible(request.person, Permission.RINGS_MODIFY, rooms, request.held)


def _possible(request: TenantRequest, found: Rollout, counted: progress.Progress) -> set[str]:
    """What the state of the rollout and of its rooms leaves to be done by the person, if he may do anything at all."""
    if not _own_rooms(request, found).exists():
        return set()
    is_newest = found.release == releases.newest()
    is_on = found.state == RolloutState.IN_PROGRESS
    has_nights = is_newest and found.state in NIGHTS_AHEAD
    is_possible = {
        "pause": found.state == RolloutState.SCHEDULED or (is_on and counted.running > 0),
        "resume": found.state == RolloutState.PAUSED or (is_on and counted.paused > 0),
        "retry": has_nights and counted.failed > 0,
        "force": has_nights and counted.open + counted.failed > 0,
    }
    return {action for action, is_one in is_possible.items() if is_one}


def _actions(request: TenantRequest, found: Rollout, possible: set[str]) -> list[dict[str, str]]:
    """The buttons above the list; one that needs the whole ring says so instead."""
    is_whole = access.can(request.person, Permission.RINGS_MODIFY, found.ring, request.held)
    needs_whole = {
        "pause": found.state == RolloutState.SCHEDULED,
        "resume": found.state == RolloutState.PAUSED,
    }
    why = _("Only somebody who is responsible for all rooms of this ring can do this.")
    return [
        {
            "label": str(_NAMES[action][0]),
            "icon": icon,
            "url": reverse(f"rollout_{action}", args=[request.customer.pk, found.pk]),
            "css": css,
            "reason": why if needs_whole.get(action) and not is_whole else "",
        }
        for action, icon, css in _BUTTONS
        if action in possible
    ]


_BUTTONS = (
    ("force", "rocket-takeoff", "btn-outline-danger"),
    ("retry", "arrow-clockwise", "btn-secondary"),
    ("pause", "pause-circle", "btn-secondary"),
    ("resume", "play-circle", "btn-primary"),
)
# What each action is called, and what is said when it has been done.
_NAMES = {
    "pause": (
        gettext_lazy("Pause"),
        gettext_lazy("The rollout is paused. Devices are told nothing until it is resumed."),
    ),
    "resume": (
        pgettext_lazy("rollout", "Resume"),
        gettext_lazy("The rollout goes on with the next night of each room."),
    ),
    "retry": (gettext_lazy("Retry all failed"), gettext_lazy("The failed rooms try again from the next night on.")),
    "force": (gettext_lazy("Force update"), gettext_lazy("The devices are told to install the update at once.")),
}

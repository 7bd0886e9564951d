"""How pages show a room: state and health as icon + word + colour, the country by its name.

{% with shown=room|shown_state %}{% badge shown.kind shown.label shown.icon %}{% endwith %}
"""

from datetime import datetime
from typing import Any, NamedTuple

from django import template
from django.template import Context
from django.utils.dateparse import parse_datetime

from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rooms import change_control
from rooms.models import Health, RolloutState, RoomState, RoomUpdateState, Severity, TicketState
from rooms.places import country_name

register = template.Library()


class Shown(NamedTuple):
    """What the badge of the page kit takes."""

    kind: str
    label: str
    icon: str


_STATES = {
    RoomState.ONBOARDING: ("info", "hourglass-split"),
    RoomState.ENROLLED: ("success", "check-circle"),
    RoomState.SUPPRESSED: ("neutral", "bell-slash"),
    RoomState.UNENROLLED: ("neutral", "plug"),
}
_HEALTHS = {
    Health.HEALTHY: ("success", "heart-pulse"),
    Health.UNHEALTHY: ("danger", "x-octagon"),
    Health.UNMONITORED: ("warning", "eye-slash"),
}
_ROLLOUTS = {
    RolloutState.SCHEDULED: ("info", "calendar-event"),
    RolloutState.IN_PROGRESS: ("info", "arrow-repeat"),
    RolloutState.PAUSED: ("warning", "pause-circle"),
    RolloutState.COMPLETED: ("success", "check-circle"),
    RolloutState.COMPLETED_WITH_FAILURES: ("warning", "exclamation-triangle"),
    RolloutState.DEPRECATED: ("neutral", "slash-circle"),
    RolloutState.NOT_REQUIRED: ("neutral", "dash-circle"),
}
_UPDATES = {
    RoomUpdateState.WAITING: ("neutral", "clock"),
    RoomUpdateState.OFFERED: ("info", "arrow-repeat"),
    RoomUpdateState.PAUSED: ("warning", "pause-circle"),
    RoomUpdateState.DONE: ("success", "check-circle"),
    RoomUpdateState.FAILED: ("danger", "x-octagon"),
    RoomUpdateState.ENDED: ("neutral", "slash-circle"),
}


@register.filter
def rollout_badge(code: str) -> Shown:
    """The badge of a rollout's state."""
    state = RolloutState(code)
    kind, icon = _ROLLOUTS[state]
    return Shown(kind, str(state.label), icon)


@register.filter
def update_badge(code: str) -> Shown:
    """The badge of how far a room is in a rollout."""
    state = RoomUpdateState(code)
    kind, icon = _UPDATES[state]
    return Shown(kind, str(state.label), icon)


@register.filter
def shown_state(room: Any) -> Shown:
    """The state of `room` (an instance or a row of values)."""
    return state_badge(_state(room))


@register.filter
def shown_health(room: Any) -> Shown | None:
    """The health of `room` once it is enrolled; before that it says nothing that calls for a badge."""
    if _state(room) != RoomState.ENROLLED:
        return None
    return health_badge(_of(room, "health"))


@register.filter
def state_badge(code: str) -> Shown:
    """The badge of a state."""
    state = RoomState(code)
    kind, icon = _STATES[state]
    return Shown(kind, str(state.label), icon)


@register.filter
def health_badge(code: str) -> Shown:
    """The badge of a health."""
    health = Health(code)
    kind, icon = _HEALTHS[health]
    return Shown(kind, str(health.label), icon)


@register.filter
def health_name(code: str) -> str:
    """The word for a health."""
    return str(Health(code).label)


@register.filter
def moment(text: str) -> datetime | None:
    """The moment that an ISO text says."""
    return parse_datetime(text)


@register.filter
def country(code: str) -> str:
    """The name of the country in the reader's language."""
    return country_name(code)


def _state(room: Any) -> str:
    """The state as it is now, where the query asked for it."""
    has_it = "state_now" in room if isinstance(room, dict) else hasattr(room, "state_now")
    return str(_of(room, "state_now" if has_it else "state"))


def _of(room: Any, name: str) -> Any:
    return room[name] if isinstance(room, dict) else getattr(room, name)


_SEVERITIES = {
    Severity.CRITICAL: ("danger", "x-octagon"),
    Severity.IMPORTANT: ("danger", "exclamation-circle"),
    Severity.WARNING: ("warning", "exclamation-triangle"),
    Severity.RECOMMENDATION: ("info", "lightbulb"),
}
_TICKET_STATES = {
    TicketState.NEEDS_ACTION: ("danger", "exclamation-circle"),
    TicketState.INVESTIGATING: ("info", "search"),
    TicketState.RESOLVED: ("success", "check2-circle"),
    TicketState.CLOSED: ("neutral", "check-lg"),
}
_UPDATE_STATES = {
    RoomUpdateState.WAITING: ("neutral", "clock"),
    RoomUpdateState.OFFERED: ("info", "arrow-repeat"),
    RoomUpdateState.PAUSED: ("warning", "pause-circle"),
    RoomUpdateState.DONE: ("success", "check-circle"),
    RoomUpdateState.FAILED: ("danger", "x-octagon"),
    RoomUpdateState.ENDED: ("neutral", "dash-circle"),
}


@register.filter
def shown_severity(code: str) -> Shown:
    """The badge of a severity."""
    severity = Severity(code)
    return Shown(_SEVERITIES[severity][0], str(severity.label), _SEVERITIES[severity][1])


@register.filter
def shown_ticket_state(code: str) -> Shown:
    """The badge of a ticket's state."""
    state = TicketState(code)
    return Shown(_TICKET_STATES[state][0], str(state.label), _TICKET_STATES[state][1])


@register.filter
def shown_update_state(code: str) -> Shown:
    """The badge of the state of a room's update."""
    state = RoomUpdateState(code)
    return Shown(_UPDATE_STATES[state][0], str(state.label), _UPDATE_STATES[state][1])


@register.inclusion_tag("rooms/approvals/asks_first.html", takes_context=True)
def asks_first(context: Context, event: str, form: str = "") -> dict[str, Any]:
    """Part of a form whose change the customer wants to approve first: says so, and asks why. Nothing for anybody else.

    `form` is the id of the form, where this stands outside of it; `justification` of the page is what was said before.
    """
    request = context["request"]
    if Permission(event) not in CONTROLLED_EVENTS:
        return {"waits": False}
    waits = change_control.asks_first(request.person, Permission(event), request.customer.pk, request.held)
    said = request.POST.get("justification", context.get("justification", ""))
    return {"waits": waits, "customer": request.customer, "justification": said, "form": form}

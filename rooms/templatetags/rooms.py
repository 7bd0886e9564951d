"""How pages show a room: state and health as icon + word + colour, the country by its name.

{% with shown=room|shown_state %}{% badge shown.kind shown.label shown.icon %}{% endwith %}
"""

from typing import Any, NamedTuple

from django import template
from django.template import Context

from rbac.catalogue import Permission
from rooms import change_control
from rooms.models import Health, RoomState
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


@register.filter
def shown_state(room: Any) -> Shown:
    """The state of `room` (an instance or a row of values)."""
    return state_badge(_of(room, "state"))


@register.filter
def shown_health(room: Any) -> Shown | None:
    """The health of `room` once it is enrolled; before that it says nothing that calls for a badge."""
    if _of(room, "state") != RoomState.ENROLLED:
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
def country(code: str) -> str:
    """The name of the country in the reader's language."""
    return country_name(code)


def _of(room: Any, name: str) -> Any:
    return room[name] if isinstance(room, dict) else getattr(room, name)


@register.inclusion_tag("rooms/approvals/asks_first.html", takes_context=True)
def asks_first(context: Context, event: str) -> dict[str, Any]:
    """Part of a form whose change the customer wants to approve first: says so, and asks why. Nothing for anybody else."""
    request = context["request"]
    waits = change_control.asks_first(request.person, Permission(event), request.customer.pk, request.held)
    return {"waits": waits, "customer": request.customer, "justification": request.POST.get("justification", "")}

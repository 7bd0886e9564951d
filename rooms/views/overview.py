"""The first page of a tenant: how its rooms are, where they are, and what to do next."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, tenant_page
from rbac.models import Delegation, DelegationState
from rooms.models import Health, HealthPeriod, Room, RoomState, Ticket, TicketState
from rooms.places import country_name

PARTNER_STATES = (DelegationState.ACTIVE, DelegationState.INVITED, DelegationState.SUSPENDED)
UNHEALTHY = 6  # of the rooms that need somebody now
CITIES = 12  # shown before “all places”; the rest is one click away, in the list


@dataclass(frozen=True)
class Figure:
    """How many rooms there are of something, and the list of just those."""

    label: str
    count: int
    url: str
    code: str = ""
    is_health: bool = False


@dataclass(frozen=True)
class City:
    country: str
    name: str
    count: int
    unhealthy: int
    url: str


@require_safe
@tenant_page()
def overview(request: TenantRequest) -> HttpResponse:
    """Counts by state and place of the rooms the person sees; hints where there are none."""
    rooms = access.visible(
        request.person, Permission.ROOMS_VIEW, Room.objects.filter(tenant=request.customer), request.held
    )
    places = _places(rooms)
    rooms_url = reverse("rooms", args=[request.customer.pk])
    cities = _cities(places, rooms_url)
    return render(
        request,
        "rooms/overview.html",
        {
            "customer": request.customer,
            "sees_rooms": access.holds(request.held, Permission.ROOMS_VIEW, request.customer.pk),
            "may_import": access.holds_all(request.held, Permission.ROOMS_MODIFY, request.customer.pk),
            "total": sum(row["count"] for row in places),
            "figures": _figures(places, rooms_url),
            "partners": _partners(request),
            "unhealthy": _unhealthy(rooms, places),
            "incidents": _incidents(request),
            "cities": cities[:CITIES],
            "more_cities": len(cities) - CITIES if len(cities) > CITIES else 0,
            "rooms_url": rooms_url,
            "import_url": reverse("rooms_import", args=[request.customer.pk]),
            "invitations_url": reverse("invitations"),
            "add_partner_url": reverse("add_partner", args=[request.customer.pk]),
        },
    )


def _unhealthy(rooms: QuerySet[Room], places: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rooms that need somebody now, those that have waited longest first; asks only if there are any."""
    if not any((row["state"], row["health"]) == (RoomState.ENROLLED, Health.UNHEALTHY) for row in places):
        return []
    open_period = HealthPeriod.objects.filter(room=OuterRef("pk"), ended_at__isnull=True)
    ill = rooms.filter(state=RoomState.ENROLLED, health=Health.UNHEALTHY)
    found = ill.annotate(since=Subquery(open_period.values("began_at")[:1]))
    return list(found.order_by("since", "display_name", "pk").values("pk", "display_name", "city", "since")[:UNHEALTHY])


def _incidents(request: TenantRequest) -> int | None:
    """How many tickets the person sees that are not closed; None for those who see no tickets."""
    if not access.holds(request.held, Permission.TICKETS_VIEW, request.customer.pk):
        return None
    own = Ticket.objects.filter(tenant=request.customer).exclude(state=TicketState.CLOSED)
    return access.visible(request.person, Permission.TICKETS_VIEW, own, request.held).count()


def _partners(request: TenantRequest) -> list[Figure] | None:
    """The partners by the state of what is delegated to them; None for those who do not see the settings."""
    if not access.holds_all(request.held, Permission.SETTINGS_VIEW, request.customer.pk):
        return None
    own = Delegation.objects.filter(tenant=request.customer, state__in=PARTNER_STATES)
    counts = dict(own.order_by().values_list("state").annotate(count=Count("pk")))
    url = reverse("partners", args=[request.customer.pk])
    return [Figure(str(state.label), counts[state], url, state) for state in PARTNER_STATES if state in counts]


def _places(rooms: QuerySet[Room]) -> list[dict[str, Any]]:
    """All that the page counts, in one query."""
    return list(rooms.order_by().values("country", "city", "state", "health").annotate(count=Count("pk")))


def _figures(places: list[dict[str, Any]], url: str) -> list[Figure]:
    """One per state that occurs; the enrolled ones by their health."""
    counts: dict[tuple[str, str], int] = {}
    for row in places:
        health = row["health"] if row["state"] == RoomState.ENROLLED else ""
        counts[row["state"], health] = counts.get((row["state"], health), 0) + row["count"]
    figures = []
    for state in (RoomState.ENROLLED, RoomState.ONBOARDING, RoomState.SUPPRESSED, RoomState.UNENROLLED):
        for health in (Health.UNHEALTHY, Health.UNMONITORED, Health.HEALTHY) if state == RoomState.ENROLLED else ("",):
            if count := counts.get((state, health)):
                query = urlencode({"state": state.value} | ({"health": str(health)} if health else {}))
                label = Health(health).label if health else state.label
                figures.append(Figure(str(label), count, f"{url}?{query}", str(health or state), bool(health)))
    return figures


def _cities(places: list[dict[str, Any]], url: str) -> list[City]:
    """The cities, most rooms first."""
    counts: dict[tuple[str, str], list[int]] = {}
    for row in places:
        found = counts.setdefault((row["country"], row["city"]), [0, 0])
        found[0] += row["count"]
        if row["state"] == RoomState.ENROLLED and row["health"] == Health.UNHEALTHY:
            found[1] += row["count"]
    ranked = sorted(counts.items(), key=lambda item: (-item[1][0], country_name(item[0][0]), item[0][1]))
    return [
        City(country, name, count, unhealthy, _list_of(url, country, name))
        for (country, name), (count, unhealthy) in ranked
    ]


def _list_of(url: str, country: str, city: str) -> str:
    asked = {key: value for key, value in (("country", country), ("city", city)) if value}
    return f"{url}?{urlencode(asked)}" if asked else url

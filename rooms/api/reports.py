"""The figures of reports, and what each room did."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from rbac.api.base import PAGING, CustomerView, answer_page, page_of, page_schema
from rbac.api.errors import refuse_filter
from rbac.catalogue import Permission
from rbac.gates import TenantRequest
from rooms import report_tables
from rooms.models import PERIODS, Health, RoomState, SignalCategory
from rooms.report_filter import DEFAULT, ReportFilter
from rooms.report_tables import percent
from rooms.reports import Figures, Ranked, periods_of, read

TAG = "Reports"
_FILTERS = [
    OpenApiParameter(
        "days", int, enum=PERIODS, default=DEFAULT, description="How far to look back; health at most 90."
    ),
    OpenApiParameter("group", int, description="Id of a room group that you may see."),
    OpenApiParameter("partner", UUID, description="Id of a delegation: only rooms delegated to that partner."),
]
_CATEGORIES = [*SignalCategory.values, report_tables.CUSTOMER]


class HealthDay(serializers.Serializer[Any]):
    """How many rooms were so on a day of their own calendars; the last day is not over yet."""

    day = serializers.DateField()
    healthy = serializers.IntegerField()
    unhealthy = serializers.IntegerField(help_text="More than 20 minutes of trouble between 05:00 and 21:00.")
    unmonitored = serializers.IntegerField()


class TicketDay(serializers.Serializer[Any]):
    """Tickets opened and closed on a day, and open when it ended."""

    day = serializers.DateField()
    opened = serializers.IntegerField()
    closed = serializers.IntegerField()
    open = serializers.IntegerField()


class CategoryCount(serializers.Serializer[Any]):
    """Tickets of a category that were opened."""

    category = serializers.ChoiceField(_CATEGORIES, help_text="`customer`: reported by people.")
    opened = serializers.IntegerField()


class StateCount(serializers.Serializer[Any]):
    """Rooms as they are now."""

    state = serializers.ChoiceField([RoomState.ENROLLED.value, RoomState.SUPPRESSED.value])
    health = serializers.ChoiceField(Health.choices)
    rooms = serializers.IntegerField()


class RankedRoom(serializers.Serializer[Any]):
    """How reliable a room was."""

    id = serializers.IntegerField()
    display_name = serializers.CharField()
    watched_days = serializers.IntegerField()
    unhealthy_days = serializers.IntegerField()
    reliability_percent = serializers.FloatField()


class ReportSums(serializers.Serializer[Any]):
    """What the complete days of the period add up to, over all rooms that you may see."""

    watched_days = serializers.IntegerField()
    unhealthy_days = serializers.IntegerField()
    reliability_percent = serializers.FloatField(allow_null=True)
    used_days = serializers.IntegerField(help_text="Days of which devices reported use.")
    booked_hours = serializers.FloatField()
    usage_percent = serializers.FloatField(allow_null=True, help_text="Booked hours / (used days × 8 h).")
    calls = serializers.IntegerField()
    poor_calls = serializers.IntegerField()
    poor_calls_percent = serializers.FloatField(allow_null=True)


class Report(serializers.Serializer[Any]):
    """The figures of reports, over the rooms on which you hold `reports.view`."""

    days = serializers.IntegerField()
    first = serializers.DateField(allow_null=True)
    last = serializers.DateField(allow_null=True, help_text="The last complete day.")
    as_of = serializers.DateTimeField(allow_null=True, help_text="When the figures were added up; null: not yet.")
    rooms = serializers.IntegerField()
    sums = ReportSums()
    states = StateCount(many=True)
    health = HealthDay(many=True)
    tickets = TicketDay(many=True)
    categories = CategoryCount(many=True)
    most_reliable = RankedRoom(many=True)
    least_reliable = RankedRoom(many=True)


class RoomReport(serializers.Serializer[Any]):
    """What the complete days of one room add up to; null where there is none."""

    id = serializers.IntegerField()
    display_name = serializers.CharField()
    watched_days = serializers.IntegerField(allow_null=True)
    unhealthy_days = serializers.IntegerField(allow_null=True)
    reliability_percent = serializers.FloatField(allow_null=True)
    unhealthy_minutes = serializers.IntegerField(allow_null=True)
    used_days = serializers.IntegerField(allow_null=True)
    booked_hours = serializers.FloatField(allow_null=True)
    usage_percent = serializers.FloatField(allow_null=True)
    calls = serializers.IntegerField(allow_null=True)
    poor_calls = serializers.IntegerField(allow_null=True)
    poor_calls_percent = serializers.FloatField(allow_null=True)


_ROOM = {
    "id": 1042,
    "display_name": "Berlin 3.14",
    "watched_days": 30,
    "unhealthy_days": 2,
    "reliability_percent": 93.3,
}
_SUMS = {
    "watched_days": 30,
    "unhealthy_days": 2,
    "reliability_percent": 93.3,
    "used_days": 30,
    "booked_hours": 96.0,
    "usage_percent": 40.0,
    "calls": 120,
    "poor_calls": 6,
    "poor_calls_percent": 5.0,
}
_ONE = OpenApiExample(
    "One room",
    value={
        "days": 30,
        "first": "2026-10-26",
        "last": "2026-11-24",
        "as_of": "2026-11-25T14:05:00Z",
        "rooms": 1,
        "sums": _SUMS,
        "states": [{"state": "enrolled", "health": "healthy", "rooms": 1}],
        "health": [{"day": "2026-11-25", "healthy": 1, "unhealthy": 0, "unmonitored": 0}],
        "tickets": [{"day": "2026-11-25", "opened": 0, "closed": 1, "open": 0}],
        "categories": [{"category": "audio", "opened": 2}],
        "most_reliable": [_ROOM],
        "least_reliable": [_ROOM],
    },
    response_only=True,
    status_codes=["200"],
)
_MANY = OpenApiExample(
    "One room",
    value={
        "items": [{"id": 1042, "display_name": "Berlin 3.14", "unhealthy_minutes": 75, **_SUMS}],
        "next": None,
        "previous": None,
    },
    response_only=True,
    status_codes=["200"],
)


def chosen_by(request: TenantRequest, *also: str) -> ReportFilter:
    """The filter of the request. Raises InvalidParameters."""
    chosen = ReportFilter(request, request.query_params, also=also)  # type: ignore[attr-defined]  # DRF's request
    refuse_filter(chosen)
    return chosen


class ReportFigures(CustomerView):
    gate = (Permission.REPORTS_VIEW,)
    parameters = ReportFilter.NAMES

    @extend_schema(
        operation_id="report",
        tags=[TAG],
        summary="The figures of reports",
        description="Needs `reports.view`; only rooms on which you hold it enter, averages included.",
        parameters=_FILTERS,
        responses=Report,
        examples=[_ONE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        chosen = chosen_by(request)
        figures = read(chosen.question)
        return Response(_plain(figures) if figures is not None else _nothing(chosen.period))


class ReportRooms(CustomerView):
    gate = (Permission.REPORTS_VIEW,)
    parameters = ReportFilter.NAMES | {"cursor", "page_size"}

    @extend_schema(
        operation_id="report_rooms",
        tags=[TAG],
        summary="What each room did",
        description="Needs `reports.view`. The rooms that enter reports, by name.",
        parameters=[*_FILTERS, *PAGING],
        responses=page_schema(RoomReport),
        examples=[_MANY],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        chosen = chosen_by(request, "cursor", "page_size")
        rooms = report_tables.reported(chosen.rooms).values("id", "display_name")
        found = page_of(request, rooms, ("display_name", "id"))
        periods = periods_of([room["id"] for room in found.items], chosen.period)
        items = [room | report_tables.room_figures(periods.get(room["id"])) for room in found.items]
        return answer_page(request, found, items)


def _plain(figures: Figures) -> dict[str, Any]:
    sums = figures.sums
    return {
        "days": figures.days,
        "first": figures.first,
        "last": figures.last,
        "as_of": figures.as_of,
        "rooms": figures.rooms,
        "sums": {
            "watched_days": sums.watched_days,
            "unhealthy_days": sums.unhealthy_days,
            "reliability_percent": percent(sums.reliability),
            "used_days": sums.used_days,
            "booked_hours": round(sums.booked_minutes / 60, 1),
            "usage_percent": percent(sums.usage),
            "calls": sums.calls,
            "poor_calls": sums.poor_calls,
            "poor_calls_percent": percent(sums.poor_share),
        },
        "states": [{"state": state, "health": health, "rooms": number} for state, health, number in figures.states],
        "health": [
            {"day": one.day, "healthy": one.healthy, "unhealthy": one.unhealthy, "unmonitored": one.unmonitored}
            for one in figures.health
        ],
        "tickets": [
            {"day": one.day, "opened": one.opened, "closed": one.closed, "open": one.open} for one in figures.tickets
        ],
        "categories": [
            {"category": code or report_tables.CUSTOMER, "opened": number} for code, number in figures.categories
        ],
        "most_reliable": [_room(one) for one in figures.most],
        "least_reliable": [_room(one) for one in figures.least],
    }


def _nothing(days: int) -> dict[str, Any]:
    """The answer before the first run: everything is there, and empty."""
    empty = _plain(Figures(days, datetime.min, date.min + timedelta(days=days)))
    return empty | {"first": None, "last": None, "as_of": None}


def _room(one: Ranked) -> dict[str, Any]:
    return {
        "id": one.room_id,
        "display_name": one.name,
        "watched_days": one.watched_days,
        "unhealthy_days": one.unhealthy_days,
        "reliability_percent": percent(one.reliability),
    }

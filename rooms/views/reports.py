"""Reports: one page of figures, charts and rankings, and the same figures as files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format, get_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, tenant_page
from rooms import charts, report_tables
from rooms.charts import Chart, Series
from rooms.models import Health, RoomState
from rooms.report_filter import ReportFilter
from rooms.reports import Figures, Ranked, read
from rooms.services.report_sums import HEALTH_DAYS


@dataclass(frozen=True)
class Bar:
    """One row of a table with bars: `length` is out of 100."""

    label: str
    number: int
    length: str
    code: str = ""
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Tile:
    label: str
    figure: str
    note: str
    length: str = ""
    code: str = ""


@require_safe
@tenant_page(Permission.REPORTS_VIEW)
def reports(request: TenantRequest) -> HttpResponse:
    """The figures over the rooms in the person's scope, narrowed by period, room group and partner."""
    chosen = ReportFilter(request, request.GET)
    figures = read(chosen.question) if chosen.is_valid() else None
    context: dict[str, Any] = {
        "filter": chosen,
        "figures": figures,
        "csv_url": reverse("reports_csv", args=[request.customer.pk]) + chosen.query(),
        "health_days": HEALTH_DAYS,
    }
    if figures is not None and figures.rooms:
        context |= _shown(request, figures)
    return render(request, "rooms/reports/reports.html", context, status=200 if chosen.is_valid() else 400)


@require_safe
@tenant_page(Permission.REPORTS_VIEW)
def figures_csv(request: TenantRequest) -> HttpResponseBase:
    """What the page shows under the same filter, as CSV: one of the files of `report_tables`, or all rooms one by one."""
    chosen = ReportFilter(request, request.GET, also={"figure"})
    name = request.GET.get("figure", report_tables.FILES[0])
    if not chosen.is_valid() or name not in report_tables.FILES:
        return HttpResponseBadRequest(_("There is no such choice here (any more)."), content_type="text/plain")
    if name == "rooms":
        head: Sequence[str] = report_tables.ROOM_COLUMNS
        rows = report_tables.room_rows(chosen.rooms, chosen.period)
    else:
        figures = read(chosen.question)
        head, found = report_tables.table(name, figures) if figures is not None else ((), [])
        rows = iter(found)
    answer = StreamingHttpResponse(report_tables.lines(head, rows), content_type="text/csv")
    file_name = f"{slugify(request.customer.name) or 'reports'}-{name}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return answer


def _shown(request: TenantRequest, figures: Figures) -> dict[str, Any]:
    """Everything the page draws."""
    days = [one.day for one in figures.tickets]
    up = Series("opened", _("Opened"), [one.opened for one in figures.tickets])
    down = Series("closed", _("Closed"), [one.closed for one in figures.tickets])
    still = Series("open", pgettext("tickets", "Open"), [one.open for one in figures.tickets])
    sees_rooms = access.holds(request.held, Permission.ROOMS_VIEW, request.customer.pk)
    return {
        "tiles": _tiles(figures),
        "health_chart": _health_chart(figures),
        "health_rows": [(one, _percent(one.share("unhealthy"))) for one in reversed(figures.health)],
        "flow_chart": charts.mirrored("flow", _("Tickets opened and closed, day by day"), _("Tickets"), days, up, down),
        "open_chart": charts.line("open", _("Tickets open at the end of the day"), _("Tickets"), days, still),
        "ticket_rows": list(reversed(figures.tickets)),
        "categories": _bars([(report_tables.category_label(code), n, "") for code, n in figures.categories]),
        "states": _bars([(_state(state, health), n, f"bar-{health}") for state, health, n in figures.states]),
        "most": _ranking(request, figures.most, sees_rooms=sees_rooms),
        "least": _ranking(request, figures.least, sees_rooms=sees_rooms),
        "today": figures.tickets[-1].day,
        "span": _("%(first)s to %(last)s") % {"first": _day(figures.first), "last": _day(figures.last)},
    }


def _health_chart(figures: Figures) -> Chart:
    series = [
        Series(str(health), str(health.label), [one.share(health) for one in figures.health])
        for health in (Health.UNHEALTHY, Health.UNMONITORED, Health.HEALTHY)
    ]
    title = _("Rooms by health, day by day")
    return charts.stacked("health", title, _("Share of rooms"), [one.day for one in figures.health], series)


def _tiles(figures: Figures) -> list[Tile]:
    sums = figures.sums
    return [
        Tile(_("Rooms in these reports"), str(figures.rooms), _("Enrolled or suppressed")),
        _share_tile(
            _("Reliability"),
            sums.reliability,
            _("%(bad)s of %(all)s days were unhealthy") % {"bad": sums.unhealthy_days, "all": sums.watched_days},
            "healthy",
        ),
        _share_tile(
            _("Use"),
            sums.usage,
            _("%(hours)s hours booked on %(days)s days of 8 hours")
            % {"hours": round(sums.booked_minutes / 60), "days": sums.used_days},
            "use",
        ),
        _share_tile(
            _("Poor calls"),
            sums.poor_share,
            _("%(poor)s of %(all)s calls") % {"poor": sums.poor_calls, "all": sums.calls},
            "unhealthy",
        ),
        Tile(
            _("Open tickets"),
            str(figures.tickets[-1].open) if figures.tickets else "0",
            _("Now, whenever they were opened"),
        ),
    ]


def _share_tile(label: str, share: float | None, note: str, code: str) -> Tile:
    if share is None:
        return Tile(label, "–", _("No figures yet"))
    return Tile(label, _percent(share), note, charts.bar(min(share, 1), 1), code)


def _bars(rows: Sequence[tuple[str, int, str]]) -> list[Bar]:
    highest = max((number for _label, number, _code in rows), default=0)
    return [Bar(label, number, charts.bar(number, highest), code) for label, number, code in rows]


def _ranking(request: TenantRequest, ranked: Sequence[Ranked], *, sees_rooms: bool) -> list[Bar]:
    return [
        Bar(
            one.name,
            one.unhealthy_days,
            charts.bar(one.reliability, 1),
            _percent(one.reliability),
            reverse("room", args=[request.customer.pk, one.room_id]) if sees_rooms else "",
            one.city,
        )
        for one in ranked
    ]


def _state(state: str, health: str) -> str:
    """An enrolled room is as its health is; a suppressed one is suppressed, whatever it reports."""
    label = str(RoomState(state).label)
    return f"{label}: {Health(health).label}" if state == RoomState.ENROLLED else f"{label} ({Health(health).label})"


def _percent(share: float | None) -> str:
    if share is None:
        return "–"
    text = f"{share * 100:.1f}".removesuffix(".0")
    return _("%(number)s %%") % {"number": text.replace(".", _decimal_point())}


def _decimal_point() -> str:
    return str(get_format("DECIMAL_SEPARATOR"))


def _day(day: Any) -> str:
    return date_format(day, "DATE_FORMAT")

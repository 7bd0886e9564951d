"""The figures of reports as tables: what the page shows beside its charts is what the files and the API hold."""

import csv
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from audit.export import neutralise
from rooms.models import Room, RoomPeriod, SignalCategory
from rooms.reports import WORKDAY_MINUTES, Figures, periods_of
from rooms.services.room_days import REPORTED

CUSTOMER = "customer"  # the category of what people report
FILES = ("summary", "health", "tickets", "categories", "states", "rooms")
ROOM_COLUMNS = (
    "room",
    "resource_account",
    "city",
    "watched_days",
    "unhealthy_days",
    "reliability_percent",
    "unhealthy_minutes",
    "used_days",
    "booked_hours",
    "usage_percent",
    "calls",
    "poor_calls",
    "poor_calls_percent",
)
_SLICE = 2_000
_BOM = "\ufeff"  # without it spreadsheets take UTF-8 for something else


def category_label(code: str) -> str:
    """The word for a category of tickets."""
    return str(SignalCategory(code).label) if code else str(_("Reported by people"))


def percent(share: float | None) -> float | None:
    """As a number of percent with one decimal; None stays None."""
    return None if share is None else round(share * 100, 1)


def table(name: str, figures: Figures) -> tuple[Sequence[str], list[Sequence[Any]]]:
    """Heads and rows of the file `name`, which is none of single rooms."""
    return _TABLES[name](figures)


def _summary(figures: Figures) -> tuple[Sequence[str], list[Sequence[Any]]]:
    sums = figures.sums
    rows: list[Sequence[Any]] = [
        ("from", figures.first.isoformat()),
        ("to", figures.last.isoformat()),
        ("as_of", figures.as_of.isoformat(timespec="seconds")),
        ("rooms", figures.rooms),
        ("watched_days", sums.watched_days),
        ("unhealthy_days", sums.unhealthy_days),
        ("reliability_percent", percent(sums.reliability)),
        ("used_days", sums.used_days),
        ("booked_hours", round(sums.booked_minutes / 60, 1)),
        ("usage_percent", percent(sums.usage)),
        ("calls", sums.calls),
        ("poor_calls", sums.poor_calls),
        ("poor_calls_percent", percent(sums.poor_share)),
        ("open_tickets", figures.tickets[-1].open),
    ]
    return ("figure", "value"), rows


def _health(figures: Figures) -> tuple[Sequence[str], list[Sequence[Any]]]:
    return ("day", "rooms", "healthy", "unhealthy", "unmonitored"), [
        (one.day.isoformat(), one.rooms, one.healthy, one.unhealthy, one.unmonitored) for one in figures.health
    ]


def _tickets(figures: Figures) -> tuple[Sequence[str], list[Sequence[Any]]]:
    return ("day", "opened", "closed", "open"), [
        (one.day.isoformat(), one.opened, one.closed, one.open) for one in figures.tickets
    ]


def _categories(figures: Figures) -> tuple[Sequence[str], list[Sequence[Any]]]:
    return ("category", "opened"), [(code or CUSTOMER, number) for code, number in figures.categories]


def _states(figures: Figures) -> tuple[Sequence[str], list[Sequence[Any]]]:
    return ("state", "health", "rooms"), list(figures.states)


_TABLES = {
    "summary": _summary,
    "health": _health,
    "tickets": _tickets,
    "categories": _categories,
    "states": _states,
}


class _Echo:
    """A file that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def lines(head: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[bytes]:
    """The CSV, head first. A text that a spreadsheet would run as a formula is neutralised; a number stays a number."""
    writer = csv.writer(_Echo())
    yield (_BOM + writer.writerow(head)).encode()  # type: ignore[operator]  # the echo's answer, not a count
    for row in rows:
        cells = ["" if cell is None else neutralise(cell) if isinstance(cell, str) else cell for cell in row]
        yield writer.writerow(cells).encode()  # type: ignore[attr-defined]


def reported(rooms: QuerySet[Room]) -> QuerySet[Room]:
    """Those of `rooms` that enter reports."""
    return rooms.filter(state__in=REPORTED)


def room_rows(rooms: QuerySet[Room], days: int) -> Iterator[Sequence[Any]]:
    """What each of `rooms` did in the period, by name; memory stays flat however many there are."""
    chosen = (
        reported(rooms).order_by("display_name", "pk").values_list("pk", "display_name", "resource_account", "city")
    )
    part: list[Any] = []
    for room in chosen.iterator(chunk_size=_SLICE):
        part.append(room)
        if len(part) == _SLICE:
            yield from _with_periods(part, days)
            part = []
    yield from _with_periods(part, days)


def _with_periods(part: list[Any], days: int) -> Iterator[Sequence[Any]]:
    periods = periods_of([pk for pk, *_ in part], days)
    for pk, *names in part:
        yield (*names, *room_figures(periods.get(pk)).values())


def room_figures(period: RoomPeriod | None) -> dict[str, Any]:
    """What one room did, by column; nothing where it has no complete day yet."""
    if period is None:
        return dict.fromkeys(ROOM_COLUMNS[3:])
    used, watched = period.used_days, period.watched_days
    return {
        "watched_days": watched,
        "unhealthy_days": period.unhealthy_days,
        "reliability_percent": percent(1 - period.unhealthy_days / watched),
        "unhealthy_minutes": period.unhealthy_seconds // 60,
        "used_days": used,
        "booked_hours": round(period.booked_minutes / 60, 1) if used else None,
        "usage_percent": percent(period.booked_minutes / (used * WORKDAY_MINUTES)) if used else None,
        "calls": period.calls if used else None,
        "poor_calls": period.poor_calls if used else None,
        "poor_calls_percent": percent(period.poor_calls / period.calls) if period.calls else None,
    }

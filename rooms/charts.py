"""Charts as shapes: what templates draw as SVG. Numbers become coordinates here, colours and patterns are the style sheet's.

Each chart is made twice, for wide and for narrow windows: a picture that is only scaled has letters nobody can read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10

from babel.dates import format_skeleton
from django.utils.translation import get_language, to_locale

WIDTHS = {"wide": 760, "narrow": 340}
HEIGHT = 220
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 26
_LABEL_WIDTH = 74  # of a day, with air around it


@dataclass(frozen=True)
class Series:
    """One number for each day; None where there is nothing to say. `code` is the class that gives it its look."""

    code: str
    label: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Shape:
    code: str
    path: str


@dataclass(frozen=True)
class Tick:
    """A label at an axis; `at` is the place along it."""

    at: str
    label: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Drawing:
    """A chart for one width."""

    kind: str
    width: int
    shapes: Sequence[Shape]
    rows: Sequence[Tick]
    columns: Sequence[Tick]
    zero: str
    height: int = HEIGHT
    left: int = LEFT

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def label_at(self) -> int:
        return self.height - 6


@dataclass(frozen=True)
class Chart:
    """A chart with its name, what its colours mean, and the unit of its vertical axis."""

    code: str
    title: str
    unit: str
    legend: Sequence[Series]
    drawings: Sequence[Drawing]


@dataclass(frozen=True)
class _Field:
    """The inside of a chart: `count` days from left to right, values between `low` and `high` from the bottom up."""

    width: int
    count: int
    low: float
    high: float

    def x(self, place: float) -> str:
        inner = self.width - LEFT - RIGHT
        return _number(LEFT + inner * place / max(self.count, 1))

    def y(self, value: float) -> str:
        inner = HEIGHT - TOP - BOTTOM
        return _number(TOP + inner * (self.high - value) / (self.high - self.low))

    @property
    def gap(self) -> float:
        """Air at each side of a column, as part of its width; none where columns are only a few pixels wide."""
        return 0.12 if (self.width - LEFT - RIGHT) / max(self.count, 1) > 6 else 0.0


def stacked(code: str, title: str, unit: str, days: Sequence[date], series: Sequence[Series]) -> Chart:
    """Columns of shares (0 to 1), the first series at the bottom."""

    def draw(kind: str, width: int) -> Drawing:
        field = _Field(width, len(days), 0, 1)
        floors = [0.0] * len(days)
        shapes = []
        for one in series:
            tops = [None if value is None else base + value for base, value in zip(floors, one.values, strict=True)]
            shapes.append(Shape(one.code, _columns(field, floors, tops)))
            floors = [base if top is None else top for base, top in zip(floors, tops, strict=True)]
        rows = [Tick(field.y(share / 100), f"{share}\N{NO-BREAK SPACE}%", "end") for share in (0, 25, 50, 75, 100)]
        return Drawing(kind, width, shapes, rows, _days(field, days), field.y(0))

    return _both(code, title, unit, series, draw)


def mirrored(code: str, title: str, unit: str, days: Sequence[date], up: Series, down: Series) -> Chart:
    """Columns of one series upwards, of the other downwards."""
    highest = max([0, *(value or 0 for value in up.values)])
    lowest = max([0, *(value or 0 for value in down.values)])

    def draw(kind: str, width: int) -> Drawing:
        step = nice_step(max(highest, lowest), 3)
        field = _Field(width, len(days), -step * ceil(lowest / step), step * max(ceil(highest / step), 1))
        zeros = [0.0] * len(days)
        shapes = [
            Shape(up.code, _columns(field, zeros, up.values)),
            Shape(down.code, _columns(field, zeros, [None if value is None else -value for value in down.values])),
        ]
        return Drawing(kind, width, shapes, _counts(field, step), _days(field, days), field.y(0))

    return _both(code, title, unit, (up, down), draw)


def line(code: str, title: str, unit: str, days: Sequence[date], series: Series) -> Chart:
    """A line over its filled area."""

    def draw(kind: str, width: int) -> Drawing:
        values = [value or 0 for value in series.values]
        step = nice_step(max([0, *values]), 4)
        field = _Field(width, len(days), 0, step * max(ceil(max([0, *values]) / step), 1))
        points = [f"{field.x(place + 0.5)} {field.y(value)}" for place, value in enumerate(values)]
        edge = "M" + "L".join(points) if points else ""
        area = f"{edge}L{field.x(len(days) - 0.5)} {field.y(0)}L{field.x(0.5)} {field.y(0)}Z" if points else ""
        shapes = [Shape(f"{series.code}-area", area), Shape(f"{series.code}-line", edge)]
        return Drawing(kind, width, shapes, _counts(field, step), _days(field, days), field.y(0))

    return _both(code, title, unit, (series,), draw)


def nice_step(highest: float, most: int) -> int:
    """The distance of the marks on an axis up to `highest`: 1, 2 or 5 with zeros, so that there are about `most`."""
    if highest <= most:
        return 1
    raw = highest / most
    magnitude = 10 ** floor(log10(raw))
    return int(next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= raw))


def bar(value: float, highest: float) -> str:
    """How long the bar of `value` is, of 100."""
    return _number(100 * value / highest) if highest else "0"


def day_label(day: date) -> str:
    """A day without its year, short, in the reader's language."""
    return format_skeleton("MMMd", day, locale=to_locale(get_language() or "en"))


def _both(code: str, title: str, unit: str, series: Sequence[Series], draw: Callable[[str, int], Drawing]) -> Chart:
    return Chart(code, title, unit, series, [draw(kind, width) for kind, width in WIDTHS.items()])


def _columns(field: _Field, floors: Sequence[float], tops: Sequence[float | None]) -> str:
    """All columns of one series as one path; a column without height is left out."""
    return "".join(
        f"M{field.x(place + field.gap)} {field.y(base)}V{field.y(top)}H{field.x(place + 1 - field.gap)}V{field.y(base)}Z"
        for place, (base, top) in enumerate(zip(floors, tops, strict=True))
        if top is not None and top != base
    )


def _counts(field: _Field, step: int) -> list[Tick]:
    """Marks of numbers; what lies below zero is counted too, so it has no sign."""
    return [Tick(field.y(value), str(abs(value)), "end") for value in range(int(field.low), int(field.high) + 1, step)]


def _days(field: _Field, days: Sequence[date]) -> list[Tick]:
    """As many days as have room, the last one always among them."""
    if not days:
        return []
    fitting = max((field.width - LEFT - RIGHT) // _LABEL_WIDTH, 1)
    every = ceil(len(days) / fitting)
    places = range(len(days) - 1, -1, -every)
    return [Tick(field.x(place + 0.5), day_label(days[place]), _anchor(field, place)) for place in reversed(places)]


def _anchor(field: _Field, place: int) -> str:
    """Labels at the rims do not reach beyond them."""
    width = (field.width - LEFT - RIGHT) / field.count
    if place == field.count - 1 and width < _LABEL_WIDTH:
        return "end"
    return "start" if place == 0 and width < _LABEL_WIDTH else "middle"


def _number(value: float) -> str:
    """For SVG: a point, whatever the reader's language, and no more digits than anybody can see."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if value else "0"

"""The figures of reports, for one reader: only rooms on which he holds `reports.view` enter, averages included.

    question = Question(customer, days=30, rooms=None)          # everything: he covers the tenant
    question = Question(customer, days=30, rooms=ids)           # these rooms, which `access.visible` has answered
    figures = read(question)

Whoever covers the tenant reads rows that rooms/services/report_sums.py added up, however many rooms there are; anybody
else reads the periods of his rooms and their places in the bits of each day. Both are as of the last run.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import CharField, Func

from rooms.models import Health, ReportTenant, RoomPeriod
from rooms.services.report_sums import HEALTH_DAYS

RANKED = 10  # rooms in each of the two rankings
WORKDAY_MINUTES = 8 * 60  # what a room can be booked in a day (product contract §7.6)


@dataclass(frozen=True)
class Question:
    """Of whom, over how many days, over which rooms: all that enter reports, or those of `rooms` (ids) that do."""

    tenant: UUID
    days: int
    rooms: Collection[int] | None = None


@dataclass(frozen=True)
class HealthOf:
    """How many rooms were so on a day."""

    day: date
    healthy: int
    unhealthy: int
    unmonitored: int

    @property
    def rooms(self) -> int:
        return self.healthy + self.unhealthy + self.unmonitored

    def share(self, health: str) -> float | None:
        """The part of the rooms that were `health`, None on a day without rooms."""
        return getattr(self, health) / self.rooms if self.rooms else None


@dataclass(frozen=True)
class TicketsOf:
    """Tickets opened and closed on a day, and open when it ended."""

    day: date
    opened: int
    closed: int
    open: int


@dataclass(frozen=True)
class Ranked:
    """How reliable a room was."""

    room_id: int
    name: str
    city: str
    watched_days: int
    unhealthy_days: int
    unhealthy_seconds: int

    @property
    def reliability(self) -> float:
        """The part of its days that were not unhealthy."""
        return 1 - self.unhealthy_days / self.watched_days


@dataclass(frozen=True)
class Sums:
    """What the complete days of the period add up to."""

    rooms: int = 0
    watched_days: int = 0
    unhealthy_days: int = 0
    used_days: int = 0
    booked_minutes: int = 0
    calls: int = 0
    poor_calls: int = 0

    @property
    def reliability(self) -> float | None:
        return 1 - self.unhealthy_days / self.watched_days if self.watched_days else None

    @property
    def usage(self) -> float | None:
        """Booked hours / (days × 8 h), over days of which devices reported."""
        return self.booked_minutes / (self.used_days * WORKDAY_MINUTES) if self.used_days else None

    @property
    def poor_share(self) -> float | None:
        return self.poor_calls / self.calls if self.calls else None


@dataclass(frozen=True)
class Figures:
    """All that reports show. `last` is the last complete day; the day after it is under way."""

    days: int
    as_of: datetime
    last: date
    states: list[tuple[str, str, int]] = field(default_factory=list)
    health: list[HealthOf] = field(default_factory=list)
    tickets: list[TicketsOf] = field(default_factory=list)
    categories: list[tuple[str, int]] = field(default_factory=list)
    sums: Sums = field(default_factory=Sums)
    most: list[Ranked] = field(default_factory=list)
    least: list[Ranked] = field(default_factory=list)

    @property
    def first(self) -> date:
        return self.last - timedelta(days=self.days - 1)

    @property
    def rooms(self) -> int:
        """The rooms that enter the reports now."""
        return sum(number for _, _, number in self.states)


def read(question: Question) -> Figures | None:
    """The figures that `question` asks for; None until the first run has been."""
    zoned = ReportTenant.objects.annotate(zone=Func("tenant__time_zone", function="trm_zone", output_field=CharField()))
    state = zoned.filter(pk=question.tenant).first()
    if state is None:
        return None
    return _of_tenant(question, state) if question.rooms is None else _of_rooms(question, state)


def _of_tenant(question: Question, state: ReportTenant) -> Figures:
    values = _values(question, state)
    tickets = _rows(_TICKETS_OF_TENANT, values)
    return Figures(
        question.days,
        state.reckoned_at,
        state.day,
        states=[(one[0], one[1], one[2]) for one in state.rooms],
        health=[_health_of(row) for row in _rows(_HEALTH_OF_TENANT, values)],
        tickets=_history(tickets, state.open_tickets, question, state),
        categories=_categories(tickets),
        sums=Sums(*(_rows(_SUMS_OF_TENANT, values) or [()])[0]),
        most=_ranked(_MOST.format(rooms="p.tenant_id = %(tenant)s"), values),
        least=_ranked(_LEAST.format(rooms="p.tenant_id = %(tenant)s"), values),
    )


def _of_rooms(question: Question, state: ReportTenant) -> Figures:
    values = _values(question, state) | {"rooms": sorted(question.rooms or ())}
    places = _rows(_PLACES, values)
    values |= {"rooms": [room for room, *_ in places], "mask": _mask(places, state.slots)}
    tickets = _rows(_TICKETS_OF_ROOMS, values)
    ((still_open,),) = _rows(_OPEN_OF_ROOMS, values)
    since = sum(opened - closed for day, _, opened, closed in tickets if day is None)
    tickets = [row for row in tickets if row[0] is not None]
    return Figures(
        question.days,
        state.reckoned_at,
        state.day,
        states=_states(places),
        health=[_health_of(row) for row in _rows(_HEALTH_OF_ROOMS, values)],
        tickets=_history(tickets, still_open - since, question, state),
        categories=_categories(tickets),
        sums=Sums(*_rows(_SUMS_OF_ROOMS, values)[0]),
        most=_ranked(_MOST.format(rooms="p.room_id = ANY(%(rooms)s)"), values),
        least=_ranked(_LEAST.format(rooms="p.room_id = ANY(%(rooms)s)"), values),
    )


def periods_of(rooms: Sequence[int], days: int) -> dict[int, RoomPeriod]:
    """What the complete days of each of `rooms` add up to, where there are any."""
    found = RoomPeriod.objects.filter(room__in=rooms, days=days, watched_days__gt=0)
    return {one.room_id: one for one in found}


_HEALTH_OF_TENANT = """
SELECT day, watched_rooms, unhealthy_rooms, unmonitored_rooms FROM rooms_healthday
WHERE tenant_id = %(tenant)s AND day BETWEEN %(health_from)s AND %(today)s ORDER BY day
"""
# New rooms have places behind those that an older day knows of.
_HEALTH_OF_ROOMS = """
SELECT day, bit_count(watched & mine), bit_count(unhealthy & mine), bit_count(unmonitored & mine)
FROM rooms_healthday, LATERAL substring(%(mask)s::varbit from 1 for length(watched)) mine
WHERE tenant_id = %(tenant)s AND day BETWEEN %(health_from)s AND %(today)s ORDER BY day
"""
_PLACES = """
SELECT r.id, r.state, r.health, s.slot FROM rooms_room r LEFT JOIN rooms_reportroom s ON s.room_id = r.id
WHERE r.id = ANY(%(rooms)s) AND r.tenant_id = %(tenant)s AND r.state IN ('enrolled', 'suppressed')
"""
_SUMS_OF_TENANT = """
SELECT rooms, watched_days, unhealthy_days, used_days, booked_minutes, calls, poor_calls FROM rooms_tenantperiod
WHERE tenant_id = %(tenant)s AND days = %(days)s
"""
_SUMS_OF_ROOMS = """
SELECT count(*), COALESCE(sum(watched_days), 0), COALESCE(sum(unhealthy_days), 0), COALESCE(sum(used_days), 0),
    COALESCE(sum(booked_minutes), 0), COALESCE(sum(calls), 0)::bigint, COALESCE(sum(poor_calls), 0)::bigint
FROM rooms_roomperiod p WHERE p.room_id = ANY(%(rooms)s) AND p.days = %(days)s AND p.watched_days > 0
"""
_RANKING = """
SELECT p.room_id, r.display_name, r.city, p.watched_days, p.unhealthy_days, p.unhealthy_seconds FROM (
    SELECT * FROM rooms_roomperiod p WHERE {rooms} AND p.days = %(days)s AND p.watched_days > 0
"""
_MOST = (
    _RANKING
    + """ORDER BY p.unhealthy_days, p.unhealthy_seconds, p.watched_days DESC, p.room_id LIMIT %(ranked)s
) p JOIN rooms_room r ON r.id = p.room_id
ORDER BY p.unhealthy_days, p.unhealthy_seconds, p.watched_days DESC, p.room_id
"""
)
_LEAST = (
    _RANKING
    + """AND p.unhealthy_days > 0
    ORDER BY p.unhealthy_days DESC, p.unhealthy_seconds DESC, p.watched_days, p.room_id DESC LIMIT %(ranked)s
) p JOIN rooms_room r ON r.id = p.room_id
ORDER BY p.unhealthy_days DESC, p.unhealthy_seconds DESC, p.watched_days, p.room_id DESC
"""
)
_TICKETS_OF_TENANT = """
SELECT day, category, opened, closed FROM rooms_ticketday
WHERE tenant_id = %(tenant)s AND day BETWEEN %(from)s AND %(today)s ORDER BY day, category
"""
# A ticket counts once, however many of its rooms are among these. What came after the last run has no day yet.
_TICKETS_OF_ROOMS = """
WITH mine AS MATERIALIZED (SELECT DISTINCT ticket_id FROM rooms_ticketroom WHERE room_id = ANY(%(rooms)s))
SELECT CASE WHEN e.at <= %(as_of)s THEN (e.at AT TIME ZONE %(zone)s)::date END AS day,
    t.signal_category, count(*) FILTER (WHERE e.kind <> 'closed'), count(*) FILTER (WHERE e.kind = 'closed')
FROM mine JOIN rooms_ticketentry e ON e.ticket_id = mine.ticket_id JOIN rooms_ticket t ON t.id = mine.ticket_id
WHERE e.tenant_id = %(tenant)s AND e.kind IN ('opened', 'closed', 'reopened')
    AND e.at >= (%(from)s::timestamp AT TIME ZONE %(zone)s)
GROUP BY 1, 2 ORDER BY 1, 2
"""
_OPEN_OF_ROOMS = """
SELECT count(*) FROM rooms_ticket t WHERE t.tenant_id = %(tenant)s AND t.state <> 'closed'
    AND EXISTS (SELECT FROM rooms_ticketroom k WHERE k.ticket_id = t.id AND k.room_id = ANY(%(rooms)s))
"""


def _values(question: Question, state: ReportTenant) -> dict[str, Any]:
    return {
        "tenant": question.tenant,
        "days": question.days,
        "from": state.day - timedelta(days=question.days - 1),
        "health_from": state.day - timedelta(days=min(question.days, HEALTH_DAYS) - 1),
        "today": state.day + timedelta(days=1),
        "as_of": state.reckoned_at,
        "zone": state.zone,  # type: ignore[attr-defined]  # annotated
        "ranked": RANKED,
    }


def _rows(statement: str, values: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _mask(places: list[Any], slots: int) -> str:
    """A one at the place of each room."""
    bits = bytearray(b"0") * slots
    for *_, slot in places:
        if slot is not None and slot < slots:
            bits[slot] = 49
    return bits.decode()


def _health_of(row: tuple[date, int, int, int]) -> HealthOf:
    day, watched, unhealthy, unmonitored = row
    return HealthOf(day, watched - unhealthy - unmonitored, unhealthy, unmonitored)


def _states(places: list[Any]) -> list[tuple[str, str, int]]:
    counts: dict[tuple[str, str], int] = {}
    for _, state, health, _ in places:
        counts[state, health] = counts.get((state, health), 0) + 1
    return [(state, health, number) for (state, health), number in sorted(counts.items())]


def _ranked(statement: str, values: dict[str, Any]) -> list[Ranked]:
    return [Ranked(*row) for row in _rows(statement, values)]


def _categories(tickets: list[Any]) -> list[tuple[str, int]]:
    """Tickets opened by category, most first."""
    counts: dict[str, int] = {}
    for _, category, opened, _ in tickets:
        counts[category] = counts.get(category, 0) + opened
    return sorted(((name, number) for name, number in counts.items() if number), key=lambda one: (-one[1], one[0]))


def _history(tickets: list[Any], open_now: int, question: Question, state: ReportTenant) -> list[TicketsOf]:
    """Day by day, backwards from what is open now."""
    opened: dict[date, int] = {}
    closed: dict[date, int] = {}
    for day, _, number, gone in tickets:
        opened[day] = opened.get(day, 0) + number
        closed[day] = closed.get(day, 0) + gone
    history, still = [], open_now
    for back in range(question.days + 1):
        day = state.day + timedelta(days=1 - back)
        history.append(TicketsOf(day, opened.get(day, 0), closed.get(day, 0), still))
        still -= opened.get(day, 0) - closed.get(day, 0)
    return history[::-1]


def share_of(states: Sequence[tuple[str, str, int]], health: Health) -> int:
    """How many of the enrolled rooms are `health`."""
    return sum(number for state, found, number in states if state == "enrolled" and found == health)

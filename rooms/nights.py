"""The calendar of updates: on which Wednesday a ring begins, and when a room's night is. Pure; no clock, no database.

A release is published. The ring of the lowest order begins on the first Wednesday after that day; its rooms are spread
over its rollout days, one night each; then its test days pass; the next ring begins on the first Wednesday that is not
before their end. A room's night lasts from 00:00 to 05:00 by the clock on its own wall.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rooms.places import is_time_zone

WEDNESDAY = 2
_BEGINS, _ENDS = time(0), time(5)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class RingDays:
    """A ring as far as the calendar is concerned."""

    ring_id: int
    rollout_days: int
    test_days: int


@dataclass(frozen=True)
class Span:
    """The days of a rollout: rooms begin on the first, on the last, or between."""

    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Night:
    """When a room may update itself."""

    starts_at: datetime
    ends_at: datetime


def wednesday_from(day: date) -> date:
    """The first Wednesday that is not before `day`."""
    return day + timedelta(days=(WEDNESDAY - day.weekday()) % 7)


def plan(published_on: date, today: date, rings: Iterable[RingDays], begun: Mapping[int, Span]) -> dict[int, Span]:
    """For each of `rings` (in their order) the days of its rollout.

    Those in `begun` keep theirs; no other begins before tomorrow, nor before the rollout and test days of the rings in
    front of it are over.
    """
    spans: dict[int, Span] = {}
    free_from = published_on + _DAY
    for ring in rings:
        span = begun.get(ring.ring_id)
        if span is None:
            starts_on = wednesday_from(max(free_from, today + _DAY))
            span = Span(starts_on, starts_on + timedelta(days=ring.rollout_days - 1))
        spans[ring.ring_id] = span
        free_from = max(free_from, span.ends_on + timedelta(days=1 + ring.test_days))
    return spans


def zone_of(name: str, otherwise: str) -> ZoneInfo:
    """The time zone `name`; that called `otherwise` if there is no such one, UTC if there is neither."""
    return ZoneInfo(next((one for one in (name, otherwise) if is_time_zone(one)), "UTC"))


def night_of(day: date, zone: ZoneInfo) -> Night:
    """The night with which `day` begins in `zone`. Where the clock jumps over midnight, the day begins with the jump."""
    begins, ends = (datetime.combine(day, at, zone).astimezone(UTC) for at in (_BEGINS, _ENDS))
    return Night(begins, ends)


def night_from(day: date, zone: ZoneInfo, now: datetime) -> Night:
    """The night of `day`, or the next one that has not yet begun where that one is over."""
    night = night_of(day, zone)
    return night if night.ends_at > now else next_night(now, zone)


def next_night(now: datetime, zone: ZoneInfo) -> Night:
    """The first night in `zone` that begins after `now`."""
    return night_of(now.astimezone(zone).date() + _DAY, zone)

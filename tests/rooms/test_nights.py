"""The calendar of updates: Wednesdays, and nights by the clock on the wall."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.nights import RingDays, Span, next_night, night_from, night_of, plan, wednesday_from, zone_of

RINGS = (RingDays(1, 7, 7), RingDays(2, 14, 7), RingDays(3, 7, 0))


def span(start: str, end: str) -> Span:
    return Span(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("day", "wednesday"),
    [
        ("2026-11-25", "2026-11-25"),
        ("2026-11-26", "2026-12-02"),
        ("2026-12-31", "2027-01-06"),  # over the year's end
        ("2028-02-24", "2028-03-01"),  # over a leap day
    ],
)
def test_the_next_wednesday(day: str, wednesday: str) -> None:
    assert wednesday_from(date.fromisoformat(day)) == date.fromisoformat(wednesday)


def test_the_preconfigured_rings_begin_one_after_the_other() -> None:
    published = date(2026, 11, 25)  # a Wednesday: the first one after it is the next week's
    assert plan(published, published, RINGS, {}) == {
        1: span("2026-12-02", "2026-12-08"),
        2: span("2026-12-16", "2026-12-29"),
        3: span("2027-01-06", "2027-01-12"),
    }


def test_a_ring_that_has_begun_keeps_its_days_and_the_later_ones_follow_it() -> None:
    begun = {1: span("2026-12-09", "2026-12-15")}
    planned = plan(date(2026, 11, 25), date(2026, 12, 10), RINGS, begun)
    assert planned == {
        1: span("2026-12-09", "2026-12-15"),
        2: span("2026-12-23", "2027-01-05"),
        3: span("2027-01-13", "2027-01-19"),
    }


def test_nothing_is_planned_for_today_or_the_past() -> None:
    wednesday = date(2026, 12, 30)
    planned = plan(date(2026, 6, 1), wednesday, RINGS[:1], {})
    assert planned == {1: span("2027-01-06", "2027-01-12")}


@given(
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), min_size=1, max_size=9),
)
def test_every_ring_begins_on_a_wednesday_after_the_test_of_the_one_before(published: date, rings: list) -> None:
    days = [RingDays(number, *pair) for number, pair in enumerate(rings)]
    planned = list(plan(published, published, days, {}).values())

    assert all(one.starts_on.weekday() == 2 and one.starts_on > published for one in planned)
    assert planned[0].starts_on <= published + timedelta(days=7)
    for ring, one in zip(days, planned, strict=True):
        assert (one.ends_on - one.starts_on).days == ring.rollout_days - 1
    for ring, before, after in zip(days, planned, planned[1:], strict=False):
        tested = before.ends_on + timedelta(days=ring.test_days)
        assert tested < after.starts_on <= tested + timedelta(days=7)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "zone", "begins", "ends"),
    [
        ("2026-12-02", "Europe/Berlin", "2026-12-01T23:00", "2026-12-02T04:00"),
        ("2026-12-02", "America/Los_Angeles", "2026-12-02T08:00", "2026-12-02T13:00"),
        ("2026-12-02", "Pacific/Kiritimati", "2026-12-01T10:00", "2026-12-01T15:00"),
        ("2026-12-02", "Asia/Kathmandu", "2026-12-01T18:15", "2026-12-01T23:15"),
        ("2027-01-01", "Pacific/Auckland", "2026-12-31T11:00", "2026-12-31T16:00"),
        # The clocks are put forward at 02:00: four hours; and back at 03:00: six.
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00", "2026-03-29T03:00"),
        ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00", "2026-10-25T04:00"),
        # They are put forward at midnight: the day begins at 01:00, and no hour earlier.
        ("2026-04-24", "Africa/Cairo", "2026-04-23T22:00", "2026-04-24T02:00"),
    ],
)
def test_a_night_by_the_rooms_own_clock(day: str, zone: str, begins: str, ends: str) -> None:
    night = night_of(date.fromisoformat(day), ZoneInfo(zone))
    assert (night.starts_at, night.ends_at) == (utc(begins), utc(ends))


def test_the_next_night_begins_after_now() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert next_night(utc("2026-12-02T23:30"), berlin).starts_at == utc("2026-12-03T23:00")
    assert next_night(utc("2026-12-02T22:30"), berlin).starts_at == utc("2026-12-02T23:00")


def test_a_night_that_is_over_is_another_one() -> None:
    berlin, day = ZoneInfo("Europe/Berlin"), date(2026, 12, 2)
    assert night_from(day, berlin, utc("2026-12-02T03:59")) == night_of(day, berlin)
    assert night_from(day, berlin, utc("2026-12-02T04:00")).starts_at == utc("2026-12-02T23:00")


def test_a_zone_that_does_not_exist_is_the_tenants() -> None:
    assert zone_of("Asia/Tokyo", "Europe/Berlin").key == "Asia/Tokyo"
    assert zone_of("", "Europe/Berlin").key == "Europe/Berlin"
    assert zone_of("../etc/passwd", "Nowhere/None").key == "UTC"

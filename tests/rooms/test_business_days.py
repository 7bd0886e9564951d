"""Business days: Monday to Friday, by the clock on the wall of the customer's time zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.business_days import silent_since

VIENNA, UTC = ZoneInfo("Europe/Vienna"), ZoneInfo("UTC")


def at(text: str, zone: ZoneInfo = VIENNA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


# 2026-11-20 is a Friday.
@pytest.mark.parametrize(
    ("said", "over"),
    [
        ("2026-11-16T09:30", "2026-11-19T09:30"),  # within a week
        ("2026-11-20T15:00", "2026-11-25T15:00"),  # over a weekend
        ("2026-11-18T00:00", "2026-11-23T00:00"),
        ("2026-11-21T10:00", "2026-11-26T00:00"),  # said on a Saturday: counts from Monday on
        ("2026-11-22T23:59", "2026-11-26T00:00"),
    ],
)
def test_three_days_have_passed_at_that_moment_and_not_before(said: str, over: str) -> None:
    assert at(said) <= silent_since(at(over), 3, VIENNA)
    assert at(said) > silent_since(at(over) - timedelta(minutes=1), 3, VIENNA)


def test_nothing_becomes_due_at_a_weekend() -> None:
    before = silent_since(at("2026-11-20T23:59:59.999999"), 3, VIENNA)
    for moment in ("2026-11-21T00:00", "2026-11-21T12:00", "2026-11-22T23:59"):
        assert silent_since(at(moment), 3, VIENNA) == before
    assert silent_since(at("2026-11-23T00:00"), 3, VIENNA) > before


def test_fifteen_days_are_three_weeks() -> None:
    assert silent_since(at("2026-11-25T08:00"), 15, VIENNA) == at("2026-11-04T08:00")


def test_the_zone_decides_which_day_it_is() -> None:
    now = at("2026-11-22T23:30", UTC)  # Sunday in London, Monday in Vienna and Tokyo
    assert silent_since(now, 1, UTC) == at("2026-11-19T23:59:59.999999", UTC)
    assert silent_since(now, 1, VIENNA) == at("2026-11-20T00:30")


def test_the_wall_clock_counts_when_clocks_are_set_back() -> None:
    # Vienna leaves summer time on Sunday, 25 October 2026: Friday noon to Monday noon are 73 hours.
    since = silent_since(at("2026-10-26T12:00"), 1, VIENNA)
    assert since == at("2026-10-23T12:00")
    assert at("2026-10-26T12:00").astimezone(UTC) - since.astimezone(UTC) == timedelta(hours=73)


@given(
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 31)),
    st.integers(0, 600),
    st.integers(1, 15),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"]),
)
def test_it_never_lies_at_a_weekend_and_never_goes_back(moment, later, days, name) -> None:
    zone = ZoneInfo(name)
    now = moment.replace(tzinfo=UTC)
    since = silent_since(now, days, zone)
    assert since.weekday() < 5
    assert since.replace(tzinfo=None) <= now.astimezone(zone).replace(tzinfo=None) - timedelta(days=days)
    if name in ("UTC", "Asia/Tokyo"):  # where no clock is ever set
        assert silent_since(now + timedelta(hours=later), days, zone) >= since

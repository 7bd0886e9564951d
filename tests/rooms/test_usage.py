"""What devices count in a day: bounded, idempotent, and late figures still count."""

from datetime import timedelta

import pytest

from rooms.errors import UnusableUse
from rooms.models import ReportRoom, RoomDay
from rooms.services import usage
from tests.factories import RoomFactory

pytestmark = pytest.mark.django_db

FIGURES = {"booked_minutes": 240, "calls": 10, "poor_calls": 2}


@pytest.fixture
def room():
    return RoomFactory(time_zone="Asia/Tokyo")


def noted():
    return list(RoomDay.objects.values_list("room", "day", "tenant", "booked_minutes", "calls", "poor_calls"))


def test_the_totals_of_a_day_replace_what_was_said_before(room):
    today = usage.today_of(room)
    usage.note(room, today, **FIGURES)
    usage.note(room, today, **FIGURES | {"calls": 11})
    usage.note(room, today, **FIGURES | {"calls": 11})
    assert noted() == [(room.pk, today, room.tenant_id, 240, 11, 2)]


def test_a_day_is_a_day_of_the_rooms_own_calendar(room, clock):
    west = RoomFactory(time_zone="America/Los_Angeles", tenant=room.tenant)
    now = clock.now()
    clock.move(now.replace(hour=16, minute=0) - now)
    assert usage.today_of(room) == usage.today_of(west) + timedelta(days=1)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "Factory/Nonsense"])
def test_a_room_without_a_usable_time_zone_lives_by_its_tenants_clock(zone, clock):
    room = RoomFactory(time_zone=zone, tenant__time_zone="Pacific/Kiritimati")
    now = clock.now()
    clock.move(now.replace(hour=12, minute=0) - now)
    assert usage.today_of(room) == clock.now().date() + timedelta(days=1)


@pytest.mark.parametrize(("days", "is_usable"), [(1, False), (0, True), (-7, True), (-8, False)])
def test_days_to_come_and_long_ago_are_refused(room, days, is_usable):
    day = usage.today_of(room) + timedelta(days=days)
    if is_usable:
        usage.note(room, day, **FIGURES)
    else:
        with pytest.raises(UnusableUse):
            usage.note(room, day, **FIGURES)
    assert len(noted()) == is_usable


@pytest.mark.parametrize(
    "figures",
    [{"booked_minutes": 1441}, {"booked_minutes": -1}, {"calls": 1}, {"poor_calls": -1}, {"calls": 10_001}],
)
def test_what_no_day_can_hold_is_refused(room, figures):
    with pytest.raises(UnusableUse) as caught:
        usage.note(room, usage.today_of(room), **FIGURES | figures)
    assert (caught.value.code, noted()) == ("use_out_of_range", [])


def test_late_figures_are_added_up_again_and_those_of_today_are_not_yet(room, clock):
    today = usage.today_of(room)
    state = ReportRoom.objects.create(
        room=room, tenant=room.tenant, slot=0, settled_through=today, reckoned_at=clock.now(), summed_through=today
    )
    usage.note(room, today, **FIGURES)
    state.refresh_from_db()
    assert state.reckoned_at is not None
    usage.note(room, today - timedelta(days=1), **FIGURES)
    state.refresh_from_db()
    assert (state.reckoned_at, state.summed_through) == (None, None)

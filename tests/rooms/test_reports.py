"""The figures of reports: days by the room's own clock, sums over the reader's rooms only, the same done twice."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from rooms import reports
from rooms.models import EntryKind, HealthDay, HealthPeriod, ReportRoom, Room, RoomDay, RoomPeriod
from rooms.reports import Question
from rooms.services import report_sums, usage
from tests.factories import RoomFactory
from tests.factories.histories import stretch, ticket

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def noon(clock):
    """It is noon in Berlin, on a day without a change of the clocks around it."""
    clock.move(datetime(2026, 11, 20, 11, tzinfo=ZoneInfo("UTC")) - clock.now())
    return datetime(2026, 11, 20, 12, tzinfo=BERLIN)


@pytest.fixture
def room(noon):
    return make_room("Berlin")


def make_room(name, tenant=None, zone="Europe/Berlin", **fields):
    more = {"tenant": tenant} if tenant else {"tenant__time_zone": "Europe/Berlin"}
    return RoomFactory(display_name=name, state="enrolled", health="healthy", time_zone=zone, **more | fields)


def at(noon, days, hour, minute=0, second=0):
    """So many days before, at that time in Berlin."""
    day = noon.date() - timedelta(days=days)
    return datetime.combine(day, time(hour, minute, second), tzinfo=BERLIN)


def read(room, days=7, rooms=None):
    assert report_sums.run()
    return reports.read(Question(room.tenant_id, days, rooms))


def seconds(room, day):
    return RoomDay.objects.values_list("healthy", "unhealthy", "unmonitored").get(room=room, day=day)


def test_nothing_is_there_before_the_first_run(room):
    assert reports.read(Question(room.tenant_id, 7)) is None


def test_only_what_lies_between_five_and_nine_by_the_rooms_clock_counts(room, noon):
    stretch(room, "healthy", at(noon, 2, 0), at(noon, 2, 4))
    stretch(room, "unhealthy", at(noon, 2, 4), at(noon, 2, 5, 20))
    stretch(room, "healthy", at(noon, 2, 5, 20), at(noon, 2, 20, 50))
    stretch(room, "unmonitored", at(noon, 2, 20, 50), at(noon, 1, 0))
    read(room)
    assert seconds(room, (noon - timedelta(days=2)).date()) == (15 * 3600 + 1800, 1200, 600)


@pytest.mark.parametrize(("second", "unhealthy_days"), [(0, 0), (1, 1)])
def test_a_day_is_unhealthy_with_more_than_twenty_minutes(room, noon, second, unhealthy_days):
    stretch(room, "unhealthy", at(noon, 1, 8), at(noon, 1, 8, 20, second))
    stretch(room, "healthy", at(noon, 1, 8, 20, second), at(noon, 1, 22))
    figures = read(room)
    assert (figures.sums.watched_days, figures.sums.unhealthy_days) == (1, unhealthy_days)


def test_short_impacts_of_one_day_add_up(room, noon):
    for hour in (8, 10, 12):
        stretch(room, "unhealthy", at(noon, 1, hour), at(noon, 1, hour, 7))
    assert read(room).sums.unhealthy_days == 1


def test_a_change_of_the_clocks_does_not_move_a_day(clock):
    clock.move(datetime(2026, 10, 26, 12, tzinfo=ZoneInfo("UTC")) - clock.now())
    room = make_room("Berlin")
    sunday = datetime(2026, 10, 25, tzinfo=BERLIN)  # has 25 hours
    stretch(room, "unhealthy", sunday, sunday.replace(hour=23))
    read(room)
    assert seconds(room, sunday.date()) == (0, 16 * 3600, 0)


def test_the_day_under_way_is_provisional(room, noon, clock):
    stretch(room, "healthy", at(noon, 0, 6))
    figures = read(room)
    assert figures.last == noon.date() - timedelta(days=1)
    assert figures.sums == reports.Sums()
    assert [(one.day, one.rooms) for one in figures.health] == [(figures.last, 0), (noon.date(), 1)][
        -len(figures.health) :
    ]
    clock.move(timedelta(hours=13))
    assert read(room).sums.watched_days == 1


def test_what_is_done_twice_is_the_same_as_done_once(room, noon):
    stretch(room, "unhealthy", at(noon, 40, 6), at(noon, 3, 12))
    usage.note(room, noon.date() - timedelta(days=3), booked_minutes=60, calls=4, poor_calls=1)
    first = read(room, 30)
    ReportRoom.objects.update(reckoned_at=None)
    report_sums.run()
    assert read(room, 30).__dict__ | {"as_of": None} == first.__dict__ | {"as_of": None}
    assert first.sums.unhealthy_days == 28


def test_after_days_of_outage_the_run_goes_on_where_it_was(room, noon, clock):
    stretch(room, "healthy", at(noon, 1, 6))
    read(room)
    clock.move(timedelta(days=20))
    figures = read(room, 30)
    assert figures.sums.watched_days == 21
    assert [one.healthy for one in figures.health] == [1] * 22


def test_a_run_that_dies_between_two_steps_is_made_good(room, noon):
    stretch(room, "healthy", at(noon, 5, 6))
    report_sums.run(seconds=0)
    figures = read(room)
    assert figures.sums.watched_days == 5


def test_late_figures_of_use_still_count(room, noon):
    stretch(room, "healthy", at(noon, 5, 6))
    assert read(room).sums.usage is None
    usage.note(room, noon.date() - timedelta(days=4), booked_minutes=240, calls=8, poor_calls=2)
    usage.note(room, noon.date(), booked_minutes=480, calls=8, poor_calls=8)
    report_sums.AGAIN_AFTER, kept = timedelta(0), report_sums.AGAIN_AFTER
    try:
        sums = read(room).sums
    finally:
        report_sums.AGAIN_AFTER = kept
    assert (sums.usage, sums.poor_share) == (0.5, 0.25)


def test_use_of_a_day_in_maintenance_counts_for_nobody(room, noon):
    stretch(room, "healthy", at(noon, 3, 6), at(noon, 2, 0))
    usage.note(room, noon.date() - timedelta(days=1), booked_minutes=240, calls=8, poor_calls=8)
    assert read(room).sums == reports.Sums(rooms=1, watched_days=1)


@pytest.mark.parametrize("state", ["onboarding", "unenrolled"])
def test_rooms_that_are_not_enrolled_enter_nothing(room, noon, state):
    other = make_room("Gone", room.tenant)
    for one in (room, other):
        stretch(one, "unhealthy", at(noon, 3, 6), at(noon, 1, 22))
    ticket(other, events=[(EntryKind.OPENED, at(noon, 2, 9))])
    both = read(room)
    assert (both.rooms, both.sums.rooms, both.tickets[-1].open) == (2, 2, 1)
    Room.objects.filter(pk=other.pk).update(state=state)
    ReportRoom.objects.update(reckoned_at=None)
    HealthDay.objects.update(watched_rooms=9)
    report_sums.add_up(room.tenant_id)
    for rooms in (None, [room.pk, other.pk]):
        alone = reports.read(Question(room.tenant_id, 7, rooms))
        assert (alone.rooms, alone.sums.rooms, alone.tickets[-1].open) == (1, 1, 0)
        assert {one.rooms for one in alone.health} <= {0, 1}
        assert [one.name for one in alone.least] == ["Berlin"]


def test_a_room_that_comes_back_brings_its_days_back(room, noon, clock):
    stretch(room, "unhealthy", at(noon, 3, 6), at(noon, 1, 22))
    read(room)
    Room.objects.update(state="unenrolled")
    clock.move(timedelta(minutes=11))
    assert read(room).sums.rooms == 0
    Room.objects.update(state="enrolled")
    clock.move(timedelta(hours=2))
    assert read(room).sums.unhealthy_days == 3


def test_a_ticket_with_several_rooms_counts_once(room, noon):
    other, third = make_room("Other", room.tenant), make_room("Third", room.tenant)
    ticket(room, other, category="", events=[(EntryKind.OPENED, at(noon, 2, 9)), (EntryKind.CLOSED, at(noon, 1, 9))])
    ticket(other, third, events=[(EntryKind.OPENED, at(noon, 1, 9))])
    for rooms, categories, still in (
        (None, [("", 2)], 1),
        ([room.pk, other.pk, third.pk], [("", 2)], 1),
        ([room.pk], [("", 1)], 0),
        ([third.pk], [("", 1)], 1),
    ):
        figures = read(room, rooms=rooms)
        assert (figures.categories, figures.tickets[-1].open) == (categories, still)


def test_the_history_of_tickets_counts_what_was_open_each_evening(room, noon):
    opened, closed, again = EntryKind.OPENED, EntryKind.CLOSED, EntryKind.REOPENED
    ticket(
        room, category="audio", events=[(opened, at(noon, 90, 9)), (closed, at(noon, 3, 9)), (again, at(noon, 1, 9))]
    )
    ticket(room, events=[(opened, at(noon, 2, 23, 30)), (closed, at(noon, 0, 9))])
    expected = [(0, 0, 1), (0, 0, 1), (0, 0, 1), (0, 1, 0), (1, 0, 1), (1, 0, 2), (0, 1, 1)]
    for rooms in (None, [room.pk]):
        figures = read(room, rooms=rooms)
        assert [(one.opened, one.closed, one.open) for one in figures.tickets[1:]] == expected
        assert figures.categories == [("", 1), ("audio", 1)]


def test_the_rankings_put_the_fewest_unhealthy_days_first_and_last(room, noon):
    rooms = [room, *(make_room(f"Room {number}", room.tenant) for number in range(3))]
    for number, one in enumerate(rooms):
        for back in range(1, 5):
            stretch(one, "unhealthy" if back <= number else "healthy", at(noon, back, 5), at(noon, back, 21))
    for chosen in (None, [one.pk for one in rooms]):
        figures = read(room, rooms=chosen)
        assert [one.name for one in figures.most] == ["Berlin", "Room 0", "Room 1", "Room 2"]
        assert [one.name for one in figures.least] == ["Room 2", "Room 1", "Room 0"]
        assert [one.reliability for one in figures.most] == [1, 0.75, 0.5, 0.25]


def test_rooms_far_away_have_days_of_their_own(room, noon):
    tokyo, seattle = make_room("Tokyo", room.tenant, "Asia/Tokyo"), make_room("S", room.tenant, "America/Los_Angeles")
    for one in (tokyo, seattle):
        stretch(one, "healthy", at(noon, 4, 12))
    read(room)
    days = {(row.room_id, row.day.day) for row in RoomDay.objects.all()}
    assert days == {(tokyo.pk, day) for day in (16, 17, 18, 19, 20)} | {(seattle.pk, day) for day in (16, 17, 18, 19)}
    assert dict(RoomPeriod.objects.filter(days=7).values_list("room", "watched_days")) == {
        room.pk: 0,
        tokyo.pk: 4,
        seattle.pk: 4,
    }


def test_old_days_and_old_health_are_forgotten_once_they_are_settled(room, noon, clock):
    stretch(room, "healthy", at(noon, 120, 6), at(noon, 110, 6))
    stretch(room, "healthy", at(noon, 110, 6))
    assert report_sums.forget() == 0
    read(room)
    assert (report_sums.forget(), HealthPeriod.objects.count()) == (1, 1)
    assert RoomDay.objects.count() == 121
    clock.move(timedelta(days=100))
    read(room)
    assert RoomDay.objects.order_by("day").first().day == noon.date() + timedelta(days=100 - 190)

"""Whatever the health, use and tickets of rooms were: the figures of a reader are those that a slow, plain account of just
his rooms gives, whether or not there are rooms he does not see."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms import reports
from rooms.models import (
    EntryKind,
    HealthPeriod,
    ReportRoom,
    ReportTenant,
    Room,
    RoomDay,
    RoomPeriod,
    TenantPeriod,
    Ticket,
    TicketDay,
    TicketEntry,
    TicketRoom,
)
from rooms.models import HealthDay as Day
from rooms.reports import Question
from rooms.services import report_sums
from tests.factories import RoomFactory
from tests.factories.histories import stretch, ticket

pytestmark = pytest.mark.django_db
UTC = ZoneInfo("UTC")
ZONES = ("Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Kiritimati", "")
TENANT_ZONE = "Europe/Berlin"
HEALTHS = ("healthy", "unhealthy", "unmonitored", None)
DAYS = 7
TABLES = (TicketEntry, TicketRoom, Ticket, Day, RoomPeriod, TenantPeriod, TicketDay, RoomDay, ReportRoom, ReportTenant)

minutes = st.integers(1, 9 * 24 * 60)
histories = st.lists(st.tuples(st.sampled_from(HEALTHS), st.integers(1, 2000)), max_size=8)
uses = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 600), st.integers(0, 9), st.integers(0, 9)), max_size=4)
rooms_of = st.lists(
    st.tuples(
        st.sampled_from(ZONES),
        st.sampled_from(("enrolled", "enrolled", "suppressed", "unenrolled")),
        histories,
        uses,
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)
tickets_of = st.lists(
    st.tuples(
        st.sets(st.integers(0, 4), min_size=1),
        st.lists(minutes, min_size=1, max_size=4, unique=True),
        st.sampled_from(("", "audio", "display")),
    ),
    max_size=4,
)
# Around a change of the clocks in Berlin and in California, and at odd times of the day.
moments = st.sampled_from(
    (
        datetime(2027, 3, 30, 1, 7, tzinfo=UTC),
        datetime(2027, 11, 9, 23, 20, tzinfo=UTC),
        datetime(2027, 7, 1, 12, tzinfo=UTC),
    )
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments, rooms_of, tickets_of)
def test_figures_are_those_of_a_plain_account(clock, moment, told, incidents):
    _clear()
    clock.move(moment - clock.now())
    rooms = _make(told, moment)
    tied = _report(rooms, incidents, moment)
    while not report_sums.run():
        pass
    state = ReportTenant.objects.filter(pk=rooms[0].tenant_id).first()
    if state is None:
        assert all(room.state == "unenrolled" for room in rooms)
        return
    seen = [room for room, (*_, is_seen) in zip(rooms, told, strict=True) if is_seen]
    for mine, asked in ((rooms, None), (rooms, rooms), (seen, seen)):
        ids = None if asked is None else [room.pk for room in asked]
        figures = reports.read(Question(rooms[0].tenant_id, DAYS, ids))
        _compare(figures, [room for room in mine if room.state != "unenrolled"], tied)


def _clear():
    for model in TABLES:
        model.objects.all()._raw_delete("default")
    HealthPeriod.objects.all().delete()
    Room.objects.all().delete()


def _make(told, moment):
    rooms = []
    for zone, state, history, used, _ in told:
        tenant = {"tenant": rooms[0].tenant} if rooms else {"tenant__time_zone": TENANT_ZONE}
        room = RoomFactory(time_zone=zone, state=state, health="healthy", **tenant)
        at = moment - timedelta(minutes=sum(length for _, length in history))
        for health, length in history:
            if health is not None:
                stretch(room, health, at, at + timedelta(minutes=length))
            at += timedelta(minutes=length)
        today = moment.astimezone(_zone(room)).date()
        for back, booked, calls, poor in used:
            RoomDay.objects.update_or_create(
                room=room,
                day=today - timedelta(days=back),
                defaults={
                    "tenant": room.tenant,
                    "booked_minutes": booked,
                    "calls": calls,
                    "poor_calls": min(poor, calls),
                },
            )
        rooms.append(room)
    return rooms


def _report(rooms, incidents, moment):
    """The tickets, each with its rooms and what happened to it."""
    tied = []
    for places, ages, category in incidents:
        about = [rooms[place] for place in sorted(places) if place < len(rooms)]
        if not about:
            continue
        kinds = [EntryKind.OPENED, EntryKind.CLOSED, EntryKind.REOPENED, EntryKind.CLOSED]
        events = list(zip(kinds, (moment - timedelta(minutes=age) for age in sorted(ages, reverse=True)), strict=False))
        ticket(*about, category=category, events=events)
        tied.append(({room.pk for room in about}, category, events))
    return tied


def _zone(room):
    return ZoneInfo(room.time_zone or TENANT_ZONE)


def _compare(figures, rooms, tied):
    as_of = figures.as_of
    last = (as_of - timedelta(minutes=10)).astimezone(ZoneInfo(TENANT_ZONE)).date() - timedelta(days=1)
    assert figures.last == last
    days = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    accounts = {room: {day: _day(room, day) for day in [*days, last + timedelta(days=1)]} for room in rooms}
    assert Counter({(state, health): number for state, health, number in figures.states}) == Counter(
        (room.state, room.health) for room in rooms
    )
    known = {one.day: (one.healthy, one.unhealthy, one.unmonitored) for one in figures.health}
    for day in [*days, last + timedelta(days=1)]:
        found = Counter(_verdict(accounts[room][day]) for room in rooms)
        assert known.get(day, (0, 0, 0)) == (found["healthy"], found["unhealthy"], found["unmonitored"])
    sums = {room: _sums(room, accounts[room], days, as_of) for room in rooms}
    watched = [one for one in sums.values() if one[0]]
    totals = [sum(one[place] for one in watched) for place in (0, 1, 3, 4, 5, 6)]
    assert figures.sums == reports.Sums(len(watched), *totals)
    order = sorted((one[1], one[2], -one[0], room.pk) for room, one in sums.items() if one[0])
    assert [one.room_id for one in figures.most] == [pk for *_, pk in order]
    assert [one.room_id for one in figures.least] == [pk for bad, *_, pk in reversed(order) if bad]
    _compare_tickets(figures, [one for one in tied if one[0] & {room.pk for room in rooms}], days)


def _compare_tickets(figures, tied, days):
    zone = ZoneInfo(TENANT_ZONE)
    for one in figures.tickets:
        end = datetime.combine(one.day + timedelta(days=1), time(), tzinfo=zone)
        happened = Counter(
            kind == EntryKind.CLOSED
            for _, _, events in tied
            for kind, at in events
            if at.astimezone(zone).date() == one.day
        )
        still = sum(
            [kind for kind, at in events if at < end][-1:] not in ([], [EntryKind.CLOSED]) for _, _, events in tied
        )
        assert (one.opened, one.closed, one.open) == (happened[False], happened[True], still)
    counted = Counter(
        category
        for _, category, events in tied
        for kind, at in events
        if kind != EntryKind.CLOSED and at.astimezone(zone).date() >= days[0]
    )
    assert dict(figures.categories) == dict(counted)


def _day(room, day: date):
    """Seconds of each health between five and nine, by the room's clock."""
    start, end = (datetime.combine(day, time(hour), tzinfo=_zone(room)).astimezone(UTC) for hour in (5, 21))
    seconds = Counter()
    for period in HealthPeriod.objects.filter(room=room):
        overlap = min(period.ended_at, end) - max(period.began_at, start)
        if overlap > timedelta(0):
            seconds[period.health] += overlap.total_seconds()
    return seconds


def _verdict(seconds):
    if not seconds:
        return None
    if seconds["unhealthy"] > 1200:
        return "unhealthy"
    silent = seconds["unmonitored"] > seconds["healthy"] + seconds["unhealthy"]
    return "unmonitored" if silent else "healthy"


def _sums(room, account, days, as_of):
    """Watched days, unhealthy days, unhealthy seconds, used days, booked minutes, calls, poor calls."""
    today = (as_of - timedelta(minutes=10)).astimezone(_zone(room)).date()
    over = [day for day in days if day < today and account[day]]
    used = RoomDay.objects.filter(room=room, day__in=over, booked_minutes__isnull=False)
    return (
        len(over),
        sum(_verdict(account[day]) == "unhealthy" for day in over),
        sum(account[day]["unhealthy"] for day in over),
        len(used),
        sum(one.booked_minutes for one in used),
        sum(one.calls for one in used),
        sum(one.poor_calls for one in used),
    )

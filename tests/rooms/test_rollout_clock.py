"""Rollouts go on by the database's clock: from a release to the last room."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audit.clock import now
from audit.models import AuditEvent
from rbac.models import Tenant
from rooms import schedule
from rooms.models import Release, Rollout, Room, RoomActivity, RoomUpdate, UpdateRing
from rooms.services import releases, rollout_clock, rollouts, update_rings
from tests.factories.rows import RoomFactory
from tests.factories.world import World, make
from tests.foundation.clock import Clock

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def time(clock: Clock) -> Clock:
    """It is Monday, 30 November 2026, noon in UTC."""
    clock.move(datetime(2026, 11, 30, 12, tzinfo=UTC) - clock.now())
    return clock


@pytest.fixture
def rooms(world: World, time: Clock) -> list[Room]:
    """Contoso's three rooms, enrolled and in Staging: two in Berlin, one in Seattle, all with an old version."""
    tenant = world.contoso.tenant
    Tenant.objects.filter(pk=tenant.pk).update(time_zone="Europe/Berlin")
    staging = UpdateRing.objects.get(tenant=tenant, key="staging")
    own = Room.objects.filter(tenant=tenant)
    own.update(state="enrolled", app_version="5.0", ring=staging, time_zone="Europe/Berlin")
    own.filter(country="US").update(time_zone="America/Los_Angeles")
    return list(own.order_by("pk"))


def publish(version: str = "5.1") -> Release:
    release = releases.publish(version, by=None)
    schedule.schedule_rollouts()
    return release


def rollout(tenant: Tenant, key: str = "staging", version: str = "5.1") -> Rollout:
    return Rollout.objects.select_related("ring", "release", "tenant").get(
        tenant=tenant, ring__key=key, release__version=version
    )


def at(time: Clock, text: str, zone: ZoneInfo = BERLIN) -> None:
    """It is `text` in `zone`, and the clock has rung."""
    time.move(datetime.fromisoformat(text).replace(tzinfo=zone) - time.now())
    schedule.advance_rollouts()


def states(of: Rollout) -> Counter[str]:
    return Counter(of.rooms.values_list("state", flat=True))


def lines() -> list[tuple[str, str, Any]]:
    found = AuditEvent.objects.filter(category="Ring").order_by("id")
    return [(one.operation, one.object_name, one.after) for one in found]


# --- Scheduling ---------------------------------------------------------------------------------


def test_publishing_schedules_one_rollout_for_each_ring_of_each_tenant(world: World, time: Clock) -> None:
    publish()
    for customer in (world.contoso, world.tailwind):
        found = Rollout.objects.filter(tenant=customer.tenant).order_by("ring__order")
        assert [(one.ring.key, one.state, one.starts_on, one.ends_on) for one in found] == [
            ("staging", "scheduled", date(2026, 12, 2), date(2026, 12, 8)),
            ("general", "scheduled", date(2026, 12, 16), date(2026, 12, 29)),
            ("executive", "scheduled", date(2027, 1, 6), date(2027, 1, 12)),
        ]
    assert rollout_clock.unscheduled() == []


def test_scheduling_twice_changes_nothing(world: World, time: Clock) -> None:
    publish()
    before = (list(Rollout.objects.order_by("pk").values()), AuditEvent.objects.count())
    schedule.schedule_rollouts()
    rollout_clock.schedule(world.contoso.tenant.pk)
    assert (list(Rollout.objects.order_by("pk").values()), AuditEvent.objects.count()) == before


def test_a_ring_that_comes_later_gets_its_rollout_behind_the_others(world: World, time: Clock) -> None:
    publish()
    made = update_rings.create(world.contoso.tenant, "Boardrooms", by=world.contoso.admin, rollout_days=3)
    schedule.schedule_rollouts()
    assert Rollout.objects.get(ring=made).starts_on == date(2027, 1, 13)


def test_a_newer_release_deprecates_what_has_not_ended(world: World, rooms: list[Room], time: Clock) -> None:
    publish()
    at(time, "2026-12-02T01:00")
    Rollout.objects.filter(tenant=world.tailwind.tenant, ring__key="staging").update(state="completed")
    publish("5.2")

    mine = Rollout.objects.filter(tenant=world.contoso.tenant, release__version="5.1")
    assert set(mine.values_list("state", flat=True)) == {"deprecated"}
    assert states(rollout(world.contoso.tenant)) == {"ended": 3}
    assert rollout(world.tailwind.tenant).state == "completed"
    assert rollouts.target_of(rooms[0]).target_version is None
    assert lines()[-1][2]["deprecated"] or lines()[-2][2]["deprecated"]


# --- Beginning ----------------------------------------------------------------------------------


def test_a_ring_begins_with_the_wednesday_of_its_first_room(world: World, rooms: list[Room], time: Clock) -> None:
    publish()
    at(time, "2026-12-01T23:59")
    assert rollout(world.contoso.tenant).state == "scheduled"
    at(time, "2026-12-02T00:01")
    assert rollout(world.contoso.tenant).state == "in_progress"
    assert states(rollout(world.contoso.tenant)) == {"offered": 1, "waiting": 2}


def test_the_rooms_are_spread_over_the_days_each_by_its_own_clock(world: World, rooms: list[Room], time: Clock) -> None:
    publish()
    at(time, "2026-12-02T00:01")
    found = RoomUpdate.objects.filter(rollout=rollout(world.contoso.tenant)).order_by("room")
    nights = [(one.starts_at.astimezone(ZoneInfo(one.room.time_zone)), one.ends_at - one.starts_at) for one in found]
    assert [(when.replace(tzinfo=None), length) for when, length in nights] == [
        (datetime(2026, 12, 2), 5 * HOUR),
        (datetime(2026, 12, 4), 5 * HOUR),
        (datetime(2026, 12, 6), 5 * HOUR),
    ]


def test_rooms_that_are_not_monitored_take_no_part_and_those_up_to_date_are_done(
    world: World, rooms: list[Room], time: Clock
) -> None:
    publish()
    Room.objects.filter(pk=rooms[0].pk).update(state="onboarding")
    Room.objects.filter(pk=rooms[1].pk).update(app_version="5.10")
    at(time, "2026-12-02T12:00")
    assert dict(RoomUpdate.objects.values_list("room", "state")) == {rooms[1].pk: "done", rooms[2].pk: "offered"}


def test_a_ring_that_needs_nothing_is_not_required(world: World, rooms: list[Room], time: Clock) -> None:
    publish()
    Room.objects.filter(pk__in=[room.pk for room in rooms]).update(app_version="5.1.0")
    at(time, "2026-12-02T00:01")
    assert rollout(world.contoso.tenant).state == "not_required"
    assert not RoomUpdate.objects.exists()
    assert rollout(world.tailwind.tenant).state == "scheduled"  # in UTC it is still Tuesday
    at(time, "2026-12-02T01:01")
    assert rollout(world.tailwind.tenant).state == "not_required"  # without rooms


def test_a_clock_that_stood_still_gives_the_next_nights(world: World, rooms: list[Room], time: Clock) -> None:
    publish()
    at(time, "2026-12-05T12:00")
    begins = RoomUpdate.objects.filter(room=rooms[0]).get().starts_at
    assert begins == datetime(2026, 12, 6, tzinfo=BERLIN)


# --- Nights -------------------------------------------------------------------------------------


def one_room(world: World, rooms: list[Room], time: Clock) -> Rollout:
    """A rollout in progress with the first room alone, in its first night."""
    Room.objects.filter(pk__in=[room.pk for room in rooms[1:]]).update(state="unenrolled")
    publish()
    at(time, "2026-12-02T00:01")
    return rollout(world.contoso.tenant)


def test_a_room_that_reports_the_version_completes_the_rollout(world: World, rooms: list[Room], time: Clock) -> None:
    running = one_room(world, rooms, time)
    assert rollouts.target_of(rooms[0]).now
    rollouts.note_report(rooms[0], app_version="5.1")
    schedule.advance_rollouts()
    running.refresh_from_db()
    assert (running.state, states(running)) == ("completed", {"done": 1})
    assert lines()[-1] == ("Update", "5.1 → staging", {"state": "completed"})


def test_three_nights_without_success_are_a_failure(world: World, rooms: list[Room], time: Clock) -> None:
    running = one_room(world, rooms, time)
    for day, attempts in ((2, 1), (3, 2)):
        at(time, f"2026-12-0{day}T05:01")
        update = running.rooms.get()
        assert (update.state, update.attempts) == ("waiting", attempts)
        assert update.starts_at == datetime(2026, 12, day + 1, tzinfo=BERLIN)
        at(time, f"2026-12-0{day + 1}T00:01")
        assert states(running) == {"offered": 1}
    at(time, "2026-12-04T05:01")
    running.refresh_from_db()
    assert (running.state, states(running)) == ("completed_with_failures", {"failed": 1})
    told = RoomActivity.objects.filter(room=rooms[0]).get()
    assert (told.kind, told.detail) == ("update_failed", {"version": "5.1", "failure": ""})

    rollouts.note_report(rooms[0], app_version="5.1")
    schedule.advance_rollouts()
    running.refresh_from_db()
    assert running.state == "completed"


def test_a_room_that_leaves_the_service_leaves_the_rollout(world: World, rooms: list[Room], time: Clock) -> None:
    running = one_room(world, rooms, time)
    Room.objects.filter(pk=rooms[0].pk).update(state="unenrolled")
    schedule.advance_rollouts()
    running.refresh_from_db()
    assert (running.state, states(running)) == ("completed", {"ended": 1})


def test_a_room_that_comes_late_takes_part(world: World, rooms: list[Room], time: Clock) -> None:
    running = one_room(world, rooms, time)
    rollouts.note_report(rooms[0], app_version="5.1")
    schedule.advance_rollouts()
    late = RoomFactory(tenant=running.tenant, ring=running.ring, state="enrolled", app_version="5.0")
    RoomFactory(tenant=running.tenant, ring=running.ring, state="enrolled", app_version="5.1")
    schedule.take_in_late_rooms()

    running.refresh_from_db()
    assert (running.state, states(running)) == ("in_progress", {"done": 1, "waiting": 1})
    assert running.rooms.get(room=late).starts_at == datetime(2026, 12, 3, tzinfo=BERLIN)
    assert lines()[-1][2] == {"state": "in_progress", "rooms": 1}
    count = AuditEvent.objects.count()
    schedule.take_in_late_rooms()
    assert AuditEvent.objects.count() == count


def test_nothing_happens_while_a_rollout_is_paused(world: World, rooms: list[Room], time: Clock) -> None:
    running = one_room(world, rooms, time)
    Rollout.objects.filter(pk=running.pk).update(state="paused")
    running.rooms.update(state="paused")
    at(time, "2026-12-05T12:00")
    assert states(running) == {"paused": 1}


def test_the_clock_rings_without_anything_to_do(world: World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        schedule.schedule_rollouts()
    publish()
    with django_assert_num_queries(2):
        schedule.schedule_rollouts()


def test_all_tenants_are_scheduled_after_publishing_not_while(world: World, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(25):
        releases.publish("5.1", by=None)
    assert not Rollout.objects.exists()
    assert now()

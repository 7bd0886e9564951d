"""What a rollout means for a room: what its device is told, and what becomes of what it reports."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.clock import now
from rooms.models import ActivityKind, Release, Rollout, Room, RoomActivity, RoomUpdate
from rooms.services import rollouts
from rooms.services.rollouts import Target
from rooms.versions import order_of
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def room(world: World) -> Room:
    """An enrolled room in Berlin."""
    Room.objects.filter(pk=world.contoso.rooms[0].pk).update(
        state="enrolled", time_zone="Europe/Berlin", app_version="5.0"
    )
    return Room.objects.select_related("ring", "tenant").get(pk=world.contoso.rooms[0].pk)


def update_of(room: Room, version: str = "5.1", begins_in: timedelta = -HOUR, **fields: Any) -> RoomUpdate:
    """The part of `room` in a rollout of `version`; its night begins in `begins_in`."""
    release, _ = Release.objects.get_or_create(
        version=version, defaults={"order": order_of(version), "published_at": now()}
    )
    rollout = Rollout.objects.create(
        tenant=room.tenant,
        ring=room.ring,
        release=release,
        state=fields.pop("rollout", "in_progress"),
        starts_on=date(2026, 12, 2),
        ends_on=date(2026, 12, 2),
        state_changed_at=now(),
    )
    begins = now() + begins_in
    fields = {"state": "offered", "starts_at": begins, "ends_at": begins + 5 * HOUR} | fields
    return RoomUpdate.objects.create(tenant=room.tenant, room=room, rollout=rollout, changed_at=now(), **fields)


def state_of(update: RoomUpdate) -> tuple[str, int, str]:
    update.refresh_from_db()
    return update.state, update.attempts, update.failure


def told() -> list[tuple[str, dict[str, Any]]]:
    return list(RoomActivity.objects.order_by("pk").values_list("kind", "detail"))


def test_a_room_without_a_rollout_has_nothing_to_install(room: Room) -> None:
    assert rollouts.target_of(room) == Target(room.ring)


def test_before_its_night_a_room_knows_when_but_not_what(room: Room) -> None:
    update = update_of(room, begins_in=HOUR, state="waiting")
    assert rollouts.target_of(room) == Target(room.ring, None, update.starts_at, update.ends_at, now=False)


def test_in_its_night_a_room_installs_whether_or_not_the_clock_has_marked_it(room: Room) -> None:
    update = update_of(room, state="waiting")
    expected = Target(room.ring, "5.1", update.starts_at, update.ends_at, now=True)
    assert rollouts.target_of(room) == expected
    RoomUpdate.objects.update(state="offered")
    assert rollouts.target_of(room) == expected


def test_after_its_night_the_version_still_holds_but_not_now(room: Room) -> None:
    update = update_of(room, begins_in=-6 * HOUR)
    assert rollouts.target_of(room) == Target(room.ring, "5.1", update.starts_at, update.ends_at, now=False)


@pytest.mark.parametrize("fields", [{"state": one} for one in ("paused", "done", "failed", "ended")] + [
    {"rollout": one} for one in ("paused", "deprecated", "completed_with_failures")
])  # fmt: skip
def test_what_is_paused_or_over_tells_nothing(room: Room, fields: dict[str, str]) -> None:
    update_of(room, **fields)
    assert rollouts.target_of(room) == Target(room.ring)


@pytest.mark.parametrize("state", ["onboarding", "unenrolled"])
def test_a_room_that_is_not_monitored_takes_no_part(room: Room, state: str) -> None:
    update_of(room)
    Room.objects.filter(pk=room.pk).update(state=state)
    assert rollouts.target_of(room) == Target(room.ring)


@pytest.mark.parametrize("version", ["5.1", "5.1.0.0", "5.10"])
@pytest.mark.parametrize("state", ["waiting", "offered", "paused", "failed"])
def test_a_room_that_has_the_version_is_done(room: Room, version: str, state: str) -> None:
    update = update_of(room, state=state, failure="no space")
    rollouts.note_report(room, app_version=version, failure="no space")
    assert state_of(update)[::2] == ("done", "")
    assert told() == [(ActivityKind.UPDATED, {"version": "5.1"})]


@pytest.mark.parametrize("version", ["5.0.99999", "", "unknown"])
def test_an_older_version_changes_nothing(room: Room, version: str) -> None:
    update = update_of(room)
    rollouts.note_report(room, app_version=version)
    assert state_of(update) == ("offered", 0, "")
    assert told() == []


def test_a_failure_waits_for_the_next_night_and_the_third_is_the_last(room: Room) -> None:
    update = update_of(room)
    for attempts in (1, 2):
        rollouts.note_report(room, app_version="5.0", failure="no space left")
        assert state_of(update) == ("waiting", attempts, "no space left")
        assert update.starts_at > now()
        assert berlin_hours(update) == (0, 5)
        rollouts.note_report(room, app_version="5.0", failure="again, outside its night")
        assert state_of(update) == ("waiting", attempts, "no space left")
        RoomUpdate.objects.update(state="offered")

    rollouts.note_report(room, app_version="5.0", failure="x" * 300)
    assert state_of(update) == ("failed", 3, "x" * 200)
    assert told() == [(ActivityKind.UPDATE_FAILED, {"version": "5.1", "failure": "x" * 200})]


def berlin_hours(update: RoomUpdate) -> tuple[int, int]:
    moments: list[datetime] = [update.starts_at, update.ends_at]
    begins, ends = (one.astimezone(ZoneInfo("Europe/Berlin")).hour for one in moments)
    return begins, ends


def test_another_rooms_update_and_an_ended_rollout_stay_as_they_are(world: World, room: Room) -> None:
    other = world.tailwind.rooms[0]
    foreign = update_of(Room.objects.select_related("ring", "tenant").get(pk=other.pk))
    over = update_of(room, rollout="deprecated", state="ended")
    rollouts.note_report(room, app_version="9.0", failure="")
    assert (state_of(foreign)[0], state_of(over)[0]) == ("offered", "ended")


def test_a_report_without_an_open_update_costs_one_query(room: Room) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rollouts.note_report(room, app_version="5.0")
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        rollouts.target_of(room)
    assert len(queries) == 1


def test_a_room_leaves(world: World, room: Room) -> None:
    update, old = update_of(room), update_of(room, "5.0", state="done")
    assert rollouts.leave([room.pk]) == 1
    assert (state_of(update)[0], state_of(old)[0]) == ("ended", "done")

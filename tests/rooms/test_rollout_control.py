"""What people do to a rollout: as a whole, or for the rooms they are responsible for."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from audit.clock import now
from audit.models import AuditEvent
from rbac.catalogue import BuiltIn, Permission
from rbac.models import User
from rooms import change_control
from rooms.errors import AwaitsApproval, NothingToUpdate, RingPaused, RolloutNotRunning, StaleRing
from rooms.models import ControlPolicy, Release, Rollout, Room, RoomActivity, RoomUpdate, UpdateRing
from rooms.services import rollout_clock, rollout_control, rollouts
from rooms.versions import order_of
from tests.factories import join
from tests.factories.evidence import refused
from tests.factories.world import World, make, over

pytestmark = pytest.mark.django_db
ACTIONS: tuple[Callable[..., Rollout], ...] = (
    rollout_control.pause,
    rollout_control.resume,
    rollout_control.retry,
    rollout_control.force,
)


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def running(world: World) -> Rollout:
    """Contoso's default ring is in progress, all three rooms wait for their night."""
    contoso = world.contoso
    Room.objects.filter(tenant=contoso.tenant).update(state="enrolled", app_version="5.0")
    release = Release.objects.create(version="5.1", order=order_of("5.1"), published_at=now())
    made = Rollout.objects.create(
        tenant=contoso.tenant,
        ring=UpdateRing.objects.get(tenant=contoso.tenant, is_default=True),
        release=release,
        state="in_progress",
        starts_on=date(2026, 12, 2),
        ends_on=date(2026, 12, 8),
        state_changed_at=now(),
    )
    rollout_clock.take_in(made)
    return Rollout.objects.select_related("ring", "release", "tenant").get(pk=made.pk)


def lead(world: World) -> User:
    """Responsible for the two German rooms."""
    return world.contoso.member(BuiltIn.SITE_LEAD, "lea", over(*world.contoso.german))


def states(rollout: Rollout) -> list[str]:
    """The rollout's, then its rooms' in their order; the last one is American."""
    rollout.refresh_from_db()
    return [rollout.state, *rollout.rooms.order_by("room").values_list("state", flat=True)]


def set_all(rollout: Rollout, to: str, **fields: Any) -> None:
    Rollout.objects.filter(pk=rollout.pk).update(state=to)
    rollout.rooms.update(**fields)


def last_line() -> Any:
    return AuditEvent.objects.filter(category="Ring").latest("id")


def test_the_whole_ring_is_paused_and_resumed(world: World, running: Rollout) -> None:
    admin = world.contoso.admin
    rollout_control.pause(running, by=admin)
    assert states(running) == ["paused", "paused", "paused", "paused"]
    line = last_line()
    assert (line.object_name, line.before) == ("5.1 → General", {"state": "in_progress"})
    assert line.after == {"action": "pause", "whole": True, "state": "paused", "rooms": 3}
    assert rollouts.target_of(world.contoso.rooms[0]).starts_at is None

    rollout_control.resume(running, by=admin)
    assert states(running) == ["in_progress", "waiting", "waiting", "waiting"]
    assert all(one > now() for one in running.rooms.values_list("starts_at", flat=True))
    assert running.version == 3


def test_who_is_responsible_for_some_rooms_pauses_those(world: World, running: Rollout) -> None:
    lea = lead(world)
    rollout_control.pause(running, by=lea)
    assert states(running) == ["in_progress", "paused", "paused", "waiting"]
    refused(NothingToUpdate, lambda: rollout_control.pause(running, by=lea),
            f"Contoso: Ring/Update 5.1 → General Failed(nothing_to_update) {lea.upn}")  # fmt: skip
    rollout_control.resume(running, by=lea)
    assert states(running) == ["in_progress", "waiting", "waiting", "waiting"]


def test_only_who_has_the_whole_ring_resumes_the_whole_ring(world: World, running: Rollout) -> None:
    lea = lead(world)
    rollout_control.pause(running, by=world.contoso.admin)
    refused(RingPaused, lambda: rollout_control.resume(running, by=lea),
            f"Contoso: Ring/Update 5.1 → General Failed(ring_paused) {lea.upn}")  # fmt: skip


def test_a_scheduled_rollout_is_paused_as_a_whole_and_resumed_to_a_day_ahead(world: World, running: Rollout) -> None:
    running.rooms.all().delete()
    Rollout.objects.filter(pk=running.pk).update(state="scheduled")
    with pytest.raises(RolloutNotRunning):
        rollout_control.pause(running, by=lead(world))
    rollout_control.pause(running, by=world.contoso.admin)
    Rollout.objects.filter(pk=running.pk).update(starts_on=date(2020, 1, 1), ends_on=date(2020, 1, 8))
    rollout_control.resume(running, by=world.contoso.admin)
    assert states(running) == ["scheduled"]
    assert running.starts_on > now().date() - timedelta(days=1)
    assert (running.ends_on - running.starts_on).days == 13


def test_retry_lets_all_failed_rooms_try_again(world: World, running: Rollout) -> None:
    set_all(running, "completed_with_failures", state="failed", attempts=3, failure="no space")
    rollout_control.retry(running, by=lead(world))
    assert states(running) == ["in_progress", "waiting", "waiting", "failed"]
    assert list(running.rooms.order_by("room").values_list("attempts", "failure")) == [
        (0, ""),
        (0, ""),
        (3, "no space"),
    ]
    rollout_control.retry(running, by=world.contoso.admin)
    assert states(running) == ["in_progress", "waiting", "waiting", "waiting"]
    with pytest.raises(NothingToUpdate):
        rollout_control.retry(running, by=world.contoso.admin)


def test_force_is_at_once_with_the_name_in_log_and_history(world: World, running: Rollout) -> None:
    lea, (first, second, _) = lead(world), world.contoso.rooms
    RoomUpdate.objects.filter(room=first).update(state="failed", attempts=3)
    rollout_control.force(running, by=lea, rooms=[first.pk])
    assert states(running) == ["in_progress", "offered", "waiting", "waiting"]
    update = running.rooms.get(room=first)
    assert (update.forced_by, update.attempts, update.ends_at - update.starts_at) == (lea.upn, 0, timedelta(hours=5))
    assert rollouts.target_of(first).now
    assert (last_line().user_id, last_line().after["rooms"]) == (lea.upn, [first.pk])
    told = RoomActivity.objects.get()
    assert (told.room, told.kind, told.by, told.detail) == (first, "update_forced", lea.upn, {"version": "5.1"})

    rollout_control.force(running, by=lea)
    assert states(running) == ["in_progress", "offered", "offered", "waiting"]
    assert second.pk


def test_a_room_that_is_not_ones_own_is_not_forced(world: World, running: Rollout) -> None:
    american = world.contoso.rooms[2]
    for rooms in ([american.pk], [world.contoso.rooms[0].pk, american.pk], [world.tailwind.rooms[0].pk], [10**9]):
        with pytest.raises(PermissionDenied):
            rollout_control.force(running, by=lead(world), rooms=rooms)
    assert states(running) == ["in_progress", "waiting", "waiting", "waiting"]


def test_forcing_what_is_done_is_refused(world: World, running: Rollout) -> None:
    set_all(running, "in_progress", state="done")
    with pytest.raises(NothingToUpdate):
        rollout_control.force(running, by=world.contoso.admin, rooms=[world.contoso.rooms[0].pk])


@pytest.mark.parametrize("action", ACTIONS)
def test_who_may_not_changes_nothing(world: World, running: Rollout, action: Callable[..., Rollout]) -> None:
    tech = world.contoso.member(BuiltIn.SITE_TECH, "tess")
    for person in (tech, world.tailwind.admin):
        refused(PermissionDenied, lambda by=person: action(running, by=by),
                f"Contoso: Ring/Update 5.1 → General Failed(permission_denied) {person.upn}")  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", ["completed", "deprecated", "not_required"])
def test_what_is_over_is_not_changed(
    world: World, running: Rollout, action: Callable[..., Rollout], state: str
) -> None:
    set_all(running, state, state="failed")
    with pytest.raises(RolloutNotRunning):
        action(running, by=world.contoso.admin)
    assert states(running) == [state, "failed", "failed", "failed"]


def test_failures_of_an_older_release_are_not_retried(world: World, running: Rollout) -> None:
    set_all(running, "completed_with_failures", state="failed")
    Release.objects.create(version="5.2", order=order_of("5.2"), published_at=now())
    for action in (rollout_control.retry, rollout_control.force):
        with pytest.raises(RolloutNotRunning):
            action(running, by=world.contoso.admin)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_stale_version_and_a_gone_rollout(world: World, running: Rollout, action: Callable[..., Rollout]) -> None:
    with pytest.raises(StaleRing):
        action(running, by=world.contoso.admin, version=running.version + 1)
    Rollout.objects.filter(pk=running.pk).delete()
    with pytest.raises(Http404):
        action(running, by=world.contoso.admin)


def test_a_partners_change_comes_by_the_one_door(world: World, running: Rollout) -> None:
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    change_control.submit(Permission.RINGS_MODIFY, running, by=ann, action="pause")
    assert states(running) == ["in_progress", "paused", "paused", "waiting"]
    line = last_line()
    assert line.user_id == ann.upn
    ControlPolicy.objects.filter(delegation=relationship.delegation_id).update(mode="manual")
    with pytest.raises(AwaitsApproval):
        change_control.submit(Permission.RINGS_MODIFY, running, by=ann, action="resume")
    assert states(running) == ["in_progress", "paused", "paused", "waiting"]

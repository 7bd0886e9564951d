"""Rings and rollouts under two hands at once: people and the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from audit.clock import now
from audit.models import AuditEvent
from rbac.models import User
from rooms import schedule
from rooms.models import OPEN_UPDATES, Release, Rollout, RolloutState, Room, RoomUpdate, UpdateRing
from rooms.services import rollout_clock, rollout_control, update_rings
from rooms.versions import order_of
from tests.factories.world import World, found_customer
from tests.races.guards import no_row_locks
from tests.races.harness import Race


@dataclass
class Case:
    """A customer of its own for each round: its rooms are in Staging, whose rollout is due."""

    admin: User
    staging: UpdateRing
    general: UpdateRing
    rollout: Rollout
    rooms: list[int]

    def states(self) -> list[str]:
        self.rollout.refresh_from_db()
        return [self.rollout.state, *self.rollout.rooms.order_by("room").values_list("state", flat=True)]


_number = iter(range(1_000_000))


def case_of(world: World) -> Case:
    customer = found_customer(f"Race{next(_number)}", rooms=3)
    ring = {one.key: one for one in UpdateRing.objects.filter(tenant=customer.tenant)}
    Room.objects.filter(tenant=customer.tenant).update(state="enrolled", app_version="5.0", ring=ring["staging"])
    release, _ = Release.objects.get_or_create(
        version="5.1", defaults={"order": order_of("5.1"), "published_at": now() - timedelta(days=30)}
    )
    rollout_clock.schedule(customer.tenant.pk)
    Rollout.objects.filter(ring=ring["staging"]).update(starts_on="2026-01-07", ends_on="2026-01-07")
    rollout = Rollout.objects.select_related("ring", "release", "tenant").get(ring=ring["staging"], release=release)
    rooms = list(Room.objects.filter(tenant=customer.tenant).order_by("pk").values_list("pk", flat=True))
    return Case(customer.admin, ring["staging"], ring["general"], rollout, rooms)


def begin(case: Case) -> None:
    rollout_clock.begin(case.rollout.pk)


def begun(world: World) -> Case:
    case = case_of(world)
    begin(case)
    case.rollout.refresh_from_db()
    return case


# --- Moving a room while the rollout begins -----------------------------------------------------


def move_first(case: Case) -> None:
    update_rings.move_rooms(case.general, by=case.admin, rooms=case.rooms[:1])


def nothing_open_elsewhere(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert Room.objects.get(pk=case.rooms[0]).ring_id == case.general.pk
    astray = RoomUpdate.objects.filter(rollout=case.rollout, state__in=OPEN_UPDATES).exclude(room__ring=case.staging)
    assert not astray.exists()
    assert case.states()[0] == "in_progress"


def moving(world: World) -> Race[Case]:
    return Race(lambda _: case_of(world), [begin, move_first], nothing_open_elsewhere)


def test_a_room_that_moves_while_the_rollout_begins(world: World) -> None:
    moving(world).must_win(rounds=10)


def test_control_a_room_that_moves(world: World) -> None:
    with no_row_locks():
        moving(world).must_lose()


# --- Pausing while the clock goes on ------------------------------------------------------------


def pause(case: Case) -> None:
    rollout_control.pause(case.rollout, by=case.admin)


def advance(case: Case) -> None:
    RoomUpdate.objects.filter(rollout=case.rollout, state="waiting").update(starts_at=now() - timedelta(minutes=1))
    rollout_clock.offer_due()
    rollout_clock.finish(case.rollout.pk)


def all_paused(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert case.states() == ["paused", "paused", "paused", "paused"]


def pausing(world: World) -> Race[Case]:
    return Race(lambda _: begun(world), [pause, advance], all_paused)


def test_a_pause_while_nights_begin(world: World) -> None:
    pausing(world).must_win(rounds=10)


# --- The clock twice ----------------------------------------------------------------------------


def begun_once(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert case.states()[0] == "in_progress"
    assert len(case.states()) == 4
    lines = AuditEvent.objects.filter(tenant_id=case.rollout.tenant_id, after__state="in_progress")
    assert lines.count() == 1


def test_two_advances_at_once_begin_once(world: World) -> None:
    Race(lambda _: case_of(world), [begin, begin], begun_once).must_win(rounds=10)


def test_control_two_advances(world: World) -> None:
    with no_row_locks():
        Race(lambda _: case_of(world), [begin, begin], begun_once).must_lose()


def scheduled_once(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert Rollout.objects.filter(tenant=case.rollout.tenant_id).count() == 3
    created = AuditEvent.objects.filter(
        tenant_id=case.rollout.tenant_id, object_name="release 5.1", result="Successful"
    )
    assert created.count() == 2  # one when the case was made, one in the race


def test_two_schedules_at_once_schedule_once(world: World) -> None:
    def prepare(_: int) -> Case:
        case = case_of(world)
        Rollout.objects.filter(tenant=case.rollout.tenant_id).delete()
        return case

    def ring(case: Case) -> None:
        rollout_clock.schedule(case.rollout.tenant_id)

    Race(prepare, [ring, ring], scheduled_once).must_win(rounds=10)


# --- Deleting a ring while a room comes into it ---------------------------------------------------


@dataclass
class Deletion:
    case: Case
    ring: UpdateRing


def test_a_ring_is_deleted_while_a_room_comes_into_it(world: World) -> None:
    def prepare(_: int) -> Deletion:
        case = case_of(world)
        ring = update_rings.create(case.rollout.tenant, "Short-lived", by=case.admin, rollout_days=1)
        return Deletion(case, ring)

    def judge(found: Deletion, names: list[str]) -> None:
        assert names in (["ok", "ok"], ["ok", "404"])
        ring = Room.objects.get(pk=found.case.rooms[0]).ring_id
        assert ring in (found.case.general.pk, found.case.staging.pk)
        assert (ring == found.case.general.pk) == (names[1] == "ok")

    def delete(found: Deletion) -> None:
        update_rings.delete(found.ring, by=found.case.admin)

    def move(found: Deletion) -> None:
        update_rings.move_rooms(found.ring, by=found.case.admin, rooms=found.case.rooms[:1])

    Race(prepare, [delete, move], judge).must_win(rounds=10)


# --- Two edits against the 60 days ----------------------------------------------------------------


def test_two_edits_never_pass_sixty_days(world: World) -> None:
    def one_of(case: Case, names: list[str]) -> None:
        assert sorted(names) == ["ok", "ring_days_exceeded"]
        rings = UpdateRing.objects.filter(tenant=case.rollout.tenant_id)
        assert sum(one.test_days + one.rollout_days for one in rings) == 60

    def widen(key: str) -> Callable[[Case], None]:
        def change(case: Case) -> None:
            ring = case.staging if key == "staging" else case.general
            days = ring.rollout_days + 18
            update_rings.modify(ring, by=case.admin, changes={"rollout_days": days})

        return change

    Race(lambda _: case_of(world), [widen("staging"), widen("general")], one_of).must_win(rounds=10)


def test_everything_the_clock_does_twice_at_once(world: World) -> None:
    """Two whole rings of the clock over the same due rollout."""

    def both(case: Case) -> None:
        schedule.advance_rollouts()

    def judge(case: Case, names: list[str]) -> None:
        assert names == ["ok", "ok"]
        assert case.states()[0] == RolloutState.IN_PROGRESS
        assert len(case.states()) == 4

    Race(lambda _: case_of(world), [both, both], judge).must_win(rounds=5)

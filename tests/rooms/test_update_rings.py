"""Update rings as services: who may, what it changes, what is on record."""

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from audit.clock import now
from audit.models import AuditEvent
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rooms import change_control
from rooms.errors import (
    DefaultRing,
    PreconfiguredRing,
    RingDaysExceeded,
    RingNameTaken,
    StaleRing,
    TooManyRings,
    UnknownRooms,
)
from rooms.models import Release, Rollout, Room, RoomActivity, UpdateRing
from rooms.services import rollout_clock, update_rings
from rooms.versions import order_of
from tests.factories import join
from tests.factories.world import World, assign, custom_role, make, over

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def ring(world: World, key: str = "general") -> UpdateRing:
    return UpdateRing.objects.select_related("tenant").get(tenant=world.contoso.tenant, key=key)


def own_ring(world: World, name: str = "Boardrooms", **fields: Any) -> UpdateRing:
    return update_rings.create(world.contoso.tenant, name, by=world.contoso.admin, **fields)


def in_order(world: World) -> list[tuple[int, str]]:
    return list(UpdateRing.objects.filter(tenant=world.contoso.tenant).order_by("order").values_list("order", "name"))


def last_line() -> tuple[str, str, str, str, Any, Any]:
    line = AuditEvent.objects.filter(category="Ring").latest("id")
    return line.operation, line.object_name, line.result, line.code, line.before, line.after


def ids(rooms: list[Room]) -> list[int]:
    return [room.pk for room in rooms]


# --- Create -------------------------------------------------------------------------------------


def test_create_makes_the_last_ring_on_record(world: World) -> None:
    made = own_ring(world, description="Careful", test_days=2, rollout_days=3)
    assert in_order(world) == [(1, "staging"), (2, "general"), (3, "executive"), (4, "Boardrooms")]
    assert (made.key, made.is_default, made.version) == ("", False, 1)
    assert last_line() == (
        "Create",
        "Boardrooms",
        "Successful",
        "",
        None,
        {
            "name": "Boardrooms",
            "description": "Careful",
            "test_days": 2,
            "rollout_days": 3,
            "order": 4,
            "is_default": False,
        },
    )


def test_create_needs_the_permission_for_the_whole_tenant(world: World) -> None:
    contoso = world.contoso
    scoped = contoso.member(BuiltIn.SITE_LEAD, "lea", over(*contoso.german))
    tech = contoso.member(BuiltIn.SITE_TECH, "tess")
    _, (ann,) = join(contoso, world.fabrikam, "ann")
    for person in (scoped, tech, ann, world.tailwind.admin):
        with pytest.raises(PermissionDenied):
            update_rings.create(contoso.tenant, "Mine", by=person)
    assert len(in_order(world)) == 3


@pytest.mark.parametrize("name", ["Staging", "staging", " GENERAL ", "boardrooms"])
def test_a_name_stands_once_also_as_it_is_shown(world: World, name: str) -> None:
    own_ring(world)
    with pytest.raises(RingNameTaken):
        own_ring(world, name)
    assert last_line()[2:4] == ("Failed", "ring_name_taken")


def test_all_rings_take_sixty_days_at_most(world: World) -> None:
    own_ring(world, test_days=8, rollout_days=10)  # 42 and 18
    with pytest.raises(RingDaysExceeded):
        own_ring(world, "Another", test_days=0, rollout_days=1)
    with pytest.raises(RingDaysExceeded):
        update_rings.modify(ring(world), by=world.contoso.admin, changes={"test_days": 8})
    assert (len(in_order(world)), ring(world).test_days) == (4, 7)


@pytest.mark.parametrize("days", [(-1, 7), (0, 0), (61, 1), (0, 61), ("7", 7), (10**30, 1)])
def test_days_that_do_not_fit_are_refused(world: World, days: tuple[Any, Any]) -> None:
    with pytest.raises(ValidationError):
        own_ring(world, test_days=days[0], rollout_days=days[1])
    assert len(in_order(world)) == 3


def test_there_are_nine_rings_at_most(world: World) -> None:
    for number in range(6):
        own_ring(world, f"Ring {number}", rollout_days=1)
    with pytest.raises(TooManyRings):
        own_ring(world, "Another", rollout_days=1)


# --- Modify -------------------------------------------------------------------------------------


def test_modify_changes_what_differs_and_raises_the_version(world: World) -> None:
    changed = update_rings.modify(
        ring(world), by=world.contoso.admin, changes={"name": "Everyone", "rollout_days": 10, "test_days": 7}
    )
    assert (changed.label, changed.key, changed.rollout_days, changed.version) == ("Everyone", "general", 10, 2)
    assert last_line()[4:] == ({"name": "general", "rollout_days": 14}, {"name": "Everyone", "rollout_days": 10})


def test_modifying_nothing_leaves_the_version(world: World) -> None:
    update_rings.modify(ring(world), by=world.contoso.admin, changes={"test_days": 7, "order": 2})
    assert ring(world).version == 1


def test_a_stale_version_is_refused(world: World) -> None:
    stale = ring(world)
    update_rings.modify(stale, by=world.contoso.admin, changes={"test_days": 6}, version=1)
    for change in (
        lambda: update_rings.modify(stale, by=world.contoso.admin, changes={"test_days": 5}, version=1),
        lambda: update_rings.delete(stale, by=world.contoso.admin, version=1),
        lambda: update_rings.move_rooms(stale, by=world.contoso.admin, rooms=[], version=1),
    ):
        with pytest.raises(StaleRing):
            change()
    assert ring(world).test_days == 6


def test_what_cannot_be_set_is_refused(world: World) -> None:
    for changes in ({"key": ""}, {"order": 0}, {"order": 4}, {"order": "2nd"}, {"name": ""}, {"name": "x" * 101}):
        with pytest.raises(ValidationError):
            update_rings.modify(ring(world), by=world.contoso.admin, changes=changes)
    assert in_order(world) == [(1, "staging"), (2, "general"), (3, "executive")]


def test_a_ring_is_changed_only_by_who_has_all_its_rooms(world: World) -> None:
    contoso = world.contoso
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea", over(*contoso.german))
    _, (ann,) = join(contoso, world.fabrikam, "ann")
    for person in (lead, ann):
        assert access.can(person, Permission.RINGS_VIEW, ring(world))
        for change in (
            lambda by=person: update_rings.modify(ring(world), by=by, changes={"test_days": 1}),
            lambda by=person: update_rings.delete(ring(world), by=by),
        ):
            with pytest.raises(PermissionDenied):
                change()
    assert ring(world).test_days == 7

    mine = own_ring(world)
    update_rings.move_rooms(mine, by=contoso.admin, rooms=ids(contoso.german))
    change_control.submit(Permission.RINGS_MODIFY, mine, by=ann, changes={"test_days": 1})
    mine.refresh_from_db()
    assert mine.test_days == 1


def test_the_order_makes_room(world: World) -> None:
    made = own_ring(world)
    update_rings.modify(made, by=world.contoso.admin, changes={"order": 2})
    assert in_order(world) == [(1, "staging"), (2, "Boardrooms"), (3, "general"), (4, "executive")]
    made.refresh_from_db()
    assert (made.order, made.version, ring(world).version) == (2, 2, 2)


def test_the_order_needs_the_permission_on_the_rings_that_make_room(world: World) -> None:
    contoso = world.contoso
    made = own_ring(world)
    update_rings.move_rooms(made, by=contoso.admin, rooms=ids(contoso.german))
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea", over(*contoso.german))
    with pytest.raises(PermissionDenied):
        update_rings.modify(made, by=lead, changes={"order": 2})
    with pytest.raises(PermissionDenied):
        update_rings.modify(made, by=lead, changes={"is_default": True})
    assert in_order(world)[3] == (4, "Boardrooms")


def test_there_is_exactly_one_default(world: World) -> None:
    made = own_ring(world)
    update_rings.modify(made, by=world.contoso.admin, changes={"is_default": True})
    defaults = UpdateRing.objects.filter(tenant=world.contoso.tenant, is_default=True)
    assert list(defaults) == [made]
    made.refresh_from_db()
    with pytest.raises(DefaultRing):
        update_rings.modify(made, by=world.contoso.admin, changes={"is_default": False})
    with pytest.raises(DefaultRing):
        update_rings.delete(made, by=world.contoso.admin)


# --- Delete -------------------------------------------------------------------------------------


def test_delete_puts_the_rooms_into_the_default_ring(world: World) -> None:
    contoso = world.contoso
    made, last = own_ring(world), own_ring(world, "Last", rollout_days=1)
    update_rings.move_rooms(made, by=contoso.admin, rooms=ids(contoso.german))
    update_rings.delete(made, by=contoso.admin)
    assert in_order(world) == [(1, "staging"), (2, "general"), (3, "executive"), (4, "Last")]
    assert set(Room.objects.filter(tenant=contoso.tenant).values_list("ring__key", flat=True)) == {"general"}
    assert last_line()[0:2] == ("Delete", "Boardrooms")
    with pytest.raises(Http404):
        update_rings.delete(made, by=contoso.admin)
    assert last.pk


def test_preconfigured_rings_stay(world: World) -> None:
    update_rings.modify(ring(world, "staging"), by=world.contoso.admin, changes={"name": "Test lab"})
    for key in ("staging", "general", "executive"):
        with pytest.raises(PreconfiguredRing):
            update_rings.delete(ring(world, key), by=world.contoso.admin)


# --- Move rooms ---------------------------------------------------------------------------------


def test_move_rooms_puts_them_into_the_ring_on_record(world: World) -> None:
    contoso, staging = world.contoso, ring(world, "staging")
    assert update_rings.move_rooms(staging, by=contoso.admin, rooms=ids(contoso.german)) == 2
    assert update_rings.move_rooms(staging, by=contoso.admin, rooms=ids(contoso.german)) == 0
    assert set(Room.objects.filter(ring=staging)) == set(contoso.german)
    assert set(Room.objects.filter(ring=staging).values_list("version", flat=True)) == {2}
    told = RoomActivity.objects.filter(kind="ring").order_by("room")
    assert [(one.room_id, one.by, one.detail) for one in told] == [
        (room.pk, contoso.admin.upn, {"ring": "staging", "key": "staging"}) for room in contoso.german
    ]


def test_moving_needs_the_permission_on_each_room_and_a_ring_one_sees(world: World) -> None:
    contoso = world.contoso
    staging, general = ring(world, "staging"), ring(world)
    american = [room for room in contoso.rooms if room.country == "US"]
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea", over(*contoso.german))
    with pytest.raises(PermissionDenied):  # an empty ring is not in his sight
        update_rings.move_rooms(staging, by=lead, rooms=ids(contoso.german))
    update_rings.move_rooms(staging, by=contoso.admin, rooms=ids(contoso.german[:1]))
    with pytest.raises(UnknownRooms):
        update_rings.move_rooms(staging, by=lead, rooms=ids(american))
    with pytest.raises(UnknownRooms):
        update_rings.move_rooms(staging, by=lead, rooms=ids(world.tailwind.rooms))
    assign(custom_role(contoso.tenant, Permission.ROOMS_VIEW), lead, over(*american))
    with pytest.raises(PermissionDenied):
        update_rings.move_rooms(staging, by=lead, rooms=ids(american))
    assert Room.objects.filter(ring=staging).count() == 1

    change_control.submit(Permission.RINGS_MODIFY, staging, by=lead, action="move_rooms", rooms=ids(contoso.german))
    assert Room.objects.filter(ring=staging).count() == 2
    assert Room.objects.filter(ring=general).count() == 1


def running(world: World, key: str, state: str = "in_progress") -> Rollout:
    release, _ = Release.objects.get_or_create(version="5.1", order=order_of("5.1"), defaults={"published_at": now()})
    return Rollout.objects.create(
        tenant=world.contoso.tenant,
        ring=ring(world, key),
        release=release,
        state=state,
        starts_on=date(2026, 12, 2),
        ends_on=date(2026, 12, 8),
        state_changed_at=now(),
    )


@pytest.mark.parametrize(("state", "after"), [("in_progress", "in_progress"), ("completed", "in_progress")])
def test_a_moved_room_leaves_the_old_rollout_and_joins_the_new_one(world: World, state: str, after: str) -> None:
    contoso = world.contoso
    Room.objects.filter(tenant=contoso.tenant).update(state="enrolled", app_version="5.0")
    old, new = running(world, "general"), running(world, "staging", state)
    rollout_clock.take_in(old)
    moved = ids(contoso.german)
    update_rings.move_rooms(new.ring, by=contoso.admin, rooms=moved)

    new.refresh_from_db()
    assert new.state == after
    assert dict(new.rooms.values_list("room", "state")) == dict.fromkeys(moved, "waiting")
    assert dict(old.rooms.filter(room__in=moved).values_list("room", "state")) == dict.fromkeys(moved, "ended")
    update_rings.move_rooms(old.ring, by=contoso.admin, rooms=moved)  # and back: it takes part again
    assert set(old.rooms.values_list("state", flat=True)) == {"waiting"}
    assert set(new.rooms.values_list("state", flat=True)) == {"ended"}


def test_a_rollout_that_has_not_begun_follows_the_rings_days(world: World) -> None:
    contoso = world.contoso
    Release.objects.create(version="5.1", order=order_of("5.1"), published_at=now())
    rollout_clock.schedule(contoso.tenant.pk)
    first = Rollout.objects.get(ring=ring(world, "staging"))
    update_rings.modify(ring(world, "staging"), by=contoso.admin, changes={"test_days": 14})
    days = [
        one.starts_on - first.starts_on for one in Rollout.objects.filter(tenant=contoso.tenant).order_by("ring__order")
    ]
    assert [one.days for one in days] == [0, 21, 42]
    update_rings.modify(ring(world, "executive"), by=contoso.admin, changes={"order": 1})
    found = Rollout.objects.filter(tenant=contoso.tenant).order_by("ring__order")
    assert [(one.ring.key, (one.starts_on - first.starts_on).days) for one in found] == [
        ("executive", 0), ("staging", 7), ("general", 28)
    ]  # fmt: skip

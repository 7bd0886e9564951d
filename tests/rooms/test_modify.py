"""Modifying a room: what may be set, by whom, and what stands in the log."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from rbac.catalogue import BuiltIn
from rbac.models import User
from rooms.errors import StaleVersion
from rooms.models import Room
from rooms.services.rooms import EDITABLE, modify
from tests.factories.evidence import leaves, mark, refused
from tests.factories.world import World, join, make, over

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"
LINE = "Contoso: Room/Update Contoso room 0"


@pytest.fixture
def world() -> World:
    return make()


def change(room: Room, by: User, version: int | None = None, **changes: Any) -> Room:
    return modify(room, by=by, changes=changes, version=version)


def test_values_are_set_and_the_version_rises(world):
    room = world.contoso.rooms[0]
    with leaves(f"{LINE} Successful {ADMIN}") as evidence:
        changed = change(room, world.contoso.admin, city="Köln", floor=-1, tags=["a", "b"], capacity=8)
    stored = Room.objects.get(pk=room.pk)
    assert (stored.city, stored.floor, stored.tags, stored.capacity) == ("Köln", -1, ["a", "b"], 8)
    assert (stored.version, changed.version) == (2, 2)
    [event] = evidence.events
    assert event.before == {"city": "Berlin", "floor": None, "tags": [], "capacity": None}
    assert event.after == {"city": "Köln", "floor": -1, "tags": ["a", "b"], "capacity": 8}


def test_same_values_do_not_raise_the_version(world):
    room = world.contoso.rooms[0]
    with leaves(f"{LINE} Successful {ADMIN}") as evidence:
        change(room, world.contoso.admin, city="Berlin", country="DE")
    assert evidence.changed() == set()
    assert (evidence.events[0].before, evidence.events[0].after) == ({}, {})


def test_only_what_differs_stands_in_the_log(world):
    with leaves(f"{LINE} Successful {ADMIN}") as evidence:
        change(world.contoso.rooms[0], world.contoso.admin, city="Bonn", country="DE")
    assert evidence.events[0].after == {"city": "Bonn"}


def test_lines_of_a_partners_work_name_the_relationship_refused_ones_too(world):
    """What the customer asks of its log: what did this partner do?"""
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    evidence = mark()
    change(world.contoso.german[0], ann, capacity=4)
    with pytest.raises(PermissionDenied):
        change(world.contoso.rooms[2], ann, capacity=4)
    change(world.contoso.german[0], world.contoso.admin, capacity=5)
    assert [(one.result, one.relationship_id) for one in evidence.events] == [
        ("Successful", relationship.delegation_id),
        ("Failed", relationship.delegation_id),
        ("Successful", None),
    ]


def test_stale_version_is_refused(world):
    room = world.contoso.rooms[0]
    change(room, world.contoso.admin, version=1, city="Bonn")
    refused(
        StaleVersion,
        lambda: change(room, world.contoso.admin, version=1, city="Köln"),
        f"{LINE} Failed(stale_version) {ADMIN}",
        code="stale_version",
    )
    assert StaleVersion.status == 412
    assert change(room, world.contoso.admin, version=2, city="Köln").version == 3


@pytest.mark.parametrize(
    "field",
    ["tenant", "tenant_id", "resource_account", "state", "health", "version", "id", "pk", "nonsense", "__class__"],
)
def test_what_is_not_editable_cannot_be_set(world, field):
    assert field not in EDITABLE
    evidence = refused(
        ValidationError,
        lambda: modify(world.contoso.rooms[0], by=world.contoso.admin, changes={field: "x"}),
        f"{LINE} Failed(invalid) {ADMIN}",
    )
    assert evidence.changed() == set()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", ""),
        ("display_name", None),
        ("display_name", "x" * 201),
        ("city", "x" * 101),
        ("city", "a\x00b"),
        ("city", "a\ud800b"),
        ("city", "line\nbreak"),
        ("country", "Germany"),
        ("country", "de"),
        ("country", "XX"),
        ("capacity", -1),
        ("capacity", 2**63),
        ("capacity", "many"),
        ("floor", 2**31),
        ("floor", 1e999),
        ("floor", float("nan")),
        ("latitude", 91),
        ("longitude", "east"),
        ("time_zone", "Mars/Olympus"),
        ("tags", ["x" * 61]),
        ("tags", ["a\x00b"]),
        ("tags", "not a list"),
        ("is_wheelchair_accessible", "perhaps"),
        ("is_wheelchair_accessible", None),
    ],
)
def test_value_that_does_not_fit_is_refused(world, field, value):
    refused(
        ValidationError,
        lambda: change(world.contoso.rooms[0], world.contoso.admin, **{field: value}),
        f"{LINE} Failed(invalid) {ADMIN}",
    )


@pytest.mark.parametrize("field", [one for one in EDITABLE if one not in ("display_name", "is_wheelchair_accessible")])
def test_every_other_field_can_be_emptied(world, field):
    room = world.contoso.rooms[0]
    for empty in (None, ""):
        changed = change(room, world.contoso.admin, **{field: empty})
        assert getattr(changed, field) in (None, "", [])


def test_who_may_not_modify_the_room_changes_nothing(world):
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[1]))
    _, (nils,) = join(world.contoso, world.northwind, "nils", rooms=world.contoso.rooms[2:])
    for who in (tess, nils, world.tailwind.admin, world.contoso.person("nobody")):
        refused(
            PermissionDenied,
            lambda who=who: change(world.contoso.rooms[0], who, city="Bonn"),
            f"{LINE} Failed(permission_denied) {who.upn}",
        )


def test_a_callers_stale_instance_overwrites_nothing_else(world):
    room = world.contoso.rooms[0]
    stale = Room.objects.get(pk=room.pk)
    change(room, world.contoso.admin, city="Bonn")
    change(stale, world.contoso.admin, building="Tower")
    stored = Room.objects.get(pk=room.pk)
    assert (stored.city, stored.building, stored.version) == ("Bonn", "Tower", 3)

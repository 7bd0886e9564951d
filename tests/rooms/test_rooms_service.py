"""Changing one room: what may be set, to what, by whom; on record, and never over somebody else's change unseen."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from rbac.catalogue import BuiltIn, Permission
from rooms import change_control
from rooms.errors import StaleVersion
from rooms.models import ControlMode, ControlPolicy, Room
from rooms.services import rooms
from tests.factories.evidence import leaves, mark, refused
from tests.factories.world import asked, join, make, over

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


@pytest.fixture
def room(world):
    return world.contoso.rooms[0]


def modify(world, room, **changes):
    return rooms.modify(room, by=world.contoso.admin, changes=changes)


def failed(person, code):
    return f"Contoso: Room/Update Contoso room 0 Failed({code}) {person.upn}"


def test_a_change_is_stored_raises_the_version_and_leaves_before_and_after(world, room):
    with leaves(f"Contoso: Room/Update Contoso room 0 Successful {world.contoso.admin.upn}") as evidence:
        answer = modify(world, room, city="Köln", capacity=12, country="DE", latitude="50.9375", tags=["quiet"])

    room.refresh_from_db()
    assert (answer.pk, answer.version) == (room.pk, 2)
    assert (room.city, room.capacity, room.latitude, room.tags, room.version) == (
        "Köln",
        12,
        Decimal("50.9375"),
        ["quiet"],
        2,
    )
    assert evidence.events[0].before == {"city": "Berlin", "capacity": None, "latitude": None, "tags": []}
    assert evidence.events[0].after == {"city": "Köln", "capacity": 12, "latitude": "50.9375", "tags": ["quiet"]}
    assert evidence.changed() == {"rooms_room", "rooms_roomactivity"}


def test_what_is_the_same_already_changes_nothing(world, room):
    before = mark()

    assert modify(world, room, city="Berlin", capacity="").version == 1
    assert before.changed() == set()


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({"capacity": None}, None),
        ({"capacity": ""}, None),
        ({"city": None}, ""),
        ({"tags": None}, []),
        ({"tags": ""}, []),
        ({"time_zone": ""}, ""),
        ({"country": None}, ""),
    ],
)
def test_nothing_can_be_said_in_any_way(world, room, changes, stored):
    (field,) = changes
    modify(world, room, city="Ulm", capacity=3, tags=["x"], time_zone="UTC", country="FR")

    modify(world, room, **changes)

    room.refresh_from_db()
    assert getattr(room, field) == stored


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"state": "enrolled"}, "state", "read_only"),
        ({"resource_account": "x@y.example"}, "resource_account", "read_only"),
        ({"tenant_id": "x"}, "tenant_id", "read_only"),
        ({"display_name": ""}, "display_name", "null"),
        ({"display_name": "x" * 201}, "display_name", "max_length"),
        ({"is_wheelchair_accessible": None}, "is_wheelchair_accessible", "invalid"),
        ({"is_wheelchair_accessible": "maybe"}, "is_wheelchair_accessible", "invalid"),
        ({"city": "a\x00b"}, "city", "unreadable_character"),
        ({"city": "\ud800"}, "city", "unreadable_character"),
        ({"tags": ["a\nb"]}, "tags", "unreadable_character"),
        ({"tags": [str(number) for number in range(51)]}, "tags", "too_many_tags"),
        ({"tags": ["x" * 61]}, "tags", "item_invalid"),
        ({"country": "XX"}, "country", "unknown_country"),
        ({"country": "de"}, "country", "unknown_country"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone", "unknown_time_zone"),
        ({"capacity": -1}, "capacity", "min_value"),
        ({"capacity": 100_001}, "capacity", "out_of_range"),
        ({"capacity": 2**63}, "capacity", "max_value"),
        ({"capacity": "many"}, "capacity", "invalid"),
        ({"floor": 301}, "floor", "out_of_range"),
        ({"latitude": "90.0001"}, "latitude", "out_of_range"),
        ({"latitude": "NaN"}, "latitude", "invalid"),
        ({"longitude": "1.00001"}, "longitude", "max_decimal_places"),
    ],
)
def test_what_a_room_cannot_have_is_refused_at_its_field(world, room, changes, field, code):
    evidence = refused(ValidationError, lambda: modify(world, room, **changes), failed(world.contoso.admin, "invalid"))

    with pytest.raises(ValidationError) as caught:
        modify(world, room, **changes)
    assert [(name, [one.code for one in errors]) for name, errors in caught.value.error_dict.items()] == [
        (field, [code])
    ]
    assert evidence.events[0].after is None


def test_an_older_version_is_refused(world, room):
    modify(world, room, city="Ulm")

    def late():
        rooms.modify(room, by=world.contoso.admin, changes={"city": "Bonn"}, version=1)

    refused(StaleVersion, late, failed(world.contoso.admin, "stale_version"), code="stale_version")
    assert rooms.modify(room, by=world.contoso.admin, changes={"city": "Bonn"}, version=2).version == 3


def test_nobody_holds_anything_on_a_room_that_is_gone(world, room):
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess")
    Room.objects.filter(pk=room.pk).delete()

    with leaves(failed(tess, "permission_denied")), pytest.raises(PermissionDenied):
        rooms.modify(room, by=tess, changes={"city": "Bonn"})


def test_only_who_holds_the_permission_on_the_room_changes_it(world, room):
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[1]))
    _, (ann,) = join(world.contoso, world.fabrikam, "ann", rooms=[world.contoso.rooms[1]])

    for person in (tess, ann, world.tailwind.admin, world.contoso.person("nora")):
        refused(
            PermissionDenied,
            lambda person=person: rooms.modify(room, by=person, changes={"city": "Bonn"}),
            failed(person, "permission_denied"),
        )
    assert rooms.modify(world.contoso.rooms[1], by=tess, changes={"city": "Bonn"}).city == "Bonn"
    assert rooms.modify(world.contoso.rooms[1], by=ann, changes={"city": "Ulm"}).city == "Ulm"


def test_a_partners_change_waits_for_nobody_only_while_the_policy_says_so(world, room):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")

    def submit(person):
        return change_control.submit(Permission.ROOMS_MODIFY, room, by=person, changes={"city": "Bonn"})

    assert submit(ann).city == "Bonn"
    ControlPolicy.objects.update(mode=ControlMode.MANUAL)
    assert asked(lambda: submit(ann)).target_id == str(room.pk)
    ControlPolicy.objects.all().delete()
    assert asked(lambda: submit(ann)).target_id == str(room.pk)
    assert submit(world.contoso.admin).city == "Bonn"


def test_a_change_of_a_room_asks_only_so_often(world, room, django_assert_num_queries):
    with django_assert_num_queries(8):
        modify(world, room, city="Köln")

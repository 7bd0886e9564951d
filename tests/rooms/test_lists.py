"""The one closed list of parameters that pages, wizard, export and API filter rooms by."""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from rooms.lists import SORTS, RoomFilter
from rooms.models import Room, RoomGroup
from tests.factories import RoomFactory
from tests.factories.world import make, room_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """Contoso's rooms in three cities, two of them in one group; Tailwind has a group and a city of its own."""
    world = make()
    tenant = world.contoso.tenant
    RoomFactory(tenant=tenant, display_name="Éclair 100%", city="Lyon", country="FR", building="Tour_1", region="84")
    world.group = room_group(tenant, "Ground floor", *world.contoso.rooms[:2])
    room_group(tenant, "Also there", *world.contoso.rooms[:2])
    RoomFactory(tenant=world.tailwind.tenant, display_name="tailwind secret", city="Vienna", country="AT")
    world.foreign_group = room_group(world.tailwind.tenant, "tailwind group", *world.tailwind.rooms)
    return world


def asked(world, query="", **options):
    tenant = world.contoso.tenant
    return RoomFilter(
        QueryDict(query),
        rooms=Room.objects.filter(tenant=tenant),
        groups=RoomGroup.objects.filter(tenant=tenant),
        **options,
    )


def names(world, query):
    found = asked(world, query)
    assert found.is_valid(), found.errors
    return list(found.rooms.order_by(*found.order).values_list("display_name", flat=True))


CONTOSO = ["Contoso room 0", "Contoso room 1", "Contoso room 2"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [*CONTOSO, "Éclair 100%"]),
        ("q=&country=&group=&sort=", [*CONTOSO, "Éclair 100%"]),
        ("q=ROOM1%40", ["Contoso room 1"]),
        ("q=lyon", ["Éclair 100%"]),
        ("q=seattle+room", ["Contoso room 2"]),
        ("q=berlin+seattle", []),
        ("q=tower", CONTOSO),
        ("q=100%25", ["Éclair 100%"]),
        ("q=_1", ["Éclair 100%"]),
        ("q=secret", []),
        ("country=DE", CONTOSO[:2]),
        ("country=DE&city=Berlin&building=Contoso+tower", CONTOSO[:2]),
        ("region=84", ["Éclair 100%"]),
        ("city=Lyon&country=DE", []),
        ("state=onboarding&health=unmonitored", [*CONTOSO, "Éclair 100%"]),
        ("state=enrolled", []),
        ("sort=-name", ["Éclair 100%", *reversed(CONTOSO)]),
        ("sort=city", ["Contoso room 0", "Contoso room 1", "Éclair 100%", "Contoso room 2"]),
        ("sort=-building&country=DE", ["Contoso room 1", "Contoso room 0"]),
    ],
)
def test_a_filter_finds_just_what_it_names(world, query, expected):
    found = names(world, query)
    if "sort" not in query:  # where é stands is the database's collation
        found.sort()
        expected = sorted(expected)

    assert found == expected


def test_a_room_in_two_groups_counts_once(world):
    assert names(world, f"group={world.group.pk}") == CONTOSO[:2]


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_is_a_keyset(world, sort):
    found = asked(world, f"sort={sort}")

    assert found.is_valid()
    assert found.order[-1].removeprefix("-") == "id"
    assert len({name.startswith("-") for name in found.order}) == 1
    assert found.rooms.order_by(*found.order).count() == 4


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "__all__"),
        ("tenant=1", "__all__"),
        ("display_name__startswith=C", "__all__"),
        ("cursor=x", "__all__"),
        ("country=XX", "country"),
        ("country=AT", "country"),
        ("city=Vienna", "city"),
        ("group=0", "group"),
        ("group=x", "group"),
        ("group=99999999999999999999", "group"),
        ("state=gone", "state"),
        ("health=fine", "health"),
        ("sort=password", "sort"),
        ("sort=--name", "sort"),
        ("q=" + "x" * 101, "q"),
        ("q=a+b+c+d+e+f+g+h+i", "q"),
        ("q=%00", "q"),
    ],
)
def test_what_the_list_does_not_know_is_an_error_and_finds_nothing(world, query, field):
    found = asked(world, query)

    assert not found.is_valid()
    assert list(found.errors) == [field]
    assert list(found.rooms) == []


def test_a_foreign_group_and_one_that_never_was_are_the_same_error(world):
    foreign, none = asked(world, f"group={world.foreign_group.pk}"), asked(world, "group=123456")

    assert foreign.errors.as_json() == none.errors.as_json()


def test_a_page_may_have_parameters_of_its_own(world):
    found = asked(world, "cursor=abc&country=DE", also={"cursor"})

    assert found.is_valid()
    assert found.cursor == "abc"
    assert found.query() == "?country=DE"
    assert found.query(cursor="def", country=None) == "?cursor=def"


def test_choices_name_only_what_its_reader_sees(world):
    with override("de"):
        found = asked(world)
        choices = {name: [value for value, _ in found.fields[name].choices] for name in ("country", "city", "building")}
        labels = dict(found.fields["country"].choices)

    assert choices == {
        "country": ["", "DE", "FR", "US"],
        "city": ["", "Berlin", "Lyon", "Seattle"],
        "building": ["", "Contoso tower", "Tour_1"],
    }
    assert labels["US"] == "Vereinigte Staaten"
    assert [label for _, label in found.fields["group"].choices][1:] == ["Also there", "Ground floor", "New rooms"]


def test_narrower_places_are_those_of_the_wider_one(world):
    found = asked(world, "country=FR&city=Berlin")

    assert [value for value, _ in found.fields["city"].choices] == ["", "Berlin", "Lyon"]
    assert found.conflicts == ["city"]
    assert asked(world, "country=FR&city=Lyon").conflicts == []


def test_who_filters_by_nothing_pays_no_query(world):
    with CaptureQueriesContext(connection) as caught:
        found = asked(world, "sort=-city&state=onboarding")
        assert found.is_valid()

    assert len(caught) == 0


def test_columns_sort_and_turn_round(world):
    directions = asked(world, "sort=city&q=x").directions()

    assert directions["city"] == {"url": "?q=x&sort=-city", "direction": "asc"}
    assert directions["name"] == {"url": "?q=x&sort=name", "direction": ""}
    assert asked(world, "sort=-city").directions()["city"] == {"url": "?sort=city", "direction": "desc"}

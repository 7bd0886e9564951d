"""GET …/rooms/: what one may see, searched, filtered, sorted, page by page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rbac.catalogue import Permission
from rooms.scopes import Scope
from tests.factories import RoomFactory
from tests.factories.callers import code, person, token, tool, wrong
from tests.factories.world import join, make, over, room_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


def names(answer):
    assert answer.status_code == 200, answer.content
    return [one["display_name"] for one in answer.json()["items"]]


def test_customer_sees_all_rooms_and_partner_the_delegated_ones(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    contoso = world.contoso.tenant.pk
    program = tool(token(relationship, ann, Permission.ROOMS_VIEW))
    assert names(person(world.contoso.admin).get("api-rooms", contoso)) == [f"Contoso room {n}" for n in range(3)]
    assert names(person(ann).get("api-rooms", contoso)) == ["Contoso room 0", "Contoso room 1"]
    assert names(program.get("api-rooms", contoso)) == ["Contoso room 0", "Contoso room 1"]


def test_room_in_the_list_has_exactly_these_fields(world):
    room = world.contoso.rooms[0]
    answer = person(world.contoso.admin).get("api-rooms", world.contoso.tenant.pk, page_size=1)
    assert answer.json()["items"] == [
        {
            "id": room.pk,
            "display_name": "Contoso room 0",
            "resource_account": "room0@contoso.example",
            "state": "onboarding",
            "health": "unmonitored",
            "country": "DE",
            "region": "",
            "city": "Berlin",
            "building": "Contoso tower",
            "floor": None,
            "capacity": None,
            "version": 1,
        }
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "room 1"}, ["Contoso room 1"]),
        ({"country": "US"}, ["Contoso room 2"]),
        ({"city": "Berlin", "sort": "-name"}, ["Contoso room 1", "Contoso room 0"]),
        ({"sort": "city"}, ["Contoso room 0", "Contoso room 1", "Contoso room 2"]),
        ({"sort": "-city"}, ["Contoso room 2", "Contoso room 1", "Contoso room 0"]),
        ({"state": "enrolled"}, []),
    ],
)
def test_list_is_searched_filtered_and_sorted(world, query, expected):
    assert names(person(world.contoso.admin).get("api-rooms", world.contoso.tenant.pk, **query)) == expected


def test_list_is_filtered_by_a_group_one_may_see(world):
    group = room_group(world.contoso.tenant, "Ground floor", world.contoso.rooms[2])
    foreign = room_group(world.tailwind.tenant, "tailwind group", *world.tailwind.rooms)
    admin, contoso = person(world.contoso.admin), world.contoso.tenant.pk
    assert names(admin.get("api-rooms", contoso, group=group.pk)) == ["Contoso room 2"]
    answers = [admin.get("api-rooms", contoso, group=one) for one in (foreign.pk, 2**62, 10**40, "x")]
    assert {code(one) for one in answers} == {(400, "invalid_parameters")}
    assert len({one.content for one in answers}) == 1


def test_pages_follow_each_other_forth_and_back(world):
    RoomFactory.create_batch(7, tenant=world.contoso.tenant, display_name="Same name")
    caller, contoso = person(world.contoso.admin), world.contoso.tenant.pk
    seen, answer = [], caller.get("api-rooms", contoso, page_size=3)
    assert answer.json()["previous"] is None
    while True:
        seen.append([one["id"] for one in answer.json()["items"]])
        if answer.json()["next"] is None:
            break
        assert answer.json()["next"].startswith("http://testserver/api/v1/customers/")
        answer = caller.client.get(answer.json()["next"])
    assert [len(one) for one in seen] == [3, 3, 3, 1]
    assert len({one for page in seen for one in page}) == 10
    before = caller.client.get(answer.json()["previous"])
    assert [one["id"] for one in before.json()["items"]] == seen[2]
    assert "page_size=3" in answer.json()["previous"]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"colour": "red"}, [("colour", "unknown_parameter")]),
        ({"sort": "colour"}, [("sort", "invalid_choice")]),
        ({"city": "Vienna"}, [("city", "invalid_choice")]),
        ({"q": "x" * 101}, [("q", "max_length")]),
        ({"q": "a b c d e f g h i"}, [("q", "too_many_words")]),
        ({"page_size": "0"}, [("page_size", "out_of_range")]),
        ({"page_size": "201"}, [("page_size", "out_of_range")]),
        ({"page_size": "-1"}, [("page_size", "out_of_range")]),
        ({"page_size": "1e3"}, [("page_size", "out_of_range")]),
        ({"page_size": "٣"}, [("page_size", "out_of_range")]),
        ({"page_size": "9" * 5000}, [("page_size", "out_of_range")]),
        ({"cursor": "x"}, [("cursor", "unreadable_cursor")]),
        ({"cursor": ""}, [("cursor", "unreadable_cursor")]),
        ({"format": "xml"}, [("format", "unknown_parameter")]),
        ({"sort": ["name", "city"]}, [("sort", "repeated_parameter")]),
    ],
)
def test_parameters_that_do_not_fit_are_named(world, query, problem):
    answer = person(world.contoso.admin).get("api-rooms", world.contoso.tenant.pk, **query)
    assert code(answer) == (400, "invalid_parameters")
    assert wrong(answer) == problem


def test_cursor_of_another_sort_is_refused(world):
    caller, contoso = person(world.contoso.admin), world.contoso.tenant.pk
    following = caller.get("api-rooms", contoso, page_size=1).json()["next"]
    assert wrong(caller.client.get(f"{following}&sort=city")) == [("cursor", "unreadable_cursor")]


def test_largest_page_has_200_rooms(world):
    RoomFactory.create_batch(200, tenant=world.contoso.tenant)
    answer = person(world.contoso.admin).get("api-rooms", world.contoso.tenant.pk, page_size=200)
    assert len(answer.json()["items"]) == 200
    assert answer.json()["next"] is not None


@pytest.mark.parametrize("rooms", [1, 3])
@pytest.mark.parametrize(("kind", "queries"), [("session", 5), ("token", 4)])
def test_list_costs_as_much_for_one_room_as_for_three(world, rooms, kind, queries):
    scope = Scope(all_rooms=True) if rooms == 3 else over(world.contoso.rooms[0])
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann", scope=scope)
    caller = person(ann) if kind == "session" else tool(token(relationship, ann, Permission.ROOMS_VIEW))
    caller.get("api-rooms", world.contoso.tenant.pk)  # writes down when the token was used
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert len(names(caller.get("api-rooms", world.contoso.tenant.pk))) == rooms
    assert len(captured) == queries, [one["sql"][:150] for one in captured]

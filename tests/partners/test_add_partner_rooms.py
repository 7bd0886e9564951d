"""Add partner, third step: rooms by search, filter, groups, all; what is chosen, and how it is taken back."""

from typing import Any

import pytest
from django.urls import reverse

from partners.services import drafts
from partners.services.drafts import Step
from rooms.models import RoomGroup
from rooms.scopes import Scope
from tests.factories import RoomFactory
from tests.factories.browsing import browser, links, text
from tests.factories.world import World, custom_role, make, over, room_group
from tests.factories.world import assign as hold

pytestmark = pytest.mark.django_db


class Rooms:
    """Contoso's admin at the third step."""

    def __init__(self, world: World, person: Any = None) -> None:
        self.world, self.person = world, person or world.contoso.admin
        self.client = browser(self.person)
        draft = drafts.of(self.person, world.contoso.tenant)
        contacts = {"contacts": [{"name": "Ann", "upn": "ann@fabrikam.example", "delivery_address": ""}]}
        drafts.keep(draft, Step.CONTACTS, contacts, is_complete=True)
        drafts.keep(draft, Step.CHANGE_CONTROL, {}, is_complete=True)
        self.url = reverse("add_partner_step", args=[world.contoso.tenant.pk, "rooms"])

    def get(self, query: str = "") -> Any:
        return self.client.get(self.url + query)

    def post(self, query: str = "", **data: Any) -> Any:
        return self.client.post(self.url + query, data)

    @property
    def chosen(self) -> Scope:
        return drafts.scope_of(drafts.of(self.person, self.world.contoso.tenant))


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def rooms(world) -> Rooms:
    return Rooms(world)


def test_ticked_rooms_are_added_and_the_filter_stays(world, rooms):
    first = world.contoso.rooms[0]
    answer = rooms.post("?country=DE", add="1", pick=[first.pk])
    assert answer.url == rooms.url + "?country=DE"
    assert rooms.chosen == over(first)
    assert "Chosen 1 room Contoso room 0 Berlin" in text(rooms.get())


def test_next_takes_the_ticked_rooms_along(world, rooms):
    answer = rooms.post(next="1", pick=[world.contoso.rooms[0].pk])
    assert answer.url.endswith("/terms/")
    assert rooms.chosen == over(world.contoso.rooms[0])


def test_at_least_one_room(rooms):
    answer = rooms.post(next="1")
    assert answer.status_code == 200
    assert "Choose at least one room." in text(answer)
    assert rooms.client.get(rooms.url.replace("rooms", "terms")).url == rooms.url


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Contoso room 0", "Contoso room 1", "Contoso room 2"]),
        ("?country=DE", ["Contoso room 0", "Contoso room 1"]),
        ("?q=seattle", ["Contoso room 2"]),
        ("?city=Seattle&q=room", ["Contoso room 2"]),
        ("?q=tailwind", []),
    ],
)
def test_search_and_filter_add_all_that_match(world, rooms, query, names):
    shown = text(rooms.get(query))
    for room in world.contoso.rooms:
        assert (room.display_name in shown) is (room.display_name in names)
    assert "Tailwind" not in shown
    rooms.post(query, add_matching="1")
    assert rooms.chosen == over(*(room for room in world.contoso.rooms if room.display_name in names))


def test_filter_by_group(world, rooms):
    group = room_group(world.contoso.tenant, "Boardrooms", world.contoso.rooms[2])
    rooms.post(f"?group={group.pk}", add_matching="1")
    assert rooms.chosen == over(world.contoso.rooms[2])


def test_adding_matching_rooms_says_how_many(world, rooms):
    assert "Add all 3 rooms" in text(rooms.get())
    assert "Add all 2 matching rooms" in text(rooms.get("?country=DE"))
    assert "Add the 1 matching room" in text(rooms.get("?country=US"))


def test_whole_group_is_added_and_removed(world, rooms):
    group = room_group(world.contoso.tenant, "Boardrooms", *world.contoso.german)
    rooms.post("?by=groups", add_group=str(group.pk))
    assert rooms.chosen == Scope(groups=frozenset({group.pk}))
    assert "Chosen 2 rooms Boardrooms (2)" in text(rooms.get())
    assert "chosen by the group Boardrooms" in text(rooms.get())
    rooms.post("?by=groups", remove_group=str(group.pk))
    assert rooms.chosen == Scope()


def test_room_in_a_group_and_alone_counts_once(world, rooms):
    group = room_group(world.contoso.tenant, "Boardrooms", *world.contoso.german)
    rooms.post(add_group=str(group.pk))
    rooms.post(add="1", pick=[world.contoso.german[0].pk])
    assert "Chosen 2 rooms" in text(rooms.get())


def test_all_rooms_with_later_ones_and_back_again(world, rooms):
    rooms.post(add="1", pick=[world.contoso.rooms[0].pk])
    rooms.post("?by=all", all_rooms="1")
    assert rooms.chosen.all_rooms
    assert "All rooms are chosen: 3 rooms today, and every room that is added later." in text(rooms.get())
    rooms.post(single_rooms="1")
    assert rooms.chosen == over(world.contoso.rooms[0])  # what was chosen before is there again


def test_what_is_chosen_can_be_removed_one_by_one_by_place_and_all(world, rooms):
    for number in range(10):
        RoomFactory(tenant=world.contoso.tenant, display_name=f"Hamburg {number}", city="Hamburg")
    rooms.post(add_matching="1")
    assert "Hamburg, Germany (10)" in text(rooms.get())
    rooms.post(remove_place="DE|Hamburg")
    assert rooms.chosen == over(*world.contoso.rooms)
    rooms.post(remove_room=str(world.contoso.rooms[0].pk))
    assert rooms.chosen == over(*world.contoso.rooms[1:])
    rooms.post(remove_all="1")
    assert rooms.chosen == Scope()


def test_only_chosen_rooms_can_be_listed(world, rooms):
    rooms.post(add="1", pick=[world.contoso.rooms[2].pk])
    shown = text(rooms.get("?chosen=1"))
    assert "Contoso room 2" in shown
    assert "Contoso room 0" not in shown


def test_long_lists_come_in_pages_that_keep_the_filter(world, rooms):
    for number in range(45):
        RoomFactory(tenant=world.contoso.tenant, display_name=f"Hall {number:02d}", city="Ulm")
    first = rooms.get("?city=Ulm&sort=-name")
    assert "Hall 44" in text(first)
    assert "Hall 24" not in text(first)
    assert "45 rooms" in text(first)
    (following,) = [link for link in links(first) if "cursor" in link]
    second = rooms.get(following)
    assert "Hall 24" in text(second)
    assert "Contoso room" not in text(second)
    assert rooms.post(following, add="1", pick=[]).url == rooms.url + following


# --- Only one's own rooms ---------------------------------------------------------------------------


def test_rooms_and_groups_of_others_are_passed_over_silently(world, rooms):
    foreign = world.tailwind.rooms[0]
    group = room_group(world.tailwind.tenant, "Tailwind group", foreign)
    own = world.contoso.rooms[0]
    answers = [
        rooms.post(add="1", pick=[own.pk, foreign.pk]),
        rooms.post(add="1", pick=[own.pk, 10**9]),
        rooms.post("?by=groups", add_group=str(group.pk)),
        rooms.post("?by=groups", add_group="999999999"),
    ]
    assert [one.status_code for one in answers] == [302] * 4
    assert rooms.chosen == over(own)


def test_only_what_one_sees_oneself_can_be_chosen(world):
    person = world.contoso.person("pia")
    codes = [code for code in drafts.Permission if code.value.startswith("settings.")]
    hold(custom_role(world.contoso.tenant, *codes), person, Scope(all_rooms=True))
    hold(custom_role(world.contoso.tenant, drafts.Permission.ROOMS_VIEW), person, over(world.contoso.rooms[0]))
    rooms = Rooms(world, person)
    assert "Contoso room 0" in text(rooms.get())
    assert "Contoso room 1" not in text(rooms.get())
    rooms.post(add_matching="1", pick=[room.pk for room in world.contoso.rooms])
    assert rooms.chosen == over(world.contoso.rooms[0])


def test_rooms_that_are_gone_leave_the_choice_at_next(world, rooms):
    group = room_group(world.contoso.tenant, "Boardrooms", world.contoso.rooms[1])
    rooms.post(add="1", pick=[room.pk for room in world.contoso.rooms])
    rooms.post(add_group=str(group.pk))
    world.contoso.rooms[0].delete()
    RoomGroup.objects.all().delete()
    rooms.post(next="1")
    assert rooms.chosen == over(*world.contoso.rooms[1:])


# --- Bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["?by=stars", "?colour=red", "?by=all&colour=red", "?cursor=x", "?cursor=%F0%9F%98%80"]
)
def test_unknown_parameters_are_refused(rooms, query):
    assert rooms.get(query).status_code == 400


@pytest.mark.parametrize("query", ["?country=XX", "?group=999", "?q=" + "a " * 40, "?sort=colour", "?country=%00"])
def test_values_that_cannot_be_match_nothing(rooms, query):
    answer = rooms.get(query)
    assert answer.status_code in (200, 400)
    assert "Contoso room" not in text(answer)
    assert rooms.post(query, add_matching="1").status_code in (302, 400)
    assert rooms.chosen == Scope()


def test_city_of_another_country_is_dropped(rooms):
    """Whoever changes the country after the city gets the country’s rooms, not an empty list."""
    assert rooms.get("?country=US&city=Berlin").url == rooms.url + "?country=US"


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 40, str(2**63), "1e3", "٣", "\x00"])
def test_ids_that_are_none_are_passed_over(rooms, value):
    for name in ("pick", "add_group", "remove_room", "remove_group", "remove_place"):
        assert rooms.post(**{name: value}).status_code == 302
    assert rooms.chosen == Scope()


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("query", "number"), [("", 15), ("?by=groups", 11), ("?by=all", 11)])
def test_queries_do_not_grow_with_the_rooms(world, rooms, django_assert_num_queries, count, query, number):
    for one in range(count):
        room = RoomFactory(tenant=world.contoso.tenant, display_name=f"Hall {one}")
        rooms.post(add="1", pick=[room.pk])
        rooms.post(add_group=str(room_group(world.contoso.tenant, f"Group {one}", room).pk))
    with django_assert_num_queries(number):
        rooms.get(query)

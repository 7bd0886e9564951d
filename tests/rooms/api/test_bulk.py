"""…/rooms/bulk/: a fate for each room; …/rooms/filters/: what one keeps."""

import pytest

from rbac.catalogue import BuiltIn, Permission
from rooms.models import Room, SavedFilter
from tests.factories.callers import code, person, token, tool, wrong
from tests.factories.world import join, make, over, room_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


def post(world, caller, **body):
    return caller.post("api-rooms-bulk", world.contoso.tenant.pk, body=body)


def test_each_room_has_its_own_answer(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    program = tool(token(relationship, ann, Permission.ROOMS_MODIFY))
    ours = world.contoso.rooms
    ids = [ours[0].pk, ours[2].pk, world.tailwind.rooms[0].pk, 10**9, ours[0].pk]
    answer = post(world, program, rooms=ids, action="edit", changes={"campus": "North"}, add_tags=["video"])
    assert answer.status_code == 207
    items = answer.json()["items"]
    assert [(one["room"], one["outcome"], one["code"]) for one in items] == [
        (ours[0].pk, "done", ""),
        *((pk, "refused", "not_found") for pk in ids[1:4]),
    ]
    assert len({one["detail"] for one in items[1:]}) == 1
    assert Room.objects.filter(campus="North").count() == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"rooms": [], "action": "enroll"}, ("/rooms", "min_length")),
        ({"rooms": list(range(1, 202)), "action": "enroll"}, ("/rooms", "max_length")),
        ({"rooms": [1], "action": "explode"}, ("/action", "invalid_choice")),
        ({"rooms": [1], "action": "group"}, ("/group", "required")),
        ({"rooms": [1], "action": "edit"}, ("/changes", "empty")),
        ({"rooms": [1], "action": "enroll", "until": None}, ("/until", "unknown_field")),
        ({"rooms": [1], "action": "edit", "changes": {"state": "enrolled"}}, ("/changes/state", "unknown_field")),
    ],
)
def test_what_is_no_bulk_change_is_refused_as_a_whole(world, body, expected):
    assert expected in wrong(post(world, person(world.contoso.admin), **body))


def test_groups_need_their_own_permission(world):
    group = room_group(world.contoso.tenant, "Ground floor", world.contoso.rooms[0])
    ids = [room.pk for room in world.contoso.rooms]
    answer = post(world, person(world.contoso.admin), rooms=ids, action="group", group=group.pk)
    assert [one["outcome"] for one in answer.json()["items"]] == ["unchanged", "done", "done"]
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[0]))
    answer = post(world, person(tess), rooms=ids, action="group", group=group.pk)
    assert [one["code"] for one in answer.json()["items"]] == ["unknown_group", "not_found", "not_found"]


def test_filters_are_kept_renamed_and_deleted(world):
    admin, tenant = person(world.contoso.admin), world.contoso.tenant.pk
    made = admin.post("api-room-filters", tenant, body={"name": "Berlin", "query": "?city=Berlin", "is_default": True})
    assert (made.status_code, made.json()["query"], made.json()["is_default"]) == (201, "city=Berlin", True)
    pk = made.json()["id"]
    assert admin.get("api-room-filters", tenant).json()["items"] == [made.json()]
    changed = admin.patch("api-room-filter", tenant, pk, body={"name": "Bonn", "is_default": False}).json()
    assert (changed["name"], changed["is_default"]) == ("Bonn", False)
    again = admin.post("api-room-filters", tenant, body={"name": "Bonn", "query": "city=Bonn"})
    assert code(again) == (409, "filter_name_taken")
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    assert code(person(ann).delete("api-room-filter", tenant, pk)) == (404, "not_found")
    assert admin.delete("api-room-filter", tenant, pk).status_code == 204
    assert not SavedFilter.objects.exists()

"""Room groups over the API: what is answered, what is changed, what is on record."""

import pytest

from audit.models import AuditEvent
from rbac.catalogue import BuiltIn
from rbac.services import delegations
from rooms import scopes
from rooms.models import RoomGroup
from rooms.scopes import Scope
from rooms.services import groups
from tests.factories import join
from tests.factories.callers import person
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def made(world, name="Germany"):
    contoso = world.contoso
    return groups.create(contoso.tenant, name, by=contoso.admin, rooms={room.pk for room in contoso.german})


def test_create_answers_the_group_and_leaves_a_line(world):
    contoso = world.contoso
    rooms = [room.pk for room in contoso.german]
    answer = person(contoso.admin).post("api-groups", contoso.tenant.pk, body={"name": "Germany", "rooms": rooms})

    group = RoomGroup.objects.get(is_default=False)
    assert answer.status_code == 201
    assert answer.json() == {
        "id": group.pk,
        "name": "Germany",
        "description": "",
        "is_default": False,
        "room_total": len(rooms),
    }
    line = AuditEvent.objects.filter(category="Group").get()
    assert (line.operation, line.object_name, line.result, line.user_id) == (
        "Create",
        "Germany",
        "Successful",
        contoso.admin.upn,
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"name": ""}, 400, "invalid"),
        ({"name": "x" * 101}, 400, "invalid"),
        ({"name": "x", "color": "red"}, 400, "invalid"),
        ({"name": "x", "rooms": [2**62]}, 400, "unknown_rooms"),
        ({"name": "x", "rooms": [2**63]}, 400, "parse_error"),
        ({"name": "x", "rooms": "all"}, 400, "invalid"),
        ({"name": "Germany"}, 409, "group_name_taken"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_code(world, body, status, code):
    made(world)
    answer = person(world.contoso.admin).post("api-groups", world.contoso.tenant.pk, body=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert RoomGroup.objects.filter(is_default=False).count() == 1


def test_change_delete_and_their_refusals(world):
    contoso, group = world.contoso, made(world)
    admin, place = person(contoso.admin), (contoso.tenant.pk, group.pk)
    assert admin.patch("api-group", *place, body={"description": "All"}).json()["description"] == "All"
    assert admin.get("api-group", *place).json()["name"] == "Germany"

    relationship, _ = join(contoso, world.fabrikam, "ann")
    base = delegations.base_assignment(relationship.delegation)
    scopes.change(base, Scope(groups=frozenset({group.pk})), by=contoso.admin)
    refused = admin.delete("api-group", *place)
    assert (refused.status_code, refused.json()["code"]) == (409, "group_in_use")
    scopes.change(base, Scope(all_rooms=True), by=contoso.admin)
    assert admin.delete("api-group", *place).status_code == 204
    assert admin.get("api-group", *place).status_code == 404


def test_rooms_go_in_and_out_at_once(world):
    contoso, group = world.contoso, made(world)
    out, into = contoso.german[0].pk, contoso.rooms[2].pk
    place = (contoso.tenant.pk, group.pk)
    answer = person(contoso.admin).post("api-group-rooms", *place, body={"add": [into], "remove": [out]})
    assert answer.json()["room_total"] == 2
    assert set(group.rooms.values_list("pk", flat=True)) == {contoso.german[1].pk, into}


def test_a_site_lead_who_takes_out_his_last_room_still_gets_an_answer(world):
    contoso = world.contoso
    room = contoso.german[0].pk
    group = groups.create(contoso.tenant, "One", by=contoso.admin, rooms={room})
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea", Scope(rooms=frozenset({room})))
    answer = person(lead).post("api-group-rooms", contoso.tenant.pk, group.pk, body={"remove": [room]})
    assert (answer.status_code, answer.json()["room_total"]) == (200, 0)


def test_the_list_has_no_foreign_group_and_as_many_queries_for_three(world, django_assert_num_queries):
    contoso, tailwind = world.contoso, world.tailwind
    groups.create(tailwind.tenant, "Tailwind", by=tailwind.admin, rooms={room.pk for room in tailwind.rooms})
    admin = person(contoso.admin)
    for names in (["A"], ["B", "C"]):
        for name in names:
            made(world, name)
        with django_assert_num_queries(5):
            answer = admin.get("api-groups", contoso.tenant.pk)
    assert [one["name"] for one in answer.json()["items"]] == ["A", "B", "C", "New rooms"]

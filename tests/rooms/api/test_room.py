"""GET and PATCH …/rooms/<id>/: one room, and changing it through change control."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rbac.catalogue import BuiltIn, Permission
from rooms.models import ApprovalRequest, ControlMode, ControlPolicy, Room
from rooms.services.rooms import EDITABLE
from tests.factories.callers import changed, code, person, token, tool, wrong
from tests.factories.evidence import leaves, mark
from tests.factories.world import assign, custom_role, join, make, over, room_group
from tests.spec.test_table1 import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


@pytest.fixture
def room(world):
    return world.contoso.rooms[0]


@pytest.fixture
def caller(world, room):
    """The customer's admin, asking for this room."""

    class Asking:
        admin = person(world.contoso.admin)

        def get(self, **options):
            return self.admin.get("api-room", room.tenant_id, room.pk, **options)

        def patch(self, body, **headers):
            return self.admin.patch("api-room", room.tenant_id, room.pk, body=body, headers=headers)

    return Asking()


def test_room_shows_what_is_known_and_what_one_may_do(world, room):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    room_group(world.contoso.tenant, "Ground floor", room)
    Room.objects.filter(pk=room.pk).update(latitude="52.5200", tags=["video"])
    answer = person(ann).get("api-room", room.tenant_id, room.pk)
    body = answer.json()
    assert answer.headers["ETag"] == '"1"'
    assert (body["id"], body["latitude"], body["tags"], body["groups"][0]["name"]) == (
        room.pk,
        52.52,
        ["video"],
        "Ground floor",
    )
    assert body["permissions"] == [
        "rooms.view",
        "rooms.modify",
        "groups.view",
        "rings.view",
        "rings.modify",
        "reports.view",
        "tickets.create_incident",
        "tickets.view",
        "tickets.update",
    ]
    program = tool(token(relationship, ann, Permission.ROOMS_VIEW))
    narrowed = program.get("api-room", room.tenant_id, room.pk).json()
    assert (narrowed["permissions"], narrowed["groups"]) == (["rooms.view"], [])


def test_changing_a_room_changes_what_was_sent_and_nothing_else(world, room, caller):
    before = Room.objects.filter(pk=room.pk).values().get()
    with leaves("Contoso: Room/Update Contoso room 0 Successful admin@contoso.example"):
        answer = caller.patch({"capacity": 12, "latitude": 52.5163, "tags": ["video", "quiet"], "floor": None})
    after = Room.objects.filter(pk=room.pk).values().get()
    differing = {name for name in after if after[name] != before[name]}
    assert answer.status_code == 200
    assert differing == {"capacity", "latitude", "tags", "version", "changed_at"}
    assert (answer.json()["capacity"], answer.json()["latitude"], answer.json()["version"]) == (12, 52.5163, 2)
    assert answer.headers["ETag"] == '"2"'


def test_every_editable_field_can_be_sent(world, room, caller):
    body = {
        "display_name": "Zugspitze",
        "country": "AT",
        "region": "Tyrol",
        "city": "Ehrwald",
        "street": "Gasse 1",
        "postal_code": "6632",
        "campus": "West",
        "building": "Hut",
        "floor": -1,
        "floor_label": "left",
        "label": "Board",
        "capacity": 8,
        "latitude": 47.4211,
        "longitude": 10.9853,
        "time_zone": "Europe/Vienna",
        "phone": "+43 1",
        "is_wheelchair_accessible": True,
        "tags": ["a"],
        "audio_device": "mic",
        "video_device": "cam",
        "display_device": "wall",
    }
    assert set(body) == set(EDITABLE)
    answer = caller.patch(body)
    assert {name: answer.json()[name] for name in EDITABLE} == body


def test_partner_and_its_program_change_a_room_under_their_own_name(world, room):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    program = tool(token(relationship, ann, Permission.ROOMS_MODIFY))
    line = "Contoso: Room/Update Contoso room 0 Successful ann@fabrikam.example"
    with leaves(line, line):
        for number, one in enumerate((person(ann), program)):
            assert one.patch("api-room", room.tenant_id, room.pk, body={"capacity": number}).status_code == 200


def test_if_match_refuses_what_was_read_before_another_change(room, caller):
    etag = caller.get().headers["ETag"]
    assert caller.patch({"capacity": 1}, **{"If-Match": etag}).status_code == 200
    evidence = mark()
    assert code(caller.patch({"capacity": 2}, **{"If-Match": etag})) == (412, "stale_version")
    assert changed(evidence) == set()
    assert evidence.lines == ["Contoso: Room/Update Contoso room 0 Failed(stale_version) admin@contoso.example"]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("*", (200, None)),
        ('W/"1"', (412, "stale_version")),
        ('"0"', (412, "stale_version")),
        ('"9999999999"', (412, "stale_version")),
        ("1", (400, "invalid_header")),
        ('"1", "2"', (200, None)),
        ('"2", "3"', (412, "stale_version")),
        ('"' + "9" * 5000 + '"', (400, "invalid_header")),
        ("", (400, "invalid_header")),
    ],
)
def test_if_match_in_all_its_forms(caller, tag, expected):
    answer = caller.patch({"capacity": 3}, **{"If-Match": tag})
    assert (answer.status_code, answer.json().get("code")) == expected


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, [("", "empty")]),
        ({"colour": 1, "id": 2}, [("/colour", "unknown_field"), ("/id", "unknown_field")]),
        ({"resource_account": "x@contoso.example"}, [("/resource_account", "unknown_field")]),
        ({"state": "enrolled"}, [("/state", "unknown_field")]),
        ({"version": 7}, [("/version", "unknown_field")]),
        ({"a/b~c": 1}, [("/a~1b~0c", "unknown_field")]),
        ({"display_name": ""}, [("/display_name", "blank")]),
        ({"display_name": None}, [("/display_name", "null")]),
        ({"display_name": "x" * 201}, [("/display_name", "max_length")]),
        ({"display_name": "a\u0000b"}, [("/display_name", "null_characters_not_allowed")]),
        ({"display_name": "a\u0001b"}, [("/display_name", "unreadable_character")]),
        ({"display_name": ["a"]}, [("/display_name", "invalid")]),
        ({"country": "XX"}, [("/country", "unknown_country")]),
        ({"time_zone": "Mars/Base"}, [("/time_zone", "unknown_time_zone")]),
        ({"capacity": 100_001}, [("/capacity", "out_of_range")]),
        ({"capacity": -1}, [("/capacity", "min_value")]),
        ({"capacity": 2**62}, [("/capacity", "max_value")]),
        ({"capacity": True}, [("/capacity", "invalid")]),
        ({"capacity": 1.5}, [("/capacity", "invalid")]),
        ({"latitude": 91}, [("/latitude", "out_of_range")]),
        ({"latitude": 52.12345}, [("/latitude", "max_decimal_places")]),
        ({"latitude": 1e300}, [("/latitude", "max_digits")]),
        ({"tags": "a"}, [("/tags", "not_a_list")]),
        ({"tags": [1, {}]}, [("/tags/1", "invalid")]),
        ({"tags": ["x"] * 51}, [("/tags", "too_many_tags")]),
        ([], [("", "invalid")]),
        ("text", [("", "invalid")]),
        (None, [("", "empty")]),
    ],
)
def test_bodies_that_do_not_fit_are_named_and_change_nothing(caller, body, problem):
    evidence = mark()
    answer = caller.patch(body)
    assert code(answer) == (400, "invalid")
    assert wrong(answer) == problem
    assert changed(evidence) == set()


def test_viewing_is_not_modifying_and_the_refusal_is_on_record(world, room):
    viewer = world.contoso.person("viewer")
    assign(custom_role(world.contoso.tenant, Permission.ROOMS_VIEW), viewer, over(room))
    asking, evidence = person(viewer), mark()
    answer = asking.patch("api-room", room.tenant_id, room.pk, body={"capacity": 1})
    assert code(answer) == (403, "permission_denied")
    assert changed(evidence) == set()
    assert evidence.lines == ["Contoso: Room/Update Contoso room 0 Failed(permission_denied) viewer@contoso.example"]


def test_program_without_the_scope_is_refused_on_record(world, room):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    program = tool(token(relationship, ann, Permission.ROOMS_VIEW))
    evidence = mark()
    assert code(program.patch("api-room", room.tenant_id, room.pk, body={"capacity": 1})) == (403, "permission_denied")
    assert evidence.lines == ["Contoso: Room/Update Contoso room 0 Failed(permission_denied) ann@fabrikam.example"]


def test_manual_approval_stops_the_partner_not_the_customer(world, room, caller):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    ControlPolicy.objects.filter(event=Permission.ROOMS_MODIFY).update(mode=ControlMode.MANUAL)
    answer = person(ann).patch("api-room", room.tenant_id, room.pk, body={"capacity": 1})
    request = ApprovalRequest.objects.get()
    assert (answer.status_code, answer.json()["request"], answer.json()["state"]) == (202, str(request.pk), "pending")
    assert answer.headers["Location"] == answer.json()["url"]
    assert answer.headers["Location"].endswith(f"/api/v1/customers/{room.tenant_id}/approvals/{request.pk}/")
    assert Room.objects.get(pk=room.pk).capacity != 1
    assert caller.patch({"capacity": 2}).status_code == 200
    assert Room.objects.get(pk=room.pk).capacity == 2


@pytest.mark.parametrize("groups", [1, 3])
def test_room_costs_as_much_with_one_group_as_with_three(world, room, caller, groups):
    for number in range(groups):
        room_group(world.contoso.tenant, f"Group {number}", room)
    with CaptureQueriesContext(connection) as captured:
        assert len(caller.get().json()["groups"]) == groups
    assert len(captured) == 6, [one["sql"][:120] for one in captured]


@pytest.mark.parametrize("role", BuiltIn.values)
def test_table_1_holds_for_rooms(world, room, role):
    """The cells of rooms.view and rooms.modify, through the API."""
    if role == BuiltIn.PARTNER_ADMIN:
        _, (holder,) = join(world.contoso, world.fabrikam, "ann")
    else:
        holder = world.contoso.member(BuiltIn(role), "holder")
    cells = {row["code"]: row[role] for row in published()}
    one = person(holder)
    answers = {
        "rooms.view": one.get("api-room", room.tenant_id, room.pk).status_code,
        "rooms.modify": one.patch("api-room", room.tenant_id, room.pk, body={"capacity": 1}).status_code,
    }
    assert answers == {name: 200 if cells[name] == "1" else 403 for name in answers}

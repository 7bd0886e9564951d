"""…/rooms/<id>/status/, activity/, enroll/, suppress/, unsuppress/, unenroll/."""

from datetime import timedelta

import pytest

from audit.clock import now
from rbac.catalogue import BuiltIn, Permission
from rooms.models import Room, RoomState, Ticket
from rooms.services import monitoring
from tests.factories.callers import code, person, token, tool, wrong
from tests.factories.devices import bad, enroll, report
from tests.factories.evidence import leaves
from tests.factories.world import assign, custom_role, join, make, over

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


@pytest.fixture
def room(world):
    return world.contoso.rooms[0]


def put(room, state, **fields):
    Room.objects.filter(pk=room.pk).update(state=state, **fields)


def test_a_tool_enrols_suppresses_and_lifts(world, room):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    program = tool(token(relationship, ann, Permission.ROOMS_MODIFY))
    until = (now() + timedelta(hours=2)).isoformat()
    line = "Contoso: Room/Update Contoso room 0 Successful ann@fabrikam.example"
    with leaves(line, line, line):
        answers = [
            program.post("api-room-enroll", room.tenant_id, room.pk, body={}),
            program.post("api-room-suppress", room.tenant_id, room.pk, body={"until": until, "reason": "Carpet"}),
            program.post("api-room-unsuppress", room.tenant_id, room.pk, body={}),
        ]
    assert [answer.json()["state"] for answer in answers] == ["enrolled", "suppressed", "enrolled"]
    assert [answer.json()["suppressed_until"] is None for answer in answers] == [True, False, True]
    assert [answer.headers["ETag"] for answer in answers] == ['"2"', '"3"', '"4"']


def test_unenrolling_is_for_who_holds_it_and_no_partner_does(world, room):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    viewer = world.contoso.person("vic")
    assign(custom_role(world.contoso.tenant, Permission.ROOMS_VIEW), viewer, over(room))
    put(room, RoomState.ENROLLED)
    for one in (ann, viewer):
        assert code(person(one).post("api-room-unenroll", room.tenant_id, room.pk, body={})) == (
            403,
            "permission_denied",
        )
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(room))
    assert person(tess).post("api-room-unenroll", room.tenant_id, room.pk, body={}).json()["state"] == "unenrolled"


def test_rules_have_their_codes(world, room):
    admin = person(world.contoso.admin)
    ask = (room.tenant_id, room.pk)
    assert code(admin.post("api-room-suppress", *ask, body={})) == (409, "state_forbids")
    assert code(admin.post("api-room-unenroll", *ask, body={})) == (409, "state_forbids")
    put(room, RoomState.ENROLLED)
    late = (now() + timedelta(days=91)).isoformat()
    assert code(admin.post("api-room-suppress", *ask, body={"until": late})) == (400, "suppression_out_of_range")
    assert wrong(admin.post("api-room-suppress", *ask, body={"until": "soon"})) == [("/until", "invalid")]
    assert wrong(admin.post("api-room-enroll", *ask, body={"x": 1})) == [("/x", "unknown_field")]


def test_status_says_how_the_room_is_and_why(world, room):
    device, _ = enroll(world.contoso, room)
    report(device, bad("Camera"))
    Ticket.objects.all().delete()
    status = person(world.contoso.admin).get("api-room-status", room.tenant_id, room.pk).json()
    assert (status["state"], status["health"], status["high_impact_incident"], status["incident"]) == (
        "enrolled",
        "unhealthy",
        False,
        None,
    )
    [signal] = status["signals"]
    assert (signal["category"], signal["name"], signal["severity"], signal["ok"]) == (
        "peripherals",
        "Camera",
        "critical",
        False,
    )


def test_activity_is_paged_and_names_nobody_of_other_organisations(world, room):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    monitoring.enroll(room, by=world.contoso.admin)
    monitoring.suppress(room, by=ann, reason="Carpet")
    theirs = person(ann).get("api-room-activity", room.tenant_id, room.pk).json()
    assert [(one["kind"], one["by"], one["detail"]) for one in theirs["items"]] == [
        ("suppressed", ann.upn, {"until": None, "reason": "Carpet"}),
        ("enrolled", None, {}),
    ]
    first = person(world.contoso.admin).get("api-room-activity", room.tenant_id, room.pk, page_size=1).json()
    assert first["next"] is not None
    assert first["items"][0]["by"] == ann.upn


def test_a_suppression_that_is_over_is_over_in_list_filter_and_detail(world, room):
    put(room, RoomState.SUPPRESSED, suppressed_until=now() - timedelta(seconds=1))
    admin = person(world.contoso.admin)
    listed = admin.get("api-rooms", room.tenant_id, state="enrolled").json()["items"]
    assert [(one["id"], one["state"]) for one in listed] == [(room.pk, "enrolled")]
    detail = admin.get("api-room", room.tenant_id, room.pk).json()
    assert (detail["state"], detail["suppressed_until"]) == ("enrolled", None)
    assert admin.get("api-rooms", room.tenant_id, state="suppressed").json()["items"] == []

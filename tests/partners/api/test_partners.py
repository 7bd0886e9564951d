"""The partners of a customer through the API: list, add, one partner, brake, remove."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.models import Invitation, PartnerRelationship
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Delegation, DelegationState
from rooms.models import ControlPolicy
from rooms.scopes import Scope
from tests.factories.callers import changed, code, person, token, tool, wrong
from tests.factories.evidence import mark
from tests.factories.world import assign, custom_role, invite, join, make, over, room_group
from tests.spec.test_table1 import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


@pytest.fixture
def admin(world):
    return person(world.contoso.admin)


@pytest.fixture
def contoso(world):
    return world.contoso.tenant.pk


def body(world, **fields):
    """A proposal that fits, but for `fields`; a field that is None is left out."""
    whole = {
        "contacts": [{"name": "Max", "upn": "max@northwind.example"}],
        "scope": {"rooms": [room.pk for room in world.contoso.german]},
        "terms": {"version": 1, "agrees": True},
    }
    return {name: value for name, value in (whole | fields).items() if value is not None}


def test_partner_is_added_with_everything_that_was_sent(world, admin, contoso):
    group = room_group(world.contoso.tenant, "Ground floor", world.contoso.rooms[2])
    evidence = mark()
    answer = admin.post(
        "api-partners",
        contoso,
        body=body(
            world,
            label="Northwind Rooms",
            contacts=[
                {"name": "Max", "upn": "Max@Northwind.example", "delivery_address": "max@mail.example"},
                {"name": "Una", "upn": "una@northwind.example"},
            ],
            days=5,
            scope={"rooms": [world.contoso.rooms[0].pk], "groups": [group.pk]},
            change_control={"rooms.modify": "auto"},
            expected_tid=str(world.northwind.tenant.entra_tid),
        ),
    )
    added = PartnerRelationship.objects.get(label="Northwind Rooms")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://testserver/api/v1/customers/{contoso}/partners/{added.pk}/"
    found = answer.json()
    assert (found["state"], found["partner"], found["open_invitation_count"]) == ("invited", None, 2)
    assert found["scope"] == {"all_rooms": False, "rooms": [world.contoso.rooms[0].pk], "groups": [group.pk]}
    assert (found["room_count"], found["expected_tid"]) == (2, str(world.northwind.tenant.entra_tid))
    assert found["terms"]["version"] == 1
    assert found["terms"]["accepted_by"] == "admin@contoso.example"
    assert set(found["change_control"].values()) == {"auto"}
    assert evidence.lines == [
        "Contoso: PartnerInvitation/Create Northwind Rooms Successful admin@contoso.example",
        "Contoso: Role/Create Primary admin Successful admin@contoso.example",
        "Contoso: Assignment/Create Primary admin / Invited admins Successful admin@contoso.example",
        "Contoso: PartnerInvitation/Create Northwind Rooms Successful admin@contoso.example",
        "Contoso: PartnerInvitation/Create max@northwind.example Successful admin@contoso.example",
        "Contoso: PartnerInvitation/Create una@northwind.example Successful admin@contoso.example",
    ]
    assert evidence.kinds == ["partners.invitation", "partners.invitation"]
    mails = Invitation.objects.order_by("upn").values_list("upn", "delivery_address")
    assert list(mails) == [("max@northwind.example", "max@mail.example"), ("una@northwind.example", "")]


def test_all_rooms_can_be_delegated_in_one_word(world, admin, contoso):
    found = admin.post("api-partners", contoso, body=body(world, scope={"all_rooms": True})).json()
    assert (found["all_rooms"], found["room_count"], found["scope"]["rooms"]) == (True, 3, [])


@pytest.mark.parametrize(
    ("fields", "status", "expected"),
    [
        ({"terms": {"version": 1, "agrees": False}}, 400, "terms_not_accepted"),
        ({"terms": {"version": 2, "agrees": True}}, 409, "terms_changed"),
        ({"scope": {}}, 400, "empty_scope"),
        ({"scope": {"rooms": [2**62]}}, 400, "unknown_rooms"),
        ({"scope": {"groups": [2**63 - 1]}}, 400, "unknown_rooms"),
        ({"contacts": [{"name": "A", "upn": "a@contoso.example"}]}, 400, "own_person"),
        (
            {"contacts": [{"name": "A", "upn": "a@x.example"}, {"name": "B", "upn": "A@x.example"}]},
            400,
            "duplicate_contact",
        ),
    ],
)
def test_rules_are_told_apart_and_nothing_happens(world, admin, contoso, fields, status, expected):
    evidence = mark()
    assert code(admin.post("api-partners", contoso, body=body(world, **fields))) == (status, expected)
    assert changed(evidence) == set()
    assert evidence.messages == []
    assert all(f"Failed({expected})" in line for line in evidence.lines)
    assert evidence.lines


def test_rooms_of_somebody_else_are_unknown_rooms(world, admin, contoso):
    foreign = {"rooms": [world.tailwind.rooms[0].pk]}
    assert code(admin.post("api-partners", contoso, body=body(world, scope=foreign))) == (400, "unknown_rooms")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"contacts": None}, [("/contacts", "required")]),
        ({"contacts": []}, [("/contacts", "empty")]),
        ({"contacts": [{"upn": "a@x.example"}]}, [("/contacts/0/name", "required")]),
        ({"contacts": ["a@x.example"]}, [("/contacts/0", "invalid")]),
        ({"contacts": [{"name": "A", "upn": "a@x.example", "role": "x"}]}, [("/contacts/0/role", "unknown_field")]),
        ({"contacts": [{"name": "A\r\nBcc: b", "upn": "a@x.example"}]}, [("/contacts/0/name", "single_line")]),
        (
            {"contacts": [{"name": "A", "upn": "a@x.example", "delivery_address": "x"}]},
            [("/contacts/0/delivery_address", "invalid")],
        ),
        ({"contacts": [{"name": "A", "upn": f"a{n}@x.example"} for n in range(51)]}, [("/contacts", "max_length")]),
        ({"contacts": [{"name": "A", "upn": "no upn"}]}, [("", "upn_character")]),
        ({"days": 0}, [("/days", "min_value")]),
        ({"days": 31}, [("/days", "max_value")]),
        ({"label": "a\u2028b"}, [("/label", "single_line")]),
        ({"label": "x" * 121}, [("/label", "max_length")]),
        ({"expected_tid": "x"}, [("/expected_tid", "invalid")]),
        ({"scope": None}, [("/scope", "required")]),
        ({"scope": {"rooms": [0]}}, [("/scope/rooms/0", "min_value")]),
        ({"scope": {"rooms": ["x"]}}, [("/scope/rooms/0", "invalid")]),
        ({"scope": {"rooms": list(range(1, 10_002))}}, [("/scope/rooms", "max_length")]),
        ({"scope": {"buildings": [1]}}, [("/scope/buildings", "unknown_field")]),
        ({"terms": None}, [("/terms", "required")]),
        ({"terms": {"agrees": True}}, [("/terms/version", "required")]),
        ({"change_control": {"rooms.view": "auto"}}, [("/change_control/rooms.view", "unknown_field")]),
        ({"change_control": {"rooms.modify": "never"}}, [("/change_control/rooms.modify", "invalid_choice")]),
        ({"owner": "me"}, [("/owner", "unknown_field")]),
    ],
)
def test_proposals_that_do_not_fit_are_named(world, admin, contoso, fields, problem):
    evidence = mark()
    answer = admin.post("api-partners", contoso, body=body(world, **fields))
    assert code(answer) == (400, "invalid")
    assert wrong(answer) == problem
    assert changed(evidence) == set()


def test_viewing_settings_is_not_adding_and_the_refusal_is_on_record(world, contoso):
    viewer = world.contoso.person("viewer")
    assign(custom_role(world.contoso.tenant, Permission.SETTINGS_VIEW), viewer, Scope(all_rooms=True))
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    asking, evidence = person(viewer), mark()
    place = [contoso, relationship.pk]
    answers = [
        asking.post("api-partners", contoso, body=body(world)),
        asking.delete("api-partner", *place),
        asking.post("api-partner-suspend", *place),
        asking.post("api-partner-invitations", *place, body={"contacts": [{"name": "A", "upn": "a@x.example"}]}),
    ]
    assert [code(one) for one in answers] == [(403, "permission_denied")] * 4
    assert changed(evidence) == set()
    denied = "Failed(permission_denied) viewer@contoso.example"
    assert evidence.lines == [
        f"Contoso: PartnerInvitation/Create northwind.example {denied}",
        f"Contoso: PartnerInvitation/Delete fabrikam.example {denied}",
        f"Contoso: PartnerInvitation/Update fabrikam.example {denied}",
        f"Contoso: PartnerInvitation/Create fabrikam.example {denied}",
    ]
    assert asking.get("api-partner", *place).status_code == 200


def test_settings_for_some_rooms_are_no_settings(world, contoso):
    """What concerns the tenant as a whole needs an assignment over all its rooms."""
    local = world.contoso.person("local")
    assign(custom_role(world.contoso.tenant, Permission.SETTINGS_MODIFY), local, over(world.contoso.rooms[0]))
    assert code(person(local).get("api-partners", contoso)) == (403, "permission_denied")
    assert code(person(local).post("api-partners", contoso, body=body(world))) == (403, "permission_denied")


def test_list_is_searched_filtered_sorted_and_paged(world, admin, contoso):
    join(world.contoso, world.fabrikam, "ann")
    invite(world.contoso, "x@northwind.example")
    ended, _ = invite(world.contoso, "x@adatum.example")
    Delegation.objects.filter(pk=ended.delegation_id).update(state=DelegationState.ENDED, ended_at=ended.created_at)

    def labels(**query):
        return [one["label"] for one in admin.get("api-partners", contoso, **query).json()["items"]]

    assert labels() == ["fabrikam.example", "northwind.example"]
    assert labels(state="all", sort="-name") == ["northwind.example", "fabrikam.example", "adatum.example"]
    assert labels(state="active") == ["fabrikam.example"]
    assert labels(q="ann@") == ["fabrikam.example"]
    first = admin.get("api-partners", contoso, page_size=1).json()
    assert [one["label"] for one in first["items"]] == ["fabrikam.example"]
    assert [one["label"] for one in admin.client.get(first["next"]).json()["items"]] == ["northwind.example"]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"state": "gone"}, [("state", "invalid_choice")]),
        ({"sort": "size"}, [("sort", "invalid_choice")]),
        ({"q": "x" * 101}, [("q", "max_length")]),
        ({"who": "me"}, [("who", "unknown_parameter")]),
        ({"cursor": "AAAA"}, [("cursor", "unreadable_cursor")]),
    ],
)
def test_parameters_that_do_not_fit_are_named(admin, contoso, query, problem):
    answer = admin.get("api-partners", contoso, **query)
    assert code(answer) == (400, "invalid_parameters")
    assert wrong(answer) == problem


@pytest.mark.parametrize("number", [1, 3])
def test_list_costs_as_much_for_one_partner_as_for_three(world, admin, contoso, number):
    join(world.contoso, world.fabrikam, "ann", "bob")
    for name in ("adatum", "northwind")[: number - 1]:
        invite(world.contoso, f"x@{name}.example", f"y@{name}.example")
    with CaptureQueriesContext(connection) as captured:
        assert len(admin.get("api-partners", contoso).json()["items"]) == number
    assert len(captured) == 9


def test_ended_partner_is_still_told(world, admin, contoso):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    assert admin.delete("api-partner", contoso, relationship.pk).status_code == 204
    found = admin.get("api-partner", contoso, relationship.pk).json()
    assert (found["state"], found["scope"], found["room_count"], found["primary_admins"]) == ("ended", None, None, [])
    assert found["ended_at"] is not None


def test_removing_takes_effect_on_the_next_request_of_people_and_programs(world, admin, contoso):
    relationship, (ann, bob) = join(world.contoso, world.fabrikam, "ann", "bob")
    people = [person(ann), person(bob), tool(token(relationship, ann, Permission.ROOMS_VIEW))]
    assert [one.get("api-rooms", contoso).status_code for one in people] == [200, 200, 200]
    evidence = mark()
    assert admin.delete("api-partner", contoso, relationship.pk).status_code == 204
    assert [one.get("api-rooms", contoso).status_code for one in people] == [404, 404, 401]
    assert evidence.lines == [
        "Contoso: PartnerInvitation/Delete fabrikam.example Successful admin@contoso.example",
        "Contoso: Assignment/Delete Primary admin / Invited admins Successful admin@contoso.example",
        "Contoso: Role/Delete Primary admin Successful admin@contoso.example",
    ]
    assert evidence.kinds == ["partners.removed", "partners.ended"]
    assert code(admin.delete("api-partner", contoso, relationship.pk)) == (410, "relationship_over")


def test_brake_stops_people_and_programs_until_it_is_released(world, admin, contoso):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    people = [person(ann), tool(token(relationship, ann, Permission.ROOMS_VIEW))]
    assert admin.post("api-partner-suspend", contoso, relationship.pk).json()["state"] == "suspended"
    assert [one.get("api-rooms", contoso).status_code for one in people] == [404, 401]
    assert code(admin.post("api-partner-suspend", contoso, relationship.pk)) == (409, "wrong_state")
    assert admin.post("api-partner-resume", contoso, relationship.pk).json()["state"] == "active"
    assert [one.get("api-rooms", contoso).status_code for one in people] == [200, 200]
    assert wrong(admin.post("api-partner-suspend", contoso, relationship.pk, body={"why": "x"})) == [
        ("/why", "unknown_field")
    ]


def test_detail_tells_who_what_and_how(world, admin, contoso):
    relationship, _ = join(world.contoso, world.fabrikam, "ann", "bob")
    found = admin.get("api-partner", contoso, relationship.pk).json()
    assert found["partner"] == {
        "id": str(world.fabrikam.tenant.pk),
        "name": "Fabrikam",
        "domains": ["fabrikam.example"],
    }
    assert found["primary_admins"] == [
        {"name": "Ann", "upn": "ann@fabrikam.example"},
        {"name": "Bob", "upn": "bob@fabrikam.example"},
    ]
    policies = ControlPolicy.objects.filter(delegation=relationship.delegation)
    assert found["change_control"] == {one.event: one.mode for one in policies}


@pytest.mark.parametrize("role", BuiltIn.values)
def test_table_1_holds_for_settings(world, contoso, role):
    """The cells of settings.view and settings.modify, through the API."""
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    holder = ann if role == BuiltIn.PARTNER_ADMIN else world.contoso.member(BuiltIn(role), "holder")
    cells = {row["code"]: row[role] for row in published()}
    one = person(holder)
    answers = {
        "settings.view": one.get("api-partner", contoso, relationship.pk).status_code,
        "settings.modify": one.post("api-partner-suspend", contoso, relationship.pk).status_code,
    }
    assert answers == {name: 200 if cells[name] == "1" else 403 for name in answers}

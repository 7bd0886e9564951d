"""What a requested change would do, for whoever decides: in words of his language, with names he may read."""

from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from partners.services import colleagues
from rbac import access
from rbac.catalogue import CONTROLLED_EVENTS, BuiltIn, Permission
from rbac.models import Assignment, AssignmentKey, User
from rooms import change_control, diff_words, diffs
from rooms.diffs import changes_of
from rooms.models import ApprovalRequest
from rooms.scopes import Scope
from tests.factories.tickets import reported
from tests.factories.world import ask_first, asked, assign, custom_role, join, make, over, room_group
from tests.journeys.test_controlled import CHANGES, do
from tests.journeys.test_controlled import Scene as Everything

pytestmark = pytest.mark.django_db


class Scene:
    """Fabrikam cares for all rooms of Contoso, which approves everything first."""

    def __init__(self) -> None:
        self.world = make()
        self.contoso, self.tenant = self.world.contoso, self.world.contoso.tenant
        self.relationship, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann", scope=Scope(all_rooms=True))
        ask_first(self.relationship)

    def asked(self, event: Permission, target: Any, action: str, **params: Any) -> ApprovalRequest:
        return asked(lambda: change_control.submit(event, target, by=self.ann, action=action, **params))

    def rows(self, request: ApprovalRequest, reader: User | None = None) -> list[tuple[str, str, str]]:
        reader = reader or self.contoso.admin
        found = changes_of(request, reader, access.rights(reader, self.tenant.pk))
        return [(row.label, row.before, row.after) for change in found for row in change.rows]

    @property
    def invited_admins(self) -> Assignment:
        return Assignment.objects.get(role__delegation=self.relationship.delegation_id, key="invited_admins")


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def everything() -> Everything:
    return Everything()


SAID = {
    "en": [
        ("Primary admins at once", "–", "bob@fabrikam.example"),
        ("Invited as primary admins", "–", "nora@fabrikam.example"),
        ("Days to answer", "–", "7"),
        ("Members added", "–", "bob@fabrikam.example"),
        ("State", "–", "Pending"),
    ],
    "de": [
        ("Sofort primäre Administratoren", "–", "bob@fabrikam.example"),
        ("Als primäre Administratoren eingeladen", "–", "nora@fabrikam.example"),
        ("Tage zum Antworten", "–", "7"),
        ("Hinzugefügte Mitglieder", "–", "bob@fabrikam.example"),
        ("Status", "–", "Ausstehend"),
    ],
}


@pytest.mark.parametrize("language", SAID)
def test_primary_admins_that_a_partner_adds_are_told_in_words(scene, language):
    scene.world.fabrikam.person("bob")
    people = [{"upn": "bob@fabrikam.example"}, {"upn": "nora@fabrikam.example"}]
    request = scene.asked(Permission.ROLES_MODIFY, scene.invited_admins, colleagues.ACTION, people=people, days=7)
    with override(language), timezone.override("Europe/Berlin"):
        *said, (label, before, ends) = scene.rows(request)
        assert said == SAID[language]
        assert diff_words.object_of(request) == {"en": "Invited admins", "de": "Eingeladene Administratoren"}[language]
        [change] = [one for one in changes_of(request, scene.contoso.admin, ()) if " / " in one.name]
        assert change.name == str(BuiltIn.PARTNER_ADMIN.label) + " / " + str(AssignmentKey.INVITED_ADMINS.label)
        assert (label, before) == ({"en": "The invitation ends", "de": "Die Einladung endet"}[language], "–")
        assert ends.endswith((" CET", " CEST"))
        assert "+00:00" not in ends


@pytest.mark.parametrize(("event", "action"), CHANGES)
def test_no_field_of_a_controlled_change_is_shown_by_its_raw_name(everything, event, action):
    ask_first(everything.relationship, event)
    do(everything, event, action, "tool" if CHANGES[event, action].tool else "page")
    request = ApprovalRequest.objects.get()
    said = [
        (one["category"], name)
        for one in request.changes
        for side in (one["before"], one["after"])
        for name in diffs._folded(side or {})
    ]
    assert said
    for category, name in said:
        known = {*diff_words.WORDS[category].labels, *diff_words.ANYWHERE}
        assert name in known or diffs._field(category, name) is not None, (category, name)
    assert changes_of(request, everything.admin, access.rights(everything.admin))


def test_every_event_has_a_reader(everything):
    assert {event for event, _ in CHANGES} == set(CONTROLLED_EVENTS)


def test_what_the_log_leaves_out_is_read_before_it_is_approved(scene):
    ticket = reported(scene.world, scene.contoso.rooms[0])
    written = scene.asked(Permission.TICKETS_UPDATE, ticket, "write", text="Please reboot the room.")
    assert scene.rows(written) == [("Message", "–", "Please reboot the room.")]
    closed = scene.asked(Permission.TICKETS_UPDATE, ticket, "close", reason="duplicate", note="See #7.")
    assert scene.rows(closed) == [
        ("State", "Needs action", "Closed"),
        ("Reason", "–", "Duplicate"),
        ("Note", "–", "See #7."),
    ]
    opened = scene.asked(
        Permission.TICKETS_CREATE_INCIDENT,
        scene.tenant,
        "report",
        title="No picture",
        rooms=[scene.contoso.rooms[0].pk],
        description="Black since noon.",
        is_high_impact=True,
        justification="The board meets.",
    )
    assert scene.rows(opened) == [
        ("Severity", "–", "Critical"),
        ("Description", "–", "Black since noon."),
        ("Justification", "–", "The board meets."),
        ("High impact", "–", "yes"),
        ("Rooms", "–", "Contoso room 0"),
    ]


def test_scope_permissions_and_dates_are_told_in_words_and_what_stays_is_left_out(scene):
    group = room_group(scene.tenant, "Berlin", *scene.contoso.german)
    role = custom_role(scene.tenant, Permission.ROOMS_VIEW, delegation=scene.relationship.delegation)
    request = scene.asked(
        Permission.ROLES_MODIFY, role, "modify", permissions=["rooms.view", "tickets.view"], name="Desk"
    )
    assert scene.rows(request) == [
        ("Name", role.name, "Desk"),
        ("Permissions", "Rooms: View", "Rooms: View, Ticket management: View"),
    ]
    assignment = assign(role, scene.world.fabrikam.person("bob"), over(scene.contoso.rooms[0]))
    wanted = Scope(rooms=frozenset({scene.contoso.rooms[1].pk}), groups=frozenset({group.pk}))
    request = scene.asked(Permission.ROLES_MODIFY, assignment, "scope", scope=wanted.as_data())
    assert scene.rows(request) == [
        ("Scope", "Rooms: Contoso room 0", "Room groups: Berlin; Rooms: Contoso room 1"),
    ]
    dates = {"valid_from": None, "valid_until": "2099-01-31T23:00:00+00:00"}
    request = scene.asked(Permission.ROLES_MODIFY, assignment, "modify_assignment", dates=dates)
    with timezone.override("Europe/Berlin"):
        assert scene.rows(request) == [("Valid until", "–", "Feb. 1, 2099, midnight CET")]


def test_rooms_that_the_reader_does_not_see_are_counted(scene, monkeypatch):
    rooms = scene.contoso.rooms
    request = scene.asked(
        Permission.TICKETS_CREATE_INCIDENT, scene.tenant, "report", title="Dark", rooms=[room.pk for room in rooms]
    )
    shown = {label: after for label, _, after in scene.rows(request)}
    assert shown["Rooms"] == "Contoso room 0, Contoso room 1, Contoso room 2"
    viewer = scene.contoso.person("vic")
    assign(custom_role(scene.tenant, Permission.ROOMS_VIEW), viewer, over(rooms[1]))
    assert ("Rooms", "–", "Contoso room 1, 2 more") in scene.rows(request, viewer)
    monkeypatch.setattr(diffs, "NAMED", 1)
    assert ("Rooms", "–", "Contoso room 0, 2 more") in scene.rows(request)


def test_names_of_rooms_cost_one_statement_however_many(scene, django_assert_num_queries):
    for number in (1, 3):
        rooms = [room.pk for room in scene.contoso.rooms[:number]]
        request = scene.asked(Permission.TICKETS_CREATE_INCIDENT, scene.tenant, "report", title="Dark", rooms=rooms)
        held = access.rights(scene.contoso.admin)
        with django_assert_num_queries(1):
            changes_of(request, scene.contoso.admin, held)

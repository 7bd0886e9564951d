"""An assignment: its members and its scope, to look at and to edit."""

from typing import Any

import pytest
from django.urls import reverse

from rbac.catalogue import BuiltIn, Permission
from rbac.models import Assignment, AssignmentKey, Role, User
from rooms import scopes
from rooms.scopes import Scope
from tests.factories import RoomFactory
from tests.factories.browsing import browser, links, text, told
from tests.factories.evidence import leaves, mark
from tests.factories.world import World, assign, custom_role, invite, join, make, over, room_group, security_group

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def client(world) -> Any:
    return browser(world.contoso.admin)


def url(assignment: Assignment, name: str = "assignment", query: str = "") -> str:
    return reverse(name, args=[assignment.tenant_id, assignment.role_id, assignment.pk]) + query


def base(world: World, *names: str, **asked: Any) -> tuple[Assignment, list[User]]:
    """*Invited admins* of Fabrikam at Contoso, and its people."""
    relationship, people = join(world.contoso, world.fabrikam, *names, **asked)
    found = Assignment.objects.get(role__delegation=relationship.delegation, key=AssignmentKey.INVITED_ADMINS)
    return found, people


def founders(world: World) -> Assignment:
    return Assignment.objects.get(tenant=world.contoso.tenant, key=AssignmentKey.FOUNDERS)


# --- To look at -------------------------------------------------------------------------------------


def test_members_are_people_and_groups(world, client):
    assignment, _ = base(world, "ann", "bob")
    assignment.security_groups.add(security_group(world.fabrikam.tenant, "Fabrikam team"))
    shown = text(client.get(url(assignment)))
    assert "Primary admin of fabrikam.example: who they are, and which rooms they manage." in shown
    assert "Fabrikam team Security group Ann ann@fabrikam.example Person Bob bob@fabrikam.example Person" in shown
    assert url(assignment, "assignment_members") in links(client.get(url(assignment)))


def test_scope_shows_groups_and_rooms(world, client):
    group = room_group(world.contoso.tenant, "Boardrooms", world.contoso.rooms[2])
    scope = Scope(rooms=frozenset({world.contoso.rooms[0].pk}), groups=frozenset({group.pk}))
    assignment, (ann,) = base(world, "ann", scope=scope)
    for reader in (client, browser(ann)):
        shown = text(reader.get(url(assignment, query="?tab=scope")))
        assert "2 rooms today. Whole groups: Boardrooms" in shown
        assert "Contoso room 0" in shown
        assert "Contoso room 2" in shown
        assert "Contoso room 1" not in shown


def test_all_rooms_are_said_to_grow(world, client):
    assignment, _ = base(world, "ann", scope=Scope(all_rooms=True))
    assert "All rooms: 3 today, and every room that is added later." in text(
        client.get(url(assignment, query="?tab=scope"))
    )


def test_partner_edits_members_but_not_the_scope_he_holds_his_right_through(world):
    assignment, (ann,) = base(world, "ann")
    partner = browser(ann)
    page = partner.get(url(assignment, query="?tab=members"))
    assert url(assignment, "assignment_members") in links(page)
    page = partner.get(url(assignment, query="?tab=scope"))
    assert page.status_code == 200
    assert url(assignment, "assignment_scope") not in links(page)
    before = mark()
    partner.post(url(assignment, "assignment_scope"), {"all_rooms": "1"})
    assert partner.post(url(assignment, "assignment_scope"), {"save": "1"}).status_code == 403
    assert before.changed() - {"django_session"} == set()
    answer = partner.post(url(assignment, "assignment_members"), {"upn": "new@fabrikam.example", "add": "1"})
    assert "Primary admins who have never signed in are invited by the customer." in text(answer)


def test_partner_does_not_find_the_customers_assignments(world):
    _, (ann,) = base(world, "ann")
    partner = browser(ann)
    for name in ("assignment", "assignment_members", "assignment_scope"):
        assert partner.get(url(founders(world), name)).status_code == 404


def test_role_and_assignment_belong_together(world, client):
    assignment, _ = base(world, "ann")
    other = founders(world)
    mixed = reverse("assignment", args=[world.contoso.tenant.pk, other.role_id, assignment.pk])
    assert client.get(mixed).status_code == 404


def test_own_scope_is_for_somebody_else_to_change(world, client):
    page = client.get(url(founders(world), query="?tab=scope"))
    assert "You hold your own rights through this assignment" in text(page)
    assert url(founders(world), "assignment_scope") not in links(page)
    answer = client.post(
        url(founders(world), "assignment_scope"), {"single_rooms": "1", "pick": world.contoso.rooms[0].pk}
    )
    assert answer.status_code == 302
    assert client.post(url(founders(world), "assignment_scope"), {"save": "1"}).status_code == 403
    assert scopes.scope_of(founders(world)) == Scope(all_rooms=True)


@pytest.mark.parametrize("query", ["?tab=colour", "?colour=red", "?cursor=x"])
def test_unknown_parameters_are_refused(world, client, query):
    assert client.get(url(founders(world), query=query)).status_code == 400


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("tab", "number"), [("members", 11), ("scope", 11)])
def test_queries_do_not_grow(world, client, django_assert_num_queries, count, tab, number):
    rooms = world.contoso.rooms[:count]
    assignment, _ = base(world, *(f"ann{one}" for one in range(count)), rooms=rooms)
    with django_assert_num_queries(number):
        client.get(url(assignment, query=f"?tab={tab}"))


# --- Members of the customer's own roles ------------------------------------------------------------


def tech(world: World) -> Assignment:
    """A Site Tech assignment of Contoso with one member."""
    world.contoso.member(BuiltIn.SITE_TECH, "tess")
    return Assignment.objects.get(tenant=world.contoso.tenant, role__key=BuiltIn.SITE_TECH)


def test_member_is_added_by_user_principal_name(world, client):
    theo, assignment = world.contoso.person("theo"), tech(world)
    with leaves(f"Contoso: Assignment/Update Site Tech / site_tech of tess@contoso.example Successful {ADMIN}"):
        answer = client.post(
            url(assignment, "assignment_members"), {"upn": " THEO@contoso.example ", "add": "1"}, follow=True
        )
    assert told(answer) == ["theo@contoso.example has been added."]
    assert set(assignment.people.values_list("upn", flat=True)) == {"tess@contoso.example", theo.upn}
    assert browser(theo).get(reverse("rooms", args=[world.contoso.tenant.pk])).status_code == 200


@pytest.mark.parametrize(
    ("upn", "message"),
    [
        ("theo", "Enter a user principal name like name@example.com."),
        ("", "This field is required."),
        ("\x00", "Null characters are not allowed."),
    ],
)
def test_nobody_else_can_be_added(world, client, upn, message):
    gone = world.contoso.person("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assignment = tech(world)
    answer = client.post(url(assignment, "assignment_members"), {"upn": upn, "add": "1"})
    assert answer.status_code == 200
    assert message in text(answer)
    assert assignment.people.count() == 1


def test_removing_a_member_asks_first(world, client):
    assignment = tech(world)
    tess = assignment.people.get()
    asked = client.get(url(assignment, "assignment_members", f"?remove={tess.pk}"))
    assert "tess@contoso.example no longer holds the role Site Tech for 3 rooms" in text(asked)
    assert assignment.people.count() == 1
    answer = client.post(url(assignment, "assignment_members"), {"remove": str(tess.pk)}, follow=True)
    assert told(answer) == ["Tess has been removed."]
    assert not assignment.people.exists()


def test_last_mmr_admin_stays(world, client):
    assignment = founders(world)
    answer = client.post(url(assignment, "assignment_members"), {"remove": str(world.contoso.admin.pk)}, follow=True)
    assert told(answer) == ["Your organisation keeps at least one MMR Admin. Add another one first."]
    assert assignment.people.get() == world.contoso.admin


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 30, "٣"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_members_can_be_removed(world, client, value, method):
    assignment = tech(world)
    for asked in (value, str(world.contoso.admin.pk), str(world.tailwind.admin.pk)):
        answer = getattr(client, method)(url(assignment, "assignment_members"), {"remove": asked})
        assert answer.status_code == 404
    assert assignment.people.count() == 1


@pytest.mark.parametrize("name", ["assignment_members", "assignment_scope"])
def test_partners_custom_role_is_not_the_customers_to_edit(world, client, name):
    assignment, (ann,) = base(world, "ann")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=assignment.role.delegation)
    theirs = assign(role, ann, over(world.contoso.german[0]))
    assert client.get(url(theirs)).status_code == 200
    assert client.get(url(theirs, name)).status_code == 403
    assert client.post(url(theirs, name), {"remove": str(ann.pk), "save": "1"}).status_code == 403
    assert theirs.people.count() == 1


# --- Scope ------------------------------------------------------------------------------------------


class Editing:
    """Contoso's admin at *Scope > Edit* of *Invited admins*."""

    def __init__(self, world: World, client: Any) -> None:
        self.world, self.client = world, client
        self.assignment, (self.ann,) = base(world, "ann")
        self.url = url(self.assignment, "assignment_scope")

    def post(self, query: str = "", **data: Any) -> Any:
        return self.client.post(self.url + query, data)

    @property
    def stored(self) -> Scope:
        return scopes.scope_of(Assignment.objects.get(pk=self.assignment.pk))

    def sees(self, number: int) -> int:
        room = self.world.contoso.rooms[number]
        return browser(self.ann).get(reverse("room", args=[self.world.contoso.tenant.pk, room.pk])).status_code


@pytest.fixture
def editing(world, client) -> Editing:
    return Editing(world, client)


def test_rooms_are_added_and_removed_with_save(world, editing):
    rooms = world.contoso.rooms
    editing.post(add="1", pick=[rooms[2].pk])
    editing.post(remove_room=str(rooms[0].pk))
    assert editing.stored == over(*world.contoso.german)  # nothing before *Save*
    assert [editing.sees(number) for number in range(3)] == [200, 200, 404]
    assert "Not saved yet" in text(editing.client.get(editing.url))
    with leaves(f"Contoso: Assignment/Update Primary admin / Invited admins Successful {ADMIN}"):
        answer = editing.client.post(editing.url, {"save": "1"}, follow=True)
    assert answer.redirect_chain == [(url(editing.assignment, query="?tab=scope"), 302)]
    assert told(answer) == ["The rooms are saved. The change took effect at once."]
    assert editing.stored == over(*rooms[1:])
    assert [editing.sees(number) for number in range(3)] == [404, 200, 200]


def test_save_takes_ticked_rooms_along(world, editing):
    editing.post(save="1", pick=[world.contoso.rooms[2].pk])
    assert editing.stored == over(*world.contoso.rooms)


def test_whole_group_and_all_rooms(world, editing):
    group = room_group(world.contoso.tenant, "Boardrooms", world.contoso.rooms[2])
    editing.post("?by=groups", add_group=str(group.pk))
    editing.post(save="1")
    assert editing.stored.groups == {group.pk}
    assert editing.sees(2) == 200
    editing.post("?by=all", all_rooms="1")
    editing.post(save="1")
    assert editing.stored == Scope(all_rooms=True)
    world.contoso.rooms.append(RoomFactory(tenant=world.contoso.tenant))
    assert editing.sees(3) == 200


def test_cancel_forgets_the_changes(world, editing):
    editing.post(add="1", pick=[world.contoso.rooms[2].pk])
    assert editing.post(cancel="1").url == url(editing.assignment, query="?tab=scope")
    assert "Not saved yet" not in text(editing.client.get(editing.url))
    assert editing.stored == over(*world.contoso.german)


def test_saving_nothing_writes_nothing(editing):
    before = mark()
    assert editing.post(save="1").status_code == 302
    assert (before.changed() - {"django_session"}, before.lines) == (set(), [])


def test_at_least_one_room_stays(world, editing):
    editing.post(remove_all="1")
    answer = editing.post(save="1")
    assert answer.status_code == 200
    assert "Choose at least one room." in text(answer)
    assert editing.stored == over(*world.contoso.german)


def test_somebody_elses_faster_change_is_not_overwritten(world, editing):
    editing.post(add="1", pick=[world.contoso.rooms[2].pk])
    scopes.change(editing.assignment, over(world.contoso.rooms[1]), by=world.contoso.admin)
    answer = editing.post(save="1")
    assert "Somebody else has changed these rooms in the meantime." in text(answer)
    assert editing.stored == over(world.contoso.rooms[1])
    assert "Chosen 1 room Contoso room 1" in text(editing.client.get(editing.url))


def test_room_that_vanished_is_told_and_left_out(world, editing):
    extra = RoomFactory(tenant=world.contoso.tenant, display_name="Short-lived")
    editing.post(add="1", pick=[extra.pk])
    extra.delete()
    assert "Some of the rooms do not exist any more." in text(editing.post(save="1"))
    assert editing.post(save="1").status_code == 302
    assert editing.stored == over(*world.contoso.german)


def test_rooms_of_others_are_passed_over_silently(world, editing):
    foreign = room_group(world.tailwind.tenant, "Tailwind group", world.tailwind.rooms[0])
    editing.post(add="1", pick=[world.tailwind.rooms[0].pk, 10**9])
    editing.post("?by=groups", add_group=str(foreign.pk))
    editing.post(save="1")
    assert editing.stored == over(*world.contoso.german)
    assert "Tailwind" not in text(editing.client.get(editing.url))


def test_working_copies_of_two_people_and_two_assignments_are_apart(world, editing):
    relationship, _ = invite(world.contoso, "x@northwind.example")
    other = Assignment.objects.get(role__delegation=relationship.delegation)
    editing.post(remove_all="1")
    assert "Chosen 2 rooms" in text(editing.client.get(url(other, "assignment_scope")))
    colleague = browser(world.contoso.member(BuiltIn.MMR_ADMIN, "max"))
    assert "Chosen 2 rooms" in text(colleague.get(editing.url))


def test_nobody_gives_rooms_he_does_not_hold(world):
    assignment, _ = base(world, "ann")
    keeper = world.contoso.person("kim")
    assign(custom_role(world.contoso.tenant, Permission.ROLES_MODIFY), keeper, Scope(all_rooms=True))
    assign(custom_role(world.contoso.tenant, Permission.ROOMS_VIEW), keeper, Scope(all_rooms=True))
    client, before = browser(keeper), mark()
    client.post(url(assignment, "assignment_scope"), {"add": "1", "pick": world.contoso.rooms[2].pk})
    assert client.post(url(assignment, "assignment_scope"), {"save": "1"}).status_code == 403
    assert before.changed() - {"django_session"} == set()


def test_roles_of_the_other_customer_are_untouched(world, editing):
    before = list(Role.objects.filter(tenant=world.tailwind.tenant).values_list("pk", "permissions"))
    editing.post("?by=all", all_rooms="1", save="1")
    assert list(Role.objects.filter(tenant=world.tailwind.tenant).values_list("pk", "permissions")) == before

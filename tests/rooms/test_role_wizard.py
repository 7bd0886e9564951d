"""New roles and assignments by the wizard; editing, deleting and leaving what is there."""

from typing import Any

import pytest
from django.urls import reverse

from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Assignment, AssignmentKey, PendingClaim, Role, SecurityGroup, User
from rbac.services import security_groups
from rooms.models import RoleDraft, Room
from rooms.scopes import Scope
from rooms.services import roles
from rooms.services.roles import Proposed
from tests.factories.browsing import browser, links, text, told
from tests.factories.world import World, assign, custom_role, join, make, over

pytestmark = pytest.mark.django_db

P = Permission


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def client(world) -> Any:
    return browser(world.contoso.admin)


def step(world: World, name: str, role: Role | None = None) -> str:
    if role is None:
        return reverse("role_add_step", args=[world.contoso.tenant.pk, name])
    return reverse("assignment_add_step", args=[world.contoso.tenant.pk, role.pk, name])


def walk(client: Any, world: World, member: str, room: Room, *codes: Permission) -> Any:
    """Through all six steps; the answer to the last click."""
    entered = (
        ("general", {"name": "Help desk", "description": "Answers"}),
        ("permissions", {"permissions": [code.value for code in codes]}),
        ("assignment", {"name": "First line", "sends_email": "1", "last_day": "2031-05-01"}),
        ("members", {"upn": member}),
        ("scope", {"pick": room.pk}),
    )
    for (name, values), following in zip(entered, [*[one[0] for one in entered[1:]], "finish"], strict=True):
        assert client.get(step(world, name)).status_code == 200
        answer = client.post(step(world, name), {**values, "next": "1"})
        assert (answer.status_code, answer.url) == (302, step(world, following))
    page = client.get(step(world, "finish"))
    for shown in ("Help desk", "First line", member, room.display_name, "2031-05-01"):
        assert shown in text(page)
    return client.post(step(world, "finish"), {"create": "1", "reviewed": page.context["reviewed"]}, follow=True)


def test_customer_makes_a_role(world, client):
    amy, room = world.contoso.person("amy"), world.contoso.german[0]
    answer = walk(client, world, amy.upn, room, P.ROOMS_MODIFY, P.TICKETS_VIEW)
    assert told(answer) == ["The role “Help desk” is there."]
    role = Role.objects.get(name="Help desk")
    assert (role.delegation_id, role.permissions) == (None, ["rooms.modify", "tickets.view"])
    made = role.assignments.get()
    assert (made.name, made.sends_email) == ("First line", True)
    assert made.valid_until.isoformat() == "2031-05-02T00:00:00+00:00"
    assert access.can(amy, P.ROOMS_MODIFY, room)
    assert not RoleDraft.objects.exists()
    again = client.post(step(world, "finish"), {"create": "1", "reviewed": "x"}, follow=True)
    assert told(again) == ["There is nothing left to create: it was created already, or the draft discarded."]
    assert Role.objects.filter(name="Help desk").count() == 1


def test_partner_makes_a_help_desk_of_what_is_delegated(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    carl, partner = world.fabrikam.person("carl"), browser(ann)
    page = partner.get(step(world, "general"))
    assert page.status_code == 200
    answer = walk(partner, world, carl.upn, world.contoso.german[0], P.TICKETS_UPDATE, P.ROOMS_VIEW)
    assert told(answer) == ["The role “Help desk” is there."]
    assert Role.objects.get(name="Help desk").delegation_id == relationship.delegation_id
    assert access.can(carl, P.ROOMS_VIEW, world.contoso.german[0])


def test_partner_ticks_nothing_above_the_ceiling_and_sees_only_delegated_rooms(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    partner = browser(ann)
    partner.post(step(world, "general"), {"name": "Desk", "next": "1"})
    page = partner.get(step(world, "permissions"))
    offered = {row["code"] for _, rows in page.context["features"] for row in rows if row["is_offered"]}
    assert "rooms.unenroll" not in offered
    assert {"rooms.view", "tickets.update", "roles.modify"} <= offered
    partner.post(step(world, "permissions"), {"permissions": ["rooms.view"], "next": "1"})
    partner.post(step(world, "assignment"), {"name": "One", "next": "1"})
    partner.post(step(world, "members"), {"next": "1"})
    shown = text(partner.get(step(world, "scope")))
    assert "Contoso room 0" in shown
    assert "Contoso room 2" not in shown
    partner.post(step(world, "scope"), {"pick": world.contoso.rooms[2].pk, "next": "1"})
    assert partner.get(step(world, "finish")).status_code == 302  # it was passed over: nothing is chosen yet
    whole = text(partner.get(step(world, "scope") + "?by=all"))
    assert "2 rooms are delegated to your organisation today." in whole


def test_nothing_typed_is_lost_and_no_step_is_jumped(world, client):
    assert client.get(step(world, "scope")).url == step(world, "general")
    answer = client.post(step(world, "general"), {"name": "", "description": "Kept", "next": "1"})
    assert answer.status_code == 200
    assert "Kept" in text(client.get(step(world, "general")))
    client.post(step(world, "general"), {"name": "Site Lead", "next": "1"})
    answer = client.post(step(world, "permissions"), {"next": "1"})
    assert "Choose at least one permission." in text(answer)
    client.post(step(world, "permissions"), {"permissions": ["rooms.view"], "next": "1"})
    answer = client.post(
        step(world, "assignment"), {"name": "x", "first_day": "2031-02-01", "last_day": "2031-01-01", "next": "1"}
    )
    assert "The end comes after the beginning." in text(answer)
    client.post(step(world, "assignment"), {"name": "x", "next": "1"})
    answer = client.post(step(world, "members"), {"upn": "nonsense", "next": "1"})
    assert "Enter a user principal name like name@example.com." in text(answer)
    client.post(step(world, "members"), {"upn": "new@contoso.example", "add": "1"})
    client.post(step(world, "members"), {"next": "1"})
    client.post(step(world, "scope"), {"all_rooms": "1"})
    client.post(step(world, "scope"), {"next": "1"})
    page = client.get(step(world, "finish"))
    answer = client.post(step(world, "finish"), {"create": "1", "reviewed": page.context["reviewed"]}, follow=True)
    assert told(answer) == ["A role of this name exists already."]
    assert answer.redirect_chain[-1][0] == step(world, "general")
    client.post(step(world, "general"), {"name": "Region", "next": "1"})
    page = client.get(step(world, "finish"))
    client.post(step(world, "finish"), {"create": "1", "reviewed": page.context["reviewed"]})
    assert PendingClaim.objects.get(upn="new@contoso.example").assignment.role.name == "Region"


def test_what_was_changed_elsewhere_is_reviewed_again(world, client):
    walk_to = {"general": {"name": "A"}, "permissions": {"permissions": ["rooms.view"]}, "assignment": {"name": "B"}}
    for name, values in walk_to.items():
        client.post(step(world, name), {**values, "next": "1"})
    client.post(step(world, "members"), {"next": "1"})
    client.post(step(world, "scope"), {"all_rooms": "1"})
    client.post(step(world, "scope"), {"next": "1"})
    stale = client.get(step(world, "finish")).context["reviewed"]
    client.post(step(world, "permissions"), {"permissions": ["rooms.modify"], "next": "1"})
    answer = client.post(step(world, "finish"), {"create": "1", "reviewed": stale}, follow=True)
    assert "What you entered was changed in another window. Review it once more." in told(answer)
    assert not Role.objects.filter(name="A").exists()
    client.post(reverse("role_add", args=[world.contoso.tenant.pk]), {"discard": "1"})
    assert not RoleDraft.objects.exists()


def test_built_in_role_gets_another_assignment(world, client):
    role = Role.objects.get(tenant=world.contoso.tenant, key=BuiltIn.SITE_TECH)
    amy = world.contoso.person("amy")
    begin = client.get(reverse("assignment_add", args=[world.contoso.tenant.pk, role.pk]))
    assert begin.url == step(world, "assignment", role)
    assert client.get(step(world, "general", role)).status_code == 404
    client.post(step(world, "assignment", role), {"name": "Berlin", "next": "1"})
    client.post(step(world, "members", role), {"upn": amy.upn, "next": "1"})
    client.post(step(world, "scope", role), {"pick": world.contoso.german[0].pk, "next": "1"})
    page = client.get(step(world, "finish", role))
    answer = client.post(
        step(world, "finish", role), {"create": "1", "reviewed": page.context["reviewed"]}, follow=True
    )
    assert told(answer) == ["“Site Tech” has another assignment."]
    assert access.can(amy, P.ROOMS_UNENROLL, world.contoso.german[0])


def test_whoever_may_not_make_roles_finds_no_wizard(world):
    lea, (_, (ann,)) = world.contoso.member(BuiltIn.SITE_LEAD, "lea"), join(world.contoso, world.fabrikam, "ann")
    local = world.contoso.person("lara")
    assign(custom_role(world.contoso.tenant, P.ROLES_MODIFY), local, over(world.contoso.rooms[0]))
    own = Role.objects.get(tenant=world.contoso.tenant, key=BuiltIn.SITE_TECH)
    add = reverse("role_add", args=[world.contoso.tenant.pk])
    for person, status in ((lea, 403), (local, 403), (world.tailwind.admin, 404), (ann, 302)):
        assert browser(person).get(add).status_code == status
    assert browser(ann).get(step(world, "assignment", own)).status_code == 404


# --- What is there ------------------------------------------------------------------------------


def url(name: str, one: Role | Assignment) -> str:
    args = [one.tenant_id, one.pk] if isinstance(one, Role) else [one.tenant_id, one.role_id, one.pk]
    return reverse(name, args=args)


def made(world: World, by: User, *members: str, scope: Scope | None = None) -> Role:
    proposed = Proposed("First", members=members, scope=scope or Scope(all_rooms=True))
    return roles.create(
        world.contoso.tenant, by=by, name="Helpers", permissions=["rooms.view"], assignment=proposed.as_data()
    )


def test_role_is_edited_and_deleted(world, client):
    amy = world.contoso.person("amy")
    role = made(world, world.contoso.admin, amy.upn)
    page = client.get(url("role", role))
    assert {url("role_edit", role), url("role_delete", role)} <= links(page)
    answer = client.post(url("role_edit", role), {"name": "Fixers", "description": "", "version": "1"}, follow=True)
    assert told(answer) == ["The changes to “Helpers” are saved."]
    stale = client.post(url("role_permissions", role), {"permissions": ["rooms.modify"], "version": "1"})
    assert "Somebody else has changed this in the meantime." in text(stale)
    client.post(url("role_permissions", role), {"permissions": ["rooms.modify"], "version": "2"})
    assert access.can(amy, P.ROOMS_MODIFY, world.contoso.rooms[0])
    assert "its 1 assignment with it" in text(client.get(url("role_delete", role)))
    client.post(url("role_delete", role))
    assert not Role.objects.filter(pk=role.pk).exists()


def test_customer_finds_only_delete_at_a_partners_role(world, client):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    role = made(world, ann, "carl@fabrikam.example", scope=over(world.contoso.german[0]))
    assignment = role.assignments.get()
    page = client.get(url("role", role))
    assert url("role_delete", role) in links(page)
    assert url("role_edit", role) not in links(page)
    for name, one in (
        ("role_edit", role),
        ("role_permissions", role),
        ("assignment_edit", assignment),
        ("assignment_members", assignment),
        ("assignment_scope", assignment),
        ("assignment_delete", assignment),
    ):
        assert client.get(url(name, one)).status_code == 403
    partner = browser(ann)
    for name, one in (("role_edit", role), ("assignment_edit", assignment), ("assignment_scope", assignment)):
        assert partner.get(url(name, one)).status_code == 200
    client.post(url("role_delete", role))
    assert not Role.objects.filter(pk=role.pk).exists()


def test_assignment_gets_other_dates_and_goes(world, client):
    assignment = made(world, world.contoso.admin, "new@contoso.example").assignments.get()
    entered = {"name": "Summer", "description": "", "first_day": "", "last_day": "2031-08-31", "version": "1"}
    client.post(url("assignment_edit", assignment), entered)
    assignment.refresh_from_db()
    assert (assignment.name, assignment.sends_email) == ("Summer", False)
    assert assignment.valid_until.isoformat() == "2031-09-01T00:00:00+00:00"
    shown = client.get(url("assignment", assignment))
    assert "Has not signed in yet" in text(shown)
    client.post(url("assignment_members", assignment), {"remove_claim": "new@contoso.example"})
    assert not PendingClaim.objects.filter(upn="new@contoso.example").exists()
    client.post(url("assignment_delete", assignment))
    assert not Assignment.objects.filter(pk=assignment.pk).exists()


def test_last_admin_cannot_leave_a_second_one_can(world):
    _, (ann, bob) = join(world.contoso, world.fabrikam, "ann", "bob")
    base = Assignment.objects.get(role__tenant=world.contoso.tenant, key=AssignmentKey.INVITED_ADMINS)
    partner = browser(bob)
    assert "You no longer hold the role Primary admin for 2 rooms." in text(partner.get(url("assignment_leave", base)))
    partner.post(url("assignment_leave", base))
    assert partner.get(url("assignment", base)).status_code == 404
    answer = browser(ann).post(url("assignment_leave", base), follow=True)
    assert "A partner keeps at least one primary admin. Add another one first, or remove the partner." in told(answer)
    assert browser(world.contoso.admin).get(url("assignment_leave", base)).status_code == 404


def test_kept_assignment_is_neither_renamed_nor_deleted(world, client):
    founders = Assignment.objects.get(tenant=world.contoso.tenant, key=AssignmentKey.FOUNDERS)
    page = client.get(url("assignment_edit", founders))
    assert set(page.context["form"].fields) == {"description", "sends_email", "version"}
    assert client.get(url("assignment_delete", founders)).status_code == 409


# --- Security groups ----------------------------------------------------------------------------


def test_security_group_on_its_pages(world, client):
    tenant, amy = world.contoso.tenant, world.contoso.person("amy")
    answer = client.post(reverse("security_group_add", args=[tenant.pk]), {"name": "Office"}, follow=True)
    assert told(answer) == ["The security group “Office” is there. Now add its people."]
    group = SecurityGroup.objects.get(name="Office")
    page = reverse("security_group", args=[tenant.pk, group.pk])
    client.post(page, {"upn": amy.upn, "add": "1"})
    assert list(group.people.all()) == [amy]
    wrong = client.post(page, {"upn": "nobody@contoso.example", "add": "1"})
    assert "Nobody of your organisation has signed in as nobody@contoso.example yet." in text(wrong)
    assert "Office 1 0" in text(client.get(reverse("security_groups", args=[tenant.pk])))
    founders = Assignment.objects.get(tenant=tenant, key=AssignmentKey.FOUNDERS)
    client.post(url("assignment_members", founders), {"add_group": group.pk})
    assert access.can(amy, P.SETTINGS_MODIFY, tenant)
    delete = reverse("security_group_delete", args=[tenant.pk, group.pk])
    assert told(client.post(delete, follow=True))[-1:] == [
        "This security group is a member of an assignment. Take it out there first."
    ]
    client.post(url("assignment_members", founders), {"remove_group": group.pk})
    client.post(page, {"remove": amy.pk})
    client.post(reverse("security_group_edit", args=[tenant.pk, group.pk]), {"name": "Bureau"})
    client.post(delete)
    assert not SecurityGroup.objects.filter(pk=group.pk).exists()


def test_security_groups_are_for_ones_own_keepers_of_roles(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    group = security_groups.create(world.contoso.tenant, "Office", by=world.contoso.admin)
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    pages = [reverse("security_groups", args=[world.contoso.tenant.pk])]
    pages += [
        reverse(name, args=[world.contoso.tenant.pk, group.pk])
        for name in ("security_group", "security_group_edit", "security_group_delete")
    ]
    for page in pages:
        assert browser(ann).get(page).status_code == 403
        assert browser(lea).get(page).status_code == 403
        assert browser(world.tailwind.admin).get(page).status_code == 404
    foreign = reverse("security_group", args=[world.tailwind.tenant.pk, group.pk])
    assert browser(world.tailwind.admin).get(foreign).status_code == 404


# --- Who can do what ----------------------------------------------------------------------------


def test_room_says_who_can_do_what_and_why(world, client):
    join(world.contoso, world.fabrikam, "ann")
    room = world.contoso.german[0]
    world.contoso.member(BuiltIn.SITE_TECH, "tess", over(room))
    page = reverse("room_access", args=[world.contoso.tenant.pk, room.pk])
    shown = text(client.get(page))
    for part in ("Ann", "Invited admins", "member directly", "this room", "all rooms", "Tess", "Site Tech"):
        assert part in shown
    only = text(client.get(page + "?permission=rooms.unenroll"))
    assert "Tess" in only
    assert "Ann" not in only
    for query in ("?permission=nonsense", "?colour=red", "?cursor=x"):
        assert client.get(page + query).status_code == 400


def test_partner_reads_of_its_own_people_only(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    join(world.contoso, world.northwind, "nils")
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess")
    partner, tenant = browser(ann), world.contoso.tenant.pk
    shown = text(partner.get(reverse("room_access", args=[tenant, world.contoso.german[0].pk])))
    assert "ann@fabrikam.example" in shown
    for hidden in ("tess@", "nils@", "admin@contoso"):
        assert hidden not in shown
    assert partner.get(reverse("room_access", args=[tenant, world.contoso.rooms[2].pk])).status_code == 404
    assert partner.get(reverse("person_access", args=[tenant, ann.pk])).status_code == 200
    for other in (tess, User.objects.get(upn="nils@northwind.example"), world.contoso.admin):
        assert partner.get(reverse("person_access", args=[tenant, other.pk])).status_code == 404


def test_person_page_says_what_and_why(world, client):
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    nobody, tenant = world.contoso.person("nora"), world.contoso.tenant.pk
    assert "Site Lead / site_lead of lea@contoso.example" in text(
        client.get(reverse("person_access", args=[tenant, lea.pk]))
    )
    assert "No permission today" in text(client.get(reverse("person_access", args=[tenant, nobody.pk])))
    assert client.get(reverse("person_access", args=[tenant, world.tailwind.admin.pk])).status_code == 404


def test_permission_table_has_the_readers_own_column(world, client):
    table = reverse("permission_table", args=[world.contoso.tenant.pk])
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[0]))
    page = client.get(table)
    rows = [row for _, some in page.context["features"] for row in some]
    assert len(rows) == 19
    assert [row["reach"].value for row in rows] == ["everywhere"] * 19
    mine = [row["reach"].value for _, some in browser(tess).get(table).context["features"] for row in some]
    assert mine[:5] == ["in_scope", "in_scope", "nowhere", "everywhere", "in_scope"]
    assert browser(world.tailwind.admin).get(table).status_code == 404
    assert client.get(table + "?x=1").status_code == 400


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("name", "number"),
    [("permission_table", 5), ("security_groups", 7), ("room_access", 16)],
)
def test_queries_do_not_grow(world, client, django_assert_num_queries, name, number, count):
    room = world.contoso.german[0]
    for one in range(count):
        world.contoso.member(BuiltIn.SITE_TECH, f"tess{one}", over(room))
        security_groups.create(world.contoso.tenant, f"Group {one}", by=world.contoso.admin)
    args = [world.contoso.tenant.pk, *([room.pk] if name == "room_access" else [])]
    client.get(reverse(name, args=args))
    with django_assert_num_queries(number):
        client.get(reverse(name, args=args))

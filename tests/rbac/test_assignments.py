"""Members of assignments: who may change them, and who has to stay."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import override

from partners.services import relationships
from rbac import access, grants
from rbac.catalogue import BuiltIn, Permission
from rbac.errors import LastMmrAdmin, LastPrimaryAdmin, NotOfThisTenant
from rbac.models import Assignment, AssignmentKey, Role, User
from rbac.services import assignments
from rooms import scopes
from rooms.models import Room, RoomGrantRow
from rooms.scopes import Scope
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, assign, custom_role, join, make, over, security_group

pytestmark = pytest.mark.django_db

ADMIN, ANN, BOB = "admin@contoso.example", "ann@fabrikam.example", "bob@fabrikam.example"
FOUNDERS = "Contoso: Assignment/Update MMR Admin / Founding admins"
INVITED = "Contoso: Assignment/Update Primary admin / Invited admins"


@pytest.fixture
def world() -> World:
    return make()


def founders(world: World) -> Assignment:
    return Assignment.objects.get(tenant=world.contoso.tenant, key=AssignmentKey.FOUNDERS)


def invited_admins(world: World, *names: str) -> tuple[Assignment, list[User]]:
    relationship, people = join(world.contoso, world.fabrikam, *names)
    return Assignment.objects.get(role__delegation=relationship.delegation), people


def seen(user: User) -> set[Room]:
    return set(access.visible(user, Permission.ROOMS_VIEW, Room.objects.all()))


def change(assignment: Assignment, by: User, **changes: Any) -> Callable[[], None]:
    return lambda: assignments.change_members(assignment, by=by, **changes)


# --- Changing -----------------------------------------------------------------------------------


def test_people_and_groups_come_and_go(world):
    amy, ben = world.contoso.person("amy"), world.contoso.person("ben")
    group = security_group(world.contoso.tenant, "Office", ben)
    with leaves(f"{FOUNDERS} Successful {ADMIN}") as evidence:
        change(founders(world), world.contoso.admin, add=[amy], add_groups=[group])()
    assert evidence.events[0].after == {"members_added": ["amy@contoso.example", "Office"], "members_removed": []}
    assert seen(amy) == seen(ben) == set(world.contoso.rooms)
    assert list(grants.differences(founders(world), Room.objects.none())) == []
    with leaves(f"{FOUNDERS} Successful {ADMIN}") as evidence:
        change(founders(world), world.contoso.admin, remove=[amy], remove_groups=[group])()
    assert evidence.events[0].after == {"members_added": [], "members_removed": ["amy@contoso.example", "Office"]}
    assert seen(amy) == seen(ben) == set()


def test_adding_a_member_again_changes_nothing(world):
    with leaves(f"{FOUNDERS} Successful {ADMIN}") as evidence:
        change(founders(world), world.contoso.admin, add=[world.contoso.admin])()
    assert evidence.changed() == set()


def test_names_in_the_log_are_english(world):
    amy = world.contoso.person("amy")
    with override("de"), leaves(f"{FOUNDERS} Successful {ADMIN}"):
        change(founders(world), world.contoso.admin, add=[amy])()


def test_members_come_from_the_tenant_that_holds_the_role(world):
    base, (ann,) = invited_admins(world, "ann")
    guest, foreign = world.contoso.person("gus"), world.northwind.person("nils")
    User.objects.filter(pk=guest.pk).update(is_home_member=False)
    guest.refresh_from_db()
    theirs = security_group(world.northwind.tenant, "Desk")
    for assignment, by, line, wrong in (
        (founders(world), world.contoso.admin, f"{FOUNDERS} Failed(not_of_this_tenant) {ADMIN}", foreign),
        (founders(world), world.contoso.admin, f"{FOUNDERS} Failed(not_of_this_tenant) {ADMIN}", guest),
        (base, ann, f"{INVITED} Failed(not_of_this_tenant) {ANN}", foreign),
        (base, ann, f"{INVITED} Failed(not_of_this_tenant) {ANN}", world.contoso.admin),
    ):
        refused(NotOfThisTenant, change(assignment, by, add=[wrong]), line)
    refused(NotOfThisTenant, change(base, ann, add_groups=[theirs]), f"{INVITED} Failed(not_of_this_tenant) {ANN}")


def test_only_those_who_may_modify_roles_change_members(world):
    lea, amy = world.contoso.member(BuiltIn.SITE_LEAD, "lea"), world.contoso.person("amy")
    _, (nils,) = join(world.contoso, world.northwind, "nils")
    for who in (lea, amy, nils, world.tailwind.admin):
        refused(
            PermissionDenied,
            change(founders(world), who, add=[amy]),
            f"{FOUNDERS} Failed(permission_denied) {who.upn}",
        )


def test_assignment_that_is_gone_is_not_found(world):
    base, (ann,) = invited_admins(world, "ann")
    relationships.remove(base.role.delegation.relationship, by=world.contoso.admin)
    for who in (ann, world.contoso.admin):
        refused(Http404, change(base, who, remove=[ann]))


# --- Nobody gives what he does not hold ----------------------------------------------------------


def keeper(world: World, *also: Permission) -> User:
    """Somebody who may modify roles, but holds nothing else (but `also`)."""
    person = world.contoso.person("kay")
    assign(custom_role(world.contoso.tenant, Permission.ROLES_MODIFY, *also), person, Scope(all_rooms=True))
    return person


def test_keeper_of_roles_makes_nobody_an_mmr_admin_himself_least(world):
    kay, amy = keeper(world), world.contoso.person("amy")
    group = security_group(world.contoso.tenant, "Office", kay)
    for changes in ({"add": [kay]}, {"add": [amy]}, {"add_groups": [group]}):
        refused(
            PermissionDenied,
            change(founders(world), kay, **changes),
            f"{FOUNDERS} Failed(permission_denied) kay@contoso.example",
        )
    assert seen(kay) == set()


def test_keeper_of_roles_gives_what_he_holds_for_all_rooms(world):
    kay = keeper(world, Permission.ROOMS_VIEW)
    amy = world.contoso.person("amy")
    viewers = assign(custom_role(world.contoso.tenant, Permission.ROOMS_VIEW), kay, over(world.contoso.rooms[0]))
    assignments.change_members(viewers, by=kay, add=[amy])
    assert seen(amy) == {world.contoso.rooms[0]}


def test_keeper_of_roles_shares_his_own_assignment(world):
    kay, amy = keeper(world), world.contoso.person("amy")
    own = Assignment.objects.get(people=kay)
    assignments.change_members(own, by=kay, add=[amy])
    assert Permission.ROLES_MODIFY in access.effective(amy, world.contoso.tenant.pk)


def test_customer_names_no_people_of_the_partner(world):
    """They are invited; nobody becomes a primary admin without his own yes."""
    base, (_,) = invited_admins(world, "ann")
    carl = world.fabrikam.person("carl")
    desk = security_group(world.fabrikam.tenant, "Desk", carl)
    for changes in ({"add": [carl]}, {"add_groups": [desk]}):
        refused(
            PermissionDenied,
            change(base, world.contoso.admin, **changes),
            f"{INVITED} Failed(permission_denied) {ADMIN}",
        )


def test_customer_takes_people_of_the_partner_out(world):
    base, (ann, bob) = invited_admins(world, "ann", "bob")
    with leaves(f"{INVITED} Successful {ADMIN}"):
        change(base, world.contoso.admin, remove=[bob])()
    assert seen(bob) == set()
    assert seen(ann) == set(world.contoso.german)


def test_primary_admin_runs_his_own_help_desk(world):
    base, (ann,) = invited_admins(world, "ann")
    carl = world.fabrikam.person("carl")
    desk = custom_role(world.contoso.tenant, Permission.TICKETS_VIEW, delegation=base.role.delegation)
    assignment = assign(desk, ann, over(*world.contoso.german))
    assignments.change_members(assignment, by=ann, add=[carl])
    assert set(access.visible(carl, Permission.TICKETS_VIEW, Room.objects.all())) == set(world.contoso.german)


def test_partners_keeper_of_roles_makes_nobody_a_primary_admin(world):
    base, (ann,) = invited_admins(world, "ann")
    kay, carl = world.fabrikam.person("kay"), world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, Permission.ROLES_MODIFY, delegation=base.role.delegation)
    assign(role, kay, over(world.contoso.german[0]))
    for who in (kay, carl):
        refused(
            PermissionDenied,
            change(base, kay, add=[who]),
            f"{INVITED} Failed(permission_denied) kay@fabrikam.example",
        )
    assert ann in base.people.all()


# --- Who has to stay ----------------------------------------------------------------------------


def test_last_primary_admin_stays(world):
    base, (ann, bob) = invited_admins(world, "ann", "bob")
    change(base, world.contoso.admin, remove=[bob])()
    for by in (ann, world.contoso.admin):
        evidence = refused(
            LastPrimaryAdmin,
            change(base, by, remove=[ann]),
            f"{INVITED} Failed(last_primary_admin) {by.upn}",
            code="last_primary_admin",
        )
        assert evidence.messages == []
    refused(
        LastPrimaryAdmin,
        change(base, world.contoso.admin, remove=[ann, bob]),
        f"{INVITED} Failed(last_primary_admin) {ADMIN}",
    )


def test_last_primary_admin_stays_in_his_group(world):
    base, (ann,) = invited_admins(world, "ann")
    group = security_group(world.fabrikam.tenant, "Admins", world.fabrikam.person("bob"))
    assignments.change_members(base, by=ann, add_groups=[group])
    assignments.change_members(base, by=ann, remove=[ann])
    refused(
        LastPrimaryAdmin,
        change(base, world.contoso.admin, remove_groups=[group]),
        f"{INVITED} Failed(last_primary_admin) {ADMIN}",
    )


def test_last_mmr_admin_stays(world):
    refused(
        LastMmrAdmin,
        change(founders(world), world.contoso.admin, remove=[world.contoso.admin]),
        f"{FOUNDERS} Failed(last_mmr_admin) {ADMIN}",
        code="last_mmr_admin",
    )
    amy = world.contoso.person("amy")
    change(founders(world), world.contoso.admin, add=[amy], remove=[world.contoso.admin])()
    assert seen(amy) == set(world.contoso.rooms)
    assert seen(world.contoso.admin) == set()


def test_another_assignment_of_the_role_counts_too(world):
    deputy = world.contoso.person("dee")
    assign(Role.objects.get(tenant=world.contoso.tenant, key=BuiltIn.MMR_ADMIN), deputy, Scope(all_rooms=True))
    change(founders(world), world.contoso.admin, remove=[world.contoso.admin])()
    assert not founders(world).people.exists()


# --- Admitting ----------------------------------------------------------------------------------


def test_admitting_twice_changes_nothing(world):
    base, (ann,) = invited_admins(world, "ann")
    assert assignments.admit(base, ann, by=ann) is False
    assert base.people.count() == 1


def test_nobody_of_another_tenant_is_admitted(world):
    base, _ = invited_admins(world, "ann")
    nils = world.northwind.person("nils")
    refused(
        NotOfThisTenant,
        lambda: assignments.admit(base, nils, by=nils),
        f"{INVITED} Failed(not_of_this_tenant) nils@northwind.example",
    )


# --- The index ----------------------------------------------------------------------------------


def test_differences_name_what_is_wrong(world):
    base, (ann,) = invited_admins(world, "ann")
    rooms = Room.objects.filter(pk__in=[room.pk for room in world.contoso.german])
    assert list(grants.differences(base, rooms)) == []
    carl = world.fabrikam.person("carl")
    base.group.user_set.add(carl)
    RoomGrantRow.objects.filter(group=base.group).first().delete()
    assert list(grants.differences(base, rooms)) == [
        f"assignment {base.pk}: 0 rows too many, 1 missing",
        f"assignment {base.pk}: members [{ann.pk}], indexed [{ann.pk}, {carl.pk}]",
    ]


def test_projection_writes_the_difference_only(world):
    base, _ = invited_admins(world, "ann")
    rows = dict(RoomGrantRow.objects.values_list("pk", "content_object"))
    scopes.change(base, over(world.contoso.german[0], world.contoso.rooms[2]), by=world.contoso.admin)
    after = dict(RoomGrantRow.objects.values_list("pk", "content_object"))
    kept = {pk for pk, room in rows.items() if room == world.contoso.german[0].pk}
    assert kept == rows.keys() & after.keys()
    assert set(after.values()) == {world.contoso.german[0].pk, world.contoso.rooms[2].pk}

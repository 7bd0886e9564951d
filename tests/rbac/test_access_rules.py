"""The rest of the decision: what makes an assignment count, and what never does."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from guardian.shortcuts import assign_perm

from audit.clock import now
from rbac import access, grants
from rbac.access import Limits
from rbac.catalogue import CEILING, BuiltIn, Permission
from rbac.models import (
    Assignment,
    AssignmentGroup,
    AssignmentKey,
    AssignmentMember,
    Delegation,
    DelegationState,
    Role,
    SecurityGroup,
    Tenant,
    TenantStatus,
    User,
)
from rooms import scopes
from rooms.models import Room, RoomGrantRow
from rooms.scopes import Scope
from tests.factories.rows import RoomFactory
from tests.factories.world import (
    World,
    assign,
    custom_role,
    join,
    make,
    over,
    room_group,
    security_group,
)

pytestmark = pytest.mark.django_db

VIEW, MODIFY = Permission.ROOMS_VIEW, Permission.ROOMS_MODIFY


@pytest.fixture
def world() -> World:
    return make()


@dataclass
class Linked:
    world: World
    delegation: Delegation
    base: Assignment
    ann: User
    bob: User


@pytest.fixture
def linked(world: World) -> Linked:
    """Fabrikam's Ann and Bob are primary admins of Contoso's German rooms; Northwind's Nils of all of Tailwind's."""
    join(world.tailwind, world.northwind, "nils", rooms=world.tailwind.rooms)
    relationship, (ann, bob) = join(world.contoso, world.fabrikam, "ann", "bob")
    base = Assignment.objects.get(role__delegation=relationship.delegation, key=AssignmentKey.INVITED_ADMINS)
    return Linked(world, relationship.delegation, base, ann, bob)


def seen(user: User, permission: Permission = VIEW) -> set[Room]:
    """The rooms on which `user` holds `permission`; by list, by single question, by matrix and by has_perm alike."""
    rooms = list(Room.objects.all())
    listed = set(access.visible(user, permission, Room.objects.all()))
    matrix = access.permissions_on(user, rooms)
    assert {room for room in rooms if access.can(user, permission, room)} == listed
    assert {room for room in rooms if user.has_perm(f"rooms.{permission.codename}", room)} == listed
    assert {room for room in rooms if permission in matrix[room.pk]} == listed
    return listed


# --- What adds up -------------------------------------------------------------------------------


def test_assignments_add_up_and_none_takes_away(world):
    first, second, third = world.contoso.rooms
    tech = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(first))
    assign(custom_role(world.contoso.tenant, VIEW), tech, over(first, second))
    assert seen(tech) == {first, second}
    assert seen(tech, MODIFY) == {first}
    assert seen(tech, Permission.REPORTS_VIEW) == set()
    assert third not in seen(tech)


def test_membership_by_a_security_group_counts_like_a_direct_one(world):
    tess, tim = world.contoso.person("tess"), world.contoso.person("tim")
    assignment = assign(custom_role(world.contoso.tenant, VIEW), tess, over(world.contoso.rooms[0]))
    group = security_group(world.contoso.tenant, "Berlin staff", tim)
    AssignmentGroup.objects.create(assignment=assignment, group=group)
    assert seen(tim) == seen(tess) == {world.contoso.rooms[0]}
    group.memberships.all().delete()
    assert seen(tim) == set()


def test_scope_of_a_group_follows_its_rooms(world):
    first, second, _ = world.contoso.rooms
    group = room_group(world.contoso.tenant, "Berlin", first)
    tech = world.contoso.member(BuiltIn.SITE_TECH, "tess", Scope(groups=frozenset({group.pk})))
    assert seen(tech) == {first}
    group.memberships.create(tenant=world.contoso.tenant, room=second)
    with transaction.atomic():
        scopes.follow_groups([group.pk])
    assert seen(tech) == {first, second}
    group.memberships.filter(room=first).delete()
    with transaction.atomic():
        scopes.follow_groups([group.pk])
    assert seen(tech) == {second}


def test_all_rooms_means_later_ones_too(world):
    lead = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    later = RoomFactory(tenant=world.contoso.tenant, display_name="New")
    assert seen(lead) == {*world.contoso.rooms, later}


# --- Validity -----------------------------------------------------------------------------------


def test_assignment_counts_from_its_first_to_its_last_second(world, clock):
    room = world.contoso.rooms[0]
    person = world.contoso.person("tess")
    start, end = now() + timedelta(days=1), now() + timedelta(days=3)
    assign(custom_role(world.contoso.tenant, VIEW), person, over(room), valid_from=start, valid_until=end)
    assert seen(person) == set()
    clock.move(start - clock.now())
    assert seen(person) == {room}
    clock.move(end - clock.now() - timedelta(seconds=5))
    assert seen(person) == {room}
    clock.move(end - clock.now())
    assert seen(person) == set()


@pytest.mark.parametrize("all_rooms", [True, False])
def test_delegation_counts_to_its_last_second(world, clock, all_rooms):
    scope = Scope(all_rooms=True) if all_rooms else over(*world.contoso.rooms)
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann", scope=scope)
    end = now() + timedelta(days=3)
    Delegation.objects.filter(pk=relationship.delegation_id).update(valid_until=end)
    assert seen(ann) == set(world.contoso.rooms)
    clock.move(end - clock.now() - timedelta(seconds=5))
    assert seen(ann) == set(world.contoso.rooms)
    clock.move(end - clock.now())
    assert seen(ann) == set()
    assert not access.can(ann, Permission.ROLES_VIEW, relationship.delegation)


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        (DelegationState.INVITED, False),
        (DelegationState.ACTIVE, True),
        (DelegationState.SUSPENDED, False),
        (DelegationState.LAPSED, False),
        (DelegationState.ENDED, False),
    ],
)
@pytest.mark.parametrize("all_rooms", [True, False])
def test_only_an_active_delegation_opens_anything(world, state, is_open, all_rooms):
    """Whatever rows are left: the state alone decides."""
    scope = Scope(all_rooms=True) if all_rooms else over(*world.contoso.rooms)
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann", scope=scope)
    ended_at = now() if state == DelegationState.ENDED else None
    Delegation.objects.filter(pk=relationship.delegation_id).update(state=state, ended_at=ended_at)
    assert seen(ann) == (set(world.contoso.rooms) if is_open else set())
    assert access.can(ann, Permission.ROLES_VIEW, relationship.delegation) is is_open
    assert access.effective(ann, world.contoso.tenant.pk) == (CEILING if is_open else frozenset())


# --- A partner's bounds -------------------------------------------------------------------------


def test_partner_sees_the_delegated_rooms_and_no_other(linked):
    assert seen(linked.ann) == seen(linked.bob) == set(linked.world.contoso.german)
    assert seen(linked.ann, MODIFY) == set(linked.world.contoso.german)
    assert seen(linked.ann, Permission.ROOMS_UNENROLL) == set()


def test_permission_above_the_ceiling_grants_a_partner_nothing(linked):
    above = sorted(set(Permission) - CEILING)
    role = custom_role(linked.world.contoso.tenant, *above, delegation=linked.delegation)
    carl = linked.world.fabrikam.person("carl")
    assign(role, carl, Scope(all_rooms=True))
    for permission in Permission:
        assert not access.can(carl, permission, linked.world.contoso.tenant)
        assert seen(carl, permission) == set()
    assert access.effective(carl, linked.world.contoso.tenant.pk) == frozenset()


@pytest.mark.parametrize("all_rooms", [True, False])
def test_partners_custom_assignment_stays_within_what_is_delegated(linked, all_rooms):
    world = linked.world
    role = custom_role(world.contoso.tenant, VIEW, delegation=linked.delegation)
    carl = world.fabrikam.person("carl")
    assign(role, carl, Scope(all_rooms=True) if all_rooms else over(*world.contoso.rooms))
    assert seen(carl) == set(world.contoso.german)
    with transaction.atomic():
        scopes.change(linked.base, over(world.contoso.german[0]), by=world.contoso.admin)
    assert seen(carl) == {world.contoso.german[0]}


def test_stray_row_beyond_the_delegated_rooms_grants_a_custom_assignment_nothing(linked):
    world = linked.world
    carl = world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, VIEW, delegation=linked.delegation)
    assignment = assign(role, carl, over(world.contoso.german[0]))
    american = next(room for room in world.contoso.rooms if room.country == "US")
    RoomGrantRow.objects.create(
        group_id=assignment.group_id, permission_id=access.row_id(VIEW), content_object=american
    )
    assert seen(carl) == {world.contoso.german[0]}


def test_roles_mean_a_partners_own_roles_only(linked):
    world = linked.world
    own = set(Role.objects.filter(delegation=linked.delegation))
    for permission in (Permission.ROLES_VIEW, Permission.ROLES_MODIFY):
        assert set(access.visible(linked.ann, permission, Role.objects.all())) == own
        assert set(access.visible(linked.ann, permission, Assignment.objects.all())) == {linked.base}
        assert set(access.visible(linked.ann, permission, Delegation.objects.all())) == {linked.delegation}
        assert set(access.visible(linked.ann, permission, Tenant.objects.all())) == set()
    of_contoso = set(Role.objects.filter(tenant=world.contoso.tenant))
    assert set(access.visible(world.contoso.admin, Permission.ROLES_VIEW, Role.objects.all())) == of_contoso
    assert own < of_contoso


def test_partners_roles_permission_ends_with_the_delegation(linked):
    Delegation.objects.filter(pk=linked.delegation.pk).update(state=DelegationState.SUSPENDED)
    assert not access.visible(linked.ann, Permission.ROLES_VIEW, Role.objects.all()).exists()


def test_one_customers_rights_mean_nothing_at_another(linked):
    world = linked.world
    join(world.tailwind, world.fabrikam, "bob", rooms=world.tailwind.rooms[:1])
    assert seen(linked.ann) == set(world.contoso.german)
    assert seen(linked.bob) == {*world.contoso.german, world.tailwind.rooms[0]}
    assert access.effective(linked.ann, world.tailwind.tenant.pk) == frozenset()


# --- Who counts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["is_active", "is_home_member"])
def test_inactive_people_and_guests_hold_nothing(linked, field):
    tess = linked.world.contoso.member(BuiltIn.SITE_LEAD, "tess")
    for person in (linked.ann, tess):
        assert seen(person)
        User.objects.filter(pk=person.pk).update(**{field: False})
        assert seen(person) == set()
        assert access.rights(person) == ()


def test_whoever_moves_to_another_tenant_leaves_his_rights_behind(linked):
    world = linked.world
    tess = world.contoso.member(BuiltIn.SITE_LEAD, "tess")
    User.objects.filter(pk__in=[tess.pk, linked.ann.pk]).update(tenant=world.northwind.tenant)
    assert seen(tess) == seen(linked.ann) == set()
    assert seen(linked.bob) == set(world.contoso.german)


def test_customers_own_role_counts_for_its_own_people_only(world):
    carl = world.fabrikam.person("carl")
    assign(Role.objects.get(tenant=world.contoso.tenant, key=BuiltIn.MMR_ADMIN), carl, Scope(all_rooms=True))
    assert access.rights(carl) == ()
    assert seen(carl) == set()


def test_partners_role_counts_for_the_partners_people_only(linked):
    world = linked.world
    nils = User.objects.get(upn="nils@northwind.example")
    for person in (nils, world.contoso.admin):
        AssignmentMember.objects.create(assignment=linked.base, user=person)
    grants.project_members(linked.base)
    assert seen(nils) == set(world.tailwind.rooms)
    assert {one.delegation_id for one in access.rights(world.contoso.admin)} == {None}


def test_closed_tenant_is_closed_for_everybody(linked):
    world = linked.world
    Tenant.objects.filter(pk=world.contoso.tenant.pk).update(status=TenantStatus.CLOSED)
    assert seen(world.contoso.admin) == seen(linked.ann) == set()
    assert not access.can(world.contoso.admin, Permission.SETTINGS_VIEW, world.contoso.tenant)


def test_people_of_a_closed_tenant_hold_nothing_elsewhere(linked):
    Tenant.objects.filter(pk=linked.world.fabrikam.tenant.pk).update(status=TenantStatus.CLOSED)
    assert seen(linked.ann) == set()


def test_nobody_is_a_superuser(world):
    with pytest.raises(IntegrityError, match="user_no_superuser"), transaction.atomic():
        User.objects.filter(pk=world.contoso.admin.pk).update(is_superuser=True)
    world.contoso.admin.is_superuser = True  # even on the instance it opens nothing
    assert seen(world.contoso.admin) == set(world.contoso.rooms)
    assert not world.contoso.admin.has_perm("rooms.add_room")
    assert not world.contoso.admin.has_perms(["rooms.view_room"])
    assert not world.contoso.admin.has_module_perms("rooms")


def test_staff_may_view_in_the_back_office_and_hold_nothing_of_the_table(world):
    staff = User.objects.create(username="help", upn="help@portal.example", is_staff=True)
    assert staff.has_perm("rooms.view_room")
    assert staff.has_module_perms("rooms")
    assert not staff.has_perm("rooms.change_room")
    assert seen(staff) == set()
    staff.is_active = False
    assert not staff.has_perm("rooms.view_room")
    assert not staff.has_module_perms("rooms")


# --- Rows alone are nothing ---------------------------------------------------------------------


def test_bare_guardian_row_grants_nothing(world):
    person = world.contoso.person("tess")
    group = grants.open_group()
    person.groups.add(group)
    room = world.contoso.rooms[0]
    RoomGrantRow.objects.create(group=group, permission_id=access.row_id(VIEW), content_object=room)
    assign_perm("rooms.rooms_view", group, world.contoso.rooms[1])
    assert seen(person) == set()


def test_bare_membership_of_the_index_group_grants_nothing(linked):
    carl = linked.world.fabrikam.person("carl")
    carl.groups.add(linked.base.group)
    assert seen(carl) == set()


def test_rows_on_people_are_impossible(world):
    with pytest.raises(IntegrityError, match="room_user_grant_empty"), transaction.atomic():
        assign_perm("rooms.rooms_view", world.contoso.person("tess"), world.contoso.rooms[0])


def test_portal_never_asks_guardians_own_lists():
    """They show rooms to inactive users and run a filter over the whole table (measured)."""
    root = Path(__file__).parents[2]
    named = {
        path.relative_to(root).as_posix()
        for app in ("trm_portal", "partners", "rooms", "rbac", "audit")
        for path in (root / app).rglob("*.py")
        if any(
            f"guardian.{name}" in path.read_text() for name in ("shortcuts", "core", "backends", "managers", "mixins")
        )
    }
    assert named == set()


# --- Tokens -------------------------------------------------------------------------------------


def test_token_narrows_its_holder_to_one_delegation_and_its_permissions(linked):
    world = linked.world
    join(world.tailwind, world.fabrikam, "ann", rooms=world.tailwind.rooms)
    ann = User.objects.get(pk=linked.ann.pk)
    assert seen(ann) == {*world.contoso.german, *world.tailwind.rooms}
    ann.limits = Limits(linked.delegation.pk, frozenset({VIEW}))
    assert seen(ann) == set(world.contoso.german)
    assert seen(ann, MODIFY) == set()
    assert not access.can(ann, Permission.ROLES_VIEW, linked.delegation)


def test_token_implies_what_its_permissions_imply(linked):
    linked.ann.limits = Limits(linked.delegation.pk, frozenset({MODIFY}))
    assert seen(linked.ann) == seen(linked.ann, MODIFY) == set(linked.world.contoso.german)


def test_token_gives_nothing_its_holder_lacks(linked):
    linked.ann.limits = Limits(linked.delegation.pk, frozenset(Permission))
    assert seen(linked.ann, Permission.ROOMS_UNENROLL) == set()
    assert not access.can(linked.ann, Permission.SETTINGS_VIEW, linked.world.contoso.tenant)


def test_token_takes_its_holders_rights_at_home_away(linked):
    admin = linked.world.contoso.admin
    admin.limits = Limits(linked.delegation.pk, frozenset(Permission))
    assert access.rights(admin) == ()


# --- Implied views ------------------------------------------------------------------------------


def test_changing_implies_seeing_just_what_it_acts_on(world):
    first, second, _ = world.contoso.rooms
    person = world.contoso.person("tess")
    assign(custom_role(world.contoso.tenant, MODIFY), person, over(first))
    assign(custom_role(world.contoso.tenant, Permission.REPORTS_VIEW), person, over(second))
    assert seen(person) == {first}
    assert seen(person, Permission.REPORTS_VIEW) == {second}
    assert access.permissions_on(person, [first, second]) == {
        first.pk: {MODIFY, VIEW},
        second.pk: {Permission.REPORTS_VIEW},
    }


# --- require ------------------------------------------------------------------------------------


def test_require_passes_or_raises(linked):
    world = linked.world
    access.require(linked.ann, MODIFY, world.contoso.german[0])
    american = next(room for room in world.contoso.rooms if room.country == "US")
    for room in (american, world.tailwind.rooms[0]):
        with pytest.raises(PermissionDenied):
            access.require(linked.ann, MODIFY, room)


def test_models_without_a_rule_are_refused_loudly(world):
    with pytest.raises(LookupError, match="SecurityGroup says nothing about access"):
        access.can(world.contoso.admin, VIEW, SecurityGroup(tenant=world.contoso.tenant, name="x"))

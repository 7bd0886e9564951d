"""Custom roles and assignments as services: who may, what it changes, what follows, what is on record."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from audit.clock import now
from partners.services import relationships
from rbac import access, grants
from rbac.catalogue import CEILING, BuiltIn, Permission, with_implied
from rbac.errors import (
    AboveCeiling,
    BuiltInRole,
    DatesNotInOrder,
    KeptAssignment,
    LastMmrAdmin,
    LastPrimaryAdmin,
    NoEndDate,
    NoPermissions,
    NotInvited,
    NotOfThisTenant,
    RoleNameTaken,
)
from rbac.models import Assignment, AssignmentKey, PendingClaim, Role, User
from rbac.services import assignments
from rooms import change_control, scopes
from rooms.errors import EmptyScope, StaleVersion, UnknownRooms
from rooms.models import Room, RoomGrantRow
from rooms.scopes import Scope
from rooms.services import roles
from rooms.services.roles import Proposed
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, assign, custom_role, join, make, over, security_group, sign_in

pytestmark = pytest.mark.django_db

ADMIN, ANN = "admin@contoso.example", "ann@fabrikam.example"
P = Permission
VIEW, MODIFY, DESK = [P.ROOMS_VIEW.value], [P.ROOMS_MODIFY.value], [P.TICKETS_UPDATE.value, P.ROOMS_VIEW.value]


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def partner(world: World) -> tuple[Assignment, list[User]]:
    """Invited admins of Fabrikam at Contoso (the German rooms), and ann, bob."""
    relationship, people = join(world.contoso, world.fabrikam, "ann", "bob")
    return Assignment.objects.get(role__delegation=relationship.delegation), people


def seen(user: User, permission: Permission = P.ROOMS_VIEW) -> set[Room]:
    return set(access.visible(user, permission, Room.objects.all()))


def proposed(*members: str, scope: Scope | None = None, **fields: Any) -> dict[str, Any]:
    return Proposed("First", members=members, scope=scope or Scope(all_rooms=True), **fields).as_data()


def make_role(world: World, by: User, codes: list[str], *members: str, name: str = "Helpers", **fields: Any) -> Role:
    """As the wizard makes it: through change control, with plain JSON."""
    return change_control.submit(
        P.ROLES_MODIFY,
        world.contoso.tenant,
        by=by,
        action="create",
        name=name,
        permissions=codes,
        assignment=proposed(*members, **fields),
    )


def desk(world: World, by: User, *members: str, codes: list[str] | None = None, **fields: Any) -> Role:
    fields.setdefault("scope", over(world.contoso.german[0]))
    return make_role(world, by, codes or DESK, *members, **fields)


def first(role: Role) -> Assignment:
    return Assignment.objects.select_related("role__delegation", "tenant").get(role=role)


def index_is_right() -> None:
    for one in Assignment.objects.select_related("role__delegation", "tenant"):
        assert list(grants.differences(one, scopes.indexed_rooms(one))) == []


# --- Making -------------------------------------------------------------------------------------


def test_customers_role_comes_with_its_first_assignment(world):
    amy = world.contoso.person("amy")
    with leaves(
        f"Contoso: Role/Create Helpers Successful {ADMIN}",
        f"Contoso: Assignment/Create Helpers / First Successful {ADMIN}",
    ) as evidence:
        role = make_role(world, world.contoso.admin, MODIFY, amy.upn, scope=over(world.contoso.german[0]))
    assert evidence.events[0].after == {"permissions": MODIFY, "description": ""}
    assert (role.delegation, role.key, role.permissions) == (None, "", MODIFY)
    assert seen(amy) == seen(amy, P.ROOMS_MODIFY) == {world.contoso.german[0]}
    index_is_right()


def test_partners_role_is_his_delegations(world, partner):
    base, (ann, _) = partner
    carl = world.fabrikam.person("carl")
    role = desk(world, ann, carl.upn)
    assert role.delegation_id == base.role.delegation_id
    assert seen(carl) == seen(carl, P.TICKETS_UPDATE) == {world.contoso.german[0]}
    index_is_right()


def test_who_never_signed_in_becomes_a_member_by_signing_in(world, partner):
    _, (ann, _) = partner
    for by, upn, tenant in (
        (world.contoso.admin, "new@contoso.example", world.contoso.tenant),
        (ann, "new@fabrikam.example", world.fabrikam.tenant),
    ):
        role = desk(world, by, upn, name=upn)
        assert list(PendingClaim.objects.filter(upn=upn).values_list("tenant", "named_by")) == [(tenant.pk, by.upn)]
        person = sign_in(tenant, upn)
        assert seen(person) == {world.contoso.german[0]}
        assert not PendingClaim.objects.filter(upn=upn).exists()
        assert list(first(role).people.all()) == [person]


def test_claim_that_is_withdrawn_opens_nothing(world):
    role = make_role(world, world.contoso.admin, VIEW, "new@contoso.example")
    roles.change_members(first(role), by=world.contoso.admin, remove=["new@contoso.example"])
    assert seen(sign_in(world.contoso.tenant, "new@contoso.example")) == set()


@pytest.mark.parametrize("code", Permission)
def test_role_of_one_permission_grants_that_and_what_it_implies(world, code):
    amy = world.contoso.person("amy")
    make_role(world, world.contoso.admin, [code.value], amy.upn)
    assert access.effective(amy, world.contoso.tenant.pk) == with_implied([code])


@pytest.mark.parametrize("code", Permission)
def test_partners_role_never_rises_above_the_ceiling(world, partner, code):
    _, (ann, _) = partner
    carl = world.fabrikam.person("carl")
    if code in CEILING:
        desk(world, ann, carl.upn, codes=[code.value])
        assert code in access.effective(carl, world.contoso.tenant.pk)
    else:
        refused(
            AboveCeiling,
            lambda: desk(world, ann, carl.upn, codes=[code.value]),
            f"Contoso: Role/Create Helpers Failed(above_ceiling) {ANN}",
        )


def keeper(world: World, *codes: Permission) -> User:
    kay = world.contoso.person("kay")
    assign(custom_role(world.contoso.tenant, P.ROLES_MODIFY, *codes), kay, Scope(all_rooms=True))
    return kay


def test_nobody_makes_a_role_of_what_he_does_not_hold(world):
    kay = keeper(world, P.ROOMS_VIEW)
    refused(
        PermissionDenied,
        lambda: make_role(world, kay, MODIFY, kay.upn),
        "Contoso: Role/Create Helpers Failed(permission_denied) kay@contoso.example",
    )
    make_role(world, kay, VIEW, "amy@contoso.example")


@pytest.mark.parametrize(
    ("error", "code", "asked"),
    [
        (NoPermissions, "no_permissions", {"codes": []}),
        (RoleNameTaken, "role_name_taken", {"name": "site lead"}),
        (RoleNameTaken, "role_name_taken", {"name": "TAKEN"}),
    ],
)
def test_what_a_role_cannot_be(world, error, code, asked):
    make_role(world, world.contoso.admin, VIEW, name="Taken")
    given = {"codes": VIEW, "name": "Other"} | asked
    refused(
        error,
        lambda: make_role(world, world.contoso.admin, given["codes"], name=given["name"]),
        f"Contoso: Role/Create {given['name']} Failed({code}) {ADMIN}",
    )


def test_a_name_may_stand_again_with_another_owner(world, partner):
    _, (ann, _) = partner
    make_role(world, world.contoso.admin, VIEW, name="Desk")
    assert desk(world, ann, name="Desk").name == "Desk"


def test_only_keepers_of_roles_make_roles(world, partner):
    _, (ann, _) = partner
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    _, (nils,) = join(world.tailwind, world.northwind, "nils")
    for who in (lea, world.contoso.person("amy")):
        refused(
            PermissionDenied,
            lambda who=who: make_role(world, who, VIEW),
            f"Contoso: Role/Create Helpers Failed(permission_denied) {who.upn}",
        )
    for who in (nils, world.tailwind.admin):
        refused(PermissionDenied, lambda who=who: make_role(world, who, VIEW))
    relationships.suspend(ann.assignments.get().role.delegation.relationship, by=world.contoso.admin)
    refused(PermissionDenied, lambda: desk(world, ann))


def test_partner_gives_only_rooms_he_sees_and_learns_of_no_other(world, partner):
    _, (ann, _) = partner
    american, foreign = world.contoso.rooms[2], world.tailwind.rooms[0]
    for scope in (over(american), over(foreign), Scope(rooms=frozenset({10**9}))):
        evidence = refused(UnknownRooms, lambda scope=scope: desk(world, ann, scope=scope), *_failed("unknown_rooms"))
        assert evidence.messages == []
    refused(EmptyScope, lambda: desk(world, ann, scope=Scope()), *_failed("empty_scope"))


def _failed(code: str) -> tuple[str, str]:
    return (
        f"Contoso: Role/Create Helpers Failed({code}) {ANN}",
        f"Contoso: Assignment/Create Helpers / First Failed({code}) {ANN}",
    )


def test_all_rooms_of_a_partner_are_all_that_is_delegated(world, partner):
    base, (ann, _) = partner
    carl = world.fabrikam.person("carl")
    desk(world, ann, carl.upn, scope=Scope(all_rooms=True))
    assert seen(carl) == set(world.contoso.german)
    scopes.change(base, over(world.contoso.rooms[2]), by=world.contoso.admin)
    assert seen(carl) == {world.contoso.rooms[2]}
    index_is_right()


# --- Changing -----------------------------------------------------------------------------------


def test_permissions_change_with_the_index(world):
    amy = world.contoso.person("amy")
    role = make_role(world, world.contoso.admin, VIEW, amy.upn, scope=over(*world.contoso.german))
    with leaves(f"Contoso: Role/Update Helpers Successful {ADMIN}") as evidence:
        roles.modify(role, by=world.contoso.admin, permissions=MODIFY, name="Fixers", version=1)
    assert evidence.events[0].before["permissions"] == VIEW
    assert evidence.events[0].after["permissions"] == MODIFY
    assert seen(amy, P.ROOMS_MODIFY) == set(world.contoso.german)
    index_is_right()
    roles.modify(role, by=world.contoso.admin, permissions=VIEW)
    assert seen(amy, P.ROOMS_MODIFY) == set()
    role.refresh_from_db()
    assert (role.name, role.version) == ("Fixers", 3)
    index_is_right()


def test_somebody_elses_change_is_not_overwritten(world):
    role = make_role(world, world.contoso.admin, VIEW)
    roles.modify(role, by=world.contoso.admin, description="Other", version=1)
    refused(
        StaleVersion,
        lambda: roles.modify(role, by=world.contoso.admin, description="Mine", version=1),
        f"Contoso: Role/Update Helpers Failed(stale_version) {ADMIN}",
    )
    assignment = first(role)
    roles.modify_assignment(assignment, by=world.contoso.admin, name="Second", version=1)
    refused(
        StaleVersion,
        lambda: roles.modify_assignment(assignment, by=world.contoso.admin, name="Third", version=1),
        f"Contoso: Assignment/Update Helpers / First Failed(stale_version) {ADMIN}",
    )


def test_built_in_roles_stay(world, partner):
    base, (ann, _) = partner
    own = Role.objects.get(tenant=world.contoso.tenant, key=BuiltIn.SITE_TECH)
    for role, by, name in ((own, world.contoso.admin, "site_tech"), (base.role, ann, "partner_admin")):
        for change in (
            lambda r=role, b=by: roles.modify(r, by=b, name="Mine"),
            lambda r=role, b=by: roles.delete(r, by=b),
        ):
            with pytest.raises(BuiltInRole):
                change()
        assert Role.objects.get(pk=role.pk).name == name


def test_customer_sees_and_deletes_partners_roles_but_edits_none(world, partner):
    _, (ann, _) = partner
    carl, admin = world.fabrikam.person("carl"), world.contoso.admin
    role = desk(world, ann, carl.upn)
    assignment = first(role)
    changes: list[Callable[[], Any]] = [
        lambda: roles.modify(role, by=admin, name="Mine"),
        lambda: roles.assign(role, by=admin, assignment=proposed()),
        lambda: roles.modify_assignment(assignment, by=admin, name="Mine"),
        lambda: roles.change_members(assignment, by=admin, remove=[carl.upn]),
        lambda: roles.change_scope(assignment, by=admin, scope={"all_rooms": True}),
        lambda: roles.delete_assignment(assignment, by=admin),
    ]
    for change in changes:
        with pytest.raises(PermissionDenied):
            change()
    assert access.can(admin, P.ROLES_VIEW, role)
    with leaves(
        f"Contoso: Role/Delete Helpers Successful {ADMIN}",
        f"Contoso: Assignment/Delete Helpers / First Successful {ADMIN}",
    ):
        roles.delete(role, by=admin)
    assert seen(carl) == set()
    assert not RoomGrantRow.objects.filter(group=assignment.group_id).exists()
    with pytest.raises(Http404):
        roles.modify(role, by=ann, name="Gone")
    index_is_right()


def test_partner_edits_no_role_of_the_customer_or_of_a_rival(world, partner):
    _, (ann, _) = partner
    own = make_role(world, world.contoso.admin, VIEW, name="Own")
    rival, (nils,) = join(world.contoso, world.northwind, "nils")
    theirs = custom_role(world.contoso.tenant, P.ROOMS_VIEW, delegation=rival.delegation)
    for role in (own, theirs):
        for change in (
            lambda r=role: roles.modify(r, by=ann, permissions=MODIFY),
            lambda r=role: roles.delete(r, by=ann),
            lambda r=role: roles.assign(r, by=ann, assignment=proposed(ann.upn)),
        ):
            with pytest.raises(PermissionDenied):
                change()
    roles.modify(theirs, by=nils, name="Ours")


def test_nobody_changes_what_he_holds_his_right_through(world):
    kay = keeper(world, P.ROOMS_VIEW, P.ROOMS_MODIFY)
    own = Assignment.objects.get(people=kay)
    for change in (
        lambda: roles.modify(own.role, by=kay, permissions=[P.ROLES_MODIFY.value, P.ROOMS_VIEW.value]),
        lambda: roles.modify_assignment(own, by=kay, dates={"valid_until": "2031-01-01T00:00:00+00:00"}),
        lambda: roles.change_scope(own, by=kay, scope={"rooms": [world.contoso.rooms[0].pk]}),
    ):
        with pytest.raises(PermissionDenied):
            change()
    roles.modify(own.role, by=kay, name="Keepers")


def test_added_permission_is_held_on_every_room_of_every_assignment(world, partner):
    """A partner's keeper of roles over one room widens nothing beyond it."""
    base, (ann, _) = partner
    kim, carl = world.fabrikam.person("kim"), world.fabrikam.person("carl")
    one, both = over(world.contoso.german[0]), over(*world.contoso.german)
    keepers = custom_role(world.contoso.tenant, P.ROLES_MODIFY, P.ROOMS_VIEW, delegation=base.role.delegation)
    assign(keepers, kim, one)
    mine, wide = desk(world, ann, carl.upn, scope=one), desk(world, ann, carl.upn, scope=both, name="Wide")
    roles.modify(mine, by=kim, permissions=VIEW)
    with pytest.raises(PermissionDenied):
        roles.modify(wide, by=kim, permissions=VIEW)
    with pytest.raises(PermissionDenied):
        roles.delete(wide, by=kim)
    with pytest.raises(PermissionDenied):
        roles.modify(mine, by=kim, permissions=MODIFY)
    with pytest.raises(UnknownRooms):
        roles.assign(mine, by=kim, assignment=proposed(carl.upn, scope=both))
    with pytest.raises(PermissionDenied):
        roles.assign(mine, by=kim, assignment=proposed(carl.upn))


# --- Assignments --------------------------------------------------------------------------------


def test_built_in_role_gets_another_assignment(world):
    amy, group = (
        world.contoso.person("amy"),
        security_group(world.contoso.tenant, "Berlin", world.contoso.person("ben")),
    )
    role = Role.objects.get(tenant=world.contoso.tenant, key=BuiltIn.SITE_TECH)
    with leaves(f"Contoso: Assignment/Create Site Tech / First Successful {ADMIN}"):
        made = roles.assign(
            role,
            by=world.contoso.admin,
            assignment=proposed(amy.upn, groups=(group.pk,), scope=over(world.contoso.rooms[0])),
        )
    assert seen(amy) == seen(User.objects.get(upn="ben@contoso.example")) == {world.contoso.rooms[0]}
    assert made.group_memberships.count() == 1
    index_is_right()


def test_members_are_of_the_tenant_that_holds_the_role(world, partner):
    _, (ann, _) = partner
    theirs = security_group(world.northwind.tenant, "Theirs")
    ours = security_group(world.contoso.tenant, "Ours")
    with pytest.raises(NotOfThisTenant):
        desk(world, ann, groups=(theirs.pk,))
    with pytest.raises(NotOfThisTenant):
        desk(world, ann, groups=(ours.pk,))
    with pytest.raises(ValidationError):
        desk(world, ann, "no upn at all")
    desk(world, ann, world.contoso.admin.upn)  # nobody of the partner is called so: a place that nobody ever takes
    assert seen(world.contoso.admin) == set(world.contoso.rooms)


def test_validity_opens_and_ends_at_that_second(world, clock):
    amy = world.contoso.person("amy")
    role = make_role(
        world,
        world.contoso.admin,
        VIEW,
        amy.upn,
        valid_from=now() + timedelta(hours=1),
        valid_until=now() + timedelta(hours=2),
    )
    assert seen(amy) == set()
    clock.move(timedelta(hours=1, seconds=1))
    assert seen(amy) == set(world.contoso.rooms)
    clock.move(timedelta(hours=1))
    assert seen(amy) == set()
    with leaves(f"Contoso: Assignment/Update Helpers / First Successful {ADMIN}"):
        roles.modify_assignment(first(role), by=world.contoso.admin, dates={"valid_until": None})
    assert seen(amy) == set(world.contoso.rooms)


def test_dates_that_cannot_be(world, partner):
    base, (ann, _) = partner
    founders = Assignment.objects.get(tenant=world.contoso.tenant, key=AssignmentKey.FOUNDERS)
    end = (now() + timedelta(days=1)).isoformat()
    with pytest.raises(NoEndDate):
        roles.assign(base.role, by=ann, assignment=proposed(valid_until=now(), scope=over(*world.contoso.german)))
    for assignment, by in ((base, ann), (founders, world.contoso.admin)):
        with pytest.raises(KeptAssignment):
            roles.modify_assignment(assignment, by=by, dates={"valid_until": end})
        with pytest.raises(KeptAssignment):
            roles.modify_assignment(assignment, by=by, name="Mine")
        with pytest.raises(KeptAssignment):
            roles.delete_assignment(assignment, by=by)
    role = make_role(world, world.contoso.admin, VIEW)
    with pytest.raises(DatesNotInOrder):
        roles.modify_assignment(first(role), by=world.contoso.admin, dates={"valid_from": end, "valid_until": end})


def second_admins(world: World, upn: str) -> Assignment:
    role = Role.objects.get(tenant=world.contoso.tenant, key=BuiltIn.MMR_ADMIN)
    return roles.assign(role, by=world.contoso.admin, assignment=proposed(upn))


def test_last_mmr_admin_stays_on_every_path(world):
    """He has left the founders; the other assignment can neither go, nor end, nor shrink, nor lose its group."""
    admin, dee = world.contoso.admin, world.contoso.person("dee")
    made = second_admins(world, dee.upn)
    assignments.leave(Assignment.objects.get(tenant=world.contoso.tenant, key="founders"), by=admin)
    kay = keeper(world, *Permission)
    for change in (
        lambda: roles.delete_assignment(made, by=kay),
        lambda: roles.modify_assignment(made, by=kay, dates={"valid_until": (now() + timedelta(days=9)).isoformat()}),
        lambda: roles.modify_assignment(made, by=kay, dates={"valid_from": (now() + timedelta(days=9)).isoformat()}),
        lambda: roles.change_scope(made, by=kay, scope={"rooms": [world.contoso.rooms[0].pk]}),
        lambda: roles.change_members(made, by=kay, remove=[dee.upn]),
        lambda: assignments.leave(made, by=dee),
    ):
        with pytest.raises(LastMmrAdmin):
            change()
    assert seen(dee) == set(world.contoso.rooms)


def test_one_leaves_by_oneself(world, partner):
    base, (ann, bob) = partner
    with leaves("Contoso: Assignment/Update Primary admin / Invited admins Successful bob@fabrikam.example"):
        assignments.leave(base, by=bob)
    assert seen(bob) == set()
    with pytest.raises(Http404):
        assignments.leave(base, by=bob)
    with pytest.raises(LastPrimaryAdmin):
        assignments.leave(base, by=ann)
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    assignments.leave(Assignment.objects.get(people=lea), by=lea)
    assert seen(lea) == set()


def test_primary_admins_who_never_signed_in_are_invited(world, partner):
    base, (ann, _) = partner
    refused(
        NotInvited,
        lambda: roles.change_members(base, by=ann, add=["new@fabrikam.example"]),
        f"Contoso: Assignment/Update Primary admin / Invited admins Failed(not_invited) {ANN}",
    )
    carl = world.fabrikam.person("carl")
    roles.change_members(base, by=ann, add=[carl.upn])
    assert seen(carl) == set(world.contoso.german)


def test_assignment_is_deleted_with_its_rows(world):
    amy = world.contoso.person("amy")
    role = make_role(world, world.contoso.admin, VIEW, amy.upn, scope=over(*world.contoso.german))
    made = first(role)
    with leaves(f"Contoso: Assignment/Delete Helpers / First Successful {ADMIN}"):
        roles.delete_assignment(made, by=world.contoso.admin)
    assert seen(amy) == set()
    assert not RoomGrantRow.objects.filter(group=made.group_id).exists()
    with pytest.raises(Http404):
        roles.delete_assignment(made, by=world.contoso.admin)

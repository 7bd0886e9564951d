"""The scope of an assignment: who may change it, what follows, what is refused."""

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from partners.services import relationships
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Assignment, Role, User
from rooms import scopes
from rooms.errors import EmptyScope, UnknownRooms
from rooms.models import AssignmentRoom, AssignmentRoomGroup, Room, RoomGrantRow
from rooms.scopes import Scope
from tests import invariants
from tests.factories.evidence import leaves, refused
from tests.factories.rows import RoomFactory
from tests.factories.world import World, assign, custom_role, invite, join, make, over, room_group

pytestmark = pytest.mark.django_db

ADMIN, ANN = "admin@contoso.example", "ann@fabrikam.example"
INVITED = "Contoso: Assignment/Update Primary admin / Invited admins"


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def base(world) -> Assignment:
    """Fabrikam's Ann holds Contoso's German rooms."""
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    return Assignment.objects.select_related("role__delegation").get(role__delegation=relationship.delegation)


def ann() -> User:
    return User.objects.get(upn=ANN)


def seen(user: User) -> set[Room]:
    return set(access.visible(user, Permission.ROOMS_VIEW, Room.objects.all()))


def change(assignment: Assignment, scope: Scope, by: User) -> Callable[[], None]:
    return lambda: scopes.change(assignment, scope, by=by)


# --- Changing -----------------------------------------------------------------------------------


def test_scope_and_its_index_become_what_was_chosen(world, base):
    group = room_group(world.contoso.tenant, "Berlin", world.contoso.rooms[1])
    scope = Scope(rooms=frozenset({world.contoso.rooms[2].pk}), groups=frozenset({group.pk}))
    with leaves(f"{INVITED} Successful {ADMIN}") as evidence:
        change(base, scope, world.contoso.admin)()
    assert scopes.scope_of(base) == scope
    assert seen(ann()) == {world.contoso.rooms[1], world.contoso.rooms[2]}
    [event] = evidence.events
    assert (event.before, event.after) == (over(*world.contoso.german).as_data(), scope.as_data())
    assert event.relationship_id == base.role.delegation_id
    invariants.check()


def test_all_rooms_and_back(world, base):
    change(base, Scope(all_rooms=True), world.contoso.admin)()
    later = RoomFactory(tenant=world.contoso.tenant)
    assert seen(ann()) == {*world.contoso.rooms, later}
    assert not AssignmentRoom.objects.exists()
    assert not RoomGrantRow.objects.filter(group=base.group).exists()
    invariants.check()
    base.refresh_from_db()
    change(base, over(later), world.contoso.admin)()
    assert seen(ann()) == {later}
    invariants.check()


def test_what_is_bounded_follows(world, base):
    carl = world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=base.role.delegation)
    assign(role, carl, over(*world.contoso.rooms))
    assert seen(carl) == set(world.contoso.german)
    for scope, rooms in (
        (over(world.contoso.rooms[2]), {world.contoso.rooms[2]}),
        (Scope(all_rooms=True), set(world.contoso.rooms)),
        (over(world.contoso.rooms[0]), {world.contoso.rooms[0]}),
    ):
        change(Assignment.objects.get(pk=base.pk), scope, world.contoso.admin)()
        assert seen(carl) == rooms
        invariants.check()


def test_scope_of_an_unlinked_partner_has_no_index(world):
    relationship, _ = invite(world.contoso, ANN)
    assignment = Assignment.objects.get(role__delegation=relationship.delegation)
    change(assignment, over(*world.contoso.rooms), world.contoso.admin)()
    assert scopes.rooms_of(assignment).count() == 3
    assert not RoomGrantRow.objects.exists()
    invariants.check()


def test_suspended_partners_index_is_kept_up_to_date(world, base):
    relationships.suspend(base.role.delegation.relationship, by=world.contoso.admin)
    change(base, over(world.contoso.rooms[2]), world.contoso.admin)()
    assert seen(ann()) == set()
    relationships.resume(base.role.delegation.relationship, by=world.contoso.admin)
    assert seen(ann()) == {world.contoso.rooms[2]}


def test_same_scope_again_changes_nothing(world, base):
    with leaves(f"{INVITED} Successful {ADMIN}") as evidence:
        change(base, over(*world.contoso.german), world.contoso.admin)()
    assert evidence.changed() == set()


# --- Refused ------------------------------------------------------------------------------------


def test_what_cannot_be_chosen_is_refused(world, base):
    foreign = room_group(world.tailwind.tenant, "Berlin", *world.tailwind.rooms)
    for error, code, scope in (
        (EmptyScope, "empty_scope", Scope()),
        (UnknownRooms, "unknown_rooms", over(world.contoso.rooms[0], world.tailwind.rooms[0])),
        (UnknownRooms, "unknown_rooms", Scope(rooms=frozenset({10**9}))),
        (UnknownRooms, "unknown_rooms", Scope(groups=frozenset({foreign.pk}))),
        (UnknownRooms, "unknown_rooms", Scope(groups=frozenset({10**9}))),
    ):
        refused(error, change(base, scope, world.contoso.admin), f"{INVITED} Failed({code}) {ADMIN}")


def test_only_those_who_may_modify_roles_change_scopes(world, base):
    lea = world.contoso.member(BuiltIn.SITE_LEAD, "lea")
    _, (nils,) = join(world.contoso, world.northwind, "nils")
    for who in (lea, nils, world.tailwind.admin, world.fabrikam.person("carl")):
        refused(
            PermissionDenied,
            change(base, over(world.contoso.rooms[0]), who),
            f"{INVITED} Failed(permission_denied) {who.upn}",
        )


@pytest.mark.parametrize("wider", [True, False])
def test_nobody_changes_what_he_holds_his_right_through(world, base, wider):
    scope = over(*world.contoso.rooms) if wider else over(world.contoso.rooms[0])
    refused(PermissionDenied, change(base, scope, ann()), f"{INVITED} Failed(permission_denied) {ANN}")
    founders = Assignment.objects.get(key="founders", tenant=world.contoso.tenant)
    refused(
        PermissionDenied,
        change(founders, scope, world.contoso.admin),
        f"Contoso: Assignment/Update MMR Admin / Founding admins Failed(permission_denied) {ADMIN}",
    )


def test_partner_gives_his_own_people_rooms_he_holds_and_no_others(world, base):
    carl = world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=base.role.delegation)
    desk = assign(role, carl, over(world.contoso.german[0]))
    change(desk, over(world.contoso.german[1]), ann())()
    assert seen(carl) == {world.contoso.german[1]}
    line = f"Contoso: Assignment/Update rooms.view / {desk.name}"
    refused(UnknownRooms, change(desk, over(*world.contoso.rooms), ann()), f"{line} Failed(unknown_rooms) {ANN}")
    change(desk, Scope(all_rooms=True), ann())()
    assert seen(carl) == set(world.contoso.german)  # all that is delegated, and no more


def test_nobody_gives_a_permission_he_does_not_hold(world):
    kay, amy = world.contoso.person("kay"), world.contoso.person("amy")
    assign(custom_role(world.contoso.tenant, Permission.ROLES_MODIFY), kay, Scope(all_rooms=True))
    tech = assign(
        Role.objects.get(tenant=world.contoso.tenant, key=BuiltIn.SITE_TECH), amy, over(world.contoso.rooms[0])
    )
    refused(
        PermissionDenied,
        change(tech, over(*world.contoso.rooms), kay),
        f"Contoso: Assignment/Update Site Tech / {tech.name} Failed(permission_denied) kay@contoso.example",
    )


def test_assignment_that_is_gone_is_not_found(world, base):
    relationships.remove(base.role.delegation.relationship, by=world.contoso.admin)
    refused(Http404, change(base, over(world.contoso.rooms[0]), world.contoso.admin))


# --- Groups -------------------------------------------------------------------------------------


def test_scopes_follow_their_groups_and_what_they_bound_follows_too(world, base):
    first, second, third = world.contoso.rooms
    group = room_group(world.contoso.tenant, "Berlin", first)
    change(base, Scope(groups=frozenset({group.pk})), world.contoso.admin)()
    carl = world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=base.role.delegation)
    assign(role, carl, over(first, second))
    assert seen(carl) == {first}
    with transaction.atomic():
        group.memberships.all().delete()
        for room in (second, third):
            group.memberships.create(tenant=world.contoso.tenant, room=room)
        scopes.follow_groups([group.pk])
    assert seen(ann()) == {second, third}
    assert seen(carl) == {second}
    invariants.check()


def test_group_in_a_scope_cannot_be_deleted(world, base):
    group = room_group(world.contoso.tenant, "Berlin", world.contoso.rooms[0])
    change(base, Scope(groups=frozenset({group.pk})), world.contoso.admin)()
    with pytest.raises(Exception, match="protected foreign keys"), transaction.atomic():
        group.delete()
    assert AssignmentRoomGroup.objects.count() == 1


def test_deleted_room_leaves_scope_and_index(world, base):
    world.contoso.german[0].delete()
    assert seen(ann()) == set(world.contoso.german[1:])
    assert AssignmentRoom.objects.filter(assignment=base).count() == 1


# --- Values -------------------------------------------------------------------------------------


def test_scope_survives_as_data():
    for scope in (Scope(), Scope(all_rooms=True), Scope(rooms=frozenset({3, 1}), groups=frozenset({2}))):
        assert Scope.from_data(scope.as_data()) == scope
    assert Scope(rooms=frozenset({3, 1})).as_data() == {"all_rooms": False, "rooms": [1, 3], "groups": []}


def test_scope_covers_each_room_once(world):
    first, second, _ = world.contoso.rooms
    groups = [room_group(world.contoso.tenant, name, first, second) for name in ("a", "b")]
    scope = Scope(rooms=frozenset({first.pk}), groups=frozenset(group.pk for group in groups))
    assert sorted(scope.of_tenant(world.contoso.tenant), key=lambda room: room.pk) == [first, second]
    assert scope.of_tenant(world.tailwind.tenant).count() == 0


@pytest.mark.parametrize("number", [1, 30])
def test_index_is_written_as_a_set(world, base, number):
    """As many statements for thirty rooms as for one."""
    rooms = RoomFactory.create_batch(number, tenant=world.contoso.tenant)
    scope = over(*rooms)
    with transaction.atomic():
        scopes.choose(base, scope)
        with CaptureQueriesContext(connection) as captured:
            assert scopes.apply(base) == number
    assert len(captured) == 1

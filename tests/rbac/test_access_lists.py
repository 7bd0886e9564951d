"""Lists: all query plans give the same rows, groups show by their rooms, and the number of queries is known."""

from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rbac import access
from rbac.catalogue import CEILING, BuiltIn, Permission
from rbac.models import Assignment, Tenant
from rooms.models import Room, RoomGroup
from rooms.scopes import Scope
from tests.factories.rows import RoomFactory
from tests.factories.world import Customer, World, assign, custom_role, join, make, over, room_group

pytestmark = pytest.mark.django_db

VIEW = Permission.ROOMS_VIEW


@pytest.fixture
def world() -> World:
    return make()


def fill(customer: Customer, number: int) -> list[Room]:
    rooms = RoomFactory.create_batch(number, tenant=customer.tenant, country="AT", city="Wien")
    Tenant.objects.filter(pk=customer.tenant.pk).update(room_count=number + len(customer.rooms))
    return rooms


@pytest.mark.parametrize("plan", ["gather", "probe", "hashed"])
def test_all_plans_show_the_same_rooms(world, plan):
    many = fill(world.contoso, 40)
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(*many[:30]))
    assign(custom_role(world.contoso.tenant, VIEW), tess, over(*many[20:35]))
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann", rooms=many[:10])
    role = custom_role(world.contoso.tenant, VIEW, delegation=relationship.delegation)
    carl = world.fabrikam.person("carl")
    assign(role, carl, over(*many[5:8]))
    with mock.patch.object(access, "_plan", return_value=plan):
        assert set(access.visible(tess, VIEW, Room.objects.all())) == set(many[:35])
        assert set(access.visible(ann, VIEW, Room.objects.all())) == set(many[:10])
        assert set(access.visible(carl, VIEW, Room.objects.all())) == set(many[5:8])


def test_the_plan_follows_the_share_that_is_seen(world):
    many = fill(world.contoso, 400)
    most = world.contoso.member(BuiltIn.SITE_TECH, "most", over(*many[:395]))
    few = world.contoso.member(BuiltIn.SITE_TECH, "few", over(*many[:5]))
    assert access._plan(access.rights(most)) != "gather"
    assert access._plan(access.rights(few)) == "gather"
    for person, number in ((most, 395), (few, 5)):
        assert access.visible(person, VIEW, Room.objects.all()).count() == number


def test_room_count_of_an_assignment_is_the_number_of_its_rooms(world):
    world.contoso.member(BuiltIn.SITE_TECH, "tess", over(*world.contoso.rooms[:2]))
    join(world.contoso, world.fabrikam, "ann")
    counts = dict(Assignment.objects.filter(tenant=world.contoso.tenant).values_list("name", "room_count"))
    assert counts == {"founders": 0, "site_tech of tess@contoso.example": 2, "invited_admins": 2}


# --- Groups -------------------------------------------------------------------------------------


def test_group_is_seen_by_one_room_and_changed_only_with_all_of_them(world):
    first, second, third = world.contoso.rooms
    tenant = world.contoso.tenant
    groups = {
        "own": room_group(tenant, "own", first, second),
        "mixed": room_group(tenant, "mixed", second, third),
        "foreign": room_group(tenant, "foreign", third),
        "empty": room_group(tenant, "empty"),
        "New rooms": RoomGroup.objects.get(tenant=tenant, is_default=True),
    }
    room_group(world.tailwind.tenant, "own", *world.tailwind.rooms)
    person = world.contoso.person("tess")
    assign(custom_role(tenant, Permission.GROUPS_MODIFY), person, over(first, second))

    def names(permission: Permission, who=person) -> set[str]:
        listed = set(access.visible(who, permission, RoomGroup.objects.all()))
        assert {one for one in groups.values() if access.can(who, permission, one)} == listed
        return {one.name for one in listed}

    assert names(Permission.GROUPS_VIEW) == {"own", "mixed"}
    assert names(Permission.GROUPS_MODIFY) == {"own"}
    assert names(Permission.GROUPS_VIEW, world.contoso.admin) == set(groups)
    assert names(Permission.GROUPS_MODIFY, world.contoso.admin) == set(groups)


def test_rooms_of_two_assignments_together_make_a_group_whole(world):
    first, second, _ = world.contoso.rooms
    group = room_group(world.contoso.tenant, "Berlin", first, second)
    role, person = custom_role(world.contoso.tenant, Permission.GROUPS_MODIFY), world.contoso.person("tess")
    assign(role, person, over(first))
    assert not access.can(person, Permission.GROUPS_MODIFY, group)
    assign(role, person, over(second))
    assert access.can(person, Permission.GROUPS_MODIFY, group)


def test_partner_sees_a_group_by_its_delegated_rooms_and_changes_none(world):
    group = room_group(world.contoso.tenant, "mixed", *world.contoso.rooms)
    room_group(world.contoso.tenant, "American", *(room for room in world.contoso.rooms if room.country == "US"))
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    assert set(access.visible(ann, Permission.GROUPS_VIEW, RoomGroup.objects.all())) == {group}
    assert set(access.visible(ann, Permission.GROUPS_MODIFY, RoomGroup.objects.all())) == set()


# --- Numbers of queries -------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
def test_queries_do_not_grow_with_the_rooms(world, number):
    rooms = fill(world.contoso, number)
    _, (ann,) = join(world.contoso, world.fabrikam, "ann", rooms=rooms)
    access.row_id(VIEW)

    def count(call) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            call()
        return len(captured)

    assert count(lambda: list(access.visible(ann, VIEW, Room.objects.all()))) == 2
    assert count(lambda: access.can(ann, VIEW, rooms[0])) == 1
    assert count(lambda: access.permissions_on(ann, rooms)) == 2
    held = access.rights(ann)
    assert count(lambda: access.permissions_on(ann, rooms, held)) == 1
    assert count(lambda: list(access.visible(ann, VIEW, Room.objects.all(), held))) == 1


def test_matrix_of_no_rooms_is_empty_and_of_tenants_refused(world):
    assert access.permissions_on(world.contoso.admin, []) == {}
    with pytest.raises(LookupError, match="permissions_on answers for rooms"):
        access.permissions_on(world.contoso.admin, [world.contoso.tenant])


def test_matrix_of_two_customers_mixes_nothing(world):
    join(world.contoso, world.fabrikam, "ann", rooms=world.contoso.rooms[:1])
    _, (ann,) = join(world.tailwind, world.fabrikam, "ann", scope=Scope(all_rooms=True))
    rooms = [*world.contoso.rooms, *world.tailwind.rooms]
    matrix = access.permissions_on(ann, rooms)
    whole = {one for one in CEILING if one in access.ROOM_PERMISSIONS}
    assert matrix == {
        room.pk: whole if room in (world.contoso.rooms[0], *world.tailwind.rooms) else frozenset() for room in rooms
    }

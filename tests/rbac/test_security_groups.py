"""Security groups: who makes them, whom they hold, and what follows from that elsewhere."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from rbac import access, grants
from rbac.catalogue import BuiltIn, Permission
from rbac.errors import (
    LastMmrAdmin,
    LastPrimaryAdmin,
    NotOfThisTenant,
    SecurityGroupInUse,
    SecurityGroupNameTaken,
)
from rbac.models import Assignment, AssignmentKey, SecurityGroup, User
from rbac.services import assignments, security_groups
from rooms import scopes
from rooms.models import Room
from rooms.scopes import Scope
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, assign, custom_role, join, make

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"


@pytest.fixture
def world() -> World:
    return make()


def founders(world: World) -> Assignment:
    return Assignment.objects.get(tenant=world.contoso.tenant, key=AssignmentKey.FOUNDERS)


def seen(user: User) -> set[Room]:
    return set(access.visible(user, Permission.ROOMS_VIEW, Room.objects.all()))


def index_is_right() -> None:
    for one in Assignment.objects.select_related("role__delegation", "tenant"):
        assert list(grants.differences(one, scopes.indexed_rooms(one))) == []


def test_group_comes_is_renamed_and_goes(world):
    admin, amy = world.contoso.admin, world.contoso.person("amy")
    with leaves(f"Contoso: Group/Create Office Successful {ADMIN}") as evidence:
        group = security_groups.create(world.contoso.tenant, "Office", by=admin, people=[amy])
    assert evidence.events[0].after == {"people": ["amy@contoso.example"]}
    with leaves(f"Contoso: Group/Update Office Successful {ADMIN}"):
        group = security_groups.rename(group, "Bureau", by=admin)
    assert (group.name, group.version) == ("Bureau", 2)
    with leaves(f"Contoso: Group/Delete Bureau Successful {ADMIN}"):
        security_groups.delete(group, by=admin)
    with pytest.raises(Http404):
        security_groups.rename(group, "Gone", by=admin)


def test_a_name_stands_once_in_a_tenant(world):
    security_groups.create(world.contoso.tenant, "Office", by=world.contoso.admin)
    security_groups.create(world.tailwind.tenant, "Office", by=world.tailwind.admin)
    refused(
        SecurityGroupNameTaken,
        lambda: security_groups.create(world.contoso.tenant, "Office", by=world.contoso.admin),
        f"Contoso: Group/Create Office Failed(security_group_name_taken) {ADMIN}",
    )


def test_only_keepers_of_roles_for_their_own_people(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    lea, amy = world.contoso.member(BuiltIn.SITE_LEAD, "lea"), world.contoso.person("amy")
    group = security_groups.create(world.contoso.tenant, "Office", by=world.contoso.admin)
    for who in (lea, amy, ann, world.tailwind.admin):
        for change in (
            lambda w=who: security_groups.create(world.contoso.tenant, "Mine", by=w),
            lambda w=who: security_groups.rename(group, "Mine", by=w),
            lambda w=who: security_groups.change_people(group, by=w, add=[amy]),
            lambda w=who: security_groups.delete(group, by=w),
        ):
            with pytest.raises(PermissionDenied):
                change()
    for stranger in (world.fabrikam.person("carl"), world.tailwind.admin):
        with pytest.raises(NotOfThisTenant):
            security_groups.change_people(group, by=world.contoso.admin, add=[stranger])
    assert list(security_groups.visible_to(ann, world.contoso.tenant)) == []
    assert list(security_groups.visible_to(lea, world.contoso.tenant)) == []
    assert list(security_groups.visible_to(world.contoso.admin, world.contoso.tenant)) == [group]


def test_whoever_comes_holds_and_whoever_goes_does_not(world):
    amy = world.contoso.person("amy")
    group = security_groups.create(world.contoso.tenant, "Office", by=world.contoso.admin)
    assignments.change_members(founders(world), by=world.contoso.admin, add_groups=[group])
    with leaves(
        f"Contoso: Group/Update Office Successful {ADMIN}",
        f"Contoso: Assignment/Update MMR Admin / Founding admins Successful {ADMIN}",
    ) as evidence:
        security_groups.change_people(group, by=world.contoso.admin, add=[amy])
    assert evidence.events[1].after == {"group_changed": "Office"}
    assert seen(amy) == set(world.contoso.rooms)
    index_is_right()
    security_groups.change_people(group, by=world.contoso.admin, remove=[amy])
    assert seen(amy) == set()
    index_is_right()


def test_keeper_of_roles_puts_nobody_where_he_is_not_himself(world):
    kay, amy = world.contoso.person("kay"), world.contoso.person("amy")
    assign(custom_role(world.contoso.tenant, Permission.ROLES_MODIFY), kay, Scope(all_rooms=True))
    group = security_groups.create(world.contoso.tenant, "Office", by=world.contoso.admin)
    security_groups.change_people(group, by=kay, add=[amy])
    assignments.change_members(founders(world), by=world.contoso.admin, add_groups=[group])
    for who in (kay, world.contoso.person("ben")):
        refused(
            PermissionDenied,
            lambda w=who: security_groups.change_people(group, by=kay, add=[w]),
            "Contoso: Group/Update Office Failed(permission_denied) kay@contoso.example",
        )
    security_groups.change_people(group, by=kay, remove=[amy])
    assert seen(amy) == set()


def test_group_of_the_partner_follows_at_its_customer(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    base = Assignment.objects.get(role__delegation=relationship.delegation)
    owner = world.fabrikam.person("owner")
    carl, ben = world.fabrikam.person("carl"), world.fabrikam.person("ben")
    group = security_groups.create(world.fabrikam.tenant, "Desk", by=owner, people=[carl])
    assignments.change_members(base, by=ann, add_groups=[group])
    assert seen(carl) == set(world.contoso.german)
    with pytest.raises(PermissionDenied):  # holds nothing at the customer himself
        security_groups.change_people(group, by=owner, add=[ben])
    with leaves(
        "Fabrikam: Group/Update Desk Successful owner@fabrikam.example",
        "Contoso: Assignment/Update Primary admin / Invited admins Successful owner@fabrikam.example",
    ) as evidence:
        security_groups.change_people(group, by=owner, remove=[carl])
    [told] = [event for event in evidence.events if event.category == "Assignment"]
    assert "carl" not in str(told.after)
    assert seen(carl) == set()
    index_is_right()


def test_group_in_use_stays(world):
    group = security_groups.create(world.contoso.tenant, "Office", by=world.contoso.admin)
    assignments.change_members(founders(world), by=world.contoso.admin, add_groups=[group])
    refused(
        SecurityGroupInUse,
        lambda: security_groups.delete(group, by=world.contoso.admin),
        f"Contoso: Group/Delete Office Failed(security_group_in_use) {ADMIN}",
    )
    assert SecurityGroup.objects.filter(pk=group.pk).exists()


def test_last_admins_stay_in_their_group(world):
    admin = world.contoso.admin
    group = security_groups.create(world.contoso.tenant, "Admins", by=admin, people=[admin])
    assignments.change_members(founders(world), by=admin, add_groups=[group], remove=[admin])
    with pytest.raises(LastMmrAdmin):
        security_groups.change_people(group, by=admin, remove=[admin])
    assert seen(admin) == set(world.contoso.rooms)
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    base = Assignment.objects.get(role__delegation=relationship.delegation)
    owner = world.fabrikam.person("owner")
    desk = security_groups.create(world.fabrikam.tenant, "Desk", by=owner, people=[ann])
    assignments.change_members(base, by=ann, add_groups=[desk], remove=[ann])
    with pytest.raises(LastPrimaryAdmin):
        security_groups.change_people(desk, by=owner, remove=[ann])
    assert seen(ann) == set(world.contoso.german)

"""Room groups as services: who may, what it changes, what follows, what is on record."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from audit.models import AuditEvent
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Role
from rbac.services import delegations
from rooms import scopes
from rooms.errors import DefaultGroup, GroupInUse, GroupNameTaken, UnknownRooms
from rooms.models import Room, RoomGroup
from rooms.scopes import Scope
from rooms.services import groups
from tests.factories import join
from tests.factories.world import World, assign, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def ids(rooms: list[Room]) -> set[int]:
    return {room.pk for room in rooms}


def lines(category: str = "Group") -> list[tuple[str, str, str, str]]:
    found = AuditEvent.objects.filter(category=category).order_by("id")
    return [(one.operation, one.object_name, one.result, one.code) for one in found]


def test_create_makes_a_group_with_its_rooms_on_record(world: World) -> None:
    contoso = world.contoso
    made = groups.create(
        contoso.tenant, "Germany", by=contoso.admin, description="All of it", rooms=ids(contoso.german)
    )

    assert (made.tenant, made.name, made.description) == (contoso.tenant, "Germany", "All of it")
    assert ids(list(made.rooms.all())) == ids(contoso.german)
    assert lines() == [("Create", "Germany", "Successful", "")]


def test_a_name_stands_once_in_a_tenant(world: World) -> None:
    groups.create(world.contoso.tenant, "Germany", by=world.contoso.admin)
    groups.create(world.tailwind.tenant, "Germany", by=world.tailwind.admin)
    with pytest.raises(GroupNameTaken):
        groups.create(world.contoso.tenant, "Germany", by=world.contoso.admin)

    assert RoomGroup.objects.filter(tenant=world.contoso.tenant, is_default=False).count() == 1
    assert lines()[-1] == ("Create", "Germany", "Failed", "group_name_taken")


def test_create_needs_the_permission_for_the_whole_tenant(world: World) -> None:
    contoso = world.contoso
    scoped = contoso.member(BuiltIn.SITE_LEAD, "lea", Scope(rooms=frozenset(ids(contoso.german))))
    tech = contoso.member(BuiltIn.SITE_TECH, "tess")
    for person in (scoped, tech, world.tailwind.admin):
        with pytest.raises(PermissionDenied):
            groups.create(contoso.tenant, "Germany", by=person)
    assert not RoomGroup.objects.filter(is_default=False).exists()


def test_rooms_of_another_tenant_are_unknown(world: World) -> None:
    with pytest.raises(UnknownRooms):
        groups.create(world.contoso.tenant, "Germany", by=world.contoso.admin, rooms=ids(world.tailwind.rooms))
    assert not RoomGroup.objects.filter(is_default=False).exists()


def test_modify_renames_and_describes(world: World) -> None:
    group = groups.create(world.contoso.tenant, "Germany", by=world.contoso.admin)
    groups.modify(group, by=world.contoso.admin, name="Deutschland", description="Alles")
    group.refresh_from_db()

    assert (group.name, group.description) == ("Deutschland", "Alles")
    line = AuditEvent.objects.filter(category="Group").latest("id")
    assert line.before == {"name": "Germany", "description": ""}
    assert line.after == {"name": "Deutschland", "description": "Alles"}


def test_a_group_is_changed_as_a_whole_only_by_who_has_all_its_rooms(world: World) -> None:
    contoso = world.contoso
    group = groups.create(contoso.tenant, "Everything", by=contoso.admin, rooms=ids(contoso.rooms))
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea", Scope(rooms=frozenset(ids(contoso.german))))
    assert access.can(lead, Permission.GROUPS_VIEW, group)
    for change in (
        lambda: groups.modify(group, by=lead, name="Mine"),
        lambda: groups.change_rooms(group, by=lead, remove=ids(contoso.german)),
        lambda: groups.delete(group, by=lead),
    ):
        with pytest.raises(PermissionDenied):
            change()
    assert ids(list(group.rooms.all())) == ids(contoso.rooms)

    german = groups.create(contoso.tenant, "Germany", by=contoso.admin, rooms=ids(contoso.german[:1]))
    groups.change_rooms(german, by=lead, add=ids(contoso.german))
    assert ids(list(german.rooms.all())) == ids(contoso.german)


def test_adding_a_room_needs_rooms_modify_on_it(world: World) -> None:
    contoso = world.contoso
    german, american = contoso.german, [room for room in contoso.rooms if room.country == "US"]
    group = groups.create(contoso.tenant, "Germany", by=contoso.admin, rooms=ids(german[:1]))
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea", Scope(rooms=frozenset(ids(german))))
    reader = Role.objects.create(tenant=contoso.tenant, name="Reader", permissions=[Permission.ROOMS_VIEW])
    with pytest.raises(UnknownRooms):
        groups.change_rooms(group, by=lead, add=ids(american))
    assign(reader, lead, Scope(rooms=frozenset(ids(american))))
    with pytest.raises(PermissionDenied):
        groups.change_rooms(group, by=lead, add=ids(american))
    assert ids(list(group.rooms.all())) == ids(german[:1])


def test_a_partners_scope_follows_the_group_at_once(world: World) -> None:
    contoso = world.contoso
    group = groups.create(contoso.tenant, "Germany", by=contoso.admin, rooms=ids(contoso.german[:1]))
    relationship, (ann,) = join(contoso, world.fabrikam, "ann", rooms=contoso.german[:1])
    base = delegations.base_assignment(relationship.delegation)
    scopes.change(base, Scope(groups=frozenset({group.pk})), by=contoso.admin)
    mine = Room.objects.filter(tenant=contoso.tenant)

    groups.change_rooms(group, by=contoso.admin, add=ids(contoso.rooms))
    assert ids(list(access.visible(ann, Permission.ROOMS_VIEW, mine))) == ids(contoso.rooms)
    groups.change_rooms(group, by=contoso.admin, remove=ids(contoso.german))
    assert ids(list(access.visible(ann, Permission.ROOMS_VIEW, mine))) == ids(contoso.rooms) - ids(contoso.german)
    assert [one[:3] for one in lines("Assignment")[-2:]] == [
        ("Update", "Primary admin / Invited admins", "Successful"),
        ("Update", "Primary admin / Invited admins", "Successful"),
    ]


def test_a_partners_container_is_for_mmr_admins_only(world: World) -> None:
    contoso = world.contoso
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea")
    group = groups.create(contoso.tenant, "Germany", by=lead, rooms=ids(contoso.german[:1]))
    groups.change_rooms(group, by=lead, add=ids(contoso.german))
    relationship, _ = join(contoso, world.fabrikam, "ann")
    base = delegations.base_assignment(relationship.delegation)
    scopes.change(base, Scope(groups=frozenset({group.pk})), by=contoso.admin)

    assert not groups.may_change_rooms(group, lead)
    with pytest.raises(PermissionDenied):
        groups.change_rooms(group, by=lead, add=ids(contoso.rooms))
    assert ids(list(group.rooms.all())) == ids(contoso.german)
    groups.modify(group, by=lead, name="Germany and Austria")


def test_nobody_widens_the_group_he_holds_his_right_through(world: World) -> None:
    contoso = world.contoso
    group = groups.create(contoso.tenant, "Mine", by=contoso.admin, rooms=ids(contoso.german[:1]))
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea", Scope(groups=frozenset({group.pk})))
    assign(Role.objects.get(tenant=contoso.tenant, key="site_tech"), lead, Scope(all_rooms=True))
    with pytest.raises(PermissionDenied):
        groups.change_rooms(group, by=lead, add=ids(contoso.rooms))
    assert ids(list(group.rooms.all())) == ids(contoso.german[:1])


def test_delete_leaves_the_rooms_and_is_refused_while_a_scope_names_the_group(world: World) -> None:
    contoso = world.contoso
    group = groups.create(contoso.tenant, "Germany", by=contoso.admin, rooms=ids(contoso.german))
    relationship, _ = join(contoso, world.fabrikam, "ann")
    base = delegations.base_assignment(relationship.delegation)
    scopes.change(base, Scope(groups=frozenset({group.pk})), by=contoso.admin)
    with pytest.raises(GroupInUse):
        groups.delete(group, by=contoso.admin)
    assert RoomGroup.objects.filter(pk=group.pk).exists()

    scopes.change(base, Scope(rooms=frozenset(ids(contoso.german))), by=contoso.admin)
    groups.delete(group, by=contoso.admin)
    assert not RoomGroup.objects.filter(pk=group.pk).exists()
    assert Room.objects.filter(pk__in=ids(contoso.german)).count() == len(contoso.german)
    with pytest.raises(Http404):
        groups.delete(group, by=contoso.admin)


def test_the_default_group_stays(world: World) -> None:
    group = RoomGroup.objects.get(tenant=world.contoso.tenant, is_default=True)
    with pytest.raises(DefaultGroup):
        groups.delete(group, by=world.contoso.admin)
    assert RoomGroup.objects.filter(pk=group.pk).exists()

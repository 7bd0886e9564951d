"""All 76 cells of the published table, asked of the running answer; and nothing of it in another tenant."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from rbac import access
from rbac.catalogue import BuiltIn, Permission, Scope
from rbac.models import Role, User
from rooms.models import Room, RoomGroup, Ticket, UpdateRing
from rooms.scopes import Scope as Chosen
from tests.factories.world import Customer, World, join, make, room_group, ticket
from tests.spec.test_table1 import published

pytestmark = pytest.mark.django_db

ROLES_PERMISSIONS = (Permission.ROLES_VIEW, Permission.ROLES_MODIFY)


def column(role: BuiltIn) -> dict[str, bool]:
    return {row["code"]: row[role.value] == "1" for row in published()}


def target(customer: Customer, permission: Permission, role: BuiltIn) -> Model:
    """What the permission is asked about: a partner's `roles.*` means its own roles, never the tenant's."""
    row = {Permission(one["code"]): one for one in published()}[permission]
    if permission in ROLES_PERMISSIONS:
        return Role.objects.get(tenant=customer.tenant, key=role)
    if row["scope"] == Scope.TENANT:
        return customer.tenant
    if permission in (Permission.GROUPS_VIEW, Permission.GROUPS_MODIFY):
        return RoomGroup.objects.get(tenant=customer.tenant, is_default=False)
    if permission in (Permission.RINGS_VIEW, Permission.RINGS_MODIFY):
        return UpdateRing.objects.get(tenant=customer.tenant, is_default=True)
    if permission in (Permission.TICKETS_VIEW, Permission.TICKETS_UPDATE):
        return Ticket.objects.get(tenant=customer.tenant)
    return customer.rooms[0]


def answers(user: User, customer: Customer, role: BuiltIn) -> dict[str, bool]:
    """Every way of asking, one answer."""
    found = {}
    for permission in Permission:
        one = target(customer, permission, role)
        asked = {
            access.can(user, permission, one),
            one in access.visible(user, permission, type(one).objects.all()),
            user.has_perm(f"any.{permission.codename}", one),
        }
        if isinstance(one, Room):
            asked.add(permission in access.permissions_on(user, [one])[one.pk])
        assert len(asked) == 1, permission
        found[permission.value] = asked.pop()
    return found


@pytest.fixture
def world() -> World:
    made = make()
    for customer in (made.contoso, made.tailwind):
        room_group(customer.tenant, "Berlin", *customer.rooms)
        ticket(*customer.rooms)
    join(made.tailwind, made.northwind, "nils", scope=Chosen(all_rooms=True))
    return made


def person_in(role: BuiltIn, world: World) -> User:
    if role is BuiltIn.PARTNER_ADMIN:
        return join(world.contoso, world.fabrikam, "ann", scope=Chosen(all_rooms=True))[1][0]
    return world.contoso.member(role, "pat")


@pytest.mark.parametrize("role", BuiltIn)
def test_cells_hold_in_the_tenant(world, role):
    assert answers(person_in(role, world), world.contoso, role) == column(role)


@pytest.mark.parametrize("role", BuiltIn)
def test_cells_mean_nothing_in_another_tenant(world, role):
    nothing = dict.fromkeys(column(role), False)
    assert answers(person_in(role, world), world.tailwind, role) == nothing


@pytest.mark.parametrize("role", [BuiltIn.MMR_ADMIN, BuiltIn.SITE_LEAD, BuiltIn.SITE_TECH])
def test_tenant_cells_need_a_scope_of_all_rooms_but_the_key_download(world, role):
    person = world.contoso.member(role, "pat", Chosen(rooms=frozenset(room.pk for room in world.contoso.rooms)))
    of_tenant = {row["code"] for row in published() if row["scope"] == Scope.TENANT}
    expected = {
        code: is_held and (code not in of_tenant or code == "rooms.download_key")
        for code, is_held in column(role).items()
    }
    assert answers(person, world.contoso, role) == expected


def test_partner_holds_no_tenant_cell_on_the_tenant_itself(world):
    ann = person_in(BuiltIn.PARTNER_ADMIN, world)
    held = {one for one in Permission if access.can(ann, one, world.contoso.tenant)}
    assert held == set()


@pytest.mark.parametrize("who", ["nobody", "anonymous", "staff"])
def test_without_an_assignment_no_cell_holds(world, who):
    user = {
        "nobody": lambda: world.contoso.person("nobody"),
        "anonymous": AnonymousUser,
        "staff": lambda: User.objects.create(username="help", upn="help@portal.example", is_staff=True),
    }[who]()
    for role in (BuiltIn.MMR_ADMIN, BuiltIn.SITE_LEAD):
        assert answers(user, world.contoso, role) == dict.fromkeys(column(role), False)

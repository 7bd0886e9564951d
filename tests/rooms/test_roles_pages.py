"""Settings > Roles: the customer's own and its partners'; a partner finds its own there, and nothing else."""

from typing import Any

import pytest
from django.urls import reverse

from rbac.catalogue import TABLE, BuiltIn, Permission
from rbac.models import Assignment, AssignmentKey, Role
from rooms.scopes import Scope
from tests.factories.browsing import browser, links, text
from tests.factories.world import World, assign, custom_role, found_partner, invite, join, make, over

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def client(world) -> Any:
    return browser(world.contoso.admin)


def roles_url(world: World, query: str = "") -> str:
    return reverse("roles", args=[world.contoso.tenant.pk]) + query


def role_url(role: Role, query: str = "") -> str:
    return reverse("role", args=[role.tenant_id, role.pk]) + query


def own(world: World, key: BuiltIn) -> Role:
    return Role.objects.get(tenant=world.contoso.tenant, key=key, delegation=None)


def test_your_roles_are_the_built_in_ones_first(world, client):
    custom_role(world.contoso.tenant, Permission.ROOMS_VIEW)
    custom_role(world.tailwind.tenant, Permission.ROOMS_MODIFY)
    join(world.contoso, world.fabrikam, "ann")
    shown = text(client.get(roles_url(world)))
    places = [shown.index(name) for name in ("MMR Admin", "Site Lead", "Site Tech", "rooms.view")]
    assert places == sorted(places)
    assert "4 roles" in shown
    for other in ("Primary admin", "rooms.modify", "Fabrikam"):
        assert other not in shown


def test_partner_roles_name_their_partner(world, client):
    join(world.contoso, world.fabrikam, "ann", "bob")
    invite(world.contoso, "x@northwind.example", label="Nord AG")
    join(world.tailwind, world.northwind, "eve")
    shown = text(client.get(roles_url(world, "?tab=partners")))
    assert "Primary admin – Nord AG Nord AG Nord AG Built-in 1 0" in shown
    assert "fabrikam.example fabrikam.example Built-in 1 2" in shown
    assert "2 roles" in shown
    assert "northwind.example" not in shown  # Tailwind's name for it


def test_no_partner_no_partner_role(world, client):
    assert "No partner role" in text(client.get(roles_url(world, "?tab=partners")))


def test_partner_sees_the_roles_of_its_own_delegation_only(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    other, _ = join(world.contoso, world.northwind, "eve")
    partner = browser(ann)
    shown = text(partner.get(roles_url(world)))
    assert "Primary admin – Fabrikam" in shown
    assert "1 role" in shown
    for hidden in ("MMR Admin", "Your roles", "northwind", "Northwind", "fabrikam.example"):
        assert hidden not in shown.replace("ann@fabrikam.example", "")
    assert partner.get(roles_url(world, "?tab=own")).status_code == 400
    for role in Role.objects.filter(tenant=world.contoso.tenant).exclude(delegation=relationship.delegation):
        assert partner.get(role_url(role)).status_code == 404
    assert partner.get(role_url(Role.objects.get(delegation=relationship.delegation))).status_code == 200
    assert other.delegation_id != relationship.delegation_id


def test_partners_role_is_called_as_each_side_calls_the_partner(world, client):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    role = Role.objects.get(delegation=relationship.delegation)
    assert "Role of the partner fabrikam.example." in text(client.get(role_url(role)))
    assert "Role of the partner Fabrikam." in text(browser(ann).get(role_url(role)))


def test_role_has_three_tabs(world, client):
    role = own(world, BuiltIn.SITE_TECH)
    assert {"?tab=properties", "?tab=permissions", "?tab=assignments"} <= links(client.get(role_url(role)))
    shown = text(client.get(role_url(role)))
    assert "Name Site Tech" in shown
    assert "Built-in can be neither changed nor deleted" in shown
    assert "Held by people of Contoso" in shown


@pytest.mark.parametrize("key", BuiltIn)
def test_permissions_are_table_1_with_ticks(world, client, key):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    role = Role.objects.get(delegation=relationship.delegation) if key is BuiltIn.PARTNER_ADMIN else own(world, key)
    page = client.get(role_url(role, "?tab=permissions"))
    assert page.context["features"] == [
        (
            feature,
            [(str(code.label), row.cell(key), False) for code, row in TABLE.items() if str(row.feature) == feature],
        )
        for feature in dict.fromkeys(str(row.feature) for row in TABLE.values())
    ]
    ticks = sum(row.cell(key) for row in TABLE.values())
    assert page.content.decode().count('aria-label="Yes"') == ticks
    assert page.content.decode().count('aria-label="No"') == len(TABLE) - ticks


def test_what_another_permission_brings_along_is_said(world, client):
    role = custom_role(world.contoso.tenant, Permission.ROOMS_MODIFY)
    shown = text(client.get(role_url(role, "?tab=permissions")))
    assert "Rooms View (comes with another permission)" in shown


def test_partners_role_never_shows_more_than_the_ceiling(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    role = custom_role(
        world.contoso.tenant, Permission.ROOMS_VIEW, Permission.ROOMS_UNENROLL, delegation=relationship.delegation
    )
    shown = client.get(role_url(role, "?tab=permissions")).context["features"]
    assert [label for _, rows in shown for label, is_held, _ in rows if is_held] == ["View"]


def test_assignments_of_a_role(world, client):
    world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[0]))
    world.contoso.member(BuiltIn.SITE_TECH, "theo")
    shown = text(client.get(role_url(own(world, BuiltIn.SITE_TECH), "?tab=assignments")))
    assert "site_tech of tess@contoso.example 1 1" in shown
    assert "site_tech of theo@contoso.example 1 All (3)" in shown
    assert "Nobody holds this role" in text(client.get(role_url(own(world, BuiltIn.SITE_LEAD), "?tab=assignments")))


@pytest.mark.parametrize("query", ["?tab=colour", "?colour=red", "?cursor=x"])
def test_unknown_parameters_are_refused(world, client, query):
    assert client.get(roles_url(world, query)).status_code == 400
    if "cursor" not in query:
        assert client.get(role_url(own(world, BuiltIn.MMR_ADMIN), query)).status_code == 400


def test_roles_held_for_some_rooms_show_nothing_of_the_tenant(world):
    local = world.contoso.person("lara")
    assign(custom_role(world.contoso.tenant, Permission.ROLES_VIEW), local, over(world.contoso.rooms[0]))
    partner = browser(local)
    assert "No partner role" in text(partner.get(roles_url(world)))
    assert partner.get(role_url(own(world, BuiltIn.MMR_ADMIN))).status_code == 404


def test_long_list_comes_in_pages(world, client):
    for number in range(52):
        Role.objects.create(tenant=world.contoso.tenant, name=f"Role {number:02d}", permissions=["rooms.view"])
    first = client.get(roles_url(world))
    (following,) = [link for link in links(first) if "cursor" in link]
    second = client.get(roles_url(world, following))
    assert "Role 46" in text(first)
    assert "Role 47" not in text(first)
    assert "Role 47" in text(second)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("tab", "number"), [("own", 6), ("partners", 6)])
def test_queries_of_the_list_do_not_grow(world, client, django_assert_num_queries, count, tab, number):
    for one in range(count):
        join(world.contoso, found_partner(f"Partner{one}"), "ann", "bob")
        role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW)
        assign(role, world.contoso.person(f"p{one}"), Scope(all_rooms=True))
    with django_assert_num_queries(number):
        client.get(roles_url(world, f"?tab={tab}"))


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("tab", "number"), [("properties", 7), ("permissions", 7), ("assignments", 10)])
def test_queries_of_a_role_do_not_grow(world, client, django_assert_num_queries, count, tab, number):
    for one in range(count):
        world.contoso.member(BuiltIn.SITE_TECH, f"tess{one}", over(world.contoso.rooms[0]))
    with django_assert_num_queries(number):
        client.get(role_url(own(world, BuiltIn.SITE_TECH), f"?tab={tab}"))


def test_ended_partner_leaves_no_role(world, client):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    base = Assignment.objects.get(key=AssignmentKey.INVITED_ADMINS)
    role = base.role
    client.post(reverse("partner_remove", args=[world.contoso.tenant.pk, relationship.pk]), {"step": "delete"})
    assert client.get(role_url(role)).status_code == 404
    assert client.get(reverse("assignment", args=[role.tenant_id, role.pk, base.pk])).status_code == 404
    assert "No partner role" in text(client.get(roles_url(world, "?tab=partners")))

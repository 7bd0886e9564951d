"""Table 1 for tools: equal to the published one, and to what the decision says of the caller."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Tenant
from rooms.models import Room
from rooms.scopes import Scope
from tests.factories.callers import Caller, code, person, token, tool, wrong
from tests.factories.world import assign, custom_role, join, make, over
from tests.spec.test_table1 import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


def effective(caller, tenant):
    [found] = caller.get("api-permission-table", customer=tenant.pk).json()["effective"]
    assert found["customer"] == {"id": str(tenant.pk), "name": tenant.name}
    return found["permissions"]


def test_all_76_cells_are_the_published_ones(world):
    body = person(world.contoso.admin).get("api-permission-table").json()
    told = [
        {
            "code": row["code"],
            "feature": row["feature"],
            "permission": row["permission"],
            "scope": row["scope"],
            **{role: str(int(row["cells"][role]["granted"])) for role in BuiltIn.values},
            "site_lead_rbac_profile": str(int(row["site_lead_profiles"]["rbac"])),
        }
        for row in body["rows"]
    ]
    assert told == published()
    assert {cell["source"] for row in body["rows"] for cell in row["cells"].values()} == {"table1"}
    assert body["site_lead_profile"] == "table1"
    assert [one["key"] for one in body["roles"]] == BuiltIn.values


def test_other_profile_of_site_lead_is_told_with_its_source(world, settings):
    settings.SITE_LEAD_PROFILE = "rbac"
    body = person(world.contoso.admin).get("api-permission-table").json()
    assert body["site_lead_profile"] == "rbac"
    leads = {row["code"]: row["cells"]["site_lead"] for row in body["rows"]}
    assert leads == {
        row["code"]: {"granted": row["site_lead_rbac_profile"] == "1", "source": "rbac"} for row in published()
    }
    assert {row["cells"][role]["source"] for row in body["rows"] for role in ("mmr_admin", "partner_admin")} == {
        "table1"
    }


@pytest.mark.parametrize("role", BuiltIn.values)
def test_effective_answers_are_the_roles_column(world, role):
    if role == BuiltIn.PARTNER_ADMIN:
        _, (holder,) = join(world.contoso, world.fabrikam, "ann")
    else:
        holder = world.contoso.member(BuiltIn(role), "holder")
    held = {name: reach != "nowhere" for name, reach in effective(person(holder), world.contoso.tenant).items()}
    assert held == {row["code"]: row[role] == "1" for row in published()}


@pytest.mark.parametrize("who", ["whole", "some", "partner whole", "partner some"])
def test_effective_answers_are_what_the_decision_says(world, who):
    """`everywhere`: on every room, or on the tenant; `in_scope`: on some; compared with asking for each of them."""
    scope = Scope(all_rooms=True) if "whole" in who else over(world.contoso.rooms[0])
    if who.startswith("partner"):
        _, (holder,) = join(world.contoso, world.fabrikam, "ann", scope=scope)
    else:
        holder = world.contoso.person("holder")
        assign(custom_role(world.contoso.tenant, *Permission), holder, scope)
    rooms, tenants = Room.objects.filter(tenant=world.contoso.tenant), Tenant.objects.filter(pk=world.contoso.tenant.pk)
    for name, reach in effective(person(holder), world.contoso.tenant).items():
        permission = Permission(name)
        on_rooms = access.visible(holder, permission, rooms).count()
        on_tenant = access.visible(holder, permission, tenants).exists()
        if on_tenant or on_rooms == 3:
            assert reach == "everywhere", name
        elif on_rooms:
            assert reach == "in_scope", name
        else:
            is_over_own_roles = who.startswith("partner") and name.startswith("roles.")
            assert reach == ("in_scope" if is_over_own_roles else "nowhere"), name


def test_every_customer_is_answered_and_none_besides(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    join(world.tailwind, world.fabrikam, "ann", scope=Scope(all_rooms=True))
    body = person(ann).get("api-permission-table").json()
    answers = {one["customer"]["name"]: one["permissions"]["rooms.view"] for one in body["effective"]}
    assert answers == {"Fabrikam": "nowhere", "Contoso": "in_scope", "Tailwind": "everywhere"}
    missing = person(ann).get("api-permission-table", customer=world.northwind.tenant.pk)
    assert code(missing) == (404, "not_found")
    assert wrong(person(ann).get("api-permission-table", customer="x")) == [("customer", "invalid_id")]


def test_token_narrows_the_answer(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    body = tool(token(relationship, ann, Permission.ROOMS_VIEW)).get("api-permission-table").json()
    [one] = body["effective"]
    assert one["customer"]["name"] == "Contoso"
    assert {name for name, reach in one["permissions"].items() if reach != "nowhere"} == {"rooms.view"}


def test_labels_are_in_the_language_of_the_request(world):
    german = Caller(person(world.contoso.admin).client, {"Accept-Language": "de"})
    rows = {row["code"]: row for row in german.get("api-permission-table").json()["rows"]}
    assert (rows["rooms.view"]["feature"], rows["rooms.view"]["permission"]) == ("Räume", "Anzeigen")


@pytest.mark.parametrize("customers", [1, 3])
def test_table_costs_as_much_for_one_customer_as_for_three(world, customers):
    ann = world.fabrikam.person("ann")
    for customer in (world.contoso, world.tailwind)[: customers - 1]:
        join(customer, world.fabrikam, "ann")
    caller = person(ann)
    with CaptureQueriesContext(connection) as captured:
        assert len(caller.get("api-permission-table").json()["effective"]) == customers
    assert len(captured) == 4

"""The customers one can work in, and who one is."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.services import relationships
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from tests.factories.callers import code, person, token, tool, wrong
from tests.factories.world import ask_first, found_customer, join, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


def names(answer):
    return [one["name"] for one in answer.json()["items"]]


def test_list_has_ones_own_organisation_and_the_customers(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    join(world.tailwind, world.northwind, "eve")
    assert names(person(ann).get("api-customers")) == ["Contoso", "Fabrikam"]
    assert names(person(world.contoso.admin).get("api-customers")) == ["Contoso"]
    [contoso, fabrikam] = person(ann).get("api-customers").json()["items"]
    assert (contoso["is_home"], fabrikam["is_home"]) == (False, True)
    assert set(contoso) == {"id", "name", "is_home", "time_zone", "relationship"}
    assert fabrikam["relationship"] is None
    assert contoso["relationship"] == {
        "state": "active",
        "linked_at": contoso["relationship"]["linked_at"],
        "valid_until": None,
        "access_until": None,
        "needs_primary_admin": False,
        "room_count": 2,
        "open_ticket_count": 0,
        "missing": [],
    }


def test_list_is_paged_by_name(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    join(world.tailwind, world.fabrikam, "ann")
    caller = person(ann)
    first = caller.get("api-customers", page_size=2)
    assert names(first) == ["Contoso", "Fabrikam"]
    last = caller.client.get(first.json()["next"])
    assert (names(last), last.json()["next"]) == (["Tailwind"], None)
    assert names(caller.client.get(last.json()["previous"])) == ["Contoso", "Fabrikam"]
    assert wrong(caller.get("api-customers", order="x")) == [("order", "unknown_parameter")]


def test_list_is_searched_and_filtered(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    join(world.tailwind, world.fabrikam, "ann")
    relationships.suspend(relationship, by=world.contoso.admin)
    caller = person(ann)
    assert names(caller.get("api-customers", q="tail")) == ["Tailwind"]
    assert names(caller.get("api-customers", state="active")) == ["Tailwind"]
    assert names(caller.get("api-customers", state="suspended")) == ["Contoso"]
    assert wrong(caller.get("api-customers", state="ended")) == [("state", "invalid_choice")]


def test_a_suspended_customer_says_so_and_nothing_else(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    caller, contoso = person(ann), world.contoso.tenant.pk
    relationships.suspend(relationship, by=world.contoso.admin)
    [listed, _] = caller.get("api-customers").json()["items"]
    assert (listed["name"], listed["relationship"]["state"]) == ("Contoso", "suspended")
    assert (listed["relationship"]["room_count"], listed["relationship"]["open_ticket_count"]) == (None, None)
    found = caller.get("api-customer", contoso).json()
    assert set(found["permissions"].values()) == {"nowhere"}
    assert found["relationship"]["state"] == "suspended"
    assert caller.get("api-rooms", contoso).status_code == 404
    assert person(world.fabrikam.person("bob")).get("api-customer", contoso).status_code == 404


def test_one_customer_tells_what_was_agreed_on(world):
    relationship, (ann, _) = join(world.contoso, world.fabrikam, "ann", "bob")
    ask_first(relationship, Permission.ROOMS_MODIFY)
    found = person(ann).get("api-customer", world.contoso.tenant.pk).json()["relationship"]
    assert found["assignments"] == [{"role": "Primary admin", "assignment": "Invited admins", "valid_until": None}]
    assert [one["upn"] for one in found["primary_admins"]] == ["ann@fabrikam.example", "bob@fabrikam.example"]
    assert found["change_control"]["rooms.modify"] == "manual"
    assert found["change_control"]["tickets.update"] == "auto"
    assert found["terms"]["version"] == 1
    assert person(world.contoso.admin).get("api-customer", world.contoso.tenant.pk).json()["relationship"] is None


def test_a_token_sees_its_one_relationship(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    join(world.tailwind, world.fabrikam, "ann")
    caller = tool(token(relationship, ann, Permission.ROOMS_VIEW))
    [listed] = caller.get("api-customers").json()["items"]
    assert (listed["name"], listed["relationship"]["room_count"]) == ("Contoso", 2)
    assert listed["relationship"]["open_ticket_count"] is None


def test_closed_customers_are_none(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    caller = person(ann)
    Tenant.objects.filter(pk=world.contoso.tenant.pk).update(status="closed")
    assert names(caller.get("api-customers")) == ["Fabrikam"]
    assert code(caller.get("api-customer", world.contoso.tenant.pk)) == (404, "not_found")


def test_guest_of_an_organisation_is_not_at_home_there(world):
    guest = world.contoso.person("guest")
    User.objects.filter(pk=guest.pk).update(is_home_member=False)
    assert names(person(guest).get("api-customers")) == []
    assert code(person(guest).get("api-customer", world.contoso.tenant.pk)) == (404, "not_found")


def test_me_tells_the_person_and_the_token(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    contoso = {"id": str(world.contoso.tenant.pk), "name": "Contoso"}
    fabrikam = {"id": str(world.fabrikam.tenant.pk), "name": "Fabrikam"}
    assert person(ann).get("api-me").json() == {
        "upn": "ann@fabrikam.example",
        "name": "Ann",
        "home": fabrikam,
        "token": None,
        "customers": [fabrikam, contoso],
        "customers_url": "http://testserver/api/v1/customers/",
    }
    secret = token(relationship, ann, Permission.ROOMS_VIEW)
    told = tool(secret).get("api-me").json()
    assert told["customers"] == [contoso]
    assert (told["token"]["prefix"], told["token"]["scopes"]) == (secret[:15], ["rooms.view"])


def test_support_staff_have_no_organisation_and_no_customers(world):
    staff = User.objects.create(username="s@portal.example", upn="s@portal.example", is_staff=True)
    told = person(staff).get("api-me").json()
    assert (told["home"], told["customers"]) == (None, [])


def test_terms_are_told_in_the_language_of_the_request(world):
    caller = person(world.contoso.admin)
    assert caller.get("api-terms").json()["text"] == "Be careful with the rooms."
    assert caller.get("api-terms", headers={"Accept-Language": "de"}).json()["text"].startswith("Gehen Sie")


@pytest.mark.parametrize("customers", [1, 3])
@pytest.mark.parametrize(("address", "queries"), [("api-customers", 9), ("api-me", 4)])
def test_lists_cost_as_much_for_one_customer_as_for_three(world, customers, address, queries):
    ann = world.fabrikam.person("ann")
    for customer in (world.contoso, world.tailwind, found_customer("Wingtip"))[:customers]:
        join(customer, world.fabrikam, "ann")
    caller = person(ann)
    with CaptureQueriesContext(connection) as captured:
        answer = caller.get(address).json()
    assert len(answer.get("items", answer.get("customers"))) == customers + 1  # and one's own organisation
    assert len(captured) == queries

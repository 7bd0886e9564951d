"""Customers on the partner's side: who sees whom, what the list and the page of one say, and that nothing leaks."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.clock import now
from partners.models import PartnerRelationship
from partners.services import invitations, relationships
from rbac import grants
from rbac.catalogue import Permission
from rbac.models import Assignment, Delegation, SecurityGroup, Tenant, User
from tests.factories.browsing import body, browser, links, text
from tests.factories.rows import TenantFactory
from tests.factories.world import (
    World,
    ask_first,
    assign,
    custom_role,
    found_customer,
    invite,
    join,
    make,
    over,
    security_group,
    ticket,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def listed(person: User, query: str = "") -> Any:
    return browser(person).get(reverse("customers") + query)


def detail(person: User, tenant: Tenant) -> Any:
    return browser(person).get(reverse("customer", args=[tenant.pk]))


def names(page: Any) -> list[str]:
    return [row["customer"].name for row in page.context["rows"]]


# --- Who sees whom ----------------------------------------------------------------------------------------------------


def test_anonymous_signs_in_first(world):
    for url in (reverse("customers"), reverse("customer", args=[world.contoso.tenant.pk])):
        assert browser().get(url).url.startswith(reverse("sign_in"))


def test_list_has_the_customers_one_holds_something_in(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    join(world.tailwind, world.fabrikam, "bob")
    join(found_customer("Wingtip"), world.northwind, "nils")
    assert names(listed(ann)) == ["Contoso"]
    assert "Tailwind" not in text(listed(ann))
    assert names(listed(world.contoso.admin)) == []
    assert names(listed(world.fabrikam.person("carl"))) == []


def test_members_by_a_group_and_by_a_custom_role_see_it_too(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    bob, carl = world.fabrikam.person("bob"), world.fabrikam.person("carl")
    group: SecurityGroup = security_group(world.fabrikam.tenant, "Desk", bob)
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=relationship.delegation)
    desk = assign(role, carl, over(world.contoso.german[0]))
    desk.group_memberships.create(group=group)
    assert names(listed(carl)) == names(listed(bob)) == ["Contoso"]


@pytest.mark.parametrize("who", ["stranger", "rival", "customer", "colleague", "staff", "guest", "inactive", "expired"])
def test_a_customer_of_others_is_not_there(world, who):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    if who == "guest":
        User.objects.filter(pk=ann.pk).update(is_home_member=False)
    if who == "expired":
        Delegation.objects.filter(pk=relationship.delegation_id).update(valid_until=now())
    people = {
        "stranger": world.tailwind.admin,
        "rival": world.northwind.person("nils"),
        "customer": world.contoso.admin,
        "colleague": world.fabrikam.person("bob"),
        "staff": User.objects.create(username="help", upn="help@portal.example", is_staff=True),
    }
    person = people.get(who, User.objects.get(pk=ann.pk))
    client = browser(person)
    if who == "inactive":
        User.objects.filter(pk=ann.pk).update(is_active=False)
        assert client.get(reverse("customer", args=[world.contoso.tenant.pk])).status_code == 302
        return
    hidden = client.get(reverse("customer", args=[world.contoso.tenant.pk]))
    missing = client.get(reverse("customer", args=["99999999-9999-4999-8999-999999999999"]))
    assert (hidden.status_code, body(hidden)) == (404, body(missing))
    assert names(listed(person)) == []


def test_an_ended_customer_vanishes_at_once(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    client = browser(ann)
    assert client.get(reverse("customer", args=[world.contoso.tenant.pk])).status_code == 200
    relationships.remove(relationship, by=world.contoso.admin)
    assert client.get(reverse("customer", args=[world.contoso.tenant.pk])).status_code == 404
    assert names(listed(ann)) == []


def test_one_whose_assignment_has_run_out_sees_nothing_more(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    carl = world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=relationship.delegation)
    assign(role, carl, over(world.contoso.german[0]), valid_until=now() - timedelta(minutes=1))
    assert names(listed(carl)) == []
    assert detail(carl, world.contoso.tenant).status_code == 404


# --- What the list says -----------------------------------------------------------------------------------------------


def test_list_counts_rooms_and_open_incidents_in_scope(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    ticket(world.contoso.german[0])
    ticket(world.contoso.german[1], state="closed", closed_at=now(), closing_reason="fixed")
    ticket(world.contoso.rooms[2])  # the American one
    [row] = listed(ann).context["rows"]
    assert (row["rooms"], row["tickets"], row["until"]) == (2, 1, None)


def test_what_one_may_not_see_is_not_counted(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    carl = world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=relationship.delegation)
    assign(role, carl, over(world.contoso.german[0]))
    ticket(world.contoso.german[0])
    [row] = listed(carl).context["rows"]
    assert (row["rooms"], row["tickets"]) == (1, None)


def test_access_ends_with_ones_last_assignment_or_with_the_relationship(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    carl, at = world.fabrikam.person("carl"), now()
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=relationship.delegation)
    for days in (3, 9):
        assign(role, carl, over(world.contoso.german[0]), valid_until=at + timedelta(days=days))
    assert listed(carl).context["rows"][0]["until"] == at + timedelta(days=9)
    assert listed(ann).context["rows"][0]["until"] is None
    Delegation.objects.filter(pk=relationship.delegation_id).update(valid_until=at + timedelta(days=5))
    for person in (ann, carl):
        assert listed(person).context["rows"][0]["until"] == at + timedelta(days=5)


def test_list_says_what_is_suspended_and_what_lacks_a_primary_admin(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    second, _ = join(world.tailwind, world.fabrikam, "ann")
    relationships.suspend(relationship, by=world.contoso.admin)
    Delegation.objects.filter(pk=second.delegation_id).update(needs_primary_admin=True)
    shown = text(listed(ann))
    assert "Contoso Suspended – –" in shown
    assert "Active Needs a primary admin" in shown


def test_list_is_searched_and_filtered(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    join(world.tailwind, world.fabrikam, "ann")
    relationships.suspend(relationship, by=world.contoso.admin)
    assert names(listed(ann)) == ["Contoso", "Tailwind"]
    assert names(listed(ann, "?q=tail")) == ["Tailwind"]
    assert names(listed(ann, "?state=suspended")) == ["Contoso"]
    assert "No customer matches" in text(listed(ann, "?q=nobody"))
    assert listed(ann, "?state=ended").status_code == 400
    assert listed(ann, "?order=1").status_code == 400
    assert listed(ann, "?cursor=nonsense").status_code == 400


def test_list_is_paged(world):
    ann = world.fabrikam.person("ann")
    for number in range(52):
        tenant = TenantFactory(name=f"Customer {number:02}")
        delegation = Delegation.objects.create(
            tenant=tenant, held_by=world.fabrikam.tenant, state="active", linked_at=now()
        )
        role = custom_role(tenant, Permission.ROOMS_VIEW, delegation=delegation)
        assignment = Assignment.objects.create(tenant=tenant, role=role, name="x", group=grants.open_group())
        assignment.memberships.create(user=ann)
        PartnerRelationship.objects.create(
            tenant=tenant, delegation=delegation, label="x", terms_version=1, terms_accepted_at=now()
        )
    first = listed(ann)
    second = listed(ann, first.context["page"]["next_url"])
    assert names(first) + names(second) == [f"Customer {number:02}" for number in range(52)]
    assert names(listed(ann, second.context["page"]["previous_url"])) == names(first)


def test_open_invitations_stand_above_and_are_counted_in_the_menu(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    _, (invitation,) = invite(world.tailwind, ann.upn)
    page = listed(ann)
    assert "Waiting for your answer Tailwind admin@tailwind.example invites you as primary admin." in text(page)
    assert reverse("invitation", args=[invitation.pk]) in links(page)
    assert "Customers 1 open" in text(page)
    assert "Customers 1 open" in text(browser(ann).get(reverse("rooms", args=[world.contoso.tenant.pk])))
    assert "1 open" not in text(listed(world.fabrikam.person("bob")))
    invitations.deny(invitation, by=ann)
    assert "Waiting for your answer" not in text(listed(ann))


def test_empty_list_says_how_customers_come(world):
    assert "When a customer invites you" in text(listed(world.fabrikam.person("bob")))
    invite(world.tailwind, "bob@fabrikam.example")
    assert "As soon as you accept an invitation" in text(listed(world.fabrikam.person("bob")))


@pytest.mark.parametrize("number", [1, 3])
def test_list_costs_as_much_for_one_as_for_three(world, number):
    ann = world.fabrikam.person("ann")
    for customer in (world.contoso, world.tailwind, found_customer("Wingtip"))[:number]:
        join(customer, world.fabrikam, "ann")
        ticket(customer.german[0])
    client = browser(ann)
    client.get(reverse("customers"))
    with CaptureQueriesContext(connection) as captured:
        page = client.get(reverse("customers"))
    assert len(names(page)) == number
    assert len(captured) == 9


# --- The page of one --------------------------------------------------------------------------------------------------


def test_page_tells_all_about_the_customer(world):
    relationship, (ann, _) = join(world.contoso, world.fabrikam, "ann", "bob")
    relationships.rename(relationship, "Nicknamed", by=world.contoso.admin)
    ask_first(relationship, Permission.ROOMS_MODIFY)
    ticket(world.contoso.german[0])
    page = detail(ann, world.contoso.tenant)
    for expected in (
        "You look after 2 rooms.",
        "1 open incident",
        "Yours Primary admin Invited admins",
        "Ann ann@fabrikam.example",
        "Bob bob@fabrikam.example",
        "Rooms: Modify Manual approval",
        "Ticket management: Update Auto approval",
        "version 1 of the operator’s terms; Contoso agreed to it on",
        "The partnership has no end date.",
        "Work here",
    ):
        assert expected in text(page)
    assert "Nicknamed" not in text(page)  # what the customer calls the partner is its own business
    contoso = world.contoso.tenant.pk
    assert {reverse(name, args=[contoso]) for name in ("rooms", "tickets", "roles", "customer_tokens")} <= links(page)
    assert "Contoso room" not in text(page)


def test_whoever_may_not_see_roles_finds_no_way_to_them(world):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    carl = world.fabrikam.person("carl")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=relationship.delegation)
    assign(role, carl, over(world.contoso.german[0]))
    page = detail(carl, world.contoso.tenant)
    assert "All roles of your organisation here" not in text(page)
    assert "Ann ann@fabrikam.example" in text(page)  # whom to ask
    assert not any("/settings/roles/" in link for link in links(page))


def test_a_suspended_customer_says_so_and_leads_nowhere(world):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    relationships.suspend(relationship, by=world.contoso.admin)
    page = detail(ann, world.contoso.tenant)
    assert page.status_code == 200
    assert "Contoso has suspended the partnership." in text(page)
    assert "Work here" not in text(page)
    assert "You look after" not in text(page)
    assert not any(link.startswith(f"/c/{world.contoso.tenant.pk}/") for link in links(page))


def test_deactivated_primary_admins_are_marked(world):
    _, (ann, bob) = join(world.contoso, world.fabrikam, "ann", "bob")
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert "Bob bob@fabrikam.example Deactivated" in text(detail(ann, world.contoso.tenant))


def test_partner_pages_of_a_customer_keep_its_name_and_colour_in_the_bar(world):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    page = detail(ann, world.contoso.tenant)
    assert "You are in: Contoso" in text(page)
    assert page.context["frame"]["tenant"].id == world.contoso.tenant.pk


@pytest.mark.parametrize("number", [1, 3])
def test_page_costs_the_same_whatever_its_people_and_roles(world, number):
    relationship, (ann, *_) = join(world.contoso, world.fabrikam, *["ann", "bob", "carl"][:number])
    for _ in range(number):
        role = custom_role(world.contoso.tenant, Permission.ROOMS_VIEW, delegation=relationship.delegation)
        assign(role, ann, over(world.contoso.german[0]))
    client = browser(ann)
    client.get(reverse("customer", args=[world.contoso.tenant.pk]))
    with CaptureQueriesContext(connection) as captured:
        page = client.get(reverse("customer", args=[world.contoso.tenant.pk]))
    assert len(page.context["roles"]) == number + 1
    assert len(captured) == 16

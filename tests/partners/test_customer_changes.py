"""Pages on the partner's side that change something: remove a customer, add colleagues, take a denial back, answer for
an organisation; and the customer's pages for it: tenant managers, *Add partner* by domain."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEvent
from partners.models import Invitation, PartnerRelationship, TenantManager
from partners.services import invitations, relationships, tenant_managers
from rbac.catalogue import CEILING, CONTROLLED_EVENTS, BuiltIn, Permission
from rbac.models import User
from rooms.models import ApprovalRequest
from tests.factories.browsing import browser, links, text, told
from tests.factories.callers import code, person, token, tool
from tests.factories.world import (
    World,
    ask_first,
    assign,
    contact,
    custom_role,
    invite,
    join,
    make,
    over,
    proposal,
    sign_in,
)

pytestmark = pytest.mark.django_db
ANN = "ann@fabrikam.example"


@pytest.fixture
def world() -> World:
    world = make()
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    return world


def url(world: World, name: str, *more: Any) -> str:
    return reverse(name, args=[world.contoso.tenant.pk, *more])


def desk(world: World) -> User:
    """Somebody of the partner with every permission, but no primary admin."""
    found = world.fabrikam.person("desk")
    role = custom_role(world.contoso.tenant, *CEILING, delegation=world.relationship.delegation)
    assign(role, found, over(*world.contoso.german))
    return found


# --- Remove customer --------------------------------------------------------------------------------------------------


def test_only_the_second_delete_removes(world):
    client = browser(world.ann)
    page = client.get(url(world, "customer_remove"))
    assert "1 person of your organisation loses access to 2 rooms" in text(page)
    assert "Incidents and the audit log stay with the customer, who is told by mail." in text(page)
    asked = client.post(url(world, "customer_remove"), {"step": "confirm"})
    assert "Do you really want to delete Contoso?" in text(asked)
    assert PartnerRelationship.objects.get(pk=world.relationship.pk).state == "active"
    done = client.post(url(world, "customer_remove"), {"step": "delete"})
    assert done.url == reverse("customers")
    assert told(done) == ["Contoso has been removed. Your organisation no longer has any access there."]
    assert PartnerRelationship.objects.get(pk=world.relationship.pk).state == "ended"
    for name in ("customer", "customer_remove", "rooms"):
        assert client.get(url(world, name)).status_code == 404


def test_others_do_not_remove_and_a_try_is_on_record(world):
    page = browser(desk(world)).get(url(world, "customer"))
    assert url(world, "customer_remove") not in links(page)
    client = browser(world.fabrikam.person("desk"))
    assert client.get(url(world, "customer_remove")).status_code == 403
    assert client.post(url(world, "customer_remove"), {"step": "delete"}).status_code == 403
    assert AuditEvent.objects.filter(result="Failed", user_id="desk@fabrikam.example", operation="Delete").count() == 1
    for stranger in (world.tailwind.admin, world.contoso.admin, world.fabrikam.person("bob")):
        assert browser(stranger).post(url(world, "customer_remove"), {"step": "delete"}).status_code == 404


def test_a_suspended_customer_can_be_removed_in_page_and_api(world):
    relationships.suspend(world.relationship, by=world.contoso.admin)
    assert browser(world.ann).get(url(world, "customer_remove")).status_code == 200
    assert person(world.ann).delete("api-customer", world.contoso.tenant.pk).status_code == 204
    assert PartnerRelationship.objects.get(pk=world.relationship.pk).state == "ended"


def test_a_tool_removes_no_customer(world):
    secret = token(world.relationship, world.ann, *CEILING)
    assert code(tool(secret).delete("api-customer", world.contoso.tenant.pk)) == (403, "not_for_tokens")
    assert person(desk(world)).delete("api-customer", world.contoso.tenant.pk).status_code == 403
    assert person(world.contoso.admin).delete("api-customer", world.contoso.tenant.pk).status_code == 403
    assert person(world.tailwind.admin).delete("api-customer", world.contoso.tenant.pk).status_code == 404


# --- Colleagues -------------------------------------------------------------------------------------------------------


def rows(*upns: str, **more: str) -> dict[str, str]:
    found = {f"contact-{number}-upn": upn for number, upn in enumerate(upns)}
    return {"contact-TOTAL_FORMS": str(len(upns)), "days": "14", **found, **more}


def test_colleagues_are_added_and_invited_with_one_save(world):
    bob = world.fabrikam.person("bob")
    client = browser(world.ann)
    assert "Add colleagues" in text(client.get(url(world, "customer")))
    data = rows(bob.upn, "nora@fabrikam.example")
    kept = client.post(url(world, "customer_colleagues"), data | {"add": "1"})
    assert "nora@fabrikam.example" in kept.content.decode()
    assert Invitation.objects.filter(state="pending").count() == 0
    done = client.post(url(world, "customer_colleagues"), data | {"save": "1"})
    assert done.url == url(world, "customer")
    assert told(done) == ["1 colleague is now a primary admin.", "1 invitation is on its way."]
    page = text(client.get(url(world, "customer_colleagues")))
    assert "Bob bob@fabrikam.example" in page
    assert "Invited by your organisation, no answer yet nora@fabrikam.example" in page
    customers = browser(world.contoso.admin).get(url(world, "partner", world.relationship.pk))
    assert f"Invited by the partner: {ANN}" in text(customers)


@pytest.mark.parametrize(
    ("upn", "words"),
    [
        ("max@northwind.example", "max@northwind.example is not in a verified domain of your organisation."),
        (ANN, "ann@fabrikam.example already is a primary admin of this partner."),
        ("no upn", "is not allowed in a user principal name"),
    ],
)
def test_what_is_refused_stands_at_its_row(world, upn, words):
    answer = browser(world.ann).post(url(world, "customer_colleagues"), rows(upn, save="1"))
    assert (answer.status_code, words in text(answer)) == (200, True)
    assert Invitation.objects.filter(state="pending").count() == 0


def test_manual_approval_is_announced_and_asked_for(world):
    ask_first(world.relationship, Permission.ROLES_MODIFY)
    client = browser(world.ann)
    assert "Contoso approves such changes first" in text(client.get(url(world, "customer_colleagues")))
    answer = client.post(url(world, "customer_colleagues"), rows("nora@fabrikam.example", save="1"))
    assert answer.url == url(world, "approval", ApprovalRequest.objects.get().pk)
    secret = token(world.relationship, world.ann, *CEILING)
    body = {"people": [{"upn": "kim@fabrikam.example"}]}
    assert tool(secret).post("api-colleagues", world.contoso.tenant.pk, body=body).status_code == 202


def test_only_primary_admins_open_it_and_not_while_suspended(world):
    assert browser(desk(world)).get(url(world, "customer_colleagues")).status_code == 403
    assert browser(world.contoso.admin).get(url(world, "customer_colleagues")).status_code == 404
    relationships.suspend(world.relationship, by=world.contoso.admin)
    assert browser(world.ann).get(url(world, "customer_colleagues")).status_code == 404


def test_api_adds_colleagues(world):
    bob = world.fabrikam.person("bob")
    body = {"people": [{"upn": bob.upn}, {"name": "Nora", "upn": "nora@fabrikam.example"}]}
    answer = person(world.ann).post("api-colleagues", world.contoso.tenant.pk, body=body)
    assert answer.status_code == 201
    assert [one["upn"] for one in answer.json()["primary_admins"]] == [ANN, bob.upn]
    assert answer.json()["invited"] == ["nora@fabrikam.example"]
    refused = person(desk(world)).post("api-colleagues", world.contoso.tenant.pk, body=body)
    assert code(refused) == (403, "permission_denied")


# --- Undo -------------------------------------------------------------------------------------------------------------


def test_a_denial_is_taken_back_where_it_was_made(world):
    _, (invitation,) = invite(world.tailwind, ANN)
    client = browser(world.ann)
    answer = client.post(reverse("invitation_deny", args=[invitation.pk]), follow=True)
    assert "You can take this back within 24 hours, below." in text(answer)
    assert "Take back" in text(client.get(reverse("invitations")))
    assert "Take back" in text(client.get(reverse("invitation", args=[invitation.pk])))
    undone = client.post(reverse("invitation_undo", args=[invitation.pk]))
    fresh = Invitation.objects.get(reopens=invitation)
    assert undone.url == reverse("invitation", args=[fresh.pk])
    assert told(undone) == ["The invitation of Tailwind is open again."]
    assert "Take back" not in text(client.get(reverse("invitations")))
    final = client.get(reverse("invitation_deny", args=[fresh.pk]))
    assert "You have taken back a denial once; this one is final." in text(final)
    invitations.deny(fresh, by=world.ann)
    late = client.post(reverse("invitation_undo", args=[fresh.pk]))
    assert told(late) == ["This answer cannot be taken back any more. Ask the customer for a new invitation."]


def test_api_takes_a_denial_back(world):
    _, (invitation,) = invite(world.tailwind, ANN)
    caller = person(world.ann)
    assert caller.post("api-my-invitation-deny", invitation.pk).json()["may_undo"] is True
    answer = caller.post("api-my-invitation-undo", invitation.pk)
    assert (answer.status_code, answer.json()["state"], answer.json()["may_undo"]) == (201, "pending", False)
    assert caller.get("api-my-invitation", invitation.pk).json()["state"] == "denied"
    assert caller.post("api-my-invitation-undo", invitation.pk).json()["id"] == answer.json()["id"]
    assert person(world.fabrikam.person("bob")).post("api-my-invitation-undo", invitation.pk).status_code == 404


# --- Tenant managers --------------------------------------------------------------------------------------------------


def managers(world: World) -> str:
    return reverse("tenant_managers", args=[world.contoso.tenant.pk])


def test_managers_are_named_and_dismissed(world):
    tia = world.contoso.person("tia")
    client = browser(world.contoso.admin)
    shown = text(client.get(managers(world)))
    assert "Nobody is named, so your MMR Admins answer. Admin admin@contoso.example" in shown
    assert "You can be invited by: contoso.example" in shown
    added = client.post(managers(world), {"upn": tia.upn})
    assert told(added) == ["Tia is a tenant manager now."]
    page = client.get(managers(world))
    assert "Tia tia@contoso.example" in text(page)
    assert "Nobody is named" not in text(page)
    again = client.post(managers(world), {"upn": tia.upn})
    assert "tia@contoso.example is a tenant manager already." in text(again)
    unknown = client.post(managers(world), {"upn": "new@contoso.example"})
    assert "Nobody of your organisation has signed in here as new@contoso.example." in text(unknown)
    gone = client.post(reverse("tenant_manager_remove", args=[world.contoso.tenant.pk, TenantManager.objects.get().pk]))
    assert told(gone) == ["Tia is no tenant manager any more."]
    assert not TenantManager.objects.exists()
    assert managers(world) in links(client.get(reverse("settings_general", args=[world.contoso.tenant.pk])))


def test_who_opens_them(world):
    lena = world.contoso.member(BuiltIn.SITE_LEAD, "lena")
    manager = tenant_managers.appoint(world.tailwind.tenant, "admin@tailwind.example", by=world.tailwind.admin)
    for who, status in ((lena, 403), (world.ann, 403), (world.tailwind.admin, 404), (world.contoso.admin, 200)):
        assert browser(who).get(managers(world)).status_code == status
    for pk in (manager.pk, 10**9, 2**63):
        foreign = reverse("tenant_manager_remove", args=[world.contoso.tenant.pk, pk])
        assert browser(world.contoso.admin).post(foreign).status_code == 404
    assert browser(lena).post(managers(world), {"upn": lena.upn}).status_code == 403
    assert TenantManager.objects.count() == 1


@pytest.mark.parametrize("number", [1, 3])
def test_managers_cost_the_same_whatever_their_number(world, number):
    for name in ("tia", "tom", "tim")[:number]:
        tenant_managers.appoint(world.contoso.tenant, world.contoso.person(name).upn, by=world.contoso.admin)
    client = browser(world.contoso.admin)
    client.get(managers(world))
    with CaptureQueriesContext(connection) as captured:
        client.get(managers(world))
    assert len(captured) == 9


def test_api_of_managers(world):
    tia, contoso = world.contoso.person("tia"), world.contoso.tenant.pk
    caller = person(world.contoso.admin)
    made = caller.post("api-tenant-managers", contoso, body={"upn": tia.upn})
    assert (made.status_code, made.json()["upn"], made.json()["appointed_by"]) == (
        201,
        tia.upn,
        world.contoso.admin.upn,
    )
    [listed] = caller.get("api-tenant-managers", contoso).json()["items"]
    assert listed == made.json() == caller.get("api-tenant-manager", contoso, listed["id"]).json()
    assert (
        code(caller.post("api-tenant-managers", contoso, body={"upn": "x@contoso.example"}))[1] == "unknown_colleague"
    )
    assert caller.delete("api-tenant-manager", contoso, listed["id"]).status_code == 204
    assert caller.get("api-tenant-manager", contoso, listed["id"]).status_code == 404
    assert caller.get("api-tenant-manager", contoso, 2**63).status_code == 404


# --- By domain --------------------------------------------------------------------------------------------------------


def by_domain(world: World, domain: str = "northwind.example") -> Invitation:
    asked = proposal(world.contoso, domain=domain)
    return relationships.add(world.contoso.tenant, asked, by=world.contoso.admin).invitations.get()


def test_a_manager_names_primary_admins_and_sees_nothing_of_the_customer(world):
    invitation, tia = by_domain(world), world.northwind.person("tia")
    tenant_managers.appoint(
        world.northwind.tenant, tia.upn, by=sign_in(world.northwind.tenant, "owner@northwind.example")
    )
    nils, client = world.northwind.person("nils"), browser(tia)
    page = client.get(reverse("invitation", args=[invitation.pk]))
    assert "Contoso invites your organisation" in text(page)
    assert "Contoso room" not in text(page)
    assert "you answer as tenant manager" in text(client.get(reverse("customers")))
    accept = reverse("invitation_accept", args=[invitation.pk])
    wrong = client.post(accept, {"admins": "nobody@northwind.example"})
    assert wrong.status_code == 400
    assert "Nobody of your organisation has signed in here as nobody@northwind.example." in text(wrong)
    assert ">nobody@northwind.example</textarea>" in wrong.content.decode()
    assert client.post(accept, {"admins": " \n"}).status_code == 400
    done = client.post(accept, {"admins": f"{nils.upn}\n"})
    assert done.url == reverse("customers")
    assert told(done) == ["Contoso is now a customer of your organisation. The primary admins you named can begin."]
    assert client.get(reverse("rooms", args=[world.contoso.tenant.pk])).status_code == 404
    assert browser(nils).get(reverse("rooms", args=[world.contoso.tenant.pk])).status_code == 200


def test_api_adds_a_partner_by_domain_and_its_manager_answers(world):
    body = {"domain": "northwind.example", "scope": {"all_rooms": True}, "terms": {"version": 1, "agrees": True}}
    added = person(world.contoso.admin).post("api-partners", world.contoso.tenant.pk, body=body)
    assert (added.status_code, added.json()["label"]) == (201, "northwind.example")
    [sent] = (
        person(world.contoso.admin)
        .get("api-partner-invitations", world.contoso.tenant.pk, added.json()["id"])
        .json()["items"]
    )
    assert (sent["upn"], sent["domain"], sent["by_partner"]) == ("", "northwind.example", False)
    owner = sign_in(world.northwind.tenant, "owner@northwind.example")
    [mine] = person(owner).get("api-my-invitations").json()["items"]
    assert mine["domain"] == "northwind.example"
    refused = person(owner).post("api-my-invitation-accept", mine["id"], body={})
    assert code(refused) == (400, "no_admin")
    answer = person(owner).post("api-my-invitation-accept", mine["id"], body={"admins": [owner.upn]})
    assert answer.json()["state"] == "accepted"
    for wrong, expected in (
        ({"domain": "nobodys.example"}, "unknown_domain"),
        ({"domain": ""}, "invalid"),
        ({"contacts": [{"name": "X", "upn": "x@y.example"}]}, "domain_or_people"),
    ):
        answer = person(world.contoso.admin).post("api-partners", world.contoso.tenant.pk, body=body | wrong)
        assert code(answer) == (400, expected)


def wizard(world: World, step: str) -> str:
    return reverse("add_partner_step", args=[world.contoso.tenant.pk, step])


def test_wizard_takes_a_domain_in_the_place_of_people(world):
    client = browser(world.contoso.admin)
    blank = {"contact-TOTAL_FORMS": "1", "days": "14", "next": "1"}
    unknown = client.post(wizard(world, "contacts"), blank | {"domain": "nobodys.example"})
    assert "No organisation can be invited by the domain nobodys.example." in text(unknown)
    person_too = {"contact-0-name": "Nils", "contact-0-upn": "nils@northwind.example"}
    both = client.post(wizard(world, "contacts"), blank | person_too | {"domain": "northwind.example"})
    assert "Enter contacts or a domain, not both." in text(both)
    assert client.post(wizard(world, "contacts"), blank | {"domain": "Northwind.example"}).url == wizard(
        world, "change-control"
    )
    modes = {f"mode_{event.codename}": "auto" for event in CONTROLLED_EVENTS}
    client.post(wizard(world, "change-control"), modes | {"next": "1"})
    client.post(wizard(world, "rooms"), {"next": "1", "pick": [room.pk for room in world.contoso.german]})
    client.post(wizard(world, "terms"), {"version": "1", "agrees": "on", "next": "1"})
    review = client.get(wizard(world, "review"))
    assert "northwind.example The tenant managers of this organisation answer" in text(review)
    reviewed = review.context["reviewed"]
    done = client.post(wizard(world, "review"), {"add": "1", "reviewed": reviewed})
    found = Invitation.objects.get(domain="northwind.example")
    assert done.url == reverse("partner", args=[world.contoso.tenant.pk, found.relationship_id])
    assert "To the tenant managers of this domain" in text(client.get(done.url))


def test_invited_again_a_person_is_shown_beside_the_domain(world):
    invitation = by_domain(world)
    invitations.invite(invitation.relationship, [contact("nils@northwind.example")], by=world.contoso.admin)
    page = browser(world.contoso.admin).get(
        reverse("invited_admins", args=[world.contoso.tenant.pk, invitation.relationship_id])
    )
    assert "northwind.example" in text(page)

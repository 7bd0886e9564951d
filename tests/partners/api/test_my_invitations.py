"""The invitations addressed to oneself: list, one of them, accept, decline."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners import links
from partners.models import Invitation
from partners.services import invitations as service
from rbac.sign_in import Identity, arrive
from tests.factories.callers import changed, code, person, wrong
from tests.factories.evidence import mark
from tests.factories.world import invite, join, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


@pytest.fixture
def ann(world):
    return world.fabrikam.person("ann")


@pytest.fixture
def sent(world, ann):
    """Contoso's invitations to ann and bob of Fabrikam, by name."""
    _, found = invite(world.contoso, ann.upn, "bob@fabrikam.example")
    return {one.contact_name.lower(): one for one in found}


@pytest.fixture
def stranger(world):
    """Somebody whose organisation nobody here knew before he was invited, and his invitation."""
    _, (invitation,) = invite(world.contoso, "kim@adatum.example")
    tid = uuid.uuid4()
    return arrive(Identity(tid, uuid.uuid4(), "kim@adatum.example"), is_awaited=service.is_awaited), invitation


def test_accepting_opens_the_customers_rooms(world, ann, sent):
    caller, evidence = person(ann), mark()
    assert caller.get("api-rooms", world.contoso.tenant.pk).status_code == 404
    before = caller.get("api-my-invitation", sent["ann"].pk).json()
    assert (before["state"], before["needs_link"], before["room_count"]) == ("pending", False, 2)
    assert before["customer"] == {"id": str(world.contoso.tenant.pk), "name": "Contoso"}
    assert "rooms.modify" in before["permissions"]
    answer = caller.post("api-my-invitation-accept", sent["ann"].pk)
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    assert answer.json()["room_count"] == 2
    assert evidence.lines == [
        "Contoso: PartnerInvitation/Update ann@fabrikam.example Successful ann@fabrikam.example",
        "Contoso: PartnerInvitation/Update Fabrikam Successful ann@fabrikam.example",
        "Contoso: Assignment/Update Primary admin / Invited admins Successful ann@fabrikam.example",
    ]
    assert len(caller.get("api-rooms", world.contoso.tenant.pk).json()["items"]) == 2
    again = mark()
    assert caller.post("api-my-invitation-accept", sent["ann"].pk).json() == answer.json()
    assert again.lines == []


def test_declining_touches_only_ones_own(ann, sent):
    answer = person(ann).post("api-my-invitation-deny", sent["ann"].pk)
    assert (answer.status_code, answer.json()["state"], answer.json()["room_count"]) == (200, "denied", 0)
    assert answer.json()["permissions"] == []
    states = dict(Invitation.objects.values_list("contact_name", "state"))
    assert states == {"Ann": "denied", "Bob": "pending"}
    evidence = mark()
    assert code(person(ann).post("api-my-invitation-accept", sent["ann"].pk)) == (410, "invitation_denied")
    assert evidence.lines == [
        "Contoso: PartnerInvitation/Update ann@fabrikam.example Failed(invitation_denied) ann@fabrikam.example"
    ]


def test_invitation_of_somebody_else_is_not_there(world, sent):
    others = [world.fabrikam.person("bob"), world.fabrikam.person("carl"), world.contoso.admin, world.tailwind.admin]
    for other in others[1:]:
        caller = person(other)
        evidence = mark()
        answers = [
            caller.get("api-my-invitation", sent["ann"].pk),
            caller.post("api-my-invitation-accept", sent["ann"].pk, body={"secret": links.secret_of(sent["ann"])}),
            caller.post("api-my-invitation-deny", sent["ann"].pk),
            caller.get("api-my-invitation", uuid.uuid4()),
        ]
        assert {one.status_code for one in answers} == {404}
        assert len({one.content for one in answers}) == 1
        assert changed(evidence) == set()
        assert evidence.lines == []
        assert caller.get("api-my-invitations").json()["items"] == []
    [bobs] = person(others[0]).get("api-my-invitations").json()["items"]
    assert bobs["id"] == str(sent["bob"].pk)


def test_unknown_organisation_needs_the_secret_of_the_mail(stranger):
    kim, invitation = stranger
    caller = person(kim)
    assert caller.get("api-my-invitation", invitation.pk).json()["needs_link"] is True
    evidence = mark()
    for body in (None, {}, {"secret": ""}, {"secret": "x" * 32}):
        assert code(caller.post("api-my-invitation-accept", invitation.pk, body=body)) == (409, "link_needed")
    assert changed(evidence) == set()
    secret = links.secret_of(invitation)
    answer = caller.post("api-my-invitation-accept", invitation.pk, body={"secret": secret})
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")


def test_later_accepter_of_another_organisation_is_refused_and_the_customer_told(world, ann, sent):
    person(ann).post("api-my-invitation-accept", sent["ann"].pk)
    service.invite(sent["ann"].relationship, [service.Contact("Max", "max@northwind.example")], by=world.contoso.admin)
    wrong_one = Invitation.objects.get(upn="max@northwind.example")
    evidence = mark()
    answer = person(world.northwind.person("max")).post("api-my-invitation-accept", wrong_one.pk)
    assert code(answer) == (409, "wrong_tenant")
    assert Invitation.objects.get(pk=wrong_one.pk).state == "pending"
    assert evidence.kinds == ["partners.wrong_tenant"]


def test_organisation_that_is_a_partner_already_is_refused(world, ann):
    join(world.contoso, world.fabrikam, "bob")
    _, (second,) = invite(world.contoso, ann.upn)
    assert code(person(ann).post("api-my-invitation-accept", second.pk)) == (409, "already_partner")


def test_due_and_withdrawn_invitations_cannot_be_answered(world, ann, sent, clock):
    clock.move(timedelta(days=14))
    caller = person(ann)
    assert caller.get("api-my-invitation", sent["ann"].pk).json()["state"] == "expired"
    for name in ("api-my-invitation-accept", "api-my-invitation-deny"):
        assert code(caller.post(name, sent["ann"].pk)) == (410, "invitation_expired")


def test_what_ended_with_its_relationship_is_withdrawn(world, ann, sent):
    person(world.contoso.admin).delete("api-partner", world.contoso.tenant.pk, sent["ann"].relationship_id)
    caller = person(ann)
    assert caller.get("api-my-invitation", sent["ann"].pk).json()["state"] == "revoked"
    assert code(caller.post("api-my-invitation-accept", sent["ann"].pk)) == (410, "invitation_revoked")


def test_list_is_filtered_by_state_and_paged(world, ann, sent):
    invite(world.tailwind, ann.upn)
    caller = person(ann)
    caller.post("api-my-invitation-deny", sent["ann"].pk)

    def customers(**query):
        return [one["customer"]["name"] for one in caller.get("api-my-invitations", **query).json()["items"]]

    assert customers() == ["Tailwind", "Contoso"]
    assert customers(state="denied") == ["Contoso"]
    assert customers(state="pending") == ["Tailwind"]
    first = caller.get("api-my-invitations", page_size=1).json()
    assert [one["customer"]["name"] for one in caller.client.get(first["next"]).json()["items"]] == ["Contoso"]
    assert wrong(caller.get("api-my-invitations", state="open")) == [("state", "invalid_choice")]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"secret": 5 * [1]}, [("/secret", "invalid")]),
        ({"secret": "x" * 101}, [("/secret", "max_length")]),
        ({"as": "me"}, [("/as", "unknown_field")]),
    ],
)
def test_bodies_that_do_not_fit_are_named(ann, sent, body, problem):
    answer = person(ann).post("api-my-invitation-accept", sent["ann"].pk, body=body)
    assert code(answer) == (400, "invalid")
    assert wrong(answer) == problem


@pytest.mark.parametrize("number", [1, 3])
def test_list_costs_as_much_for_one_invitation_as_for_three(world, ann, number):
    for customer in (world.contoso, world.tailwind, world.contoso)[:number]:
        invite(customer, ann.upn)
    caller = person(ann)
    with CaptureQueriesContext(connection) as captured:
        assert len(caller.get("api-my-invitations").json()["items"]) == number
    assert len(captured) == 3

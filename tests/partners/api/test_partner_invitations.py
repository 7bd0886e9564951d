"""The invitations of a partner, for the customer: list, send more, send again, withdraw."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners.models import Invitation
from partners.services import invitations
from tests.factories.callers import changed, code, person, wrong
from tests.factories.evidence import mark
from tests.factories.world import invite, join, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make()


@pytest.fixture
def admin(world):
    return person(world.contoso.admin)


@pytest.fixture
def place(world):
    """Contoso and its partner, to which una was invited."""
    relationship, (world.una,) = invite(world.contoso, "una@northwind.example")
    return [world.contoso.tenant.pk, relationship.pk]


def people(*upns):
    return {"contacts": [{"name": upn.partition("@")[0], "upn": upn} for upn in upns]}


def test_more_people_are_invited(admin, place):
    evidence = mark()
    answer = admin.post(
        "api-partner-invitations", *place, body=people("max@northwind.example", "kim@northwind.example") | {"days": 2}
    )
    assert answer.status_code == 201
    found = answer.json()["items"]
    assert [(one["upn"], one["state"], one["invited_by"]) for one in found] == [
        ("max@northwind.example", "pending", "admin@contoso.example"),
        ("kim@northwind.example", "pending", "admin@contoso.example"),
    ]
    kim = Invitation.objects.get(upn="kim@northwind.example")
    assert kim.expires_at - kim.created_at == timedelta(days=2)
    assert evidence.lines == [
        "Contoso: PartnerInvitation/Create northwind.example Successful admin@contoso.example",
        "Contoso: PartnerInvitation/Create max@northwind.example Successful admin@contoso.example",
        "Contoso: PartnerInvitation/Create kim@northwind.example Successful admin@contoso.example",
    ]
    assert evidence.kinds == ["partners.invitation"] * 2


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (people("una@northwind.example"), 409, "already_invited"),
        (people("new@northwind.example", "una@northwind.example"), 409, "already_invited"),
        (people("boss@contoso.example"), 400, "own_person"),
        (people("a@x.example", "a@x.example"), 400, "duplicate_contact"),
    ],
)
def test_rules_are_told_apart_and_nobody_is_invited(admin, place, body, status, expected):
    evidence = mark()
    assert code(admin.post("api-partner-invitations", *place, body=body)) == (status, expected)
    assert changed(evidence) == set()
    assert evidence.messages == []
    assert evidence.lines == [
        f"Contoso: PartnerInvitation/Create northwind.example Failed({expected}) admin@contoso.example"
    ]


def test_primary_admin_is_not_invited_again(world, admin):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    answer = admin.post(
        "api-partner-invitations", world.contoso.tenant.pk, relationship.pk, body=people("ann@fabrikam.example")
    )
    assert code(answer) == (409, "already_primary_admin")


def test_ended_partner_gets_no_invitations(world, admin):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    place = [world.contoso.tenant.pk, relationship.pk]
    admin.delete("api-partner", *place)
    answer = admin.post("api-partner-invitations", *place, body=people("bob@fabrikam.example"))
    assert code(answer) == (410, "relationship_over")


def test_resending_leaves_a_new_mail_and_kills_the_old_link(world, admin, place):
    evidence = mark()
    answer = admin.post("api-partner-invitation-resend", *place, world.una.pk)
    assert (answer.status_code, answer.json()["state"]) == (200, "pending")
    assert Invitation.objects.get(pk=world.una.pk).rotation == 2
    assert evidence.lines == [
        "Contoso: PartnerInvitation/Update una@northwind.example Successful admin@contoso.example"
    ]
    assert evidence.kinds == ["partners.invitation"]


def test_withdrawn_invitation_stays_withdrawn(world, admin, place):
    answer = admin.post("api-partner-invitation-revoke", *place, world.una.pk)
    assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    evidence = mark()
    for name in ("api-partner-invitation-revoke", "api-partner-invitation-resend"):
        assert code(admin.post(name, *place, world.una.pk)) == (410, "invitation_revoked")
    assert changed(evidence) == set()
    refused = "PartnerInvitation/Update una@northwind.example Failed(invitation_revoked) admin@contoso.example"
    assert evidence.lines == [f"Contoso: {refused}"] * 2


def test_due_invitation_is_told_as_expired_before_any_job_ran(world, admin, place, clock):
    clock.move(timedelta(days=14))
    assert admin.get("api-partner-invitation", *place, world.una.pk).json()["state"] == "expired"
    assert [one["state"] for one in admin.get("api-partner-invitations", *place).json()["items"]] == ["expired"]
    assert code(admin.post("api-partner-invitation-resend", *place, world.una.pk)) == (410, "invitation_expired")


def test_newest_come_first_page_by_page(admin, place):
    for name in ("max", "kim"):
        admin.post("api-partner-invitations", *place, body=people(f"{name}@northwind.example"))
    first = admin.get("api-partner-invitations", *place, page_size=2).json()
    assert [one["name"] for one in first["items"]] == ["kim", "max"]
    assert [one["name"] for one in admin.client.get(first["next"]).json()["items"]] == ["Una"]


def test_parameters_and_bodies_that_do_not_fit_are_named(world, admin, place):
    assert wrong(admin.get("api-partner-invitations", *place, state="open")) == [("state", "unknown_parameter")]
    assert wrong(admin.post("api-partner-invitations", *place, body={"contacts": [], "days": "x"})) == [
        ("/contacts", "empty"),
        ("/days", "invalid"),
    ]
    assert wrong(admin.post("api-partner-invitation-revoke", *place, world.una.pk, body={"a": 1})) == [
        ("/a", "unknown_field")
    ]


@pytest.mark.parametrize("number", [1, 3])
def test_list_costs_as_much_for_one_invitation_as_for_three(world, admin, place, number):
    more = [f"p{n}@northwind.example" for n in range(number - 1)]
    if more:
        invitations.invite(world.una.relationship, [_contact(upn) for upn in more], by=world.contoso.admin)
    with CaptureQueriesContext(connection) as captured:
        assert len(admin.get("api-partner-invitations", *place).json()["items"]) == number
    assert len(captured) == 6


def _contact(upn):
    return invitations.Contact(upn, upn)

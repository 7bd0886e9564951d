"""Both sides are told that nobody is a partner's primary admin any more, as long as that is so."""

from email.message import EmailMessage

import pytest
from django.urls import reverse

from audit import delivery
from partners.services import relationships, tenant_managers
from rbac.models import Tenant, User
from rbac.preferences import NotificationPreference
from rbac.services import assignments, delegations, people
from rbac.services.notifications import Event
from tests.factories.world import World, assign, custom_role, join, make, over, sign_in

ADMIN, OWNER = "admin@contoso.example", "owner@fabrikam.example"


@pytest.fixture
def world(db) -> World:
    world = make()
    world.relationship, (world.ann,) = join(world.contoso, world.fabrikam, "ann")
    world.owner = sign_in(world.fabrikam.tenant, OWNER)  # the first MMR Admin of Fabrikam
    delivery.deliver_due()
    return world


def sent(smtp_sink) -> dict[str, EmailMessage]:
    """The mails that have left since this was asked last."""
    for _ in range(3):
        delivery.deliver_due()
    found = {mail["To"]: mail for mail in smtp_sink.messages if "primary admin" in mail["Subject"].lower()}
    german = {mail["To"]: mail for mail in smtp_sink.messages if "primären Administrator" in mail["Subject"]}
    smtp_sink.messages.clear()
    return found | german


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def test_both_sides_are_told_what_can_be_done(world, smtp_sink):
    people.deactivate(world.ann, by=None)
    mails = sent(smtp_sink)
    assert {to: mail["Subject"] for to, mail in mails.items()} == {
        ADMIN: "fabrikam.example needs a primary admin",
        OWNER: "Your organisation needs a primary admin for Contoso",
    }
    assert reverse("partner", args=[world.contoso.tenant.pk, world.relationship.pk]) in text_of(mails[ADMIN])
    assert "Invite another primary admin, or remove the partner." in text_of(mails[ADMIN])
    assert "Hello Owner," in text_of(mails[OWNER])
    assert "Ask Contoso to invite another primary admin." in text_of(mails[OWNER])


def test_each_in_his_own_language(world, smtp_sink):
    Tenant.objects.update(language="de")
    people.deactivate(world.ann, by=None)
    mails = sent(smtp_sink)
    assert set(mails) == {ADMIN, OWNER}
    for mail in mails.values():
        whole = text_of(mail) + mail.get_body(("html",)).get_content()
        assert "primären Administrator" in mail["Subject"]
        assert "primary admin" not in whole
    assert "Laden Sie" in text_of(mails[ADMIN])
    assert "Bitten Sie Contoso" in text_of(mails[OWNER])


def test_tenant_managers_are_told_in_the_place_of_mmr_admins(world, smtp_sink):
    meg = world.fabrikam.person("meg")
    tenant_managers.appoint(world.fabrikam.tenant, meg.upn, by=world.owner)
    people.deactivate(world.ann, by=None)
    assert set(sent(smtp_sink)) == {ADMIN, meg.upn}


def test_where_nobody_answers_for_the_partner_its_other_people_are_told(world, smtp_sink):
    role = custom_role(world.contoso.tenant, "rooms.view", delegation=world.relationship.delegation)
    cora = world.fabrikam.person("cora")
    assign(role, cora, over(*world.contoso.german))
    User.objects.filter(pk=world.owner.pk).update(is_active=False)
    people.deactivate(world.ann, by=None)
    assert set(sent(smtp_sink)) == {ADMIN, cora.upn}


def test_the_customer_chooses_who_is_told(world, smtp_sink):
    NotificationPreference.objects.create(
        tenant=world.contoso.tenant, event=Event.PARTNER_NO_ADMIN, to_admins=False, addresses=["desk@contoso.example"]
    )
    people.deactivate(world.ann, by=None)
    assert set(sent(smtp_sink)) == {"desk@contoso.example", OWNER}


@pytest.mark.parametrize("way", ["somebody is again", "the partner is removed"])
def test_nobody_is_told_of_what_is_over(world, smtp_sink, way):
    people.deactivate(world.ann, by=None)
    if way == "somebody is again":
        base = delegations.base_assignment(world.relationship.delegation)
        assignments.admit(base, world.fabrikam.person("bob"), by=None)
    else:
        relationships.remove(world.relationship, by=world.contoso.admin)
    assert sent(smtp_sink) == {}


def test_who_does_not_answer_any_more_is_not_told(world, smtp_sink):
    people.deactivate(world.ann, by=None)
    delivery.deliver_due()  # shared out, not sent to everybody yet
    smtp_sink.messages.clear()
    User.objects.filter(pk=world.owner.pk).update(is_active=False)
    assert OWNER not in sent(smtp_sink)

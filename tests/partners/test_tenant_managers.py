"""Tenant managers, and invitations by domain that they answer."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from audit import delivery
from audit.clock import now
from audit.models import OutboxMessage
from partners.answering import answering
from partners.errors import (
    AlreadyManager,
    DomainOrPeople,
    DuplicateContact,
    InvitationOver,
    NoAdmin,
    UnknownColleague,
    UnknownDomain,
    WrongTenant,
)
from partners.models import Invitation, PartnerRelationship, TenantManager
from partners.services import denials, invitations, relationships, tenant_managers
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.errors import OwnTenant
from rbac.models import Role, Tenant, TenantDomain, User
from rooms.scopes import Scope
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, assign, contact, invite, make, proposal, sign_in

pytestmark = pytest.mark.django_db
FABRIKAM = "fabrikam.example"


@pytest.fixture
def world() -> World:
    world = make()
    world.owner = sign_in(world.fabrikam.tenant, "owner@fabrikam.example")  # its MMR Admin
    return world


def add(world: World, domain: str = FABRIKAM, **fields: Any) -> Invitation:
    """Contoso adds a partner by domain."""
    asked = proposal(world.contoso, domain=domain, **fields)
    relationship = relationships.add(world.contoso.tenant, asked, by=world.contoso.admin)
    return relationship.invitations.get()


def appoint(world: World, name: str) -> User:
    person = world.fabrikam.person(name)
    tenant_managers.appoint(world.fabrikam.tenant, person.upn, by=world.owner)
    return person


# --- Who answers ------------------------------------------------------------------------------------------------------


def test_appointing_and_dismissing_are_recorded(world):
    tia = world.fabrikam.person("tia")
    with leaves("Fabrikam: Settings/Update tenant manager tia@fabrikam.example Successful owner@fabrikam.example"):
        manager = tenant_managers.appoint(world.fabrikam.tenant, " Tia@fabrikam.example", by=world.owner)
    assert list(answering(world.fabrikam.tenant)) == [tia]
    with leaves("Fabrikam: Settings/Update tenant manager tia@fabrikam.example Successful owner@fabrikam.example"):
        tenant_managers.dismiss(manager, by=world.owner)
    with pytest.raises(Http404):
        tenant_managers.dismiss(manager, by=world.owner)
    assert list(answering(world.fabrikam.tenant)) == [world.owner]


def test_only_people_of_the_tenant_who_have_signed_in(world):
    appoint(world, "tia")
    line = "Fabrikam: Settings/Update tenant manager {} Failed({}) owner@fabrikam.example"
    for upn, error in (
        ("tia@fabrikam.example", AlreadyManager),
        ("new@fabrikam.example", UnknownColleague),
        ("admin@contoso.example", UnknownColleague),
    ):
        refused(
            error,
            lambda upn=upn: tenant_managers.appoint(world.fabrikam.tenant, upn, by=world.owner),
            line.format(upn, error.code),
        )


def test_only_who_may_modify_settings(world):
    tia = world.fabrikam.person("tia")
    refused(
        PermissionDenied,
        lambda: tenant_managers.appoint(world.fabrikam.tenant, tia.upn, by=tia),
        "Fabrikam: Settings/Update tenant manager tia@fabrikam.example Failed(permission_denied) tia@fabrikam.example",
    )
    manager = TenantManager.objects.create(tenant=world.fabrikam.tenant, user=tia, appointed_by="x")
    with pytest.raises(PermissionDenied):
        tenant_managers.dismiss(manager, by=tia)


def test_a_manager_is_one_of_the_tenants_own_people(world):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="manager_user_of_tenant"), transaction.atomic():
        TenantManager.objects.create(tenant=world.fabrikam.tenant, user=world.contoso.admin, appointed_by="x")


def test_without_managers_who_can_act_the_mmr_admins_answer(world):
    invitation, tia = add(world), appoint(world, "tia")
    assert list(invitations.open_for(tia)) == [invitation]
    assert list(invitations.open_for(world.owner)) == []
    User.objects.filter(pk=tia.pk).update(is_active=False)
    assert list(invitations.open_for(world.owner)) == [invitation]


# --- Inviting ---------------------------------------------------------------------------------------------------------


def test_adding_by_domain_invites_the_tenant_and_names_the_partner(world):
    admin = "admin@contoso.example"
    with leaves(
        f"Contoso: PartnerInvitation/Create {FABRIKAM} Successful {admin}",
        f"Contoso: Role/Create Primary admin Successful {admin}",
        f"Contoso: Assignment/Create Primary admin / Invited admins Successful {admin}",
        f"Contoso: PartnerInvitation/Create {FABRIKAM} Successful {admin}",
    ):
        invitation = add(world, f" {FABRIKAM.upper()} ")
    assert (invitation.domain, invitation.upn, invitation.invited_tenant) == (FABRIKAM, "", world.fabrikam.tenant)
    assert invitation.relationship.label == FABRIKAM


@pytest.mark.parametrize("domain", ["nobodys.example", "unverified.example", "arrived.example", "no domain", "ⅷ.de"])
def test_unknown_and_unverified_domains_get_the_same_answer(world, domain):
    TenantDomain.objects.create(tenant=world.northwind.tenant, domain="unverified.example")
    arrived = Tenant.objects.create(name="Arrived", status="arrived")
    TenantDomain.objects.create(tenant=arrived, domain="arrived.example", verified_at=now())
    with pytest.raises(UnknownDomain) as caught:
        add(world, domain)
    assert caught.value.message == UnknownDomain.text
    assert not PartnerRelationship.objects.exists()


def test_ones_own_domain_and_a_domain_beside_people_are_refused(world):
    with pytest.raises(OwnTenant):
        add(world, "contoso.example")
    with pytest.raises(DomainOrPeople):
        add(world, contacts=[contact("ann@fabrikam.example")])


def test_every_manager_gets_a_mail_of_his_own(world, smtp_sink):
    for name in ("tia", "tom"):
        appoint(world, name)
    add(world)
    delivery.deliver_due()
    mails = [mail for mail in smtp_sink.messages if "invites your organisation" in mail["Subject"]]
    assert sorted(mail["To"] for mail in mails) == ["tia@fabrikam.example", "tom@fabrikam.example"]
    text = mails[0].get_body(("plain",)).get_content()
    assert "one of its tenant managers" in text
    assert "Contoso room" not in text


# --- Answering --------------------------------------------------------------------------------------------------------


def test_accepting_names_primary_admins_and_links(world):
    invitation, tia = add(world), appoint(world, "tia")
    ann, bob = world.fabrikam.person("ann"), world.fabrikam.person("bob")
    with leaves(
        f"Contoso: PartnerInvitation/Update {FABRIKAM} Successful {tia.upn}",
        f"Contoso: PartnerInvitation/Update Fabrikam Successful {tia.upn}",
        f"Contoso: Assignment/Update Primary admin / Invited admins Successful {tia.upn}",
        f"Contoso: Assignment/Update Primary admin / Invited admins Successful {tia.upn}",
    ):
        accepted = invitations.accept(invitation, by=tia, admins=[ann.upn, bob.upn])
    assert (accepted.state, accepted.accepted_by) == ("accepted", tia)
    contoso = world.contoso.tenant.pk
    assert all(Permission.ROOMS_VIEW in access.effective(person, contoso) for person in (ann, bob))
    assert access.effective(tia, contoso) == frozenset()  # answering gives nothing
    assert invitations.accept(invitation, by=tia, admins=[ann.upn]) == accepted


@pytest.mark.parametrize(
    ("admins", "error"),
    [
        ([], NoAdmin),
        (["ann@fabrikam.example", "Ann@fabrikam.example"], DuplicateContact),
        (["new@fabrikam.example"], UnknownColleague),
        (["admin@contoso.example"], UnknownColleague),
        (["ina@fabrikam.example"], UnknownColleague),
    ],
)
def test_who_cannot_be_named_is_said_and_nothing_happens(world, admins, error):
    invitation, tia = add(world), appoint(world, "tia")
    world.fabrikam.person("ann")
    User.objects.filter(pk=world.fabrikam.person("ina").pk).update(is_active=False)
    refused(
        error,
        lambda: invitations.accept(invitation, by=tia, admins=admins),
        f"Contoso: PartnerInvitation/Update {FABRIKAM} Failed({error.code}) {tia.upn}",
    )


def test_nobody_but_the_managers_sees_it(world):
    invitation, _ = add(world), appoint(world, "tia")
    for person in (
        world.owner,
        world.fabrikam.person("ann"),
        world.contoso.admin,
        sign_in(world.northwind.tenant, "owner@northwind.example"),
        User.objects.create(username="help", upn="help@portal.example", is_staff=True),
    ):
        for answer in (invitations.accept, invitations.deny):
            with pytest.raises(Http404):
                answer(invitation, by=person)


def test_one_answer_counts_for_all(world):
    invitation = add(world)
    tia, tom = appoint(world, "tia"), appoint(world, "tom")
    invitations.deny(invitation, by=tia)
    with pytest.raises(InvitationOver):
        invitations.accept(invitation, by=tom, admins=[tom.upn])
    reopened = denials.undo(invitation, by=tom)
    assert (reopened.domain, reopened.invited_tenant) == (FABRIKAM, world.fabrikam.tenant)
    assert invitations.accept(reopened, by=tom, admins=[tom.upn]).state == "accepted"


def test_it_is_withdrawn_sent_again_and_expires_like_every_other(world):
    first = add(world)
    assert invitations.resend(first, by=world.contoso.admin).rotation == 2
    assert OutboxMessage.objects.filter(subject_id=str(first.pk), state="waiting").count() == 1
    assert invitations.revoke(first, by=world.contoso.admin).state == "revoked"
    second = add(world)
    sent = now() - timedelta(days=20)
    Invitation.objects.filter(pk=second.pk).update(created_at=sent, expires_at=sent + timedelta(days=14))
    with leaves(
        f"Contoso: PartnerInvitation/Update {FABRIKAM} Successful system",
        f"Contoso: PartnerInvitation/Update {FABRIKAM} Successful system",
    ):
        assert invitations.expire_due(Invitation.objects.all()) == 1


def test_linked_elsewhere_meanwhile_it_is_the_wrong_tenant(world):
    invitation, tia = add(world), appoint(world, "tia")
    invitations.invite(invitation.relationship, [contact("nils@northwind.example")], by=world.contoso.admin)
    nils = world.northwind.person("nils")
    invitations.accept(Invitation.objects.get(upn=nils.upn), by=nils)
    with pytest.raises(WrongTenant):
        invitations.accept(invitation, by=tia, admins=[tia.upn])


def test_an_invitation_names_a_person_or_a_domain(world):
    _, (invitation,) = invite(world.contoso, "ann@fabrikam.example")
    for wrong in ({"domain": FABRIKAM}, {"upn": ""}, {"upn": "", "domain": FABRIKAM}):
        with pytest.raises(IntegrityError, match="invitation_upn_form"), transaction.atomic():
            Invitation.objects.filter(pk=invitation.pk).update(**wrong)


def test_a_site_lead_is_no_tenant_manager(world):
    invitation = add(world)
    lena = world.fabrikam.person("lena")
    assign(Role.objects.get(tenant=world.fabrikam.tenant, key=BuiltIn.SITE_LEAD), lena, Scope(all_rooms=True))
    assert list(invitations.open_for(lena)) == []
    assert list(invitations.open_for(world.owner)) == [invitation]

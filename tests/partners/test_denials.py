"""Taking back a denial: a new invitation with the old expiry, within a day, once."""

import time
import uuid
from datetime import timedelta

import pytest
from django.http import Http404

from audit.clock import now
from audit.models import OutboxMessage
from partners.errors import AlreadyInvited, AlreadyPrimaryAdmin, UndoOver, WrongTenant
from partners.models import Invitation
from partners.services import denials, invitations, relationships
from rbac.errors import DelegationOver
from rbac.models import Delegation, DelegationState, User
from rbac.sign_in import Identity, arrive
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, contact, invite, make

pytestmark = pytest.mark.django_db
ANN, BOB = "ann@fabrikam.example", "bob@fabrikam.example"


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def ann(world) -> User:
    return world.fabrikam.person("ann")


@pytest.fixture
def denied(world, ann) -> Invitation:
    """Contoso has invited Ann and Bob; Ann has declined."""
    _, (to_ann, _) = invite(world.contoso, ANN, BOB)
    return invitations.deny(to_ann, by=ann)


def test_a_new_invitation_waits_as_long_as_the_old_one_would(world, ann, denied):
    with leaves(f"Contoso: PartnerInvitation/Create {ANN} Successful {ANN}") as evidence:
        reopened = denials.undo(denied, by=ann)
    assert (reopened.state, reopened.expires_at, reopened.reopens_id) == ("pending", denied.expires_at, denied.pk)
    assert Invitation.objects.get(pk=denied.pk).state == "denied"
    assert evidence.messages == []
    assert evidence.events[0].after["takes_back"] == str(denied.pk)
    assert list(invitations.open_for(ann)) == [reopened]
    assert invitations.accept(reopened, by=ann).state == "accepted"


def test_the_last_denial_let_it_lapse_and_taking_it_back_revives_it(world, ann):
    relationship, (invitation,) = invite(world.contoso, ANN)
    denied = invitations.deny(invitation, by=ann)
    delegation = Delegation.objects.get(pk=relationship.delegation_id)
    assert delegation.state == DelegationState.LAPSED
    denials.undo(denied, by=ann)
    delegation.refresh_from_db()
    assert delegation.state == DelegationState.INVITED


def test_taking_back_twice_gives_the_same_answer(ann, denied):
    first = denials.undo(denied, by=ann)
    with leaves():
        assert denials.undo(denied, by=ann) == first
    assert Invitation.objects.filter(upn=ANN).count() == 2


def test_what_was_taken_back_once_is_declined_for_good(ann, denied):
    again = invitations.deny(denials.undo(denied, by=ann), by=ann)
    refused(
        UndoOver,
        lambda: denials.undo(again, by=ann),
        f"Contoso: PartnerInvitation/Create {ANN} Failed(undo_over) {ANN}",
        code="undo_over",
    )


@pytest.mark.parametrize("who", ["bob", "admin", "rival"])
def test_nobody_else_can_and_no_line_is_left(world, denied, who):
    people = {
        "bob": world.fabrikam.person("bob"),
        "admin": world.contoso.admin,
        "rival": world.northwind.person("ann"),
    }
    refused(Http404, lambda: denials.undo(denied, by=people[who]))


def test_a_day_later_it_is_over(world, ann):
    _, (invitation, _) = invite(world.contoso, ANN, BOB)
    old = {"state": "denied", "decided_by": ANN, "decided_at": now() - timedelta(hours=24), "upn": ANN}
    fields = {field.attname: getattr(invitation, field.attname) for field in Invitation._meta.concrete_fields}
    stale = Invitation.objects.create(**fields | {"id": uuid.uuid4()} | old)
    invitations.revoke(invitation, by=world.contoso.admin)
    with pytest.raises(UndoOver):
        denials.undo(stale, by=ann)
    fresh = Invitation.objects.create(
        **fields | {"id": uuid.uuid4()} | old | {"decided_at": now() - timedelta(hours=23, minutes=59)}
    )
    assert denials.undo(fresh, by=ann).state == "pending"


def test_it_does_not_outlive_the_old_expiry(world, ann):
    _, (invitation,) = invite(world.contoso, ANN)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=now() + timedelta(milliseconds=400))
    denied = invitations.deny(invitation, by=ann)
    wait = (Invitation.objects.get(pk=denied.pk).expires_at - now()).total_seconds()
    time.sleep(max(0, wait) + 0.05)
    with pytest.raises(UndoOver):
        denials.undo(denied, by=ann)


def test_not_once_the_customer_has_removed_the_partner(world, ann, denied):
    relationships.remove(denied.relationship, by=world.contoso.admin)
    refused(
        DelegationOver,
        lambda: denials.undo(denied, by=ann),
        f"Contoso: PartnerInvitation/Create {ANN} Failed(relationship_over) {ANN}",
    )


def test_not_once_another_organisation_was_linked(world, ann, denied):
    invitations.invite(denied.relationship, [contact("nils@northwind.example")], by=world.contoso.admin)
    nils = world.northwind.person("nils")
    invitations.accept(Invitation.objects.get(upn=nils.upn), by=nils)
    with pytest.raises(WrongTenant):
        denials.undo(denied, by=ann)


def test_not_while_the_customer_has_invited_again_nor_after_accepting_that(world, ann, denied):
    (again,) = invitations.invite(denied.relationship, [contact(ANN)], by=world.contoso.admin)
    with pytest.raises(AlreadyInvited):
        denials.undo(denied, by=ann)
    invitations.accept(again, by=ann)
    with pytest.raises(AlreadyPrimaryAdmin):
        denials.undo(denied, by=ann)


def test_an_accepted_or_withdrawn_invitation_is_no_denial(world, ann):
    _, (to_ann, to_bob) = invite(world.contoso, ANN, BOB)
    invitations.accept(to_ann, by=ann)
    invitations.revoke(to_bob, by=world.contoso.admin)
    with pytest.raises(UndoOver):
        denials.undo(to_ann, by=ann)
    with pytest.raises(UndoOver):
        denials.undo(to_bob, by=world.fabrikam.person("bob"))


def test_from_an_unknown_organisation_the_mail_comes_again(world):
    """The link of the denied invitation is dead, and only the mail's link proves that it arrived."""
    _, (invitation,) = invite(world.contoso, "joe@newcomer.example")
    joe = arrive(Identity(uuid.uuid4(), uuid.uuid4(), invitation.upn, "Joe"), is_awaited=invitations.is_awaited)
    reopened = denials.undo(invitations.deny(invitation, by=joe), by=joe)
    assert OutboxMessage.objects.filter(subject_id=str(reopened.pk), kind="partners.invitation").count() == 1

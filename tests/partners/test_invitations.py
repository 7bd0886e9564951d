"""An invitation's life: sent, answered, withdrawn, repeated, over."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from audit.errors import RuleBroken
from audit.models import OutboxMessage, OutboxState
from partners import errors, links
from partners.models import Invitation, InvitationState, PartnerRelationship
from partners.services import invitations, relationships
from partners.services.invitations import Contact
from partners.states import INVITATION
from rbac import access
from rbac.catalogue import BuiltIn, Permission
from rbac.errors import AlreadyPartner, DelegationOver
from rbac.models import Assignment, AssignmentKey, Delegation, DelegationState, Role, SecurityGroup, Tenant, User
from rbac.sign_in import Identity, SignInRefused, arrive
from rooms.models import Room
from tests.factories.evidence import leaves, mark, refused
from tests.factories.world import (
    Customer,
    World,
    assign,
    contact,
    custom_role,
    invite,
    join,
    make,
    over,
    sign_in,
)

pytestmark = pytest.mark.django_db

ANN, BOB = "ann@fabrikam.example", "bob@fabrikam.example"
S = InvitationState


@pytest.fixture
def world() -> World:
    return make()


@dataclass
class Invited:
    """Contoso has invited Ann and Bob of Fabrikam, which has not answered."""

    world: World
    relationship: PartnerRelationship
    ann: User
    bob: User
    to_ann: Invitation
    to_bob: Invitation

    @property
    def contoso(self) -> Customer:
        return self.world.contoso

    def delegation(self) -> Delegation:
        return Delegation.objects.get(pk=self.relationship.delegation_id)

    def state(self, invitation: Invitation) -> str:
        return Invitation.objects.values_list("state", flat=True).get(pk=invitation.pk)

    def primary_admins(self) -> set[str]:
        base = Assignment.objects.get(
            role__delegation=self.relationship.delegation_id, key=AssignmentKey.INVITED_ADMINS
        )
        return set(base.people.values_list("upn", flat=True))


@pytest.fixture
def invited(world: World) -> Invited:
    relationship, (to_ann, to_bob) = invite(world.contoso, ANN, BOB)
    ann, bob = world.fabrikam.person("ann"), world.fabrikam.person("bob")
    return Invited(world, relationship, ann, bob, to_ann, to_bob)


def line(text: str) -> str:
    return f"Contoso: {text}"


def seen(user: User) -> set[Room]:
    return set(access.visible(user, Permission.ROOMS_VIEW, Room.objects.all()))


# --- First acceptance and later ones ------------------------------------------------------------


def test_first_acceptance_links_the_tenant_and_opens_the_rooms(invited):
    with leaves(
        line(f"PartnerInvitation/Update {ANN} Successful {ANN}"),
        line(f"PartnerInvitation/Update Fabrikam Successful {ANN}"),
        line(f"Assignment/Update Primary admin / Invited admins Successful {ANN}"),
    ) as evidence:
        answer = invitations.accept(invited.to_ann, by=invited.ann)
    assert (answer.state, answer.accepted_by, answer.decided_by) == (S.ACCEPTED, invited.ann, ANN)
    delegation = invited.delegation()
    assert (delegation.state, delegation.held_by) == (DelegationState.ACTIVE, invited.world.fabrikam.tenant)
    assert invited.primary_admins() == {ANN}
    assert seen(invited.ann) == set(invited.contoso.german)
    assert seen(invited.bob) == set()
    assert evidence.kinds == ["partners.linked"]
    assert [one.relationship_id for one in evidence.events] == [delegation.pk] * 3
    assert [one.after for one in evidence.events] == [
        {"state": "accepted"},
        {"state": "active", "partner_tenant": str(invited.world.fabrikam.tenant.pk)},
        {"members_added": [ANN]},
    ]
    assert {one.user_tenant_id for one in evidence.events} == {invited.world.fabrikam.tenant.pk}


def test_later_acceptance_joins_without_linking_again(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    linked_at = invited.delegation().linked_at
    with leaves(
        line(f"PartnerInvitation/Update {BOB} Successful {BOB}"),
        line(f"Assignment/Update Primary admin / Invited admins Successful {BOB}"),
    ) as evidence:
        invitations.accept(invited.to_bob, by=invited.bob)
    assert invited.primary_admins() == {ANN, BOB}
    assert seen(invited.bob) == seen(invited.ann) == set(invited.contoso.german)
    assert invited.delegation().linked_at == linked_at
    assert evidence.kinds == []


def test_accepting_twice_gives_the_same_answer_and_leaves_nothing(invited):
    first = invitations.accept(invited.to_ann, by=invited.ann)
    with leaves() as evidence:
        again = invitations.accept(invited.to_ann, by=invited.ann)
    assert (again.pk, again.state, again.decided_at) == (first.pk, first.state, first.decided_at)
    assert evidence.changed() == set()
    assert evidence.messages == []


def test_acceptance_stops_a_mail_that_has_not_left(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    mails = OutboxMessage.objects.filter(kind="partners.invitation")
    assert mails.get(subject_id=str(invited.to_ann.pk)).state == OutboxState.CANCELLED
    assert mails.get(subject_id=str(invited.to_bob.pk)).state == OutboxState.WAITING


def test_acceptance_answers_the_need_for_a_primary_admin(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    Delegation.objects.update(needs_primary_admin=True)
    invitations.accept(invited.to_bob, by=invited.bob)
    assert not invited.delegation().needs_primary_admin


def test_acceptance_under_a_suspended_relationship_opens_nothing_yet(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    relationships.suspend(invited.relationship, by=invited.contoso.admin)
    invitations.accept(invited.to_bob, by=invited.bob)
    assert seen(invited.bob) == set()
    relationships.resume(invited.relationship, by=invited.contoso.admin)
    assert seen(invited.bob) == set(invited.contoso.german)


# --- Who may answer -----------------------------------------------------------------------------


def wrong_people(invited: Invited) -> dict[str, User]:
    return {
        "a colleague": invited.bob,
        "the partner's own admin": invited.world.fabrikam.person("owner"),
        "the customer's admin": invited.contoso.admin,
        "another customer's admin": invited.world.tailwind.admin,
        "a rival": invited.world.northwind.person("nils"),
        "support staff": User.objects.create(username=ANN, upn=ANN, is_staff=True),
    }


@pytest.mark.parametrize("answer", [invitations.accept, invitations.deny])
def test_nobody_else_can_answer_and_no_line_is_left(invited, answer):
    for who in wrong_people(invited).values():
        refused(Http404, lambda who=who: answer(invited.to_ann, by=who))
        with pytest.raises(Http404):
            invitations.find(invited.to_ann.pk, who)
        assert invited.to_ann not in invitations.open_for(who)


@pytest.mark.parametrize("answer", [invitations.accept, invitations.deny])
@pytest.mark.parametrize("field", ["is_active", "is_home_member"])
def test_guests_and_deactivated_people_cannot_answer(invited, answer, field):
    User.objects.filter(pk=invited.ann.pk).update(**{field: False})
    ann = User.objects.get(pk=invited.ann.pk)
    refused(Http404, lambda: answer(invited.to_ann, by=ann))
    assert not invitations.open_for(ann).exists()


@pytest.mark.parametrize("answer", [invitations.accept, invitations.deny])
def test_nobody_of_the_customers_own_tenant_can_answer(world, answer):
    """Not even under the invited name: the customer's directory may know it as well."""
    relationship, (sent,) = invite(world.contoso, "kim@shared.example")
    kim = sign_in(world.contoso.tenant, "kim@shared.example")
    refused(Http404, lambda: answer(sent, by=kim))
    assert not invitations.open_for(kim).exists()
    assert relationship.delegation.state == DelegationState.INVITED


def test_people_find_their_own_invitations(invited):
    assert invitations.find(invited.to_ann.pk, invited.ann) == invited.to_ann
    assert list(invitations.open_for(invited.ann)) == [invited.to_ann]
    invitations.deny(invited.to_ann, by=invited.ann)
    assert list(invitations.open_for(invited.ann)) == []
    assert invitations.find(invited.to_ann.pk, invited.ann).state == S.DENIED


def test_invitation_that_never_existed_is_not_found(invited):
    with pytest.raises(Http404):
        invitations.find(uuid.uuid4(), invited.ann)


# --- Wrong tenant, unknown tenant ---------------------------------------------------------------


def namesake(world: World, upn: str) -> User:
    """Somebody of Northwind whose name there is the invited one."""
    return sign_in(world.northwind.tenant, upn)


def test_later_accepter_of_another_tenant_is_refused_and_the_customer_told(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    other = namesake(invited.world, BOB)
    evidence = refused(
        errors.WrongTenant,
        lambda: invitations.accept(invited.to_bob, by=other),
        line(f"PartnerInvitation/Update {BOB} Failed(wrong_tenant) {BOB}"),
        code="wrong_tenant",
    )
    assert invited.state(invited.to_bob) == S.PENDING
    assert evidence.messages == [("partners.wrong_tenant", str(invited.to_bob.pk), "waiting")]
    message = OutboxMessage.objects.get(kind="partners.wrong_tenant")
    assert (message.tenant_id, message.payload["tid"]) == (
        invited.contoso.tenant.pk,
        str(invited.world.northwind.tenant.entra_tid),
    )
    invitations.accept(invited.to_bob, by=invited.bob)
    assert invited.primary_admins() == {ANN, BOB}


def test_expected_tenant_id_must_match(world):
    _, (sent,) = invite(world.contoso, ANN, expected_tid=world.northwind.tenant.entra_tid)
    ann = world.fabrikam.person("ann")
    refused(
        errors.WrongTenant,
        lambda: invitations.accept(sent, by=ann),
        line(f"PartnerInvitation/Update {ANN} Failed(wrong_tenant) {ANN}"),
    )
    invitations.accept(sent, by=namesake(world, ANN))
    assert Delegation.objects.get(tenant=world.contoso.tenant).held_by == world.northwind.tenant


def stranger(upn: str, tid: uuid.UUID | None = None) -> User:
    identity = Identity(tid or uuid.uuid4(), uuid.uuid4(), upn, "Eve")
    return arrive(identity, is_awaited=invitations.is_awaited)


def test_first_link_from_an_unknown_tenant_needs_the_secret_of_the_mail(world):
    _, (sent,) = invite(world.contoso, "eve@adatum.example")
    eve = stranger("eve@adatum.example")
    assert invitations.needs_link(invitations.find(sent.pk, eve), eve)
    old = links.secret_of(sent)
    sent = invitations.resend(sent, by=world.contoso.admin)
    for secret in ("", "x", "ü" * 32, old, links.secret_of(sent)[:-1], links.secret_of(sent).lower()):
        refused(
            errors.LinkNeeded,
            lambda secret=secret: invitations.accept(sent, by=eve, secret=secret),
            line("PartnerInvitation/Update eve@adatum.example Failed(link_needed) eve@adatum.example"),
        )
    invitations.accept(sent, by=eve, secret=links.secret_of(sent))
    assert seen(eve) == set(world.contoso.german)
    assert Delegation.objects.get(tenant=world.contoso.tenant).held_by == eve.tenant


def test_expected_tenant_id_replaces_the_secret(world):
    tid = uuid.uuid4()
    _, (sent,) = invite(world.contoso, "eve@adatum.example", expected_tid=tid)
    eve = stranger("eve@adatum.example", tid)
    assert not invitations.needs_link(invitations.find(sent.pk, eve), eve)
    invitations.accept(sent, by=eve)
    assert seen(eve) == set(world.contoso.german)


def test_later_accepter_of_a_once_unknown_tenant_needs_no_secret(world):
    _, (to_eve, to_fay) = invite(world.contoso, "eve@adatum.example", "fay@adatum.example")
    eve = stranger("eve@adatum.example")
    fay = stranger("fay@adatum.example", eve.entra_tid)
    invitations.accept(to_eve, by=eve, secret=links.secret_of(to_eve))
    invitations.accept(to_fay, by=fay)
    assert seen(fay) == set(world.contoso.german)


def test_secret_of_one_invitation_opens_no_other(world):
    _, (to_eve, to_fay) = invite(world.contoso, "eve@adatum.example", "fay@adatum.example")
    eve = stranger("eve@adatum.example")
    with pytest.raises(errors.LinkNeeded):
        invitations.accept(to_eve, by=eve, secret=links.secret_of(to_fay))


def test_secret_alone_opens_nothing(invited):
    """The link grants nothing by itself: who signs in decides."""
    refused(
        Http404,
        lambda: invitations.accept(invited.to_ann, by=invited.bob, secret=links.secret_of(invited.to_ann)),
    )


def test_unknown_person_is_awaited_only_while_an_invitation_is_open(world, clock):
    _, (sent,) = invite(world.contoso, "eve@adatum.example")
    assert invitations.is_awaited("eve@adatum.example")
    assert not invitations.is_awaited("fay@adatum.example")
    clock.move(timedelta(days=14))
    assert not invitations.is_awaited("eve@adatum.example")
    with pytest.raises(SignInRefused):
        stranger("eve@adatum.example")
    assert Invitation.objects.get(pk=sent.pk).state == S.PENDING


# --- Already partner ----------------------------------------------------------------------------


def test_active_partner_of_this_customer_cannot_link_a_second_time(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    second, (sent,) = invite(invited.contoso, BOB)
    refused(
        AlreadyPartner,
        lambda: invitations.accept(sent, by=invited.bob),
        line(f"PartnerInvitation/Update {BOB} Failed(already_partner) {BOB}"),
        line(f"PartnerInvitation/Update Fabrikam Failed(already_partner) {BOB}"),
        code="already_partner",
    )
    assert invited.state(sent) == S.PENDING
    relationships.remove(invited.relationship, by=invited.contoso.admin)
    invitations.accept(sent, by=invited.bob)
    second.delegation.refresh_from_db()
    assert second.delegation.state == DelegationState.ACTIVE


def test_suspended_partner_cannot_link_a_second_time(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    relationships.suspend(invited.relationship, by=invited.contoso.admin)
    _, (sent,) = invite(invited.contoso, BOB)
    with pytest.raises(AlreadyPartner):
        invitations.accept(sent, by=invited.bob)


def test_partner_of_one_customer_can_become_another_customers(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    _, (sent,) = invite(invited.world.tailwind, ANN)
    invitations.accept(sent, by=invited.ann)
    assert seen(invited.ann) == {*invited.contoso.german, *invited.world.tailwind.german}


# --- Denying ------------------------------------------------------------------------------------


def test_denying_touches_ones_own_invitation_only(invited):
    with leaves(line(f"PartnerInvitation/Update {ANN} Successful {ANN}")) as evidence:
        answer = invitations.deny(invited.to_ann, by=invited.ann)
    assert (answer.state, answer.decided_by, answer.accepted_by) == (S.DENIED, ANN, None)
    assert evidence.changed() == {"partners_invitation"}
    assert invited.state(invited.to_bob) == S.PENDING
    assert invited.delegation().state == DelegationState.INVITED


def test_denying_twice_gives_the_same_answer_and_leaves_nothing(invited):
    invitations.deny(invited.to_ann, by=invited.ann)
    with leaves() as evidence:
        assert invitations.deny(invited.to_ann, by=invited.ann).state == S.DENIED
    assert evidence.changed() == set()


def test_relationship_lapses_with_its_last_invitation(invited):
    invitations.deny(invited.to_ann, by=invited.ann)
    with leaves(
        line(f"PartnerInvitation/Update {BOB} Successful {BOB}"),
        line(f"PartnerInvitation/Update fabrikam.example Successful {BOB}"),
    ):
        invitations.deny(invited.to_bob, by=invited.bob)
    assert invited.delegation().state == DelegationState.LAPSED


def test_active_relationship_does_not_lapse(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    invitations.deny(invited.to_bob, by=invited.bob)
    assert invited.delegation().state == DelegationState.ACTIVE


def test_inviting_again_revives_a_lapsed_relationship(invited):
    for sent, who in ((invited.to_ann, invited.ann), (invited.to_bob, invited.bob)):
        invitations.deny(sent, by=who)
    (sent,) = invitations.invite(invited.relationship, [contact(ANN)], by=invited.contoso.admin)
    assert invited.delegation().state == DelegationState.INVITED
    assert invited.state(invited.to_ann) == S.DENIED
    invitations.accept(sent, by=invited.ann)
    assert invited.delegation().state == DelegationState.ACTIVE


# --- Revoking and resending ---------------------------------------------------------------------


def test_revoking_ends_the_invitation_and_its_unsent_mail(invited):
    with leaves(line(f"PartnerInvitation/Update {ANN} Successful admin@contoso.example")):
        answer = invitations.revoke(invited.to_ann, by=invited.contoso.admin)
    assert (answer.state, answer.decided_by) == (S.REVOKED, "admin@contoso.example")
    mail = OutboxMessage.objects.get(kind="partners.invitation", subject_id=str(invited.to_ann.pk))
    assert mail.state == OutboxState.CANCELLED
    assert not invitations.open_for(invited.ann).exists()


def test_revoking_the_last_one_lets_the_relationship_lapse(invited):
    invitations.revoke(invited.to_ann, by=invited.contoso.admin)
    invitations.revoke(invited.to_bob, by=invited.contoso.admin)
    assert invited.delegation().state == DelegationState.LAPSED


def test_resending_rotates_the_link_and_replaces_the_unsent_mail(invited):
    old = links.secret_of(invited.to_ann)
    with leaves(line(f"PartnerInvitation/Update {ANN} Successful admin@contoso.example")) as evidence:
        answer = invitations.resend(invited.to_ann, by=invited.contoso.admin)
    assert (answer.rotation, answer.expires_at) == (2, invited.to_ann.expires_at)
    assert not links.is_secret_of(answer, old)
    assert links.url_of(answer).endswith(f"/invitations/{answer.pk}/{links.secret_of(answer)}/")
    assert evidence.messages == [("partners.invitation", str(answer.pk), "waiting")]
    states = OutboxMessage.objects.filter(subject_id=str(answer.pk)).order_by("pk").values_list("state", flat=True)
    assert list(states) == [OutboxState.CANCELLED, OutboxState.WAITING]


@pytest.mark.parametrize("change", [invitations.revoke, invitations.resend])
def test_only_those_who_may_modify_settings_revoke_and_resend(invited, change):
    lea = invited.contoso.member(BuiltIn.SITE_LEAD, "lea")
    for who in (lea, invited.ann, invited.world.tailwind.admin):
        refused(
            PermissionDenied,
            lambda who=who: change(invited.to_ann, by=who),
            line(f"PartnerInvitation/Update {ANN} Failed(permission_denied) {who.upn}"),
        )


def test_primary_admin_cannot_invite_or_withdraw(invited):
    """The customer decides who works for it."""
    invitations.accept(invited.to_ann, by=invited.ann)
    for call in (
        lambda: invitations.invite(invited.relationship, [contact("eve@fabrikam.example")], by=invited.ann),
        lambda: invitations.revoke(invited.to_bob, by=invited.ann),
        lambda: invitations.resend(invited.to_bob, by=invited.ann),
    ):
        with pytest.raises(PermissionDenied):
            call()


# --- Every transition from every state ----------------------------------------------------------

Step = Callable[[Invited], object]
STEPS: dict[str, Step] = {
    "accept": lambda case: invitations.accept(case.to_ann, by=case.ann),
    "deny": lambda case: invitations.deny(case.to_ann, by=case.ann),
    "revoke": lambda case: invitations.revoke(case.to_ann, by=case.contoso.admin),
    "resend": lambda case: invitations.resend(case.to_ann, by=case.contoso.admin),
    "expire": lambda case: invitations.expire_due(Invitation.objects.filter(pk=case.to_ann.pk)),
}
ACTOR = {"accept": ANN, "deny": ANN, "revoke": "admin@contoso.example", "resend": "admin@contoso.example"}
OVER = {S.ACCEPTED: "invitation_accepted", S.DENIED: "invitation_denied", S.REVOKED: "invitation_revoked"}
OVER[S.EXPIRED] = "invitation_expired"


def bring_to(state: InvitationState, case: Invited, clock) -> None:
    if state == S.EXPIRED:
        clock.move(timedelta(days=14))
        STEPS["expire"](case)
        clock.move(timedelta(days=-14))
    elif state != S.PENDING:
        STEPS[{S.ACCEPTED: "accept", S.DENIED: "deny", S.REVOKED: "revoke"}[state]](case)
    assert case.state(case.to_ann) == state


@pytest.mark.parametrize("state", [one for one in S if one != S.PENDING])
@pytest.mark.parametrize("step", STEPS)
def test_terminal_invitations_never_change(invited, clock, state, step):
    bring_to(state, invited, clock)
    if step == "expire" or (step, state) in {("accept", S.ACCEPTED), ("deny", S.DENIED)}:
        with leaves() as evidence:
            STEPS[step](invited)
        assert evidence.changed() == set()
        return
    evidence = refused(
        errors.InvitationOver,
        lambda: STEPS[step](invited),
        line(f"PartnerInvitation/Update {ANN} Failed({OVER[state]}) {ACTOR[step]}"),
        code=OVER[state],
    )
    assert evidence.messages == []


def test_over_is_answered_with_410():
    for state, code in OVER.items():
        assert (errors.InvitationOver(state).status, errors.InvitationOver(state).code) == (410, code)


def test_state_machine_is_what_the_services_do():
    assert {S.PENDING: {one for one in S if one != S.PENDING}} | {
        one: frozenset() for one in S if one != S.PENDING
    } == INVITATION


REWRITES = [
    "UPDATE partners_invitation SET state = 'pending', decided_at = NULL, decided_by = '', accepted_by_id = NULL",
    "UPDATE partners_invitation SET expires_at = expires_at + interval '1 day'",
    "DELETE FROM partners_invitation",
]


@pytest.mark.parametrize("state", [S.ACCEPTED, S.DENIED, S.EXPIRED, S.REVOKED])
@pytest.mark.parametrize("rewrite", REWRITES)
def test_database_keeps_terminal_invitations(invited, clock, state, rewrite):
    bring_to(state, invited, clock)
    refusal = pytest.raises(IntegrityError, match="An answered invitation never changes")
    with refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{rewrite} WHERE id = %s", [invited.to_ann.pk])


# --- Expiry -------------------------------------------------------------------------------------


def test_expiry_is_true_at_the_second_although_no_job_ran(invited, clock):
    clock.move(invited.to_ann.expires_at - clock.now() - timedelta(seconds=5))
    assert list(invitations.open_for(invited.ann)) == [invited.to_ann]
    clock.move(invited.to_ann.expires_at - clock.now())
    assert list(invitations.open_for(invited.ann)) == []
    for step in ("accept", "deny", "revoke", "resend"):
        refused(
            errors.InvitationOver,
            lambda step=step: STEPS[step](invited),
            line(f"PartnerInvitation/Update {ANN} Failed(invitation_expired) {ACTOR[step]}"),
            code="invitation_expired",
        )
    assert invited.state(invited.to_ann) == S.PENDING


def test_acceptance_in_the_last_seconds_counts(invited, clock):
    clock.move(invited.to_ann.expires_at - clock.now() - timedelta(seconds=5))
    assert invitations.accept(invited.to_ann, by=invited.ann).state == S.ACCEPTED


def test_job_marks_what_is_due_and_nothing_else(invited, clock):
    clock.move(timedelta(days=13))
    (later,) = invitations.invite(invited.relationship, [contact("eve@fabrikam.example")], by=invited.contoso.admin)
    clock.move(timedelta(days=1))
    with leaves(
        *(
            line(f"PartnerInvitation/Update {upn} Successful system")
            for upn in Invitation.objects.exclude(pk=later.pk).order_by("pk").values_list("upn", flat=True)
        )
    ) as evidence:
        assert invitations.expire_due(Invitation.objects.all()) == 2
    assert {one.seq for one in evidence.events} == {evidence.events[0].seq}  # one transaction, one link
    assert invited.state(later) == S.PENDING
    assert invited.delegation().state == DelegationState.INVITED
    assert Invitation.objects.get(pk=invited.to_ann.pk).decided_by == "system"
    assert invitations.expire_due(Invitation.objects.all()) == 0


def test_job_lets_what_has_no_open_invitation_lapse(invited, clock):
    clock.move(timedelta(days=14))
    invitations.expire_due(Invitation.objects.all())
    assert invited.delegation().state == DelegationState.LAPSED


def test_what_is_due_does_not_block_a_new_invitation(invited, clock):
    clock.move(timedelta(days=14))
    (again,) = invitations.invite(invited.relationship, [contact(ANN)], by=invited.contoso.admin)
    assert invited.state(invited.to_ann) == S.EXPIRED
    assert invited.delegation().state == DelegationState.INVITED
    invitations.accept(again, by=invited.ann)
    assert seen(invited.ann) == set(invited.contoso.german)


def test_what_was_the_only_one_and_is_due_does_not_block_a_new_invitation(world, clock):
    """Marking it lets the relationship lapse in the same breath; the new invitation revives it."""
    relationship, _ = invite(world.contoso, ANN)
    clock.move(timedelta(days=14))
    with leaves(
        line("PartnerInvitation/Create fabrikam.example Successful admin@contoso.example"),
        line(f"PartnerInvitation/Update {ANN} Successful system"),
        line("PartnerInvitation/Update fabrikam.example Successful system"),
        line(f"PartnerInvitation/Create {ANN} Successful admin@contoso.example"),
    ):
        (again,) = invitations.invite(relationship, [contact(ANN)], by=world.contoso.admin)
    relationship.delegation.refresh_from_db()
    assert relationship.delegation.state == DelegationState.INVITED
    invitations.accept(again, by=world.fabrikam.person("ann"))
    relationship.delegation.refresh_from_db()
    assert relationship.delegation.state == DelegationState.ACTIVE


@pytest.mark.parametrize("days", [1, 30])
def test_invitation_lives_as_long_as_was_said(world, days):
    _, (sent,) = invite(world.contoso, ANN, days=days)
    assert sent.expires_at - sent.created_at == timedelta(days=days)


@pytest.mark.parametrize("days", [0, 31, -1])
def test_other_lifetimes_are_refused(invited, days):
    refused(
        errors.InvalidLifetime,
        lambda: invitations.invite(
            invited.relationship, [contact("eve@fabrikam.example")], by=invited.contoso.admin, days=days
        ),
        line("PartnerInvitation/Create fabrikam.example Failed(invalid_lifetime) admin@contoso.example"),
    )


# --- Inviting more ------------------------------------------------------------------------------


def test_inviting_sends_one_invitation_to_each(invited):
    contacts = [
        Contact("Eve Ames", " Eve@Fabrikam.example "),
        Contact("Fay", "fay@fabrikam.example", "fay@mail.example"),
    ]
    with leaves(
        line("PartnerInvitation/Create fabrikam.example Successful admin@contoso.example"),
        line("PartnerInvitation/Create eve@fabrikam.example Successful admin@contoso.example"),
        line("PartnerInvitation/Create fay@fabrikam.example Successful admin@contoso.example"),
    ) as evidence:
        eve, fay = invitations.invite(invited.relationship, contacts, by=invited.contoso.admin, days=7)
    assert [(one.contact_name, one.upn, one.address, one.state, one.invited_by) for one in (eve, fay)] == [
        ("Eve Ames", "eve@fabrikam.example", "eve@fabrikam.example", "pending", "admin@contoso.example"),
        ("Fay", "fay@fabrikam.example", "fay@mail.example", "pending", "admin@contoso.example"),
    ]
    assert evidence.messages == [("partners.invitation", str(one.pk), "waiting") for one in (eve, fay)]
    assert evidence.events[0].after == {"upns": ["eve@fabrikam.example", "fay@fabrikam.example"], "days": 7}


def refuse_contacts(invited: Invited, error: type[Exception], code: str, *contacts: Contact) -> None:
    refused(
        error,
        lambda: invitations.invite(invited.relationship, list(contacts), by=invited.contoso.admin),
        line(f"PartnerInvitation/Create fabrikam.example Failed({code}) admin@contoso.example"),
    )


def test_contacts_that_cannot_be_invited_are_refused(invited):
    SecurityGroup.objects.create(tenant=invited.world.fabrikam.tenant, name="Desk", address="Desk@fabrikam.example")
    for error, code, *upns in (
        (errors.NoContact, "no_contact"),
        (errors.DuplicateContact, "duplicate_contact", "eve@fabrikam.example", "EVE@fabrikam.example"),
        (errors.OwnPerson, "own_person", "somebody@contoso.example"),
        (errors.NotAPerson, "not_a_person", "desk@fabrikam.example"),
        (errors.AlreadyInvited, "already_invited", "eve@fabrikam.example", ANN),
        (ValidationError, "upn_form", "eve"),
    ):
        refuse_contacts(invited, error, code, *(contact(upn) for upn in upns))


def test_own_person_is_known_by_name_although_the_domain_is_foreign(invited):
    sign_in(invited.contoso.tenant, "kim@shared.example")
    refuse_contacts(invited, errors.OwnPerson, "own_person", contact("kim@shared.example"))


def test_primary_admin_is_not_invited_again(invited):
    invitations.accept(invited.to_ann, by=invited.ann)
    refuse_contacts(invited, errors.AlreadyPrimaryAdmin, "already_primary_admin", contact(ANN))


def test_one_refused_contact_stops_them_all(invited):
    refuse_contacts(
        invited, errors.OwnPerson, "own_person", contact("eve@fabrikam.example"), contact("x@contoso.example")
    )
    assert not Invitation.objects.filter(upn="eve@fabrikam.example").exists()


def test_refused_person_is_named():
    assert errors.OwnPerson(params={"upn": "x@contoso.example"}).messages == [
        "x@contoso.example belongs to your own organisation and cannot be invited as a partner."
    ]


def test_only_those_who_may_modify_settings_invite(invited):
    one = custom_role(invited.contoso.tenant, Permission.SETTINGS_VIEW, Permission.ROLES_MODIFY)
    vic, pat = invited.contoso.person("vic"), invited.contoso.person("pat")
    assign(one, vic, over(*invited.contoso.rooms))
    assign(Role.objects.get(tenant=invited.contoso.tenant, key=BuiltIn.MMR_ADMIN), pat, over(*invited.contoso.rooms))
    for who in (vic, pat, invited.world.tailwind.admin):
        refused(
            PermissionDenied,
            lambda who=who: invitations.invite(invited.relationship, [contact("eve@fabrikam.example")], by=who),
            line(f"PartnerInvitation/Create fabrikam.example Failed(permission_denied) {who.upn}"),
        )


def test_nobody_is_invited_to_what_is_over(invited):
    relationships.remove(invited.relationship, by=invited.contoso.admin)
    refuse_contacts(invited, DelegationOver, "relationship_over", contact("eve@fabrikam.example"))


def test_database_keeps_one_open_invitation_for_each_person(invited):
    with pytest.raises(IntegrityError, match="invitation_one_pending_per_upn"), transaction.atomic():
        Invitation.objects.create(
            tenant=invited.contoso.tenant,
            relationship=invited.relationship,
            upn=ANN,
            created_at=invited.to_ann.created_at,
            expires_at=invited.to_ann.expires_at,
        )


# --- The daily limit ----------------------------------------------------------------------------


@pytest.fixture
def three_a_day(monkeypatch):
    monkeypatch.setattr(invitations, "DAILY_LIMIT", 3)


def test_limit_is_200():
    assert invitations.DAILY_LIMIT == 200


def test_limit_counts_invitations_of_all_partners_and_none_of_other_tenants(invited, three_a_day):
    invite(invited.world.tailwind, ANN, BOB)
    invite(invited.contoso, "nils@northwind.example")
    refuse_contacts(invited, errors.DailyLimit, "daily_limit", contact("eve@fabrikam.example"))
    assert errors.DailyLimit.status == 429


def test_limit_counts_repeated_mails_too(invited, three_a_day):
    invitations.resend(invited.to_ann, by=invited.contoso.admin)
    refused(
        errors.DailyLimit,
        lambda: invitations.resend(invited.to_ann, by=invited.contoso.admin),
        line(f"PartnerInvitation/Update {ANN} Failed(daily_limit) admin@contoso.example"),
    )


def test_limit_is_over_after_24_hours(invited, three_a_day, clock):
    invitations.resend(invited.to_ann, by=invited.contoso.admin)
    clock.move(timedelta(hours=24))
    contacts = [contact(f"{name}@fabrikam.example") for name in ("eve", "fay", "gil")]
    assert len(invitations.invite(invited.relationship, contacts, by=invited.contoso.admin)) == 3


def test_revoking_gives_nothing_of_the_limit_back(invited, three_a_day):
    invitations.revoke(invited.to_ann, by=invited.contoso.admin)
    invitations.revoke(invited.to_bob, by=invited.contoso.admin)
    contacts = [contact("eve@fabrikam.example"), contact("fay@fabrikam.example")]
    refuse_contacts(invited, errors.DailyLimit, "daily_limit", *contacts)


# --- Links --------------------------------------------------------------------------------------


def test_link_is_built_from_the_setting_and_its_secret_is_stored_nowhere(invited, settings):
    settings.PUBLIC_URL = "https://rooms.example"
    secret = links.secret_of(invited.to_ann)
    assert len(secret) == 32
    assert links.url_of(invited.to_ann) == f"https://rooms.example/invitations/{invited.to_ann.pk}/{secret}/"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM partners_invitation i WHERE i::text LIKE %s", [f"%{secret}%"])
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM audit_outboxmessage o WHERE o::text LIKE %s", [f"%{secret}%"])
        assert cursor.fetchone() == (0,)


def test_links_secret_depends_on_its_key(invited, settings):
    secret = links.secret_of(invited.to_ann)
    assert links.is_secret_of(invited.to_ann, secret)
    settings.INVITATION_LINK_KEY = "another key"
    assert not links.is_secret_of(invited.to_ann, secret)


def test_every_rule_has_a_stable_code_and_a_status():
    def below(rule: type[RuleBroken]) -> set[type[RuleBroken]]:
        return {rule, *(one for sub in rule.__subclasses__() for one in below(sub))}

    for rule in below(RuleBroken):
        assert rule.status in {400, 401, 403, 404, 409, 410, 412, 413, 422, 429}, rule
        assert isinstance(rule.code, str), rule


def test_tenant_of_a_known_partner_is_known(world):
    assert Tenant.objects.get(pk=world.fabrikam.tenant.pk).is_known
    evidence = mark()
    join(world.contoso, world.fabrikam, "ann")
    assert "partners.linked" in evidence.kinds

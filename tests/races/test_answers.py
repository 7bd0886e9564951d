"""Two answers to invitations, or an answer and something else, at the same moment."""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from audit.clock import Now
from audit.models import AuditEvent, OutboxMessage
from partners.models import Invitation, PartnerRelationship
from partners.services import denials, invitations, relationships
from rbac.models import AssignmentMember, Delegation, DelegationState, Tenant, User
from rbac.sign_in import Identity, arrive
from tests.factories.rows import TenantFactory, UserFactory
from tests.factories.world import World, contact, invite
from tests.races.guards import no_comparing, no_index, no_row_locks, no_trigger
from tests.races.harness import Race

ANSWERED = ("partners_invitation", "invitation_answered")


@dataclass
class Case:
    """A partner of its own for each round; Ann and Bob are invited, Nils of another tenant may be a third."""

    relationship: PartnerRelationship
    ann: User
    bob: User
    to_ann: Invitation
    to_bob: Invitation
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def delegation(self) -> Delegation:
        return Delegation.objects.get(pk=self.relationship.delegation_id)

    def members(self) -> set[int]:
        of_partner = AssignmentMember.objects.filter(assignment__role__delegation=self.relationship.delegation_id)
        return set(of_partner.values_list("user", flat=True))

    def state(self, invitation: Invitation) -> str:
        return Invitation.objects.values_list("state", flat=True).get(pk=invitation.pk)

    def lines(self, upn: str) -> list[str]:
        """The terminal states that the log says an invitation of `upn` took."""
        events = AuditEvent.objects.filter(relationship_id=self.relationship.delegation_id, object_name=upn)
        done = events.filter(category="PartnerInvitation", result="Successful", after__has_key="state")
        return [event.after["state"] for event in done.order_by("pk") if event.after["state"] != "pending"]


def case_of(world: World, *, same_tenant: bool = True) -> Case:
    partner = TenantFactory()
    ann = UserFactory(tenant=partner, upn=f"ann@p{partner.pk.hex[:8]}.example")
    home = partner if same_tenant else TenantFactory()
    bob = UserFactory(tenant=home, upn=f"bob@p{partner.pk.hex[:8]}.example")
    relationship, (to_ann, to_bob) = invite(world.contoso, ann.upn, bob.upn)
    return Case(relationship, ann, bob, to_ann, to_bob)


def accept_ann(case: Case) -> None:
    invitations.accept(case.to_ann, by=case.ann)


def accept_bob(case: Case) -> None:
    invitations.accept(case.to_bob, by=case.bob)


# --- Two first acceptances ----------------------------------------------------------------------


def both_joined(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert case.delegation.state == DelegationState.ACTIVE
    assert case.members() == {case.ann.pk, case.bob.pk}
    links = AuditEvent.objects.filter(relationship_id=case.relationship.delegation_id, after__state="active")
    assert links.count() == 1


def first_acceptances(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [accept_ann, accept_bob], both_joined)


def test_two_first_acceptances_link_once_and_both_join(world):
    first_acceptances(world).must_win()


def test_control_two_first_acceptances(world):
    with no_row_locks():
        first_acceptances(world).must_lose()


def one_tenant_linked(case: Case, names: list[str]) -> None:
    assert sorted(names) == ["ok", "wrong_tenant"]
    winner, loser = (case.ann, case.to_bob) if names[0] == "ok" else (case.bob, case.to_ann)
    assert case.delegation.held_by_id == winner.tenant_id
    assert case.members() == {winner.pk}
    assert case.state(loser) == "pending"


def rival_acceptances(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world, same_tenant=False), [accept_ann, accept_bob], one_tenant_linked)


def test_first_acceptances_of_two_tenants_link_exactly_one(world):
    rival_acceptances(world).must_win()


def test_control_first_acceptances_of_two_tenants(world):
    with no_row_locks(), no_comparing():
        rival_acceptances(world).must_lose()


# --- The same person twice ----------------------------------------------------------------------


def answered_once(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert case.lines(case.ann.upn) == ["accepted"]


def double_click(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [accept_ann, accept_ann], answered_once)


def test_double_click_accepts_once_and_answers_twice(world):
    double_click(world).must_win()


def test_control_double_click(world):
    with no_row_locks():
        double_click(world).must_lose()


# --- An answer and the customer's change of mind ------------------------------------------------


def revoke_ann(world: World) -> Callable[[Case], None]:
    return lambda case: invitations.revoke(case.to_ann, by=world.contoso.admin) and None


def accepted_or_revoked(case: Case, names: list[str]) -> None:
    assert names in (["ok", "invitation_accepted"], ["invitation_revoked", "ok"])
    expected = "accepted" if names[0] == "ok" else "revoked"
    assert case.state(case.to_ann) == expected
    assert case.lines(case.ann.upn) == [expected]
    assert case.members() == ({case.ann.pk} if expected == "accepted" else set())


def accept_or_revoke(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [accept_ann, revoke_ann(world)], accepted_or_revoked)


def test_accept_and_revoke_come_one_after_the_other(world):
    accept_or_revoke(world).must_win()


def test_control_accept_and_revoke(world, owner_connection):
    with no_row_locks(), no_comparing(), no_trigger(owner_connection, ANSWERED):
        accept_or_revoke(world).must_lose()


def removed_for_good(case: Case, names: list[str]) -> None:
    assert names[1] == "ok"
    assert names[0] in ("ok", "invitation_revoked")
    assert case.delegation.state == DelegationState.ENDED
    assert case.members() == set()
    assert case.lines(case.ann.upn) == ["accepted" if names[0] == "ok" else "revoked"]
    assert case.state(case.to_bob) == "revoked"


def accept_or_remove(world: World) -> Race[Case]:
    remove = lambda case: relationships.remove(case.relationship, by=world.contoso.admin)  # noqa: E731
    return Race(lambda number: case_of(world), [accept_ann, remove], removed_for_good)


def test_accept_and_remove_leave_nothing_behind(world):
    accept_or_remove(world).must_win()


def test_control_accept_and_remove(world, owner_connection):
    with no_row_locks(), no_comparing(), no_trigger(owner_connection, ANSWERED):
        accept_or_remove(world).must_lose()


def ended_once(case: Case, names: list[str]) -> None:
    assert sorted(names) == ["ok", "relationship_over"] or names == ["ok", "403"]
    assert case.delegation.state == DelegationState.ENDED
    assert case.members() == set()
    deletions = AuditEvent.objects.filter(
        relationship_id=case.relationship.delegation_id,
        category="PartnerInvitation",
        operation="Delete",
        result="Successful",
    )
    assert deletions.count() == 1


def linked(world: World) -> Case:
    case = case_of(world)
    accept_ann(case)
    return case


def remove_or_leave(world: World) -> Race[Case]:
    remove = lambda case: relationships.remove(case.relationship, by=world.contoso.admin)  # noqa: E731
    leave = lambda case: relationships.leave(case.relationship, by=case.ann)  # noqa: E731
    return Race(lambda number: linked(world), [remove, leave], ended_once)


def test_removed_by_both_sides_at_once_ends_once(world):
    remove_or_leave(world).must_win()


def test_control_removed_by_both_sides(world):
    with no_row_locks(), no_comparing():
        remove_or_leave(world).must_lose()


def undo_ann(case: Case) -> None:
    denials.undo(case.to_ann, by=case.ann)


def reopened_once(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    assert Invitation.objects.filter(relationship=case.relationship, upn=case.ann.upn, state="pending").count() == 1


def declined(world: World) -> Case:
    case = case_of(world)
    invitations.deny(case.to_ann, by=case.ann)
    return case


def double_undo(world: World) -> Race[Case]:
    return Race(lambda number: declined(world), [undo_ann, undo_ann], reopened_once)


def test_double_click_takes_a_denial_back_once(world):
    double_undo(world).must_win()


def test_control_double_undo(world):
    with no_row_locks():
        double_undo(world).must_lose()


def nothing_left(case: Case, names: list[str]) -> None:
    assert names[0] in ("ok", "relationship_over")
    assert names[1] == "ok"
    assert case.delegation.state == DelegationState.ENDED
    assert not Invitation.objects.filter(relationship=case.relationship, state="pending").exists()


def undo_or_remove(world: World) -> Race[Case]:
    remove = lambda case: relationships.remove(case.relationship, by=world.contoso.admin)  # noqa: E731
    return Race(lambda number: declined(world), [undo_ann, remove], nothing_left)


def test_undo_and_remove_leave_nothing_open(world):
    undo_or_remove(world).must_win()


def test_control_undo_and_remove(world):
    with no_row_locks(), no_comparing():
        undo_or_remove(world).must_lose()


def mail_follows_state(case: Case, names: list[str]) -> None:
    assert names[0] == "ok"
    assert names[1] in ("ok", "invitation_accepted")
    invitation = Invitation.objects.get(pk=case.to_ann.pk)
    assert (invitation.state, invitation.rotation) == ("accepted", 2 if names[1] == "ok" else 1)
    waiting = OutboxMessage.objects.filter(subject_id=str(invitation.pk), kind="partners.invitation", state="waiting")
    assert not waiting.exists()


def accept_or_resend(world: World) -> Race[Case]:
    resend = lambda case: invitations.resend(case.to_ann, by=world.contoso.admin)  # noqa: E731
    return Race(lambda number: case_of(world), [accept_ann, resend], mail_follows_state)


def test_no_mail_waits_after_accept_and_resend(world):
    accept_or_resend(world).must_win()


def test_control_accept_and_resend(world, owner_connection):
    with no_row_locks(), no_comparing(), no_trigger(owner_connection, ANSWERED):
        accept_or_resend(world).must_lose()


# --- An answer and its time ---------------------------------------------------------------------


def due_soon(world: World) -> Case:
    case = case_of(world)
    Invitation.objects.filter(pk=case.to_ann.pk).update(expires_at=Now() + timedelta(milliseconds=30))
    return case


def accept_late(case: Case) -> None:
    time.sleep(random.uniform(0, 0.03))
    invitations.accept(case.to_ann, by=case.ann)


def expire(case: Case) -> None:
    mine = Invitation.objects.filter(pk=case.to_ann.pk)
    end = time.monotonic() + 0.2
    while not invitations.expire_due(mine) and mine.filter(state="pending").exists() and time.monotonic() < end:
        pass


def accepted_or_expired(case: Case, names: list[str]) -> None:
    assert names in (["ok", "ok"], ["invitation_expired", "ok"])
    expected = "accepted" if names[0] == "ok" else "expired"
    assert case.state(case.to_ann) == expected
    assert case.lines(case.ann.upn) == [expected]
    assert case.members() == ({case.ann.pk} if expected == "accepted" else set())


def accept_or_expire(world: World) -> Race[Case]:
    return Race(lambda number: due_soon(world), [accept_late, expire], accepted_or_expired)


def test_accept_and_expire_agree(world):
    accept_or_expire(world).must_win()


def test_control_accept_and_expire(world, owner_connection):
    with no_row_locks(), no_comparing(), no_trigger(owner_connection, ANSWERED):
        accept_or_expire(world).must_lose(rounds=120)


# --- Inviting -----------------------------------------------------------------------------------


def invite_eve(world: World) -> Callable[[Case], None]:
    def contender(case: Case) -> None:
        invitations.invite(case.relationship, [contact("eve@adatum.example")], by=world.contoso.admin)

    return contender


def invited_once(case: Case, names: list[str]) -> None:
    assert sorted(names) == ["already_invited", "ok"]
    assert case.relationship.invitations.filter(upn="eve@adatum.example").count() == 1


def same_person(world: World) -> Race[Case]:
    return Race(lambda number: case_of(world), [invite_eve(world), invite_eve(world)], invited_once)


def test_same_person_is_invited_once(world):
    same_person(world).must_win()


def test_control_same_person(world, owner_connection):
    with no_row_locks(), no_index(owner_connection, "invitation_one_pending_per_upn", "partners_invitation"):
        same_person(world).must_lose()


def test_daily_limit_holds(world, monkeypatch):
    limit_race(world, monkeypatch).must_win(rounds=20)


def test_control_daily_limit(world, monkeypatch):
    with no_row_locks():
        limit_race(world, monkeypatch).must_lose()


def limit_race(world: World, monkeypatch: pytest.MonkeyPatch) -> Race[tuple[Case, Case]]:
    """Two partners of one customer; one more mail is allowed today."""

    def prepare(number: int) -> tuple[Case, Case]:
        monkeypatch.setattr(invitations, "DAILY_LIMIT", 100_000)
        cases = case_of(world), case_of(world)
        sent = Invitation.objects.filter(tenant=world.contoso.tenant).count()
        monkeypatch.setattr(invitations, "DAILY_LIMIT", sent + 1)
        return cases

    def judge(cases: tuple[Case, Case], names: list[str]) -> None:
        assert sorted(names) == ["daily_limit", "ok"]

    eve = invite_eve(world)
    return Race(prepare, [lambda cases: eve(cases[0]), lambda cases: eve(cases[1])], judge)


# --- Arriving -----------------------------------------------------------------------------------


@dataclass
class Strangers:
    tid: uuid.UUID
    ann: uuid.UUID
    bob: uuid.UUID


def strangers(number: int) -> Strangers:
    """People nobody knows, of a tenant that nobody knows in one round, and that is known in the next."""
    tid = TenantFactory().entra_tid if number % 2 else uuid.uuid4()
    return Strangers(tid, uuid.uuid4(), uuid.uuid4())


def arrival(who: str) -> Callable[[Strangers], User]:
    def contender(case: Strangers) -> User:
        identity = Identity(case.tid, getattr(case, who), f"{who}@adatum.example", who.title())
        return arrive(identity, is_awaited=lambda upn: True)

    return contender


def one_tenant_arrived(people: int) -> Callable[[Strangers, list[str]], None]:
    def judge(case: Strangers, names: list[str]) -> None:
        assert names == ["ok", "ok"]
        assert Tenant.objects.filter(entra_tid=case.tid).count() == 1
        assert User.objects.filter(entra_tid=case.tid).count() == people

    return judge


@pytest.mark.parametrize(("other", "people"), [("ann", 1), ("bob", 2)])
def test_first_arrivals_make_one_tenant_and_one_account_each(world, other, people):
    Race(strangers, [arrival("ann"), arrival(other)], one_tenant_arrived(people)).must_win()


def test_control_first_arrivals(world):
    with no_row_locks():
        Race(strangers, [arrival("ann"), arrival("ann")], one_tenant_arrived(1)).must_lose()

"""What the clock does with invitations: due ones are marked, their people reminded; never twice."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.http import Http404

from audit import delivery
from audit.log import recording
from audit.models import AuditEvent, OutboxMessage, OutboxState
from partners import parcels
from partners.errors import InvitationOver
from partners.models import Invitation, InvitationState
from partners.schedule import expire_invitations, remind_invited
from partners.services import invitations, reminders
from rbac.models import Delegation, DelegationState
from tests.factories.world import World, invite, join, make

ANN, BOB = "ann@fabrikam.example", "bob@fabrikam.example"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def world(db) -> World:
    return make()


def state_of(invitation: Invitation) -> str:
    return Invitation.objects.get(pk=invitation.pk).state


def lines_about(invitation: Invitation, **after: object) -> list[AuditEvent]:
    about = AuditEvent.objects.filter(object_name=invitation.upn, category="PartnerInvitation")
    return list(about.filter(after__contains=after).order_by("seq", "position"))


def live_for(invitation: Invitation, days: int) -> Invitation:
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=invitation.created_at + timedelta(days=days))
    return Invitation.objects.get(pk=invitation.pk)


# --- Expiry ---------------------------------------------------------------------------------------------------------


def test_due_invitations_are_marked_with_an_audit_line_each(world, clock):
    _, (ann, bob) = invite(world.contoso, ANN, BOB)
    clock.move(14 * DAY)

    expire_invitations()

    for invitation in (ann, bob):
        marked = Invitation.objects.get(pk=invitation.pk)
        assert (marked.state, marked.decided_by) == (InvitationState.EXPIRED, "system")
        (line,) = lines_about(invitation, state="expired")
        assert (line.operation, line.result, line.user_id) == ("Update", "Successful", "system")
    assert Delegation.objects.get(relationship=ann.relationship_id).state == DelegationState.LAPSED


def test_an_invitation_is_not_marked_a_second_too_early(world, clock):
    _, (invitation,) = invite(world.contoso, ANN)
    clock.move(14 * DAY - timedelta(seconds=5))

    expire_invitations()

    assert state_of(invitation) == InvitationState.PENDING


def test_marking_twice_changes_nothing_more(world, clock):
    _, (invitation,) = invite(world.contoso, ANN)
    clock.move(14 * DAY)

    expire_invitations()
    expire_invitations()

    assert len(lines_about(invitation, state="expired")) == 1


def test_an_active_relationship_stays_active_when_an_invitation_expires(world, clock):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    (bob,) = invitations.invite(relationship, [invitations.Contact("Bob", BOB)], by=world.contoso.admin)
    clock.move(14 * DAY)

    expire_invitations()

    assert state_of(bob) == InvitationState.EXPIRED
    assert Delegation.objects.get(relationship=relationship).state == DelegationState.ACTIVE


def test_looking_costs_one_query_when_nothing_is_due(world, django_assert_num_queries):
    invite(world.contoso, ANN, BOB)

    with django_assert_num_queries(1):
        expire_invitations()


def test_expiry_is_enforced_at_access_though_no_job_ran(world, clock):
    _, (invitation,) = invite(world.contoso, ANN)
    ann = world.fabrikam.person("ann")
    clock.move(14 * DAY)

    assert not invitations.open_for(ann).exists()
    with pytest.raises(InvitationOver) as refused:
        invitations.accept(invitation, by=ann)
    assert refused.value.code == "invitation_expired"
    assert state_of(invitation) == InvitationState.PENDING


# --- Reminders ------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(world, smtp_sink) -> Callable[[int], Invitation]:
    """Makes an invitation that lives so many days and whose mail has just been sent."""

    def send(days: int = 14) -> Invitation:
        _, (invitation,) = invite(world.contoso, ANN)
        delivery.deliver_due()
        smtp_sink.messages.clear()
        return live_for(invitation, days)

    return send


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (14, 10.5 * DAY),  # a quarter of its life begins before its last three days
        (30, 22.5 * DAY),
        (12, 9 * DAY),
        (8, 5 * DAY),  # the last three days begin before its last quarter
        (4, 1 * DAY),
        (2, 1 * DAY),  # never on the first day
    ],
)
def test_a_reminder_is_due_in_the_last_days_but_not_on_the_first(sent, clock, smtp_sink, days, first):
    invitation = sent(days)
    clock.move(first - timedelta(minutes=1))
    remind_invited()
    assert Invitation.objects.get(pk=invitation.pk).reminded_at is None

    clock.move(timedelta(minutes=2))
    remind_invited()
    delivery.deliver_due()

    assert [(mail["To"], mail["Subject"].partition(":")[0]) for mail in smtp_sink.messages] == [(ANN, "Reminder")]
    assert abs(Invitation.objects.get(pk=invitation.pk).reminded_at - clock.now()) < timedelta(minutes=1)
    (line,) = lines_about(invitation, reminded=True)
    assert (line.operation, line.result, line.user_id) == ("Update", "Successful", "system")


def test_an_invitation_of_one_day_has_no_time_for_a_reminder(sent, clock):
    sent(1)
    for _ in range(30):
        clock.move(HOUR)
        remind_invited()

    assert not OutboxMessage.objects.filter(kind=parcels.REMINDER).exists()


def test_nobody_is_reminded_twice(sent, clock, smtp_sink):
    invitation = sent()
    for _ in range(10):
        clock.move(DAY)
        remind_invited()
        remind_invited()
        delivery.deliver_due()
    assert len(smtp_sink.messages) == 0

    for _ in range(5):
        clock.move(DAY)
        remind_invited()
        remind_invited()
        delivery.deliver_due()

    assert len(smtp_sink.messages) == 1
    assert len(lines_about(invitation, reminded=True)) == 1


def deny(invitation: Invitation, world: World) -> None:
    invitations.deny(invitation, by=world.fabrikam.person("ann"))


def revoke(invitation: Invitation, world: World) -> None:
    invitations.revoke(invitation, by=world.contoso.admin)


def accept(invitation: Invitation, world: World) -> None:
    invitations.accept(invitation, by=world.fabrikam.person("ann"))


@pytest.mark.parametrize("answer", [accept, deny, revoke])
def test_whose_invitation_is_answered_is_not_reminded(world, sent, clock, answer):
    invitation = sent()
    answer(invitation, world)
    clock.move(12 * DAY)

    remind_invited()

    assert not OutboxMessage.objects.filter(kind=parcels.REMINDER).exists()
    assert reminders.remind(invitation) is False
    assert lines_about(invitation, reminded=True) == []


def test_an_expired_invitation_is_not_reminded_of_though_no_job_has_marked_it(sent, clock):
    sent()
    clock.move(14 * DAY)

    remind_invited()

    assert not OutboxMessage.objects.filter(kind=parcels.REMINDER).exists()


def test_nobody_is_reminded_of_a_mail_that_never_left(world, clock):
    invite(world.contoso, ANN)  # it waits
    _, (bob,) = invite(world.contoso, BOB)
    refused = OutboxMessage.objects.filter(subject_id=str(bob.pk))
    refused.update(state=OutboxState.UNDELIVERABLE, settled_at=clock.now())
    clock.move(12 * DAY)

    remind_invited()

    assert not OutboxMessage.objects.filter(kind=parcels.REMINDER).exists()


def test_sending_again_puts_the_reminder_off_by_a_day(world, sent, clock, smtp_sink):
    invitation = sent()
    clock.move(12 * DAY)
    invitations.resend(invitation, by=world.contoso.admin)
    delivery.deliver_due()

    remind_invited()
    assert not OutboxMessage.objects.filter(kind=parcels.REMINDER).exists()

    clock.move(DAY + HOUR)
    remind_invited()
    assert OutboxMessage.objects.filter(kind=parcels.REMINDER).count() == 1


def test_mark_mail_and_line_of_a_reminder_are_one(sent, clock, monkeypatch):
    invitation = sent()
    clock.move(12 * DAY)

    def remind_and_fail() -> None:
        with recording("PartnerInvitation", "Update", "all of it", tenant=invitation.tenant_id, by=None):
            assert reminders.remind(invitation)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        remind_and_fail()

    assert Invitation.objects.get(pk=invitation.pk).reminded_at is None
    assert not OutboxMessage.objects.filter(kind=parcels.REMINDER).exists()
    assert lines_about(invitation, reminded=True) == []


# --- At the same time: real connections, real commits ---------------------------------------------------------------


def at_once(*changes: Callable[[], object]) -> list[object]:
    """What each of `changes` returned or raised, all begun at the same moment on connections of their own."""
    barrier, outcomes = threading.Barrier(len(changes)), [None] * len(changes)

    def run(place: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            outcomes[place] = changes[place]()
        except Exception as error:  # noqa: BLE001 - the outcome is what is asked for
            outcomes[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(changes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def test_two_beats_at_once_mark_and_remind_once(committed_db, broker_url, clock):
    world = make()
    _, (ann, bob) = invite(world.contoso, ANN, BOB)
    OutboxMessage.objects.update(state=OutboxState.SENT, settled_at=clock.now())
    live_for(ann, 3)
    clock.move(12 * DAY)

    outcomes = at_once(expire_invitations, expire_invitations, remind_invited, remind_invited)

    assert outcomes == [None] * 4
    assert state_of(ann) == InvitationState.EXPIRED
    assert len(lines_about(ann, state="expired")) == 1
    assert len(lines_about(bob, reminded=True)) == 1
    assert OutboxMessage.objects.filter(kind=parcels.REMINDER).count() == 1


def test_expiry_and_acceptance_at_once_end_in_one_state(committed_db, broker_url, clock):
    world = make()
    people = [world.fabrikam.person(name) for name in ("ann", "bob", "cleo", "dora")]
    _, sent = invite(world.contoso, *(person.upn for person in people))
    for invitation, person in zip(sent, people, strict=True):
        live_for(invitation, 1)
        clock.restore()
        clock.move(DAY - (clock.now() - invitation.created_at) - timedelta(milliseconds=15))

        marked, accepted = at_once(expire_invitations, lambda i=invitation, p=person: invitations.accept(i, by=p))

        assert marked is None
        state = state_of(invitation)
        if state == InvitationState.ACCEPTED:
            assert accepted.pk == invitation.pk
        else:
            assert isinstance(accepted, InvitationOver), accepted
            expire_invitations()
            assert state_of(invitation) == InvitationState.EXPIRED
        decided = [line for line in lines_about(invitation) if line.result == "Successful"][1:]
        assert len(decided) == 1


def test_an_invitation_that_somebody_holds_keeps_no_other_one_waiting(committed_db, broker_url, clock, caplog):
    world = make()
    _, (ann,) = invite(world.contoso, ANN)
    _, (bob,) = invite(world.tailwind, BOB)
    clock.move(14 * DAY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        assert cursor.fetchone() == ("5s",)

    with transaction.atomic():
        Delegation.objects.select_for_update().get(relationship=ann.relationship_id)
        assert at_once(expire_invitations) == [None]

    assert state_of(bob) == InvitationState.EXPIRED
    assert state_of(ann) == InvitationState.PENDING
    assert "it is tried again at the next ring" in caplog.text
    expire_invitations()
    assert state_of(ann) == InvitationState.EXPIRED


def test_a_stranger_learns_nothing_of_an_expired_invitation(world, clock):
    _, (invitation,) = invite(world.contoso, ANN)
    clock.move(14 * DAY)
    expire_invitations()

    with pytest.raises(Http404):
        invitations.accept(invitation, by=world.northwind.person("nora"))

"""Leaving messages: with the change, once announced, cancelled or split."""

import uuid
from datetime import timedelta

import pytest

from audit import outbox
from audit.log import recording
from audit.models import OutboxMessage, OutboxState
from audit.outbox import Parcel

TENANT = uuid.UUID(int=7)
NOTE = "tests.note"


def change():
    return recording("Settings", "Update", "General", tenant=TENANT, by=None)


def leave(subject: str = "1", **payload: object) -> OutboxMessage:
    with change():
        return outbox.leave(Parcel(NOTE, subject, TENANT, payload))


@pytest.mark.django_db
def test_leave_writes_a_row_that_is_due_at_once(clock):
    message = leave("5", to="ann@fabrikam.example")

    message.refresh_from_db()
    assert (message.kind, message.subject_id, message.tenant_id) == (NOTE, "5", TENANT)
    assert (message.state, message.attempts, message.settled_at) == (OutboxState.WAITING, 0, None)
    assert message.payload == {"to": "ann@fabrikam.example"}
    assert message.due_at <= clock.now()


@pytest.mark.django_db
def test_leave_later_is_judged_by_the_database(clock):
    clock.move(timedelta(hours=5))
    with change():
        message = outbox.leave(Parcel(NOTE, "1", TENANT, after=timedelta(hours=1)))

    assert timedelta(minutes=59) < message.due_at - clock.now() <= timedelta(hours=1)


@pytest.mark.django_db
def test_leave_outside_a_recording_is_refused():
    with pytest.raises(RuntimeError, match="open recording"):
        outbox.leave(Parcel(NOTE, "1", TENANT))

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_leave_is_undone_with_the_change_it_belongs_to():
    def fail_after_leaving() -> None:
        with change():
            outbox.leave(Parcel(NOTE, "1", TENANT))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_leaving()

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_one_nudge_for_all_that_a_change_leaves(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks, change():
        outbox.leave(Parcel(NOTE, "1", TENANT))
        outbox.leave(Parcel(NOTE, "2", TENANT))

    assert callbacks == [outbox.nudge]


@pytest.mark.django_db
def test_cancel_stops_what_waits_of_this_kind_and_subject_only(clock):
    stopped, other_subject = leave("1"), leave("2")
    with change():
        other_kind = outbox.leave(Parcel("tests.other", "1", TENANT))
    sent = leave("1")
    OutboxMessage.objects.filter(pk=sent.pk).update(state=OutboxState.SENT, settled_at=clock.now())

    assert outbox.cancel(NOTE, ["1"]) == 1

    states = dict(OutboxMessage.objects.values_list("pk", "state"))
    assert states == {
        stopped.pk: OutboxState.CANCELLED,
        other_subject.pk: OutboxState.WAITING,
        other_kind.pk: OutboxState.WAITING,
        sent.pk: OutboxState.SENT,
    }


@pytest.mark.django_db
def test_split_leaves_one_message_for_each_payload():
    message = leave("5", text="hello")

    outbox.split(message, [{"to": "ann"}, {"to": "bob"}])

    parts = OutboxMessage.objects.exclude(pk=message.pk).order_by("pk")
    assert [part.payload for part in parts] == [{"to": "ann"}, {"to": "bob"}]
    assert {(part.kind, part.subject_id, part.tenant_id, part.due_at) for part in parts} == {
        (NOTE, "5", TENANT, message.due_at)
    }
    assert len({message.message_key, *(part.message_key for part in parts)}) == 3


def test_nobody_delivers_an_unknown_kind():
    with pytest.raises(KeyError):
        outbox.handler_of("tests.nobody_knows")

"""Delivering messages: claimed, sent, put off, given up; over real SMTP."""

import threading
import time
import uuid
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import IntegrityError, InterfaceError, OperationalError, connection

from audit import delivery, outbox
from audit.log import recording
from audit.mail import Letter, Postman
from audit.models import OutboxMessage, OutboxState
from audit.outbox import Obsolete, Parcel, delivers
from audit.tasks import deliver_outbox, sweep_outbox
from tests.foundation.mail import Behaviour, SmtpSink

TENANT = uuid.UUID(int=7)
NOTE = "tests.delivered_note"
FAULTY = "tests.faulty"
OBSOLETE = "tests.obsolete"
SLOW = "tests.slow"

is_delivering, may_go_on = threading.Event(), threading.Event()


@delivers(NOTE)
def send_note(message: OutboxMessage, postman: Postman) -> None:
    to, subject = message.payload["to"], message.payload.get("subject", f"Note {message.subject_id}")
    postman.send(Letter(to, subject, "Hello.\n", "<p>Hello.</p>", "en"), message.message_key)


@delivers(FAULTY)
def send_faulty(message: OutboxMessage, postman: Postman) -> None:
    OutboxMessage.objects.create(
        kind=FAULTY, subject_id="", tenant_id=TENANT, due_at=message.due_at, message_key=message.message_key
    )


@delivers(OBSOLETE)
def send_obsolete(message: OutboxMessage, postman: Postman) -> None:
    raise Obsolete


@delivers(SLOW)
def send_slowly(message: OutboxMessage, postman: Postman) -> None:
    if not is_delivering.is_set():  # only who comes first is slow
        is_delivering.set()
        assert may_go_on.wait(20)
    send_note(message, postman)


class ChoosySink(SmtpSink):
    """Refuses by name, and knows from which connections the mails came."""

    def __init__(self) -> None:
        super().__init__()
        self.connections: list[object] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answers = {"later": Behaviour.REFUSE_FOR_NOW, "nobody": Behaviour.REFUSE}
        self.behaviour = answers.get(address.partition("@")[0], Behaviour.ACCEPT)
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.connections.append(session.peer)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def choosy_sink(smtp_sink, settings):
    sink = ChoosySink()
    sink.start()
    settings.EMAIL_PORT = sink.port
    yield sink
    sink.stop()


def leave(to: str = "ann@fabrikam.example", kind: str = NOTE, **payload: object) -> OutboxMessage:
    with recording("Settings", "Update", "General", tenant=TENANT, by=None):
        return outbox.leave(Parcel(kind, "1", TENANT, {"to": to, **payload}))


def read(message: OutboxMessage) -> OutboxMessage:
    return OutboxMessage.objects.get(pk=message.pk)


def recipients(sink: SmtpSink) -> list[str]:
    return [address for addresses in sink.recipients for address in addresses]


@pytest.mark.django_db
@pytest.mark.parametrize("task", [deliver_outbox, sweep_outbox])
def test_what_is_due_is_sent_once(smtp_sink, clock, task):
    message = leave()

    task()
    task()

    assert recipients(smtp_sink) == ["ann@fabrikam.example"]
    sent = read(message)
    assert (sent.state, sent.attempts, sent.last_error) == (OutboxState.SENT, 1, "")
    assert sent.settled_at is not None
    assert sent.settled_at <= clock.now()


@pytest.mark.django_db
def test_a_mail_says_which_one_it_is_and_that_nobody_wrote_it(smtp_sink, clock):
    clock.move(timedelta(days=400))
    message = leave()

    delivery.deliver_due()

    (mail,) = smtp_sink.messages
    assert mail["Message-ID"] == f"<{message.message_key}@testserver>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Content-Language"] == "en"
    assert mail["To"] == "ann@fabrikam.example"
    assert abs(parsedate_to_datetime(mail["Date"]) - clock.now()) < timedelta(seconds=10)
    assert mail.get_body(("plain",)).get_content() == "Hello.\n"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Hello.</p>"


@pytest.mark.django_db
def test_what_is_not_due_waits_by_the_clock_of_the_database(smtp_sink, clock):
    with recording("Settings", "Update", "General", tenant=TENANT, by=None):
        outbox.leave(Parcel(NOTE, "1", TENANT, {"to": "ann@fabrikam.example"}, after=timedelta(hours=2)))

    delivery.deliver_due()
    assert recipients(smtp_sink) == []

    clock.move(timedelta(hours=2))
    delivery.deliver_due()
    assert recipients(smtp_sink) == ["ann@fabrikam.example"]


@pytest.mark.django_db
def test_refused_for_now_is_tried_again_later_and_leaves_once(smtp_sink, clock):
    message = leave()
    smtp_sink.behaviour = Behaviour.REFUSE_FOR_NOW

    delivery.deliver_due()

    put_off = read(message)
    assert (put_off.state, put_off.attempts) == (OutboxState.WAITING, 1)
    assert put_off.last_error == "451 Try again later"
    assert timedelta(seconds=20) < put_off.due_at - clock.now() <= timedelta(seconds=36)

    smtp_sink.behaviour = Behaviour.ACCEPT
    delivery.deliver_due()
    assert smtp_sink.messages == []

    clock.move(timedelta(seconds=40))
    delivery.deliver_due()
    assert recipients(smtp_sink) == ["ann@fabrikam.example"]
    sent = read(message)
    assert (sent.state, sent.attempts, sent.last_error) == (OutboxState.SENT, 2, "")


@pytest.mark.django_db
def test_refused_for_good_is_undeliverable_at_once_and_says_why(smtp_sink, clock):
    message = leave()
    smtp_sink.behaviour = Behaviour.REFUSE

    delivery.deliver_due()

    refused = read(message)
    assert (refused.state, refused.attempts) == (OutboxState.UNDELIVERABLE, 1)
    assert refused.last_error == "550 No such mailbox"
    assert refused.settled_at is not None
    smtp_sink.behaviour = Behaviour.ACCEPT
    clock.move(timedelta(days=3))
    delivery.deliver_due()
    assert smtp_sink.messages == []


@pytest.mark.django_db
def test_one_refusal_does_not_keep_the_others(choosy_sink):
    later, nobody, ann = leave("later@x.example"), leave("nobody@x.example"), leave("ann@x.example")

    delivery.deliver_due()

    assert recipients(choosy_sink) == ["ann@x.example"]
    assert [read(message).state for message in (later, nobody, ann)] == [
        OutboxState.WAITING,
        OutboxState.UNDELIVERABLE,
        OutboxState.SENT,
    ]


@pytest.mark.django_db
def test_a_batch_shares_connections(choosy_sink, monkeypatch):
    monkeypatch.setattr("audit.mail.MAILS_PER_CONNECTION", 3)
    for number in range(7):
        leave(f"person{number}@x.example")

    delivery.deliver_due()

    connections = choosy_sink.connections
    assert len(connections) == 7
    assert [len(set(part)) for part in (connections[:3], connections[3:6], connections[6:])] == [1, 1, 1]
    assert len(set(connections)) == 3


@pytest.mark.django_db
def test_a_server_that_refuses_connections_stops_the_batch_and_blames_one_row(smtp_sink, clock):
    first, second = leave("ann@x.example"), leave("bob@x.example")
    smtp_sink.stop()

    assert delivery.deliver_due()

    assert (read(first).state, read(first).attempts) == (OutboxState.WAITING, 1)
    assert "refused" in read(first).last_error
    assert (read(second).state, read(second).attempts) == (OutboxState.WAITING, 0)

    smtp_sink.start()
    clock.move(timedelta(minutes=1))
    delivery.deliver_due()
    assert sorted(recipients(smtp_sink)) == ["ann@x.example", "bob@x.example"]


@pytest.mark.django_db
def test_a_silent_server_is_given_up_after_the_timeout(smtp_sink, settings):
    settings.EMAIL_TIMEOUT = 0.3
    message = leave()
    smtp_sink.behaviour = Behaviour.SILENT

    delivery.deliver_due()

    silent = read(message)
    assert (silent.state, silent.attempts) == (OutboxState.WAITING, 1)
    assert "timed out" in silent.last_error


@pytest.mark.django_db
def test_after_the_last_attempt_it_is_undeliverable(smtp_sink):
    message = leave()
    OutboxMessage.objects.filter(pk=message.pk).update(attempts=delivery.ATTEMPTS - 1)
    smtp_sink.behaviour = Behaviour.REFUSE_FOR_NOW

    delivery.deliver_due()

    given_up = read(message)
    assert (given_up.state, given_up.attempts) == (OutboxState.UNDELIVERABLE, delivery.ATTEMPTS)
    assert given_up.last_error == "451 Try again later"


def test_waits_grow_from_half_a_minute_to_two_days_in_all():
    waits = [delivery.wait_after(attempts) for attempts in range(1, delivery.ATTEMPTS)]

    assert timedelta(seconds=24) <= waits[0] <= timedelta(seconds=36)
    assert timedelta(seconds=48) <= waits[1] <= timedelta(seconds=72)
    assert max(waits) <= timedelta(hours=4.8)
    assert timedelta(hours=38) < sum(waits, timedelta()) < timedelta(hours=58)
    assert len({delivery.wait_after(5) for _ in range(20)}) > 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "payload",
    [{"subject": "Hello\r\nBcc: eve@x.example"}, {"subject": "Hello\nBcc: eve@x.example"}],
)
def test_a_line_break_never_becomes_a_header(smtp_sink, payload):
    leave(**payload)

    delivery.deliver_due()

    (mail,) = smtp_sink.messages
    assert mail["Subject"] == "Hello Bcc: eve@x.example"
    assert mail["Bcc"] is None
    assert recipients(smtp_sink) == ["ann@fabrikam.example"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "to", ["ann@x.example\r\nBcc: eve@x.example", "ann@x.example, eve@x.example", "Ann <ann@x.example>", "ann", ""]
)
def test_an_address_that_is_none_is_undeliverable(smtp_sink, to):
    message, other = leave(to), leave("bob@x.example")

    delivery.deliver_due()

    assert recipients(smtp_sink) == ["bob@x.example"]
    assert (read(message).state, read(other).state) == (OutboxState.UNDELIVERABLE, OutboxState.SENT)
    assert read(message).last_error == "Enter a valid email address."


@pytest.mark.django_db
def test_what_is_obsolete_is_cancelled(smtp_sink):
    message = leave(kind=OBSOLETE)

    delivery.deliver_due()

    assert read(message).state == OutboxState.CANCELLED
    assert read(message).settled_at is not None
    assert smtp_sink.attempts == 0


@pytest.mark.django_db
def test_a_fault_in_one_handler_is_logged_and_does_not_keep_the_others(smtp_sink, caplog):
    faulty, unknown, note = leave(kind=FAULTY), leave(kind="tests.from_the_future"), leave()

    delivery.deliver_due()

    assert recipients(smtp_sink) == ["ann@fabrikam.example"]
    assert read(note).state == OutboxState.SENT
    for message, error in ((faulty, IntegrityError), (unknown, KeyError)):
        put_off = read(message)
        assert (put_off.state, put_off.attempts) == (OutboxState.WAITING, 1)
        assert put_off.last_error.startswith(f"{error.__name__}: ")
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == ["audit.delivery"] * 2


@pytest.mark.django_db
def test_a_run_that_ran_out_of_time_says_so(smtp_sink):
    message = leave()

    assert delivery.deliver_due(run_for=0) is False
    assert read(message).state == OutboxState.WAITING
    assert delivery.deliver_due() is True
    assert read(message).state == OutboxState.SENT


@pytest.mark.django_db
def test_a_wrong_configuration_is_not_the_recipients_fault(smtp_sink, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "portal", "secret"  # the sink offers no AUTH
    message = leave()

    delivery.deliver_due()

    assert (read(message).state, read(message).attempts) == (OutboxState.WAITING, 1)


@pytest.fixture
def slow_delivery(committed_db, broker_url, smtp_sink):
    """A message that another thread is just delivering, and how to let that thread finish."""
    is_delivering.clear()
    may_go_on.clear()
    message = leave("slow@x.example", kind=SLOW)

    def deliver() -> None:
        with suppress(OperationalError, InterfaceError):  # its session may be ended meanwhile
            delivery.deliver_due()
        connection.close()

    worker = threading.Thread(target=deliver)
    worker.start()
    assert is_delivering.wait(20)

    def finish() -> None:
        may_go_on.set()
        worker.join(20)

    yield message, finish
    finish()


def test_a_message_that_is_being_delivered_is_nobody_elses(slow_delivery, smtp_sink):
    message, finish = slow_delivery
    leave("ann@x.example")

    delivery.deliver_due()
    assert recipients(smtp_sink) == ["ann@x.example"]

    finish()
    delivery.deliver_due()
    assert recipients(smtp_sink) == ["ann@x.example", "slow@x.example"]
    assert read(message).state == OutboxState.SENT


def test_cancelling_does_not_wait_for_a_mail_server(slow_delivery, smtp_sink):
    message, finish = slow_delivery

    with recording("Settings", "Update", "General", tenant=TENANT, by=None):
        assert outbox.cancel(SLOW, ["1"]) == 0

    finish()
    assert read(message).state == OutboxState.SENT
    assert recipients(smtp_sink) == ["slow@x.example"]


@pytest.fixture
def short_hold(monkeypatch):
    monkeypatch.setattr(delivery, "HELD_AT_MOST", "500ms")


def test_a_worker_whose_machine_vanished_holds_its_message_for_a_while_only(short_hold, slow_delivery, smtp_sink):
    message, finish = slow_delivery
    delivery.deliver_due()
    assert smtp_sink.messages == []

    time.sleep(1)
    delivery.deliver_due()
    assert read(message).state == OutboxState.SENT

    finish()  # it comes back, but the message is no longer its own
    assert recipients(smtp_sink) == ["slow@x.example"]
    assert (read(message).state, read(message).attempts) == (OutboxState.SENT, 1)

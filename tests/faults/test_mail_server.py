"""A mail server that puts off, refuses, says nothing, or is not there."""

import time
from datetime import timedelta

from audit.models import OutboxMessage
from partners.services import invitations
from tests.factories.world import World, invite
from tests.faults.scene import Browser, outbox, recipients, stays, wait_until
from tests.foundation.clock import Clock
from tests.foundation.mail import Behaviour, SmtpSink
from tests.foundation.portal import Portal

ANN = "ann@fabrikam.example"
TIMEOUT = 10.0  # seconds


def test_put_off_then_taken(smtp_sink: SmtpSink, portal: Portal, world: World, clock: Clock):
    smtp_sink.behaviour = Behaviour.REFUSE_FOR_NOW
    portal.worker()
    portal.beat()
    invite(world.contoso, ANN)
    wait_until(lambda: OutboxMessage.objects.filter(attempts=1).exists())
    stays(smtp_sink)
    assert [row[1:] for row in outbox()] == [("waiting", 1, "451 Try again later")]

    smtp_sink.behaviour = Behaviour.ACCEPT
    clock.move(timedelta(minutes=1))

    smtp_sink.wait_for(1)
    stays(smtp_sink, ANN)
    assert [row[1:] for row in outbox()] == [("sent", 2, "")]


def test_refused_is_shown_and_can_be_sent_again(smtp_sink: SmtpSink, portal: Portal, world: World):
    smtp_sink.behaviour = Behaviour.REFUSE
    portal.worker()
    _, (invitation,) = invite(world.contoso, ANN)
    wait_until(lambda: OutboxMessage.objects.filter(state="undeliverable").exists())
    assert [row[1:] for row in outbox()] == [("undeliverable", 1, "550 No such mailbox")]

    smtp_sink.behaviour = Behaviour.ACCEPT
    status, _ = Browser.of(world.contoso.admin, portal.web()).resend(invitation)

    assert status == 302
    smtp_sink.wait_for(1)
    stays(smtp_sink, ANN, for_seconds=1)
    assert [state for _, state, _, _ in outbox()] == ["undeliverable", "sent"]


def test_silence_is_given_up_after_ten_seconds(smtp_sink: SmtpSink, portal: Portal, world: World, clock: Clock):
    smtp_sink.behaviour = Behaviour.SILENT
    portal.worker()
    portal.beat()
    _, (invitation,) = invite(world.contoso, ANN)
    wait_until(lambda: smtp_sink.attempts == 1)
    begun = time.monotonic()

    # Meanwhile nobody who changes what the mail is about waits for the mail server.
    invitations.revoke(invitation, by=world.contoso.admin)
    assert time.monotonic() - begun < 2

    wait_until(lambda: OutboxMessage.objects.filter(attempts=1).exists())
    assert TIMEOUT - 2 < time.monotonic() - begun < TIMEOUT + 3
    ((_, state, attempts, error),) = outbox()
    assert (state, attempts) == ("waiting", 1)
    assert "timed out" in error

    smtp_sink.behaviour = Behaviour.ACCEPT
    clock.move(timedelta(minutes=1))
    wait_until(lambda: OutboxMessage.objects.filter(state="cancelled").exists())
    stays(smtp_sink)


def test_no_mail_server_then_one(smtp_sink: SmtpSink, portal: Portal, world: World, clock: Clock):
    smtp_sink.stop()
    portal.worker()
    portal.beat()
    names = [f"person{number}@fabrikam.example" for number in range(4)]
    invite(world.contoso, *names)
    wait_until(lambda: OutboxMessage.objects.filter(attempts__gte=1).count() == 4)
    assert {state for _, state, _, _ in outbox()} == {"waiting"}

    smtp_sink.start()
    clock.move(timedelta(minutes=5))

    smtp_sink.wait_for(4)
    assert recipients(smtp_sink) == names

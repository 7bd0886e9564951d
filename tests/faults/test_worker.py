"""A worker that is killed at any moment loses no mail and sends at most one more, recognisable by its Message-ID."""

import os
import signal
import time

from audit.tasks import sweep_outbox
from tests.factories.world import World, invite
from tests.faults.scene import HesitantSink, outbox, stays, wait_until
from tests.foundation.mail import Behaviour, SmtpSink
from tests.foundation.portal import Portal

ANN, BOB = "ann@fabrikam.example", "bob@fabrikam.example"
WITHIN = 120.0  # seconds


def test_a_worker_killed_before_the_mail_server_answered(smtp_sink: SmtpSink, portal: Portal, world: World):
    smtp_sink.behaviour = Behaviour.SILENT
    worker = portal.worker()
    invite(world.contoso, ANN)
    wait_until(lambda: smtp_sink.attempts == 1)

    worker.kill()
    begun = time.monotonic()
    smtp_sink.behaviour = Behaviour.ACCEPT
    portal.worker()
    portal.beat()

    smtp_sink.wait_for(1, timeout=WITHIN)
    assert time.monotonic() - begun < WITHIN
    stays(smtp_sink, ANN)
    assert [(state, attempts) for _, state, attempts, _ in outbox()] == [("sent", 1)]


def test_only_the_child_killed_while_it_delivers(smtp_sink: SmtpSink, portal: Portal, world: World):
    smtp_sink.behaviour = Behaviour.SILENT
    worker = portal.worker()
    invite(world.contoso, ANN, BOB)
    wait_until(lambda: smtp_sink.attempts == 1)

    (child,) = worker.children()
    os.kill(child, signal.SIGKILL)
    smtp_sink.behaviour = Behaviour.ACCEPT
    portal.beat()

    smtp_sink.wait_for(2, timeout=WITHIN)
    stays(smtp_sink, ANN, BOB)
    assert worker.is_running
    assert worker.children() != [child]


def test_a_worker_killed_after_the_mail_was_taken_sends_the_same_mail_once_more(
    hesitant_sink: HesitantSink, portal: Portal, world: World
):
    hesitant_sink.hesitates = True
    worker = portal.worker()
    invite(world.contoso, ANN)
    hesitant_sink.wait_for(1)

    worker.kill()
    hesitant_sink.hesitates = False
    portal.worker()
    portal.beat()

    first, second = hesitant_sink.wait_for(2, timeout=WITHIN)
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_body(("plain",)).get_content() == second.get_body(("plain",)).get_content()
    stays(hesitant_sink, ANN, ANN)


def test_a_worker_that_stands_still_is_not_overtaken(smtp_sink: SmtpSink, portal: Portal, world: World):
    smtp_sink.behaviour = Behaviour.SILENT
    standing = portal.worker()
    invite(world.contoso, ANN)
    wait_until(lambda: smtp_sink.attempts == 1)
    standing.suspend()
    smtp_sink.behaviour = Behaviour.ACCEPT

    sweep_outbox()  # here, beside it
    assert smtp_sink.messages == []
    assert [state for _, state, _, _ in outbox()] == ["waiting"]

    standing.kill()
    wait_until(lambda: (sweep_outbox(), smtp_sink.messages)[1])
    stays(smtp_sink, ANN, for_seconds=0.5)


def test_ended_in_good_order_a_worker_finishes_what_it_has_begun(smtp_sink: SmtpSink, portal: Portal, world: World):
    worker = portal.worker()
    invite(world.contoso, *(f"person{number}@fabrikam.example" for number in range(20)))
    smtp_sink.wait_for(1)

    worker.terminate()

    assert len(smtp_sink.messages) == 20
    assert [state for _, state, _, _ in outbox()] == ["sent"] * 20

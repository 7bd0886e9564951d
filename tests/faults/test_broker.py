"""A broker that is stopped, hangs or comes back empty costs a request under two seconds, and no mail."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from partners.models import Invitation
from tests.factories.world import World, invite
from tests.faults.scene import Browser, outbox, stays, wait_until
from tests.foundation.broker import Broker
from tests.foundation.mail import SmtpSink
from tests.foundation.portal import Portal

ANN, BOB, CLEO = (f"{name}@fabrikam.example" for name in ("ann", "bob", "cleo"))
ANSWERS_WITHIN = 2.0  # seconds
LEAVES_WITHIN = 60.0


@pytest.mark.parametrize(
    ("fail", "recover"),
    [
        pytest.param(Broker.stop, Broker.start, id="stopped, then back and empty"),
        pytest.param(Broker.hang, Broker.go_on, id="hanging, then going on"),
    ],
)
def test_a_page_answers_without_the_broker_and_the_mail_leaves_once_it_is_back(
    broker: Broker, smtp_sink: SmtpSink, portal: Portal, world: World, fail: Callable, recover: Callable
):
    relationship, (ann,) = invite(world.contoso, ANN)
    web = portal.web()
    browser = Browser.of(world.contoso.admin, web)
    portal.worker()
    portal.beat()
    smtp_sink.wait_for(1)

    fail(broker)
    invited, seconds = browser.invite(relationship, BOB)
    resent, seconds_again = browser.resend(ann)

    assert (invited, resent) == (302, 302)
    assert max(seconds, seconds_again) < ANSWERS_WITHIN
    assert web.output().count("broker not reached") == 2
    assert Invitation.objects.filter(upn=BOB, state="pending").count() == 1
    stays(smtp_sink, ANN, for_seconds=2)

    recover(broker)
    smtp_sink.wait_for(3, timeout=LEAVES_WITHIN)
    stays(smtp_sink, ANN, BOB, ANN)
    assert [state for _, state, _, _ in outbox()] == ["sent"] * 3
    assert [browser.resend(ann)[0] for _ in range(2)] == [302, 302]  # and from now on as ever


@pytest.mark.parametrize("listens", [pytest.param(False, id="refused"), pytest.param(True, id="never answered")])
def test_a_page_answers_without_a_broker_over_tcp(portal: Portal, world: World, listens: bool):
    relationship, _ = invite(world.contoso, ANN)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if not listens:
            silent.close()
        web = portal.web(environment={"CELERY_BROKER_URL": f"redis://127.0.0.1:{port}/0"})
        browser = Browser.of(world.contoso.admin, web)

        answers = [browser.invite(relationship, upn) for upn in (BOB, CLEO)]

    assert [status for status, _ in answers] == [302, 302]
    assert max(seconds for _, seconds in answers) < ANSWERS_WITHIN
    assert web.output().count("broker not reached") == 2
    assert [state for _, state, _, _ in outbox()] == ["waiting"] * 3


def test_many_requests_at_once_answer_while_the_broker_hangs(broker: Broker, portal: Portal, world: World):
    names = [f"person{number}@fabrikam.example" for number in range(8)]
    _, sent = invite(world.contoso, *names)
    web = portal.web(threads=8)
    browser = Browser.of(world.contoso.admin, web)
    broker.hang()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(browser.resend, sent))

    assert [status for status, _ in answers] == [302] * 8
    assert max(seconds for _, seconds in answers) < ANSWERS_WITHIN
    assert web.output().count("broker not reached") == 8


def test_a_broker_that_lost_everything_loses_no_mail(broker: Broker, smtp_sink: SmtpSink, portal: Portal, world: World):
    invite(world.contoso, ANN, BOB)  # announced to the broker, which forgets it
    broker.stop()
    broker.start()

    portal.worker()
    time.sleep(2)
    assert smtp_sink.attempts == 0
    portal.beat()

    smtp_sink.wait_for(2)
    stays(smtp_sink, ANN, BOB)


def test_a_worker_goes_on_by_itself_after_its_broker_was_restarted(
    broker: Broker, smtp_sink: SmtpSink, portal: Portal, world: World
):
    worker = portal.worker()
    broker.stop()
    wait_until(lambda: "Connection to broker lost" in worker.output() or "Cannot connect" in worker.output())
    broker.start()

    invite(world.contoso, CLEO)

    smtp_sink.wait_for(1, timeout=LEAVES_WITHIN)
    stays(smtp_sink, CLEO, for_seconds=1)
    assert worker.is_running

"""What the clock does with the audit: heads leave the database, settled messages are forgotten."""

import io
import json
import logging
import uuid
from datetime import timedelta

import pytest

from audit.clock import Now
from audit.heads import heads
from audit.log import recording
from audit.models import ChainLink, OutboxMessage, OutboxState
from audit.schedule import forget_settled, publish_heads
from trm_portal.celery import app

pytestmark = pytest.mark.django_db

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


def record(tenant: uuid.UUID | None, times: int) -> None:
    for _ in range(times):
        with recording("Settings", "Update", "General", tenant=tenant, by=None):
            pass


def settled(state: OutboxState, days_ago: int) -> OutboxMessage:
    past = Now() - timedelta(days=days_ago)
    message = OutboxMessage(kind="tests.old", subject_id="1", tenant_id=ONE, state=state, due_at=past)
    message.settled_at = None if state == OutboxState.WAITING else past
    message.save()
    return message


@pytest.fixture
def log():
    """What goes to the log's stream, through the handler that the settings made."""
    (handler,) = (one for one in logging.getLogger("trm.audit").handlers if type(one) is logging.StreamHandler)
    written = io.StringIO()
    stream = handler.setStream(written)
    yield written
    handler.setStream(stream)


def test_the_head_of_every_chain_is_one_line_of_json(log):
    record(TWO, 3)
    record(ONE, 1)
    record(None, 2)

    publish_heads()

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    last = {link.tenant_id: link for link in ChainLink.objects.order_by("seq")}
    assert {line["event"] for line in lines} == {"audit_head"}
    assert [(line["tenant_id"], line["seq"]) for line in lines] == [
        (str(uuid.UUID(int=0)), 2),
        (str(ONE), 1),
        (str(TWO), 3),
    ]
    assert [line["digest"] for line in lines] == [bytes(last[key].digest).hex() for key in sorted(last)]
    assert [line["at"] for line in lines] == [last[key].at.isoformat() for key in sorted(last)]


def test_no_chain_has_no_head():
    assert list(heads()) == []


def test_the_cost_of_the_heads_does_not_grow_with_the_chains(django_assert_num_queries):
    record(ONE, 1)
    with django_assert_num_queries(1):
        assert len(list(heads())) == 1
    record(ONE, 20)
    record(TWO, 20)
    with django_assert_num_queries(1):
        assert len(list(heads())) == 2


def test_settled_messages_are_forgotten_after_90_days(monkeypatch):
    monkeypatch.setattr("audit.schedule.FORGOTTEN_AT_ONCE", 2)
    kept = {
        settled(OutboxState.WAITING, 400).pk,
        settled(OutboxState.SENT, 89).pk,
        settled(OutboxState.UNDELIVERABLE, 1).pk,
    }
    for state in (OutboxState.SENT, OutboxState.UNDELIVERABLE, OutboxState.CANCELLED, OutboxState.SENT):
        settled(state, 91)

    forget_settled()

    assert set(OutboxMessage.objects.values_list("pk", flat=True)) == kept


def test_everything_the_clock_rings_for_is_there():
    app.loader.import_default_modules()

    rings = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert rings <= set(app.tasks)
    assert rings >= {
        "audit.tasks.sweep_outbox",
        "audit.schedule.publish_heads",
        "audit.schedule.forget_settled",
        "partners.schedule.expire_invitations",
        "partners.schedule.end_relationships",
        "partners.schedule.remind_invited",
    }


def test_no_ring_expires_by_the_clock_of_a_machine():
    assert [entry for entry in app.conf.beat_schedule.values() if "expires" in entry.get("options", {})] == []

"""The tests' own ground: whose rights they run on, what is left after them, and what they can break on purpose."""

import smtplib
import time
import urllib.request
from datetime import timedelta

import kombu.exceptions
import pytest
from django.core.mail import send_mail
from django.db import DatabaseError, connection, transaction
from psycopg2 import errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from audit.clock import now
from rbac.models import Tenant
from tests import conftest
from tests.foundation.broker import Broker
from tests.foundation.clock import Clock
from tests.foundation.database import WorkerDatabase, copy_database
from tests.foundation.mail import Behaviour, SmtpSink
from tests.foundation.portal import Portal
from tests.foundation.run import Run
from trm_portal.celery import app
from trm_portal.development.roles import connected, database_of

PERMISSIONS = "SELECT count(*), max(id) FROM auth_permission"


def value(owner: Connection, statement: str) -> tuple[object, ...]:
    with owner.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


@pytest.mark.django_db
def test_tests_run_on_the_rights_of_the_app() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        assert cursor.fetchone() == ("trm_app", database_of(Run.current().worker_urls().app))
        with pytest.raises(DatabaseError, match="permission denied for schema public"), transaction.atomic():
            cursor.execute("CREATE TABLE mine (id int)")


@pytest.mark.django_db
def test_audit_can_only_be_added_to() -> None:
    with connection.cursor() as cursor:
        for statement in ("UPDATE audit_auditevent SET tenant_id = NULL", "DELETE FROM audit_auditevent"):
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute(statement)


def test_committed_rows_are_seen_by_others(committed_db: WorkerDatabase, owner_connection: Connection) -> None:
    Tenant.objects.create(name="Seen")

    assert value(owner_connection, "SELECT name FROM rbac_tenant") == ("Seen",)


def test_empty_brings_back_what_the_migrations_made(committed_db: WorkerDatabase, owner_connection: Connection) -> None:
    before = value(owner_connection, PERMISSIONS)
    Tenant.objects.create(name="Gone")
    with owner_connection.cursor() as cursor:
        cursor.execute("DELETE FROM auth_group_permissions")
        cursor.execute("DELETE FROM auth_permission WHERE id > 3")
        cursor.execute("UPDATE django_content_type SET model = upper(model)")

    committed_db.empty()

    assert value(owner_connection, "SELECT count(*) FROM rbac_tenant") == (0,)
    assert value(owner_connection, PERMISSIONS) == before
    assert value(owner_connection, "SELECT count(*) FROM django_content_type WHERE model = upper(model)") == (0,)
    next_id = value(owner_connection, "SELECT nextval(pg_get_serial_sequence('auth_permission', 'id'))")
    assert next_id == (before[1] + 1,)


def test_empty_overcomes_triggers_and_leaves_them_on(
    committed_db: WorkerDatabase, owner_connection: Connection
) -> None:
    with owner_connection.cursor() as cursor:
        cursor.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''never''; END'")
        cursor.execute("CREATE TRIGGER keep BEFORE TRUNCATE ON rbac_tenant EXECUTE FUNCTION refuse()")
    try:
        Tenant.objects.create(name="Gone")
        committed_db.empty()
        assert not Tenant.objects.exists()
        with pytest.raises(errors.RaiseException, match="never"), owner_connection.cursor() as cursor:
            cursor.execute("TRUNCATE rbac_tenant CASCADE")
    finally:
        with owner_connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse() CASCADE")


def test_empty_names_the_session_that_is_in_the_way(
    committed_db: WorkerDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.foundation.database.WAIT_FOR_LOCK", "100ms")
    Tenant.objects.create(name="Locked")
    with connected(committed_db.urls.app) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT name FROM rbac_tenant")

        with pytest.raises(AssertionError, match=r"(?s)sessions that hold locks.*trm_app \| rbac_tenant \| Access"):
            committed_db.empty()


def test_copy_of_the_template_takes_less_than_a_second(committed_db: WorkerDatabase) -> None:
    run = Run.current()
    with connected(run.owner_url) as owner:
        began = time.monotonic()
        copy_database(owner, run.template(), f"{run.name}_copy")
        took = time.monotonic() - began
        with owner.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {run.name}_copy")

    assert took < 1


@pytest.mark.parametrize("marker", [pytest.mark.django_db(transaction=True), pytest.mark.django_db(True)])
def test_tests_that_need_more_rights_than_the_app_has_are_refused(
    request: pytest.FixtureRequest, marker: pytest.MarkDecorator
) -> None:
    request.node.add_marker(marker)

    with pytest.raises(pytest.fail.Exception, match="Use the fixture `committed_db` instead"):
        conftest.pytest_runtest_setup(request.node)


@pytest.mark.django_db
def test_clock_moves_for_every_session_also_inside_a_transaction(clock: Clock, worker_database: WorkerDatabase) -> None:
    real = now()

    clock.move(timedelta(days=14))
    clock.move(timedelta(seconds=-1))

    assert timedelta(days=14, seconds=-1) <= now() - real < timedelta(days=14, seconds=60)
    with connected(worker_database.urls.app) as other, other.cursor() as cursor:
        cursor.execute("SELECT trm_now() - statement_timestamp()")
        assert cursor.fetchone() == (timedelta(days=14, seconds=-1),)
    clock.restore()
    with connection.cursor() as cursor:
        cursor.execute("SELECT trm_now() = statement_timestamp()")
        assert cursor.fetchone() == (True,)


def test_broker_takes_messages(broker_url: str) -> None:
    app.send_task("nobody.knows", args=[1])

    with app.connection_for_read() as link, link.SimpleQueue("celery") as queue:
        assert queue.get(timeout=5).headers["task"] == "nobody.knows"
        assert queue.clear() == 0


def test_broker_can_be_out_of_order(broker: Broker) -> None:
    app.send_task("nobody.knows")

    broker.stop()
    with pytest.raises(kombu.exceptions.OperationalError):
        app.send_task("nobody.knows")
    broker.start()

    app.send_task("nobody.knows")
    with app.connection_for_read() as link, link.SimpleQueue("celery") as queue:
        assert queue.clear() == 1  # what it held before is lost


def test_broker_can_hang(broker: Broker) -> None:
    app.send_task("nobody.knows")

    broker.hang()
    with pytest.raises(kombu.exceptions.OperationalError):
        app.send_task("nobody.knows")
    broker.go_on()


def test_mail_server_keeps_what_it_took(smtp_sink: SmtpSink) -> None:
    send_mail("Räume", "Grüße", "from@example.org", ["a@example.org", "b@example.org"])

    (message,) = smtp_sink.wait_for(1)
    assert (message["Subject"], message.get_content()) == ("Räume", "Grüße\n")
    assert smtp_sink.recipients == [["a@example.org", "b@example.org"]]


@pytest.mark.parametrize(("behaviour", "code"), [(Behaviour.REFUSE_FOR_NOW, 451), (Behaviour.REFUSE, 550)])
def test_mail_server_refuses(smtp_sink: SmtpSink, behaviour: Behaviour, code: int) -> None:
    smtp_sink.behaviour = behaviour

    with pytest.raises(smtplib.SMTPRecipientsRefused) as raised:
        send_mail("A", "B", "from@example.org", ["a@example.org"])

    assert raised.value.recipients["a@example.org"][0] == code
    assert (smtp_sink.messages, smtp_sink.attempts) == ([], 1)


def test_mail_server_is_silent_or_gone(smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.EMAIL_TIMEOUT", 0.3)
    smtp_sink.behaviour = Behaviour.SILENT
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        send_mail("A", "B", "from@example.org", ["a@example.org"])

    smtp_sink.stop()
    with pytest.raises(ConnectionRefusedError):
        send_mail("A", "B", "from@example.org", ["a@example.org"])

    smtp_sink.start()
    smtp_sink.behaviour = Behaviour.ACCEPT
    send_mail("A", "B", "from@example.org", ["a@example.org"])
    assert len(smtp_sink.messages) == 1


def test_processes_are_real_and_end_as_asked(portal: Portal) -> None:
    web, worker, beat = portal.web(), portal.worker(), portal.beat()
    children = worker.children()
    with urllib.request.urlopen(f"{web.url}/readyz") as answer:
        assert answer.status == 200

    web.terminate()
    beat.terminate()
    worker.kill()

    assert children != []
    assert (web.is_running, worker.is_running, beat.is_running) == (False, False, False)
    assert "ready." in worker.output()
    assert "Shutting down: Master" in web.output()

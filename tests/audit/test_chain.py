"""The order of a chain is the order of its times, whoever had to wait and whatever the clock does."""

import threading
import uuid
from datetime import timedelta

from django.db import connection, transaction

from audit.log import recording
from audit.models import AuditEvent


def record(tenant: uuid.UUID, name: str) -> None:
    with recording("User", "Update", name, tenant=tenant, by=None):
        pass


def names(tenant: uuid.UUID, *order: str) -> list[str]:
    return list(AuditEvent.objects.filter(tenant_id=tenant).order_by(*order).values_list("object_name", flat=True))


def test_writer_who_waited_is_not_earlier_than_what_he_waited_for(committed_db, owner_connection):
    tenant = uuid.uuid4()
    holds, waits = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            record(tenant, "first")
            holds.set()
            waits.wait(20)
            record(tenant, "second")
        connection.close()

    def wait() -> None:
        holds.wait(20)
        record(tenant, "third")
        connection.close()

    threads = [threading.Thread(target=hold), threading.Thread(target=wait)]
    for thread in threads:
        thread.start()
    with owner_connection.cursor() as cursor:
        for _ in range(400):
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pg_sleep(0.05) IS NOT NULL"
            )
            if cursor.fetchone()[0]:
                break
    waits.set()
    for thread in threads:
        thread.join(20)

    assert names(tenant, "seq") == ["first", "second", "third"]
    assert names(tenant, "at", "id") == ["first", "second", "third"]


def test_clock_that_is_put_back_makes_no_line_earlier(committed_db, clock):
    tenant = uuid.uuid4()

    record(tenant, "first")
    clock.move(timedelta(hours=-2))
    record(tenant, "second")

    assert names(tenant, "at", "id") == ["first", "second"]

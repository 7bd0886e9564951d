"""Imports at the same time as something else, on real connections; and by a real worker."""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from rooms import change_control
from rooms.inventory_reports import Outcome
from rooms.models import InventoryImport, Room
from rooms.services import inventory, inventory_imports
from tests.factories.world import join, make

FILE = b"Identity,DisplayName,City\n" + b"".join(b"room%d@contoso.example,R,Bonn\n" % number for number in range(40))


@pytest.fixture
def world(committed_db):
    return make()


def load(world, barrier=None):
    try:
        if barrier is not None:
            barrier.wait()
        report = inventory.load(world.contoso.tenant, io.BytesIO(FILE), "x.csv", by=world.contoso.admin)
        return [report.counts[outcome] for outcome in Outcome]
    finally:
        connection.close()


def wait_until(is_so, timeout=20):
    end = time.monotonic() + timeout
    while not is_so():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def test_two_imports_at_once_add_each_room_once(world):
    for _ in range(5):
        barrier = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            found = sorted(one.result() for one in [pool.submit(load, world, barrier) for _ in range(2)])

        assert found == [[0, 0, 40, 0], [37, 3, 0, 0]]
        Room.objects.filter(display_name="R").exclude(pk__in=[room.pk for room in world.contoso.rooms]).delete()
        Room.objects.update(city="Berlin")


def test_who_changes_a_room_meanwhile_is_in_the_log_with_what_was_overwritten(world, owner_connection):
    owner_connection.autocommit = False
    room = world.contoso.rooms[0]
    with owner_connection.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("UPDATE rooms_room SET city = 'Ulm', version = 8 WHERE id = %s", [room.pk])
        running = pool.submit(load, world)
        wait_until(lambda: _waits_for_a_row(cursor))
        owner_connection.commit()
        assert running.result() == [37, 3, 0, 0]

    room.refresh_from_db()
    assert (room.city, room.version) == ("Bonn", 9)
    with connection.cursor() as cursor:
        cursor.execute("SELECT before->>'city' FROM audit_auditevent WHERE object_name = %s", ["Contoso room 0"])
        assert cursor.fetchall() == [("Ulm",)]


def _waits_for_a_row(cursor):
    """Whether somebody waits for the end of the cursor's own transaction."""
    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid")
    return cursor.fetchone()[0] == 1


def test_everybody_sees_how_far_an_import_is_and_nobody_does_it_twice(world, monkeypatch):
    monkeypatch.setattr(inventory, "BATCH", 10)  # a sign of life after every row
    _, (ann,) = join(world.contoso, world.fabrikam, "ann", rooms=world.contoso.rooms)
    found = inventory_imports.prepare(world.contoso.tenant, io.BytesIO(FILE), "x.csv", by=ann)
    is_third, may_go_on = threading.Event(), threading.Event()
    done = []

    def submit(*args, **params):
        done.append(change_control.submit(*args, **params))
        if len(done) == 3:
            is_third.set()
            assert may_go_on.wait(20)

    def run():
        try:
            inventory_imports.confirm(found, submit=submit)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        assert is_third.wait(20)
        found.refresh_from_db()
        assert (found.state, found.done, found.total) == ("running", 2, 40)
        inventory_imports.carry_out(found.pk, submit=change_control.submit)  # finds nothing to do
        may_go_on.set()
        running.result()

    found.refresh_from_db()
    assert (found.state, found.done, len(done)) == ("done", 40, 3)


def test_a_real_worker_carries_it_out(world, portal, monkeypatch):
    monkeypatch.setattr(inventory_imports, "AT_ONCE", 0)
    portal.worker()
    found = inventory_imports.prepare(world.contoso.tenant, io.BytesIO(FILE), "x.csv", by=world.contoso.admin)

    inventory_imports.confirm(found, submit=change_control.submit)

    wait_until(lambda: InventoryImport.objects.get().state == "done")
    assert Room.objects.filter(tenant=world.contoso.tenant).count() == 40

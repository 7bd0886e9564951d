"""Runs at the same time, on real connections: rooms are shared out, nothing is counted twice, a late figure is not lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from audit.clock import now
from rooms import reports
from rooms.models import ReportRoom, Room, RoomPeriod
from rooms.reports import Question
from rooms.services import report_sums, room_days, usage
from tests.factories.histories import stretch
from tests.factories.world import make


@pytest.fixture
def rooms(committed_db):
    """Six rooms of two customers, well for nine days."""
    make()
    Room.objects.update(state="enrolled", health="healthy")
    found = list(Room.objects.select_related("tenant").order_by("pk"))
    for room in found:
        stretch(room, "healthy", now() - timedelta(days=9))
    return found


def run(barrier):
    try:
        barrier.wait()
        return report_sums.run()
    finally:
        connection.close()


def test_two_runs_at_once_add_up_once(rooms):
    barrier = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        assert [one.result() for one in [pool.submit(run, barrier) for _ in range(2)]] == [True, True]
    report_sums.run()
    assert sorted(RoomPeriod.objects.filter(days=7).values_list("watched_days", flat=True)) == [7] * 6
    assert sorted(ReportRoom.objects.values_list("slot", flat=True)) == [0, 0, 1, 1, 2, 2]
    for room in rooms:
        figures = reports.read(Question(room.tenant_id, 7))
        assert {one.healthy for one in figures.health[:7]} == {3}


def test_a_batch_takes_what_no_other_holds(rooms):
    report_sums.run()
    ReportRoom.objects.update(reckoned_at=None)
    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        assert room_days.reckon(batch=4) == 4
        assert pool.submit(_pick).result() == 2
    assert (room_days.reckon(), ReportRoom.objects.filter(reckoned_at=None).count()) == (2, 0)


def _pick():
    """How many rooms another run would find free now; it gives them back."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(room_days._PICK, {"again": room_days.AGAIN_AFTER, "batch": 9})
            return len(cursor.fetchall())
    finally:
        connection.close()


def test_a_late_figure_that_comes_during_a_run_is_added_up_by_the_next(rooms):
    room = rooms[0]
    report_sums.run()
    day = usage.today_of(room) - timedelta(days=2)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            ReportRoom.objects.filter(pk=room.pk).update(reckoned_at=None)
            room_days.reckon()
            late = pool.submit(_note, room, day)  # waits for the run's hold on the room
        late.result()
    while room_days.reckon():
        pass
    assert RoomPeriod.objects.get(room=room, days=7).booked_minutes == 60


def _note(room, day):
    try:
        with transaction.atomic():
            usage.note(room, day, booked_minutes=60, calls=1, poor_calls=0)
    finally:
        connection.close()

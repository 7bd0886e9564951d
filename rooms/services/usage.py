"""What a device counts in a day: minutes in which its room was booked, calls, and how many of them were poor."""

from datetime import date, timedelta

from django.db import connection

from rooms.errors import UnusableUse
from rooms.models import ReportRoom, Room

DAYS_BACK = 7  # a device that was offline for longer has lost its figures
MOST_MINUTES = 24 * 60
MOST_CALLS = 10_000  # in one room and day; more is a fault of the device, not a figure

_TODAY = """
SELECT (trm_now() AT TIME ZONE trm_zone(r.time_zone, t.time_zone))::date
FROM rooms_room r JOIN rbac_tenant t ON t.id = r.tenant_id WHERE r.id = %s
"""
_WRITE = """
INSERT INTO rooms_roomday (tenant_id, room_id, day, booked_minutes, calls, poor_calls)
VALUES (%(tenant)s, %(room)s, %(day)s, %(booked)s, %(calls)s, %(poor)s)
ON CONFLICT (room_id, day) DO UPDATE
SET booked_minutes = excluded.booked_minutes, calls = excluded.calls, poor_calls = excluded.poor_calls
WHERE (rooms_roomday.booked_minutes, rooms_roomday.calls, rooms_roomday.poor_calls)
    IS DISTINCT FROM (excluded.booked_minutes, excluded.calls, excluded.poor_calls)
"""


def note(room: Room, day: date, *, booked_minutes: int, calls: int, poor_calls: int) -> None:
    """The device's totals of `day`, a day of the room's own calendar, are these, whatever it said of the day before.

    A step of telemetry, in the caller's transaction; the same figures again change nothing. Figures of a day that is over
    already enter the reports with the next run. Of several days the oldest comes first: as the run that adds up does,
    one waits for the room's place in the reports before its days. Raises UnusableUse for a day to come or more than 7 days
    ago, for more minutes than a day has, and for more poor calls than calls.
    """
    today = today_of(room)
    if not today - timedelta(days=DAYS_BACK) <= day <= today:
        raise UnusableUse
    if not (0 <= booked_minutes <= MOST_MINUTES and 0 <= poor_calls <= calls <= MOST_CALLS):
        raise UnusableUse
    if day < today:
        # First, as the run does: two that wait for each other would both lose.
        ReportRoom.objects.filter(pk=room.pk).update(reckoned_at=None, summed_through=None)
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "tenant": room.tenant_id,
                "room": room.pk,
                "day": day,
                "booked": booked_minutes,
                "calls": calls,
                "poor": poor_calls,
            },
        )


def today_of(room: Room) -> date:
    """Today, where the room is; the tenant's clock counts for a room that does not know its time zone."""
    with connection.cursor() as cursor:
        cursor.execute(_TODAY, [room.pk])
        today: date = cursor.fetchone()[0]
    return today

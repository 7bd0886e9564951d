"""The days of rooms, worked out from their health in sets: batch by batch, each a transaction of its own.

A day is settled once it is over by the room's own clock; until then it is provisional and worked out again every hour.
A batch begins where the last one stopped, however long ago that was, and a second run at the same time takes other rooms.
Nothing here adds to what is there: whatever is done twice is the same as done once.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from rooms.models import PERIODS, ReportRoom, Room, RoomState

# Only these enter reports (product contract §7.1).
REPORTED = (RoomState.ENROLLED, RoomState.SUPPRESSED)
# A day with more seconds than this is an unhealthy one (product contract §7.6).
MOST_SECONDS = 20 * 60
KEPT_DAYS = max(PERIODS) + 10
BATCH = 300
AGAIN_AFTER = timedelta(hours=1)
# A day counts as over only when no transaction can still be writing to it.
GRACE = timedelta(minutes=10)

# A room that enters reports for the first time gets its place, and begins with the first day it has a health of.
_ENTER = """
WITH held AS MATERIALIZED (
    SELECT tenant_id, slots FROM rooms_reporttenant WHERE tenant_id = %(tenant)s
), entered AS (
    INSERT INTO rooms_reportroom (room_id, tenant_id, slot, settled_through)
    SELECT r.id, r.tenant_id, held.slots + row_number() OVER (ORDER BY r.id) - 1, COALESCE(
        (SELECT (min(p.began_at) AT TIME ZONE trm_zone(r.time_zone, t.time_zone))::date - 1
            FROM rooms_healthperiod p WHERE p.room_id = r.id),
        (trm_now() AT TIME ZONE trm_zone(r.time_zone, t.time_zone))::date - 1)
    FROM held JOIN rooms_room r ON r.tenant_id = held.tenant_id JOIN rbac_tenant t ON t.id = r.tenant_id
    WHERE r.state = ANY(%(reported)s) AND NOT EXISTS (SELECT FROM rooms_reportroom s WHERE s.room_id = r.id)
    LIMIT %(limit)s
    RETURNING room_id
)
UPDATE rooms_reporttenant SET slots = slots + (SELECT count(*) FROM entered) WHERE tenant_id = %(tenant)s
RETURNING (SELECT count(*) FROM entered)
"""
_PICK = """
SELECT room_id, trm_now() FROM rooms_reportroom
WHERE reckoned_at IS NULL OR reckoned_at < trm_now() - %(again)s
ORDER BY reckoned_at NULLS FIRST LIMIT %(batch)s FOR UPDATE SKIP LOCKED
"""
_DUE = """
WITH due AS MATERIALIZED (
    SELECT s.room_id, s.tenant_id, s.settled_through, s.summed_through, z.zone, r.state,
        ((%(now)s - %(grace)s) AT TIME ZONE z.zone)::date AS today,
        ((%(now)s - %(grace)s) AT TIME ZONE trm_zone(t.time_zone))::date - 1 AS complete
    FROM rooms_reportroom s
    JOIN rooms_room r ON r.id = s.room_id JOIN rbac_tenant t ON t.id = s.tenant_id
    CROSS JOIN LATERAL trm_zone(r.time_zone, t.time_zone) AS z(zone)
    WHERE s.room_id = ANY(%(rooms)s)
)
"""
_MEASURE = (
    _DUE  # noqa: S608 - our own text
    + """
, days AS MATERIALIZED (
    SELECT room_id, tenant_id, d::date AS day, (d::date + time '05:00') AT TIME ZONE zone AS from_at,
        LEAST((d::date + time '21:00') AT TIME ZONE zone, %(now)s) AS until
    FROM due, generate_series(GREATEST(settled_through + 1, today - %(kept)s)::timestamp, today::timestamp + '1 day',
        interval '1 day') d
), measured AS (
    SELECT days.tenant_id, days.room_id, days.day, p.health, sum(extract(epoch FROM
        LEAST(COALESCE(p.ended_at, days.until), days.until) - GREATEST(p.began_at, days.from_at))) AS seconds
    FROM days JOIN rooms_healthperiod p ON p.room_id = days.room_id AND p.began_at < days.until
        AND (p.ended_at IS NULL OR p.ended_at > days.from_at) AND days.from_at < days.until
        AND (p.ended_at IS NULL OR p.ended_at > p.began_at)
    GROUP BY days.tenant_id, days.room_id, days.day, p.health
)
INSERT INTO rooms_roomday AS known (tenant_id, room_id, day, healthy, unhealthy, unmonitored)
SELECT tenant_id, room_id, day,
    COALESCE(sum(ceil(seconds)) FILTER (WHERE health = 'healthy'), 0),
    COALESCE(sum(ceil(seconds)) FILTER (WHERE health = 'unhealthy'), 0),
    COALESCE(sum(ceil(seconds)) FILTER (WHERE health = 'unmonitored'), 0)
FROM measured GROUP BY tenant_id, room_id, day
ON CONFLICT (room_id, day) DO UPDATE
SET healthy = excluded.healthy, unhealthy = excluded.unhealthy, unmonitored = excluded.unmonitored
WHERE (known.healthy, known.unhealthy, known.unmonitored)
    IS DISTINCT FROM (excluded.healthy, excluded.unhealthy, excluded.unmonitored)
"""
)
# Complete days only: a period says the same all day long, unless something comes in late.
_SUM = (
    _DUE  # noqa: S608 - our own text
    + """
INSERT INTO rooms_roomperiod AS known (tenant_id, room_id, days, watched_days, unhealthy_days, unhealthy_seconds,
    used_days, booked_minutes, calls, poor_calls)
SELECT due.tenant_id, due.room_id, p.days, count(d.day), count(d.day) FILTER (WHERE d.unhealthy > %(most)s),
    COALESCE(sum(d.unhealthy), 0), count(d.booked_minutes), COALESCE(sum(d.booked_minutes), 0),
    COALESCE(sum(d.calls), 0), COALESCE(sum(d.poor_calls), 0)
FROM due CROSS JOIN unnest(%(periods)s) AS p(days)
LEFT JOIN rooms_roomday d ON d.room_id = due.room_id AND d.day > due.complete - p.days
    AND d.day <= LEAST(due.complete, due.today - 1) AND d.healthy + d.unhealthy + d.unmonitored > 0
WHERE due.state = ANY(%(reported)s)
    AND (due.summed_through IS DISTINCT FROM due.complete OR due.settled_through < due.today - 1
        OR NOT EXISTS (SELECT FROM rooms_roomperiod k WHERE k.room_id = due.room_id))
GROUP BY due.tenant_id, due.room_id, p.days
ON CONFLICT (room_id, days) DO UPDATE SET watched_days = excluded.watched_days,
    unhealthy_days = excluded.unhealthy_days, unhealthy_seconds = excluded.unhealthy_seconds,
    used_days = excluded.used_days, booked_minutes = excluded.booked_minutes, calls = excluded.calls,
    poor_calls = excluded.poor_calls
WHERE (known.watched_days, known.unhealthy_days, known.unhealthy_seconds, known.used_days, known.booked_minutes,
    known.calls, known.poor_calls) IS DISTINCT FROM (excluded.watched_days, excluded.unhealthy_days,
    excluded.unhealthy_seconds, excluded.used_days, excluded.booked_minutes, excluded.calls, excluded.poor_calls)
"""
)
_FORGET = (
    _DUE
    + """
DELETE FROM rooms_roomday d USING due
WHERE d.room_id = due.room_id AND d.day < due.today - %(kept)s AND due.settled_through < due.today - 1
"""
)
# The bits of these days are to be drawn again. The rows of the tenants are taken in order: two batches never wait in a ring.
_TELL = (
    _DUE  # noqa: S608 - our own text
    + """
, first AS (
    SELECT tenant_id, min(LEAST(settled_through + 1, complete + 1)) AS day FROM due GROUP BY tenant_id
), held AS MATERIALIZED (
    SELECT t.tenant_id, first.day FROM rooms_reporttenant t JOIN first USING (tenant_id)
    ORDER BY t.tenant_id FOR UPDATE OF t
)
UPDATE rooms_reporttenant t SET dirty_from = LEAST(t.dirty_from, held.day) FROM held WHERE held.tenant_id = t.tenant_id
"""
)
_DONE = (
    _DUE
    + """
UPDATE rooms_reportroom s SET reckoned_at = %(now)s, settled_through = GREATEST(s.settled_through, due.today - 1),
    summed_through = CASE WHEN due.state = ANY(%(reported)s) THEN due.complete END
FROM due WHERE due.room_id = s.room_id
"""
)


@transaction.atomic
def enter(tenant: UUID, limit: int = BATCH) -> int:
    """Up to `limit` rooms of the tenant (its id) that enter reports for the first time have their place; how many."""
    values: dict[str, Any] = {"tenant": tenant, "reported": _states(), "limit": limit}
    with connection.cursor() as cursor:
        # Held by a statement of its own: what the next one sees is from after the wait.
        cursor.execute("SELECT FROM rooms_reporttenant WHERE tenant_id = %(tenant)s FOR UPDATE", values)
        cursor.execute(_ENTER, values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@transaction.atomic
def reckon(batch: int = BATCH) -> int:
    """The days and periods of up to `batch` rooms that are due are those of now; how many rooms that was."""
    asked: dict[str, Any] = {"again": AGAIN_AFTER, "batch": batch}
    with connection.cursor() as cursor:
        cursor.execute(_PICK, asked)
        picked = cursor.fetchall()
        if picked:
            values = _values(sorted(room for room, _ in picked), picked[0][1])
            for statement in (_MEASURE, _SUM, _FORGET, _TELL, _DONE):
                cursor.execute(statement, values)
    return len(picked)


def _values(rooms: list[int], now: datetime) -> dict[str, Any]:
    return {
        "rooms": rooms,
        "now": now,
        "grace": GRACE,
        "kept": KEPT_DAYS,
        "most": MOST_SECONDS,
        "periods": list(PERIODS),
        "reported": _states(),
    }


def begin_again(rooms: list[Room]) -> None:
    """The days of `rooms` are worked out anew from all that is known of their health; for histories that were brought in."""
    ReportRoom.objects.filter(room__in=rooms).delete()


def _states() -> list[str]:
    return [state.value for state in REPORTED]

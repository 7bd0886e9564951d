"""A room's health: what its incidents, its silence and its signals say, worked out in sets.

Who changes one of these calls `settle` in the same transaction. Telemetry is measurement, not change: it leaves no line in
the audit log; a ticket that it opens does.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import connection

from rooms.models import IMPAIRING, ActivityKind, Room

# One report every 5 minutes; a room that has not been heard of for three of them is unmonitored (product contract §7.2).
SILENT_AFTER = timedelta(minutes=15)

_WANTED = """
SELECT r.id, r.tenant_id, r.state, r.health AS had, CASE
    WHEN r.state NOT IN ('enrolled', 'suppressed') THEN 'unmonitored'
    WHEN EXISTS (
        SELECT 1 FROM rooms_ticketroom tied JOIN rooms_ticket t ON t.id = tied.ticket_id
        WHERE tied.room_id = r.id AND t.is_high_impact AND t.state <> 'closed'
    ) THEN 'unhealthy'
    WHEN r.last_seen_at IS NULL OR r.last_seen_at < trm_now() - %(silent)s THEN 'unmonitored'
    WHEN EXISTS (
        SELECT 1 FROM rooms_healthsignal s WHERE s.room_id = r.id AND NOT s.is_ok AND s.severity = ANY(%(impairing)s)
    ) THEN 'unhealthy'
    ELSE 'healthy' END AS health
FROM rooms_room r WHERE r.id = ANY(%(rooms)s)
"""
_CHANGE = f"""
WITH wanted AS MATERIALIZED ({_WANTED}),
moved AS (UPDATE rooms_room SET health = wanted.health FROM wanted
    WHERE rooms_room.id = wanted.id AND wanted.health <> wanted.had)
INSERT INTO rooms_roomactivity (tenant_id, room_id, at, kind, by, detail)
SELECT tenant_id, id, trm_now(), %(kind)s, '', jsonb_build_object('before', had, 'after', health)
FROM wanted WHERE health <> had RETURNING room_id
"""  # noqa: S608 - our own text
# Only an enrolled room has a history: time before, during maintenance and after counts for nobody.
_CLOSE = """
UPDATE rooms_healthperiod p SET ended_at = GREATEST(trm_now(), p.began_at) FROM rooms_room r
WHERE r.id = ANY(%(rooms)s) AND p.room_id = r.id AND p.ended_at IS NULL
    AND (r.state <> 'enrolled' OR p.health <> r.health)
"""
_OPEN = """
INSERT INTO rooms_healthperiod (tenant_id, room_id, health, began_at)
SELECT r.tenant_id, r.id, r.health, trm_now() FROM rooms_room r
WHERE r.id = ANY(%(rooms)s) AND r.state = 'enrolled'
    AND NOT EXISTS (SELECT 1 FROM rooms_healthperiod p WHERE p.room_id = r.id AND p.ended_at IS NULL)
"""


def settle(rooms: Collection[int]) -> set[int]:
    """The health of `rooms` (ids) and its history are what they have to be now; the ids of those that changed.

    A step of a change that has asked: it runs in the caller's transaction and locks the rooms, in order of their ids.
    """
    values: dict[str, Any] = {
        "rooms": sorted(rooms),
        "silent": SILENT_AFTER,
        "impairing": [severity.value for severity in IMPAIRING],
        "kind": ActivityKind.HEALTH.value,
    }
    list(Room.objects.filter(pk__in=rooms).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE, values)
        changed = {room for (room,) in cursor.fetchall()}
        cursor.execute(_CLOSE, values)
        cursor.execute(_OPEN, values)
    return changed

"""Rooms take part in a rollout: spread over its nights when it begins, one by one when they come later. In sets.

Steps of larger changes, in the caller's transaction, which holds the tenant (`rollouts.hold`).
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import BigIntegerField, F, Func, QuerySet
from django.db.models.lookups import LessThan

from audit.clock import Now, now
from rooms.models import MONITORED, OPEN_UPDATES, Release, Rollout, Room, RoomUpdate, RoomUpdateState
from rooms.nights import Night, next_night, night_from, night_of, zone_of

# Rooms that have the version are done; the others are spread evenly, in order of their ids, so that nobody's night
# depends on when the portal looks. A room that had left and comes back takes part anew.
_TAKE_IN = """
INSERT INTO rooms_roomupdate
    (tenant_id, rollout_id, room_id, state, starts_at, ends_at, attempts, forced_by, failure, changed_at)
SELECT r.tenant_id, %(rollout)s, r.id, CASE WHEN r.is_behind THEN %(state)s ELSE 'done' END,
    n.starts_at, n.ends_at, 0, '', '', trm_now()
FROM (
    SELECT id, tenant_id, time_zone, is_behind,
        (row_number() OVER w - 1) * %(days)s / count(*) OVER (PARTITION BY is_behind) AS day
    FROM (
        SELECT id, tenant_id, time_zone, trm_version_order(app_version) < %(order)s AS is_behind
        FROM rooms_room WHERE ring_id = %(ring)s AND state = ANY(%(monitored)s)
            AND (%(rooms)s::bigint[] IS NULL OR id = ANY(%(rooms)s))
    ) one WINDOW w AS (PARTITION BY is_behind ORDER BY id)
) r
JOIN unnest(%(zones)s::text[], %(numbers)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
    AS n(zone, day, starts_at, ends_at) ON n.zone = r.time_zone AND n.day = r.day
WHERE r.is_behind OR %(with_done)s
ON CONFLICT (rollout_id, room_id) DO UPDATE SET state = excluded.state, starts_at = excluded.starts_at,
    ends_at = excluded.ends_at, attempts = 0, forced_by = '', failure = '', changed_at = excluded.changed_at
WHERE rooms_roomupdate.state = 'ended'
"""


def begin(rollout: Rollout) -> int:
    """Every room of the ring that devices are monitored in takes part, each in a night of its own calendar.

    How many have something to install; if none has, nothing is written.
    """
    if not behind(rollout.release).filter(ring=rollout.ring_id).exists():
        return 0
    days = (rollout.ends_on - rollout.starts_on).days + 1
    at = now()
    nights = {
        (name, number): night_from(rollout.starts_on + timedelta(days=number), zone, at)
        for name, zone in zones_of(rollout).items()
        for number in range(days)
    }
    return _take_in(rollout, nights, days=days, with_done=True)


def take_in(rollout: Rollout, rooms: Collection[int] | None = None) -> int:
    """Rooms of the ring (those of `rooms`, if given) that lack the version and have no part in the begun rollout get
    the next night; how many. A rollout that was at its end goes on."""
    at = now()
    nights = {(name, 0): next_night(at, zone) for name, zone in zones_of(rollout).items()}
    return _take_in(rollout, nights, days=1, with_done=False, rooms=rooms)


def _take_in(
    rollout: Rollout,
    nights: dict[tuple[str, int], Night],
    *,
    days: int,
    with_done: bool,
    rooms: Collection[int] | None = None,
) -> int:
    values: dict[str, Any] = {
        "rollout": rollout.pk,
        "ring": rollout.ring_id,
        "order": rollout.release.order,
        "state": RoomUpdateState.WAITING.value,
        "monitored": [state.value for state in MONITORED],
        "rooms": None if rooms is None else sorted(rooms),
        "days": days,
        "with_done": with_done,
        "zones": [zone for zone, _ in nights],
        "numbers": [number for _, number in nights],
        "starts": [night.starts_at for night in nights.values()],
        "ends": [night.ends_at for night in nights.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_IN, values)
        return int(cursor.rowcount)


def behind(release: Release) -> QuerySet[Room]:
    """The monitored rooms, of all tenants, whose app is older than `release`."""
    rooms = Room.objects.filter(state__in=MONITORED)
    order = Func(F("app_version"), function="trm_version_order", output_field=BigIntegerField())
    return rooms.filter(LessThan(order, release.order))


def zones_of(rollout: Rollout) -> dict[str, ZoneInfo]:
    """What the ring's rooms say of their time zone, and the one they go by; the tenant's, where they say nothing."""
    names = Room.objects.filter(ring=rollout.ring_id).order_by().values_list("time_zone", flat=True).distinct()
    return {name: zone_of(name, rollout.tenant.time_zone) for name in names}


def first_night(rollout: Rollout) -> datetime:
    """When the first of the ring's rooms enters the day on which the rollout starts."""
    zones = [*zones_of(rollout).values()] or [zone_of("", rollout.tenant.time_zone)]
    return min(night_of(rollout.starts_on, zone).starts_at for zone in zones)


def wait_for_next_night(updates: QuerySet[RoomUpdate], **fields: Any) -> int:
    """`updates` wait for the next night of their rooms, with `fields` set; how many. One statement for each time zone."""
    at, ids = now(), defaultdict(list)
    for pk, *zones in updates.order_by("pk").values_list("pk", "room__time_zone", "tenant__time_zone"):
        ids[tuple(zones)].append(pk)
    for (room_zone, tenant_zone), some in ids.items():
        night = next_night(at, zone_of(room_zone, tenant_zone))
        waiting = {"state": RoomUpdateState.WAITING, "starts_at": night.starts_at, "ends_at": night.ends_at}
        RoomUpdate.objects.filter(pk__in=some).update(**waiting, changed_at=Now(), **fields)
    return sum(map(len, ids.values()))


def end_open(updates: QuerySet[RoomUpdate]) -> int:
    """Those of `updates` that are open are no longer due; how many were."""
    return updates.filter(state__in=OPEN_UPDATES).update(state=RoomUpdateState.ENDED, changed_at=Now())

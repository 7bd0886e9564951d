"""What the rooms of a tenant add up to, for readers of all of them; and the run that keeps all reports going."""

import time
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from rooms.models import PERIODS
from rooms.services import room_days
from rooms.services.room_days import MOST_SECONDS, REPORTED

HEALTH_DAYS = 90  # how far the history of health goes back (product contract §7.6)
PERIODS_KEPT = timedelta(days=100)  # of health, minute by minute; by then their days are settled
SECONDS = 240.0  # a run stops after these; the next one goes on
AGAIN_AFTER = timedelta(minutes=10)
_BITS_AT_ONCE = 200_000  # places that one statement draws
_FORGOTTEN_AT_ONCE = 20_000

_BEGIN = """
INSERT INTO rooms_reporttenant (tenant_id, slots, day, reckoned_at, rooms, open_tickets)
SELECT t.id, 0, (trm_now() AT TIME ZONE trm_zone(t.time_zone))::date - 1, trm_now() - interval '1 day', '[]', 0
FROM rbac_tenant t
WHERE EXISTS (SELECT FROM rooms_room r WHERE r.tenant_id = t.id AND r.state = ANY(%(reported)s))
    AND NOT EXISTS (SELECT FROM rooms_reporttenant k WHERE k.tenant_id = t.id)
ORDER BY t.id ON CONFLICT (tenant_id) DO NOTHING
"""
_TENANTS = """
SELECT tenant_id FROM rooms_reporttenant
WHERE dirty_from IS NOT NULL OR reckoned_at < trm_now() - %(again)s ORDER BY reckoned_at
"""
_HOLD = """
SELECT k.slots, k.dirty_from, (trm_now() AT TIME ZONE trm_zone(t.time_zone))::date,
    ((trm_now() - %(grace)s) AT TIME ZONE trm_zone(t.time_zone))::date - 1, trm_zone(t.time_zone)
FROM rooms_reporttenant k JOIN rbac_tenant t ON t.id = k.tenant_id
WHERE k.tenant_id = %(tenant)s FOR UPDATE OF k SKIP LOCKED
"""
_DRAW = """
INSERT INTO rooms_healthday (tenant_id, day, watched, unhealthy, unmonitored)
SELECT %(tenant)s, day,
    string_agg(CASE WHEN seen THEN '1' ELSE '0' END, '' ORDER BY slot)::varbit,
    string_agg(CASE WHEN seen AND is_unhealthy THEN '1' ELSE '0' END, '' ORDER BY slot)::varbit,
    string_agg(CASE WHEN seen AND NOT is_unhealthy AND is_silent THEN '1' ELSE '0' END, '' ORDER BY slot)::varbit
FROM (
    SELECT d.day::date AS day, n.slot, x.healthy + x.unhealthy + x.unmonitored > 0 AS seen,
        x.unhealthy > %(most)s AS is_unhealthy, x.unmonitored > x.healthy + x.unhealthy AS is_silent
    FROM generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') d(day)
    CROSS JOIN generate_series(0, %(slots)s - 1) n(slot)
    LEFT JOIN rooms_reportroom s ON s.tenant_id = %(tenant)s AND s.slot = n.slot
    LEFT JOIN rooms_roomday x ON x.room_id = s.room_id AND x.day = d.day::date
) place GROUP BY day
ON CONFLICT (tenant_id, day) DO UPDATE
SET watched = excluded.watched, unhealthy = excluded.unhealthy, unmonitored = excluded.unmonitored
"""
# Rooms that have left the reports; should they come back, `reckon` adds up their periods anew.
_LEAVE = """
DELETE FROM rooms_roomperiod p USING rooms_room r
WHERE p.tenant_id = %(tenant)s AND r.id = p.room_id AND r.state <> ALL(%(reported)s)
"""
_COUNT = """
WITH mask AS MATERIALIZED (
    SELECT string_agg(CASE WHEN r.state = ANY(%(reported)s) THEN '1' ELSE '0' END, '' ORDER BY n.slot)::varbit AS bits
    FROM generate_series(0, %(slots)s - 1) n(slot)
    LEFT JOIN rooms_reportroom s ON s.tenant_id = %(tenant)s AND s.slot = n.slot
    LEFT JOIN rooms_room r ON r.id = s.room_id
)
UPDATE rooms_healthday h SET
    watched_rooms = bit_count(h.watched & substring(mask.bits from 1 for length(h.watched))),
    unhealthy_rooms = bit_count(h.unhealthy & substring(mask.bits from 1 for length(h.watched))),
    unmonitored_rooms = bit_count(h.unmonitored & substring(mask.bits from 1 for length(h.watched)))
FROM mask WHERE h.tenant_id = %(tenant)s
"""
_PERIODS = """
INSERT INTO rooms_tenantperiod (tenant_id, days, rooms, watched_days, unhealthy_days, used_days, booked_minutes, calls,
    poor_calls)
SELECT %(tenant)s, w.days, count(p.room_id), COALESCE(sum(p.watched_days), 0), COALESCE(sum(p.unhealthy_days), 0),
    COALESCE(sum(p.used_days), 0), COALESCE(sum(p.booked_minutes), 0), COALESCE(sum(p.calls), 0),
    COALESCE(sum(p.poor_calls), 0)
FROM unnest(%(periods)s) AS w(days)
LEFT JOIN rooms_roomperiod p ON p.tenant_id = %(tenant)s AND p.days = w.days AND p.watched_days > 0
GROUP BY w.days
ON CONFLICT (tenant_id, days) DO UPDATE SET rooms = excluded.rooms, watched_days = excluded.watched_days,
    unhealthy_days = excluded.unhealthy_days, used_days = excluded.used_days,
    booked_minutes = excluded.booked_minutes, calls = excluded.calls, poor_calls = excluded.poor_calls
"""
_REPORTED_TICKET = """
EXISTS (SELECT FROM rooms_ticketroom tied JOIN rooms_room r ON r.id = tied.room_id
    WHERE tied.ticket_id = t.id AND r.state = ANY(%(reported)s))
"""
_TICKETS = f"""
WITH fresh AS MATERIALIZED (
    SELECT (e.at AT TIME ZONE %(zone)s)::date AS day, t.signal_category AS category,
        count(*) FILTER (WHERE e.kind <> 'closed') AS opened, count(*) FILTER (WHERE e.kind = 'closed') AS closed
    FROM rooms_ticketentry e JOIN rooms_ticket t ON t.id = e.ticket_id
    WHERE e.tenant_id = %(tenant)s AND e.kind IN ('opened', 'closed', 'reopened') AND e.at <= trm_now()
        AND e.at >= (%(kept_from)s::timestamp AT TIME ZONE %(zone)s) AND {_REPORTED_TICKET}
    GROUP BY 1, 2
), gone AS (
    DELETE FROM rooms_ticketday k WHERE k.tenant_id = %(tenant)s
        AND NOT EXISTS (SELECT FROM fresh WHERE fresh.day = k.day AND fresh.category = k.category)
)
INSERT INTO rooms_ticketday AS known (tenant_id, day, category, opened, closed)
SELECT %(tenant)s, day, category, opened, closed FROM fresh
ON CONFLICT (tenant_id, day, category) DO UPDATE SET opened = excluded.opened, closed = excluded.closed
WHERE (known.opened, known.closed) IS DISTINCT FROM (excluded.opened, excluded.closed)
"""  # noqa: S608 - our own text
_STAND = f"""
UPDATE rooms_reporttenant k SET day = %(complete)s, reckoned_at = trm_now(),
    rooms = COALESCE((SELECT jsonb_agg(jsonb_build_array(state, health, number) ORDER BY state, health) FROM (
        SELECT state, health, count(*) AS number FROM rooms_room
        WHERE tenant_id = %(tenant)s AND state = ANY(%(reported)s) GROUP BY state, health) one), '[]'),
    open_tickets = (SELECT count(*) FROM rooms_ticket t
        WHERE t.tenant_id = %(tenant)s AND t.state <> 'closed' AND {_REPORTED_TICKET})
WHERE k.tenant_id = %(tenant)s
"""  # noqa: S608 - our own text

_FORGET = """
DELETE FROM rooms_healthperiod WHERE id IN (
    SELECT p.id FROM rooms_healthperiod p JOIN rooms_reportroom s ON s.room_id = p.room_id
    WHERE p.ended_at < trm_now() - %(kept)s AND (p.ended_at + interval '2 days')::date < s.settled_through
    LIMIT %(most)s
)
"""


def run(seconds: float = SECONDS) -> bool:
    """All reports are those of now, or of an hour ago at most; whether `seconds` were enough for that.

    Safe twice at once, and whenever it dies: everything is committed in steps that can be repeated.
    """
    until = time.monotonic() + seconds
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, {"reported": list(REPORTED)})
    for tenant in _due():
        while room_days.enter(tenant) and time.monotonic() < until:
            pass
    while room_days.reckon():
        if time.monotonic() > until:
            return False
    for tenant in _due():
        while draw(tenant):
            if time.monotonic() > until:
                return False
        add_up(tenant)
    return True


def _due() -> list[UUID]:
    """The tenants whose rooms changed, or whose figures have some age."""
    asked: dict[str, Any] = {"again": AGAIN_AFTER}
    with connection.cursor() as cursor:
        cursor.execute(_TENANTS, asked)
        return [tenant for (tenant,) in cursor.fetchall()]


def _hold(cursor: Any, tenant: UUID) -> Any:
    """Places, first day to be drawn, today, last complete day, time zone; None while another run is at it."""
    cursor.execute(_HOLD, {"tenant": tenant, "grace": room_days.GRACE})
    return cursor.fetchone()


@transaction.atomic
def draw(tenant: UUID) -> bool:
    """Some days of the tenant whose bits are not those of its rooms are drawn again; whether there are more."""
    with connection.cursor() as cursor:
        held = _hold(cursor, tenant)
        if held is None:  # another run is at it
            return False
        slots, dirty, today, _complete, _zone = held
        if dirty is None:
            return False
        first = max(dirty, today - timedelta(days=HEALTH_DAYS))
        last = min(today, first + timedelta(days=max(_BITS_AT_ONCE // max(slots, 1), 1) - 1))
        if slots and first <= today:
            values = {"tenant": tenant, "slots": slots, "first": first, "last": last, "most": MOST_SECONDS}
            cursor.execute(_DRAW, values)
        rest = last + timedelta(days=1) if last < today else None
        cursor.execute("UPDATE rooms_reporttenant SET dirty_from = %s WHERE tenant_id = %s", [rest, tenant])
    return rest is not None


@transaction.atomic
def add_up(tenant: UUID) -> None:
    """What readers of all rooms see of the tenant is as of now, and what is too old for them is gone."""
    with connection.cursor() as cursor:
        held = _hold(cursor, tenant)
        if held is None:
            return
        slots, _dirty, today, complete, zone = held
        values = {
            "tenant": tenant,
            "slots": slots,
            "complete": complete,
            "zone": zone,
            "reported": list(REPORTED),
            "periods": list(PERIODS),
            "kept_from": _kept_from(today),
        }
        cursor.execute(
            "DELETE FROM rooms_healthday WHERE tenant_id = %s AND day < %s",
            [tenant, today - timedelta(days=HEALTH_DAYS)],
        )
        for statement in (_LEAVE, _COUNT, _PERIODS, _TICKETS, _STAND):
            cursor.execute(statement, values)


def _kept_from(today: date) -> date:
    return today - timedelta(days=max(PERIODS))


def forget() -> int:
    """Health, minute by minute, that ended 100 days ago and is settled into days is gone; how many stretches that was."""
    asked: dict[str, Any] = {"kept": PERIODS_KEPT, "most": _FORGOTTEN_AT_ONCE}
    gone = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_FORGET, asked)
            gone += int(cursor.rowcount)
            if cursor.rowcount < _FORGOTTEN_AT_ONCE:
                return gone

"""What devices report: signals, versions, usage; and what their silence says.

Telemetry is measurement and leaves no line in the audit log; a ticket that it opens, reopens or closes does. A report
costs the same few statements whatever the number of rooms and signals.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.clock import Now
from audit.log import together
from rbac.models import TenantStatus
from rooms.errors import DeviceRefused, UnusableUse
from rooms.models import Device, Health, Room, RoomState
from rooms.services import health, keys, rollouts, system_tickets, usage

EVERY = timedelta(minutes=5)  # how often a device reports (product contract §7.2)
MOST_SIGNALS = 100
BATCH = 500  # silent rooms marked in one transaction

# Only what changed moves `since`. A row that says what it said before is written once an hour, not with every report.
_SIGNALS = """
INSERT INTO rooms_healthsignal AS s (tenant_id, room_id, category, name, severity, is_ok, since, reported_at)
SELECT %(tenant)s, %(room)s, said.category, said.name, said.severity, said.is_ok, trm_now(), trm_now()
FROM unnest(%(categories)s::text[], %(names)s::text[], %(severities)s::text[], %(oks)s::boolean[])
    said(category, name, severity, is_ok)
ON CONFLICT (room_id, category, name) DO UPDATE SET
    severity = excluded.severity, is_ok = excluded.is_ok, reported_at = excluded.reported_at,
    since = CASE WHEN s.is_ok = excluded.is_ok THEN s.since ELSE excluded.since END
WHERE (s.is_ok, s.severity) <> (excluded.is_ok, excluded.severity)
    OR s.reported_at < excluded.reported_at - interval '1 hour'
"""


@dataclass(frozen=True)
class Signal:
    """What a device says of one thing."""

    category: str
    name: str
    severity: str
    is_ok: bool


@dataclass(frozen=True)
class Usage:
    """What a room was used for on one day of its own calendar."""

    day: date
    booked_minutes: int
    calls: int
    poor_calls: int


@dataclass(frozen=True)
class Report:
    """One report of a device."""

    signals: Sequence[Signal]
    app_version: str
    os_version: str
    usage: Sequence[Usage] = field(default_factory=list)
    failure: str = ""  # why an update could not be installed


def device_of(token: str) -> Device | None:
    """The live device whose token this is, with its room and tenant."""
    found = Device.objects.filter(token_digest=keys.digest_of(token), revoked_at__isnull=True)
    found = found.exclude(tenant__status=TenantStatus.CLOSED)
    return found.select_related("room__tenant", "room__ring").first()


def record(device: Device, report: Report) -> list[date]:
    """What `device` reports is what the portal knows of its room: signals, tickets, health, versions, usage, updates.

    The answer names the days whose figures cannot be used: a device whose clock is wrong is heard in all else. Raises
    DeviceRefused if the device was revoked in the meantime.
    """
    with together():
        room = Room.objects.select_for_update(no_key=True).get(pk=device.room_id)
        room.tenant = device.room.tenant
        if not Device.objects.filter(pk=device.pk, revoked_at__isnull=True).update(last_seen_at=Now()):
            raise DeviceRefused
        has_news = _write_signals(room, report.signals) or room.health == Health.UNMONITORED
        Room.objects.filter(pk=room.pk).update(
            last_seen_at=Now(), app_version=report.app_version, os_version=report.os_version
        )
        system_tickets.follow([room.pk])
        if has_news:
            health.settle([room.pk])
        rollouts.note_report(room, app_version=report.app_version, failure=report.failure)
        return [one.day for one in sorted(report.usage, key=lambda one: one.day) if not _note_usage(room, one)]


def mark_silent() -> int:
    """Every room that has not been heard of for 15 minutes is unmonitored; how many became so.

    In batches, each a transaction; twice at once it does no work twice and waits for nobody.
    """
    waiting = list(_silent().order_by("pk").values_list("pk", flat=True))
    return sum(_mark(waiting[start : start + BATCH]) for start in range(0, len(waiting), BATCH))


def _mark(some: Sequence[int]) -> int:
    with transaction.atomic():
        free = _silent().filter(pk__in=some).select_for_update(no_key=True, skip_locked=True)
        return len(health.settle(list(free.values_list("pk", flat=True))))


def _silent() -> QuerySet[Room]:
    monitored = (RoomState.ENROLLED, RoomState.SUPPRESSED)
    quiet = Room.objects.filter(state__in=monitored, last_seen_at__lt=Now() - health.SILENT_AFTER)
    return quiet.exclude(health=Health.UNMONITORED)


def _note_usage(room: Room, said: Usage) -> bool:
    """Whether the figures of a day could be used."""
    try:
        usage.note(room, said.day, booked_minutes=said.booked_minutes, calls=said.calls, poor_calls=said.poor_calls)
    except UnusableUse:
        return False
    return True


def _write_signals(room: Room, signals: Sequence[Signal]) -> bool:
    """Whether one of them says something new."""
    if not signals:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            _SIGNALS,
            {
                "tenant": room.tenant_id,
                "room": room.pk,
                "categories": [one.category for one in signals],
                "names": [one.name for one in signals],
                "severities": [one.severity for one in signals],
                "oks": [one.is_ok for one in signals],
            },
        )
        return bool(cursor.rowcount)

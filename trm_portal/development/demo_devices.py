"""Devices for the demo: keys, rooms in every state and health, incidents of every severity, and how it went for weeks.

Everything of today is done by the services. Time that is over is the one thing no service makes: `_let_time_pass` says
since when devices were there and writes the history that their reports would have left.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from audit.clock import now
from rbac.models import Tenant, User
from rooms.models import Device, Health, HealthPeriod, HealthSignal, Room, Ticket
from rooms.services import enrolments, health, keys, monitoring, telemetry
from rooms.services.enrolments import Introduction
from rooms.services.telemetry import Report, Signal, Usage

WEEKS = 6
RUNS = "5.1.214"
_WELL = (
    ("audio", "Microphone", "critical"),
    ("audio", "Speaker", "important"),
    ("display", "Front display", "important"),
    ("peripherals", "Camera", "critical"),
    ("connectivity", "Network", "important"),
    ("versioning", "System version", "recommendation"),
)
# What is not well, in every so many rooms.
_FAULTS = (
    ("peripherals", "Camera", "critical"),
    ("display", "Front display", "important"),
    ("audio", "Echo of the room", "warning"),
    ("versioning", "System version", "recommendation"),
)


def fill(admin: User) -> None:
    """The organisation of `admin` has a key in its second version, and a device in most of its rooms."""
    tenant = admin.tenant
    assert tenant is not None
    keys.reset(tenant, by=admin)
    secret = keys.download(tenant, by=admin)[1]
    rooms = list(Room.objects.filter(tenant=tenant).order_by("display_name", "pk"))
    chance = random.Random(tenant.name)  # noqa: S311 - the same demo every time
    devices = [
        (room, enrolments.enroll(secret, _introduction(room, number))[0])
        for number, room in enumerate(rooms)
        if number % 8 != 7  # these wait for their device
    ]
    watched = [(room, device) for number, (room, device) in enumerate(devices) if number % 12 != 11]
    for room, _ in watched:
        monitoring.enroll(room, by=admin)
    for number, (_, device) in enumerate(devices):
        telemetry.record(device, _report(number, chance))
    for room, _ in watched[4::17]:
        monitoring.suppress(room, by=admin, until=now() + timedelta(days=3), reason="New carpets")
    for room, _ in watched[9::40]:
        monitoring.unenroll(room, by=admin)
    keys.reset(tenant, by=admin, grace=timedelta(hours=48))
    _let_time_pass(tenant, chance)


def _introduction(room: Room, number: int) -> Introduction:
    return Introduction(
        resource_account=room.resource_account,
        host_name=f"MTR-{room.pk:05}",
        serial_number=f"8CG{number:07}",
        app_version=RUNS,
        os_version="10.0.26100",
    )


def _report(number: int, chance: random.Random) -> Report:
    fault = _FAULTS[number % 4] if number % 5 == 2 else None
    signals = [Signal(*one, is_ok=one != fault) for one in _WELL]
    if fault is not None and fault not in _WELL:
        signals.append(Signal(*fault, is_ok=False))
    day = now().date() - timedelta(days=1)
    calls = chance.randrange(2, 12)
    return Report(signals, RUNS, "10.0.26100", [Usage(day, calls * 45, calls, chance.randrange(0, 2))])


def _let_time_pass(tenant: Tenant, chance: random.Random) -> None:
    """As if all this had begun six weeks ago, and some devices had fallen silent today."""
    present = now()
    began = present - timedelta(weeks=WEEKS)
    Device.objects.filter(tenant=tenant).update(enrolled_at=began)
    open_ones = list(HealthPeriod.objects.filter(tenant=tenant, ended_at=None).select_related("room"))
    HealthPeriod.objects.filter(pk__in=[one.pk for one in open_ones]).delete()
    HealthPeriod.objects.bulk_create(
        [period for one in open_ones for period in _periods(one, began, present, chance)], batch_size=5000
    )
    for one in HealthSignal.objects.filter(tenant=tenant, is_ok=False):
        _backdate(one, present - timedelta(minutes=chance.randrange(30, 6 * 24 * 60)))
    silent = Room.objects.filter(tenant=tenant, state="enrolled", health=Health.HEALTHY).order_by("pk")[3:60:9]
    Room.objects.filter(pk__in=[room.pk for room in silent]).update(last_seen_at=present - timedelta(hours=3))
    health.settle([room.pk for room in silent])


def _periods(last: HealthPeriod, began: datetime, present: datetime, chance: random.Random) -> Iterator[HealthPeriod]:
    """Days of health with an hour or an afternoon of trouble between them, up to how the room is now."""
    at, is_well = began, True
    while True:
        hours = chance.uniform(24, 24 * 9) if is_well else chance.uniform(0.3, 7)
        ends = at + timedelta(hours=hours)
        trouble = Health.UNMONITORED if chance.random() < 0.3 else Health.UNHEALTHY
        how = Health.HEALTHY if is_well else trouble
        if ends >= present - timedelta(hours=8):
            break
        yield HealthPeriod(tenant_id=last.tenant_id, room=last.room, health=how, began_at=at, ended_at=ends)
        at, is_well = ends, not is_well
    turned = present - timedelta(hours=chance.uniform(0.5, 6))
    yield HealthPeriod(tenant_id=last.tenant_id, room=last.room, health=Health.HEALTHY, began_at=at, ended_at=turned)
    yield HealthPeriod(tenant_id=last.tenant_id, room=last.room, health=last.health, began_at=turned)


def _backdate(signal: HealthSignal, since: datetime) -> None:
    """The signal turned bad at `since`, and its ticket was opened then."""
    HealthSignal.objects.filter(pk=signal.pk).update(since=since)
    tickets = Ticket.objects.filter(
        kind="system",
        signal_room=signal.room_id,
        signal_category=signal.category,
        signal_name=signal.name,
    )
    tickets.update(opened_at=since, touched_at=since)

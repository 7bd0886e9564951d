"""Ninety days of made-up history for the rooms of the demo: health, use and tickets that were closed long ago.

The past is the one thing that no service can make, so this module alone writes rows of it: `HealthPeriod`, the use in
`RoomDay`, and tickets with their entries. What is now stays as the other parts of the demo left it.
"""

import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from audit.clock import now
from rbac.models import Tenant
from rooms.models import (
    ClosingReason,
    EntryKind,
    Health,
    HealthPeriod,
    Room,
    RoomDay,
    RoomState,
    Severity,
    SignalCategory,
    Ticket,
    TicketEntry,
    TicketKind,
    TicketRoom,
    TicketState,
)
from rooms.services import report_sums, room_days

DAYS = 90
# What goes wrong in meeting rooms, and how often.
TROUBLES = (
    (SignalCategory.PERIPHERALS, "Camera"),
    (SignalCategory.PERIPHERALS, "Touch console"),
    (SignalCategory.AUDIO, "Microphone"),
    (SignalCategory.DISPLAY, "Front of room display"),
    (SignalCategory.CONNECTIVITY, "Network"),
    (SignalCategory.CONNECTIVITY, "Network"),
)
Trouble = tuple[Health, datetime, datetime]


def fill(tenant: Tenant) -> None:
    """The enrolled rooms of `tenant` have a history of ninety days; where none is enrolled yet, most are from now on."""
    chance = random.Random(tenant.name)  # noqa: S311 - the same demo every time
    rooms = list(_enrolled(tenant, chance))
    HealthPeriod.objects.filter(room__in=rooms, ended_at__isnull=False).delete()
    for room in rooms:
        _remember(room, chance)
    room_days.begin_again(rooms)


def add_up() -> None:
    """The reports of all tenants show what is there."""
    while not report_sums.run():
        pass


def _enrolled(tenant: Tenant, chance: random.Random) -> Iterator[Room]:
    rooms = Room.objects.filter(tenant=tenant).select_related("tenant").order_by("pk")
    if not rooms.exclude(state=RoomState.ONBOARDING).exists():
        for room in rooms:
            if chance.random() < 0.9:
                room.state = RoomState.ENROLLED if chance.random() < 0.96 else RoomState.SUPPRESSED
                room.health = chance.choices(list(Health), (3, 92, 5))[0]
                room.save(update_fields=["state", "health"])
    yield from rooms.filter(state=RoomState.ENROLLED)


def _remember(room: Room, chance: random.Random) -> None:
    """How `room` was until what is known of it begins: well, but for its troubles."""
    known = HealthPeriod.objects.filter(room=room).first()
    until = known.began_at if known else now()
    since = until - timedelta(days=chance.choice((DAYS, DAYS, DAYS, 40)), hours=chance.randrange(24))
    troubles = list(_troubles(room, since, until, chance))
    periods: list[tuple[Health, datetime, datetime | None]] = []
    at = since
    for health, began, ended in troubles:
        periods += [(Health.HEALTHY, at, began), (health, began, ended)]
        at = ended
    periods.append((Health.HEALTHY, at, until))
    if known is None:
        periods[-1] = (Health.HEALTHY, at, until - timedelta(hours=2))
        periods.append((Health(room.health), until - timedelta(hours=2), None))
    HealthPeriod.objects.bulk_create(
        [
            HealthPeriod(tenant_id=room.tenant_id, room=room, health=health, began_at=began, ended_at=ended)
            for health, began, ended in periods
            if ended is None or ended > began
        ]
    )
    _remember_tickets(room, [one for one in troubles if one[0] == Health.UNHEALTHY], chance)
    _remember_use(room, since, until, chance)


def _troubles(room: Room, since: datetime, until: datetime, chance: random.Random) -> Iterator[Trouble]:
    """Now and then, in some rooms far more often: an hour or two, rarely more than a day."""
    zone = ZoneInfo(room.time_zone or room.tenant.time_zone)
    likely = chance.choices((0.004, 0.03, 0.14), (60, 30, 10))[0]
    day, last = since.astimezone(zone).date() + timedelta(days=1), until.astimezone(zone).date()
    while day < last:
        # Half way through, a faulty update: a bad week for everybody.
        worse = 4 if 48 <= (last - day).days < 53 else 1
        if chance.random() < likely * worse:
            began = datetime.combine(day, time(chance.randrange(6, 17), chance.randrange(60)), tzinfo=zone)
            ended = began + timedelta(minutes=chance.choice((12, 35, 90, 180, 240, 1700)))
            if ended < until - timedelta(hours=3):
                yield chance.choices((Health.UNHEALTHY, Health.UNMONITORED), (4, 1))[0], began, ended
            day += timedelta(days=2)
        day += timedelta(days=1)


def _remember_tickets(room: Room, troubles: list[Trouble], chance: random.Random) -> None:
    """One ticket for each signal of the room, opened again whenever it went wrong again."""
    events: dict[tuple[SignalCategory, str], list[tuple[EntryKind, datetime]]] = {}
    for _, began, ended in troubles:
        told = events.setdefault(chance.choice(TROUBLES), [])
        told += [(EntryKind.REOPENED if told else EntryKind.OPENED, began), (EntryKind.CLOSED, ended)]
    for (category, name), told in events.items():
        known = {"signal_room": room, "signal_category": category, "signal_name": name}
        if Ticket.objects.filter(**known).exists():
            continue
        ticket = Ticket.objects.create(
            tenant_id=room.tenant_id,
            kind=TicketKind.SYSTEM,
            state=TicketState.CLOSED,
            severity=Severity.IMPORTANT,
            title=name,
            opened_by="system",
            closing_reason=ClosingReason.SIGNAL_WELL,
            opened_at=told[0][1],
            touched_at=told[-1][1],
            closed_at=told[-1][1],
            **known,
        )
        TicketRoom.objects.create(tenant_id=room.tenant_id, ticket=ticket, room=room)
        TicketEntry.objects.bulk_create(
            [TicketEntry(tenant_id=room.tenant_id, ticket=ticket, kind=kind, at=at, by="system") for kind, at in told]
        )


def _remember_use(room: Room, since: datetime, until: datetime, chance: random.Random) -> None:
    """Booked on working days, most in the middle of the week; in most rooms one call in twenty is a poor one."""
    poor = chance.choices((0.03, 0.06, 0.2), (6, 3, 1))[0]
    favourite = chance.uniform(0.3, 1.1)
    first, last = since.date() + timedelta(days=1), until.date()
    days = []
    for back in range((last - first).days):
        day = first + timedelta(days=back)
        calls = 0 if day.weekday() > 4 else round(chance.gauss((5, 7, 8, 7, 4)[day.weekday()], 2) * favourite)
        calls = max(calls, 0)
        days.append(
            RoomDay(
                tenant_id=room.tenant_id,
                room=room,
                day=day,
                booked_minutes=min(calls * chance.randrange(25, 60), 600),
                calls=calls,
                poor_calls=sum(chance.random() < poor for _ in range(calls)),
            )
        )
    RoomDay.objects.bulk_create(days, ignore_conflicts=True)

"""What devices report: signals, tickets, health, silence; in how many statements."""

from datetime import timedelta

import pytest

from audit.log import together
from rooms.errors import DeviceRefused
from rooms.models import (
    ClosingReason,
    Health,
    HealthPeriod,
    HealthSignal,
    Room,
    RoomActivity,
    RoomState,
    Ticket,
    TicketEntry,
    TicketRoom,
)
from rooms.services import enrolments, health, system_tickets, telemetry
from rooms.services.telemetry import Signal
from tests.factories.devices import bad, enroll, report, well
from tests.factories.evidence import leaves, mark
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db

MINUTES = timedelta(minutes=1)


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def room(world):
    return world.contoso.rooms[0]


@pytest.fixture
def device(world, room):
    return enroll(world.contoso, room)[0]


def health_of(room: Room) -> str:
    return Room.objects.values_list("health", flat=True).get(pk=room.pk)


def entries(ticket: Ticket) -> list[str]:
    return list(TicketEntry.objects.filter(ticket=ticket).order_by("pk").values_list("kind", flat=True))


class leaves_ticket:  # noqa: N801 - reads as `leaves`
    """The block leaves one line about the one ticket there is afterwards."""

    def __init__(self, *operations: str) -> None:
        self.operations = operations

    def __enter__(self) -> None:
        self.evidence = mark()

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            name = f"#{Ticket.objects.get().pk} Camera"
            expected = [f"Contoso: Ticket/{one} {name} Successful system" for one in self.operations]
            assert self.evidence.lines == expected


def test_a_report_is_what_the_portal_knows(room, device):
    with leaves():
        report(device, well(), well("Speaker", "warning", "audio"), version="5.1.0")
    room.refresh_from_db()
    device.refresh_from_db()
    assert (room.app_version, room.os_version, room.health) == ("5.1.0", "11", "healthy")
    assert room.last_seen_at is not None
    assert device.last_seen_at is not None
    assert room.version == 1
    found = HealthSignal.objects.filter(room=room).order_by("name")
    assert list(found.values_list("category", "name", "severity", "is_ok")) == [
        ("peripherals", "Camera", "critical", True),
        ("audio", "Speaker", "warning", True),
    ]


def test_only_what_changed_moves_since(room, device, clock):
    report(device, well(), well("Speaker"))
    first = dict(HealthSignal.objects.values_list("name", "since"))
    clock.move(2 * MINUTES)
    report(device, bad(), well("Speaker", "warning"))
    then = dict(HealthSignal.objects.values_list("name", "since"))
    assert then["Speaker"] == first["Speaker"]
    assert then["Camera"] > first["Camera"]
    clock.move(2 * MINUTES)
    report(device, bad(severity="warning"))
    assert HealthSignal.objects.get(name="Camera").since == then["Camera"]
    assert HealthSignal.objects.get(name="Speaker").is_ok  # what is not named stays


@pytest.mark.parametrize(
    ("severity", "health_then"),
    [("critical", "unhealthy"), ("important", "unhealthy"), ("warning", "healthy"), ("recommendation", "healthy")],
)
def test_every_severity_opens_a_ticket_and_two_make_a_room_unhealthy(room, device, severity, health_then):
    with leaves_ticket("Create"):
        report(device, bad(severity=severity))
    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.state, ticket.severity, ticket.title) == ("system", "needs_action", severity, "Camera")
    assert (ticket.signal_room, ticket.signal_category, ticket.signal_name) == (room, "peripherals", "Camera")
    assert (ticket.tenant, ticket.opened_by) == (room.tenant, "system")
    assert list(TicketRoom.objects.values_list("ticket", "room")) == [(ticket.pk, room.pk)]
    assert entries(ticket) == ["opened"]
    assert health_of(room) == health_then
    assert RoomActivity.objects.get(room=room, kind="incident").detail["ticket"] == ticket.pk


def test_a_ticket_is_closed_reopened_and_never_repeated(room, device):
    report(device, bad())
    ticket = Ticket.objects.get()
    with leaves_ticket():
        report(device, bad())
    with leaves_ticket("Update"):
        report(device, well())
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closing_reason) == ("closed", "signal_well")
    assert health_of(room) == "healthy"
    with leaves_ticket("Update"):
        report(device, bad(severity="important"))
    ticket.refresh_from_db()
    assert (ticket.state, ticket.severity, ticket.closed_at, ticket.closing_reason) == (
        "needs_action",
        "important",
        None,
        "",
    )
    assert ticket.version == 3
    assert entries(ticket) == ["opened", "closed", "reopened"]
    assert Ticket.objects.count() == 1
    assert health_of(room) == "unhealthy"


def test_who_is_to_be_told_of_tickets_is_told(room, device):
    evidence = mark()
    report(device, bad())
    report(device, well())
    report(device, bad())
    ticket = str(Ticket.objects.get().pk)
    assert evidence.messages == [
        ("tickets.opened", ticket, "waiting"),
        ("tickets.closed", ticket, "waiting"),
        ("tickets.opened", ticket, "waiting"),
    ]


def test_the_severity_follows_the_signal(room, device):
    report(device, bad(severity="warning"))
    with leaves_ticket("Update"):
        report(device, bad(severity="critical"))
    ticket = Ticket.objects.get()
    assert (ticket.severity, ticket.state, ticket.version) == ("critical", "needs_action", 2)
    assert TicketEntry.objects.filter(ticket=ticket).latest("pk").detail == {
        "severity_from": "warning",
        "severity_to": "critical",
    }
    assert health_of(room) == "unhealthy"


def test_a_ticket_closed_for_silence_stays_closed_until_its_signal_turns_bad_again(room, device):
    report(device, bad())
    ticket = Ticket.objects.get()
    with together():
        system_tickets.close_for([room.pk], ClosingReason.SILENCE)
    report(device, bad())
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closing_reason) == ("closed", "silence")
    report(device, well())
    report(device, bad())
    ticket.refresh_from_db()
    assert ticket.state == "needs_action"


@pytest.mark.parametrize("state", ["onboarding", "unenrolled", "suppressed"])
def test_rooms_that_are_not_watched_have_no_tickets(room, device, state):
    Room.objects.filter(pk=room.pk).update(state=state)
    with leaves():
        report(device, bad())
    assert not Ticket.objects.exists()
    assert HealthSignal.objects.filter(room=room).count() == 1
    assert not HealthPeriod.objects.filter(room=room).exists()


def test_a_suppressed_room_closes_what_is_well_and_catches_up_afterwards(room, device):
    report(device, bad(), bad("Speaker"))
    Room.objects.filter(pk=room.pk).update(state=RoomState.SUPPRESSED)
    report(device, well(), bad("Display"))
    assert dict(Ticket.objects.values_list("title", "state")) == {"Camera": "closed", "Speaker": "needs_action"}

    Room.objects.filter(pk=room.pk).update(state=RoomState.ENROLLED)
    with together():
        system_tickets.catch_up([room.pk])
    assert dict(Ticket.objects.values_list("title", "state")) == {
        "Camera": "closed",
        "Speaker": "needs_action",
        "Display": "needs_action",
    }


def test_a_suppression_is_over_at_its_second(room, device, clock):
    until = clock.now() + 10 * MINUTES
    Room.objects.filter(pk=room.pk).update(state=RoomState.SUPPRESSED, suppressed_until=until)
    report(device, bad())
    assert not Ticket.objects.exists()
    clock.move(10 * MINUTES)
    report(device, bad())
    assert Ticket.objects.get().state == "needs_action"


def test_close_for_closes_system_tickets_only(world, room, device):
    report(device, bad(), bad("Speaker"))
    other = world.contoso.rooms[1]
    report(enroll(world.contoso, other)[0], bad())
    with together():
        assert system_tickets.close_for([room.pk], ClosingReason.UNENROLLED) == 2
    assert set(Ticket.objects.filter(signal_room=room).values_list("state", "closing_reason")) == {
        ("closed", "unenrolled")
    }
    assert Ticket.objects.get(signal_room=other).state == "needs_action"


def test_tickets_of_the_device_before_are_closed_by_the_first_report_of_the_next(world, room, device):
    report(device, bad(), bad("Speaker"))
    new, _ = enroll(world.contoso, room)
    report(new, bad("Speaker"))
    assert dict(Ticket.objects.values_list("title", "state")) == {"Camera": "closed", "Speaker": "needs_action"}


def test_a_revoked_device_changes_nothing(room, device):
    enrolments.revoke([room.pk])
    evidence = mark()
    with pytest.raises(DeviceRefused):
        report(device, bad())
    assert evidence.changed() == set()
    assert evidence.lines == []


# --- Silence --------------------------------------------------------------------------------------


def test_a_room_is_unmonitored_after_15_minutes_and_back_with_its_next_report(room, device, clock):
    report(device, bad())
    clock.move(15 * MINUTES - timedelta(seconds=10))
    assert telemetry.mark_silent() == 0
    assert health_of(room) == Health.UNHEALTHY
    clock.move(timedelta(seconds=20))
    with leaves():
        assert telemetry.mark_silent() == 1
    assert health_of(room) == Health.UNMONITORED
    assert telemetry.mark_silent() == 0
    report(device, bad())
    assert health_of(room) == Health.UNHEALTHY
    report(device, well())
    assert health_of(room) == Health.HEALTHY
    told = RoomActivity.objects.filter(room=room, kind="health").order_by("pk").values_list("detail", flat=True)
    assert [one["after"] for one in told] == ["unhealthy", "unmonitored", "unhealthy", "healthy"]
    periods = HealthPeriod.objects.filter(room=room).order_by("pk")
    assert [one.health for one in periods] == ["unhealthy", "unmonitored", "unhealthy", "healthy"]
    assert [one.ended_at is None for one in periods] == [False, False, False, True]


def test_an_incident_of_high_impact_is_no_endless_work(room, device, clock):
    report(device)
    ticket = Ticket.objects.create(
        tenant=room.tenant,
        kind="customer",
        severity="critical",
        is_high_impact=True,
        justification="x",
        title="x",
        opened_by="x",
        opened_at=clock.now(),
        touched_at=clock.now(),
    )
    TicketRoom.objects.create(tenant=room.tenant, ticket=ticket, room=room)
    health.settle([room.pk])
    clock.move(20 * MINUTES)
    assert telemetry.mark_silent() == 0
    assert health_of(room) == Health.UNHEALTHY


def test_silence_is_found_in_sets(world, clock, django_assert_num_queries):
    devices = [enroll(world.contoso, room)[0] for room in world.contoso.rooms]
    for number in (1, 3):
        for one in devices[:number]:
            report(one)
        clock.move(20 * MINUTES)
        with django_assert_num_queries(8):
            assert telemetry.mark_silent() == number


def test_rooms_that_are_not_watched_do_not_fall_silent(room, device, clock):
    report(device)
    Room.objects.filter(pk=room.pk).update(state=RoomState.UNENROLLED)
    clock.move(20 * MINUTES)
    assert telemetry.mark_silent() == 0


# --- Statements -----------------------------------------------------------------------------------


def many(number: int, *, ok: bool) -> list[Signal]:
    return [Signal("audio", f"Signal {index} of {number}", "warning", ok) for index in range(number)]


# Of a report in which nothing is new; of one whose signals open tickets, and of one whose signals close them.
SAME, OPENED, CLOSED = 9, 22, 22


def test_a_report_costs_the_same_whatever_the_number_of_signals_and_rooms(world, device, django_assert_num_queries):
    for number in (1, 3, 100):
        report(device, *many(number, ok=True))
        with django_assert_num_queries(SAME):
            report(device, *many(number, ok=True))
        with django_assert_num_queries(OPENED):
            report(device, *many(number, ok=False))
        with django_assert_num_queries(CLOSED):
            report(device, *many(number, ok=True))
        more = world.contoso.rooms[1] if number == 1 else world.contoso.rooms[2]
        report(enroll(world.contoso, more)[0], *many(3, ok=False))

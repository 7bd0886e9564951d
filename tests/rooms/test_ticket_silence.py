"""Tickets that nobody adds to are closed by the clock: which ones, when, and what that leaves."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from audit.clock import now
from rbac.models import Tenant
from rooms.business_days import silent_since
from rooms.models import Health, Room, Ticket, TicketEntry, TicketState
from rooms.schedule import close_silent_tickets
from rooms.services import ticket_silence, tickets
from tests.factories.evidence import mark
from tests.factories.tickets import reported, system_ticket
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db

LONG = timedelta(days=40)


@pytest.fixture
def world() -> World:
    return make()


def quiet(ticket: Ticket, since: datetime | None = None, **fields) -> Ticket:
    """As if nobody had said anything since then."""
    at = since or now() - LONG
    Ticket.objects.filter(pk=ticket.pk).update(touched_at=at, opened_at=at, **fields)
    return Ticket.objects.get(pk=ticket.pk)


def test_a_silent_incident_is_closed_with_entry_line_and_notice(world):
    ticket = quiet(reported(world))
    evidence = mark()
    close_silent_tickets()
    after = Ticket.objects.get(pk=ticket.pk)
    assert (after.state, after.closing_reason, after.version) == ("closed", "silence", ticket.version + 1)
    assert after.closed_at == after.touched_at > ticket.touched_at
    assert after.opened_at == ticket.opened_at
    assert TicketEntry.objects.filter(ticket=ticket).latest("id").detail == {"reason": "silence"}
    assert evidence.lines == [f"Contoso: Ticket/Update #{ticket.pk} No sound Successful system"]
    assert evidence.messages == [("tickets.closed", str(ticket.pk), "waiting")]
    evidence = mark()
    close_silent_tickets()
    assert (evidence.lines, evidence.changed()) == ([], set())


@pytest.mark.parametrize(
    ("fields", "is_closed"),
    [
        ({"state": "needs_action"}, True),
        ({"state": "resolved"}, True),
        ({"state": "investigating"}, False),
        ({"state": "needs_action", "is_high_impact": True, "severity": "critical", "justification": "x"}, False),
        ({"state": "resolved", "is_high_impact": True, "severity": "critical", "justification": "x"}, True),
    ],
)
def test_whose_turn_it_is_decides(world, fields, is_closed):
    ticket = quiet(reported(world), **fields)
    close_silent_tickets()
    assert (Ticket.objects.get(pk=ticket.pk).state == "closed") is is_closed


@pytest.mark.parametrize("state", ["needs_action", "investigating", "resolved"])
def test_system_tickets_are_closed_after_fifteen_days_in_every_state(world, state):
    zone = ZoneInfo("UTC")
    due = quiet(system_ticket(world, name="a", state=state), silent_since(now(), 15, zone) - timedelta(seconds=1))
    young = quiet(system_ticket(world, name="b", state=state), silent_since(now(), 15, zone) + timedelta(hours=1))
    close_silent_tickets()
    assert Ticket.objects.get(pk=due.pk).closing_reason == "silence"
    assert Ticket.objects.get(pk=young.pk).state == state


def test_three_business_days_of_the_customers_own_zone(world):
    zone = ZoneInfo("Pacific/Kiritimati")
    Tenant.objects.filter(pk=world.contoso.tenant.pk).update(time_zone=zone.key)
    since = silent_since(now(), 3, zone)
    due, young = (
        quiet(reported(world), since - timedelta(seconds=1)),
        quiet(reported(world), since + timedelta(hours=1)),
    )
    tailwind = world.tailwind
    theirs = tickets.report(tailwind.tenant, by=tailwind.admin, title="Theirs", rooms=[tailwind.rooms[0].pk])
    assert ticket_silence.close_silent() == 1
    states = {one.pk: one.state for one in Ticket.objects.all()}
    assert states == {due.pk: "closed", young.pk: "needs_action", theirs.pk: "needs_action"}


def test_rooms_of_a_solved_high_impact_are_what_else_they_are(world):
    Room.objects.filter(tenant=world.contoso.tenant).update(state="enrolled")
    ticket = reported(world, is_high_impact=True, justification="The board")
    tickets.change_state(ticket, by=world.contoso.admin, state="resolved")
    rooms = Room.objects.filter(pk__in=[room.pk for room in world.contoso.german])
    assert {room.health for room in rooms.all()} == {Health.UNHEALTHY}
    quiet(ticket)
    assert ticket_silence.close_silent() == 1
    assert {room.health for room in rooms.all()} == {Health.UNMONITORED}


def test_many_are_closed_in_batches_each_with_its_line(world, monkeypatch):
    monkeypatch.setattr(ticket_silence, "BATCH", 2)
    made = [quiet(reported(world, title=f"No {number}")) for number in range(5)]
    evidence = mark()
    assert ticket_silence.close_silent() == 5
    assert len(evidence.lines) == len(evidence.messages) == len(made)
    assert not Ticket.objects.exclude(state=TicketState.CLOSED).exists()


def test_statements_do_not_grow_with_the_tickets(world, django_assert_num_queries):
    for number in (1, 3):
        for _ in range(number):
            quiet(reported(world))
        with django_assert_num_queries(21):
            assert ticket_silence.close_silent() == number

"""Tickets as services: who may, what it changes, who is told, what is on record."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from audit.models import AuditEvent
from rbac.catalogue import BuiltIn, Permission
from rbac.errors import WrongState
from rooms.errors import StaleTicket, SystemTicket, TicketOver, UnknownPerson, UnknownRooms
from rooms.models import Health, Room, RoomActivity, Severity, Ticket, TicketEntry
from rooms.scopes import Scope
from rooms.services import tickets
from tests.factories import join
from tests.factories.evidence import Evidence, mark, refused
from tests.factories.tickets import reported, system_ticket
from tests.factories.world import World, assign, custom_role, make, over

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"


@pytest.fixture
def world() -> World:
    return make()


def entries(ticket: Ticket) -> list[tuple[str, str, str]]:
    found = TicketEntry.objects.filter(ticket=ticket).order_by("at", "id")
    return [(one.kind, one.by, one.text) for one in found]


def line(ticket: Ticket, operation: str, result: str = "Successful", by: str = ADMIN) -> str:
    return f"Contoso: Ticket/{operation} #{ticket.pk} {ticket.title} {result} {by}"


def now_of(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


# --- Reporting ----------------------------------------------------------------------------------


def test_report_opens_a_ticket_about_its_rooms_on_record(world):
    contoso, evidence = world.contoso, mark()
    ticket = reported(world, description=" Since\r\nMonday ")
    assert (ticket.kind, ticket.state, ticket.severity) == ("customer", "needs_action", "important")
    assert (ticket.title, ticket.description) == ("No sound", "Since\nMonday")
    assert (ticket.opened_by, ticket.opened_by_organisation) == (ADMIN, "Contoso")
    assert ticket.opened_at == ticket.touched_at
    assert set(ticket.tied_rooms.values_list("room", flat=True)) == {room.pk for room in contoso.german}
    assert entries(ticket) == [("opened", ADMIN, "")]
    assert evidence.lines == [line(ticket, "Create")]
    assert evidence.messages == [("tickets.opened", str(ticket.pk), "waiting")]
    assert set(RoomActivity.objects.values_list("room", "kind")) == {(room.pk, "incident") for room in contoso.german}


def test_high_impact_is_critical_and_its_rooms_are_unhealthy_until_it_is_closed(world):
    contoso = world.contoso
    Room.objects.filter(tenant=contoso.tenant).update(state="enrolled")
    ticket = reported(world, is_high_impact=True, justification="The board meets", severity="recommendation")
    assert (ticket.severity, ticket.justification) == (Severity.CRITICAL, "The board meets")

    def healths():
        return {room.health for room in Room.objects.filter(pk__in=[one.pk for one in contoso.german])}

    assert healths() == {Health.UNHEALTHY}
    assert Room.objects.get(pk=contoso.rooms[2].pk).health == Health.UNMONITORED
    tickets.close(ticket, by=contoso.admin, reason="fixed")
    assert healths() == {Health.UNMONITORED}
    tickets.change_state(ticket, by=contoso.admin, state="needs_action")
    assert healths() == {Health.UNHEALTHY}


def test_every_room_has_to_be_there_and_to_be_his(world):
    contoso = world.contoso
    tess = contoso.member(BuiltIn.SITE_TECH, "tess", over(contoso.rooms[0]))
    for person, rooms in (
        (contoso.admin, [world.tailwind.rooms[0]]),
        (contoso.admin, [contoso.rooms[0], world.tailwind.rooms[0]]),
        (tess, contoso.german),
        (world.tailwind.admin, [contoso.rooms[0]]),
    ):
        refused(
            UnknownRooms,
            lambda person=person, rooms=rooms: tickets.report(
                contoso.tenant, by=person, title="X", rooms=[room.pk for room in rooms]
            ),
            f"Contoso: Ticket/Create X Failed(unknown_rooms) {person.upn}",
        )


def test_a_room_he_only_sees_is_refused(world):
    contoso = world.contoso
    tess = contoso.member(BuiltIn.SITE_TECH, "tess", over(contoso.rooms[0]))
    assign(custom_role(contoso.tenant, Permission.ROOMS_VIEW), tess, over(contoso.rooms[1]))
    for rooms in ([contoso.rooms[1]], contoso.german):
        refused(
            PermissionDenied,
            lambda rooms=rooms: tickets.report(contoso.tenant, by=tess, title="X", rooms=[one.pk for one in rooms]),
            f"Contoso: Ticket/Create X Failed(permission_denied) {tess.upn}",
        )


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"title": "  "}, "title", "required"),
        ({"title": "x" * 201}, "title", "max_length"),
        ({"title": "two\nlines"}, "title", "unreadable_character"),
        ({"description": "a\x00b"}, "description", "unreadable_character"),
        ({"description": "x" * 5001}, "description", "max_length"),
        ({"severity": "critical"}, "severity", "invalid_choice"),
        ({"severity": "loud"}, "severity", "invalid_choice"),
        ({"is_high_impact": True}, "justification", "required"),
        ({"rooms": []}, "rooms", "required"),
        ({"rooms": range(1, 202)}, "rooms", "too_many"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(world, fields, field, code):
    contoso = world.contoso
    wanted = {"title": "No sound", "rooms": [room.pk for room in contoso.german]} | fields
    with pytest.raises(ValidationError) as caught:
        tickets.report(contoso.tenant, by=contoso.admin, **wanted)
    assert [(name, one[0].code) for name, one in caught.value.error_dict.items()] == [(field, code)]
    assert not Ticket.objects.exists()


# --- Messages -----------------------------------------------------------------------------------


def test_a_message_is_said_and_silence_begins_anew(world):
    ticket = reported(world)
    evidence = mark()
    tickets.write(ticket, by=world.contoso.admin, text="Any news?\r\n")
    after = now_of(ticket)
    assert entries(ticket)[1:] == [("message", ADMIN, "Any news?")]
    assert after.version == ticket.version + 1
    assert after.touched_at > ticket.touched_at
    assert evidence.lines == [line(ticket, "Update")]
    assert evidence.kinds == ["tickets.message"]


def test_one_room_is_enough_to_write_but_not_to_decide(world):
    contoso = world.contoso
    _, (ann,) = join(contoso, world.fabrikam, "ann")
    ticket = reported(world, *contoso.rooms)
    tickets.write(ticket, by=ann, text="We are on it")
    for change in (
        lambda: tickets.change_state(ticket, by=ann, state="investigating"),
        lambda: tickets.assign(ticket, by=ann, person=ann.pk),
        lambda: tickets.close(ticket, by=ann, reason="fixed"),
    ):
        refused(PermissionDenied, change, line(ticket, "Update", "Failed(permission_denied)", ann.upn))
    mine = reported(world, *contoso.german)
    tickets.assign(mine, by=ann, person=ann.pk)
    tickets.change_state(mine, by=ann, state="investigating")
    tickets.close(mine, by=ann, reason="fixed")
    assert now_of(mine).state == "closed"


def test_whoever_may_not_update_changes_nothing(world):
    contoso = world.contoso
    viewer = contoso.person("vic")
    assign(custom_role(contoso.tenant, Permission.TICKETS_VIEW), viewer, Scope(all_rooms=True))
    ticket = reported(world)
    for person in (viewer, world.tailwind.admin, contoso.person("nobody")):
        for change in (
            lambda person=person: tickets.write(ticket, by=person, text="x"),
            lambda person=person: tickets.change_state(ticket, by=person, state="resolved"),
            lambda person=person: tickets.assign(ticket, by=person, person=None),
            lambda person=person: tickets.close(ticket, by=person, reason="fixed"),
        ):
            refused(PermissionDenied, change, line(ticket, "Update", "Failed(permission_denied)", person.upn))


@pytest.mark.parametrize(
    ("text", "code"), [(" \n ", "required"), ("x" * 5001, "max_length"), ("\x07", "unreadable_character")]
)
def test_unfit_messages_are_refused(world, text, code):
    ticket = reported(world)
    with pytest.raises(ValidationError) as caught:
        tickets.write(ticket, by=world.contoso.admin, text=text)
    assert caught.value.error_dict["text"][0].code == code
    assert len(entries(ticket)) == 1


# --- State --------------------------------------------------------------------------------------


def test_states_go_forward_and_back_each_step_on_record(world):
    ticket, admin, evidence = reported(world), world.contoso.admin, None
    evidence = mark()
    for state in ("investigating", "resolved", "investigating", "needs_action", "resolved"):
        tickets.change_state(ticket, by=admin, state=state)
        assert now_of(ticket).state == state
    assert evidence.lines == [line(ticket, "Update")] * 5
    assert [event.after for event in evidence.events][-1] == {"state": "resolved"}
    assert evidence.kinds == []
    first = TicketEntry.objects.filter(ticket=ticket, kind="state").order_by("id").first()
    assert first.detail == {"from": "needs_action", "to": "investigating"}


@pytest.mark.parametrize("state", ["closed", "needs_action"])
def test_where_no_way_leads_is_refused(world, state):
    ticket = reported(world)
    refused(
        WrongState,
        lambda: tickets.change_state(ticket, by=world.contoso.admin, state=state),
        line(ticket, "Update", "Failed(wrong_state)"),
    )


def test_no_state_at_all_is_refused(world):
    ticket = reported(world)
    with pytest.raises(ValidationError) as caught:
        tickets.change_state(ticket, by=world.contoso.admin, state="lost")
    assert caught.value.error_dict["state"][0].code == "invalid_choice"


def test_a_stale_version_is_refused(world):
    ticket, admin = reported(world), world.contoso.admin
    tickets.write(ticket, by=admin, text="Wait")
    for change in (
        lambda: tickets.change_state(ticket, by=admin, state="resolved", version=ticket.version),
        lambda: tickets.assign(ticket, by=admin, person=admin.pk, version=ticket.version),
        lambda: tickets.close(ticket, by=admin, reason="fixed", version=ticket.version),
    ):
        refused(StaleTicket, change, line(ticket, "Update", "Failed(stale_version)"), code="stale_version")
    tickets.change_state(ticket, by=admin, state="resolved", version=ticket.version + 1)


# --- Closing and reopening ----------------------------------------------------------------------


def test_close_keeps_reason_and_note_and_tells(world):
    ticket, admin = reported(world), world.contoso.admin
    evidence = mark()
    tickets.close(ticket, by=admin, reason="no_fault", note=" It was off ")
    after = now_of(ticket)
    assert (after.state, after.closing_reason, after.closing_note) == ("closed", "no_fault", "It was off")
    assert after.closed_at == after.touched_at
    assert after.opened_at == ticket.opened_at
    assert entries(ticket)[1:] == [("closed", ADMIN, "It was off")]
    assert evidence.lines == [line(ticket, "Update")]
    assert evidence.kinds == ["tickets.closed"]


def test_a_closed_ticket_takes_nothing_but_reopening(world):
    ticket, admin = reported(world), world.contoso.admin
    tickets.close(ticket, by=admin, reason="fixed", note="done")
    for change in (
        lambda: tickets.write(ticket, by=admin, text="x"),
        lambda: tickets.assign(ticket, by=admin, person=admin.pk),
        lambda: tickets.close(ticket, by=admin, reason="fixed"),
    ):
        refused(TicketOver, change, line(ticket, "Update", "Failed(ticket_closed)"), code="ticket_closed")
    tickets.change_state(ticket, by=admin, state="needs_action")
    after = now_of(ticket)
    assert (after.state, after.closed_at, after.closing_reason, after.closing_note) == ("needs_action", None, "", "")
    assert after.opened_at == ticket.opened_at
    assert [kind for kind, *_ in entries(ticket)] == ["opened", "closed", "reopened"]


@pytest.mark.parametrize("reason", ["silence", "signal_well", "unenrolled", "", "because"])
def test_reasons_of_the_portal_are_not_for_people(world, reason):
    ticket = reported(world)
    with pytest.raises(ValidationError) as caught:
        tickets.close(ticket, by=world.contoso.admin, reason=reason)
    assert caught.value.error_dict["reason"][0].code == "invalid_choice"
    assert now_of(ticket).state == "needs_action"


def test_system_tickets_are_worked_on_but_not_closed_or_reopened_by_hand(world):
    ticket, admin = system_ticket(world), world.contoso.admin
    tickets.write(ticket, by=admin, text="I look")
    tickets.assign(ticket, by=admin, person=admin.pk)
    tickets.change_state(ticket, by=admin, state="investigating")
    refused(
        SystemTicket,
        lambda: tickets.close(ticket, by=admin, reason="fixed"),
        line(ticket, "Update", "Failed(system_ticket)"),
        code="system_ticket",
    )
    over_already = system_ticket(
        world, name="speaker", state="closed", closing_reason="signal_well", closed_at="2026-11-02T08:00Z"
    )
    refused(
        SystemTicket,
        lambda: tickets.change_state(over_already, by=admin, state="needs_action"),
        line(over_already, "Update", "Failed(system_ticket)"),
    )


# --- Assigning ----------------------------------------------------------------------------------


def test_assign_tells_the_person_and_to_nobody_tells_nobody(world):
    contoso = world.contoso
    lead = contoso.member(BuiltIn.SITE_LEAD, "lea")
    ticket = reported(world)
    evidence = mark()
    tickets.assign(ticket, by=contoso.admin, person=lead.pk)
    assert (now_of(ticket).assigned_to, now_of(ticket).assigned_upn) == (lead, lead.upn)
    tickets.assign(ticket, by=contoso.admin, person=lead.pk)  # as it is
    tickets.assign(ticket, by=contoso.admin, person=None)
    assert (now_of(ticket).assigned_to, now_of(ticket).assigned_upn) == (None, "")
    tickets.assign(ticket, by=contoso.admin, person=contoso.admin.pk)
    assert evidence.lines == [line(ticket, "Update")] * 3
    assert evidence.kinds == ["tickets.assigned"]
    assert [one.detail.get("to") for one in TicketEntry.objects.filter(kind="assigned")] == [lead.upn, "", ADMIN]


def test_assigned_are_those_who_may_update_and_whom_one_may_know(world):
    contoso = world.contoso
    _, (ann,) = join(contoso, world.fabrikam, "ann", rooms=contoso.german)
    _, (nils,) = join(contoso, world.northwind, "nils", rooms=contoso.german)
    tess = contoso.member(BuiltIn.SITE_TECH, "tess", over(contoso.rooms[2]))
    ticket = reported(world)
    for by, person in (
        (contoso.admin, tess),  # another room
        (contoso.admin, contoso.person("newcomer")),
        (contoso.admin, world.tailwind.admin),
        (ann, nils),  # another partner, whom she is not to know
        (ann, contoso.member(BuiltIn.SITE_LEAD, "lea")),  # never heard of
    ):
        refused(
            UnknownPerson,
            lambda by=by, person=person: tickets.assign(ticket, by=by, person=person.pk),
            line(ticket, "Update", "Failed(unknown_person)", by.upn),
        )
    refused(
        UnknownPerson,
        lambda: tickets.assign(ticket, by=contoso.admin, person=2**40),
        line(ticket, "Update", "Failed(unknown_person)"),
    )
    tickets.assign(ticket, by=ann, person=contoso.admin.pk)  # opened it: she reads that name
    tickets.assign(ticket, by=contoso.admin, person=nils.pk)
    assert now_of(ticket).assigned_to == nils


def test_what_is_gone_is_not_there(world):
    ticket = reported(world)
    gone = Ticket(pk=ticket.pk + 1, tenant=ticket.tenant, title="Gone")
    evidence: Evidence = mark()
    with pytest.raises((Http404, PermissionDenied)):
        tickets.write(gone, by=world.contoso.admin, text="x")
    assert evidence.changed() == set()


def test_no_entry_and_no_line_names_a_room(world):
    """History is read by people who see other rooms of the ticket; only the log of the MMR admins knows ids."""
    ticket, admin = reported(world, *world.contoso.rooms), world.contoso.admin
    tickets.assign(ticket, by=admin, person=admin.pk)
    tickets.change_state(ticket, by=admin, state="resolved")
    tickets.close(ticket, by=admin, reason="fixed")
    told = str(list(TicketEntry.objects.values_list("text", "detail")))
    assert "Contoso room" not in told
    assert "room" not in told
    assert AuditEvent.objects.filter(category="Ticket").count() == 4

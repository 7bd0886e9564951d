"""Enrolling, suppressing, unenrolling: by whom, from which state, and everything that follows in the same transaction."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import Http404

from audit.clock import now
from rbac.catalogue import BuiltIn, Permission
from rooms import change_control, schedule
from rooms.errors import StateForbids, SuppressionOutOfRange
from rooms.models import (
    ApprovalRequest,
    ClosingReason,
    ControlMode,
    ControlPolicy,
    Health,
    HealthPeriod,
    HealthSignal,
    Room,
    RoomActivity,
    RoomState,
    Ticket,
    TicketState,
    in_state,
    state_now,
)
from rooms.services import monitoring
from tests.factories.devices import bad, enroll, report
from tests.factories.evidence import leaves, refused
from tests.factories.world import World, asked, assign, custom_role, join, make, over

pytestmark = pytest.mark.django_db

ADMIN = "admin@contoso.example"
LINE = "Contoso: Room/Update Contoso room 0"


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def room(world):
    return world.contoso.rooms[0]


def put(room: Room, state: RoomState, **fields) -> None:
    Room.objects.filter(pk=room.pk).update(state=state, **fields)


def state(room: Room) -> str:
    return Room.objects.values_list("state", flat=True).get(pk=room.pk)


def kinds(room: Room) -> list[str]:
    return list(RoomActivity.objects.filter(room=room).order_by("pk").values_list("kind", flat=True))


def submit(room: Room, by, action: str, **params):
    return change_control.submit(Permission.ROOMS_MODIFY, room, by=by, action=action, **params)


# --- Enrol --------------------------------------------------------------------------------------
@pytest.mark.parametrize("before", [RoomState.ONBOARDING, RoomState.UNENROLLED])
def test_an_enrolled_room_is_watched_and_unmonitored_until_its_device_reports(world, room, before):
    put(room, before, last_seen_at=now())
    with leaves(f"{LINE} Successful {ADMIN}") as evidence:
        enrolled = monitoring.enroll(room, by=world.contoso.admin)

    assert (enrolled.state, enrolled.health, enrolled.version) == ("enrolled", "unmonitored", 2)
    assert (evidence.events[0].before["state"], evidence.events[0].after["state"]) == (before, "enrolled")
    assert [period.health for period in HealthPeriod.objects.filter(room=room, ended_at=None)] == ["unmonitored"]
    assert kinds(room) == ["enrolled"]


@pytest.mark.parametrize("before", [RoomState.ENROLLED, RoomState.SUPPRESSED])
def test_a_room_that_is_watched_already_stays_as_it_is_and_leaves_no_line(world, room, before):
    put(room, before)
    with leaves() as evidence:
        monitoring.enroll(room, by=world.contoso.admin)
    assert evidence.changed() == set()


# --- Suppress -----------------------------------------------------------------------------------
def test_a_suppressed_room_has_its_end_no_history_and_its_reason_in_the_activity(world, room):
    monitoring.enroll(room, by=world.contoso.admin)
    until = now() + timedelta(hours=4)
    with leaves(f"{LINE} Successful {ADMIN}"):
        changed = monitoring.suppress(room, by=world.contoso.admin, until=until.isoformat(), reason="New carpet")

    assert (changed.state, changed.suppressed_until) == ("suppressed", until)
    assert not HealthPeriod.objects.filter(room=room, ended_at=None).exists()
    line = RoomActivity.objects.filter(room=room).latest("pk")
    assert (line.kind, line.by, line.detail) == (
        "suppressed",
        ADMIN,
        {"until": until.isoformat(), "reason": "New carpet"},
    )


def test_a_suppressed_room_can_have_another_end(world, room):
    put(room, RoomState.ENROLLED)
    monitoring.suppress(room, by=world.contoso.admin, until=now() + timedelta(hours=1))
    assert monitoring.suppress(room, by=world.contoso.admin).suppressed_until is None


@pytest.mark.parametrize("before", [RoomState.ONBOARDING, RoomState.UNENROLLED])
@pytest.mark.parametrize("action", ["suppress", "unsuppress"])
def test_what_is_not_monitored_has_no_maintenance(world, room, before, action):
    put(room, before)
    evidence = refused(
        StateForbids,
        lambda: submit(room, world.contoso.admin, action),
        f"{LINE} Failed(state_forbids) {ADMIN}",
        code="state_forbids",
    )
    assert evidence.changed() == set()


@pytest.mark.parametrize("ahead", [-1, 0, 90 * 86400 + 60])
def test_an_end_in_the_past_or_too_far_ahead_is_refused(world, room, ahead):
    put(room, RoomState.ENROLLED)
    refused(
        SuppressionOutOfRange,
        lambda: monitoring.suppress(room, by=world.contoso.admin, until=now() + timedelta(seconds=ahead)),
        f"{LINE} Failed(suppression_out_of_range) {ADMIN}",
        code="suppression_out_of_range",
    )
    assert state(room) == "enrolled"


@pytest.mark.parametrize("until", ["soon", "2026-02-30T00:00:00Z", "2026-02-03T00:00:00", "9999-99-99"])
def test_an_end_that_is_no_moment_is_refused(world, room, until):
    put(room, RoomState.ENROLLED)
    with pytest.raises(SuppressionOutOfRange):
        monitoring.suppress(room, by=world.contoso.admin, until=until)


@pytest.mark.parametrize("reason", ["x" * 201, "a\x00b"])
def test_a_reason_that_does_not_fit_is_refused(world, room, reason):
    put(room, RoomState.ENROLLED)
    refused(
        ValidationError,
        lambda: monitoring.suppress(room, by=world.contoso.admin, reason=reason),
        f"{LINE} Failed(invalid) {ADMIN}",
    )
    assert state(room) == "enrolled"


def test_a_lifted_suppression_brings_back_history_and_the_tickets_that_were_held_back(world, room):
    device, _ = enroll(world.contoso, room)
    monitoring.suppress(room, by=world.contoso.admin)
    report(device, bad())
    assert not Ticket.objects.filter(signal_room=room).exists()

    with leaves(f"{LINE} Successful {ADMIN}", *_opened(room)) as evidence:
        monitoring.unsuppress(room, by=world.contoso.admin)

    assert evidence.events[0].after["state"] == "enrolled"
    assert Ticket.objects.get(signal_room=room).state == TicketState.NEEDS_ACTION
    assert HealthPeriod.objects.get(room=room, ended_at=None).health == Health.UNHEALTHY


def _opened(room: Room) -> list[str]:
    with connection.cursor() as cursor:  # numbers are not given back when a test is over
        cursor.execute("SELECT nextval(pg_get_serial_sequence('rooms_ticket', 'id'))")
        (number,) = cursor.fetchone()
    return [f"Contoso: Ticket/Create #{number + 1} Camera Successful system"]


# --- The end of a suppression -------------------------------------------------------------------
def test_a_suppression_is_over_at_its_second_wherever_it_is_asked(world, room, clock):
    put(room, RoomState.ENROLLED)
    monitoring.suppress(room, by=world.contoso.admin, until=now() + timedelta(minutes=10))

    def asked():
        shown = Room.objects.annotate(state_now=state_now()).get(pk=room.pk).state_now
        found = [one for one in RoomState if Room.objects.filter(in_state(one), pk=room.pk).exists()]
        return shown, found

    clock.move(timedelta(minutes=9, seconds=50))
    assert asked() == ("suppressed", [RoomState.SUPPRESSED])
    clock.move(timedelta(seconds=10))
    assert asked() == ("enrolled", [RoomState.ENROLLED])
    assert state(room) == "suppressed"
    with leaves() as evidence:
        monitoring.unsuppress(room, by=world.contoso.admin)
        monitoring.enroll(room, by=world.contoso.admin)
    assert evidence.changed() == set()


def test_the_job_writes_down_what_is_over_in_sets_and_nothing_else(world, clock):
    for room in world.contoso.rooms:
        put(room, RoomState.ENROLLED)
        monitoring.suppress(room, by=world.contoso.admin, until=now() + timedelta(minutes=10))
    ours = world.contoso.rooms
    put(ours[2], RoomState.SUPPRESSED, suppressed_until=None)
    put(world.tailwind.rooms[0], RoomState.SUPPRESSED, suppressed_until=now() + timedelta(minutes=10))
    clock.move(timedelta(minutes=10))

    with leaves(
        *(f"Contoso: Room/Update Contoso room {number} Successful system" for number in (0, 1)),
        "Tailwind: Room/Update Tailwind room 0 Successful system",
    ):
        for tenant in (world.contoso.tenant.pk, world.tailwind.tenant.pk):
            monitoring._end_of_tenant(tenant)
    assert [state(room) for room in ours] == ["enrolled", "enrolled", "suppressed"]
    with leaves():
        schedule.end_suppressions()
    assert kinds(ours[0]) == ["suppressed", "unsuppressed"]


@pytest.mark.parametrize("number", [1, 3])
def test_the_job_asks_as_often_for_many_rooms_as_for_one(world, clock, django_assert_num_queries, number):
    until = now() + timedelta(minutes=1)
    Room.objects.filter(pk__in=[room.pk for room in world.contoso.rooms[:number]]).update(
        state=RoomState.SUPPRESSED, suppressed_until=until
    )
    clock.move(timedelta(minutes=2))
    with django_assert_num_queries(17):
        assert monitoring.end_due() == number


# --- Unenrol ------------------------------------------------------------------------------------
def test_unenrolling_closes_revokes_and_forgets_in_one_transaction(world, room):
    device, _ = enroll(world.contoso, room)
    report(device, bad())
    ticket = Ticket.objects.get(signal_room=room)

    with leaves(
        f"{LINE} Successful {ADMIN}", f"Contoso: Ticket/Update #{ticket.pk} Camera Successful system"
    ) as evidence:
        gone = monitoring.unenroll(room, by=world.contoso.admin)

    ticket.refresh_from_db()
    device.refresh_from_db()
    assert (gone.state, gone.health, gone.last_seen_at) == ("unenrolled", "unmonitored", None)
    assert (ticket.state, ticket.closing_reason) == (TicketState.CLOSED, ClosingReason.UNENROLLED)
    assert device.revoked_at is not None
    assert not HealthSignal.objects.filter(room=room).exists()
    assert not HealthPeriod.objects.filter(room=room, ended_at=None).exists()
    assert evidence.events[0].after | {"suppressed_until": None} == {
        "state": "unenrolled",
        "suppressed_until": None,
        "tickets": 1,
        "devices": 1,
    }
    assert kinds(room)[-4:] == ["incident", "device_revoked", "unenrolled", "health"]


def test_an_unenrolled_room_stays_and_comes_back(world, room):
    put(room, RoomState.ENROLLED)
    monitoring.unenroll(room, by=world.contoso.admin)
    with leaves() as evidence:
        monitoring.unenroll(room, by=world.contoso.admin)
    assert evidence.changed() == set()
    assert monitoring.enroll(room, by=world.contoso.admin).state == "enrolled"


def test_what_never_was_enrolled_cannot_be_unenrolled(world, room):
    refused(
        StateForbids,
        lambda: monitoring.unenroll(room, by=world.contoso.admin),
        f"{LINE} Failed(state_forbids) {ADMIN}",
        code="state_forbids",
    )


# --- Who ----------------------------------------------------------------------------------------
def test_a_partner_enrols_and_suppresses_but_never_unenrols_whatever_its_role_says(world, room):
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    role = custom_role(world.contoso.tenant, Permission.ROOMS_UNENROLL, delegation=relationship.delegation)
    assign(role, ann, over(room))
    submit(room, ann, "enroll")
    submit(room, ann, "suppress")
    submit(room, ann, "unsuppress")
    with pytest.raises(PermissionDenied):
        monitoring.unenroll(room, by=ann)
    assert state(room) == "enrolled"


def test_the_policy_of_the_customer_holds_for_each_of_them(world, room):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    ControlPolicy.objects.filter(event=Permission.ROOMS_MODIFY).update(mode=ControlMode.MANUAL)
    for action, before in (("enroll", "onboarding"), ("suppress", "enrolled"), ("unsuppress", "suppressed")):
        put(room, RoomState(before))
        assert asked(lambda action=action: submit(room, ann, action)).action == action
        assert state(room) == before
    assert ApprovalRequest.objects.waiting().count() == 3


@pytest.mark.parametrize("action", ["enroll", "suppress", "unsuppress", "unenroll"])
def test_only_who_holds_the_permission_on_the_room_may(world, room, action):
    put(room, RoomState.ENROLLED)
    viewer = world.contoso.person("vic")
    assign(custom_role(world.contoso.tenant, Permission.ROOMS_VIEW), viewer, over(room))
    elsewhere = world.contoso.member(BuiltIn.SITE_TECH, "tess", over(world.contoso.rooms[1]))
    for person in (viewer, elsewhere, world.tailwind.admin):
        evidence = refused(
            PermissionDenied,
            lambda person=person: getattr(monitoring, action)(room, by=person),
            f"{LINE} Failed(permission_denied) {person.upn}",
        )
        assert evidence.changed() == set()


def test_a_room_that_is_gone_is_not_found(world, room):
    Room.objects.filter(pk=room.pk).delete()
    with pytest.raises((Http404, PermissionDenied)):
        monitoring.enroll(room, by=world.contoso.admin)

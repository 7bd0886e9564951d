"""Devices that meet: two that enrol for one room, an enrolment and a reset, reports and whatever ends them."""

from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

from rooms.models import Device, EnrollmentKey, HealthSignal, Room, RoomState, Ticket, TicketEntry
from rooms.services import enrolments, keys, monitoring, telemetry
from tests.factories.devices import bad, enroll, introduction, key_of, report, well
from tests.factories.rows import RoomFactory
from tests.factories.world import Customer, World
from tests.races.guards import no_row_locks
from tests.races.harness import Race

ROUNDS = 15


@dataclass
class Case:
    """A room of its own for each round."""

    customer: Customer
    account: str
    secret: str
    room: Room | None = None
    device: Device | None = None

    def enroll(self) -> tuple[Device, str]:
        return enrolments.enroll(self.secret, introduction(self.account))


def fresh(world: World, number: int) -> Case:
    return Case(world.contoso, f"round{number}-{Ticket.objects.count()}@contoso.example", key_of(world.contoso))


def watched(world: World, number: int) -> Case:
    """A room that is watched, with a device that has reported."""
    case = fresh(world, number)
    case.room = RoomFactory(tenant=world.contoso.tenant, resource_account=case.account)
    case.device = enroll(world.contoso, case.room)[0]
    return case


# --- Two devices, one account -----------------------------------------------------------------------


def one_room_one_device(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    room = Room.objects.get(tenant=case.customer.tenant, resource_account=case.account)
    assert Device.objects.filter(room=room).count() == 2
    assert Device.objects.filter(room=room, revoked_at=None).count() == 1


def enrolments_of_one_account(world: World) -> Race[Case]:
    return Race(lambda number: fresh(world, number), [Case.enroll, Case.enroll], one_room_one_device)


def test_two_enrolments_of_one_account_make_one_room_with_one_live_device(world):
    enrolments_of_one_account(world).must_win(ROUNDS)


def test_control_two_enrolments_of_one_account(world):
    key_of(world.contoso)
    with no_row_locks():
        enrolments_of_one_account(world).must_lose()


# --- A reset and an enrolment ---------------------------------------------------------------------


def reset(case: Case) -> None:
    keys.reset(case.customer.tenant, by=case.customer.admin)


def nobody_after_the_reset(case: Case, names: list[str]) -> None:
    """Whoever enrolled with the old key did so before it stopped; the judge asks the rows."""
    assert names[0] == "ok"
    assert names[1] in ("ok", "device_refused")
    stopped = EnrollmentKey.objects.get(tenant=case.customer.tenant, digest=keys.digest_of(case.secret))
    late = Device.objects.filter(key_version=stopped.version, enrolled_at__gt=stopped.stops_at)
    assert not late.exists()


def reset_and_enrolment(world: World) -> Race[Case]:
    return Race(lambda number: fresh(world, number), [reset, Case.enroll], nobody_after_the_reset)


def test_after_a_reset_nobody_enrols_with_the_old_key(world):
    reset_and_enrolment(world).must_win(ROUNDS)


def test_control_reset_and_enrolment(world):
    with no_row_locks():
        reset_and_enrolment(world).must_lose()


# --- A report and what ends it --------------------------------------------------------------------


def say_bad(case: Case) -> None:
    report(case.device, bad())


def unenroll(case: Case) -> None:
    monitoring.unenroll(case.room, by=case.customer.admin)


def nothing_open_of_an_unenrolled_room(case: Case, names: list[str]) -> None:
    assert names[0] == "ok"
    assert names[1] in ("ok", "device_refused")
    assert Room.objects.get(pk=case.room.pk).state == RoomState.UNENROLLED
    assert not Device.objects.filter(room=case.room, revoked_at=None).exists()
    assert not Ticket.objects.filter(signal_room=case.room).exclude(state="closed").exists()
    assert not HealthSignal.objects.filter(room=case.room).exists()


def report_and_unenrolment(world: World) -> Race[Case]:
    return Race(lambda number: watched(world, number), [unenroll, say_bad], nothing_open_of_an_unenrolled_room)


def test_a_report_leaves_nothing_open_in_a_room_that_is_unenrolled(world):
    report_and_unenrolment(world).must_win(ROUNDS)


@contextmanager
def no_second_look():
    """A report that takes what it knew when it came in: neither the room nor the device is held or asked again."""
    with no_row_locks(), mock.patch.object(Device.objects, "filter", _alive(Device.objects.filter)):
        yield


def _alive(asked):
    def found(*args, **conditions):
        rows = asked(*args, **conditions)
        if set(conditions) == {"pk", "revoked_at__isnull"}:
            rows = mock.Mock(update=mock.Mock(return_value=1))
        return rows

    return found


def test_control_report_and_unenrolment(world):
    with no_second_look():
        report_and_unenrolment(world).must_lose()


def take_over(case: Case) -> Device:
    return case.enroll()[0]


def the_old_device_is_not_heard(case: Case, names: list[str]) -> None:
    assert names[0] == "ok"
    assert names[1] in ("ok", "device_refused")
    live = Device.objects.get(room=case.room, revoked_at=None)
    assert not HealthSignal.objects.filter(room=case.room, reported_at__gt=live.enrolled_at).exists()


def report_and_another_device(world: World) -> Race[Case]:
    return Race(lambda number: watched(world, number), [take_over, say_bad], the_old_device_is_not_heard)


def test_a_device_that_was_replaced_is_not_heard(world):
    report_and_another_device(world).must_win(ROUNDS)


def test_control_report_and_another_device(world):
    with no_second_look():
        report_and_another_device(world).must_lose()


# --- Two reports ----------------------------------------------------------------------------------


def one_ticket(case: Case, names: list[str]) -> None:
    assert names == ["ok", "ok"]
    ticket = Ticket.objects.get(signal_room=case.room)
    assert list(TicketEntry.objects.filter(ticket=ticket).values_list("kind", flat=True)) == ["opened"]
    assert Room.objects.get(pk=case.room.pk).health == "unhealthy"


def two_reports(world: World) -> Race[Case]:
    return Race(lambda number: watched(world, number), [say_bad, say_bad], one_ticket)


def test_two_reports_open_one_ticket(world):
    """No control: whatever a report writes first (its device, its signals, its room), another one waits for."""
    two_reports(world).must_win(ROUNDS)


# --- The job, twice -------------------------------------------------------------------------------


def test_silence_is_marked_once_by_two_jobs(world, clock):
    rooms = [watched(world, index) for index in range(6)]
    for case in rooms:
        report(case.device, well())
    clock.move(telemetry.EVERY * 4)

    def judge(case: Case, names: list[str]) -> None:
        assert names == ["ok", "ok"]
        told = [list(one.room.activity.filter(kind="health").values_list("detail", flat=True)) for one in rooms]
        assert all([line["after"] for line in lines] == ["healthy", "unmonitored"] for lines in told)

    race = Race(lambda index: rooms[0], [lambda case: telemetry.mark_silent()] * 2, judge)
    race.must_win(1)

"""An uploaded inventory: private, previewed, carried out once by whoever is there, forgotten after a day."""

import io
import uuid
from datetime import timedelta

import pytest
from celery import current_app
from django.core.exceptions import PermissionDenied

from rbac.catalogue import BuiltIn
from rbac.models import AssignmentMember
from rooms import change_control, schedule
from rooms.errors import ImportOver, UnreadableInventory
from rooms.inventory_reports import Outcome, Report
from rooms.models import InventoryImport, Room, WorkState
from rooms.services import inventory, inventory_imports
from tests.factories.evidence import leaves, mark, refused
from tests.factories.world import join, make

pytestmark = pytest.mark.django_db

FILE = b"Identity,DisplayName,City\nroom0@contoso.example,Contoso room 0,Bonn\nnew@contoso.example,New,Bonn\nbad,Bad,\n"


@pytest.fixture
def world():
    return make()


def prepare(world, by=None, file=FILE, tenant=None):
    return inventory_imports.prepare(
        tenant or world.contoso.tenant, io.BytesIO(file), "rooms.csv", by=by or world.contoso.admin
    )


def confirm(found):
    inventory_imports.confirm(found, submit=change_control.submit)
    found.refresh_from_db()


def carry_out(found):
    inventory_imports.carry_out(found.pk, submit=change_control.submit)
    found.refresh_from_db()


def counts(found):
    return [Report.from_data(found.report).counts[outcome] for outcome in Outcome]


def city(name="room0"):
    return Room.objects.get(resource_account=f"{name}@contoso.example").city


@pytest.fixture
def large(monkeypatch):
    """Every import is one for a worker."""
    monkeypatch.setattr(inventory_imports, "AT_ONCE", 0)
    monkeypatch.setattr(inventory_imports, "AT_ONCE_ONE_BY_ONE", 0)


# --- Preview ------------------------------------------------------------------------------------
def test_a_prepared_file_says_what_it_would_do_and_changes_no_room(world):
    before = mark()

    found = prepare(world)

    assert before.changed() == {"rooms_inventoryimport"}
    assert before.lines == []
    assert (found.state, found.file_name, found.total, counts(found)) == ("checked", "rooms.csv", 3, [1, 1, 0, 1])
    assert len(found.content) < len(FILE) + 20


def test_it_is_its_persons_and_its_tenants_alone(world):
    found = prepare(world)
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess")

    def seen(tenant, person):
        return list(inventory_imports.own(tenant, person))

    assert seen(world.contoso.tenant, world.contoso.admin) == [found]
    assert seen(world.contoso.tenant, tess) == []
    assert seen(world.tailwind.tenant, world.contoso.admin) == []


def test_preparing_another_forgets_the_one_never_confirmed_and_nobody_elses(world):
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess")
    done, first, others = prepare(world), prepare(world), prepare(world, by=tess)
    confirm(first)

    second, third = prepare(world), prepare(world)

    assert set(InventoryImport.objects.all()) == {first, others, third}
    assert done != second


def test_a_file_that_cannot_be_read_or_a_person_who_may_not_leave_nothing(world):
    refused(UnreadableInventory, lambda: prepare(world, file=b"PK\x03\x04"))
    refused(PermissionDenied, lambda: prepare(world, by=world.tailwind.admin))


@pytest.mark.parametrize("days", [0.99, 1])
def test_after_a_day_it_is_gone(world, clock, days):
    found = prepare(world)
    clock.move(timedelta(days=days))

    own = inventory_imports.own(world.contoso.tenant, world.contoso.admin)
    assert own.exists() == (days < 1)
    schedule.discard_old_imports()
    assert InventoryImport.objects.filter(pk=found.pk).exists() == (days < 1)


def test_discarding_forgets_it(world):
    found = prepare(world)

    inventory_imports.discard(found)

    assert not InventoryImport.objects.exists()
    refused(ImportOver, lambda: inventory_imports.discard(found), code="import_over")


# --- Confirmed ----------------------------------------------------------------------------------
def test_a_small_one_is_carried_out_at_once(world):
    found = prepare(world)

    with leaves(
        f"Contoso: Room/Update rooms.csv Successful {world.contoso.admin.upn}",
        f"Contoso: Room/Create rooms.csv Successful {world.contoso.admin.upn}",
        f"Contoso: Room/Update Contoso room 0 Successful {world.contoso.admin.upn}",
    ):
        confirm(found)

    assert (found.state, found.done, found.total, counts(found)) == ("done", 3, 3, [1, 1, 0, 1])
    assert bytes(found.content) == b""
    assert (city(), city("new")) == ("Bonn", "Bonn")


def test_what_was_done_is_told_even_if_it_differs_from_the_preview(world):
    found = prepare(world)
    Room.objects.filter(resource_account="room0@contoso.example").update(city="Bonn")

    confirm(found)

    assert counts(found) == [1, 0, 1, 1]


def test_confirming_twice_does_it_once(world):
    found = prepare(world)
    confirm(found)

    refused(ImportOver, lambda: confirm(found), code="import_over")
    refused(ImportOver, lambda: inventory_imports.discard(found), code="import_over")


def test_a_large_one_waits_for_a_worker(world, large, broker_url):
    found = prepare(world)

    confirm(found)

    assert (found.state, city()) == ("queued", "Berlin")
    assert inventory_imports.waiting() == [found.pk]
    with current_app.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:
        assert queue.get(timeout=5).headers["task"] == inventory_imports.TASK
    schedule.carry_out_imports()
    found.refresh_from_db()
    assert (found.state, city()) == ("done", "Bonn")
    assert inventory_imports.waiting() == []


def test_without_a_broker_a_large_one_is_carried_out_here(world, large, broker):
    broker.stop()
    found = prepare(world)

    confirm(found)

    assert (found.state, city()) == ("done", "Bonn")


def test_confirming_again_while_it_waits_carries_it_out_here(world, large, broker_url):
    found = prepare(world)
    confirm(found)

    confirm(found)

    assert found.state == "done"


@pytest.mark.parametrize(("seconds", "is_left"), [(14, False), (16, True)])
def test_one_that_nobody_takes_up_is_left_lying(world, large, broker_url, clock, seconds, is_left):
    found = prepare(world)
    confirm(found)
    clock.move(timedelta(seconds=seconds))

    assert inventory_imports.left_lying() == ([found.pk] if is_left else [])


def test_a_partners_import_goes_through_the_door(world, large, broker_url):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    found = prepare(world, by=ann)
    confirm(found)

    with leaves(f"Contoso: Room/Update Contoso room 0 Successful {ann.upn}"):
        schedule.carry_out_imports()

    found.refresh_from_db()
    assert (found.state, counts(found)) == ("done", [0, 1, 0, 2])


# --- What can go wrong --------------------------------------------------------------------------
def test_who_lost_the_right_meanwhile_imports_nothing_and_may_try_again(world, large, broker_url):
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess")
    found = prepare(world, by=tess)
    confirm(found)
    membership = AssignmentMember.objects.get(user=tess)
    membership.delete()

    carry_out(found)
    assert (found.state, found.failure, city()) == ("failed", "permission_denied", "Berlin")

    AssignmentMember.objects.create(assignment=membership.assignment, user=tess)
    confirm(found)
    carry_out(found)
    assert (found.state, found.failure, city()) == ("done", "", "Bonn")


def test_limits_that_became_stricter_meanwhile_hold(world, settings):
    found = prepare(world)
    settings.INVENTORY_MAX_ROWS = 1

    confirm(found)

    assert (found.state, found.failure, city()) == ("failed", "inventory_unreadable", "Berlin")
    inventory_imports.discard(found)


def test_what_nobody_foresaw_fails_as_a_whole_and_is_logged(world, caplog):
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    found = prepare(world, by=ann)

    def breaks(*args, **params):
        raise ZeroDivisionError

    inventory_imports.confirm(found, submit=breaks)
    found.refresh_from_db()

    assert (found.state, found.failure) == ("failed", "error")
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(("seconds", "expected"), [(59, "running"), (61, "done")])
def test_a_run_that_has_been_silent_for_a_minute_is_taken_over(world, clock, seconds, expected):
    found = prepare(world)
    InventoryImport.objects.update(state=WorkState.RUNNING, run=uuid.uuid4())
    clock.move(timedelta(seconds=seconds))

    schedule.carry_out_imports()

    found.refresh_from_db()
    assert found.state == expected


def test_a_run_that_wakes_up_after_it_was_taken_over_undoes_its_work(world):
    found = prepare(world)
    InventoryImport.objects.update(state=WorkState.RUNNING, run=uuid.uuid4())

    def sleeper():
        found.run = uuid.uuid4()
        with inventory_imports._Progress(found) as progress:
            inventory.load(world.contoso.tenant, io.BytesIO(FILE), "x.csv", by=world.contoso.admin, watch=progress)

    line = f"Contoso: Room/Update x.csv Failed(import_over) {world.contoso.admin.upn}"
    refused(ImportOver, sleeper, line, code="import_over")

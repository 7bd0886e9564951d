"""Made-up devices against the portal's real web server: they enrol, report and obey; what is measured adds up."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from audit.clock import now
from rooms.models import Device, HealthSignal, Release, Rollout, Room, RoomDay, RoomState, RoomUpdate
from rooms.versions import order_of
from tests.factories.devices import key_of
from tests.factories.world import found_customer
from trm_portal.development import simulation
from trm_portal.development.simulation import Plan, Simulation

HOUR = timedelta(hours=1)


def plan(**asked) -> Plan:
    return Plan(**{"devices": 6, "minutes": 0.1, "interval": 1.5, "fault_rate": 0.5, "threads": 3} | asked)


def test_devices_enrol_report_and_obey(committed_db, portal):
    contoso, said = found_customer("Contoso"), []
    web = portal.web()
    figures = Simulation(plan(url=web.url, key=key_of(contoso), minutes=0), said.append).run()
    assert said[0].startswith("6 of 6 devices enrolled")
    rooms = Room.objects.filter(resource_account__startswith="device")
    assert (rooms.count(), Device.objects.filter(revoked_at=None).count()) == (6, 6)
    assert figures.requests == 6

    rooms.update(state=RoomState.ENROLLED)
    release = Release.objects.create(version="5.2.0", order=order_of("5.2.0"), published_at=now())
    room = rooms.first()
    day = now().date()
    day = day.fromordinal(day.toordinal() - (day.weekday() - 2) % 7)
    rollout = Rollout.objects.create(
        tenant=room.tenant,
        ring=room.ring,
        release=release,
        state="in_progress",
        starts_on=day,
        ends_on=day,
        state_changed_at=now(),
    )
    for one in rooms:
        RoomUpdate.objects.create(
            tenant=one.tenant,
            rollout=rollout,
            room=one,
            starts_at=now() - HOUR,
            ends_at=now() + HOUR,
            changed_at=now(),
        )
    figures = Simulation(plan(url=web.url, key=key_of(contoso)), said.append).run()
    assert not figures.failures
    assert Device.objects.filter(revoked_at=None).count() == 6
    assert Device.objects.count() == 12  # they enrolled once more, for the same rooms
    assert HealthSignal.objects.count() == 6 * len(simulation.SIGNALS)
    assert RoomDay.objects.filter(calls__gt=0).exists()
    assert rooms.filter(app_version="5.2.0").exists()
    assert {"enroll", "telemetry", "desired"} == set(figures.times)
    summary = "\n".join(figures.lines())
    assert f"{figures.requests} requests, 0 failures" in summary
    assert "tenth" in summary
    assert "p95" in summary


def test_what_is_refused_is_counted(committed_db, portal):
    web = portal.web()
    told = io.StringIO()
    arguments = {"url": web.url, "key": "trmk_wrong", "devices": 2, "minutes": 0.01, "stdout": told}
    with pytest.raises(CommandError, match="No device could enrol"):
        call_command("simulate_devices", **arguments)
    assert "2 requests, 2 failures" in told.getvalue()
    assert "2 × enroll 401 device_refused" in told.getvalue()


def test_a_portal_that_is_not_there_is_a_failure():
    told = io.StringIO()
    with pytest.raises(CommandError):
        call_command("simulate_devices", url="http://127.0.0.1:9", key="x", devices=1, minutes=0, stdout=told)
    assert "1 × enroll ConnectionRefusedError" in told.getvalue()


@pytest.mark.parametrize("wrong", [{"devices": 0}, {"interval": 0}, {"threads": 0}, {"minutes": -1}])
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(CommandError):
        call_command("simulate_devices", url="http://127.0.0.1:9", key="x", **wrong)

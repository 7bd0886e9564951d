"""What devices call: enrol, report, ask; what is refused, with the same body for every key and token that opens nothing."""

import json
import logging
import time
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from rooms.models import Device, HealthSignal, Release, Rollout, Room, RoomDay, RoomUpdate
from rooms.services import enrolments, keys
from rooms.versions import order_of
from tests.factories.callers import code, wrong
from tests.factories.devices import Agent, bad, enroll, key_of, well
from tests.factories.evidence import mark
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def key(world):
    return key_of(world.contoso)


@pytest.fixture
def agent(world):
    return Agent(enroll(world.contoso, world.contoso.rooms[0])[1])


def test_enrol_report_ask(world, key):
    answer = Agent().enroll(key, "New@Contoso.example", display_name="Room New", time_zone="Europe/Berlin")
    assert answer.status_code == 201
    assert "no-store" in answer.headers["Cache-Control"]
    room = Room.objects.get(resource_account="new@contoso.example")
    assert answer.json()["room"] == {"id": room.pk, "display_name": "Room New", "state": "onboarding"}

    agent = Agent(answer.json()["token"])
    told = agent.report(well(), usage=[{"day": today(), "booked_minutes": 90, "calls": 3, "poor_calls": 1}])
    assert (told.status_code, told.json()) == (200, {"report_again_in": 300, "ignored_days": []})
    used = RoomDay.objects.get(room=room)
    assert (used.booked_minutes, used.calls, used.poor_calls) == (90, 3, 1)
    assert HealthSignal.objects.filter(room=room).count() == 1
    asked = agent.desired()
    assert asked.json() == {"ring": "general", "target_version": None, "window": None, "now": False}


def today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


HOURS = timedelta(hours=5)


def as_json(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_a_device_is_told_the_target_of_its_night_and_done_when_it_runs(world, agent, clock):
    room = world.contoso.rooms[0]
    day = clock.now().date()
    while day.weekday() != 2:
        day = day.fromordinal(day.toordinal() - 1)
    release = Release.objects.create(version="5.2.0", order=order_of("5.2.0"), published_at=clock.now())
    rollout = Rollout.objects.create(
        tenant=room.tenant,
        ring=room.ring,
        release=release,
        state="in_progress",
        starts_on=day,
        ends_on=day,
        state_changed_at=clock.now(),
    )
    begins, ends = clock.now().replace(microsecond=0), clock.now().replace(microsecond=0) + HOURS
    update = RoomUpdate.objects.create(
        tenant=room.tenant, rollout=rollout, room=room, starts_at=begins, ends_at=ends, changed_at=clock.now()
    )
    told = agent.desired().json()
    assert (told["target_version"], told["now"]) == ("5.2.0", True)
    assert told["window"] == {"from": as_json(begins), "to": as_json(ends)}
    agent.report(app_version="5.2.0")
    update.refresh_from_db()
    assert update.state == "done"
    assert agent.desired().json()["target_version"] is None


@pytest.mark.parametrize("token", ["", "x", "trmd_" + "x" * 43, "ü" * 10, "trm_x"])
def test_what_opens_nothing_is_answered_alike(world, key, token):
    wrong_key = Agent().enroll("trmk_wrong", "new@contoso.example")
    evidence = mark()
    answers = [Agent(token).report(bad()), Agent(token).desired(), wrong_key]
    assert {code(one) for one in answers} == {(401, "device_refused")}
    assert len({one.content for one in answers}) == 1
    assert {one.headers["WWW-Authenticate"] for one in answers} == {"Bearer"}
    assert evidence.changed() == set()
    assert evidence.lines == []


def test_a_revoked_token_is_dead_on_the_next_request(world, agent):
    assert agent.report(well()).status_code == 200
    enrolments.revoke([world.contoso.rooms[0].pk])
    assert code(agent.report(well())) == (401, "device_refused")
    assert code(agent.desired()) == (401, "device_refused")


def test_a_person_is_nothing_here(world):
    client = Client()
    client.force_login(world.contoso.admin, backend="rbac.backends.LocalAccounts")
    assert code(client.get("/api/agent/v1/desired")) == (401, "device_refused")


@pytest.mark.parametrize(
    ("said", "pointer", "why"),
    [
        ({"resource_account": "no account"}, "/resource_account", "upn_character"),
        ({"host_name": ""}, "/host_name", "blank"),
        ({"host_name": "a\x1bb"}, "/host_name", "unreadable_character"),
        ({"display_name": "x" * 201}, "/display_name", "max_length"),
        ({"time_zone": "Berlin"}, "/time_zone", "unknown_time_zone"),
        ({"ring": 1}, "/ring", "unknown_field"),
        ({"app_version": None}, "/app_version", "null"),
    ],
)
def test_an_introduction_that_does_not_fit_is_refused(key, said, pointer, why):
    said, evidence = dict(said), mark()
    fields = {"account": said.pop("resource_account", "new@contoso.example")} | said
    answer = Agent().enroll(key, **fields)
    assert code(answer) == (400, "invalid")
    assert wrong(answer) == [(pointer, why)]
    assert evidence.changed() == set()


SIGNAL = {"category": "audio", "name": "Speaker", "severity": "warning", "ok": True}
USAGE = {"booked_minutes": 1, "calls": 1, "poor_calls": 0}


@pytest.mark.parametrize(
    ("said", "pointer", "why"),
    [
        ({"signals": [SIGNAL | {"category": "smell"}]}, "/signals/0/category", "invalid_choice"),
        ({"signals": [SIGNAL | {"severity": "fatal"}]}, "/signals/0/severity", "invalid_choice"),
        ({"signals": [SIGNAL | {"name": ""}]}, "/signals/0/name", "blank"),
        ({"signals": [SIGNAL | {"name": "x" * 81}]}, "/signals/0/name", "max_length"),
        ({"signals": [SIGNAL | {"colour": "red"}]}, "/signals/0/colour", "unknown_field"),
        ({"signals": [SIGNAL, SIGNAL]}, "/signals", "repeated_signal"),
        ({"signals": [SIGNAL | {"name": str(n)} for n in range(101)]}, "/signals", "max_length"),
        ({"signals": "all"}, "/signals", "not_a_list"),
        ({"usage": [USAGE | {"day": today()}] * 2}, "/usage", "repeated_day"),
        ({"usage": [USAGE | {"day": today(), "calls": -1}]}, "/usage/0/calls", "min_value"),
        ({"usage": [USAGE | {"day": today(), "poor_calls": 2}]}, "/usage/0/poor_calls", "out_of_range"),
        ({"update": {"version": "5.1.0"}}, "/update/failed", "required"),
        ({"mood": "fine"}, "/mood", "unknown_field"),
    ],
)
def test_a_report_that_does_not_fit_is_refused(agent, said, pointer, why):
    evidence = mark()
    answer = agent.report(**said)
    assert code(answer) == (400, "invalid")
    assert (pointer, why) in wrong(answer)
    assert evidence.changed() == set()


def test_a_device_whose_clock_is_wrong_is_heard_in_all_but_its_days(world, agent):
    answer = agent.report(bad(), usage=[USAGE | {"day": day} for day in ("2020-01-01", "2099-12-31", today())])
    assert answer.json()["ignored_days"] == ["2020-01-01", "2099-12-31"]
    assert HealthSignal.objects.filter(room=world.contoso.rooms[0]).count() == 1
    assert RoomDay.objects.filter(room=world.contoso.rooms[0]).count() == 1


def test_parameters_and_large_bodies_are_refused(agent):
    assert code(agent.client.get("/api/agent/v1/desired?x=1")) == (400, "invalid_parameters")
    assert code(agent.report(app_version="x" * 70_000)) == (413, "body_too_large")
    answer = agent.client.post("/api/agent/v1/telemetry", b"[" * 50, content_type="application/json")
    assert code(answer) == (400, "parse_error")
    assert code(agent.client.get("/api/agent/v1/enroll")) == (405, "method_not_allowed")


def test_enrolments_are_throttled_by_address(key, settings):
    settings.ENROLLMENTS_PER_MINUTE = 2
    answers = [Agent().enroll(key, f"new{n}@contoso.example") for n in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    elsewhere = Client(REMOTE_ADDR="192.0.2.9").post("/api/agent/v1/enroll", {}, content_type="application/json")
    assert elsewhere.status_code == 400


def test_reports_are_throttled_by_device(world, agent, settings):
    settings.AGENT_REQUESTS_PER_MINUTE = 2
    assert [agent.report(well()).status_code, agent.desired().status_code] == [200, 200]
    assert code(agent.desired()) == (429, "throttled")
    other = Agent(enroll(world.contoso, world.contoso.rooms[1])[1])
    assert other.desired().status_code == 200


def test_no_secret_is_in_a_log(world, key, caplog):
    with caplog.at_level(logging.DEBUG):
        answer = Agent().enroll(key, "new@contoso.example")
        agent = Agent(answer.json()["token"])
        agent.report(bad())
        Agent("trmd_wrong").report(bad())
        keys.download(world.contoso.tenant, by=world.contoso.admin)
    for secret in (key, answer.json()["token"], "trmd_wrong"):
        assert secret not in caplog.text


# Device with room, tenant and ring; then the report's own (tests/rooms/test_telemetry.py) or the room's open update.
REPORT, ASK = 10, 2


def test_a_request_costs_the_same_whatever_the_number_of_rooms_and_signals(world, agent, django_assert_num_queries):
    for number in (1, 3):
        signals = [well(f"Signal {n}") for n in range(number * 10)]
        agent.report(*signals)
        with django_assert_num_queries(REPORT):
            assert agent.report(*signals).status_code == 200
        with django_assert_num_queries(ASK):
            assert agent.desired().status_code == 200
        enroll(world.contoso, world.contoso.rooms[number % 3])
        agent = Agent(enroll(world.contoso, world.contoso.rooms[0])[1])
    assert Device.objects.count() > 3


@pytest.mark.parametrize("body", [None, [], "x", 1, {"signals": [[[]]]}, {"signals": [None]}])
def test_whatever_is_sent_is_answered(agent, body):
    for address in ("enroll", "telemetry"):
        answer = agent.client.post(f"/api/agent/v1/{address}", json.dumps(body), content_type="application/json")
        assert code(answer)[0] == 400

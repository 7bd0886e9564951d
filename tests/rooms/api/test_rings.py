"""Update rings and rollouts over the API: what is answered, what is changed, what is on record."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from rbac.catalogue import BuiltIn
from rooms.models import Rollout, Room, RoomUpdate, UpdateRing
from rooms.services import releases, rollout_clock, room_updates, update_rings
from tests.factories import join
from tests.factories.callers import code, person
from tests.factories.rows import RoomFactory
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


@pytest.fixture
def ring(world: World) -> UpdateRing:
    """Contoso's own ring with its German rooms."""
    contoso = world.contoso
    Room.objects.update(state="enrolled", app_version="5.0")
    made = update_rings.create(contoso.tenant, "Boardrooms", by=contoso.admin, rollout_days=3)
    update_rings.move_rooms(made, by=contoso.admin, rooms=[room.pk for room in contoso.german])
    return made


@pytest.fixture
def rollout(ring: UpdateRing) -> Rollout:
    releases.publish("5.1", by=None)
    rollout_clock.schedule(ring.tenant_id)
    found = Rollout.objects.select_related("ring", "release", "tenant").get(ring=ring)
    rollout_clock.begin(found.pk)
    found.refresh_from_db()
    return found


def shown(ring: UpdateRing, **fields: Any) -> dict[str, Any]:
    return {
        "id": ring.pk,
        "key": "",
        "name": "Boardrooms",
        "description": "",
        "order": 4,
        "is_default": False,
        "test_days": 0,
        "rollout_days": 3,
        "version": 1,
        "room_total": 2,
    } | fields


def test_a_ring_is_made_read_changed_and_deleted(world: World) -> None:
    tenant, caller = world.contoso.tenant, person(world.contoso.admin)
    answer = caller.post("api-rings", tenant.pk, body={"name": "Boardrooms", "rollout_days": 3})
    ring = UpdateRing.objects.get(name="Boardrooms")
    assert (answer.status_code, answer.json(), answer["ETag"]) == (201, shown(ring, room_total=0), '"1"')

    answer = caller.patch("api-ring", tenant.pk, ring.pk, body={"order": 1}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()) == (200, shown(ring, room_total=0, order=1, version=2))
    assert code(caller.patch("api-ring", tenant.pk, ring.pk, body={"order": 2}, headers={"If-Match": '"1"'})) == (
        412,
        "stale_version",
    )
    assert caller.get("api-ring", tenant.pk, ring.pk)["ETag"] == '"2"'
    assert caller.delete("api-ring", tenant.pk, ring.pk).status_code == 204
    assert code(caller.get("api-ring", tenant.pk, ring.pk))[0] == 404
    lines = AuditEvent.objects.filter(category="Ring").order_by("id")
    assert [(one.operation, one.result) for one in lines] == [
        ("Create", "Successful"),
        ("Update", "Successful"),
        ("Update", "Failed"),
        ("Delete", "Successful"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "invalid")),
        ({"name": ""}, (400, "invalid")),
        ({"name": "x", "colour": "red"}, (400, "invalid")),
        ({"name": "x", "rollout_days": 0}, (400, "invalid")),
        ({"name": "x", "rollout_days": 10**30}, (400, "parse_error")),
        ({"name": "x", "test_days": -1}, (400, "invalid")),
        ({"name": "x", "test_days": 59, "rollout_days": 1}, (409, "ring_days_exceeded")),
        ({"name": "General"}, (409, "ring_name_taken")),
    ],
)
def test_what_does_not_fit_makes_no_ring(world: World, body: dict[str, Any], expected: tuple[int, str]) -> None:
    assert code(person(world.contoso.admin).post("api-rings", world.contoso.tenant.pk, body=body)) == expected
    assert UpdateRing.objects.filter(tenant=world.contoso.tenant).count() == 3


def test_the_list_counts_the_rooms_one_sees(world: World, ring: UpdateRing) -> None:
    tenant = world.contoso.tenant
    items = person(world.contoso.admin).get("api-rings", tenant.pk).json()["items"]
    assert [(one["key"], one["order"], one["room_total"]) for one in items] == [
        ("staging", 1, 0), ("general", 2, 1), ("executive", 3, 0), ("", 4, 2)
    ]  # fmt: skip
    _, (ann,) = join(world.contoso, world.fabrikam, "ann", rooms=world.contoso.german[:1])
    assert person(ann).get("api-rings", tenant.pk).json()["items"] == [shown(ring, room_total=1)]


def test_rooms_are_moved(world: World, ring: UpdateRing) -> None:
    tenant, caller, american = world.contoso.tenant, person(world.contoso.admin), world.contoso.rooms[2]
    answer = caller.post("api-ring-rooms", tenant.pk, ring.pk, body={"rooms": [american.pk, american.pk]})
    assert (answer.status_code, answer.json()["room_total"]) == (200, 3)
    for rooms, expected in (
        ([world.tailwind.rooms[0].pk], (400, "unknown_rooms")),
        ([], (400, "invalid")),
        ([2**62], (400, "unknown_rooms")),
    ):
        assert code(caller.post("api-ring-rooms", tenant.pk, ring.pk, body={"rooms": rooms})) == expected
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    answer = person(ann).post("api-ring-rooms", tenant.pk, ring.pk, body={"rooms": [american.pk]})
    assert code(answer) == (400, "unknown_rooms")


def progress(rollout: Rollout, **fields: Any) -> dict[str, Any]:
    return {
        "id": rollout.pk,
        "ring_id": rollout.ring_id,
        "release": "5.1",
        "state": "in_progress",
        "starts_on": rollout.starts_on.isoformat(),
        "ends_on": rollout.ends_on.isoformat(),
        "version": 2,
        "rooms": {"waiting": 2},
    } | fields


def without_time(answer: Any) -> dict[str, Any]:
    body = answer.json()
    assert body.pop("state_changed_at")
    return body


def test_rollouts_are_listed_and_filtered(world: World, rollout: Rollout) -> None:
    tenant, caller = world.contoso.tenant, person(world.contoso.admin)
    answer = caller.get("api-rollout", tenant.pk, rollout.pk)
    assert (without_time(answer), answer["ETag"]) == (progress(rollout), '"2"')
    assert len(caller.get("api-rollouts", tenant.pk).json()["items"]) == 4
    assert [one["id"] for one in caller.get("api-rollouts", tenant.pk, ring=rollout.ring_id).json()["items"]] == [
        rollout.pk
    ]
    assert len(caller.get("api-rollouts", tenant.pk, state="scheduled").json()["items"]) == 3
    for name, value in (("ring", "x"), ("state", "x"), ("colour", "red")):
        assert caller.get("api-rollouts", tenant.pk, **{name: value}).status_code == 400


def test_the_rooms_of_a_rollout(world: World, rollout: Rollout) -> None:
    tenant, (first, second) = world.contoso.tenant, world.contoso.german
    RoomUpdate.objects.filter(room=first).update(state="failed", failure="No space.", attempts=3)
    caller = person(world.contoso.admin)
    items = caller.get("api-rollout-rooms", tenant.pk, rollout.pk).json()["items"]
    assert [(one["room_id"], one["room_name"], one["state"], one["failure"], one["attempts"]) for one in items] == [
        (first.pk, first.display_name, "failed", "No space.", 3),
        (second.pk, second.display_name, "waiting", "", 0),
    ]
    failed = caller.get("api-rollout-rooms", tenant.pk, rollout.pk, state="failed").json()["items"]
    assert [one["room_id"] for one in failed] == [first.pk]
    assert caller.get("api-rollout-rooms", tenant.pk, rollout.pk, state="x").status_code == 400


def test_a_rollout_is_paused_resumed_forced_and_retried(world: World, rollout: Rollout) -> None:
    tenant, caller = world.contoso.tenant, person(world.contoso.admin)
    first = world.contoso.german[0]

    def act(action: str, body: Any = None) -> dict[str, Any]:
        answer = caller.post(f"api-rollout-{action}", tenant.pk, rollout.pk, body=body)
        assert answer.status_code == 200, answer.json()
        return without_time(answer)

    assert act("pause") == progress(rollout, state="paused", version=3, rooms={"paused": 2})
    assert act("resume") == progress(rollout, version=4)
    assert act("force", {"rooms": [first.pk]}) == progress(rollout, version=4, rooms={"offered": 1, "waiting": 1})
    rollout.rooms.update(state="failed")
    assert act("retry") == progress(rollout, version=4)
    for action in ("resume", "retry"):
        answer = caller.post(f"api-rollout-{action}", tenant.pk, rollout.pk)
        assert code(answer) == (409, "nothing_to_update")


def test_who_may_only_look_or_nothing_at_all(world: World, rollout: Rollout) -> None:
    tenant = world.contoso.tenant
    tech = person(world.contoso.member(BuiltIn.SITE_TECH, "tess"))
    stranger = person(world.tailwind.admin)
    for action in ("pause", "resume", "retry", "force"):
        assert code(tech.post(f"api-rollout-{action}", tenant.pk, rollout.pk))[0] == 403
        assert code(stranger.post(f"api-rollout-{action}", tenant.pk, rollout.pk))[0] == 404
    for name, args in (("api-ring", [rollout.ring_id]), ("api-rollout", [rollout.pk]), ("api-rings", [])):
        assert code(tech.get(name, tenant.pk, *args))[0] == 403
        assert code(stranger.get(name, tenant.pk, *args))[0] == 404


STATEMENTS = {"api-rings": 5, "api-ring": 6, "api-rollouts": 6, "api-rollout": 6, "api-rollout-rooms": 6}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_do_not_grow(world: World, rollout: Rollout, name: str) -> None:
    own = {"api-ring": [rollout.ring_id], "api-rollout": [rollout.pk], "api-rollout-rooms": [rollout.pk]}.get(name, [])
    caller = person(world.contoso.admin)

    def statements() -> int:
        caller.get(name, world.contoso.tenant.pk, *own)
        with CaptureQueriesContext(connection) as queries:
            assert caller.get(name, world.contoso.tenant.pk, *own).status_code == 200
        return len(queries)

    before = statements()
    for number in range(3):
        update_rings.create(world.contoso.tenant, f"Ring {number}", by=world.contoso.admin, rollout_days=1)
        RoomFactory(tenant=world.contoso.tenant, ring=rollout.ring, state="enrolled", app_version="5.0")
    rollout_clock.schedule(world.contoso.tenant.pk)
    room_updates.take_in(rollout)
    assert (before, statements()) == (STATEMENTS[name], STATEMENTS[name])

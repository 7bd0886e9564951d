"""Every controlled change, through page and API: done at once, or asked for first and done when it is approved.

The table names each change that `change_control` knows; a new one without its line fails here.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from audit.clock import now
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.models import Assignment, Role
from rbac.partner_access import Conditions, Policy
from rbac.services import partner_access
from rooms import change_control
from rooms.models import (
    ApprovalRequest,
    ApprovalState,
    BulkAction,
    Release,
    Rollout,
    RolloutState,
    Room,
    RoomState,
    RoomUpdateState,
    UpdateRing,
)
from rooms.scopes import Scope
from rooms.services import bulk, inventory, inventory_imports, monitoring, roles, rollout_clock, rollout_control
from rooms.services.releases import order_of
from rooms.services.roles import Proposed
from tests.factories.callers import Caller, person
from tests.factories.evidence import Evidence, mark
from tests.factories.tickets import reported
from tests.factories.world import World, ask_first, join, make

pytestmark = pytest.mark.django_db


class Scene:
    """Fabrikam's Ann cares for all rooms of Contoso; there is one of everything that she may change."""

    def __init__(self) -> None:
        self.world: World = make()
        contoso = self.world.contoso
        self.tenant, self.admin = contoso.tenant, contoso.admin
        self.relationship, (self.ann,) = join(contoso, self.world.fabrikam, "ann", scope=Scope(all_rooms=True))
        Room.objects.filter(tenant=self.tenant).update(state=RoomState.ENROLLED, app_version="5.0")
        self.room, self.other, _ = contoso.rooms
        self.ring = UpdateRing.objects.create(tenant=self.tenant, order=4, name="Halls", test_days=0, rollout_days=1)
        self.ticket = reported(self.world, self.room)
        first = Proposed("First", members=("bob@fabrikam.example",), scope=Scope(rooms=frozenset({self.room.pk})))
        asked = {"name": "Desk", "permissions": ["rooms.view"], "assignment": first.as_data()}
        self.role: Role = roles.create(self.tenant, by=self.ann, **asked)
        self.assignment: Assignment = self.role.assignments.get()
        self.found: Any = None  # what a case has prepared

    def rollout(self, state: RolloutState = RolloutState.IN_PROGRESS) -> Rollout:
        release = Release.objects.create(version="5.1", order=order_of("5.1"), published_at=now())
        made = Rollout.objects.create(
            tenant=self.tenant,
            ring=UpdateRing.objects.get(tenant=self.tenant, is_default=True),
            release=release,
            state="in_progress",
            starts_on=date(2026, 12, 2),
            ends_on=date(2026, 12, 8),
            state_changed_at=now(),
        )
        rollout_clock.take_in(made)
        if state is RolloutState.PAUSED:
            rollout_control.pause(made, by=self.admin)
        if state is RolloutState.COMPLETED_WITH_FAILURES:
            Rollout.objects.filter(pk=made.pk).update(state=state)
            made.rooms.update(state=RoomUpdateState.FAILED, attempts=3)
        return made

    def call(self, method: str, route: str, /, *ids: int, **body: Any) -> Any:
        caller: Caller = person(self.ann)
        if method == "delete":
            return caller.delete(route, self.tenant.pk, *ids)
        return getattr(caller, method)(route, self.tenant.pk, *ids, body=body)

    def submit(self, route: str, /, *ids: int, **data: Any) -> Any:
        return person(self.ann).client.post(reverse(route, args=[self.tenant.pk, *ids]), data)


Do = Callable[[Scene], Any]


@dataclass(frozen=True)
class Change:
    """The same change by a tool and on a page; None: there is no single request for it on that side."""

    tool: Do | None
    page: Do | None
    prepare: Callable[[Scene], Any] = lambda scene: None


def _rollout(action: str, state: RolloutState = RolloutState.IN_PROGRESS) -> Change:
    """`action` on a rollout that is in `state`."""
    return Change(
        lambda scene: scene.call("post", f"api-rollout-{action}", scene.found.pk),
        lambda scene: scene.submit(f"rollout_{action}", scene.found.pk),
        lambda scene: scene.rollout(state),
    )


P = Permission
ROOM, RINGS, TICKETS, ROLES = P.ROOMS_MODIFY, P.RINGS_MODIFY, P.TICKETS_UPDATE, P.ROLES_MODIFY
EDITED = {"display_name": "Alps", "country": "DE", "city": "Berlin"}
CHANGES: dict[tuple[Permission, str], Change] = {
    (ROOM, "modify"): Change(
        lambda scene: scene.call("patch", "api-room", scene.room.pk, display_name="Alps"),
        lambda scene: scene.submit("room_edit", scene.room.pk, **EDITED, version=scene.room.version),
    ),
    (ROOM, "enroll"): Change(
        lambda scene: scene.call("post", "api-room-enroll", scene.room.pk),
        lambda scene: scene.submit("room_enroll", scene.room.pk),
        lambda scene: Room.objects.filter(pk=scene.room.pk).update(state=RoomState.UNENROLLED),
    ),
    (ROOM, "suppress"): Change(
        lambda scene: scene.call("post", "api-room-suppress", scene.room.pk, reason="Works"),
        lambda scene: scene.submit("room_suppress", scene.room.pk, ends="open"),
    ),
    (ROOM, "unsuppress"): Change(
        lambda scene: scene.call("post", "api-room-unsuppress", scene.room.pk),
        lambda scene: scene.submit("room_unsuppress", scene.room.pk),
        lambda scene: monitoring.suppress(scene.room, by=scene.admin),
    ),
    (RINGS, "modify"): Change(
        lambda scene: scene.call("patch", "api-ring", scene.ring.pk, name="Big halls"),
        lambda scene: scene.submit(
            "ring_edit", scene.ring.pk, name="Big halls", rollout_days=1, test_days=0, version=1
        ),
    ),
    (RINGS, "delete"): Change(
        lambda scene: scene.call("delete", "api-ring", scene.ring.pk),
        lambda scene: scene.submit("ring_delete", scene.ring.pk),
        lambda scene: Room.objects.filter(pk=scene.room.pk).update(ring=scene.ring),
    ),
    (RINGS, "move_rooms"): Change(
        lambda scene: scene.call("post", "api-ring-rooms", scene.ring.pk, rooms=[scene.room.pk]),
        lambda scene: scene.submit("ring_rooms", scene.ring.pk, pick=scene.room.pk),
    ),
    (RINGS, "pause"): _rollout("pause"),
    (RINGS, "resume"): _rollout("resume", RolloutState.PAUSED),
    (RINGS, "retry"): _rollout("retry", RolloutState.COMPLETED_WITH_FAILURES),
    (RINGS, "force"): _rollout("force"),
    (P.TICKETS_CREATE_INCIDENT, "report"): Change(
        lambda scene: scene.call("post", "api-tickets", title="No picture", rooms=[scene.room.pk]),
        lambda scene: scene.submit("ticket_add", title="No picture", severity="warning", rooms=scene.room.pk),
    ),
    (TICKETS, "write"): Change(
        lambda scene: scene.call("post", "api-ticket-entries", scene.ticket.pk, text="On our way"),
        lambda scene: scene.submit("ticket", scene.ticket.pk, text="On our way"),
    ),
    (TICKETS, "attach"): Change(None, lambda scene: scene.submit("ticket", scene.ticket.pk, file=_file())),
    (TICKETS, "assign"): Change(
        lambda scene: scene.call("post", "api-ticket-assignment", scene.ticket.pk, person=scene.ann.pk),
        lambda scene: scene.submit("ticket_assign", scene.ticket.pk, person=scene.ann.pk, version=scene.ticket.version),
    ),
    (TICKETS, "change_state"): Change(
        lambda scene: scene.call("post", "api-ticket-state", scene.ticket.pk, state="investigating"),
        lambda scene: scene.submit(
            "ticket_state", scene.ticket.pk, state="investigating", version=scene.ticket.version
        ),
    ),
    (TICKETS, "close"): Change(
        lambda scene: scene.call("post", "api-ticket-close", scene.ticket.pk, reason="fixed"),
        lambda scene: scene.submit("ticket_close", scene.ticket.pk, reason="fixed", version=scene.ticket.version),
    ),
    (ROLES, "create"): Change(
        lambda scene: scene.call(
            "post", "api-roles", name="Night", permissions=["rooms.view"], assignment=_first(scene)
        ),
        None,
    ),
    (ROLES, "modify"): Change(
        lambda scene: scene.call("patch", "api-role", scene.role.pk, name="Help desk"),
        lambda scene: scene.submit("role_edit", scene.role.pk, name="Help desk", version=scene.role.version),
    ),
    (ROLES, "delete"): Change(
        lambda scene: scene.call("delete", "api-role", scene.role.pk),
        lambda scene: scene.submit("role_delete", scene.role.pk),
    ),
    (ROLES, "assign"): Change(
        lambda scene: scene.call("post", "api-assignments", scene.role.pk, **_first(scene, "Second")), None
    ),
    (ROLES, "modify_assignment"): Change(
        lambda scene: scene.call("patch", "api-assignment", scene.assignment.pk, description="By day"),
        lambda scene: scene.submit(
            "assignment_edit",
            scene.role.pk,
            scene.assignment.pk,
            name="First",
            description="By day",
            version=scene.assignment.version,
        ),
    ),
    (ROLES, "delete_assignment"): Change(
        lambda scene: scene.call("delete", "api-assignment", scene.assignment.pk),
        lambda scene: scene.submit("assignment_delete", scene.role.pk, scene.assignment.pk),
    ),
    (ROLES, "members"): Change(
        lambda scene: scene.call("post", "api-assignment-members", scene.assignment.pk, add=["cleo@fabrikam.example"]),
        lambda scene: scene.submit(
            "assignment_members", scene.role.pk, scene.assignment.pk, add="1", upn="cleo@fabrikam.example"
        ),
    ),
    (ROLES, "add_admins"): Change(
        lambda scene: scene.call("post", "api-colleagues", people=[{"upn": "nora@fabrikam.example"}]),
        lambda scene: scene.submit(
            "customer_colleagues",
            save="1",
            days="14",
            **{"contact-TOTAL_FORMS": "1", "contact-0-upn": "nora@fabrikam.example"},
        ),
    ),
    (ROLES, "scope"): Change(
        lambda scene: scene.call("post", "api-assignment-scope", scene.assignment.pk, rooms=[scene.other.pk]), None
    ),
}


# Signing in writes these.
SIGNED_IN = {"django_session", "rbac_user"}


def _file() -> Any:
    return SimpleUploadedFile("a.log", b"all is well", content_type="text/plain")


def _first(scene: Scene, name: str = "First") -> dict[str, Any]:
    return {"name": name, "members": ["cleo@fabrikam.example"], "scope": {"rooms": [scene.room.pk]}}


@pytest.fixture
def scene() -> Scene:
    return Scene()


CASES = [
    pytest.param(event, action, door, id=f"{event}-{action}-{door}")
    for (event, action), change in CHANGES.items()
    for door in ("tool", "page")
    if getattr(change, door) is not None
]


def do(scene: Scene, event: Permission, action: str, door: str) -> tuple[Any, Evidence]:
    """The answer, and what has changed by it."""
    change = CHANGES[event, action]
    scene.found = change.prepare(scene)
    for name in ("room", "ticket", "role", "assignment"):
        getattr(scene, name).refresh_from_db()
    evidence = mark()
    return getattr(change, door)(scene), evidence


def test_every_controlled_change_is_in_the_table():
    assert set(CHANGES) == set(change_control._SERVICES)
    assert {event for event, _ in CHANGES} == set(CONTROLLED_EVENTS)


@pytest.mark.parametrize(("event", "action", "door"), CASES)
def test_auto_does_it_at_once(scene, event, action, door):
    answer, evidence = do(scene, event, action, door)
    assert answer.status_code in ((200, 201, 204) if door == "tool" else (302,)), answer.content[:500]
    assert evidence.changed() - SIGNED_IN
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize(("event", "action", "door"), CASES)
def test_manual_asks_first_and_does_it_when_approved(scene, event, action, door):
    ask_first(scene.relationship, event)
    answer, evidence = do(scene, event, action, door)
    request = ApprovalRequest.objects.get()
    assert (request.event, request.action, request.state) == (event, action, ApprovalState.PENDING)
    assert request.changes
    # A file waits where nobody can read it; nothing else is there but the request.
    waits = {"rooms_ticketupload"} if action == "attach" else set()
    assert evidence.changed() - SIGNED_IN == {"rooms_approvalrequest"} | waits
    if door == "tool":
        assert (answer.status_code, str(request.pk) in answer.headers["Location"]) == (202, True)
    else:
        assert (answer.status_code, str(request.pk) in answer.headers["Location"]) == (302, True)

    evidence = mark()
    decided = change_control.approve(request, by=scene.admin)
    assert (decided.state, decided.failure_code) == (ApprovalState.EXECUTED, "")
    assert evidence.changed() - {"rooms_approvalrequest"}


@pytest.mark.parametrize("event", CONTROLLED_EVENTS)
def test_manual_for_one_event_leaves_the_others_alone(scene, event):
    ask_first(scene.relationship, *(one for one in CONTROLLED_EVENTS if one is not event))
    action = next(action for one, action in CHANGES if one is event)
    answer, _ = do(scene, event, action, "tool")
    assert answer.status_code in (200, 201)


@pytest.mark.parametrize("is_manual", [False, True], ids=["auto", "manual"])
@pytest.mark.parametrize(("event", "action", "door"), CASES)
def test_step_up_comes_before_everything_else(scene, event, action, door, is_manual):
    """Nothing is changed and nothing asked for, until the person has shown what the customer asks for; that is on record."""
    policy = Policy(step_up=Conditions(mfa=True), events=frozenset({event}))
    partner_access.change(scene.tenant, policy, by=scene.admin)
    if is_manual:
        ask_first(scene.relationship, event)
    answer, evidence = do(scene, event, action, door)
    assert answer.status_code == 403
    if door == "tool":
        assert (answer.json()["code"], answer.json()["missing"]) == ("step_up_required", ["mfa"])
    else:
        assert "A sign-in with a second factor" in answer.content.decode()
    assert evidence.changed() <= SIGNED_IN
    [line] = evidence.events
    assert (line.code, line.user_id, line.relationship_id) == (
        "step_up_required",
        scene.ann.upn,
        scene.relationship.delegation_id,
    )


def test_import_is_stopped_when_it_is_confirmed(scene):
    content = f"Identity,DisplayName\n{scene.room.resource_account},Alps\n".encode()
    waiting = inventory_imports.prepare(scene.tenant, io.BytesIO(content), "rooms.csv", by=scene.ann)
    policy = Policy(step_up=Conditions(mfa=True), events=frozenset({ROOM}))
    partner_access.change(scene.tenant, policy, by=scene.admin)
    answer = person(scene.ann).client.post(reverse("rooms_import_confirm", args=[scene.tenant.pk, waiting.pk]))
    assert "A sign-in with a second factor" in answer.content.decode()
    scene.room.refresh_from_db()
    assert scene.room.display_name != "Alps"


@pytest.mark.parametrize("is_manual", [False, True])
def test_bulk_asks_for_each_room(scene, is_manual):
    if is_manual:
        ask_first(scene.relationship, ROOM)
    rooms = [scene.room.pk, scene.other.pk]
    said = {"campus": "North"}
    fates = list(bulk.each(scene.tenant, rooms, BulkAction.EDIT, said, by=scene.ann, submit=change_control.submit))
    assert {one.outcome for one in fates} == ({"waiting"} if is_manual else {"done"})
    assert ApprovalRequest.objects.count() == (2 if is_manual else 0)
    assert Room.objects.filter(campus="North").count() == (0 if is_manual else 2)


@pytest.mark.parametrize("is_manual", [False, True])
def test_import_asks_for_each_room(scene, is_manual):
    """Also of a partner that cares for all rooms."""
    if is_manual:
        ask_first(scene.relationship, ROOM)
    file = io.BytesIO(
        "Identity,DisplayName,City\n"
        f"{scene.room.resource_account},Alps,Berlin\n{scene.other.resource_account},Ocean,Berlin\n".encode()
    )
    report = inventory.load(scene.tenant, file, "rooms.csv", by=scene.ann, submit=change_control.submit)
    names = set(Room.objects.filter(pk__in=[scene.room.pk, scene.other.pk]).values_list("display_name", flat=True))
    assert (names == {"Alps", "Ocean"}) is not is_manual
    assert ApprovalRequest.objects.count() == (2 if is_manual else 0)
    problems = [problem.code for entry in report.entries for problem in entry.problems]
    assert problems == (["awaits_approval"] * 2 if is_manual else [])

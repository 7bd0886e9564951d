"""The nineteen permissions, each by the real operation it governs, in pages and API: who holds it does it, nobody else.

Expected is what the published file says (table1.csv), in scope and out of scope; and for a custom role of one permission
just that one, and what the contract says it implies.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from rbac.catalogue import BuiltIn, Permission
from rbac.models import Role, Tenant, User
from rooms import scopes
from rooms.errors import UnknownRooms
from rooms.models import EnrollmentKey, Room, RoomGroup, RoomState, Ticket, TicketEntry, UpdateRing
from rooms.scopes import Scope
from rooms.services import keys
from tests.factories.browsing import text
from tests.factories.callers import Caller, person
from tests.factories.evidence import mark
from tests.factories.world import World, assign, custom_role, join, make, over, room_group, ticket
from tests.rbac.oracle import IMPLIED_BY
from tests.spec.test_table1 import published

pytestmark = pytest.mark.django_db

TABLE = {row["code"]: row for row in published()}
TENANT_WIDE = {code for code, row in TABLE.items() if row["scope"] == "tenant"}
NEW = "Called anew"


@dataclass
class Place:
    """One of everything that an operation may be about: of the rooms in scope, or of one outside."""

    room: Room
    group: RoomGroup
    ring: UpdateRing
    ticket: Ticket


@dataclass
class Scene:
    """Contoso with two rooms in the scope of whoever is scoped, and a third outside; Tailwind has the same."""

    world: World = field(default_factory=make)

    def __post_init__(self) -> None:
        contoso = self.world.contoso
        inside, outside = contoso.rooms[:2], contoso.rooms[2:]
        Room.objects.update(state=RoomState.ENROLLED)
        self.tenant: Tenant = contoso.tenant
        self.inside, self.outside = self._place("in", inside, 4), self._place("out", outside, 5)
        keys.reset(contoso.tenant, by=contoso.admin)
        self.scope = over(*inside)
        self.own_role = custom_role(contoso.tenant, Permission.ROOMS_VIEW)
        self.role = self.own_role

    def _place(self, name: str, rooms: list[Room], order: int) -> Place:
        ring = UpdateRing.objects.create(tenant=self.tenant, order=order, name=name, test_days=0, rollout_days=1)
        Room.objects.filter(pk__in=[room.pk for room in rooms]).update(ring=ring)
        group = room_group(self.tenant, name, *rooms)
        return Place(Room.objects.get(pk=rooms[0].pk), group, ring, ticket(*rooms))

    def url(self, name: str, *args: Any) -> str:
        return reverse(name, args=[self.tenant.pk, *args])


Do = Callable[[Caller, Scene, Place], Any]
Probe = Callable[[Scene, Place, Any], bool]


@dataclass(frozen=True)
class Operation:
    """How a permission is used on a page, and by a tool; and how one knows that it worked."""

    page: Do
    tool: Do
    worked: Probe


def _post(name: str, data: Callable[[Place], dict[str, Any]], *ids: str) -> Do:
    """A form sent to the page `name` of the thing that `ids` name."""

    def do(caller: Caller, scene: Scene, place: Place) -> Any:
        return caller.client.post(scene.url(name, *(_id(scene, place, one) for one in ids)), data(place))

    return do


def _get(name: str, *ids: str) -> Do:
    def do(caller: Caller, scene: Scene, place: Place) -> Any:
        return caller.client.get(scene.url(name, *(_id(scene, place, one) for one in ids)))

    return do


def _api(method: str, name: str, body: Callable[[Place], Any] | None, *ids: str) -> Do:
    def do(caller: Caller, scene: Scene, place: Place) -> Any:
        args = [scene.tenant.pk, *(_id(scene, place, one) for one in ids)]
        if method == "get":
            return caller.get(name, *args)
        return getattr(caller, method)(name, *args, body=body(place) if body is not None else None)

    return do


def _id(scene: Scene, place: Place, what: str) -> int:
    return scene.role.pk if what == "role" else getattr(place, what).pk


def _room_form(place: Place) -> dict[str, Any]:
    return {"display_name": NEW, "country": "DE", "city": "Berlin", "version": place.room.version}


def _shows(what: Callable[[Place], str]) -> Probe:
    return lambda scene, place, answer: what(place) in text(answer)


def _named(model: Any, field_name: str, what: str) -> Probe:
    def worked(scene: Scene, place: Place, answer: Any) -> bool:
        return getattr(model.objects.get(pk=_id(scene, place, what)), field_name) == NEW

    return worked


def _exists(model: Any, **fields: Any) -> Probe:
    return lambda scene, place, answer: model.objects.filter(tenant=scene.tenant, **fields).exists()


P = Permission
OPERATIONS: dict[Permission, Operation] = {
    P.ROOMS_VIEW: Operation(
        _get("room", "room"), _api("get", "api-room", None, "room"), _shows(lambda place: place.room.display_name)
    ),
    P.ROOMS_MODIFY: Operation(
        _post("room_edit", _room_form, "room"),
        _api("patch", "api-room", lambda place: {"display_name": NEW}, "room"),
        _named(Room, "display_name", "room"),
    ),
    P.ROOMS_RESET_KEY: Operation(
        _post("keys_reset", lambda place: {"grace": "0"}),
        _api("post", "api-keys", lambda place: {"grace_hours": 1}),
        _exists(EnrollmentKey, version=2),
    ),
    P.ROOMS_DOWNLOAD_KEY: Operation(
        _post("keys_download", lambda place: {}),
        _api("post", "api-key-download", None),
        lambda scene, place, answer: b"trmk_" in answer.content,
    ),
    P.ROOMS_UNENROLL: Operation(
        _post("room_unenroll", lambda place: {}, "room"),
        _api("post", "api-room-unenroll", None, "room"),
        lambda scene, place, answer: Room.objects.get(pk=place.room.pk).state == RoomState.UNENROLLED,
    ),
    P.GROUPS_CREATE: Operation(
        _post("group_add", lambda place: {"name": NEW}),
        _api("post", "api-groups", lambda place: {"name": NEW}),
        _exists(RoomGroup, name=NEW),
    ),
    P.GROUPS_VIEW: Operation(
        _get("group", "group"), _api("get", "api-group", None, "group"), _shows(lambda place: place.group.name)
    ),
    P.GROUPS_MODIFY: Operation(
        _post("group_edit", lambda place: {"name": NEW}, "group"),
        _api("patch", "api-group", lambda place: {"name": NEW}, "group"),
        _named(RoomGroup, "name", "group"),
    ),
    P.RINGS_CREATE: Operation(
        _post("ring_add", lambda place: {"name": NEW, "rollout_days": 1, "test_days": 0}),
        _api("post", "api-rings", lambda place: {"name": NEW, "rollout_days": 1}),
        _exists(UpdateRing, name=NEW),
    ),
    P.RINGS_VIEW: Operation(
        _get("ring", "ring"), _api("get", "api-ring", None, "ring"), _shows(lambda place: place.ring.name)
    ),
    P.RINGS_MODIFY: Operation(
        _post("ring_edit", lambda place: {"name": NEW, "rollout_days": 1, "test_days": 0, "version": 1}, "ring"),
        _api("patch", "api-ring", lambda place: {"name": NEW}, "ring"),
        _named(UpdateRing, "name", "ring"),
    ),
    P.REPORTS_VIEW: Operation(
        _get("reports"), _api("get", "api-report-figures", None), lambda scene, place, answer: answer.status_code == 200
    ),
    P.TICKETS_CREATE_INCIDENT: Operation(
        _post("ticket_add", lambda place: {"title": NEW, "severity": "warning", "rooms": place.room.pk}),
        _api("post", "api-tickets", lambda place: {"title": NEW, "rooms": [place.room.pk]}),
        _exists(Ticket, title=NEW),
    ),
    P.TICKETS_VIEW: Operation(
        _get("ticket", "ticket"), _api("get", "api-ticket", None, "ticket"), _shows(lambda place: place.ticket.title)
    ),
    P.TICKETS_UPDATE: Operation(
        _post("ticket", lambda place: {"text": NEW}, "ticket"),
        _api("post", "api-ticket-entries", lambda place: {"text": NEW}, "ticket"),
        lambda scene, place, answer: TicketEntry.objects.filter(ticket=place.ticket, text=NEW).exists(),
    ),
    P.SETTINGS_VIEW: Operation(
        _get("settings_general"), _api("get", "api-settings", None), _shows(lambda place: "Contoso")
    ),
    P.SETTINGS_MODIFY: Operation(
        _post("settings_general_edit", lambda place: {"name": NEW, "language": "en", "time_zone": "UTC"}),
        _api("patch", "api-settings", lambda place: {"name": NEW}),
        lambda scene, place, answer: Tenant.objects.get(pk=scene.tenant.pk).name == NEW,
    ),
    P.ROLES_VIEW: Operation(
        _get("role", "role"),
        _api("get", "api-role", None, "role"),
        lambda scene, place, answer: answer.status_code == 200,
    ),
    P.ROLES_MODIFY: Operation(
        _post("role_edit", lambda place: {"name": NEW, "version": 1}, "role"),
        _api("patch", "api-role", lambda place: {"name": NEW}, "role"),
        _named(Role, "name", "role"),
    ),
}
DOORS = ("page", "tool")


def test_every_permission_has_its_operation():
    assert {one.value for one in OPERATIONS} == set(TABLE)


def outcomes(scene: Scene, user: User, place: Place, door: str) -> dict[str, bool]:
    """For each permission whether the operation worked; what did not has left nothing behind."""
    found = {}
    for permission, operation in OPERATIONS.items():
        with transaction.atomic():
            caller, evidence = person(user), mark()
            answer = getattr(operation, door)(caller, scene, place)
            found[permission.value] = answer.status_code < 400 and operation.worked(scene, place, answer)
            if not found[permission.value]:
                assert answer.status_code in (403, 404) or is_unknown(answer), (permission, answer.status_code)
                assert evidence.changed() - {"django_session"} == set(), permission
            transaction.set_rollback(True)
    return found


def is_unknown(answer: Any) -> bool:
    """Rooms that were named are not there for whoever asks, be they out of scope or nowhere."""
    said = {200: "Choose at least one room.", 400: str(UnknownRooms.text)}
    return said.get(answer.status_code, "?") in text(answer)


def column(role: BuiltIn) -> set[str]:
    return {code for code, row in TABLE.items() if row[role.value] == "1"}


def expected(held: set[str], *, is_scoped: bool = False, is_outside: bool = False) -> dict[str, bool]:
    """What works: a scope keeps out what needs all rooms (but the key's download), and what is about rooms outside it."""
    free = {"rooms.download_key"} | ({"reports.view"} if is_outside else set())
    bound = (TENANT_WIDE if is_scoped else set()) | (set(TABLE) if is_outside else set())
    return {code: code in held and (code not in bound or code in free) for code in TABLE}


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", [BuiltIn.MMR_ADMIN, BuiltIn.SITE_LEAD, BuiltIn.SITE_TECH])
def test_customers_roles_do_what_their_column_says(scene, role, door):
    everywhere = scene.world.contoso.member(role, "eva")
    scoped = scene.world.contoso.member(role, "sam", scene.scope)
    held = column(role)
    for place in (scene.inside, scene.outside):
        assert outcomes(scene, everywhere, place, door) == expected(held)
    assert outcomes(scene, scoped, scene.inside, door) == expected(held, is_scoped=True)
    assert outcomes(scene, scoped, scene.outside, door) == expected(held, is_scoped=True, is_outside=True)


@pytest.mark.parametrize("door", DOORS)
def test_primary_admins_do_what_their_column_says_with_their_own_roles(scene, door):
    relationship, (ann,) = join(scene.world.contoso, scene.world.fabrikam, "ann", scope=scene.scope)
    held = column(BuiltIn.PARTNER_ADMIN)
    scene.role = custom_role(scene.tenant, Permission.ROOMS_VIEW, delegation=relationship.delegation)
    inside = outcomes(scene, ann, scene.inside, door)
    assert inside == expected(held)
    # Its roles are its own, whatever rooms are asked about; the customer's are none of its business.
    outside = expected(held, is_outside=True) | {"roles.view": True, "roles.modify": True}
    assert outcomes(scene, ann, scene.outside, door) == outside
    scene.role = scene.own_role
    assert outcomes(scene, ann, scene.inside, door) == expected(held - {"roles.view", "roles.modify"})


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("permission", list(Permission))
def test_one_permission_opens_just_that_one_and_what_it_implies(scene, permission, door):
    rita = scene.world.contoso.person("rita")
    assign(custom_role(scene.tenant, permission), rita, Scope(all_rooms=True))
    implied = {code for code, by in IMPLIED_BY.items() if permission.value in by}
    assert outcomes(scene, rita, scene.inside, door) == expected({permission.value} | implied)


@pytest.mark.parametrize("door", DOORS)
def test_nobody_and_another_customers_admin_do_nothing(scene, door):
    for user in (scene.world.contoso.person("nina"), scene.world.tailwind.admin):
        assert outcomes(scene, user, scene.inside, door) == expected(set())


def test_scope_of_the_scene_is_what_it_says(scene):
    assert set(scene.scope.of_tenant(scene.tenant)) == set(scene.world.contoso.rooms[:2])
    assert scopes.Scope().is_empty

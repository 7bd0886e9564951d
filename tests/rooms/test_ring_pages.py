"""The pages of update rings and rollouts: who opens them, what they show, what their buttons do."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rbac.catalogue import BuiltIn
from rbac.models import User
from rooms.models import Rollout, Room, RoomUpdate, UpdateRing
from rooms.services import releases, rollout_clock, rollout_control, room_updates, update_rings
from tests.factories import join
from tests.factories.browsing import browser, links, text, told
from tests.factories.rows import RoomFactory
from tests.factories.world import make

pytestmark = pytest.mark.django_db

OF_RING = ["ring", "ring_edit", "ring_rooms", "ring_delete"]
OF_ROLLOUT = ["rollout", "rollout_pause", "rollout_resume", "rollout_retry", "rollout_force"]
NAMES = ["rings", "ring_add", *OF_RING, *OF_ROLLOUT]


class Scene:
    """Contoso's ring Boardrooms holds its German rooms (the partner's), a rollout is in progress there; at Tailwind too."""

    def __init__(self) -> None:
        self.world = make()
        self.contoso, self.tailwind = self.world.contoso, self.world.tailwind
        self.relationship, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        Room.objects.update(state="enrolled", app_version="5.0")
        self.ring = update_rings.create(self.contoso.tenant, "Boardrooms", by=self.admin, rollout_days=3)
        german = [room.pk for room in self.contoso.german]
        update_rings.move_rooms(self.ring, by=self.admin, rooms=german)
        releases.publish("5.1", by=None, notes="Better than before.")
        for customer in (self.contoso, self.tailwind):
            rollout_clock.schedule(customer.tenant.pk)
        self.rollout = self.start(self.ring)
        self.general = UpdateRing.objects.get(tenant=self.contoso.tenant, is_default=True)
        self.foreign_ring = UpdateRing.objects.get(tenant=self.tailwind.tenant, is_default=True)
        self.foreign = self.start(self.foreign_ring)
        self.tess = self.contoso.member(BuiltIn.SITE_TECH, "tess")

    def start(self, ring: UpdateRing) -> Rollout:
        rollout = Rollout.objects.select_related("ring", "release", "tenant").get(ring=ring)
        rollout_clock.begin(rollout.pk)
        rollout.refresh_from_db()
        return rollout

    @property
    def admin(self) -> User:
        return self.contoso.admin

    def url(self, name: str, of: Any = None) -> str:
        of = of or (self.ring if name in OF_RING or name == "ring_order" else self.rollout)
        own = [of.pk] if name in (*OF_RING, "ring_order", *OF_ROLLOUT) else []
        return reverse(name, args=[self.contoso.tenant.pk, *own])

    def get(self, person: User | None, name: str, of: Any = None, query: str = "") -> Any:
        return browser(person).get(self.url(name, of) + query)

    def post(self, person: User, name: str, data: dict[str, Any], of: Any = None) -> Any:
        return browser(person).post(self.url(name, of), data)


@pytest.fixture
def scene() -> Scene:
    return Scene()


# --- Who opens them -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_anonymous_stranger_and_member_without_the_permission(scene: Scene, name: str) -> None:
    assert scene.get(None, name).url.startswith(reverse("sign_in"))
    assert scene.get(scene.tailwind.admin, name).status_code == 404
    assert scene.get(scene.tess, name).status_code == 403
    assert scene.get(scene.admin, name).status_code == 200


@pytest.mark.parametrize("name", [*OF_RING, *OF_ROLLOUT])
def test_foreign_and_unknown_ones_are_not_there(scene: Scene, name: str) -> None:
    foreign = scene.foreign_ring if name in OF_RING else scene.foreign
    for of in (foreign, type(foreign)(pk=999_999), type(foreign)(pk=2**63)):
        assert scene.get(scene.admin, name, of).status_code == 404
        assert browser(scene.admin).post(scene.url(name, of)).status_code in (404, 405)


def test_a_ring_out_of_scope_is_not_there(scene: Scene) -> None:
    update_rings.move_rooms(scene.ring, by=scene.admin, rooms=[scene.contoso.rooms[0].pk])
    assert scene.get(scene.ann, "ring", scene.general).status_code == 404
    assert "General" not in text(scene.get(scene.ann, "rings"))


@pytest.mark.parametrize(("name", "query"), [("rings", "?q=x"), ("ring", "?q=x"), ("rollout", "?q=x")])
def test_unknown_parameters_are_refused(scene: Scene, name: str, query: str) -> None:
    assert scene.get(scene.admin, name, query=query).status_code == 400


@pytest.mark.parametrize("query", ["?state=nothing", "?cursor=x"])
def test_a_filter_that_does_not_exist_is_refused(scene: Scene, query: str) -> None:
    assert scene.get(scene.admin, "rollout", query=query).status_code == 400


# --- What they show -----------------------------------------------------------------------------


def test_the_list_shows_rings_in_order_with_rooms_budget_and_progress(scene: Scene) -> None:
    page = text(scene.get(scene.admin, "rings"))
    table = page.partition("Newest release: 5.1")[2]
    assert "Newest release: 5.1" in page
    assert "50 of 60 days" not in page
    assert "45 of 60 days" in page
    assert table.index("Staging") < table.index("General") < table.index("Executive") < table.index("Boardrooms")
    assert "0 of 2" in page
    assert "New ring" in page


def test_who_sees_some_rooms_counts_those_and_knows_no_budget(scene: Scene) -> None:
    update_rings.move_rooms(scene.ring, by=scene.admin, rooms=[room.pk for room in scene.contoso.rooms])
    page = text(scene.get(scene.ann, "rings"))
    assert "of 60 days" not in page
    assert "0 of 2" in page
    assert "New ring" not in page
    page = text(scene.get(scene.ann, "ring"))
    assert "Contoso room 0" in page
    assert "Contoso room 2" not in page
    assert "Only somebody who is responsible for all rooms of this ring can do this." in page
    assert "Contoso room 2" not in text(scene.get(scene.ann, "rollout"))


def test_a_ring_says_what_happens_next(scene: Scene) -> None:
    assert "Release 5.1 is being rolled out. The next rooms begin:" in text(scene.get(scene.admin, "ring"))
    assert "Release 5.1 begins here:" in text(scene.get(scene.admin, "ring", scene.general))


def test_a_rollout_shows_its_rooms_by_state(scene: Scene) -> None:
    first, second = scene.contoso.german
    RoomUpdate.objects.filter(room=first).update(state="failed", failure="There is no space.")
    page = text(scene.get(scene.admin, "rollout"))
    assert "Better than before." in page
    assert "0 of 2 rooms have the new version." in page
    assert "There is no space." in page
    failed = text(scene.get(scene.admin, "rollout", query="?state=failed"))
    assert (first.display_name in failed, second.display_name in failed) == (True, False)
    assert "No room in this state" in text(scene.get(scene.admin, "rollout", query="?state=done"))


@pytest.mark.parametrize(
    ("state", "rooms", "offered"),
    [
        ("in_progress", "waiting", {"rollout_pause", "rollout_force"}),
        ("in_progress", "failed", {"rollout_retry", "rollout_force"}),
        ("paused", "paused", {"rollout_resume"}),
        ("completed_with_failures", "failed", {"rollout_retry", "rollout_force"}),
        ("completed", "done", set()),
        ("deprecated", "ended", set()),
    ],
)
def test_only_what_is_possible_is_offered(scene: Scene, state: str, rooms: str, offered: set[str]) -> None:
    Rollout.objects.filter(pk=scene.rollout.pk).update(state=state)
    scene.rollout.rooms.update(state=rooms)
    found = links(scene.get(scene.admin, "rollout"))
    assert {name for name in OF_ROLLOUT[1:] if scene.url(name) in found} == offered


# --- What their buttons do ----------------------------------------------------------------------


def test_a_ring_is_made_and_rooms_come_next(scene: Scene) -> None:
    answer = scene.post(scene.admin, "ring_add", {"name": "Labs", "rollout_days": "2", "test_days": "1"})
    made = UpdateRing.objects.get(name="Labs")
    assert answer.url == scene.url("ring_rooms", made)
    assert (made.order, made.rollout_days, made.test_days) == (5, 2, 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "Boardrooms"}, "An update ring of this name exists already."),
        ({"rollout_days": "16"}, "All rings together may take at most 60 days"),
        ({"rollout_days": "x"}, "Enter a whole number."),
        ({"rollout_days": "9" * 30}, "Ensure this value is less than or equal to 60."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_stands_in_the_form_and_nothing_is_lost(scene: Scene, data: dict[str, str], message: str) -> None:
    entered = {"name": "Labs", "rollout_days": "2", "test_days": "1", "description": "To be kept"} | data
    answer = scene.post(scene.admin, "ring_add", entered)
    assert answer.status_code == 200
    assert message in text(answer)
    assert "To be kept" in text(answer)
    assert UpdateRing.objects.filter(tenant=scene.contoso.tenant).count() == 4


def edited(scene: Scene, **fields: Any) -> dict[str, Any]:
    ring = UpdateRing.objects.get(pk=scene.ring.pk)
    values = {name: getattr(ring, name) for name in ("name", "description", "rollout_days", "test_days", "version")}
    return values | fields


def test_a_ring_is_edited(scene: Scene) -> None:
    answer = scene.post(scene.ann, "ring_edit", edited(scene, rollout_days=5))
    assert answer.url == scene.url("ring")
    scene.ring.refresh_from_db()
    assert (scene.ring.rollout_days, scene.ring.version) == (5, 2)


def test_somebody_elses_faster_change_is_shown(scene: Scene) -> None:
    data = edited(scene, rollout_days=5)
    update_rings.modify(scene.ring, by=scene.admin, changes={"rollout_days": 4})
    answer = scene.post(scene.admin, "ring_edit", data)
    assert "Now stored: 4" in text(answer)
    assert scene.post(scene.admin, "ring_edit", edited(scene, rollout_days=5)).status_code == 302


def test_a_ring_moves_up_and_down(scene: Scene) -> None:
    scene.post(scene.admin, "ring_order", {"to": "up"})
    scene.ring.refresh_from_db()
    assert scene.ring.order == 3
    scene.post(scene.admin, "ring_order", {"to": "down"})
    scene.post(scene.admin, "ring_order", {"to": "down"})  # there is no place further down
    scene.ring.refresh_from_db()
    assert scene.ring.order == 4
    assert scene.post(scene.admin, "ring_order", {"to": "top"}).status_code == 400
    assert scene.get(scene.admin, "ring_order").status_code == 405


def test_rooms_are_moved_ticked_or_all_that_match(scene: Scene) -> None:
    american = scene.contoso.rooms[2]
    answer = scene.post(scene.admin, "ring_rooms", {"move": "1", "pick": [american.pk]})
    assert answer.url == scene.url("ring")
    assert scene.ring.rooms.count() == 3
    url = scene.url("ring_rooms", scene.general) + "?country=DE"
    browser(scene.admin).post(url, {"move_matching": "1"})
    assert set(scene.general.rooms.values_list("country", flat=True)) == {"DE"}
    answer = browser(scene.admin).post(scene.url("ring_rooms"), {"move": "1"})
    assert told(answer) == ["Tick the rooms first."]


def test_a_room_that_is_not_ones_own_is_not_moved(scene: Scene) -> None:
    american = scene.contoso.rooms[2]
    answer = scene.post(scene.ann, "ring_rooms", {"move": "1", "pick": [american.pk, scene.tailwind.rooms[0].pk]})
    assert told(answer) == ["Some of the rooms do not exist any more. Choose again."]
    assert scene.ring.rooms.count() == 2


def test_a_ring_is_deleted_after_a_page_that_says_what_happens(scene: Scene) -> None:
    assert "Its 2 rooms move to the default ring “General”" in text(scene.get(scene.admin, "ring_delete"))
    answer = scene.post(scene.admin, "ring_delete", {})
    assert answer.url == reverse("rings", args=[scene.contoso.tenant.pk])
    assert not UpdateRing.objects.filter(pk=scene.ring.pk).exists()
    answer = scene.post(scene.admin, "ring_delete", {}, scene.general)
    assert told(answer) == ["The preconfigured rings cannot be deleted."]


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("pause", ("in_progress", "waiting"), ("paused", "paused")),
        ("resume", ("paused", "paused"), ("in_progress", "waiting")),
        ("retry", ("completed_with_failures", "failed"), ("in_progress", "waiting")),
        ("force", ("in_progress", "waiting"), ("in_progress", "offered")),
    ],
)
def test_the_rollout_is_changed_after_a_page_that_says_what_happens(
    scene: Scene, action: str, before: tuple[str, str], after: tuple[str, str]
) -> None:
    Rollout.objects.filter(pk=scene.rollout.pk).update(state=before[0])
    scene.rollout.rooms.update(state=before[1])
    page = text(scene.get(scene.admin, f"rollout_{action}"))
    assert "What will happen 2 " in page
    assert "Only the rooms you are responsible for" not in page
    answer = scene.post(scene.admin, f"rollout_{action}", {})
    assert answer.url == scene.url("rollout")
    scene.rollout.refresh_from_db()
    assert (scene.rollout.state, set(scene.rollout.rooms.values_list("state", flat=True))) == (after[0], {after[1]})
    assert len(told(answer)) == 1


def test_ticked_rooms_alone_are_forced(scene: Scene) -> None:
    first, second = scene.contoso.german
    page = scene.get(scene.admin, "rollout_force", query=f"?pick={first.pk}")
    assert f'name="pick" value="{first.pk}"' in page.content.decode()
    scene.post(scene.admin, "rollout_force", {"pick": [first.pk]})
    assert dict(scene.rollout.rooms.values_list("room", "state")) == {first.pk: "offered", second.pk: "waiting"}


def test_who_has_some_rooms_is_told_so_and_changes_those(scene: Scene) -> None:
    update_rings.move_rooms(scene.ring, by=scene.admin, rooms=[scene.contoso.rooms[2].pk])
    assert "Only the rooms you are responsible for are concerned" in text(scene.get(scene.ann, "rollout_pause"))
    scene.post(scene.ann, "rollout_pause", {})
    scene.rollout.refresh_from_db()
    assert scene.rollout.state == "in_progress"
    assert dict(scene.rollout.rooms.values_list("room__country", "state")) == {"DE": "paused", "US": "waiting"}
    rollout_control.pause(scene.rollout, by=scene.admin)
    page = text(scene.get(scene.ann, "rollout"))
    assert "Only somebody who is responsible for all rooms of this ring can do this." in page
    assert told(scene.post(scene.ann, "rollout_resume", {})) == [
        "The whole ring has been paused. Only somebody who is responsible for all of its rooms can resume it."
    ]


# --- What they cost -----------------------------------------------------------------------------


def statements(scene: Scene, name: str) -> int:
    client = browser(scene.admin)
    client.get(scene.url(name))  # the session is written with the first page
    with CaptureQueriesContext(connection) as queries:
        assert client.get(scene.url(name)).status_code == 200
    return len(queries)


STATEMENTS = {
    "rings": 9,
    "ring": 11,
    "ring_add": 6,
    "ring_edit": 8,
    "ring_rooms": 9,
    "ring_delete": 9,
    "rollout": 11,
    "rollout_pause": 8,
    "rollout_resume": 8,
    "rollout_retry": 8,
    "rollout_force": 8,
}


@pytest.mark.parametrize("name", NAMES)
def test_statements_do_not_grow_with_rings_and_rooms(scene: Scene, name: str) -> None:
    before = statements(scene, name)
    for number in range(3):
        update_rings.create(scene.contoso.tenant, f"Ring {number}", by=scene.admin, rollout_days=1)
        RoomFactory(tenant=scene.contoso.tenant, ring=scene.ring, state="enrolled", app_version="5.0")
        RoomFactory(tenant=scene.contoso.tenant, state="enrolled", app_version="5.0")
    rollout_clock.schedule(scene.contoso.tenant.pk)
    room_updates.take_in(scene.rollout)
    assert (before, statements(scene, name)) == (STATEMENTS[name], STATEMENTS[name])

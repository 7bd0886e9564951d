"""The tabs of a room, and the buttons and pages that enrol, suppress and unenrol it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from audit.clock import now
from rbac.catalogue import BuiltIn, Permission
from rooms.models import Room, RoomActivity, RoomState, Ticket
from rooms.services import monitoring
from rooms.services.rooms import modify
from tests.factories.browsing import browser, links, text, told
from tests.factories.devices import bad, enroll, report, well
from tests.factories.world import assign, custom_role, join, make, over

pytestmark = pytest.mark.django_db

TABS = ("status", "incidents", "updates", "activity", "settings")
CHANGES = ("room_enroll", "room_suppress", "room_unsuppress", "room_unenroll")


class Scene:
    def __init__(self):
        self.world = make()
        self.contoso = self.world.contoso
        self.room = self.contoso.rooms[0]
        self.relationship, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        self.tess = self.contoso.member(BuiltIn.SITE_TECH, "tess", over(self.room))
        self.vera = self.contoso.person("vera")
        assign(custom_role(self.contoso.tenant, Permission.ROOMS_VIEW), self.vera, over(self.room))
        self.nora = self.contoso.person("nora")

    @property
    def admin(self):
        return self.contoso.admin

    def url(self, name="room", tab=""):
        return reverse(name, args=[self.contoso.tenant.pk, self.room.pk]) + (f"?tab={tab}" if tab else "")

    def get(self, person, name="room", tab=""):
        return browser(person).get(self.url(name, tab))

    def post(self, person, name, **said):
        return browser(person).post(self.url(name), said, follow=True)

    def put(self, state, **fields):
        Room.objects.filter(pk=self.room.pk).update(state=state, **fields)

    @property
    def state(self):
        return Room.objects.values_list("state", flat=True).get(pk=self.room.pk)


@pytest.fixture
def scene():
    return Scene()


# --- Tabs ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("tab", TABS)
def test_tabs_are_for_those_who_hold_what_they_show(scene, tab):
    needs_more = tab in ("incidents", "updates")
    people = (scene.admin, scene.ann, scene.vera, scene.nora, scene.world.tailwind.admin)
    answers = [scene.get(person, tab=tab).status_code for person in people]
    assert answers == [200, 200, 403 if needs_more else 200, 403, 404]


def test_only_the_tabs_one_may_open_are_offered(scene):
    def offered(person):
        return {tab for tab in TABS[1:] if scene.url(tab=tab) in links(scene.get(person))}

    assert offered(scene.admin) == set(TABS[1:])
    assert offered(scene.vera) == {"activity", "settings"}


@pytest.mark.parametrize("query", ["?tab=nonsense", "?x=1", "?tab=activity&cursor=nonsense"])
def test_what_no_tab_takes_is_a_bad_request(scene, query):
    assert browser(scene.admin).get(scene.url() + query).status_code == 400


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("count", [1, 3])
def test_a_tab_asks_as_often_for_many_as_for_one(scene, django_assert_num_queries, tab, count):
    device, _ = enroll(scene.contoso, scene.room)
    report(device, *(bad(f"Camera {number}") for number in range(count)))
    client = browser(scene.ann)
    client.get(scene.url(tab=tab))
    with django_assert_num_queries(QUERIES[tab]):
        assert client.get(scene.url(tab=tab)).status_code == 200


QUERIES = {"status": 11, "incidents": 7, "updates": 7, "activity": 7, "settings": 7}


def test_status_says_how_the_room_is_and_why(scene):
    device, _ = enroll(scene.contoso, scene.room)
    report(device, bad("Camera", "critical"), well("Mic", "important", "audio"))
    said = text(scene.get(scene.ann))
    for part in ("Enrolled", "Unhealthy", "Camera", "Critical", "Mic", "1 critical or important signal is not well."):
        assert part in said
    scene.put(RoomState.ONBOARDING)
    assert "This room is not monitored yet" in text(scene.get(scene.ann))


def test_incidents_are_those_of_the_room_that_one_may_see(scene):
    device, _ = enroll(scene.contoso, scene.room)
    report(device, bad("Camera"))
    number = Ticket.objects.get(signal_room=scene.room).pk
    said = text(scene.get(scene.ann, tab="incidents"))
    assert f"#{number}" in said
    assert "Camera" in said


def test_activity_is_worded_and_names_other_organisations_people_to_nobody(scene):
    scene.put(RoomState.ENROLLED)
    modify(scene.room, by=scene.admin, changes={"city": "Bonn", "capacity": 5})
    monitoring.suppress(scene.room, by=scene.ann, reason="New carpet")
    mine, theirs = text(scene.get(scene.admin, tab="activity")), text(scene.get(scene.ann, tab="activity"))
    for said in (mine, theirs):
        assert "Changed: City, Capacity" in said
        assert "Suppressed until somebody lifts it" in said
        assert "New carpet" in said
        assert scene.ann.upn in said
    assert scene.admin.upn in mine
    assert scene.admin.upn not in theirs
    assert "somebody of another organisation" in theirs


def test_activity_has_pages(scene):
    RoomActivity.objects.bulk_create(
        RoomActivity(
            tenant=scene.contoso.tenant, room=scene.room, at=now(), kind="modified", detail={"fields": ["city"]}
        )
        for _ in range(30)
    )
    response = scene.get(scene.admin, tab="activity")
    [further] = [link for link in links(response) if "cursor=" in link]
    assert text(browser(scene.admin).get(scene.url() + further)).count("Changed: City") == 5


# --- Buttons ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_for_those_who_hold_the_permission(scene, name):
    scene.put(RoomState.ENROLLED)
    people = (scene.admin, scene.tess, scene.ann, scene.vera, scene.nora, scene.world.tailwind.admin)
    partner = 403 if name == "room_unenroll" else 302
    said = {"ends": "open"} if name == "room_suppress" else {}
    answers = []
    for person in people:
        scene.put(RoomState.ENROLLED)
        answers.append(browser(person).post(scene.url(name), said).status_code)
    assert answers == [302, 302, partner, 403, 403, 404]


@pytest.mark.parametrize("name", ["room_suppress", "room_unenroll"])
def test_pages_of_changes_are_for_those_who_hold_the_permission(scene, name):
    scene.put(RoomState.ENROLLED)
    people = (scene.admin, scene.tess, scene.ann, scene.vera, scene.nora, scene.world.tailwind.admin)
    partner = 403 if name == "room_unenroll" else 200
    assert [scene.get(person, name).status_code for person in people] == [200, 200, partner, 403, 403, 404]


def test_the_status_offers_what_can_be_done_now(scene):
    def offered(person):
        page = scene.get(person)
        content = page.content.decode()
        return {name for name in CHANGES if scene.url(name) in content}

    assert offered(scene.admin) == {"room_enroll"}
    scene.put(RoomState.ENROLLED)
    assert offered(scene.admin) == {"room_suppress", "room_unenroll"}
    assert offered(scene.ann) == {"room_suppress"}
    assert offered(scene.vera) == set()
    scene.put(RoomState.SUPPRESSED)
    assert offered(scene.tess) == {"room_suppress", "room_unsuppress", "room_unenroll"}


def test_a_suppression_is_typed_in_the_zone_of_the_room(scene):
    scene.put(RoomState.ENROLLED, time_zone="Asia/Tokyo")
    until = (now() + timedelta(days=2)).replace(second=0, microsecond=0)
    typed = (until + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M")
    response = scene.post(scene.ann, "room_suppress", ends="until", until=typed, reason="Cables")
    assert "is suppressed until" in told(response)[0]
    assert Room.objects.get(pk=scene.room.pk).suppressed_until == until


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "For how long: This field is required."),
        ({"ends": "until"}, "Date and time: Choose date and time."),
        ({"ends": "until", "until": "2020-01-01T00:00"}, "Choose a moment in the future, at most 90 days from now."),
        ({"ends": "until", "until": "soon"}, "Date and time: Enter a valid date/time."),
        ({"ends": "5"}, "For how long"),
        ({"ends": "open", "reason": "x" * 201}, "Reason"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(scene, said, expected):
    scene.put(RoomState.ENROLLED)
    response = browser(scene.admin).post(scene.url("room_suppress"), said)
    assert response.status_code == 200
    assert expected in text(response)
    assert scene.state == "enrolled"


@pytest.mark.parametrize("name", ["room_suppress", "room_unenroll"])
def test_what_is_not_monitored_is_said_to_be_so(scene, name):
    response = browser(scene.admin).get(scene.url(name), follow=True)
    assert told(response) == ["This room is not monitored (any more). Enrol it first."]


def test_unenrolling_says_first_what_it_takes_with_it(scene):
    device, _ = enroll(scene.contoso, scene.room)
    report(device, bad("Camera"), bad("Screen"))
    said = text(scene.get(scene.admin, "room_unenroll"))
    assert "2 system tickets are closed." in said
    assert "The token of its device is revoked." in said
    response = scene.post(scene.admin, "room_unenroll")
    assert told(response) == ["“Contoso room 0” is not monitored any more."]
    assert scene.state == "unenrolled"


def test_the_list_and_the_page_show_a_suppression_that_is_over_as_over(scene):
    scene.put(RoomState.SUPPRESSED, suppressed_until=now() - timedelta(seconds=1))
    page = browser(scene.admin).get(reverse("rooms", args=[scene.contoso.tenant.pk]) + "?state=enrolled")
    assert "Contoso room 0" in text(page)
    assert "In maintenance" not in text(scene.get(scene.admin))

"""Changing several rooms in the browser, and the filters one keeps for finding them."""

import pytest
from django.urls import reverse

from rbac.catalogue import BuiltIn, Permission
from rooms.models import BulkChange, Room, RoomState, SavedFilter, WorkState
from rooms.services import saved_filters
from tests.factories.browsing import browser, links, text, told
from tests.factories.world import assign, custom_role, join, make, over

pytestmark = pytest.mark.django_db


class Scene:
    def __init__(self):
        self.world = make()
        self.contoso = self.world.contoso
        _, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        self.tess = self.contoso.member(BuiltIn.SITE_TECH, "tess", over(self.contoso.rooms[0]))
        self.vera = self.contoso.person("vera")
        assign(custom_role(self.contoso.tenant, Permission.ROOMS_VIEW), self.vera, over(self.contoso.rooms[0]))

    @property
    def admin(self):
        return self.contoso.admin

    def url(self, name, *args, query=""):
        return reverse(name, args=[self.contoso.tenant.pk, *args]) + query

    def choose(self, client, query="", **said):
        return client.post(self.url("rooms_bulk", query=query), said, follow=True)


@pytest.fixture
def scene():
    return Scene()


def change() -> BulkChange:
    return BulkChange.objects.get()


def test_from_the_list_to_the_result(scene):
    client = browser(scene.admin)
    picked = [scene.contoso.rooms[0].pk, scene.contoso.rooms[2].pk, scene.world.tailwind.rooms[0].pk, 10**9]
    page = scene.choose(client, pick=picked)
    assert "2 rooms chosen." in text(page)
    assert "?action=edit" in links(page)
    url = scene.url("rooms_bulk_change", change().pk)
    assert "What you leave empty stays as it is" in text(client.get(url + "?action=edit"))

    review = client.post(url + "?action=edit", {"campus": "North", "add_tags": "video, quiet"}, follow=True)
    said = text(review)
    for part in ("Nothing has been written yet", "Campus", "North", "video, quiet", "Change 2 rooms", "Contoso room 2"):
        assert part in said
    assert not Room.objects.filter(campus="North").exists()

    result = client.post(scene.url("rooms_bulk_confirm", change().pk), follow=True)
    assert "2 done, 0 unchanged, 0 refused." in text(result)
    assert Room.objects.filter(campus="North", tags=["video", "quiet"]).count() == 2
    lines = b"".join(client.get(scene.url("rooms_bulk_download", change().pk)).streaming_content).decode()
    assert [line.split(",")[2] for line in lines.splitlines()] == ["Outcome", "Done", "Done"]
    assert "No such room" in text(client.get(url + "?outcome=refused"))


def test_all_that_match_the_filter_are_chosen(scene):
    scene.choose(browser(scene.admin), "?country=DE", all_matching="1")
    assert change().targets == [room.pk for room in scene.contoso.german]


def test_too_many_and_none_are_told(scene, monkeypatch):
    client = browser(scene.admin)
    assert told(scene.choose(client)) == ["Tick the rooms first."]
    monkeypatch.setattr("rooms.services.bulk.MOST_ROOMS", 2)
    assert "more than 2 rooms" in told(scene.choose(client, all_matching="1"))[0]
    assert not BulkChange.objects.exists()


@pytest.mark.parametrize(
    ("action", "said", "expected"),
    [
        ("edit", {}, "Fill in what is to be changed."),
        ("edit", {"floor": "999"}, "Floor"),
        ("edit", {"time_zone": "Mars/Olympus"}, "Time zone"),
        ("suppress", {}, "For how long"),
        ("group", {"group": "999"}, "Room group"),
        ("ring", {}, "Update ring"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(scene, action, said, expected):
    client = browser(scene.admin)
    scene.choose(client, all_matching="1")
    response = client.post(scene.url("rooms_bulk_change", change().pk, query=f"?action={action}"), said)
    assert response.status_code == 200
    assert expected in text(response)
    assert change().action == ""


@pytest.mark.parametrize("query", ["?action=nonsense", "?action=edit'"])
def test_an_action_that_is_none_is_a_bad_request(scene, query):
    client = browser(scene.admin)
    scene.choose(client, all_matching="1")
    assert client.get(scene.url("rooms_bulk_change", change().pk, query=query)).status_code == 400


def test_what_needs_other_permissions_is_not_offered(scene):
    def offered(person):
        return {link for link in links(scene.choose(browser(person), all_matching="1")) if link.startswith("?action=")}

    everything = {f"?action={name}" for name in ("edit", "enroll", "suppress", "unsuppress", "group", "ring")}
    assert offered(scene.admin) == everything
    assert offered(scene.ann) == everything - {"?action=group"}
    assert offered(scene.tess) == everything - {"?action=group", "?action=ring"}


NAMES = ("rooms_bulk_change", "rooms_bulk_confirm", "rooms_bulk_discard", "rooms_bulk_download")


@pytest.mark.parametrize("name", NAMES)
def test_a_change_is_its_persons_own(scene, name):
    scene.choose(browser(scene.admin), all_matching="1")
    people = (scene.ann, scene.tess, scene.vera, scene.world.tailwind.admin)
    method = "get" if name in ("rooms_bulk_change", "rooms_bulk_download") else "post"
    answers = [getattr(browser(person), method)(scene.url(name, change().pk)).status_code for person in people]
    assert answers == [404, 404, 403, 404]


def test_a_change_under_way_shows_how_far_it_is(scene):
    client = browser(scene.admin)
    scene.choose(client, all_matching="1")
    BulkChange.objects.update(action="enroll", state=WorkState.RUNNING, done=1)
    url = scene.url("rooms_bulk_change", change().pk)
    assert "1 of 3 rooms" in text(client.get(url))
    assert client.post(scene.url("rooms_bulk_discard", change().pk)).status_code == 409


def test_a_choice_can_be_forgotten(scene):
    client = browser(scene.admin)
    scene.choose(client, all_matching="1")
    client.post(scene.url("rooms_bulk_discard", change().pk))
    assert not BulkChange.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_a_review_asks_as_often_for_many_rooms_as_for_one(scene, django_assert_num_queries, count):
    client = browser(scene.ann)
    scene.choose(client, pick=[room.pk for room in scene.contoso.german[:count]])
    url = scene.url("rooms_bulk_change", change().pk)
    client.post(url + "?action=enroll")
    with django_assert_num_queries(7):
        client.get(url)


# --- Filters ------------------------------------------------------------------------------------
def test_a_filter_is_kept_opens_the_list_and_is_gone(scene):
    client = browser(scene.admin)
    rooms = scene.url("rooms")
    assert scene.url("rooms_filters", query="?query=city%3DBerlin") in links(client.get(rooms + "?city=Berlin"))
    said = {"name": "In Berlin", "query": "city=Berlin", "is_default": "on"}
    page = client.post(scene.url("rooms_filters"), said, follow=True)
    assert page.redirect_chain == [(rooms + "?city=Berlin", 302)]
    assert client.get(rooms).url == rooms + "?city=Berlin"
    assert client.get(rooms + "?sort=name").status_code == 200

    made = SavedFilter.objects.get()
    client.post(scene.url("rooms_filter", made.pk), {"name": "Berlin"})
    made.refresh_from_db()
    assert (made.name, made.is_default) == ("Berlin", False)
    client.post(scene.url("rooms_filter_delete", made.pk))
    assert not SavedFilter.objects.exists()


def test_filters_are_their_persons_own(scene):
    made = saved_filters.save(scene.contoso.tenant, "Berlin", "city=Berlin", by=scene.admin)
    people = (scene.ann, scene.vera, scene.world.tailwind.admin)
    for name in ("rooms_filter", "rooms_filter_delete"):
        assert [browser(one).post(scene.url(name, made.pk)).status_code for one in people] == [404, 404, 404]
    assert "Berlin" not in text(browser(scene.vera).get(scene.url("rooms_filters")))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"name": "", "query": "city=Berlin"}, "Name: This field is required."),
        ({"name": "Berlin", "query": "nonsense=1"}, "There is no filter to keep."),
        ({"name": "Taken", "query": "city=Berlin"}, "You have a filter of this name already."),
    ],
)
def test_what_cannot_be_kept_is_told(scene, said, expected):
    saved_filters.save(scene.contoso.tenant, "Taken", "city=Berlin", by=scene.admin)
    assert expected in text(browser(scene.admin).post(scene.url("rooms_filters"), said))


def test_rings_are_named_to_those_who_may_see_them(scene):
    Room.objects.update(state=RoomState.ENROLLED)
    assert "General" in text(browser(scene.ann).get(scene.url("rooms")))
    assert "General" not in text(browser(scene.vera).get(scene.url("rooms")))
    lines = b"".join(browser(scene.vera).get(scene.url("rooms_export")).streaming_content).decode().splitlines()
    assert lines[1].endswith(",,")

"""The pages of rooms: overview, list, CSV, one room, its form. Who sees what, and what each says."""

import csv
import io
import re
import uuid

import pytest
from django.urls import reverse

from partners.services import relationships
from rbac.catalogue import BuiltIn, Permission
from rbac.models import Role
from rooms.exports import COLUMNS
from rooms.models import Health, Room, RoomState
from rooms.scopes import Scope
from tests.factories import RoomFactory
from tests.factories.browsing import body, browser, links, text, told
from tests.factories.evidence import leaves, mark
from tests.factories.world import assign, found_customer, invite, join, make, over, room_group

pytestmark = pytest.mark.django_db


class Scene:
    """Contoso with a partner for its German rooms, people in and without roles; Tailwind and its own beside it."""

    def __init__(self):
        self.world = make()
        self.contoso = self.world.contoso
        self.relationship, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        join(self.world.tailwind, self.world.northwind, "eve")
        self.tess = self.contoso.member(BuiltIn.SITE_TECH, "tess", over(self.contoso.rooms[0]))
        self.nora = self.contoso.person("nora")
        settings = Role.objects.create(tenant=self.contoso.tenant, name="S", permissions=[Permission.SETTINGS_VIEW])
        self.sam = self.contoso.person("sam")
        assign(settings, self.sam, Scope(all_rooms=True))
        viewer = Role.objects.create(tenant=self.contoso.tenant, name="V", permissions=[Permission.ROOMS_VIEW])
        self.vera = self.contoso.person("vera")
        assign(viewer, self.vera, Scope(all_rooms=True))

    @property
    def admin(self):
        return self.contoso.admin

    def url(self, name, room=None, query=""):
        ids = [self.contoso.tenant.pk, *([room.pk] if room is not None else [])]
        return reverse(name, args=ids) + query

    def get(self, person, name, room=None, query="", **options):
        return browser(person).get(self.url(name, room, query), **options)


@pytest.fixture
def scene():
    return Scene()


def shown(response):
    """The names of the rooms in the list, in its order."""
    return re.findall(r'class="row-link"[^>]*>([^<]*)</a>', response.content.decode())


ROOMS = ["Contoso room 0", "Contoso room 1", "Contoso room 2"]
NAMES = ["rooms", "rooms_export", "room", "room_edit"]


# --- Gates --------------------------------------------------------------------------------------
def args(scene, name):
    return [name] if name in ("rooms", "rooms_export", "overview") else [name, scene.contoso.rooms[0]]


@pytest.mark.parametrize("name", ["overview", *NAMES])
def test_anonymous_signs_in_first(scene, name):
    response = scene.get(None, *args(scene, name))

    assert (response.status_code, response.url.split("?")[0]) == (302, "/sign-in/")


@pytest.mark.parametrize("name", ["overview", *NAMES])
def test_strangers_find_nothing(scene, name):
    strangers = [scene.world.tailwind.admin, scene.world.northwind.person("eve"), scene.world.northwind.person("joe")]

    assert [scene.get(person, *args(scene, name)).status_code for person in strangers] == [404, 404, 404]


@pytest.mark.parametrize("name", NAMES)
def test_members_without_the_permission_are_told_so(scene, name):
    assert [scene.get(who, *args(scene, name)).status_code for who in (scene.nora, scene.sam)] == [403, 403]


@pytest.mark.parametrize("name", ["overview", *NAMES])
def test_everybody_who_may_sees_it(scene, name):
    people = [scene.admin, scene.tess, scene.ann]

    assert [scene.get(person, *args(scene, name)).status_code for person in people] == [200, 200, 200]


@pytest.mark.parametrize("name", ["room", "room_edit"])
def test_out_of_scope_foreign_deleted_and_never_look_alike(scene, name):
    gone = RoomFactory(tenant=scene.contoso.tenant)
    gone_id, _ = gone.pk, gone.delete()
    ids = [scene.contoso.rooms[2].pk, scene.world.tailwind.rooms[0].pk, gone_id, 10**9, 2**63]
    client = browser(scene.ann)

    answers = [client.get(reverse(name, args=[scene.contoso.tenant.pk, pk])) for pk in ids]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert len({body(answer) for answer in answers}) == 1


def test_who_may_see_a_room_but_not_change_it_is_told_so(scene):
    room = scene.contoso.rooms[0]

    assert scene.get(scene.vera, "room", room).status_code == 200
    assert scene.get(scene.vera, "room_edit", room).status_code == 403
    assert browser(scene.vera).post(scene.url("room_edit", room)).status_code == 403


def test_a_removed_partner_is_out_at_the_next_click(scene):
    client = browser(scene.ann)
    url = scene.url("rooms")
    assert client.get(url).status_code == 200

    relationships.remove(scene.relationship, by=scene.admin)

    assert client.get(url).status_code == 404


@pytest.mark.parametrize("name", ["overview", "rooms", "rooms_export", "room"])
def test_reading_pages_take_no_post(scene, name):
    assert browser(scene.admin).post(scene.url(*args(scene, name))).status_code == 405


# --- List ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("who", "expected"), [("admin", ROOMS), ("vera", ROOMS), ("ann", ROOMS[:2]), ("tess", ROOMS[:1])]
)
def test_everybody_sees_just_the_rooms_in_scope(scene, who, expected):
    response = scene.get(getattr(scene, who), "rooms")

    assert shown(response) == expected
    assert "Tailwind" not in text(response)


def test_the_list_is_filtered_and_sorted_by_its_address(scene):
    assert shown(scene.get(scene.admin, "rooms", query="?country=DE&sort=-name")) == ROOMS[1::-1]
    assert shown(scene.get(scene.admin, "rooms", query="?q=seattle")) == ROOMS[2:]


@pytest.mark.parametrize("query", ["?colour=red", "?country=XX", "?sort=x", "?group=1", "?q=" + "x" * 101])
def test_a_filter_that_makes_no_sense_is_told_and_finds_nothing(scene, query):
    response = scene.get(scene.admin, "rooms", query=query)

    assert response.status_code == 400
    assert "needs your attention" in text(response)
    assert shown(response) == []


@pytest.mark.parametrize("query", ["?cursor=x", "?cursor=W10", "?q=%00", "?q=%ED%A0%80&cursor=%ff"])
def test_an_address_that_cannot_be_read_is_a_bad_request(scene, query):
    assert scene.get(scene.admin, "rooms", query=query).status_code == 400


def test_a_city_of_another_country_gives_way_to_the_country(scene):
    response = scene.get(scene.admin, "rooms", query="?country=US&city=Berlin&q=room")

    assert (response.status_code, response.url) == (302, scene.url("rooms", query="?q=room&country=US"))


def test_select_boxes_name_only_what_their_reader_sees(scene):
    room_group(scene.contoso.tenant, "Secret group", scene.contoso.rooms[2])
    room_group(scene.contoso.tenant, "Shared group", scene.contoso.rooms[0])

    def options(person):
        return re.findall(r"<option value=\"([^\"]+)\"[^>]*>([^<]*)<", scene.get(person, "rooms").content.decode())

    assert "Seattle" in str(options(scene.admin))
    assert "Secret group" in str(options(scene.admin))
    assert "Seattle" not in str(options(scene.ann))
    assert "Secret group" not in str(options(scene.ann))
    assert "Shared group" in str(options(scene.ann))
    assert "group" not in str(options(scene.tess))  # a site tech sees no groups at all


def test_a_long_list_goes_on_page_by_page(scene):
    for number in range(60):
        RoomFactory(tenant=scene.contoso.tenant, display_name=f"Extra {number:02}", city="Bonn")
    client = browser(scene.admin)

    first = client.get(scene.url("rooms", query="?city=Bonn&sort=-name"))
    (further,) = [link for link in links(first) if "cursor=" in link]
    second = client.get(scene.url("rooms") + further)
    (back,) = [link for link in links(second) if "cursor=" in link]

    assert shown(first) + shown(second) == [f"Extra {number:02}" for number in range(59, -1, -1)]
    assert "50 rooms on this page" in text(first)
    assert "city=Bonn" in further
    assert "sort=-name" in further
    assert shown(client.get(scene.url("rooms") + back)) == shown(first)


def test_an_empty_inventory_says_what_to_do_next(scene):
    Room.objects.filter(tenant=scene.contoso.tenant).delete()

    assert "Import rooms" in text(scene.get(scene.admin, "rooms"))
    assert scene.url("rooms_import") in links(scene.get(scene.admin, "rooms"))
    assert "As soon as rooms are given to you" in text(scene.get(scene.vera, "rooms"))
    assert scene.url("rooms_import") not in links(scene.get(scene.vera, "rooms"))


def test_no_room_fits_says_how_to_go_on(scene):
    response = scene.get(scene.admin, "rooms", query="?q=nothing")

    assert "No room fits" in text(response)
    assert scene.url("rooms") in links(response)


def test_names_are_shown_not_run(scene):
    RoomFactory(tenant=scene.contoso.tenant, display_name="<script>alert(1)</script>", city='"><b>')

    content = scene.get(scene.admin, "rooms").content.decode()

    assert "<script>alert" not in content
    assert '"><b>' not in content


def test_states_are_words_icons_and_colours(scene):
    Room.objects.filter(pk=scene.contoso.rooms[0].pk).update(state=RoomState.ENROLLED, health=Health.UNHEALTHY)
    response = scene.get(scene.admin, "rooms")

    assert re.search(
        r'status-danger"><svg[^>]*><use href="[^"]*#x-octagon"></use></svg>Unhealthy', response.content.decode()
    )
    assert text(response).count("Onboarding") == 3  # two rooms and the choice
    assert shown(scene.get(scene.admin, "rooms", query="?state=enrolled&health=unhealthy")) == ROOMS[:1]


# --- CSV ----------------------------------------------------------------------------------------
def exported(response):
    content = b"".join(response.streaming_content).decode("utf-8")
    assert content.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline="")))


def test_the_csv_holds_what_the_list_shows(scene):
    for who, query in [("admin", ""), ("ann", "?sort=-name"), ("tess", ""), ("admin", "?q=seattle")]:
        response = scene.get(getattr(scene, who), "rooms_export", query=query)
        listed = shown(scene.get(getattr(scene, who), "rooms", query=query))

        assert response["Content-Type"] == "text/csv"
        assert response["Content-Disposition"] == 'attachment; filename="rooms-contoso.csv"'
        assert [row["display_name"] for row in exported(response)] == listed


def test_the_csv_holds_every_column_in_plain_form(scene):
    Room.objects.filter(pk=scene.contoso.rooms[0].pk).update(
        latitude="-33.8", longitude="151.2", floor=-1, tags=["a", "b"], is_wheelchair_accessible=True
    )
    row = exported(scene.get(scene.tess, "rooms_export"))[0]

    assert tuple(row) == COLUMNS
    expected = {
        "resource_account": "room0@contoso.example",
        "state": "onboarding",
        "country": "DE",
        "latitude": "-33.8000",
        "longitude": "151.2000",
        "floor": "-1",
        "capacity": "",
        "tags": "a, b",
        "is_wheelchair_accessible": "true",
    }
    assert row | expected == row


@pytest.mark.parametrize("name", ["=1+1", "+49", "-x", "@SUM(A1)", " \t=1", "＝1", "\u200b=1"])
def test_a_name_that_a_spreadsheet_would_run_is_neutralised(scene, name):
    Room.objects.filter(pk=scene.contoso.rooms[0].pk).update(display_name=name, tags=[name])
    row = exported(scene.get(scene.tess, "rooms_export"))[0]

    assert row["display_name"] == f"'{name}"
    assert row["tags"] == f"'{name}"


def test_a_filter_that_makes_no_sense_leads_back_to_the_list(scene):
    response = scene.get(scene.admin, "rooms_export", query="?country=XX")

    assert (response.status_code, response.url) == (302, scene.url("rooms", query="?country=XX"))


# --- One room -----------------------------------------------------------------------------------
def test_a_room_says_what_it_is_and_what_one_may_do(scene):
    room = scene.contoso.rooms[0]
    Room.objects.filter(pk=room.pk).update(
        street="Hauptstr. 1", postal_code="10115", floor=2, capacity=8, time_zone="Europe/Berlin", audio_device="Jabra"
    )
    room_group(scene.contoso.tenant, "Ground floor", room)
    said = text(scene.get(scene.ann, "room", room)) + text(scene.get(scene.ann, "room", room, query="?tab=settings"))

    for part in (
        "Contoso room 0",
        "room0@contoso.example",
        "Hauptstr. 1",
        "10115 Berlin",
        "Germany",
        "Contoso tower",
        "Europe/Berlin",
        "8 people",
        "Jabra",
        "Ground floor",
        "Rooms: Modify",
    ):
        assert part in said
    assert "Rooms: Unenroll" not in said
    assert "Rooms: Unenroll" in text(scene.get(scene.admin, "room", room))


def test_who_may_not_edit_reads_why(scene):
    room = scene.contoso.rooms[0]

    assert scene.url("room_edit", room) in links(scene.get(scene.tess, "room", room, query="?tab=settings"))
    response = scene.get(scene.vera, "room", room, query="?tab=settings")
    assert scene.url("room_edit", room) not in links(response)
    assert "but not change it" in text(response)


def test_the_pane_is_the_same_page_without_the_frame(scene):
    response = scene.get(scene.admin, "room", scene.contoso.rooms[0], headers={"HX-Request": "true"})

    assert "<html" not in response.content.decode()
    assert "room0@contoso.example" in text(response)


# --- Form ---------------------------------------------------------------------------------------
def form_of(response):
    """What a browser would send if nothing were typed."""
    content = response.content.decode()
    fields = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', content))
    fields |= dict.fromkeys(re.findall(r'<input type="(?:text|number)" name="(\w+)"(?![^>]*value=)', content), "")
    for name, options in re.findall(r'<select name="(\w+)"(.*?)</select>', content, re.DOTALL):
        fields[name] = (re.findall(r'<option value="([^"]*)" selected', options) or [""])[0]
    if re.search(r'name="is_wheelchair_accessible"[^>]*checked', content):
        fields["is_wheelchair_accessible"] = "on"
    return fields


def send(scene, person, room, **typed):
    client = browser(person)
    url = scene.url("room_edit", room)
    return client.post(url, form_of(client.get(url)) | typed, follow=True)


@pytest.mark.parametrize("who", ["admin", "tess", "ann"])
def test_a_change_is_saved_and_said(scene, who):
    person, room = getattr(scene, who), scene.contoso.rooms[0]

    with leaves(f"Contoso: Room/Update Contoso room 0 Successful {person.upn}") as evidence:
        response = send(scene, person, room, city="Köln", capacity="12", tags="a, b", country="AT", latitude="48.1")

    assert response.redirect_chain == [(scene.url("room", room, "?tab=settings"), 302)]
    assert told(response) == ["The changes to “Contoso room 0” are saved."]
    assert evidence.events[0].after == {
        "city": "Köln",
        "capacity": 12,
        "tags": ["a", "b"],
        "country": "AT",
        "latitude": "48.1",
    }
    assert evidence.changed() - {"django_session", "rbac_user"} == {"rooms_room", "rooms_roomactivity"}


def test_nothing_typed_changes_nothing_and_says_so(scene):
    room = scene.contoso.rooms[0]
    Room.objects.filter(pk=room.pk).update(
        latitude="1.5", tags=["a"], time_zone="Europe/Berlin", is_wheelchair_accessible=True, floor=0
    )
    before = mark()

    response = send(scene, scene.admin, room)

    assert told(response) == ["Nothing was changed: everything is as it was stored."]
    assert before.lines == []
    assert "rooms_room" not in before.changed()


def test_what_cannot_be_is_told_at_its_field_and_nothing_typed_is_lost(scene):
    response = send(
        scene, scene.admin, scene.contoso.rooms[0], display_name="", capacity="many", city="Köln", floor="999"
    )

    said = text(response)
    assert response.redirect_chain == []
    assert "3 things need your attention" in said
    assert "Name: This field is required." in said
    assert 'value="Köln"' in response.content.decode()
    assert 'value="many"' in response.content.decode()
    assert Room.objects.get(pk=scene.contoso.rooms[0].pk).version == 1


def test_somebody_elses_faster_change_is_shown_beside_and_saving_again_is_a_choice(scene):
    room, client = scene.contoso.rooms[0], browser(scene.ann)
    url = scene.url("room_edit", room)
    typed = form_of(client.get(url)) | {"city": "Bonn"}
    send(scene, scene.admin, room, city="Ulm", capacity="5")

    with leaves(f"Contoso: Room/Update Contoso room 0 Failed(stale_version) {scene.ann.upn}"):
        response = client.post(url, typed)

    assert response.status_code == 200
    said = text(response)
    assert "Somebody else has changed this in the meantime" in said
    assert "Now stored: Ulm" in said
    assert "Now stored: 5" in said
    assert 'value="Bonn"' in response.content.decode()
    assert Room.objects.get(pk=room.pk).city == "Ulm"

    again = client.post(url, form_of(response) | {"capacity": "5"}, follow=True)
    assert told(again) == ["The changes to “Contoso room 0” are saved."]
    stored = Room.objects.get(pk=room.pk)
    assert (stored.city, stored.capacity, stored.version) == ("Bonn", 5, 3)


@pytest.mark.parametrize("version", ["", "x", "0", "-1", str(2**63)])
def test_a_form_without_its_version_is_not_saved(scene, version):
    response = send(scene, scene.admin, scene.contoso.rooms[0], version=version, city="Ulm")

    assert response.status_code == 200
    assert Room.objects.get(pk=scene.contoso.rooms[0].pk).city == "Berlin"


def test_the_form_sets_nothing_but_its_fields(scene):
    room = scene.contoso.rooms[0]

    send(
        scene, scene.admin, room, city="Ulm", state="enrolled", tenant=str(uuid.uuid4()), resource_account="x@y.example"
    )

    stored = Room.objects.get(pk=room.pk)
    assert (stored.city, stored.state, stored.tenant_id, stored.resource_account) == (
        "Ulm",
        "onboarding",
        scene.contoso.tenant.pk,
        "room0@contoso.example",
    )


# --- Overview -----------------------------------------------------------------------------------
def tiles(response):
    found = re.findall(r'tile-figure">(\d+)</span>.*?</svg>(\w+)', response.content.decode(), re.DOTALL)
    return [(label, int(count)) for count, label in found]


def test_the_overview_counts_what_its_reader_sees(scene):
    Room.objects.filter(pk=scene.contoso.rooms[0].pk).update(state=RoomState.ENROLLED, health=Health.UNHEALTHY)
    invite(scene.contoso, "x@northwind.example")

    admin, ann = scene.get(scene.admin, "overview"), scene.get(scene.ann, "overview")

    assert tiles(admin) == [("Unhealthy", 1), ("Onboarding", 2), ("Active", 1), ("Invited", 1)]
    assert tiles(ann) == [("Unhealthy", 1), ("Onboarding", 1)]
    assert "You can see 3 meeting rooms here." in text(admin)
    assert "Seattle" in text(admin)
    assert "Seattle" not in text(ann)
    assert scene.url("rooms", query="?state=enrolled&health=unhealthy") in links(admin)
    assert scene.url("rooms", query="?country=DE&city=Berlin") in links(admin)
    assert "Tailwind" not in text(admin)


def test_the_overview_says_what_to_do_next(scene):
    tailwind = scene.world.tailwind
    Room.objects.filter(tenant=scene.contoso.tenant).delete()
    Room.objects.filter(tenant=tailwind.tenant).exclude(pk=tailwind.rooms[0].pk).delete()

    assert scene.url("rooms_import") in links(scene.get(scene.admin, "overview"))
    assert scene.url("rooms_import") not in links(scene.get(scene.tess, "overview"))
    assert "Nothing is assigned to you here" in text(scene.get(scene.nora, "overview"))
    assert "Nothing is assigned to you here" in text(scene.get(scene.sam, "overview"))
    assert reverse("invitations") in links(scene.get(scene.nora, "overview"))


def test_a_customer_without_partners_is_shown_the_way_to_one(scene):
    other = found_customer("Woodgrove")

    response = browser(other.admin).get(reverse("overview", args=[other.tenant.pk]))

    assert reverse("add_partner", args=[other.tenant.pk]) in links(response)


# --- Query counts -------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("name", "who", "expected"),
    [
        ("rooms", "admin", 10),
        ("rooms", "ann", 9),
        ("rooms_export", "admin", 5),
        ("rooms_export", "ann", 5),
        ("overview", "admin", 9),
        ("overview", "ann", 6),
    ],
)
def test_a_page_of_many_asks_as_often_as_a_page_of_one(scene, django_assert_num_queries, name, who, expected, count):
    client = browser(getattr(scene, who))
    kept = [room.pk for room in scene.contoso.rooms[:count]]
    Room.objects.filter(tenant=scene.contoso.tenant).exclude(pk__in=kept).delete()
    url = scene.url(name)

    with django_assert_num_queries(expected):
        response = client.get(url)
        b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize(("who", "expected"), [("admin", 7), ("ann", 7)])
@pytest.mark.parametrize("count", [1, 3])
def test_a_room_asks_as_often_for_many_groups_as_for_one(scene, django_assert_num_queries, who, expected, count):
    room = scene.contoso.rooms[0]
    for number in range(count):
        room_group(scene.contoso.tenant, f"Group {number}", room)
    client, url = browser(getattr(scene, who)), scene.url("room", room, "?tab=settings")

    with django_assert_num_queries(expected):
        client.get(url)

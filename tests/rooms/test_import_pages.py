"""Importing by the pages, without JavaScript: choose, look, confirm, read; nobody else sees it, and nothing breaks it."""

import csv
import io
import re
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.translation import override

from rbac.catalogue import BuiltIn, Permission
from rbac.models import Role
from rooms import cells, get_place, graph_places, inventories, inventory_reports
from rooms.models import InventoryImport, Room
from rooms.scopes import Scope
from rooms.services import inventory, inventory_imports
from tests.factories.browsing import body, browser, links, text
from tests.factories.world import assign, join, make, over

pytestmark = pytest.mark.django_db

HEAD = "Identity,DisplayName,City,Capacity\n"
FILE = f"{HEAD}room0@contoso.example,Contoso room 0,Bonn,\nnew@contoso.example,New,Bonn,4\nbad room,Bad,,x\n"


class Scene:
    def __init__(self):
        self.world = make()
        self.contoso = self.world.contoso
        self.admin = self.contoso.admin
        self.tess = self.contoso.member(BuiltIn.SITE_TECH, "tess", over(self.contoso.rooms[0]))
        _, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        viewer = Role.objects.create(tenant=self.contoso.tenant, name="V", permissions=[Permission.ROOMS_VIEW])
        self.vera = self.contoso.person("vera")
        assign(viewer, self.vera, Scope(all_rooms=True))

    def url(self, name="rooms_import", *ids):
        return reverse(name, args=[self.contoso.tenant.pk, *ids])

    def upload(self, person=None, content=FILE, name="rooms.csv", follow=True):
        data = content if isinstance(content, bytes) else content.encode()
        return browser(person or self.admin).post(self.url(), {"file": SimpleUploadedFile(name, data)}, follow=follow)

    def prepared(self, person=None, content=FILE):
        self.upload(person, content)
        return InventoryImport.objects.get(person=person or self.admin, state="checked")


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture
def large(monkeypatch):
    monkeypatch.setattr(inventory_imports, "AT_ONCE", 0)


def city(account="room0"):
    return Room.objects.get(resource_account=f"{account}@contoso.example").city


def tabs(response):
    return dict(
        re.findall(r"<li><a href=\"[^\"]*\"[^>]*>(\w+) <span class=\"count\">(\d+)<", response.content.decode())
    )


def rows(response):
    table = response.content.decode().partition("<tbody>")[2]
    return re.findall(r"<strong>([^<]*)</strong>.*?</svg>(\w+)</span>", table, re.DOTALL)


# --- The story ----------------------------------------------------------------------------------
def test_choose_look_confirm_read(scene):
    preview = scene.upload()

    found = InventoryImport.objects.get()
    assert preview.redirect_chain == [(scene.url("rooms_import_report", found.pk), 302)]
    said = text(preview)
    assert "Nothing has been written yet" in said
    assert tabs(preview) == {"All": "3", "New": "1", "Changed": "1", "Unchanged": "0", "Refused": "1"}
    assert rows(preview) == [("Contoso room 0", "Changed"), ("New", "New"), ("Bad", "Refused")]
    assert "Resource account: Blanks are not allowed in a user principal name." in said
    assert "Capacity: “x” is not the kind of value that belongs here." in said
    assert city() == "Berlin"

    client = browser(scene.admin)
    report = client.post(scene.url("rooms_import_confirm", found.pk), follow=True)

    assert report.redirect_chain == [(scene.url("rooms_import_report", found.pk), 302)]
    assert "The import is complete: 1 new, 1 changed, 0 unchanged, 1 refused." in text(report)
    assert tabs(report) == tabs(preview)
    assert (city(), city("new")) == ("Bonn", "Bonn")
    assert scene.url("rooms") in links(report)


def test_the_preview_survives_a_reload_and_a_new_sign_in(scene):
    found = scene.prepared()
    url = scene.url("rooms_import_report", found.pk)

    first, second = browser(scene.admin).get(url), browser(scene.admin).get(url)

    assert text(first) == text(second)
    assert "Import 2 rooms" in text(first)


def test_the_report_is_filtered_by_outcome_and_read_page_by_page(scene):
    lines = "".join(f"n{number}@contoso.example,N{number:03},,\n" for number in range(120))
    found = scene.prepared(content=f"{HEAD}{lines}bad,Bad,,\n")
    client, url = browser(scene.admin), scene.url("rooms_import_report", found.pk)

    first = client.get(url)
    second = client.get(url + "?start=50")
    last = client.get(url + "?outcome=created&start=100")

    assert [name for name, _ in rows(first)] == [f"N{number:03}" for number in range(50)]
    assert [name for name, _ in rows(second)] == [f"N{number:03}" for number in range(50, 100)]
    assert [name for name, _ in rows(last)] == [f"N{number:03}" for number in range(100, 120)]
    assert rows(client.get(url + "?outcome=refused")) == [("Bad", "Refused")]
    assert "Rows 51 to 100 of 121" in text(second)
    assert {f"{url}?start=50"} == {link for link in links(first) if "start=" in link}
    assert {url, f"{url}?start=100"} <= links(second)
    assert f"{url}?outcome=created&start=50" in links(last)
    assert "No such row" in text(client.get(url + "?outcome=changed"))


@pytest.mark.parametrize("query", ["?outcome=x", "?start=-1", "?start=x", "?start=99999999999999999999"])
def test_a_part_of_the_report_that_is_none_is_a_bad_request(scene, query):
    url = scene.url("rooms_import_report", scene.prepared().pk)

    assert browser(scene.admin).get(url + query).status_code == 400


def test_the_report_is_a_csv_in_the_readers_language(scene):
    found = scene.prepared(content=f"{HEAD}bad room,=1+1,,\n")
    client, url = browser(scene.admin), scene.url("rooms_import_download", found.pk)

    response = client.get(url)
    content = b"".join(response.streaming_content).decode("utf-8-sig")

    assert response["Content-Disposition"] == 'attachment; filename="rooms-import-report.csv"'
    assert list(csv.reader(io.StringIO(content, newline=""))) == [
        ["Row", "Resource account", "Name", "Outcome", "Details"],
        [
            "2",
            "bad room",
            "'=1+1",
            "Refused",
            "Resource account: Blanks are not allowed in a user principal name.",
        ],
    ]


def test_a_file_without_work_has_nothing_to_confirm(scene):
    response = scene.upload(content=f"{HEAD}bad,Bad,,\n")

    assert "there is nothing to do" in text(response)
    assert "rooms_import_confirm" not in body(response)
    assert not any("confirm" in found for found in re.findall(r'action="([^"]*)"', response.content.decode()))


def test_one_page_of_many_is_told(scene):
    content = '{"@odata.nextLink": "x", "value": [{"emailAddress": "n@contoso.example", "displayName": "N"}]}'

    assert "one page of a longer list" in text(scene.upload(content=content, name="places.json"))


def test_discarding_leads_back_to_choosing(scene):
    found = scene.prepared()

    response = browser(scene.admin).post(scene.url("rooms_import_discard", found.pk), follow=True)

    assert response.redirect_chain == [(scene.url(), 302)]
    assert not InventoryImport.objects.exists()


# --- Files that are none ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "This file is empty."),
        (b"PK\x03\x04", "workbook"),
        (HEAD.encode("utf-16"), "UTF-16"),
        (b"{", "no valid JSON"),
        (b"name\nx\n", "no column"),
        (b"\x00" * 100, "neither CSV nor JSON"),
        (b"[" * 100_000, "no valid JSON"),
    ],
)
def test_a_file_that_is_no_inventory_says_why_at_the_field(scene, content, reason):
    response = scene.upload(content=content)

    assert response.status_code == 200
    assert response.redirect_chain == []
    assert reason in text(response)
    assert not InventoryImport.objects.exists()


def test_a_file_that_is_too_large_says_so(scene, settings):
    settings.INVENTORY_MAX_BYTES = 100

    assert "larger than 100" in text(scene.upload(content="x" * 101))


@pytest.mark.parametrize("length", ["20971521", "99999999999999999999"])
def test_a_body_that_nobody_takes_is_refused_before_it_is_read(scene, length):
    response = browser(scene.admin).generic("POST", scene.url(), b"", CONTENT_LENGTH=length)

    assert response.status_code == 400


def test_no_file_at_all_says_so(scene):
    assert "Choose a file." in text(browser(scene.admin).post(scene.url()))
    assert "Choose a file." in text(browser(scene.admin).post(scene.url(), {"file": "text"}))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\x00b.csv", "\u202egnp.csv", "x" * 500 + ".csv", '<b>"x"</b>.csv']
)
def test_a_file_is_called_what_can_be_shown(scene, name):
    response = scene.upload(name=name)

    assert response.status_code == 200
    assert "<b>" not in response.content.decode()
    assert len(InventoryImport.objects.get().file_name) <= 200


# --- Gates --------------------------------------------------------------------------------------
def every(scene, found):
    """Each address and method of the import."""
    return [
        ("get", scene.url()),
        ("post", scene.url()),
        ("get", scene.url("rooms_import_report", found.pk)),
        ("get", scene.url("rooms_import_download", found.pk)),
        ("post", scene.url("rooms_import_confirm", found.pk)),
        ("post", scene.url("rooms_import_discard", found.pk)),
    ]


def test_only_who_may_change_rooms_here_imports(scene):
    found = scene.prepared()
    people = [
        None,
        scene.world.tailwind.admin,
        scene.world.northwind.person("joe"),
        scene.contoso.person("nora"),
        scene.vera,
    ]

    answers = [
        {getattr(browser(person), method)(url).status_code for method, url in every(scene, found)} for person in people
    ]

    assert answers == [{302}, {404}, {404}, {403}, {403}]
    assert city() == "Berlin"
    assert InventoryImport.objects.get() == found


def test_an_import_is_its_persons_alone(scene):
    found = scene.prepared()
    missing = InventoryImport(pk=uuid.uuid4())

    for person in (scene.tess, scene.ann):
        client = browser(person)
        for (method, url), (_, nowhere) in zip(every(scene, found)[2:], every(scene, missing)[2:], strict=True):
            answers = [getattr(client, method)(address) for address in (url, nowhere)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert body(answers[0]) == body(answers[1])
    assert InventoryImport.objects.get() == found


def test_an_import_belongs_to_its_tenant(scene):
    found = scene.prepared()
    other = scene.world.tailwind
    foreign = reverse("rooms_import_report", args=[other.tenant.pk, found.pk])

    assert browser(scene.admin).get(foreign).status_code == 404
    assert browser(other.admin).get(foreign).status_code == 404


@pytest.mark.parametrize("name", ["rooms_import_confirm", "rooms_import_discard"])
def test_looking_changes_nothing(scene, name):
    found = scene.prepared()

    assert browser(scene.admin).get(scene.url(name, found.pk)).status_code == 405
    assert city() == "Berlin"


def test_who_may_change_some_rooms_is_told_what_that_means(scene):
    assert "no room is added" in text(browser(scene.tess).get(scene.url()))
    assert "no room is added" not in text(browser(scene.admin).get(scene.url()))


def test_a_partner_imports_within_his_scope(scene):
    found = scene.prepared(scene.ann)

    report = browser(scene.ann).post(scene.url("rooms_import_confirm", found.pk), follow=True)

    assert "0 new, 1 changed, 0 unchanged, 2 refused" in text(report)
    assert "There is no room with this account that you may change." in text(report)
    assert city() == "Bonn"


# --- Under way ----------------------------------------------------------------------------------
def test_a_large_import_shows_how_far_it_is_and_goes_on_without_a_script(scene, large, broker_url):
    found = scene.prepared()
    client, url = browser(scene.admin), scene.url("rooms_import_report", found.pk)

    waiting = client.post(scene.url("rooms_import_confirm", found.pk), follow=True)
    assert "Waiting for its turn" in text(waiting)
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in waiting.content.decode()
    assert "Import now" not in text(waiting)

    InventoryImport.objects.update(state="running", done=1)
    running = client.get(url)
    assert "1 of 3 rows" in text(running)
    assert '<progress id="progress-rooms-are-being-imported" max="3" value="1">' in running.content.decode()


def test_one_that_nobody_takes_up_can_be_carried_out_here(scene, large, broker_url, clock):
    found = scene.prepared()
    client = browser(scene.admin)
    client.post(scene.url("rooms_import_confirm", found.pk))
    clock.move(timedelta(seconds=20))

    assert "Import now" in text(client.get(scene.url("rooms_import_report", found.pk)))
    report = client.post(scene.url("rooms_import_confirm", found.pk), follow=True)

    assert "The import is complete" in text(report)


def test_pressing_twice_shows_the_report(scene):
    found = scene.prepared()
    client = browser(scene.admin)
    client.post(scene.url("rooms_import_confirm", found.pk))

    again = client.post(scene.url("rooms_import_confirm", found.pk), follow=True)

    assert "The import is complete: 1 new, 1 changed" in text(again)
    assert Room.objects.get(resource_account="room0@contoso.example").version == 2


@pytest.mark.parametrize("failure", ["permission_denied", "error", "inventory_unreadable"])
def test_a_failed_import_says_so_and_can_be_tried_again(scene, failure):
    found = scene.prepared()
    InventoryImport.objects.update(state="failed", failure=failure)
    client = browser(scene.admin)

    response = client.get(scene.url("rooms_import_report", found.pk))

    assert "notice-danger" in response.content.decode()
    assert "Try again" in text(response)
    assert "The import is complete" in text(client.post(scene.url("rooms_import_confirm", found.pk), follow=True))


def test_every_reason_has_a_sentence_in_both_languages():
    sources = [Path(module.__file__).read_text() for module in (cells, get_place, graph_places, inventories, inventory)]
    codes = {code for source in sources for code in re.findall(r'Problem\("(\w+)"', source)}
    codes |= {"upn_character", "upn_form", "upn_guest", "upn_blank", "awaits_approval", "changed_meanwhile"}
    params = dict.fromkeys(["character", "value", "limit", "least", "most", "row", "count", "wanted"], "x")

    assert codes == set(inventory_reports._SENTENCES)
    for language in ("en", "de"):
        with override(language):
            for code in codes:
                sentence = inventory_reports.sentence_of(cells.Problem(code, params))
                assert sentence.endswith(".")
                assert "%(" not in sentence


# --- Query counts -------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 3])
def test_pages_ask_as_often_for_many_rows_as_for_one(scene, django_assert_num_queries, count):
    lines = "".join(f"n{number}@contoso.example,N,,\n" for number in range(count))
    client, file = browser(scene.admin), SimpleUploadedFile("x.csv", (HEAD + lines).encode())

    with django_assert_num_queries(12):
        client.post(scene.url(), {"file": file})
    found = InventoryImport.objects.get()
    with django_assert_num_queries(6):
        client.get(scene.url("rooms_import_report", found.pk))

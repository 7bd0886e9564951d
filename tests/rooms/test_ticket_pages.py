"""The pages of tickets: who opens them, what they show, what their buttons do."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from rbac.catalogue import BuiltIn, Permission
from rooms.models import Ticket, TicketAttachment, TicketEntry, TicketUpload
from rooms.scopes import Scope
from rooms.services import attachments, tickets
from tests.factories import RoomFactory, join
from tests.factories.browsing import browser, links, text, told
from tests.factories.tickets import reported, system_ticket
from tests.factories.world import assign, custom_role, make, over

pytestmark = pytest.mark.django_db

LISTS = ["tickets", "tickets_export", "ticket_add"]
OF_ONE = ["ticket", "ticket_close"]
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


class Scene:
    """Contoso with a ticket about its German rooms and one about all; Tailwind with one of its own; a partner."""

    def __init__(self):
        self.world = make()
        self.contoso, tailwind = self.world.contoso, self.world.tailwind
        _, (self.ann,) = join(self.contoso, self.world.fabrikam, "ann")
        self.ticket = reported(self.world, title="No sound", description="Since Monday")
        self.all = reported(self.world, *self.contoso.rooms, title="Everything flickers")
        self.foreign = tickets.report(
            tailwind.tenant, by=tailwind.admin, title="Tailwind only", rooms=[tailwind.rooms[0].pk]
        )
        self.viewer = self.contoso.person("vic")
        assign(custom_role(self.contoso.tenant, Permission.TICKETS_VIEW), self.viewer, Scope(all_rooms=True))
        self.stranger = self.contoso.person("nobody")

    @property
    def admin(self):
        return self.contoso.admin

    def url(self, name, ticket=None):
        ticket = ticket or self.ticket
        return reverse(name, args=[self.contoso.tenant.pk, *([] if name in LISTS else [ticket.pk])])

    def get(self, person, name, ticket=None, query="", **headers):
        return browser(person).get(self.url(name, ticket) + query, **headers)

    def post(self, person, name, data=None, ticket=None, **more):
        return browser(person).post(self.url(name, ticket), data or {}, **more)

    def now(self, ticket=None):
        return Ticket.objects.get(pk=(ticket or self.ticket).pk)


@pytest.fixture
def scene():
    return Scene()


# --- Who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS + OF_ONE)
def test_gates_of_every_page(scene, name):
    assert scene.get(None, name).url.startswith(reverse("sign_in"))
    assert scene.get(scene.world.tailwind.admin, name).status_code == 404
    assert scene.get(scene.stranger, name).status_code == 403
    assert scene.get(scene.admin, name).status_code == 200
    assert scene.get(scene.ann, name).status_code == 200


@pytest.mark.parametrize("name", ["ticket", "ticket_state", "ticket_assign", "ticket_close"])
def test_foreign_and_unknown_tickets_are_not_there(scene, name):
    url = scene.url(name).replace(f"/tickets/{scene.ticket.pk}/", "/tickets/{}/")
    for number in (scene.foreign.pk, 999_999, 2**63):
        assert browser(scene.admin).post(url.format(number)).status_code == 404


def test_a_ticket_of_rooms_out_of_scope_is_not_there(scene):
    american = reported(scene.world, scene.contoso.rooms[2], title="Out of sight")
    assert scene.get(scene.ann, "ticket", american).status_code == 404
    assert "Out of sight" not in text(scene.get(scene.ann, "tickets"))


def test_a_reader_only_reads(scene):
    shown = scene.get(scene.viewer, "ticket")
    assert "Your role lets you see this ticket, but not change it." in text(shown)
    assert "<textarea" not in shown.content.decode()
    for name in ("ticket", "ticket_state", "ticket_assign", "ticket_close"):
        assert scene.post(scene.viewer, name, {"text": "x", "state": "resolved", "version": 1}).status_code == 403
    assert scene.get(scene.viewer, "ticket_close").status_code == 403
    assert scene.get(scene.viewer, "ticket_add").status_code == 403
    assert scene.url("ticket_add") not in links(scene.get(scene.viewer, "tickets"))
    assert scene.now().version == scene.ticket.version


# --- The list ------------------------------------------------------------------------------------


def test_the_list_shows_what_is_open_with_rooms_one_sees(scene):
    shown = text(scene.get(scene.ann, "tickets"))
    assert "No sound" in shown
    assert "Everything flickers" in shown
    assert "Contoso room 2" not in shown
    assert "and 1 more" not in shown
    assert "Tailwind" not in shown
    assert "and 1 more" in text(scene.get(scene.admin, "tickets"))


def test_closed_tickets_are_listed_when_asked_for(scene):
    tickets.close(scene.ticket, by=scene.admin, reason="fixed")
    for query, titles in (
        ("", {"Everything flickers"}),
        ("?state=closed", {"No sound"}),
        ("?state=all", {"No sound", "Everything flickers"}),
        ("?state=open", {"Everything flickers"}),
        ("?state=needs_action", {"Everything flickers"}),
        ("?state=resolved", set()),
    ):
        shown = text(scene.get(scene.admin, "tickets", query=query))
        assert {title for title in ("No sound", "Everything flickers") if title in shown} == titles, query


def test_the_list_is_filtered_and_searched(scene):
    system = system_ticket(scene.world)
    tickets.assign(scene.ticket, by=scene.admin, person=scene.admin.pk)
    room = scene.contoso.rooms[2].pk
    for query, found in (
        (f"?q=%23{scene.ticket.pk}", {scene.ticket}),
        ("?q=sound", {scene.ticket}),
        ("?q=sound+flickers", set()),
        ("?kind=system", {system}),
        ("?category=audio", {system}),
        ("?category=display", set()),
        ("?severity=important", {scene.ticket, scene.all, system}),
        ("?assigned=me", {scene.ticket}),
        ("?assigned=nobody", {scene.all, system}),
        (f"?room={room}", {scene.all}),
        ("?opened_until=2026-11-02", {system}),
        ("?opened_from=2100-01-01", set()),
    ):
        answer = scene.get(scene.admin, "tickets", query=query)
        assert answer.status_code == 200, query
        assert {row["id"] for row in answer.context["rows"]} == {one.pk for one in found}, query


@pytest.mark.parametrize(
    "query",
    [
        "?order=1",
        "?state=lost",
        "?severity=loud",
        "?sort=name",
        "?opened_from=yesterday",
        "?room=999999",
        "?room=x",
        "?assigned=you",
        "?q=" + "a+" * 9,
    ],
)
def test_unknown_filters_are_refused(scene, query):
    answer = scene.get(scene.admin, "tickets", query=query)
    assert answer.status_code == 400
    assert answer.context["rows"] == []


def test_a_room_one_does_not_see_is_no_filter(scene):
    rooms = (scene.contoso.rooms[2], scene.world.tailwind.rooms[0])
    answers = [scene.get(scene.ann, "tickets", query=f"?room={one.pk}") for one in rooms]
    assert [one.status_code for one in answers] == [400, 400]
    assert scene.get(scene.ann, "tickets", query=f"?room={scene.contoso.rooms[0].pk}").status_code == 200


@pytest.mark.parametrize("sort", ["opened", "-opened", "activity", "-activity", "severity", "-severity"])
def test_every_sort_pages_through_everything_once(scene, sort, monkeypatch):
    reported(scene.world, title="Urgent", is_high_impact=True, justification="Now")
    reported(scene.world, title="Later", severity="recommendation")
    from rooms.views import ticket_list  # noqa: PLC0415

    real = ticket_list.page
    monkeypatch.setattr(ticket_list, "page", lambda *args, **given: real(*args, **given, size=2))
    seen, cursor = [], ""
    while cursor is not None:
        answer = scene.get(scene.admin, "tickets", query=f"?sort={sort}" + (f"&cursor={cursor}" if cursor else ""))
        seen += [row["id"] for row in answer.context["rows"]]
        url = answer.context["page"]["next_url"]
        cursor = url.rpartition("cursor=")[2] if url else None
    assert sorted(seen) == sorted(Ticket.objects.filter(tenant=scene.contoso.tenant).values_list("pk", flat=True))
    if sort == "severity":
        assert Ticket.objects.get(pk=seen[0]).severity == "critical"


def test_the_export_says_what_the_list_says(scene):
    reported(scene.world, title="=1+1")
    answer = scene.get(scene.ann, "tickets_export", query="?sort=opened")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [row["title"] for row in rows] == ["No sound", "Everything flickers", "'=1+1"]
    assert {row["rooms"] for row in rows} == {"Contoso room 0, Contoso room 1"}
    assert rows[0]["opened_at"].endswith("Z")
    assert scene.get(scene.ann, "tickets_export", query="?state=lost").status_code == 302


# --- One ticket ----------------------------------------------------------------------------------


def test_a_ticket_shows_facts_rooms_and_history(scene):
    tickets.write(scene.ticket, by=scene.ann, text="We look\ninto it")
    tickets.assign(scene.ticket, by=scene.admin, person=scene.ann.pk)
    shown = text(scene.get(scene.admin, "ticket"))
    for said in (
        "Since Monday",
        "Contoso room 0",
        "opened this ticket",
        "(Fabrikam)",
        "We look into it",
        f"assigned this ticket to {scene.ann.upn}",
    ):
        assert said in shown, said


def test_rooms_out_of_scope_leave_no_trace(scene):
    shown = scene.get(scene.ann, "ticket", scene.all).content.decode()
    assert "Contoso room 0" in shown
    assert "Contoso room 2" not in shown
    assert "more room" not in shown
    assert f"/rooms/{scene.contoso.rooms[2].pk}/" not in shown
    assert "need the permission for all rooms" in shown
    assert scene.post(scene.ann, "ticket_close", {"reason": "fixed", "version": 1}, scene.all).status_code == 403
    assert scene.post(scene.ann, "ticket", {"text": "Hello"}, scene.all).status_code == 302


def test_a_message_is_written_and_an_empty_one_is_not(scene):
    assert scene.post(scene.admin, "ticket", {"text": "Any news?"}).url == scene.url("ticket") + "#last"
    assert "Any news?" in text(scene.get(scene.admin, "ticket"))
    refused = scene.post(scene.admin, "ticket", {"text": " "})
    assert "Write something, or attach a file." in text(refused)
    assert TicketEntry.objects.filter(ticket=scene.ticket, kind="message").count() == 1


def test_a_message_to_a_ticket_closed_meanwhile_is_not_lost(scene):
    tickets.close(scene.ticket, by=scene.admin, reason="fixed")
    answer = scene.post(scene.admin, "ticket", {"text": "One more thing"})
    assert answer.status_code == 200
    assert "This ticket is closed. Reopen it first." in text(answer)
    assert "One more thing" in answer.content.decode()


def test_a_file_is_attached_and_served_to_be_saved(scene):
    file = SimpleUploadedFile("../ÄÖ screen.png", PNG, content_type="text/html")
    scene.post(scene.ann, "ticket", {"text": "A picture", "file": file})
    made = TicketAttachment.objects.get()
    assert (made.file_name, made.content_type, made.size) == ("ÄÖ screen.png", "image/png", len(PNG))
    assert "screen" not in made.stored_as
    assert not TicketUpload.objects.exists()
    url = reverse("ticket_attachment", args=[scene.contoso.tenant.pk, scene.ticket.pk, made.pk])
    assert url in links(scene.get(scene.admin, "ticket"))
    answer = browser(scene.admin).get(url)
    assert b"".join(answer.streaming_content) == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_file_goes_only_with_its_ticket(scene):
    stored = attachments.store(scene.all, by=scene.admin, file_name="a.log", stream=io.BytesIO(b"all"))
    made = attachments.attach(scene.all, by=scene.admin, upload=str(stored.pk)).attachment
    args = [scene.contoso.tenant.pk, scene.ticket.pk, made.pk]
    assert browser(scene.admin).get(reverse("ticket_attachment", args=args)).status_code == 404
    right = reverse("ticket_attachment", args=[args[0], scene.all.pk, made.pk])
    tech = scene.contoso.member(BuiltIn.SITE_TECH, "tess", over(scene.contoso.rooms[2]))
    for person, status in ((scene.ann, 200), (tech, 200), (scene.stranger, 403), (scene.world.tailwind.admin, 404)):
        answer = browser(person).get(right)
        assert answer.status_code == status
        if answer.streaming:
            assert b"".join(answer.streaming_content) == b"all"
    attachments.storage().delete(made.stored_as)
    assert browser(scene.admin).get(right).status_code == 404


def test_a_refused_file_says_why_keeps_the_text_and_leaves_nothing(scene):
    for name, content, said in (
        ("page.html", b"<html>", "Attach a PNG, JPEG"),
        ("page.txt", b"<!DOCTYPE html>", "Attach a PNG, JPEG"),
        ("fake.png", b"GIF89a", "Attach a PNG, JPEG"),
        ("empty.txt", b"", "Attach a PNG, JPEG"),
        ("large.txt", b"a" * (10 * 1024 * 1024 + 1), "An attachment has at most 10 MiB."),
    ):
        answer = scene.post(scene.admin, "ticket", {"text": "Look", "file": SimpleUploadedFile(name, content)})
        assert answer.status_code == 200
        assert said in text(answer)
        assert "Look" in answer.content.decode()
    assert not TicketUpload.objects.exists()


def test_state_and_assignment_are_changed_in_place(scene):
    version = scene.ticket.version
    answer = scene.post(scene.admin, "ticket_state", {"state": "investigating", "version": version}, follow=True)
    assert "The state is changed." in told(answer)
    answer = scene.post(scene.admin, "ticket_assign", {"person": scene.ann.pk, "version": version + 1}, follow=True)
    assert "The assignment is changed." in told(answer)
    assert (scene.now().state, scene.now().assigned_to) == ("investigating", scene.ann)
    stale = scene.post(scene.admin, "ticket_state", {"state": "resolved", "version": version}, follow=True)
    assert told(stale) == ["Somebody else has changed this ticket in the meantime. Look at what is new and try again."]
    assert scene.now().state == "investigating"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ticket_state", {}),
        ("ticket_state", {"state": "lost", "version": 1}),
        ("ticket_state", {"state": "closed", "version": 1}),
        ("ticket_state", {"state": "resolved", "version": "x"}),
        ("ticket_assign", {"person": "999999", "version": 1}),
        ("ticket_assign", {"person": "x", "version": 1}),
    ],
)
def test_nonsense_is_told_and_changes_nothing(scene, name, data):
    answer = scene.post(scene.admin, name, data, follow=True)
    assert answer.status_code == 200
    assert len(told(answer)) == 1
    assert scene.now().version == scene.ticket.version


def test_people_to_choose_are_those_one_may_know(scene):
    scene.contoso.member(BuiltIn.SITE_LEAD, "lea")
    join(scene.contoso, scene.world.northwind, "nils")
    for_admin = scene.get(scene.admin, "ticket").content.decode()
    for_ann = scene.get(scene.ann, "ticket").content.decode()
    for upn in ("lea@contoso.example", "nils@northwind.example", "ann@fabrikam.example", "admin@contoso.example"):
        assert upn in for_admin
    assert "lea@contoso.example" not in for_ann
    assert "nils@northwind.example" not in for_ann
    assert "admin@contoso.example" in for_ann  # reported it
    assert "vic@contoso.example" not in for_admin  # may not update


def test_close_asks_why_and_keeps_what_was_typed(scene):
    assert "Why" not in told(scene.get(scene.admin, "ticket_close"))
    missing = scene.post(scene.admin, "ticket_close", {"note": "It was off", "version": 1})
    assert "It was off" in missing.content.decode()
    tickets.write(scene.ticket, by=scene.ann, text="Wait")
    data = {"reason": "fixed", "note": "It was off", "version": scene.ticket.version}
    stale = scene.post(scene.admin, "ticket_close", data)
    assert "Somebody else has changed this ticket" in text(stale)
    assert "It was off" in stale.content.decode()
    assert f'name="version" value="{scene.now().version}"' in stale.content.decode()
    done = scene.post(scene.admin, "ticket_close", data | {"version": scene.now().version}, follow=True)
    assert told(done) == [f"Ticket #{scene.ticket.pk} is closed."]
    again = scene.post(
        scene.admin, "ticket_state", {"state": "needs_action", "version": scene.now().version}, follow=True
    )
    assert told(again) == [f"Ticket #{scene.ticket.pk} is open again."]


def test_system_tickets_say_why_they_cannot_be_closed_by_hand(scene):
    ticket = system_ticket(scene.world)
    shown = text(scene.get(scene.admin, "ticket", ticket))
    assert "The portal closes it by itself when the device reports that all is well." in shown
    answer = scene.post(scene.admin, "ticket_close", {"reason": "fixed", "version": 1}, ticket)
    assert "The portal closes and reopens system tickets itself" in text(answer)


def test_long_histories_come_in_pages(scene):
    for number in range(60):
        tickets.write(scene.ticket, by=scene.admin, text=f"message {number}.")
    newest = scene.get(scene.admin, "ticket")
    assert "message 59." in text(newest)
    assert "message 8." not in text(newest)
    older = scene.get(scene.admin, "ticket", query=newest.context["older_url"])
    assert "message 8." in text(older)
    assert "message 59." not in text(older)
    assert "Show what came afterwards" in text(older)


def test_in_the_pane_it_is_the_same_ticket(scene):
    shown = scene.get(scene.admin, "ticket", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in shown
    assert 'hx-target="#pane"' in shown


# --- Reporting -----------------------------------------------------------------------------------


def test_report_with_a_room_brought_along(scene):
    room = scene.contoso.rooms[1]
    shown = scene.get(scene.admin, "ticket_add", query=f"?room={room.pk}").content.decode()
    assert f'value="{room.pk}" id="room-{room.pk}" checked' in shown
    incidents = reverse("room", args=[scene.contoso.tenant.pk, room.pk]) + "?tab=incidents"
    assert f"?room={room.pk}" in browser(scene.admin).get(incidents).content.decode()
    answer = scene.post(
        scene.admin, "ticket_add", {"title": "Hum", "rooms": [room.pk], "severity": "warning"}, follow=True
    )
    made = Ticket.objects.latest("pk")
    assert told(answer) == [f"The incident is reported as ticket #{made.pk}."]
    assert (made.title, made.severity) == ("Hum", "warning")


def test_report_offers_and_takes_only_rooms_one_may_report_for(scene):
    shown = text(scene.get(scene.ann, "ticket_add"))
    assert "Contoso room 0" in shown
    assert "Contoso room 2" not in shown
    other = scene.contoso.rooms[2]
    assert "Contoso room 2" not in text(scene.get(scene.ann, "ticket_add", query=f"?room={other.pk}"))
    for room in (other, scene.world.tailwind.rooms[0]):
        answer = scene.post(scene.ann, "ticket_add", {"title": "Hum", "rooms": [room.pk]})
        assert "Choose at least one room." in text(answer)
        assert room.display_name not in text(answer)
    assert not Ticket.objects.filter(title="Hum").exists()


def test_searching_for_rooms_loses_nothing(scene):
    for number in range(40):
        account = f"l{number}@contoso.example"
        RoomFactory(tenant=scene.contoso.tenant, display_name=f"Lab {number:02}", resource_account=account)
    room = scene.contoso.rooms[0]
    data = {
        "search": "1",
        "room_q": "Lab 39",
        "rooms": [room.pk],
        "title": "Typed",
        "is_high_impact": "on",
        "justification": "Kept",
    }
    answer = scene.post(scene.admin, "ticket_add", data)
    shown = answer.content.decode()
    assert "Lab 39" in shown
    assert "Lab 01" not in shown
    assert f'id="room-{room.pk}" checked' in shown
    for kept in ("Typed", "Kept"):
        assert kept in shown
    assert "needs your attention" not in shown
    assert not Ticket.objects.filter(title="Typed").exists()


def test_what_is_missing_is_said_at_its_field(scene):
    answer = scene.post(scene.admin, "ticket_add", {"title": "", "is_high_impact": "on"})
    for said in ("Choose at least one room.", "Say why the impact is high.", "This field is required."):
        assert said in text(answer)
    assert scene.get(scene.admin, "ticket_add", query="?order=1").status_code == 400


def test_who_may_only_report_is_led_back_to_the_room(scene):
    reporter = scene.contoso.person("rita")
    assign(
        custom_role(scene.contoso.tenant, Permission.TICKETS_CREATE_INCIDENT), reporter, over(scene.contoso.rooms[0])
    )
    answer = scene.post(reporter, "ticket_add", {"title": "Hum", "rooms": [scene.contoso.rooms[0].pk]})
    assert answer.url == reverse("room", args=[scene.contoso.tenant.pk, scene.contoso.rooms[0].pk])
    assert scene.get(reporter, "tickets").status_code == 403


# --- Statements ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "queries"), [("tickets", 7), ("ticket", 16), ("ticket_add", 6), ("tickets_export", 5)]
)
def test_statements_do_not_grow_with_the_rows(scene, name, queries, django_assert_num_queries):
    for more in (0, 2):
        for number in range(more):
            room = RoomFactory(tenant=scene.contoso.tenant, resource_account=f"x{number}@contoso.example")
            reported(scene.world, *scene.contoso.german, room, title=f"More {number}")
            tickets.write(scene.ticket, by=scene.ann, text="More")
            scene.contoso.member(BuiltIn.SITE_LEAD, f"lead{number}")
        client = browser(scene.admin)
        with django_assert_num_queries(queries):
            answer = client.get(scene.url(name))
            if answer.streaming:
                list(answer.streaming_content)

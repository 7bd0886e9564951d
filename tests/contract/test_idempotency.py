"""`Idempotency-Key` as a partner's tool uses it: the same answer again, and nothing done twice."""

import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.test import Client
from django.test.client import encode_multipart
from django.urls import resolve, reverse

from audit.models import AuditEvent
from partners.models import ApiToken
from partners.services import relationships
from partners.services import tokens as token_service
from rbac.catalogue import CEILING, Permission
from rbac.idempotency_key import IdempotencyKey, KeyState
from rbac.services import idempotency
from rooms.models import ControlMode, ControlPolicy, Room, RoomGroup, Ticket, TicketAttachment
from rooms.services import tickets
from tests.contract.scene import NEVER, UUIDS, Scene, operations
from tests.factories.callers import BACKEND, Caller, changed, code, nobody, token, tool
from tests.factories.evidence import mark
from trm_portal.api_views import document

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "9d1c-1"}


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture
def contoso(scene):
    return scene.world.contoso.tenant.pk


def report(caller, contoso, room, title="No picture", headers=KEY):
    return caller.post("api-tickets", contoso, body={"title": title, "rooms": [room.pk]}, headers=headers)


@pytest.mark.parametrize("actor", ["admin", "partner", "program"])
def test_repeating_gives_the_same_answer_and_does_nothing(scene, contoso, actor):
    caller, room = getattr(scene, actor)(), scene.world.contoso.german[0]
    first = report(caller, contoso, room)
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    evidence = mark()
    again = report(caller, contoso, room)
    assert changed(evidence) == set()
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    for name in ("Content-Type", "ETag", "Location"):
        assert again.headers.get(name) == first.headers.get(name)
    assert int(again.headers["RateLimit-Remaining"]) == int(first.headers["RateLimit-Remaining"]) - 1


def test_without_a_key_it_is_done_twice(scene, contoso):
    room = scene.world.contoso.german[0]
    assert [report(scene.partner(), contoso, room, headers={}).status_code for _ in range(2)] == [201, 201]
    assert Ticket.objects.filter(title="No picture").count() == 2
    assert not IdempotencyKey.objects.exists()


def test_key_of_another_request_is_refused(scene, contoso):
    caller, (first, second) = scene.program(), scene.world.contoso.german
    assert report(caller, contoso, first).status_code == 201
    others = [
        report(caller, contoso, first, title="Another"),
        report(caller, contoso, second),
        caller.patch("api-room", contoso, first.pk, body={"capacity": 1}, headers=KEY),
        caller.delete("api-room-filter", contoso, scene.filter.pk, headers=KEY),
    ]
    assert [code(one) for one in others] == [(422, "idempotency_key_reused")] * 4
    assert Ticket.objects.filter(title="No picture").count() == 1


def test_keys_belong_to_the_person_and_to_each_token(scene, contoso):
    """The same word of somebody else is another key; what one was answered is told to nobody else."""
    room = scene.world.contoso.german[0]
    second = tool(token(scene.relationship, scene.ann, *CEILING))
    callers = [scene.admin(), scene.partner(), scene.program(), second]
    answers = [report(caller, contoso, room) for caller in callers]
    assert [one.status_code for one in answers] == [201] * 4
    assert len({one.json()["id"] for one in answers}) == 4


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 201, "a\tb"])
def test_what_is_no_key_is_refused(scene, contoso, key):
    answer = report(scene.admin(), contoso, scene.world.contoso.german[0], headers={"Idempotency-Key": key})
    assert code(answer) == (400, "invalid_header")
    assert not IdempotencyKey.objects.exists()


def test_longest_key_is_one(scene, contoso):
    room = scene.world.contoso.german[0]
    assert report(scene.admin(), contoso, room, headers={"Idempotency-Key": "~" * 200}).status_code == 201


def test_reading_needs_no_key_and_takes_none(scene, contoso):
    assert scene.admin().get("api-rooms", contoso, headers=KEY).status_code == 200
    assert not IdempotencyKey.objects.exists()


def test_what_was_not_carried_out_frees_its_key(scene, contoso):
    """A request that cannot be read, or is not allowed, or finds another version, can be corrected with its key."""
    admin, room = scene.admin(), scene.world.contoso.german[0]
    place = ("api-room", contoso, room.pk)
    assert admin.patch(*place, body={"zzz": 1}, headers=KEY).status_code == 400
    assert scene.partner().delete("api-group", contoso, scene.group.pk, headers=KEY).status_code == 403
    assert admin.patch("api-room", contoso, 2**40, body={"capacity": 1}, headers=KEY).status_code == 404
    stale = KEY | {"If-Match": '"77"'}
    assert code(admin.patch(*place, body={"capacity": 1}, headers=stale)) == (412, "stale_version")
    assert not IdempotencyKey.objects.exists()
    assert admin.patch(*place, body={"capacity": 1}, headers=KEY).status_code == 200


def test_refusal_by_a_rule_is_told_again(scene, contoso):
    admin = scene.admin()
    body = {"name": scene.group.name}
    first = admin.post("api-groups", contoso, body=body, headers=KEY)
    assert code(first) == (409, "group_name_taken")
    RoomGroup.objects.filter(pk=scene.group.pk).update(name="Renamed")
    again = admin.post("api-groups", contoso, body=body, headers=KEY)
    assert (again.status_code, again.content) == (409, first.content)
    assert again.headers["Content-Type"] == "application/problem+json"
    assert again.headers["Idempotent-Replayed"] == "true"


def test_change_that_waits_for_approval_is_asked_for_once(scene, contoso):
    room = scene.world.contoso.german[0]
    ControlPolicy.objects.filter(event=Permission.ROOMS_MODIFY).update(mode=ControlMode.MANUAL)
    body, place = {"capacity": 3}, ("api-room", contoso, room.pk)
    answers = [scene.program().patch(*place, body=body, headers=KEY) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json()["request"] == answers[1].json()["request"]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]


def test_secret_is_told_once_and_not_kept(scene, contoso):
    caller = scene.partner()
    body = {"name": "another", "scopes": [Permission.ROOMS_VIEW.value], "days": 5}
    first = caller.post("api-tokens", contoso, body=body, headers=KEY)
    assert first.status_code == 201
    again = caller.post("api-tokens", contoso, body=body, headers=KEY)
    assert code(again) == (409, "idempotency_answer_not_kept")
    assert again.headers["Location"] == first.headers["Location"]
    assert ApiToken.objects.filter(name="another").count() == 1
    kept = IdempotencyKey.objects.get()
    assert (kept.state, kept.status, kept.body) == ("answered", 201, None)
    assert first.json()["token"] not in json.dumps(kept.headers)


def test_every_operation_that_shows_a_secret_says_so():
    """By what the document says of its answer; in whichever app a new one comes."""
    schema = json.loads(document("json"))
    shown, said = set(), set()
    for path, methods in schema["paths"].items():
        view = resolve(re.sub(r"{(\w*_id)}", _any_id, path)).func.cls if "{prefix}" not in path else None
        for method, one in methods.items():
            if view is not None and method in view.secret:
                said.add(one["operationId"])
            for status, answer in one["responses"].items():
                for content in answer.get("content", {}).values() if status < "300" and method != "get" else ():
                    name = content["schema"].get("$ref", "").rpartition("/")[2]
                    fields = set(schema["components"]["schemas"].get(name, {}).get("properties", {}))
                    if name.endswith("Secret") or fields & {"token", "secret", "password"}:
                        shown.add(one["operationId"])
    assert shown == said >= {"token_issue", "key_download"}


def _any_id(match):
    return str(NEVER) if match[1] in UUIDS else "1"


def test_large_answer_is_not_kept(scene, contoso, monkeypatch):
    monkeypatch.setattr(idempotency, "LARGEST_BODY", 10)
    room = scene.world.contoso.german[0]
    assert report(scene.admin(), contoso, room).status_code == 201
    assert code(report(scene.admin(), contoso, room)) == (409, "idempotency_answer_not_kept")


def test_file_is_attached_once_though_its_form_is_written_anew(scene, contoso):
    """Each time it is sent, a form has another boundary between its parts."""
    address = reverse("api-ticket-attachments", args=[contoso, scene.ticket.pk])
    before = TicketAttachment.objects.count()

    def send(content, boundary):
        caller = scene.admin()
        file = SimpleUploadedFile("b.log", content)
        return caller.client.post(
            address,
            encode_multipart(boundary, {"file": file, "text": "The log"}),
            content_type=f"multipart/form-data; boundary={boundary}",
            headers=KEY,
        )

    first, again, other = send(b"all well", "xxx"), send(b"all well", "yyy"), send(b"not well", "zzz")
    assert [one.status_code for one in (first, again, other)] == [201, 201, 422]
    assert again.content == first.content
    assert TicketAttachment.objects.count() == before + 1


@pytest.fixture
def browser(scene):
    """A session whose requests are asked for the CSRF token of its pages, as in life."""
    caller = Caller(Client(enforce_csrf_checks=True))
    caller.client.force_login(scene.world.contoso.admin, backend=BACKEND)
    caller.client.get("/api/v1/docs/")
    caller.headers = {"X-CSRFToken": caller.client.cookies["csrftoken"].value} | KEY
    return caller


def test_session_that_is_asked_for_its_token_repeats_too(scene, contoso, browser):
    """Looking for the token reads the body before we do."""
    answers = [report(browser, contoso, scene.world.contoso.german[0], headers={}) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert Ticket.objects.filter(title="No picture").count() == 1


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_form_where_none_is_taken_is_refused(contoso, browser, kind):
    form = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    for sent in (form if "multipart" in kind else "a=1", ""):
        answer = browser.client.post(
            reverse("api-groups", args=[contoso]), sent, content_type=kind, headers=browser.headers
        )
        assert answer.status_code in (400, 415)
    assert not IdempotencyKey.objects.exists()


def test_same_body_written_otherwise_is_the_same(scene, contoso):
    """Order and blanks of JSON say nothing."""
    room = scene.world.contoso.german[0].pk
    address, caller = reverse("api-tickets", args=[contoso]), scene.program()
    bodies = [f'{{"title": "x", "rooms": [{room}]}}', f'{{"rooms":[{room}],"title":"x"}}']
    answers = [
        caller.client.post(address, body, content_type="application/json", headers=caller.headers | KEY)
        for body in bodies
    ]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].content == answers[1].content


def test_key_counts_for_24_hours(scene, contoso, clock):
    room = scene.world.contoso.german[0]
    first = report(scene.admin(), contoso, room)
    clock.move(timedelta(hours=23, minutes=59))
    idempotency.forget()
    assert report(scene.admin(), contoso, room).content == first.content
    clock.move(timedelta(minutes=2))
    later = report(scene.admin(), contoso, room, title="Again no picture")
    assert later.status_code == 201
    assert IdempotencyKey.objects.count() == 1
    clock.move(timedelta(hours=25))
    idempotency.forget()
    assert not IdempotencyKey.objects.exists()


# --- When something goes wrong in between -------------------------------------------------------


def claim_of(scene, contoso, state):
    """A request that died: its row is `state`, its answer is not kept."""
    room = scene.world.contoso.german[0]
    assert report(scene.admin(), contoso, room).status_code == 201
    IdempotencyKey.objects.update(state=state, status=None, body=None)
    return room


def test_request_that_still_runs_is_not_begun_again(scene, contoso):
    for state in (KeyState.RUNNING, KeyState.CHANGED):
        IdempotencyKey.objects.all().delete()
        room = claim_of(scene, contoso, state)
        answer = report(scene.admin(), contoso, room)
        assert code(answer) == (409, "idempotency_key_in_use")
        assert answer.headers["Retry-After"] == "2"


def test_request_that_died_before_its_commit_is_carried_out_by_the_next(scene, contoso, clock):
    room = claim_of(scene, contoso, KeyState.RUNNING)
    clock.move(idempotency.LEASE + timedelta(seconds=1))
    again = report(scene.admin(), contoso, room)
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers


def test_request_that_died_after_its_commit_is_not_carried_out_again(scene, contoso, clock):
    room = claim_of(scene, contoso, KeyState.CHANGED)
    clock.move(idempotency.LEASE + timedelta(seconds=1))
    caller, evidence = scene.admin(), mark()
    assert code(report(caller, contoso, room)) == (409, "idempotency_answer_not_kept")
    assert changed(evidence) == set()


def test_database_that_cannot_keep_the_answer_does_not_hide_it(scene, contoso, monkeypatch):
    def fails(*args, **kwargs):
        raise DatabaseError("gone away")

    monkeypatch.setattr(idempotency, "keep", fails)
    assert report(scene.admin(), contoso, scene.world.contoso.german[0]).status_code == 201
    assert IdempotencyKey.objects.get().state == KeyState.CHANGED


def test_unexpected_error_before_the_commit_frees_the_key(scene, contoso, monkeypatch):
    def breaks(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(tickets, "tell_rooms", breaks, raising=True)
    caller = scene.admin()
    caller.client.raise_request_exception = False
    assert report(caller, contoso, scene.world.contoso.german[0]).status_code == 500
    assert not IdempotencyKey.objects.exists()


def test_who_was_overtaken_commits_nothing(scene, contoso, monkeypatch):
    """The claim goes to somebody else while the change is being made: the change is undone."""
    before, told = Ticket.objects.count(), tickets.tell_rooms

    def overtaken(*args, **kwargs):
        IdempotencyKey.objects.update(claim="00000000-0000-4000-8000-000000000001")
        return told(*args, **kwargs)

    monkeypatch.setattr(tickets, "tell_rooms", overtaken)
    answer = report(scene.admin(), contoso, scene.world.contoso.german[0])
    assert code(answer) == (409, "idempotency_key_in_use")
    assert Ticket.objects.count() == before


# --- Rights -------------------------------------------------------------------------------------


def test_answer_is_told_to_nobody_who_could_not_ask_any_more(scene, contoso):
    program, partner, room = scene.program(), scene.partner(), scene.world.contoso.german[0]
    for caller in (program, partner):
        assert report(caller, contoso, room).status_code == 201
    relationships.remove(scene.relationship, by=scene.world.contoso.admin)
    assert report(program, contoso, room).status_code == 401
    assert report(partner, contoso, room).status_code == 404
    assert [one.token_id for one in IdempotencyKey.objects.all()] == [None]  # the token's went with it


def test_revoked_token_gets_no_answer_again(scene, contoso):
    program, room = scene.program(), scene.world.contoso.german[0]
    assert report(program, contoso, room).status_code == 201
    token_service.revoke(scene.token, by=scene.ann)
    assert report(program, contoso, room).status_code == 401


def test_key_is_claimed_by_nobody_who_is_refused_at_the_door(scene, contoso):
    room = scene.world.contoso.german[0]
    csrf = Caller(Client(enforce_csrf_checks=True))
    csrf.client.force_login(scene.world.contoso.admin, backend=BACKEND)
    callers = [nobody(), scene.stranger(), scene.newcomer(), csrf]
    assert [report(one, contoso, room).status_code for one in callers] == [401, 404, 403, 403]
    assert not IdempotencyKey.objects.exists()


def test_many_changes_of_one_request_are_marked_once_begun(scene, contoso):
    """Bulk changes commit room by room; each asks whether the claim still holds."""
    body = {"rooms": [room.pk for room in scene.world.contoso.german], "action": "edit", "changes": {"capacity": 3}}
    answers = [scene.admin().post("api-rooms-bulk", contoso, body=body, headers=KEY) for _ in range(2)]
    assert [one.status_code for one in answers] == [207, 207]
    assert answers[0].content == answers[1].content
    assert Room.objects.filter(capacity=3).count() == 2


@pytest.mark.parametrize("operation", [one for one in operations() if one.method != "get"], ids=str)
def test_every_change_can_be_repeated(scene, operation):
    """Whatever is done: the second time nothing is, and the answer is the same (or says that it is not kept)."""
    caller = scene.whoever_may(operation)
    if operation.name == "api-partner-resume":
        scene.admin().post("api-partner-suspend", *scene.args(operation.name))
    caller.headers = caller.headers | KEY
    args = scene.args(operation.name)
    first = scene.ask(caller, operation, args)
    assert first.status_code < 300, first.content
    evidence = mark()
    again = scene.ask(caller, operation, args)
    assert changed(evidence) == set()
    if str(operation) in ("post tokens", "post key-download", "post webhooks", "post webhook-rotate"):
        assert code(again) == (409, "idempotency_answer_not_kept")
    elif str(operation) == "delete customer":
        assert again.status_code == 404  # whoever has left is not let in any more, not even to hear it again
    else:
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"


def test_refusals_leave_their_line_and_no_key(scene, contoso):
    before = AuditEvent.objects.filter(result="Failed").count()
    answer = scene.partner().delete("api-group", contoso, scene.group.pk, headers=KEY)
    assert answer.status_code == 403
    assert AuditEvent.objects.filter(result="Failed").count() == before + 1
    assert not IdempotencyKey.objects.exists()

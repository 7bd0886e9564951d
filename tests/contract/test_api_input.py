"""Bad input is the caller's fault and is answered as such: never a 5xx, never a page, never a half-done change."""

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.contract.scene import NEVER, Scene, operations
from tests.factories.callers import Caller, changed, code, person
from tests.factories.evidence import mark
from tests.factories.world import found_customer

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"


@pytest.fixture
def scene(settings):
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    return Scene()


@pytest.fixture
def room(settings):
    """Contoso's admin and the address of a room, to send anything to."""
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    contoso = found_customer("Contoso", rooms=1)
    client = person(contoso.admin).client
    return client, reverse("api-room", args=[contoso.tenant.pk, contoso.rooms[0].pk])


def is_problem(answer: Any) -> bool:
    return (
        400 <= answer.status_code < 500
        and answer.headers["Content-Type"] == PROBLEM
        and answer.json()["status"] == answer.status_code
    )


BODIES = {
    "no JSON": (b"{", "parse_error"),
    "nothing but blanks": (b"   ", "parse_error"),
    "not UTF-8": (b'{"capacity": "\xff"}', "parse_error"),
    "a BOM": (b'\xef\xbb\xbf{"capacity": 1}', "parse_error"),
    "1e999": (b'{"capacity": 1e999}', "parse_error"),
    "NaN": (b'{"capacity": NaN}', "parse_error"),
    "Infinity": (b'{"capacity": -Infinity}', "parse_error"),
    "2^63": (b'{"capacity": 9223372036854775808}', "parse_error"),
    "100,000 digits": (b'{"capacity": ' + b"9" * 100_000 + b"}", "parse_error"),
    "100,000 nested": (b"[" * 100_000, "parse_error"),
    "21 levels": (b'{"tags": ' + b"[" * 20 + b"]" * 20 + b"}", "parse_error"),
    "half a character": (b'{"city": "\\ud800"}', "parse_error"),
    "half a character as a key": (b'{"\\udfff": 1}', "parse_error"),
    "a key twice": (b'{"capacity": 1, "capacity": 2}', "parse_error"),
    "unclosed strings": (b'{"' + b'"' * 300_000, "parse_error"),
    "backslashes": (b'"' + b"\\" * 300_001, "parse_error"),
    "NUL": (b'{"city": "a\\u0000b"}', "invalid"),
    "NUL as a key": (b'{"\\u0000": 1}', "invalid"),
    "1 MiB and one": (b'{"city": "' + b"x" * 1024 * 1024 + b'"}', "body_too_large"),
    "10 MiB": (b"x" * 10 * 1024 * 1024, "body_too_large"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_cannot_be_read_are_refused(room, name):
    (client, address), (content, expected), evidence = room, BODIES[name], mark()
    answer = client.patch(address, content, content_type="application/json")
    assert code(answer)[1] == expected
    assert answer.status_code == (413 if expected == "body_too_large" else 400)
    assert changed(evidence) == set()


@pytest.mark.parametrize(
    "media",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "x",
        "a/b;c=\x7f",
    ],
)
def test_other_forms_of_bodies_are_refused(room, media):
    client, address = room
    answer = client.generic("PATCH", address, b"capacity=1", content_type=media)
    assert code(answer) == (415, "unsupported_media_type")


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=x"])
def test_json_is_json_whatever_is_said_beside_it(room, media):
    client, address = room
    assert client.generic("PATCH", address, b'{"capacity": 1}', content_type=media).status_code == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 200),
        ("text/html", 406),
        ("application/json; version=1", 200),
        (";;;", 406),
        ("a" * 8000, 406),
    ],
)
def test_other_forms_of_answers_are_refused(room, accept, status):
    client, address = room
    answer = client.get(address, headers={"Accept": accept})
    assert answer.status_code == status
    assert status == 200 or code(answer) == (406, "not_acceptable")


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "PROPFIND", "LINK", "X" * 500])
def test_methods_that_do_not_exist_are_refused_everywhere(scene, method):
    client = scene.admin().client
    for name in sorted({one.name for one in operations()}):
        answer = client.generic(method, scene.address(name))
        assert is_problem(answer)
        assert code(answer) in [(405, "method_not_allowed"), (404, "not_found"), (403, "permission_denied")], name


def test_allow_names_the_methods_there_are(room):
    client, address = room
    answer = client.put(address, b"{}", content_type="application/json")
    assert code(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, PATCH"


def test_head_is_get_without_a_body(scene):
    client = scene.admin().client
    for operation in [one for one in operations() if one.method == "get"]:
        asked, answer = client.get(scene.address(operation.name)), client.head(scene.address(operation.name))
        assert (answer.status_code, answer.content) == (asked.status_code, b""), operation
        assert answer.headers["Content-Type"] == asked.headers["Content-Type"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v2/me/",
        "/api/v1/",
        "/api/v1/me",
        "/api/v1//me/",
        "/api/v1/customers/x/",
        "/api/v1/customers/00000000-0000-4000-8000-00000000000/rooms/",
        "/api/v1/customers/00000000-0000-4000-8000-00000000000A/rooms/",
        "/api/v1/customers/%2e%2e/me/",
        f"/api/v1/customers/{NEVER}/rooms/-1/",
        f"/api/v1/customers/{NEVER}/rooms/1.5/",
        f"/api/v1/customers/{NEVER}/rooms/٣/",
        f"/api/v1/customers/{NEVER}/rooms/{'9' * 5000}/",
        "/api/v1/" + "x" * 5000,
        "/api/v1/\ufffd/",
        "/api/v1/%ff%fe/",
    ],
)
def test_addresses_that_do_not_exist_are_the_same_404(scene, path):
    for client in (Client(), scene.admin().client):
        for method in ("GET", "POST", "DELETE", "OPTIONS", "X"):
            answer = client.generic(method, path, b"{", content_type="application/json")
            assert answer.json()["code"] == "not_found", (path, method)
            assert is_problem(answer)


@pytest.mark.parametrize("query", ["%00", "a=%00", "cursor=%00", "q=%00", "a%00=1"])
def test_nul_in_the_query_is_refused_before_anything(scene, query):
    for client in (Client(), scene.admin().client):
        assert code(client.get(f"{scene.address('api-rooms')}?{query}")) == (400, "bad_request")


@pytest.mark.parametrize(
    "query",
    [
        "q=%ed%a0%80",
        "%ff=%fe",
        "cursor=%ed%a0%80",
        "cursor=" + "A" * 3000,
        "cursor=" + "W10",
        "cursor=WyJhIiwiZGlzcGxheV9uYW1lLGlkIiwiXHVkODAwIiwyXQ",
        "&".join(f"a{n}=1" for n in range(2500)),
        "&".join("q=1" for _ in range(1500)),
        "page_size=1e999",
        "page_size=%00",
        "group=9223372036854775808",
        "group=1.0",
        "state=%20",
        "q=" + "%F0%9F%98%80" * 101,
    ],
)
def test_queries_that_make_no_sense_are_refused(scene, query):
    client = scene.admin().client
    for name in ("api-rooms", "api-partners", "api-customers", "api-my-invitations", "api-permission-table"):
        assert is_problem(client.get(f"{scene.address(name)}?{query}")) or query == "q=%ed%a0%80"


def test_no_operation_takes_parameters_it_does_not_know(scene):
    for operation in operations():
        if operation.name == "api-nothing":
            continue
        with transaction.atomic():
            caller = scene.partner() if operation.name.startswith(("api-token", "api-all-")) else scene.admin()
            caller = scene.invited() if operation.name.startswith("api-my-") else caller
            evidence = mark()
            answer = caller.client.generic(
                operation.method.upper(),
                scene.address(operation.name) + "?zzz=1",
                json.dumps(scene.body(operation) or {}),
                content_type="application/json",
            )
            assert code(answer) == (400, "invalid_parameters"), operation
            assert answer.json()["errors"] == [
                {"parameter": "zzz", "code": "unknown_parameter", "detail": "There is no such parameter."}
            ]
            assert changed(evidence) == set()
            transaction.set_rollback(True)


def test_hosts_that_are_not_ours_are_refused_as_a_problem():
    assert code(Client().get("/api/v1/me/", headers={"Host": "evil.example"})) == (400, "bad_request")


def test_what_breaks_is_a_problem_without_particulars():
    """A fault of ours, which no input of anybody's could bring about: the table whose rows are asked for is missing."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL search_path TO pg_temp")
        answer = Client(raise_request_exception=False).get("/api/v1/me/", headers={"Authorization": "Token trm_x"})
        transaction.set_rollback(True)
    assert code(answer) == (500, "internal_error")
    assert "relation" not in answer.content.decode()


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=20)
    | st.sampled_from(["", "a@b.example", str(NEVER), "rooms.view", "=1+1", "\u0000", "\ud800", "９"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = (
    *("contacts", "scope", "terms", "days", "label", "change_control", "expected_tid", "name", "scopes", "secret"),
    *("capacity", "display_name", "latitude", "tags", "country", "time_zone", "floor", "is_wheelchair_accessible"),
)
_BODIES = st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=5) | _VALUES
_WRITING = ("api-partners", "api-partner-invitations", "api-tokens", "api-my-invitation-accept", "api-room")


def test_whatever_is_sent_is_answered(scene):
    """No value in no field of no operation is a fault of ours; a 2xx is what the same body would mean to a service."""
    callers: dict[str, Caller] = {name: scene.admin() for name in _WRITING}
    callers |= {"api-tokens": scene.partner(), "api-my-invitation-accept": scene.invited()}
    addresses = {name: scene.address(name) for name in _WRITING}

    @hypothesis_settings(max_examples=150)
    @given(name=st.sampled_from(_WRITING), body=_BODIES)
    def ask(name, body):
        with transaction.atomic():
            method = "PATCH" if name == "api-room" else "POST"
            answer = callers[name].client.generic(
                method, addresses[name], json.dumps(body), content_type="application/json"
            )
            assert answer.status_code in (200, 201) or is_problem(answer)
            transaction.set_rollback(True)

    ask()


@hypothesis_settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0dD8eE+-.1 \n', max_size=60).map(str.encode))
def test_whatever_bytes_are_sent_are_answered(room, content):
    client, address = room
    with transaction.atomic():
        answer = client.patch(address, content, content_type="application/json")
        assert answer.status_code == 200 or is_problem(answer)
        transaction.set_rollback(True)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=80))
def test_whatever_token_is_shown_is_answered(db, header):
    answer = Client().get("/api/v1/me/", headers={"Authorization": f"Token {header}"})
    assert code(answer) == (401, "authentication_failed")

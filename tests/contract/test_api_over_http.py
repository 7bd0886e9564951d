"""The API behind its real web server: what a program of somebody else sends, byte by byte."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from partners.services import relationships
from rbac.catalogue import Permission
from tests.factories.callers import token
from tests.factories.world import World, join, make
from tests.foundation.portal import Portal

PROBLEM = "application/problem+json"


class Site:
    """The web server, and a partner's program that calls it."""

    def __init__(self, portal: Portal) -> None:
        self.world: World = make()
        self.relationship, (ann,) = join(self.world.contoso, self.world.fabrikam, "ann")
        self.secret = token(self.relationship, ann, Permission.ROOMS_VIEW, Permission.ROOMS_MODIFY)
        self.web = portal.web(workers=1)
        self.rooms = f"/api/v1/customers/{self.world.contoso.tenant.pk}/rooms/"
        self.room = f"{self.rooms}{self.world.contoso.german[0].pk}/"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Token {self.secret}"} | dict(options.pop("headers", {}))
        return requests.request(method, self.web.url + path, headers=headers, timeout=20, **options)

    def send(self, head: str, body: bytes = b"") -> bytes:
        """What comes back for these bytes, on a connection of their own."""
        place = urlsplit(self.web.url)
        with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
            lines = f"{head}\r\nHost: {place.netloc}\r\nAuthorization: Token {self.secret}\r\nConnection: close\r\n"
            connection.sendall(lines.encode() + body)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture
def site(portal: Portal) -> Site:
    return Site(portal)


def test_program_works_until_its_partner_is_removed(site):
    listed = site.call("GET", site.rooms)
    assert (listed.status_code, len(listed.json()["items"])) == (200, 2)
    changed = site.call("PATCH", site.room, json={"capacity": 9}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    relationships.remove(site.relationship, by=site.world.contoso.admin)
    assert site.call("GET", site.rooms).status_code == 401
    assert site.call("GET", "/api/v1/me/").json()["code"] == "authentication_failed"


def test_bodies_too_large_too_long_or_without_a_length_are_refused(site):
    def chunks() -> Iterator[bytes]:
        yield b'{"capacity": 3}'

    answers = [
        site.call("PATCH", site.room, data=b"x" * 3_000_000, headers={"Content-Type": "application/json"}),
        site.call("PATCH", site.room, data=chunks(), headers={"Content-Type": "application/json"}),
        site.call("PATCH", site.room, data={"capacity": 1}),
        site.call("PATCH", site.room, data=b"[" * 900_000, headers={"Content-Type": "application/json"}),
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (413, "body_too_large"),
        (411, "length_required"),
        (415, "unsupported_media_type"),
        (400, "parse_error"),
    ]
    assert {one.headers["Content-Type"] for one in answers} == {PROBLEM}
    assert site.call("GET", site.room).json()["capacity"] is None


# Request line, headers and body, and which of these answers are right.
ODD = [
    ("GET {room}?a=%00 HTTP/1.1", b"\r\n", (400,)),
    ("GET {room}%00/ HTTP/1.1", b"\r\n", (400,)),
    ("GET {room}\xff HTTP/1.1", b"\r\n", (400, 404)),
    ("BREW {room} HTTP/1.1", b"\r\n", (405,)),
    ("OPTIONS * HTTP/1.1", b"\r\n", (400, 404)),
    ("PATCH {room} HTTP/1.1", b"Content-Length: x\r\n\r\n", (400,)),
    ("PATCH {room} HTTP/1.1", b"Content-Length: -1\r\n\r\n", (400,)),
    (
        "PATCH {room} HTTP/1.1",
        b"Content-Type: application/json\r\nIf-Match: \xff\r\nContent-Length: 2\r\n\r\n{}",
        (400,),
    ),
    ("GET {room} HTTP/1.1", b"Accept-Language: \xff;q=x\r\nX-Request-ID: \x80\r\n\r\n", (200, 400)),
    ("GET {room} HTTP/1.1", b"Cookie: session=\xff; csrftoken=\x01\r\n\r\n", (200, 400)),
]


def test_bytes_that_no_client_library_would_send_are_no_fault_of_ours(site):
    for head, body, expected in ODD:
        answer = site.send(head.format(room=site.room), body)
        assert int(answer.split(b" ", 2)[1]) in expected, (head, body, answer[:300])


def test_head_has_the_headers_of_get_and_no_body(site):
    asked, answer = site.call("GET", site.room), site.call("HEAD", site.room)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["ETag"] == asked.headers["ETag"]
    assert answer.headers["Content-Length"] == asked.headers["Content-Length"]


def test_pages_know_no_tokens(site):
    answer = site.call("GET", f"/c/{site.world.contoso.tenant.pk}/rooms/", allow_redirects=False)
    assert answer.status_code == 302
    assert "/sign-in/" in answer.headers["Location"]
    assert "Set-Cookie" not in answer.headers

"""P11: the room list over HTTP: real servers, real sign-in, all rules on, against bare WSGI with the same statements."""

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from guardian.core import ObjectPermissionChecker
from guardian.shortcuts import get_objects_for_user

from benchmarks.data import Kind
from benchmarks.measure import Report, geometric_mean, medians, once
from rbac import access
from rbac.catalogue import ROOM_PERMISSIONS, Permission
from rooms.api.serializers import LISTED
from rooms.models import Room
from trm_portal.development import ports, processes
from trm_portal.development.processes import Child
from trm_portal.development.state import StateFolder

PASSWORD = "measured, never kept"
STATE = Path(__file__).resolve().parent.parent / ".state" / "bench-web"
ASKED = ("site tech, 10 rooms", "MMR admin, all rooms", "partner admin, half, 101 customers")


@dataclass
class Browser:
    """One connection that stays open, and the cookies it was given."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._connection = HTTPConnection(ports.LOOPBACK, self.port, timeout=30)

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request("GET" if form is None else "POST", path, form and urlencode(form), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self.cookies.update({key: one.value for key, one in SimpleCookie(value).items()})
        return answer.status, body

    def sign_in(self, kind: Kind) -> None:
        """The person is signed in by the form that people use."""
        _, page = self.ask("/sign-in/")
        found = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found is not None
        form = {"csrfmiddlewaretoken": found[1].decode(), "username": kind.user.username, "password": PASSWORD}
        status, _ = self.ask("/sign-in/", form)
        assert status == 302, (kind.name, status)


def requests(kinds: list[Kind], report: Report) -> None:
    """The API's list and the page, of three kinds of people."""
    chosen = [kind for kind in kinds if kind.name in ASKED]
    for kind in chosen:
        kind.user.set_password(PASSWORD)
        kind.user.save(update_fields=["password"])
    with _servers(chosen) as (portal, bare):
        api, page = zip(*(_measure(kind, number, portal, bare) for number, kind in enumerate(chosen)), strict=True)
    report.add("P11 room list over the API, geometric mean, against bare WSGI", geometric_mean(api), 2.0, "1.75")
    report.add("P11 room page against the naive page", geometric_mean(page), 1 / 30, "0.022–0.033")


def _measure(kind: Kind, number: int, portal: int, bare: int) -> tuple[float, float]:
    browser, plain = Browser(portal), Browser(bare)
    browser.sign_in(kind)
    api, page = f"/api/v1/customers/{kind.tenant.pk}/rooms/?page_size=50", f"/c/{kind.tenant.pk}/rooms/"
    status, body = browser.ask(api)
    assert status == 200, (kind.name, status)
    _, other = plain.ask(f"/{number}")
    items = json.loads(body)["items"]
    assert [one["id"] for one in items] == [one["id"] for one in json.loads(other)["items"]][:50], kind.name
    status, shown = browser.ask(page)
    assert status == 200, (kind.name, status)
    assert all(one["display_name"].encode() in shown for one in items), kind.name
    times = medians(
        {
            "api": lambda: browser.ask(api),
            "bare": lambda: plain.ask(f"/{number}"),
            "page": lambda: browser.ask(page),
        },
        100,
    )
    naive = once(lambda: _naive_page(kind))
    print(
        f"     {kind.name:40} API {times['api'] * 1e3:.2f} ms  bare {times['bare'] * 1e3:.2f} ms"
        f"  page {times['page'] * 1e3:.2f} ms  naive page {naive * 1e3:.0f} ms"
    )
    return times["api"] / times["bare"], times["page"] / naive


_NAIVE = Template("{% for room, may in rows %}<tr><td>{{ room.display_name }}<td>{{ may|join:' ' }}</tr>{% endfor %}")


def _naive_page(kind: Kind) -> str:
    """As guardian is documented: its list, its checker for each cell. Without server, sign-in or frame."""
    rooms = get_objects_for_user(kind.user, "rooms.rooms_view", Room, accept_global_perms=False)
    if "all rooms" in kind.name:  # guardian does not know of them
        rooms = Room.objects.all()
    found = rooms.filter(tenant=kind.tenant).order_by("display_name", "id")[:50]
    rows = [
        (room, [one for one in ROOM_PERMISSIONS if ObjectPermissionChecker(kind.user).has_perm(one.codename, room)])
        for room in found
    ]
    return _NAIVE.render(Context({"rows": rows}))


@contextmanager
def _servers(chosen: list[Kind]) -> Iterator[tuple[int, int]]:
    """The portal and the bare server, one process each; their ports."""
    state = StateFolder(STATE)
    statements = state.path / "statements.json"
    statements.write_text(json.dumps({str(number): _statements(kind) for number, kind in enumerate(chosen)}))
    environment = os.environ | {
        "SECURE": "false",
        "LOCAL_SIGN_IN": "true",
        "PLAIN_STATIC": "true",
        "API_REQUESTS_PER_MINUTE": "1000000",
        "STATEMENTS": str(statements),
    }
    children: list[Child] = []
    try:
        found = [_start(name, state, environment, children) for name in ("trm_portal.wsgi", "benchmarks.bare")]
        yield found[0], found[1]
    finally:
        for child in children:
            child.end()


def _start(application: str, state: StateFolder, environment: dict[str, str], children: list[Child]) -> int:
    port = ports.any_free()
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"{ports.LOOPBACK}:{port}"]
    command += [
        "--worker-class",
        "gthread",
        "--workers",
        "1",
        "--threads",
        "2",
        "--keep-alive",
        "60",
        "--no-control-socket",
    ]
    environment = environment | {"PUBLIC_URL": f"http://{ports.LOOPBACK}:{port}"}
    children.append(processes.start(application, command, state=state, environment=environment))
    end = time.monotonic() + 60
    while not ports.answers(port):
        assert time.monotonic() < end, children[-1].last_words()
        time.sleep(0.2)
    return port


def _statements(kind: Kind) -> list[str]:
    """What the portal asks for this list, as text."""
    with CaptureQueriesContext(connection) as captured:
        held = access.rights(kind.user)
        rooms = access.visible(kind.user, Permission.ROOMS_VIEW, Room.objects.filter(tenant=kind.tenant), held)
        list(rooms.order_by("display_name", "id").values(*LISTED)[:51])
    return [one["sql"] for one in captured.captured_queries]  # psycopg2's are those that were sent

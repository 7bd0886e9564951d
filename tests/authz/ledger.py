"""The ledger: what each route answers to each actor, for each relation; and what routes there are.

`ledger.txt` holds a line for every route, method and relation, with a column for each actor of scene.ACTORS:

    rooms  GET  own  sign-in 200 200 …   # why, if it is public

A cell is the HTTP status; `sign-in` is a redirect to the sign-in page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.shortcuts import resolve_url
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.authz.scene import ACTORS, Scene, any_of, somebody

FILE = Path(__file__).parent / "ledger.txt"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What identifies the object of an address; with one of them an address has to be asked for another's, and for nothing.
OBJECTS = (
    "room_id",
    "group_id",
    "relationship_id",
    "invitation_id",
    "role_id",
    "import_id",
    "change_id",
    "filter_id",
    "prefix",
    "ring_id",
    "rollout_id",
    "ticket_id",
    "domain_id",
    "attachment_id",
    "assignment_id",
    "security_group_id",
    "user_id",
    "manager_id",
    "approval_id",
    "webhook_id",
    "event_id",
)


@dataclass(frozen=True)
class Route:
    """An address: its name with its namespace (an unnamed one: its pattern), and what it takes."""

    name: str
    pattern: str
    takes: tuple[str, ...]

    @property
    def relations(self) -> set[str]:
        """Those that the ledger has to answer for."""
        if self.takes == ("invitation_id",) or set(self.takes) == {"invitation_id", "secret"}:
            return {"mine", "colleagues", "nobodys"}
        if {"batch_id", "filter_id"} & set(self.takes) and "tenant_id" not in self.takes:
            return {"partners", "unkept"}
        if "tenant_id" not in self.takes or self.name.startswith("admin:"):
            return {"public"}
        has_object = any(one in OBJECTS for one in self.takes)
        return {"own", "second", "foreign"} | ({"out", "mixed", "never"} if has_object else set())

    def url(self, scene: Scene, relation: str) -> str:
        place = scene.places[relation]
        if self.name.startswith("admin:") or (not self.name.isidentifier() and "api-" not in self.name):
            return self._back_office_url()
        return reverse(self.name, kwargs={one: _given(self.name, one, place) for one in self.takes})

    def _back_office_url(self) -> str:
        """Of the admin: with some row of the model that its address names."""
        parts = self.pattern.strip("/").split("/")
        fill = {
            "tenant_id": str(any_of("rbac_tenant")),
            "user_id": str(somebody()),
            "app_label": "rbac",
            "content_type_id": "1",
        }
        if "object_id" in self.takes:
            known = len(parts) > 2 and f"{parts[1]}_{parts[2]}"
            fill["object_id"] = str(any_of(known)) if known and "<" not in known else "1"
        url = self.pattern
        for one in self.takes:
            start = next(
                url.index(mark)
                for mark in (f"<path:{one}>", f"<uuid:{one}>", f"<int:{one}>", f"(?P<{one}>")
                if mark in url
            )
            end = url.index(")" if url[start] == "(" else ">", start) + 1
            url = url[:start] + fill.get(one, "nothing") + url[end:]
        return "/" + url.replace("^", "").replace("$", "")


# The step of a wizard that each address is asked for: one that everybody who may begin may open.
STEPS = {"add_partner_step": "contacts", "role_add_step": "general", "assignment_add_step": "assignment"}


NOTHING = "00000000-0000-4000-8000-000000000000"


def _given(route: str, name: str, place: dict[str, Any]) -> Any:
    return {
        "step": STEPS.get(route),
        "language": "en",
        "provider": "entra",
        "secret": "x" * 32,
        "session_id": NOTHING,
        "view": "rooms",
    }.get(name) or place[name]


def routes() -> list[Route]:
    """Every address of the portal, the API and the back office."""
    return list(_walk(get_resolver(), "", ()))


def _walk(resolver: URLResolver, prefix: str, namespaces: tuple[str, ...]) -> Iterator[Route]:
    for one in resolver.url_patterns:
        pattern = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one, pattern, (*namespaces, one.namespace) if one.namespace else namespaces)
        else:
            yield Route(_name(one, pattern, namespaces), pattern, _taken(pattern))


def _name(one: URLPattern, pattern: str, namespaces: tuple[str, ...]) -> str:
    return ":".join((*namespaces, one.name)) if one.name else pattern


def _taken(pattern: str) -> tuple[str, ...]:
    return tuple(part.partition(">")[0].rpartition(":")[2] for part in pattern.split("<")[1:])


@dataclass(frozen=True)
class Entry:
    """One line of the ledger."""

    route: str
    method: str
    relation: str
    cells: tuple[str, ...]
    reason: str = ""

    @property
    def methods(self) -> list[str]:
        return self.method.split(",")

    @property
    def expected(self) -> dict[str, str]:
        return dict(zip(ACTORS, self.cells, strict=True))

    def covers(self, route: Route) -> bool:
        """The admin's own addresses of each model are named by their kind: `admin:*_changelist`."""
        if "*" not in self.route:
            return self.route == route.name
        start, _, end = self.route.partition("*")
        return route.name.startswith(start) and route.name.endswith(end)


def entries() -> list[Entry]:
    """The lines of the file. Raises ValueError for one that has not a cell for each actor."""
    found = []
    for number, text in enumerate(FILE.read_text().splitlines(), start=1):
        line, _, reason = text.partition("#")
        words = line.split()
        if not words:
            continue
        if len(words) != len(ACTORS) + 3:
            raise ValueError(f"line {number} has {len(words) - 3} cells instead of {len(ACTORS)}")
        found.append(Entry(words[0], words[1], words[2], tuple(words[3:]), reason.strip()))
    return found


def cell_of(answer: Any) -> str:
    """The status, or `sign-in`."""
    is_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith(resolve_url(settings.LOGIN_URL))
    return "sign-in" if is_sign_in else str(answer.status_code)


def models_of_back_office() -> set[str]:
    """The models that the back office shows."""
    return {model._meta.label_lower for model in admin.site._registry}

"""`make docs`: write what is made from code: documents (PAGES) and the client's types (CLIENT); a test compares."""

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import ModuleType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation import override

import partners.errors
import rbac.errors
import rooms.errors
from audit.errors import RuleBroken
from partners.states import DELIVERY, INVITATION
from rbac.catalogue import CONTROLLED_EVENTS, IMPLIES, TABLE, BuiltIn
from rbac.states import DELEGATION
from rooms.states import APPROVAL, ROLLOUT, ROOM, ROOM_UPDATE, TICKET, WORK
from trm_portal.api_views import document
from trm_portal.development import client_code
from trm_portal.errors import GENERAL

DOCS = settings.BASE_DIR / "docs"
CLIENT_FOLDER = settings.BASE_DIR / "client" / "rooms_portal"
MADE = "<!-- Made from code; `make docs` writes it anew. -->\n"


def permissions() -> str:
    """Table 1 with its scopes, what implies what, and the partner's ceiling."""
    roles = list(BuiltIn)
    lines = [
        MADE,
        "# The 19 permissions\n",
        "Which built-in role holds what (rbac/catalogue.py). *room*: asked of each room; *rooms-in-object*: seen when one",
        "of its rooms is in scope, changed as a whole only when all are; *tenant*: needs an assignment to all rooms.\n",
        f"| code | feature | permission | {' | '.join(str(role.label) for role in roles)} | scope |",
        f"|---|---|---|{'---|' * len(roles)}---|",
    ]
    for code, row in TABLE.items():
        cells = " | ".join("✓" if row.cell(role) else "–" for role in roles)
        lines.append(f"| `{code}` | {row.feature} | {code.label} | {cells} | {row.scope} |")
    lines.append("\nA partner never holds more than *Primary admin*, whatever its roles say.\n")
    lines.append("## What implies what\n")
    lines += [f"- `{code}`: `{'`, `'.join(sorted(implied))}` on what it acts on" for code, implied in IMPLIES.items()]
    lines.append("\n## Under change control\n")
    lines += [f"- `{code}`" for code in CONTROLLED_EVENTS]
    return "\n".join(lines) + "\n"


def states() -> str:
    """The state machines as diagrams."""
    return "\n".join(
        [
            MADE,
            "# States\n",
            "What a service may turn into what (`states.py` of each app). An end is for good.\n",
            "## Partner relationship (its delegation)\n",
            *_diagram(DELEGATION),
            "",
            "## Invitation\n",
            *_diagram(INVITATION),
            "",
            "## Room\n",
            *_diagram(ROOM),
            "",
            "## Import of an inventory, bulk change\n",
            *_diagram(WORK),
            "",
            "## Ticket\n",
            *_diagram(TICKET),
            "",
            "## Rollout of a release in an update ring\n",
            *_diagram(ROLLOUT),
            "",
            "## Update of a room in a rollout\n",
            *_diagram(ROOM_UPDATE),
            "",
            "## Approval request\n",
            *_diagram(APPROVAL),
            "",
            "## Delivery of an event to a webhook\n",
            *_diagram(DELIVERY),
            "",
        ]
    )


def _diagram(machine: Mapping[Enum, frozenset[Enum]]) -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {next(iter(machine)).value}"]
    for state, following in machine.items():
        lines += [f"    {state.value} --> {after.value}" for after in sorted(following, key=lambda one: str(one.value))]
        if not following:
            lines.append(f"    {state.value} --> [*]")
    return [*lines, "```"]


def problems() -> str:
    """What can be wrong, by code: with any request, and against the rules of each app."""
    lines = [
        MADE,
        "# Problems\n",
        "The `code` of an answer that is no success ([api.md](api.md)). Codes stay as they are; texts are for people, in",
        "the language of the request, and may change.\n",
        "## Any request\n",
        *_table((status, code, str(text)) for code, (status, text) in GENERAL.items()),
    ]
    for title, module in RULES.items():
        lines += [f"\n## {title}\n", *_table(sorted(_rules(module)))]
    return "\n".join(lines) + "\n"


def _table(rows: Iterable[tuple[int, str, str]]) -> list[str]:
    return ["| status | code | says |", "|---|---|---|", *(f"| {row[0]} | `{row[1]}` | {row[2]} |" for row in rows)]


def _rules(module: ModuleType) -> Iterator[tuple[int, str, str]]:
    for rule in vars(module).values():
        if isinstance(rule, type) and issubclass(rule, RuleBroken) and rule is not RuleBroken:
            if "code" in vars(rule):
                yield rule.status, rule.code, str(rule.text).replace("%(upn)s", "…")
            for state, text in getattr(rule, "texts", {}).items():
                yield rule.status, f"invitation_{state}", str(text)


RULES = {
    "Organisations, people, roles": rbac.errors,
    "Rooms and scopes": rooms.errors,
    "Partners, invitations, tokens": partners.errors,
}
PAGES = {"permissions.md": permissions, "states.md": states, "problems.md": problems}
CLIENT = {"models.py": client_code.models, "operations.py": client_code.operations}


def client_module(name: str) -> str:
    """A module of CLIENT, from the API's document of today."""
    return CLIENT[name](json.loads(document("json")))


class Command(BaseCommand):
    help = "Write the documents that are made from code."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with override("en"):
            for name, text in PAGES.items():
                (DOCS / name).write_text(text())
            for name in CLIENT:
                (CLIENT_FOLDER / name).write_text(client_module(name))

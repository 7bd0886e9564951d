"""`make docs`: write the documents that are made from code, docs/permissions.md and docs/states.md; a test compares."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation import override

from partners.states import INVITATION
from rbac.catalogue import CONTROLLED_EVENTS, IMPLIES, TABLE, BuiltIn
from rbac.states import DELEGATION
from rooms.states import INVENTORY_IMPORT

DOCS = settings.BASE_DIR / "docs"
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
            "## Import of an inventory\n",
            *_diagram(INVENTORY_IMPORT),
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


PAGES = {"permissions.md": permissions, "states.md": states}


class Command(BaseCommand):
    help = "Write the documents that are made from code."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with override("en"):
            for name, text in PAGES.items():
                (DOCS / name).write_text(text())

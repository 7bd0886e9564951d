"""What a requested change would do, as rows that a person reads: label, before, after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from audit.models import Category
from rooms.models import ApprovalRequest

# Whose fields the log's words before and after are, by the category of the line.
_MODELS = {
    Category.ROOM: "rooms.room",
    Category.RING: "rooms.updatering",
    Category.TICKET: "rooms.ticket",
    Category.ROLE: "rbac.role",
    Category.ASSIGNMENT: "rbac.assignment",
    Category.GROUP: "rooms.roomgroup",
}


@dataclass(frozen=True)
class Row:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One object that the change touches."""

    category: str
    name: str
    rows: list[Row]


def changes_of(request: ApprovalRequest) -> list[Change]:
    """Everything that the change would touch, in the order in which it would happen."""
    return [
        Change(str(Category(one["category"]).label), one["object"], list(_rows(one)))
        for one in request.changes
        if one.get("before") or one.get("after")
    ]


def _rows(one: Mapping[str, Any]) -> Iterator[Row]:
    before, after = one.get("before") or {}, one.get("after") or {}
    if not (isinstance(before, dict) and isinstance(after, dict)):
        yield Row("", _text(before), _text(after))
        return
    for name in [*before, *(key for key in after if key not in before)]:
        yield Row(_label(one["category"], name), _text(before.get(name)), _text(after.get(name)))


def _label(category: str, name: str) -> str:
    try:
        field = apps.get_model(_MODELS[Category(category)])._meta.get_field(name)
    except (KeyError, FieldDoesNotExist):
        return capfirst(name.replace("_", " "))
    return capfirst(str(getattr(field, "verbose_name", name)))


def _text(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(one)}" for key, one in value.items())
    return str(value)

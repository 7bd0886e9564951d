"""What a requested change would do, as rows that a person reads: label, before, after.

In the words of his language, and with the names of rooms and room groups that he may see; others are counted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, Field, Model
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import Category
from rbac import access
from rbac.access import Rights
from rbac.catalogue import Permission
from rbac.models import User
from rooms.diff_words import ANYWHERE, SAID, WORDS, in_words
from rooms.models import ApprovalRequest, Room, RoomGroup

NAMED = 20  # rooms, and groups, by name; the others are counted
NOTHING = "–"
_SCOPE = {"all_rooms", "rooms", "groups"}
Said = Mapping[str, Any]


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


def changes_of(request: ApprovalRequest, reader: User, held: Rights) -> list[Change]:
    """Everything that the change would touch, in the order in which it would happen; what stays as it is, is left out."""
    told = [_whole(request, number, one) for number, one in enumerate(request.changes)]
    names = _Names(request, reader, held, [side for _category, _name, *sides in told for side in sides])
    found = [
        Change(str(Category(category).label), _name(category, name), list(_rows(category, before, after, names)))
        for category, name, before, after in told
    ]
    return [one for one in found if one.rows]


def _whole(request: ApprovalRequest, number: int, one: Said) -> tuple[str, str, Said, Said]:
    """Category, object, before and after of a line, the first one with what the log has left out."""
    before, after = _folded(one.get("before") or {}), _folded(one.get("after") or {})
    if number == 0:
        said = SAID.get((request.event, request.action), {})
        after |= {name: request.params[param] for name, param in said.items() if request.params.get(param)}
    return one["category"], one["object"], before, after


def _folded(said: Said) -> dict[str, Any]:
    """With a scope as one thing, wherever it stands."""
    if not set(said) >= _SCOPE:
        return dict(said)
    rest = {name: value for name, value in said.items() if name not in _SCOPE}
    return rest | {"scope": {name: said[name] for name in _SCOPE}}


class _Names:
    """What the rooms and room groups in `sides` are called, as far as the reader may see them."""

    def __init__(self, request: ApprovalRequest, reader: User, held: Rights, sides: Iterable[Said]) -> None:
        ids: dict[str, set[int]] = {"rooms": set(), "groups": set()}
        for side in sides:
            scope = side.get("scope") or {}
            ids["rooms"] |= {*_ids(side.get("rooms")), *_ids(scope.get("rooms"))}
            ids["groups"] |= set(_ids(scope.get("groups")))
        of = {"tenant": request.tenant_id}
        rooms = Room.objects.filter(**of, pk__in=ids["rooms"])
        groups = RoomGroup.objects.filter(**of, pk__in=ids["groups"])
        self._known: dict[str, dict[int, str]] = {"rooms": {}, "groups": {}}
        if ids["rooms"]:
            seen = access.visible(reader, Permission.ROOMS_VIEW, rooms, held)
            self._known["rooms"] = dict(seen.values_list("pk", "display_name"))
        if ids["groups"]:
            self._known["groups"] = dict(
                access.visible(reader, Permission.GROUPS_VIEW, groups, held).values_list("pk", "name")
            )

    def of(self, kind: str, ids: list[int]) -> list[str]:
        """The first names in the order of the alphabet, and how many more there are."""
        known = sorted(self._known[kind][one] for one in ids if one in self._known[kind])[:NAMED]
        more = len(ids) - len(known)
        return [*known, ngettext("%(n)d more", "%(n)d more", more) % {"n": more}] if more else known


def _ids(value: Any) -> list[int]:
    return [one for one in value if isinstance(one, int)] if isinstance(value, list) else []


def _name(category: str, name: str) -> str:
    return in_words(name) if category in (Category.ROLE, Category.ASSIGNMENT) else name


def _rows(category: str, before: Said, after: Said, names: _Names) -> Iterator[Row]:
    for name in sorted({*before, *after}, key=lambda one: _place(category, one)):
        was, becomes = (_text(category, name, side.get(name), names) for side in (before, after))
        if was != becomes:
            yield Row(_label(category, name), was, becomes)


def _field(category: str, name: str) -> "Field[Any, Any] | None":
    try:
        model: type[Model] = apps.get_model(WORDS[category].model)
        found = model._meta.get_field(name)
    except (KeyError, FieldDoesNotExist):
        return None
    return found if isinstance(found, Field) else None


def _place(category: str, name: str) -> tuple[int, str]:
    """Fields of the object first, as it has them, then what else is said, as it is listed."""
    listed = WORDS[category].labels if category in WORDS else {}
    found = _field(category, name)
    if found is not None and name not in listed:
        return [one.name for one in found.model._meta.fields].index(name), name
    return 1000 + ([*listed].index(name) if name in listed else len(listed)), name


def _label(category: str, name: str) -> str:
    words, found = WORDS.get(category), _field(category, name)
    if words is not None and name in words.labels:
        return str(words.labels[name])
    if name in ANYWHERE:
        return str(ANYWHERE[name])
    return capfirst(str(found.verbose_name) if found is not None else name.replace("_", " "))


def _text(category: str, name: str, value: Any, names: _Names) -> str:
    if value is None or value == "" or value == []:
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "scope":
        return _scope(value, names)
    if isinstance(value, list):
        return ", ".join(names.of("rooms", value) if name == "rooms" else [_word(category, name, one) for one in value])
    return _word(category, name, value)


def _scope(value: Said, names: _Names) -> str:
    if value.get("all_rooms"):
        return _("All rooms")
    groups, rooms = (names.of(kind, _ids(value.get(kind))) for kind in ("groups", "rooms"))
    parts = []
    if groups:
        parts.append(_("Room groups: %(names)s") % {"names": ", ".join(groups)})
    if rooms:
        parts.append(_("Rooms: %(names)s") % {"names": ", ".join(rooms)})
    return "; ".join(parts) or NOTHING


def _word(category: str, name: str, value: Any) -> str:
    """One value as a person says it: a choice by its name, a permission by its own, a moment in his zone."""
    words, found = WORDS.get(category), _field(category, name)
    choices = words.choices.get(name) if words is not None else None
    if choices is None and found is not None:
        choices = dict(found.flatchoices)
    if choices and value in choices:
        return str(choices[value])
    if name == "permissions" and value in Permission:
        return Permission(value).full_label
    if name == "size":
        return filesizeformat(value)
    if isinstance(found, DateTimeField):
        moment = timezone.localtime(datetime.fromisoformat(value))
        return f"{date_format(moment, 'DATETIME_FORMAT')} {moment.tzname()}"
    return str(value)

"""What an inventory says of one room, cell by cell: from text (CSV) or typed values (JSON) to the fields of a room."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from rbac.upn import normalise
from rooms.models import Room
from rooms.places import country_code
from rooms.values import MAX_TAGS, RANGES, is_in_range, is_readable

_FOUR_DECIMALS = Decimal("0.0001")
_NUMBER = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,4})?|inf)", re.ASCII)
_LINE_BREAK = re.compile(r"[\t\r\n]+")
_ROOM_TYPES = frozenset({"", "room", "microsoft.graph.room"})


@dataclass(frozen=True)
class Problem:
    """Why a row cannot be used: a stable code, the field and the values its sentence needs (rooms/inventory_reports.py)."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One row of an inventory: what it says of which room, or why it cannot be used.

    `number` is the line in the CSV, or the place in the list of the JSON (from 1).
    """

    number: int
    account: str
    name: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


class Unfit(Exception):
    """A row with problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems)
        self.problems = problems


def row_of(number: int, raw: Mapping[str, Any], *, is_typed: bool) -> Row:
    """What a row says, checked; with every problem it has, not only the first."""
    account, name = (excerpt(raw.get(key) or "", 200).strip() for key in ("resource_account", "display_name"))
    try:
        return Row(number, account, name, values_of(raw, is_typed=is_typed))
    except Unfit as error:
        return Row(number, account, name, problems=error.problems)


def values_of(raw: Mapping[str, Any], *, is_typed: bool) -> dict[str, Any]:
    """The fields of a room that `raw` speaks of, checked. `is_typed`: numbers are numbers and lists are lists (JSON).

    Raises Unfit with all problems of the row.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, cell in raw.items():
        try:
            values |= _READERS.get(name, _text)(name, cell, is_typed)
        except Unfit as unfit:
            problems += unfit.problems
    problems += [
        Problem("missing", {"field": name})
        for name in ("resource_account", "display_name")
        if not values.get(name) and not any(one.params.get("field") == name for one in problems)
    ]
    if problems:
        raise Unfit(*problems)
    return values


def excerpt(cell: Any, length: int = 60) -> str:
    """So much of a cell as a report shows; whatever was in it can be stored and read."""
    return "".join(c if is_readable(c) else "\ufffd" for c in str(cell)[:length])


def _text(name: str, cell: Any, is_typed: bool) -> dict[str, Any]:
    text = _plain(name, cell)
    limit = Room._meta.get_field(name).max_length
    if limit is not None and len(text) > limit:
        raise Unfit(Problem("too_long", {"field": name, "limit": limit}))
    return {name: text}


def _plain(name: str, cell: Any) -> str:
    """The cell as readable text, without line breaks; nothing for null."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise Unfit(Problem("wrong_type", {"field": name, "value": excerpt(cell)}))
    # Not by one pattern with the blanks around a break: looking for that takes the square of a long run of blanks.
    text = " ".join(filter(None, map(str.strip, _LINE_BREAK.split(cell.strip()))))
    if not is_readable(text):
        raise Unfit(Problem("unreadable_character", {"field": name, "character": _sign(text)}))
    return text


def _account(name: str, cell: Any, is_typed: bool) -> dict[str, Any]:
    text = cell if isinstance(cell, str) else _plain(name, cell)
    if not text.strip():
        return {}
    try:
        return {name: normalise(text)}
    except ValidationError as error:
        params = {key: excerpt(value, 113) for key, value in (error.params or {}).items()}
        # A blank between quotation marks looks like nothing at all.
        code = "upn_blank" if params.get("character") == " " else str(error.code)
        raise Unfit(Problem(code, {"field": name, **params})) from error


def _type(name: str, cell: Any, is_typed: bool) -> dict[str, Any]:
    """Get-Place and Graph list work spaces and room lists too; they are no rooms."""
    text = _plain(name, cell)
    if text.lstrip("#").casefold() not in _ROOM_TYPES:
        raise Unfit(Problem("not_a_room", {"value": excerpt(text)}))
    return {}


def _country(name: str, cell: Any, is_typed: bool) -> dict[str, Any]:
    text = _plain(name, cell)
    code = country_code(text)
    if code is None:
        raise Unfit(Problem("unknown_country", {"value": excerpt(text)}))
    return {name: code}


def _whole(name: str, cell: Any, is_typed: bool) -> dict[str, Any]:
    if cell is None or cell == "":
        return {name: None}
    number = cell
    if not is_typed and isinstance(cell, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", cell, re.ASCII):
        number = int(cell)
    if number in (float("inf"), float("-inf")):  # how a number too large for any machine arrives
        raise Unfit(_beyond(name, cell))
    if isinstance(number, bool) or not isinstance(number, int):
        raise Unfit(Problem("wrong_type", {"field": name, "value": excerpt(cell)}))
    if not is_in_range(name, number):
        raise Unfit(_beyond(name, cell))
    return {name: number}


def _degrees(name: str, cell: Any, is_typed: bool) -> dict[str, Any]:
    """Degrees with four decimals, rounded from the binary number as Exchange does: 87.65005 is 87.6500."""
    if cell is None or cell == "":
        return {name: None}
    text = "" if isinstance(cell, bool) or (is_typed and isinstance(cell, str)) else str(cell).strip()
    if not _NUMBER.fullmatch(text):
        raise Unfit(Problem("wrong_type", {"field": name, "value": excerpt(cell)}))
    number = float(text)
    if math.isinf(number) or not is_in_range(name, number):
        raise Unfit(_beyond(name, cell))
    # Adding zero turns -0.0000 into 0.0000.
    return {name: Decimal(number).quantize(_FOUR_DECIMALS) + 0}


def _coordinates(name: str, cell: Any, is_typed: bool) -> dict[str, Any]:
    """Get-Place's `lat;lon`, perhaps with an altitude."""
    text = _plain(name, cell)
    if not text:
        return {"latitude": None, "longitude": None}
    parts = text.split(";")
    if len(parts) not in (2, 3):
        raise Unfit(Problem("wrong_type", {"field": "latitude", "value": excerpt(text)}))
    return _degrees("latitude", parts[0], False) | _degrees("longitude", parts[1], False)


def _flag(name: str, cell: Any, is_typed: bool) -> dict[str, Any]:
    if isinstance(cell, bool):
        return {name: cell}
    text = _plain(name, cell).casefold()
    if text not in ("", "true", "false") or (is_typed and text):
        raise Unfit(Problem("wrong_type", {"field": name, "value": excerpt(cell)}))
    return {name: text == "true"}


def _tags(name: str, cell: Any, is_typed: bool) -> dict[str, Any]:
    if isinstance(cell, str) and not is_typed:
        if cell.startswith("System."):  # PowerShell wrote the list's type instead of the list: it says nothing
            return {}
        cell = cell.split(",")
    if not isinstance(cell, list) and cell is not None:
        raise Unfit(Problem("wrong_type", {"field": name, "value": excerpt(cell)}))
    tags = [tag for tag in (_plain(name, one) for one in cell or ()) if tag]
    if len(tags) > MAX_TAGS or any(len(tag) > 60 for tag in tags):
        raise Unfit(Problem("too_long", {"field": name, "limit": 60}))
    return {name: list(dict.fromkeys(tags))}


_READERS: dict[str, Callable[[str, Any, bool], dict[str, Any]]] = {
    "resource_account": _account,
    "type": _type,
    "country": _country,
    "floor": _whole,
    "capacity": _whole,
    "latitude": _degrees,
    "longitude": _degrees,
    "coordinates": _coordinates,
    "is_wheelchair_accessible": _flag,
    "tags": _tags,
}


def _beyond(name: str, cell: Any) -> Problem:
    least, most = RANGES[name]
    return Problem("out_of_range", {"field": name, "value": excerpt(cell), "least": least, "most": most})


def _sign(text: str) -> str:
    return next(f"U+{ord(c):04X}" for c in text if not is_readable(c))

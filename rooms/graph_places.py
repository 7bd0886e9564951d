"""The JSON of Microsoft Graph's *List places*, room by room."""

import json
import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from rooms.cells import Problem, Row, excerpt, row_of
from rooms.errors import UnreadableInventory
from rooms.streams import LimitedStream

# Property of Graph's room -> what it says; those of `address` and `geoCoordinates` follow.
_PROPERTIES = {
    "emailAddress": "resource_account",
    "displayName": "display_name",
    "@odata.type": "type",
    "phone": "phone",
    "building": "building",
    "label": "label",
    "floorNumber": "floor",
    "floorLabel": "floor_label",
    "capacity": "capacity",
    "audioDeviceName": "audio_device",
    "videoDeviceName": "video_device",
    "displayDeviceName": "display_device",
    "isWheelChairAccessible": "is_wheelchair_accessible",
    "tags": "tags",
}
_ADDRESS = {
    "street": "street",
    "city": "city",
    "state": "region",
    "postalCode": "postal_code",
    "countryOrRegion": "country",
}
_COORDINATES = {"latitude": "latitude", "longitude": "longitude"}


class Places:
    """The list of rooms in a stream; `has_more` once the file has said that it is only one page of a longer list."""

    def __init__(self, stream: LimitedStream) -> None:
        self._stream = stream
        self.has_more = False

    def rows(self) -> Iterator[Row]:
        """The rooms one by one. Raises UnreadableInventory where the file is no JSON or holds no such list."""
        try:
            scanner = _Scanner(self._stream.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise UnreadableInventory(_("This file is neither CSV nor JSON in UTF-8.")) from error
        for number, item in enumerate(scanner.items(), start=1):
            if isinstance(item, dict):
                yield row_of(number, _raw(item), is_typed=True)
            else:
                yield Row(number, "", problems=(Problem("not_a_room", {"value": excerpt(item)}),))
        self.has_more = scanner.has_more


def _raw(item: dict[str, Any]) -> dict[str, Any]:
    """What Graph's room says, flat; an address or coordinates that are null say “nothing” of all their parts."""
    raw = {name: item[key] for key, name in _PROPERTIES.items() if key in item}
    for key, parts in (("address", _ADDRESS), ("geoCoordinates", _COORDINATES)):
        part = item.get(key, {})
        if isinstance(part, dict):
            raw |= {name: part[sub] for sub, name in parts.items() if sub in part}
        elif part is None:
            raw |= dict.fromkeys(parts.values())
        else:
            raw[next(iter(parts.values()))] = [part]  # no cell of a room: refused as one of the wrong type
    return raw


class _Scanner:
    """Finds the list of rooms in a JSON text and yields its items one by one, never the whole."""

    _BLANK = re.compile(r"[ \t\r\n]*")

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self.has_more = False
        self._decoder = json.JSONDecoder(parse_int=_integer)

    def items(self) -> Iterator[Any]:
        """Raises UnreadableInventory for what is no JSON, or holds no list of rooms."""
        if self._next() == "[":
            yield from self._list()
        elif not (yield from self._object()):
            raise UnreadableInventory(
                _("This JSON holds no list “value”. Import the answer of Microsoft Graph’s “List places” as it is.")
            )
        if self._next():
            self._fail()

    def _object(self) -> Iterator[Any]:
        """Yields the items of `value`; answers whether there was one."""
        is_found = False
        self._expect("{")
        while self._next() != "}":
            key = self._value()
            self._expect(":")
            if key == "value" and self._next() == "[":
                is_found = True
                yield from self._list()
            else:
                self.has_more |= key == "@odata.nextLink"
                self._value()
            self._separate("}")
        self._expect("}")
        return is_found

    def _list(self) -> Iterator[Any]:
        self._expect("[")
        while self._next() != "]":
            yield self._value()
            self._separate("]")
        self._expect("]")

    def _separate(self, end: str) -> None:
        if self._next() == ",":
            self._expect(",")
        elif self._next() != end:
            self._fail()

    def _next(self) -> str:
        match = self._BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            self._fail()
        self._at += 1

    def _value(self) -> Any:
        self._next()
        try:
            value, self._at = self._decoder.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            self._fail()
        return value

    def _fail(self) -> None:
        line = self._text.count("\n", 0, self._at) + 1
        raise UnreadableInventory(_("This file is no valid JSON near line %(line)s."), params={"line": line})


def _integer(text: str) -> int | float:
    return int(text) if len(text) < 19 else float("inf")

"""Reading the two inventories of rooms that customers have, row by row, into the values of a room.

- CSV of Exchange Online: `Get-Mailbox -RecipientTypeDetails RoomMailbox | Get-Place | Export-Csv`
- JSON of Microsoft Graph: *List places* (`microsoft.graph.room`), one page of it or a bare list

Both say the same of the same room: countries become codes, coordinates have four decimals, nothing is “” (or NULL for a
number). What a file does not speak of (a missing column, a missing property) is left out of the values; an empty cell
empties. A row that cannot be read says why and takes no other row with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from rooms import get_place, graph_places
from rooms.cells import Problem, Row
from rooms.errors import UnreadableInventory
from rooms.streams import LimitedStream


class Format(StrEnum):
    GET_PLACE = "get-place"
    GRAPH = "graph"


@dataclass(frozen=True)
class Inventory:
    """A file that is being read. `rows` reads on as it is asked, and raises UnreadableInventory where the file goes bad."""

    format: Format
    rows: Iterator[Row]
    places: graph_places.Places | None = None

    @property
    def has_more(self) -> bool:
        """Whether the file, read to its end, said that it is only one page of a longer list."""
        return self.places is not None and self.places.has_more


def read(stream: BinaryIO) -> Inventory:
    """The inventory in `stream`, its format told by its content.

    Raises UnreadableInventory, here or while reading on, if it is none: too large, too long, another kind of file,
    another encoding, no list of rooms.
    """
    limited = LimitedStream(stream)
    _refuse_other_files(limited.start)
    if limited.start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        places = graph_places.Places(limited)
        return Inventory(Format.GRAPH, _counted(places.rows()), places)
    return Inventory(Format.GET_PLACE, _counted(get_place.rows_of(limited)))


def _counted(rows: Iterator[Row]) -> Iterator[Row]:
    """`rows`, at least one and at most INVENTORY_MAX_ROWS, no account twice."""
    seen: dict[str, int] = {}
    count = 0
    for count, row in enumerate(rows, start=1):
        if count > settings.INVENTORY_MAX_ROWS:
            raise UnreadableInventory(
                _("This file holds more than %(limit)s rooms. Split it, and import one part after the other."),
                params={"limit": settings.INVENTORY_MAX_ROWS},
            )
        account = row.values.get("resource_account")
        first = seen.setdefault(account, row.number) if account else row.number
        if first == row.number:
            yield row
        else:
            yield Row(row.number, row.account, row.name, problems=(Problem("duplicate", {"row": first}),))
    if not count:
        raise UnreadableInventory(_("This file holds no rooms."))


def _refuse_other_files(start: bytes) -> None:
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnreadableInventory(
            _("This is a workbook of a spreadsheet program. Use the CSV file as Exchange wrote it, or save it as CSV.")
        )
    if _is_utf_16(start):
        raise UnreadableInventory(
            _("This file is in UTF-16. Export it again as UTF-8 (Export-Csv -Encoding utf8), or save it as UTF-8.")
        )
    if b"\x00" in start.split(b"\n")[0] or start.startswith((b"%PDF", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8")):
        raise UnreadableInventory(_("This file is neither CSV nor JSON."))
    if not start.strip():
        raise UnreadableInventory(_("This file is empty."))


def _is_utf_16(start: bytes) -> bool:
    """By its mark; without one, by every other byte of the first letters being nothing."""
    first, second = start[0:8:2], start[1:8:2]
    return start.startswith((b"\xff\xfe", b"\xfe\xff")) or (any(first) != any(second) and len(start) >= 8)

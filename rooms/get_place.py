"""The CSV of Exchange Online's Get-Place, line by line."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator

from django.utils.translation import gettext as _

from rooms.cells import Problem, Row, excerpt, row_of
from rooms.errors import UnreadableInventory
from rooms.streams import LimitedStream

MAX_SPAN = 10  # physical lines of one record; more is a quotation mark that nobody closed

# Column of Get-Place (in lower case) -> what it says; the other columns say nothing that the portal keeps.
_COLUMNS = {
    "identity": "resource_account",
    "displayname": "display_name",
    "type": "type",
    "street": "street",
    "city": "city",
    "state": "region",
    "postalcode": "postal_code",
    "countryorregion": "country",
    "geocoordinates": "coordinates",
    "phone": "phone",
    "building": "building",
    "label": "label",
    "floor": "floor",
    "floorlabel": "floor_label",
    "capacity": "capacity",
    "audiodevicename": "audio_device",
    "videodevicename": "video_device",
    "displaydevicename": "display_device",
    "iswheelchairaccessible": "is_wheelchair_accessible",
    "tags": "tags",
}


def rows_of(stream: LimitedStream) -> Iterator[Row]:
    lines = _Window(stream.lines())
    delimiter, names = _head(lines)
    while (line := lines.peek()) is not None:
        if not line.strip():
            lines.take(1)
            continue
        number, (cells, span) = lines.number + 1, _record(lines, delimiter, len(names))
        lines.take(span)
        if isinstance(cells, Problem):
            yield Row(number, _first_cell(line), problems=(cells,))
        else:
            raw = {name: cell for name, cell in zip(names, cells, strict=True) if name}
            yield row_of(number, raw, is_typed=False)


class _Window:
    """Physical lines with some sight ahead."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines, self._ahead = lines, deque[bytes]()
        self.number = 0  # lines taken

    def peek(self, position: int = 0) -> bytes | None:
        while len(self._ahead) <= position:
            line = next(self._lines, None)
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[position]

    def take(self, count: int) -> None:
        for _number in range(count):
            self._ahead.popleft()
        self.number += count


def _head(lines: _Window) -> tuple[str, list[str]]:
    """The delimiter, and for each column what it says (nothing: not kept). Raises UnreadableInventory."""
    first = lines.peek()
    if first is not None and first.removeprefix(b"\xef\xbb\xbf").startswith(
        b"#TYPE"
    ):  # Windows PowerShell puts it there
        lines.take(1)
        first = lines.peek()
    try:
        text = (first or b"").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableInventory(_("This file is neither CSV nor JSON in UTF-8.")) from error
    delimiter = max(",;\t", key=text.count)
    cells = _cells(text, delimiter) or []
    lines.take(1)
    names = [_COLUMNS.get(cell.strip().casefold(), "") for cell in cells]
    missing = [column for column in ("Identity", "DisplayName") if _COLUMNS[column.casefold()] not in names]
    if missing:
        raise UnreadableInventory(
            _("The first line of this CSV names no column “%(column)s”. Import the file as Get-Place exports it."),
            params={"column": missing[0]},
        )
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        raise UnreadableInventory(
            _("The first line of this CSV names the column “%(column)s” twice."),
            params={"column": cells[names.index(twice[0])]},
        )
    return delimiter, names


def _record(lines: _Window, delimiter: str, width: int) -> tuple[list[str] | Problem, int]:
    """The cells of the next record and how many lines it takes.

    A record whose quotation marks never close, or that has too few or too many cells, costs its first line only: reading
    goes on with the next line, so that one broken line takes no good one with it.
    """
    text = ""
    for span in range(1, MAX_SPAN + 1):
        line = lines.peek(span - 1)
        if line is None:
            break
        try:
            text += line.decode("utf-8")
        except UnicodeDecodeError:
            return Problem("encoding"), 1
        if text.count('"') % 2 == 0:
            cells = _cells(text, delimiter)
            if cells is None:
                break
            if len(cells) == width:
                return cells, span
            return Problem("cells", {"count": len(cells), "wanted": width}), 1
    return Problem("line_broken"), 1


def _cells(text: str, delimiter: str) -> list[str] | None:
    """The cells of one record; None if it is none."""
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None


def _first_cell(line: bytes) -> str:
    """Something to recognise a broken line by."""
    return excerpt(re.split(r"[,;\t]", line.decode("utf-8", "replace").strip())[0].strip('"'), 200)

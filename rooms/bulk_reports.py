"""What became of many rooms, in the reader's language, on a page and as CSV."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.export import neutralise
from rooms.errors import (
    StaleVersion,
    StateForbids,
    SuppressionOutOfRange,
    UnknownGroup,
    UnknownRing,
    UnknownRooms,
)
from rooms.services.bulk import Fate, Outcome

_RULES = (
    StaleVersion,
    StateForbids,
    SuppressionOutOfRange,
    UnknownGroup,
    UnknownRing,
    UnknownRooms,
)
_REASONS = {
    "not_found": gettext_lazy("There is no such room here (any more)."),
    "permission_denied": gettext_lazy("You may see this room, but not do that with it."),
    "invalid": gettext_lazy("The values do not fit this room."),
    **{one.code: one.text for one in _RULES},
}


@dataclass(frozen=True)
class Line:
    """The fate of a room, worded."""

    room_id: int
    name: str
    outcome: Outcome
    reason: str


def worded(fates: Sequence[Fate]) -> list[Line]:
    """`fates` in the reader's language."""
    return [Line(one.room_id, one.name, one.outcome, reason_of(one)) for one in fates]


def reason_of(fate: Fate) -> str:
    """Why the room was refused, in the reader's language; empty if it was not."""
    return str(_REASONS.get(fate.code, fate.code))


def counts(fates: Sequence[Fate]) -> dict[str, int]:
    """How many rooms had each outcome, all of them named."""
    found = Counter(one.outcome for one in fates)
    return {outcome.value: found[outcome] for outcome in Outcome}


def result_lines(lines: Sequence[Line]) -> Iterator[bytes]:
    """The result as CSV; texts that a spreadsheet would run are neutralised."""
    writer = csv.writer(_Echo())
    head = [_("Room"), _("Name"), _("Outcome"), _("Details")]
    yield ("\ufeff" + writer.writerow(head)).encode()  # type: ignore[operator]  # the echo's answer, not a count
    for one in lines:
        cells = [one.room_id, *map(neutralise, (one.name, str(one.outcome.label), one.reason))]
        yield writer.writerow(cells).encode()  # type: ignore[attr-defined]


class _Echo:
    """A file that hands back what is written."""

    def write(self, text: str) -> str:
        return text

"""What became of many rooms or tickets, in the reader's language, on a page and as CSV."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.export import neutralise
from rbac.errors import WrongState
from rooms.errors import (
    StaleTicket,
    StaleVersion,
    StateForbids,
    SuppressionOutOfRange,
    SystemTicket,
    TicketOver,
    UnknownGroup,
    UnknownPerson,
    UnknownRing,
    UnknownRooms,
)
from rooms.services.bulk import Fate, Outcome

_RULES = (
    StaleTicket,
    StaleVersion,
    StateForbids,
    SuppressionOutOfRange,
    SystemTicket,
    TicketOver,
    UnknownGroup,
    UnknownPerson,
    UnknownRing,
    UnknownRooms,
    WrongState,
)
_REASONS = {
    "not_found": gettext_lazy("There is nothing like it here (any more)."),
    "permission_denied": gettext_lazy("You may see this, but not do that with it."),
    "step_up_required": gettext_lazy("The customer asks you to sign in again first."),
    "invalid": gettext_lazy("The values do not fit here."),
    **{one.code: one.text for one in _RULES},
}


@dataclass(frozen=True)
class Line:
    """The fate of a room or ticket, worded."""

    target_id: int
    name: str
    outcome: Outcome
    reason: str


def worded(fates: Sequence[Fate]) -> list[Line]:
    """`fates` in the reader's language."""
    return [Line(one.target_id, one.name, one.outcome, reason_of(one)) for one in fates]


def reason_of(fate: Fate) -> str:
    """Why it was refused, in the reader's language; empty if it was not."""
    return str(_REASONS.get(fate.code, fate.code))


def counts(fates: Sequence[Fate]) -> dict[str, int]:
    """How many had each outcome, all of them named."""
    found = Counter(one.outcome for one in fates)
    return {outcome.value: found[outcome] for outcome in Outcome}


def result_lines(lines: Sequence[Line], *, customer: str = "", with_head: bool = True) -> Iterator[bytes]:
    """The result as CSV; texts that a spreadsheet would run are neutralised. `customer` stands first in each line, if it is
    named."""
    writer = csv.writer(_Echo())
    if with_head:
        head = [_("Number") if customer else _("Room"), _("Name"), _("Outcome"), _("Details")]
        of_customer = [_("Customer")] if customer else []
        yield ("\ufeff" + writer.writerow(of_customer + head)).encode()  # type: ignore[operator]  # the echo's answer
    for one in lines:
        cells = [one.target_id, *map(neutralise, (one.name, str(one.outcome.label), one.reason))]
        if customer:
            cells.insert(0, neutralise(customer))
        yield writer.writerow(cells).encode()  # type: ignore[attr-defined]


class _Echo:
    """A file that hands back what is written."""

    def write(self, text: str) -> str:
        return text

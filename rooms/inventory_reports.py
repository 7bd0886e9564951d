"""What an import did, or would do, row by row, and the sentences that tell it to a reader.

Rows are kept as codes and plain values, so that everybody reads them in his own language.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.export import neutralise
from rooms.cells import Problem
from rooms.inventories import Format
from rooms.models import Room


class Outcome(models.TextChoices):
    CREATED = "created", gettext_lazy("New")
    CHANGED = "changed", gettext_lazy("Changed")
    UNCHANGED = "unchanged", gettext_lazy("Unchanged")
    REFUSED = "refused", gettext_lazy("Refused")


# Why a row was refused. Each sentence stands after the name of its field where there is one.
_SENTENCES = {
    "missing": gettext_lazy("This is missing."),
    "upn_character": gettext_lazy("“%(character)s” is not allowed in a user principal name."),
    "upn_blank": gettext_lazy("Blanks are not allowed in a user principal name."),
    "upn_form": gettext_lazy("“%(value)s” is no user principal name."),
    "upn_guest": gettext_lazy("This is a guest account, never a room."),
    "too_long": gettext_lazy("This is longer than %(limit)s characters."),
    "wrong_type": gettext_lazy("“%(value)s” is not the kind of value that belongs here."),
    "out_of_range": gettext_lazy("“%(value)s” is not between %(least)s and %(most)s."),
    "unreadable_character": gettext_lazy("This holds a character that cannot be read (%(character)s)."),
    "unknown_country": gettext_lazy("There is no country called “%(value)s”."),
    "not_a_room": gettext_lazy("“%(value)s” is no room."),
    "duplicate": gettext_lazy("This account stands in row %(row)s already; that row counts."),
    "cells": gettext_lazy("This line has %(count)s cells instead of %(wanted)s."),
    "line_broken": gettext_lazy("This line is broken: its quotation marks do not match."),
    "encoding": gettext_lazy("This line is not in UTF-8."),
    "not_yours": gettext_lazy("There is no room with this account that you may change."),
    "awaits_approval": gettext_lazy("The customer approves such changes: this one has been asked for."),
    "changed_meanwhile": gettext_lazy("This room could not be changed just now. Import the file again."),
}


@dataclass(frozen=True)
class Entry:
    """The fate of one row."""

    number: int
    account: str
    name: str
    outcome: Outcome
    fields: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def reasons(self) -> list[str]:
        """Why it was refused, in the reader's language."""
        return [sentence_of(problem) for problem in self.problems]

    @property
    def field_labels(self) -> list[str]:
        """What changed, in the reader's language."""
        return [label_of(name) for name in self.fields]


@dataclass
class Report:
    """The fate of every row of a file, in its order."""

    format: Format
    entries: list[Entry] = field(default_factory=list)
    has_more: bool = False

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many rows had each outcome, all four named."""
        found = Counter(entry.outcome for entry in self.entries)
        return {outcome: found[outcome] for outcome in Outcome}

    def of(self, outcome: Outcome | None) -> Sequence[Entry]:
        """The entries with `outcome`; all of them if none is given."""
        return self.entries if outcome is None else [one for one in self.entries if one.outcome == outcome]

    def as_data(self) -> dict[str, Any]:
        """Plain values, small: most rows say nothing but their outcome."""
        return {
            "format": self.format.value,
            "has_more": self.has_more,
            "entries": [
                [
                    one.number,
                    one.account,
                    one.name,
                    one.outcome.value,
                    list(one.fields),
                    [[problem.code, problem.params] for problem in one.problems],
                ]
                for one in self.entries
            ],
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Report":
        return cls(
            Format(data["format"]),
            [
                Entry(number, account, name, Outcome(outcome), tuple(fields), tuple(Problem(*one) for one in problems))
                for number, account, name, outcome, fields, problems in data["entries"]
            ],
            data["has_more"],
        )


def sentence_of(problem: Problem) -> str:
    """Why a row was refused, as one sentence in the reader's language."""
    sentence = _SENTENCES.get(problem.code)
    text = str(sentence) % problem.params if sentence is not None else problem.code
    name = problem.params.get("field")
    return _("%(field)s: %(sentence)s") % {"field": label_of(name), "sentence": text} if name else text


def label_of(name: str) -> str:
    """The name of a field in the reader's language."""
    return capfirst(str(Room._meta.get_field(name).verbose_name))


def report_lines(report: Report) -> Iterator[bytes]:
    """The report as CSV in the reader's language; texts that a spreadsheet would run are neutralised."""
    writer = csv.writer(_Echo())
    head = [_("Row"), _("Resource account"), _("Name"), _("Outcome"), _("Details")]
    yield ("\ufeff" + writer.writerow(head)).encode()  # type: ignore[operator]  # the echo's answer, not a count
    for one in report.entries:
        details = "; ".join([*one.field_labels, *one.reasons])
        cells = [one.number, *map(neutralise, (one.account, one.name, str(one.outcome.label), details))]
        yield writer.writerow(cells).encode()  # type: ignore[attr-defined]


class _Echo:
    """A file that hands back what is written."""

    def write(self, text: str) -> str:
        return text

"""Pages of the log, newest first: the place is a line's (time, id), compared as one value, so any depth costs the same.

Small and its own, because the portal's keyset paging stands above this app.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import BadRequest
from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from audit.models import AuditEvent

SIZE = 50
_KEY = Tuple(F("at"), F("id"))
_MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class Page:
    """Some lines, and the places to go on from: `newer` before them, `older` after them, empty where there is nothing."""

    events: list[AuditEvent]
    newer: str = ""
    older: str = ""


def page(events: QuerySet[AuditEvent], *, newer_than: str = "", older_than: str = "") -> Page:
    """At most SIZE of `events`: the newest, or those next to a place. Raises BadRequest for a place that is none."""
    if newer_than:
        found = list(events.filter(TupleGreaterThan(_KEY, _read(newer_than))).order_by("at", "id")[: SIZE + 1])
        shown = found[:SIZE][::-1]
        return Page(shown, _place(shown[0]) if len(found) > SIZE else "", _place(shown[-1])) if shown else page(events)
    if older_than:
        events = events.filter(TupleLessThan(_KEY, _read(older_than)))
    found = list(events.order_by("-at", "-id")[: SIZE + 1])
    shown = found[:SIZE]
    return Page(
        shown,
        _place(shown[0]) if older_than and shown else "",
        _place(shown[-1]) if len(found) > SIZE else "",
    )


def _place(event: AuditEvent) -> str:
    return f"{event.at.isoformat()}_{event.pk}"


def _read(place: str) -> tuple[datetime, int]:
    moment, _, number = place.partition("_")
    try:
        at, pk = datetime.fromisoformat(moment), int(number)
    except ValueError as error:
        raise BadRequest("not a place in the log") from error
    if at.tzinfo is None or not 0 <= pk <= _MAX_ID:
        raise BadRequest("not a place in the log")
    return at, pk

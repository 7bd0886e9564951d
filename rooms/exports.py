"""Rooms and tickets as CSV, line by line, for spreadsheets and other tools."""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, F, OuterRef, QuerySet, Value, When

from audit.export import neutralise
from rooms.models import Room, Ticket, state_now

COLUMNS = (
    "display_name",
    "resource_account",
    "state",
    "health",
    "country",
    "region",
    "city",
    "street",
    "postal_code",
    "campus",
    "building",
    "floor",
    "floor_label",
    "label",
    "capacity",
    "latitude",
    "longitude",
    "time_zone",
    "phone",
    "is_wheelchair_accessible",
    "tags",
    "audio_device",
    "video_device",
    "display_device",
    "host_name",
    "serial_number",
    "app_version",
    "os_version",
    "last_seen_at",
    "ring",
)
# What stands in the columns: the state as it is now, and the name of the ring.
_READ = tuple({"state": "state_now", "ring": "ring_name"}.get(name, name) for name in COLUMNS)
TICKET_COLUMNS = (
    "id",
    "kind",
    "state",
    "severity",
    "is_high_impact",
    "signal_category",
    "title",
    "rooms",
    "opened_by",
    "opened_by_organisation",
    "assigned_upn",
    "opened_at",
    "touched_at",
    "closed_at",
    "closing_reason",
    "closing_note",
)
CUSTOMER = "customer"
_SLICE = 2_000  # rows fetched at once
_BOM = "\ufeff"  # without it spreadsheets take UTF-8 for something else


class _Echo:
    """A file that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def room_lines(rooms: QuerySet[Room], with_ring: QuerySet[Room], *, with_customer: bool = False) -> Iterator[bytes]:
    """The CSV of `rooms` in their order, head first; memory stays flat however many there are.

    The ring stands beside those `with_ring` only: the rooms whose ring the reader may see. `with_customer` names the
    customer of each in a column of its own, the first.

    A text that a spreadsheet would run as a formula is neutralised; a number stays a number.
    """
    known = Case(When(pk__in=with_ring.values("pk"), then=F("ring__name")), default=Value(""))
    shown = rooms.annotate(state_now=state_now(), ring_name=known)
    if with_customer:
        return csv_lines((CUSTOMER, *COLUMNS), shown.values_list("tenant__name", *_READ))
    return csv_lines(COLUMNS, shown.values_list(*_READ))


def ticket_lines(tickets: QuerySet[Ticket], rooms: QuerySet[Room], *, with_customer: bool = False) -> Iterator[bytes]:
    """The CSV of `tickets` in their order, each with the names of its rooms among `rooms`, those the reader sees.

    `with_customer` as for rooms.
    """
    names = rooms.filter(tickets__ticket=OuterRef("pk")).order_by("display_name", "pk").values("display_name")
    found = tickets.annotate(rooms=ArraySubquery(names))
    if with_customer:
        return csv_lines((CUSTOMER, *TICKET_COLUMNS), found.values_list("tenant__name", *TICKET_COLUMNS))
    return csv_lines(TICKET_COLUMNS, found.values_list(*TICKET_COLUMNS))


def csv_lines(head: Sequence[str], rows: QuerySet[Any]) -> Iterator[bytes]:
    """The CSV of `rows` (tuples) below `head`; moments in UTC."""
    writer = csv.writer(_Echo())
    yield (_BOM + writer.writerow(head)).encode()  # type: ignore[operator]  # the echo's answer, not a count
    for row in rows.iterator(chunk_size=_SLICE):
        yield writer.writerow([_cell(value) for value in row]).encode()  # type: ignore[attr-defined]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, list):
        value = ", ".join(value)
    return neutralise(value) if isinstance(value, str) else value

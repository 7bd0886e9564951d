"""The whole log as a file: every category, with what changed, who approved it, through which relationship, from where.

Beside the published eight columns (export.py). CSV for spreadsheets, JSON lines for programs; oldest first, in slices
along the index (tenant, time, id), so that memory stays flat and no statement runs for long.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan

from audit.export import neutralise
from audit.models import AuditEvent

# Name in the file -> field. Place of a line in its chain: (seq, position), as `manage.py verify_audit` names it.
COLUMNS = {
    "time": "at",
    "category": "category",
    "operation": "operation",
    "object": "object_name",
    "result": "result",
    "code": "code",
    "user": "user_id",
    "user_tenant_id": "user_tenant_id",
    "relationship_id": "relationship_id",
    "approver": "approver",
    "request_id": "request_id",
    "ip": "ip",
    "before": "before",
    "after": "after",
    "seq": "seq",
    "position": "position",
}
SLICE = 2_000  # lines; with before and after some megabytes
Row = dict[str, Any]


def csv_lines(events: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """`events` as CSV, head first; what a spreadsheet would run as a formula is neutralised, times are ISO 8601 in UTC."""
    yield (",".join(COLUMNS) + "\n").encode()
    for rows in _slices(events):
        buffer = io.StringIO(newline="")
        csv.writer(buffer, lineterminator="\n").writerows([_cell(value) for value in row.values()] for row in rows)
        yield buffer.getvalue().encode()


def json_lines(events: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """`events` as JSON, an object a line; nothing is changed in it."""
    for rows in _slices(events):
        yield "".join(f"{json.dumps(row, ensure_ascii=False, default=_plain)}\n" for row in rows).encode()


FORMATS: dict[str, tuple[Callable[[QuerySet[AuditEvent]], Iterator[bytes]], str]] = {
    "csv": (csv_lines, "text/csv; charset=utf-8"),
    "jsonl": (json_lines, "application/jsonl; charset=utf-8"),
}


def _slices(events: QuerySet[AuditEvent]) -> Iterator[list[Row]]:
    key, place = Tuple(F("at"), F("id")), None
    while True:
        following = events if place is None else events.filter(TupleGreaterThan(key, place))
        found = list(following.order_by("at", "id").values("id", *COLUMNS.values())[:SLICE])
        yield [{name: row[field] for name, field in COLUMNS.items()} for row in found]
        if len(found) < SLICE:
            return
        place = (found[-1]["at"], found[-1]["id"])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=_plain)
    return neutralise(value if isinstance(value, str) else str(_plain(value)))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value)

"""The audit log as a file: eight columns, oldest first, in one pass that holds no more than one slice.

PostgreSQL writes the CSV itself (COPY), slice after slice along the index (tenant, time, id). So no statement runs for
long, however many lines there are and however slowly the reader takes them, and memory stays flat.
"""

import io
import re
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import connection

from audit.models import PUBLISHED_CATEGORIES

COLUMNS = (
    "activity.category",
    "activity.objectName",
    "activity.operation",
    "activity.resultStatus",
    "activity.tenantId",
    "creationTime",
    "user.userId",
    "user.userTenantId",
)
SLICE = 10_000  # lines; about 2 MB

# Spreadsheets skip blanks, control and invisible format characters before they look for a formula. The same class is
# read by Python and by PostgreSQL, which never holds NUL.
_SKIPPED = "\x01-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
_STARTS = "=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b-"
_FORMULA = f"^[{_SKIPPED}]*[{_STARTS}]"
_IS_FORMULA = re.compile(_FORMULA.replace("\x01", "\x00"))


def neutralise(text: str) -> str:
    """`text` as a spreadsheet cell that is shown, never run: an apostrophe comes before what looks like a formula."""
    return f"'{text}" if _IS_FORMULA.match(text) else text


def lines(tenant_id: UUID, since: datetime, before: datetime) -> Iterator[bytes]:
    """The tenant's published lines with `since` <= time < `before` as CSV, head first, in pieces of some size."""
    yield (",".join(COLUMNS) + "\n").encode()
    place = (since, 0)
    while (end := _end_of_slice(tenant_id, place, before)) is not None:
        yield _copy(tenant_id, place, "(at, id) <= (%s, %s)", end)
        place = end
    yield _copy(tenant_id, place, "at < %s", (before,))


def _end_of_slice(tenant_id: UUID, place: tuple[datetime, int], before: datetime) -> tuple[datetime, int] | None:
    """The place of the last line of the slice after `place`; None if no whole slice is left."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at, id FROM audit_auditevent WHERE tenant_id = %s AND (at, id) > (%s, %s) AND at < %s"
            " ORDER BY at, id OFFSET %s LIMIT 1",
            [tenant_id, *place, before, SLICE - 1],
        )
        return cursor.fetchone()


def _copy(tenant_id: UUID, place: tuple[datetime, int], until: str, end: tuple[object, ...]) -> bytes:
    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        query = cursor.mogrify(
            _COPY.replace("{until}", until),
            [_FORMULA, _FORMULA, tenant_id, [str(category) for category in PUBLISHED_CATEGORIES], *place, *end],
        )
        cursor.copy_expert(query, buffer, 1 << 16)
    return buffer.getvalue()


def _neutral(column: str) -> str:
    """SQL for `neutralise(column)`; what begins with a letter is let through before the dearer pattern is tried."""
    starts_with_letter = f"""{column} COLLATE "C" BETWEEN 'A' AND '~'"""
    return f"CASE WHEN {starts_with_letter} THEN {column} WHEN {column} ~ %s THEN '''' || {column} ELSE {column} END"


_COPY = f"""
COPY (
    SELECT category, {_neutral("object_name")}, operation, result, tenant_id,
        to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), {_neutral("user_id")}, user_tenant_id
    FROM audit_auditevent
    WHERE tenant_id = %s AND category = ANY(%s) AND (at, id) > (%s, %s) AND {{until}}
    ORDER BY at, id
) TO STDOUT (FORMAT csv, ENCODING 'UTF8')
"""  # noqa: S608 - names of columns, no values

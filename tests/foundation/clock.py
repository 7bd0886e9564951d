"""The database's clock, which decides what is due; Python's own, which time machines move, decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

REAL = "statement_timestamp()"


class Clock:
    """`trm_now()` of this worker's database, moved by an offset that holds for every session at once."""

    def __init__(self, owner: Connection) -> None:
        self._owner = owner
        self._offset = timedelta()
        with owner.cursor() as cursor:
            cursor.execute("SELECT pg_get_functiondef('trm_now()'::regprocedure)")
            self._definition: str = cursor.fetchone()[0]
        assert self._definition.count(REAL) == 1, "trm_now() is expected to answer statement_timestamp()"

    def move(self, by: timedelta) -> None:
        """Afterwards the database's clock is later (earlier, if negative) by that much than it was before."""
        self._offset += by
        moved = f"({REAL} + interval '{self._offset.total_seconds()} seconds')"
        self._define(self._definition.replace(REAL, moved))

    def now(self) -> datetime:
        """What the database takes for now."""
        with self._owner.cursor() as cursor:
            cursor.execute("SELECT trm_now()")
            return cursor.fetchone()[0]

    def restore(self) -> None:
        """Afterwards the database's clock is right again."""
        self._offset = timedelta()
        self._define(self._definition)

    def _define(self, definition: str) -> None:
        with self._owner.cursor() as cursor:
            cursor.execute(definition)


@pytest.fixture
def clock(owner_connection: Connection) -> Iterator[Clock]:
    """The database's clock; right again after the test."""
    moved = Clock(owner_connection)
    yield moved
    moved.restore()

"""The database's clock, which decides what is due; Python's own, which time machines move, decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection as app_connection
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

REAL = "statement_timestamp()"
MOVED = f"({REAL} + (SELECT moved FROM trm_test_clock))"
# A table rather than a function with the offset in it: a session learns of a new function only when its transaction
# ends or takes a new lock, and a test is one long transaction; of a row it learns with its next statement.
SET_UP = """
    DROP TABLE IF EXISTS trm_test_clock;
    CREATE TABLE trm_test_clock (moved interval NOT NULL);
    INSERT INTO trm_test_clock VALUES (interval '0')
"""


class Clock:
    """`trm_now()` of this worker's database, moved by an offset that holds for every session at once."""

    def __init__(self, owner: Connection) -> None:
        self._owner = owner
        (self._definition,) = self._ask("SELECT pg_get_functiondef('trm_now()'::regprocedure)")
        assert self._definition.count(REAL) == 1, "trm_now() is expected to answer statement_timestamp()"
        self._run(SET_UP)
        self._run(self._definition.replace(REAL, MOVED))
        if app_connection.in_atomic_block:
            with app_connection.cursor() as cursor:
                cursor.execute("SELECT FROM trm_test_clock")  # a new lock: the session learns of the new function

    def move(self, by: timedelta) -> None:
        """Afterwards the database's clock is later (earlier, if negative) by that much than it was before."""
        self._run("UPDATE trm_test_clock SET moved = moved + %s", by)

    def now(self) -> datetime:
        """What the database takes for now."""
        return self._ask("SELECT trm_now()")[0]

    def restore(self) -> None:
        """Afterwards the database's clock is right again."""
        self._run("UPDATE trm_test_clock SET moved = interval '0'")

    def end(self) -> None:
        """Afterwards `trm_now()` is again what the migrations made it."""
        self.restore()
        self._run(self._definition)

    def _run(self, statement: str, *values: object) -> None:
        with self._owner.cursor() as cursor:
            cursor.execute(statement, values or None)

    def _ask(self, statement: str) -> tuple:
        with self._owner.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()


@pytest.fixture
def clock(owner_connection: Connection) -> Iterator[Clock]:
    """The database's clock; right again after the test."""
    moved = Clock(owner_connection)
    yield moved
    moved.end()

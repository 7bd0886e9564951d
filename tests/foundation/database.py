"""A database for each worker: one template, migrated once as its owner, then copied.

Tests connect as the app's role, so that a privilege that is missing shows. Tests that need real commits get
`committed_db`, which empties the tables over a connection of the owner.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

import psycopg2
import pytest
from django.db import connections
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from pytest_django import DjangoDbBlocker

from tests.foundation.run import Run, alone
from trm_portal.development.roles import DatabaseUrls, connected, database_of, grant
from trm_portal.development.state import PROJECT

USER_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
REFERENCES = """
    SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND conrelid <> confrelid
"""
# Triggers in the way: those that refuse to empty a table, and those of tables whose rows are put back.
TRIGGERS_IN_THE_WAY = """
    SELECT relname, tgname, tgenabled FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal AND tgenabled <> 'D' AND relnamespace = 'public'::regnamespace
        AND ((tgtype::int & 32) <> 0 OR relname = ANY(%s))
"""
ENABLE = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}
OWN_SEQUENCES = """
    SELECT seq.relname, tab.relname FROM pg_class seq
    JOIN pg_depend dep ON dep.objid = seq.oid AND dep.deptype IN ('a', 'i')
    JOIN pg_class tab ON tab.oid = dep.refobjid
    WHERE seq.relkind = 'S' AND tab.relnamespace = 'public'::regnamespace
"""
WAIT_FOR_LOCK = "10s"


class TemplateError(Exception):
    """The migrations don't run."""


def make_worker_database(run: Run) -> WorkerDatabase:
    """Afterwards this worker's database exists, a fresh copy of the template, which is migrated if nobody did so yet.

    Raises TemplateError with the output of `migrate` if that fails.
    """
    with alone(run.folder / "template.lock"):
        _make_template(run)
    urls = run.worker_urls()
    with connected(run.owner_url) as connection:
        copy_database(connection, run.template(), database_of(urls.owner))
    return WorkerDatabase(urls)


def copy_database(connection: Connection, template: str, name: str) -> None:
    """Afterwards `name` is a copy of `template`, whatever it was before."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def _make_template(run: Run) -> None:
    done, failed = run.folder / "template.done", run.folder / "template.failed"
    if failed.exists():
        raise TemplateError(failed.read_text())
    if done.exists():
        return
    urls = run.urls.of(run.template())
    with connected(run.owner_url) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(run.template())))
    grant(urls)
    migrated = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0", "--skip-checks"],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner},
        capture_output=True,
        text=True,
        check=False,
    )
    if migrated.returncode:
        failed.write_text(f"manage.py migrate failed:\n{migrated.stdout}{migrated.stderr}")
        raise TemplateError(failed.read_text())
    done.touch()


@dataclass
class WorkerDatabase:
    """The database of this worker, and how to bring it back to what the migrations made of it."""

    urls: DatabaseUrls
    tables: list[str] = field(init=False)
    catalogue: dict[str, str] = field(init=False)
    rows: dict[str, str] = field(init=False)
    sequences: dict[str, tuple[int, bool]] = field(init=False)

    def __post_init__(self) -> None:
        with connected(self.urls.owner) as connection, connection.cursor() as cursor:
            cursor.execute(USER_TABLES)
            self.tables = [name for (name,) in cursor.fetchall()]
            filled = _filled(cursor, self.tables)
            self.catalogue = _fingerprints(cursor, filled)
            self.rows = {table: _copy_out(cursor, table) for table in filled}
            self.sequences = _sequences_of(cursor, filled)

    def empty(self) -> None:
        """Afterwards every table holds what the migrations put there, and nothing else.

        Raises AssertionError naming the sessions in the way if a test left a transaction open.
        """
        with connected(self.urls.owner) as connection, connection.cursor() as cursor:
            changed = self._changed(cursor)
            if not changed:
                return
            connection.autocommit = False
            cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_FOR_LOCK}'")
            try:
                self._restore(cursor, changed)
            except psycopg2.errors.LockNotAvailable as error:
                connection.rollback()
                raise AssertionError(f"The test left sessions that hold locks:\n{_sessions(cursor)}") from error
            connection.commit()

    def _changed(self, cursor: Cursor) -> list[str]:
        now = _fingerprints(cursor, list(self.catalogue))
        catalogue = [table for table in self.catalogue if now[table] != self.catalogue[table]]
        return catalogue + _filled(cursor, [table for table in self.tables if table not in self.catalogue])

    def _restore(self, cursor: Cursor, changed: list[str]) -> None:
        cursor.execute(TRIGGERS_IN_THE_WAY, [list(self.catalogue)])
        triggers = cursor.fetchall()
        for table, trigger, _ in triggers:
            cursor.execute(_alter_trigger(table, "DISABLE", trigger))
        cursor.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(_names(changed)))
        now = _fingerprints(cursor, list(self.catalogue))
        for table in _referenced_first(cursor, list(self.catalogue)):
            if now[table] != self.catalogue[table]:
                _copy_in(cursor, table, self.rows[table])
        for sequence, (value, was_called) in self.sequences.items():
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", [f'"{sequence}"', value, was_called])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # triggers that are due can't wait while a table is altered
        for table, trigger, enabled in triggers:
            cursor.execute(_alter_trigger(table, ENABLE[enabled], trigger))


def _names(tables: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table) for table in tables)


def _alter_trigger(table: str, change: str, trigger: str) -> sql.Composed:
    return sql.SQL(f"ALTER TABLE {{}} {change} TRIGGER {{}}").format(sql.Identifier(table), sql.Identifier(trigger))


def _filled(cursor: Cursor, tables: list[str]) -> list[str]:
    """Those of the tables that have a row."""
    if not tables:
        return []
    asked = [
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table), sql.Identifier(table))
        for table in tables
    ]
    cursor.execute(sql.SQL(" UNION ALL ").join(asked))
    return [name for (name,) in cursor.fetchall()]


def _fingerprints(cursor: Cursor, tables: list[str]) -> dict[str, str]:
    """The content of each table, as a digest; '' of an empty one."""
    if not tables:
        return {}
    asked = [
        sql.SQL("SELECT {}, coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM {} t").format(
            sql.Literal(table), sql.Identifier(table)
        )
        for table in tables
    ]
    cursor.execute(sql.SQL(" UNION ALL ").join(asked))
    return dict(cursor.fetchall())


def _copy_out(cursor: Cursor, table: str) -> str:
    buffer = io.StringIO()
    cursor.copy_expert(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table)), buffer)
    return buffer.getvalue()


def _copy_in(cursor: Cursor, table: str, rows: str) -> None:
    cursor.copy_expert(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table)), io.StringIO(rows))


def _sequences_of(cursor: Cursor, tables: list[str]) -> dict[str, tuple[int, bool]]:
    cursor.execute(OWN_SEQUENCES)
    values = {}
    for sequence, table in cursor.fetchall():
        if table in tables:
            cursor.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence)))
            values[sequence] = cursor.fetchone()
    return values


def _referenced_first(cursor: Cursor, tables: list[str]) -> list[str]:
    cursor.execute(REFERENCES)
    graph: dict[str, set[str]] = {table: set() for table in tables}
    for table, referenced in cursor.fetchall():
        if table in graph and referenced in graph:
            graph[table].add(referenced)
    return list(TopologicalSorter(graph).static_order())


def _sessions(cursor: Cursor) -> str:
    cursor.execute(
        "SELECT DISTINCT pid, usename, relation::regclass, mode FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND relation >= 16384 ORDER BY 1, 3"
    )
    return "\n".join(" | ".join(str(value) for value in row) for row in cursor.fetchall())


@pytest.fixture(scope="session")
def worker_database(django_test_environment: None) -> WorkerDatabase:
    """This worker's database, migrated."""
    return make_worker_database(Run.current())


@pytest.fixture(scope="session")
def django_db_setup(worker_database: WorkerDatabase) -> None:
    """Takes the place of pytest-django's: the settings name this worker's database already."""


@pytest.fixture
def owner_connection(worker_database: WorkerDatabase) -> Iterator[Connection]:
    """A connection as the owner, every statement its own transaction."""
    with connected(worker_database.urls.owner) as connection:
        yield connection


@pytest.fixture
def committed_db(
    request: pytest.FixtureRequest, worker_database: WorkerDatabase, django_db_blocker: DjangoDbBlocker
) -> Iterator[WorkerDatabase]:
    """The database with real commits, for races and processes; emptied afterwards.

    Threads that use the ORM close their own connections: `connection.close()`.
    """
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        pytest.fail("committed_db is for tests without django_db: that one wraps the test in a transaction.", False)
    with django_db_blocker.unblock():
        try:
            yield worker_database
        finally:
            connections.close_all()
            worker_database.empty()

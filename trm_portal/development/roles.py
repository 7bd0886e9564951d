"""The two roles at the database: the owner migrates, the app serves and can't change the schema.

They are made here, once, or by the server's administrator; never by a migration.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from trm_portal.development.errors import SetUpError

OWNER, APP = "trm_owner", "trm_app"
OLDEST_VERSION = 150000  # before, everybody could create tables in the schema `public`

BY_ADMINISTRATOR = """{why}
Let the server's administrator run this once, with passwords of your own:

    CREATE ROLE {owner} LOGIN CREATEDB PASSWORD '...';
    CREATE ROLE {app} LOGIN PASSWORD '...';
    CREATE DATABASE {database} OWNER {owner};

and start again with

    DATABASE_OWNER_URL={owner_url}
    DATABASE_URL={app_url}"""

GRANTS = (
    "GRANT CONNECT ON DATABASE {database} TO {app}",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO {app}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app}",
)


@dataclass(frozen=True)
class DatabaseUrls:
    """One database, as the app reaches it and as its owner does."""

    app: str
    owner: str

    def of(self, database: str) -> DatabaseUrls:
        """The same roles at another database of the same server."""
        return DatabaseUrls(*(_at(url, urlsplit(url).netloc, database) for url in (self.app, self.owner)))


@dataclass(frozen=True)
class Passwords:
    """The roles' passwords; empty where the server asks for none."""

    app: str = ""
    owner: str = ""


def database_of(url: str) -> str:
    """The name of the database that this address names."""
    return urlsplit(url).path.lstrip("/")


def for_role(url: str, role: str, password: str, database: str) -> str:
    """The same server and options, for another role and database."""
    place = urlsplit(url).netloc.rpartition("@")[2]
    login = f"{role}:{quote(password, safe='')}" if password else role
    return _at(url, f"{login}@{place}", database)


@contextlib.contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection on which every statement is its own transaction.

    Raises SetUpError with the server's words if it can't be reached.
    """
    try:
        connection = psycopg2.connect(url)
    except psycopg2.OperationalError as error:
        raise SetUpError(f"The database can't be reached: {str(error).strip()}") from error
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


def urls_of(url: str, database: str, passwords: Passwords) -> DatabaseUrls:
    """That database at the server that `url` names, for both roles."""
    return DatabaseUrls(for_role(url, APP, passwords.app, database), for_role(url, OWNER, passwords.owner, database))


def make_roles(url: str, urls: DatabaseUrls, passwords: Passwords) -> None:
    """Afterwards both roles and the database exist; `url` names a role that may create them.

    What is there already is left as it is. Raises SetUpError with the statements to run if that role may not, or if a
    role that is there has another password than ours.
    """
    database = database_of(urls.owner)
    with connected(DatabaseUrls(url, url).of("postgres").owner) as connection, connection.cursor() as cursor:
        try:
            _make_role(cursor, OWNER, "LOGIN CREATEDB", passwords.owner)
            _make_role(cursor, APP, "LOGIN", passwords.app)
            _make_database(cursor, database)
        except errors.InsufficientPrivilege as error:
            raise needs_administrator(url, database, f"The database server says: {str(error).strip()}") from error
    for role_url in (urls.app, urls.owner):
        try:
            psycopg2.connect(role_url).close()
        except psycopg2.OperationalError as error:
            why = f"A role of the portal is there already, but can't be used: {str(error).strip()}"
            raise needs_administrator(url, database, why) from error


def grant(urls: DatabaseUrls) -> None:
    """Afterwards the app may read and write what the owner makes from now on, and can't create anything.

    Raises SetUpError if the server is too old, or if the app's role could change the schema all the same.
    """
    names = {"owner": OWNER, "app": APP, "database": database_of(urls.owner)}
    with connected(urls.app) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        names["app"] = cursor.fetchone()[0]
    with connected(urls.owner) as connection, connection.cursor() as cursor:
        if connection.server_version < OLDEST_VERSION:
            raise SetUpError(f"PostgreSQL 15 or newer is needed; this one is {connection.server_version // 10000}.")
        cursor.execute("SELECT current_user")
        names["owner"] = cursor.fetchone()[0]
        identifiers = {name: sql.Identifier(value) for name, value in names.items()}
        for statement in GRANTS:
            cursor.execute(sql.SQL(statement).format(**identifiers))
        cursor.execute(
            "SELECT has_schema_privilege(%s, 'public', 'CREATE') OR pg_has_role(%s, %s, 'MEMBER')",
            [names["app"], names["app"], names["owner"]],
        )
        if cursor.fetchone()[0]:
            raise SetUpError(
                f"DATABASE_URL's role {names['app']} may change the schema: it has to be a plain role,"
                f" neither a superuser nor a member of {names['owner']}."
            )


def needs_administrator(url: str, database: str, why: str) -> SetUpError:
    """The error that tells what only the server's administrator can do."""
    return SetUpError(
        BY_ADMINISTRATOR.format(
            why=why,
            owner=OWNER,
            app=APP,
            database=database,
            owner_url=for_role(url, OWNER, "...", database),
            app_url=for_role(url, APP, "...", database),
        )
    )


def _at(url: str, netloc: str, database: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{netloc}/{database}{'?' if parts.query else ''}{parts.query}"


def _make_role(cursor: psycopg2.extensions.cursor, name: str, rights: str, password: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
    if cursor.fetchone():
        return
    statement = sql.SQL(f"CREATE ROLE {{}} {rights}").format(sql.Identifier(name))
    if password:
        statement += sql.SQL(" PASSWORD {}").format(sql.Literal(password))
    cursor.execute(statement)


def _make_database(cursor: psycopg2.extensions.cursor, name: str) -> None:
    cursor.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [name])
    found = cursor.fetchone()
    if found is None:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
        cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
    elif found[0] != OWNER:
        raise SetUpError(
            f"The database {name} belongs to {found[0]}. Name one that does not exist yet, or run\n"
            f"    ALTER DATABASE {name} OWNER TO {OWNER};"
        )

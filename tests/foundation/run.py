"""One run of the tests: its folder, its servers, and what each parallel worker has of its own.

The process that was started first holds the servers; the workers that pytest-xdist starts find them by an environment
variable. What a run that was killed left behind is ended and removed by the next one.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from trm_portal.development import processes
from trm_portal.development.errors import SetUpError
from trm_portal.development.roles import DatabaseUrls, connected
from trm_portal.development.servers import Servers
from trm_portal.development.state import PROJECT, AlreadyRunningError, StateFolder, write_privately
from trm_portal.development.translations import compile_translations

RUNS = PROJECT / ".state" / "test"
JOINED = "TRM_TEST_RUN"
DATABASES_OF_OTHERS = 16  # what a broker that we did not start has, unless somebody changed it
BROKERS = ("redis", "rediss", "redis+socket")
NOBODY_LISTENS = 9  # the port "discard"

SETTINGS = {
    "SECRET_KEY": "a key for tests, used nowhere else, long enough for the checks",
    "INVITATION_LINK_KEY": "another key for tests, used nowhere else, long enough",
    "ENROLLMENT_KEY_SECRETS": "a third key for tests that is used nowhere else and long enough",
    "PUBLIC_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "EMAIL_URL": f"smtp://127.0.0.1:{NOBODY_LISTENS}",
    "SECURE": "false",
    "DEBUG": "false",
    "DEMO": "false",
    "LOCAL_SIGN_IN": "true",
    "SUPPORT_SECOND_FACTOR": "false",  # its own tests switch it on
    "PLAIN_STATIC": "true",
    "CONN_MAX_AGE": "0",
    "DJANGO_SETTINGS_MODULE": "trm_portal.settings",
}


@dataclass(frozen=True)
class Run:
    """What every process of one run knows."""

    name: str
    state: str
    app_url: str
    owner_url: str
    broker_url: str
    owns_broker: bool
    owns_database: bool

    @classmethod
    @functools.cache
    def current(cls) -> Run:
        """The run that this process belongs to; the first process begins it. Raises SetUpError if it can't."""
        joined = os.environ.get(JOINED)
        return cls(**json.loads(joined)) if joined else _begin()

    @property
    def urls(self) -> DatabaseUrls:
        return DatabaseUrls(self.app_url, self.owner_url)

    @property
    def folder(self) -> Path:
        return Path(self.state)

    def template(self) -> str:
        """The name of the database that is migrated once and then copied."""
        return f"{self.name}_template"

    def worker_urls(self) -> DatabaseUrls:
        """This worker's own database."""
        return self.urls.of(f"{self.name}_{worker()}")

    def worker_broker_url(self) -> str:
        """This worker's own part of the broker: a database number, counted from the top at a broker of others."""
        number = worker_number() if self.owns_broker else DATABASES_OF_OTHERS - 1 - worker_number()
        parts = urlsplit(self.broker_url)
        if parts.scheme == "redis+socket":
            return f"{parts.scheme}://{parts.path}?virtual_host={number}"
        return parts._replace(path=f"/{number}").geturl()

    def enter(self) -> None:
        """Afterwards the environment is what the settings, and every process started from here, shall see."""
        urls = self.worker_urls()
        os.environ.update(SETTINGS)
        os.environ.update(
            {
                JOINED: json.dumps(asdict(self)),
                "DATABASE_URL": urls.app,
                "DATABASE_OWNER_URL": urls.owner,
                "CELERY_BROKER_URL": self.worker_broker_url(),
                "ATTACHMENTS_ROOT": str(self.folder / f"attachments_{worker()}"),
            }
        )
        os.environ.pop("REDIS_URL", None)

    def description(self) -> str:
        """What a person wants to know about the servers."""
        database = "embedded" if self.owns_database else "given"
        broker = "embedded" if self.owns_broker else "given"
        return f"PostgreSQL: {database}, {urlsplit(self.urls.owner).query or self.name}; broker: {broker}"


def worker() -> str:
    """The name of this worker among those that run at the same time."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def worker_number() -> int:
    """The number of this worker, from 0."""
    return int(worker().removeprefix("gw")) if worker() != "main" else 0


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold this file, so that no other process of ours does the same work at the same time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _begin() -> Run:
    RUNS.mkdir(parents=True, exist_ok=True)
    name = f"trm_test_{uuid.uuid4().hex[:8]}"
    with alone(RUNS / "lock"):
        for folder in RUNS.glob("trm_test_*"):
            _remove_dead(folder)
        state = StateFolder(RUNS / name)
        state.hold()
    compile_translations()
    servers = Servers(state, os.environ, durable=False)
    try:
        if urlsplit(servers.broker_url).scheme not in BROKERS:
            raise SetUpError(f"The tests need Valkey or Redis as a broker, not {servers.broker_url.partition(':')[0]}.")
        servers.start()
    except BaseException:
        _finish(state, servers, None)
        raise
    run = Run(
        name=name,
        state=str(state.path),
        app_url=servers.urls.app,
        owner_url=servers.urls.owner,
        broker_url=servers.broker_url,
        owns_broker=servers.valkey is not None,
        owns_database=servers.postgres is not None,
    )
    if not run.owns_database:
        write_privately(state.path / "given.json", json.dumps({"owner_url": run.owner_url}))
    atexit.register(_finish, state, servers, None if run.owns_database else run.owner_url)
    return run


def _finish(state: StateFolder, servers: Servers, owner_url: str | None) -> None:
    if owner_url is not None:
        _drop_databases(owner_url, state.path.name)
    servers.stop()
    _remove(state, servers)


def _remove_dead(folder: Path) -> None:
    """End and remove what a killed run left behind; leave alone what still runs."""
    state = StateFolder(folder)
    try:
        state.hold()
    except AlreadyRunningError:
        return
    processes.end_leftovers(state)
    given = folder / "given.json"
    if given.exists():
        _drop_databases(json.loads(given.read_text())["owner_url"], folder.name)
    _remove(state, Servers(state, {}, durable=False))


def _remove(state: StateFolder, servers: Servers) -> None:
    if servers.postgres is not None:
        servers.postgres.remove_data()
    servers.stop()  # removes the folders of the sockets
    shutil.rmtree(state.path, ignore_errors=True)
    state.release()


def _drop_databases(owner_url: str, run: str) -> None:
    with connected(owner_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"{run}_"])
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')

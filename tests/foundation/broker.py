"""A real broker: this worker's own part of the shared one, or one that a test may stop and start."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import pools

from tests.foundation.run import Run
from trm_portal.celery import app
from trm_portal.development.state import StateFolder
from trm_portal.development.valkey import Valkey


@pytest.fixture(scope="session")
def worker_broker_url() -> str:
    """This worker's part of the broker. Somebody else's messages are never emptied: they end the run."""
    run = Run.current()
    url = run.worker_broker_url()
    with _connected(url) as connection:
        if not run.owns_broker and connection.dbsize():
            pytest.exit(f"{url} is not empty, and the tests would empty it: name another broker.", returncode=2)
    return url


@pytest.fixture
def broker_url(worker_broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """This worker's part of the broker, empty; what the test's own code and the portal's processes send to."""
    _empty(worker_broker_url)
    _send_to(worker_broker_url, monkeypatch)
    yield worker_broker_url
    _forget_connections()
    _empty(worker_broker_url)


class Broker:
    """A broker of its own, that may be out of order. What it held is lost when it stops."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self.url = valkey.broker_url()

    def start(self) -> None:
        """Afterwards it answers, with nothing in it."""
        self._valkey.start()

    def stop(self) -> None:
        """Afterwards connections are refused."""
        self._valkey.stop()

    def hang(self) -> None:
        """Afterwards it takes connections and never answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Afterwards it answers again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._valkey.child is not None, "the broker is stopped"
        self._valkey.child.process.send_signal(number)


@pytest.fixture
def broker(broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A running broker that the test may stop, start and hang; the test's own code and processes send to it.

    It comes after `broker_url`, which `portal` asks for: in whichever order a test names them, this one is the broker.
    """
    valkey = Valkey(StateFolder(tmp_path / "broker"))
    own = Broker(valkey)
    own.start()
    _send_to(own.url, monkeypatch)
    yield own
    if valkey.child is not None:
        own.go_on()
    _forget_connections()
    own.stop()


def _send_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", url)  # Celery asks the environment first
    _forget_connections()


def _forget_connections() -> None:
    pools.reset()  # Kombu keeps every pool it ever made, a closed one too
    app._pool = app.amqp._producer_pool = None  # Celery has no public way to let go of them


def _empty(url: str) -> None:
    with _connected(url) as connection:
        connection.flushdb()


def _connected(url: str) -> redis.Redis:
    """Celery and the redis library write the address of a socket differently."""
    return redis.Redis.from_url(url.replace("redis+socket:", "unix:").replace("?virtual_host=", "?db="))

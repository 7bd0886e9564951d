"""The demo as a person runs it: it starts, ends, is killed, starts again, and starts over."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.foundation.run import JOINED, SETTINGS
from trm_portal.development import ports, processes
from trm_portal.development.roles import connected
from trm_portal.development.servers import Servers
from trm_portal.development.state import PROJECT, StateFolder

READY = "Ctrl+C ends the demo."
TIMEOUT = 120
NAMES = {"postgres", "valkey", "mail", "mails", "worker", "beat", "web", "provider"}
OF_TESTS = {JOINED, "DATABASE_URL", "DATABASE_OWNER_URL", "CELERY_BROKER_URL", *SETTINGS}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the next start ends leftovers")


class Demo:
    """One `manage.py demo`, in a folder of its own."""

    def __init__(self, state: Path, *arguments: str) -> None:
        self.state = state
        kept = {name: value for name, value in os.environ.items() if name not in OF_TESTS}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", *arguments],
            cwd=PROJECT,
            env=kept | {"DEMO_STATE": str(state)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if line.startswith(READY):
                return
        pytest.fail(f"The demo has ended:\n{self.output}", pytrace=False)

    def address(self, word: str) -> str:
        (line,) = [line for line in self.output.splitlines() if line.startswith(word)]
        return line.split()[-1]

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        self.output += self.process.communicate(timeout=TIMEOUT)[0]
        return self.process.returncode

    def children(self) -> dict[str, int]:
        records = [json.loads(path.read_text()) for path in (self.state / "processes").glob("*.json")]
        return {record["name"]: record["pid"] for record in records}

    def tenants(self) -> list[tuple[object, ...]]:
        """The ids of the demo's tenants, asked at its database."""
        url = Servers(StateFolder(self.state), {}, durable=True).urls.app
        with connected(url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM rbac_tenant ORDER BY id")
            return cursor.fetchall()


def _outlive(children: dict[str, int]) -> list[str]:
    """The names of those that have not ended after a minute."""
    end = time.monotonic() + 60
    while (left := [name for name, pid in children.items() if processes.began(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Starts demos that share one folder."""
    started: list[Demo] = []

    def start(*arguments: str) -> Demo:
        started.append(Demo(tmp_path / "state with blanks", *arguments))
        return started[-1]

    yield start
    for one in started:
        for pid in one.children().values():
            processes.kill_group(pid)
        one.process.kill()
        one.process.communicate()
        servers = Servers(StateFolder(one.state), {}, durable=True)
        servers.stop()  # removes the folders of the sockets
        if servers.postgres is not None:
            servers.postgres.remove_data()


def test_demo_from_its_first_start_to_starting_over(demo: Callable[..., Demo]) -> None:
    first = demo()
    first.wait_until_ready()
    children, tenants = first.children(), first.tenants()
    for word in ("The portal runs at", "Mails can be read at"):
        with urllib.request.urlopen(first.address(word)) as page:
            assert page.status == 200
    assert set(children) == NAMES
    assert tenants != []

    second = demo()
    refusal = f"CommandError: The demo is running already at {first.address('The portal')}; end that one first.\n"
    assert second.process.communicate(timeout=TIMEOUT)[0] == refusal
    assert second.process.returncode == 1
    assert all(processes.began(pid) for pid in children.values())  # the first one goes on

    first.process.kill()
    assert _outlive(children) == []

    third = demo()
    third.wait_until_ready()
    children = third.children()
    assert set(children) == NAMES
    assert third.tenants() == tenants
    assert third.end(signal.SIGINT) == 0
    assert "Ending the demo; its data stay for the next time." in third.output
    assert _outlive(children) == []
    assert third.children() == {}

    old = third.state / "mails" / "01795393145614716158-2d7b8dcf.eml"
    old.write_text("Subject: old\n\nold\n")
    fourth = demo("--reset")
    fourth.wait_until_ready()
    assert not old.exists()
    assert fourth.tenants() != []
    assert fourth.end(signal.SIGTERM) == 0


def test_port_that_is_taken_is_named(demo: Callable[..., Demo]) -> None:
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]

        refused = demo("--port", str(port))
        output = refused.process.communicate(timeout=TIMEOUT)[0]

    assert output == f"Port {port} is taken: name another one with PORT=...\n"
    assert refused.process.returncode == 1


def test_port_that_is_none_is_named(demo: Callable[..., Demo], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")

    refused = demo()

    assert refused.process.communicate(timeout=TIMEOUT)[0] == "PORT has to be a port from 1 to 65535, not 'eighty'.\n"
    assert refused.process.returncode == 1

"""The portal's real processes, on this worker's database: web, worker, beat."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.foundation.database import WorkerDatabase
from trm_portal.development import ports, processes
from trm_portal.development.state import PROJECT, StateFolder

START_TIMEOUT = 60  # seconds; two cores and many tests at once


class PortalProcess:
    """A process of the portal, with its children in a group of its own."""

    def __init__(self, child: processes.Child, url: str = "") -> None:
        self._child, self.url = child, url
        self.pid, self.log = child.pid, child.log

    @property
    def is_running(self) -> bool:
        return self._child.is_running

    def output(self) -> str:
        """What it wrote up to now."""
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """The ids of the processes that it started."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def terminate(self) -> None:
        """End it in good order: it finishes what it has begun."""
        self._child.end(timeout=30)

    def kill(self) -> None:
        """End it, and all that it started, as a power cut would."""
        self._child.kill()

    def suspend(self) -> None:
        """Stop it where it is, with all that it started."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.killpg(self.pid, signal.SIGCONT)


class Portal:
    """Starts the portal's processes; what is still there after the test is killed.

    They get the environment of the test, so what `broker`, `smtp_sink` or `monkeypatch.setenv` set holds for them.
    """

    def __init__(self, folder: Path) -> None:
        self._state = StateFolder(folder)
        self._numbers = itertools.count(1)
        self._started: list[processes.Child] = []

    def worker(self, *, concurrency: int = 1, environment: Mapping[str, str] | None = None) -> PortalProcess:
        """A Celery worker that is ready for tasks."""
        command = ["celery", "-A", "trm_portal", "worker", "--loglevel", "INFO", "--concurrency", str(concurrency)]
        command += ["--without-gossip", "--without-mingle", "--hostname", f"worker{os.getpid()}@%h"]
        child = self._start("worker", command, environment)
        child.wait_until(lambda: "ready." in child.log.read_text(errors="replace"), START_TIMEOUT)
        return PortalProcess(child)

    def beat(self, *, environment: Mapping[str, str] | None = None) -> PortalProcess:
        """The clock that rings for the periodic jobs."""
        schedule = self._state.path / f"schedule-{next(self._numbers)}"
        command = ["celery", "-A", "trm_portal", "beat", "--loglevel", "INFO", "--pidfile=", f"--schedule={schedule}"]
        child = self._start("beat", command, environment)
        child.wait_until(lambda: "beat: Starting" in child.log.read_text(errors="replace"), START_TIMEOUT)
        return PortalProcess(child)

    def web(self, *, workers: int = 1, threads: int = 8, environment: Mapping[str, str] | None = None) -> PortalProcess:
        """The web server, answering at `.url`."""
        port = ports.any_free()
        url = f"http://{ports.LOOPBACK}:{port}"
        command = ["gunicorn", "trm_portal.wsgi:application", "--bind", f"{ports.LOOPBACK}:{port}"]
        command += [
            "--no-control-socket",
            "--worker-class",
            "gthread",
            "--workers",
            str(workers),
            "--threads",
            str(threads),
        ]
        child = self._start("web", command, {"PUBLIC_URL": url} | dict(environment or {}))
        child.wait_until(lambda: ports.web_answers(f"{url}/healthz"), START_TIMEOUT)
        return PortalProcess(child, url)

    def provider(self) -> PortalProcess:
        """The demo's OpenID provider, answering at `.url`; it knows the people of the demo."""
        port = ports.any_free()
        url = f"http://{ports.LOOPBACK}:{port}"
        application = "trm_portal.development.demo_provider:application"
        command = [
            "gunicorn",
            application,
            "--bind",
            f"{ports.LOOPBACK}:{port}",
            "--no-control-socket",
            "--threads",
            "4",
        ]
        child = self._start("provider", command, None)
        child.wait_until(lambda: ports.web_answers(f"{url}/.well-known/openid-configuration"), START_TIMEOUT)
        return PortalProcess(child, url)

    def end(self) -> None:
        """Afterwards none of them is running."""
        for child in self._started:
            child.kill()

    def _start(self, name: str, command: list[str], environment: Mapping[str, str] | None) -> processes.Child:
        child = processes.start(
            f"{name}-{next(self._numbers)}",
            [sys.executable, "-m", *command],
            state=self._state,
            environment=os.environ | dict(environment or {}),
            folder=PROJECT,
        )
        self._started.append(child)
        return child


@pytest.fixture
def portal(committed_db: WorkerDatabase, broker_url: str, tmp_path: Path) -> Iterator[Portal]:
    """Starts real processes of the portal on this worker's database and broker; ends them after the test."""
    started = Portal(tmp_path / "portal")
    yield started
    started.end()

"""Children that end with us: in order at the end, at once when we are killed, at the latest at the next start.

On Linux the kernel kills a child when its parent is gone: nobody would wait for one that first finishes what it does.
Elsewhere, and for whatever outlives that, each child is on record with its process id and the moment it began, so that
the next start ends our own leftovers and nothing else.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trm_portal.development.errors import SetUpError
from trm_portal.development.state import StateFolder, write_privately

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LINES_SHOWN = 30


@dataclass
class Child:
    """A process that we started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    record: Path
    end_signal: signal.Signals

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def ask_to_end(self) -> None:
        """Tell the child that it is time; it ends when it has finished what it does."""
        if self.is_running:
            self.process.send_signal(self.end_signal)

    def end(self, timeout: float = 15) -> None:
        """Afterwards the child, and what it started in turn, has ended: asked first, killed after `timeout` seconds."""
        if self.is_running:
            self.ask_to_end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
        self.kill()

    def kill(self) -> None:
        """Afterwards the child, and what it started in turn, has ended, without having been asked."""
        kill_group(self.pid)
        self.process.wait()
        self.record.unlink(missing_ok=True)

    def last_words(self) -> str:
        """The end of what the child wrote."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LINES_SHOWN:])

    def wait_until(self, is_ready: Callable[[], bool], timeout: float) -> None:
        """Return as soon as the child is ready.

        Raises SetUpError with the child's last words if it ends before, or takes longer than `timeout` seconds.
        """
        end = time.monotonic() + timeout
        while not is_ready():
            if not self.is_running:
                raise SetUpError(f"{self.name} ended while starting. See {self.log}:\n{self.last_words()}")
            if time.monotonic() > end:
                raise SetUpError(f"{self.name} was not ready in {timeout:.0f} s. See {self.log}:\n{self.last_words()}")
            time.sleep(0.02)


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    state: StateFolder,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    account: pwd.struct_passwd | None = None,
    end_signal: signal.Signals = signal.SIGTERM,
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> Child:
    """Start a child that ends with us; what it writes goes to a log in the state folder.

    `end_signal` asks it to end when it has finished what it does; `orphan_signal` is what it gets when we are killed.
    Start it from a thread that lives as long as the child shall: on Linux the child ends with that thread.
    """
    log = state.folder("logs") / f"{name}.log"
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent(orphan_signal),
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=[] if account else None,
        )
    record = state.folder("processes") / f"{name}-{process.pid}.json"
    write_privately(
        record,
        json.dumps({"name": name, "pid": process.pid, "began": began(process.pid), "end_signal": end_signal.name}),
    )
    return Child(name, process, log, record, end_signal)


def end_leftovers(state: StateFolder, timeout: float = 20) -> list[str]:
    """End what an earlier run in this folder left behind, and return the names of what was ended.

    A process that only has the number of one of ours is left alone. Call it while holding the folder.
    """
    found = [(record, json.loads(record.read_text())) for record in sorted(state.folder("processes").glob("*.json"))]
    ours = [entry for _, entry in found if entry["began"] is not None and began(entry["pid"]) == entry["began"]]
    for entry in ours:
        with contextlib.suppress(ProcessLookupError):
            os.kill(entry["pid"], signal.Signals[entry["end_signal"]])
    end = time.monotonic() + timeout
    for entry in ours:
        while began(entry["pid"]) == entry["began"]:
            if time.monotonic() > end:
                kill_group(entry["pid"])
            time.sleep(0.02)
        kill_group(entry["pid"])  # what it started in turn
    for record, _ in found:
        record.unlink(missing_ok=True)
    return [entry["name"] for entry in ours]


def began(pid: int) -> str | None:
    """The moment at which this process began, or None if there is none: with the id it names one process for ever."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{boot} {fields[19]}"
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


def kill_group(pid: int) -> None:
    """Kill the process that leads this group, and everything in it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _end_with_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does before it becomes the new program: after the change of account, which would undo it."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(orphan_signal))
        if os.getppid() != parent:  # the parent was gone before the kernel knew
            os._exit(1)

    return ask_kernel

"""Children end with their parent, however that one ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from trm_portal.development import processes
from trm_portal.development.errors import SetUpError
from trm_portal.development.state import PROJECT, AlreadyRunningError, StateFolder

SLEEP = [sys.executable, "-c", "import time; time.sleep(300)"]
# A child that outlives its parent, as on a system whose kernel sends no signal then.
DEAF_TO_KERNEL = "import ctypes, time; ctypes.CDLL(None).prctl(1, 0); print('on', flush=True); time.sleep(300)"
STAYS = [sys.executable, "-c", DEAF_TO_KERNEL]
DEAF_TO_ASKING = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True);"
BUSY = [sys.executable, "-c", DEAF_TO_ASKING + "time.sleep(300)"]
PARENT = """
import json, sys, time
from pathlib import Path
from trm_portal.development import processes
from trm_portal.development.state import StateFolder
state = StateFolder(Path(sys.argv[1]))
state.hold()
child = processes.start("child", json.loads(sys.argv[2]), state=state)
print(child.pid, flush=True)
time.sleep(300)
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")


def wait_for(is_true: Callable[[], bool], timeout: float = 10) -> bool:
    end = time.monotonic() + timeout
    while not is_true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def start_and_kill_parent(folder: Path, command: list[str]) -> int:
    """Start a process that starts `command`, kill it as a power cut would, and return the id of what it started."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), json.dumps(command)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        log = folder / "logs" / "child.log"
        assert command is SLEEP or wait_for(lambda: log.read_text() == "on\n")
        parent.kill()
    return child


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@linux
def test_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    child = start_and_kill_parent(tmp_path / "state", SLEEP)

    assert wait_for(lambda: processes.began(child) is None)


@linux
def test_child_that_would_take_its_time_ends_too_when_its_parent_is_killed(tmp_path: Path) -> None:
    child = start_and_kill_parent(tmp_path / "state", BUSY)

    assert wait_for(lambda: processes.began(child) is None)


@linux
def test_next_start_ends_what_outlived_its_parent(tmp_path: Path) -> None:
    child = start_and_kill_parent(tmp_path / "state", STAYS)
    assert processes.began(child) is not None
    state = StateFolder(tmp_path / "state")
    state.hold()

    ended = processes.end_leftovers(state)

    assert ended == ["child"]
    assert processes.began(child) is None
    assert list((tmp_path / "state" / "processes").iterdir()) == []


def test_next_start_leaves_alone_who_only_has_the_number_of_ours(state: StateFolder) -> None:
    with subprocess.Popen(SLEEP) as stranger:
        record = state.folder("processes") / "child-1.json"
        entry = {"name": "child", "pid": stranger.pid, "began": "another moment", "end_signal": "SIGTERM"}
        record.write_text(json.dumps(entry))

        ended = processes.end_leftovers(state)

        assert ended == []
        assert stranger.poll() is None
        assert not record.exists()
        stranger.kill()


def test_end_kills_a_child_that_does_not_listen_and_what_it_started(state: StateFolder) -> None:
    deaf = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)']).pid, flush=True);"
        "time.sleep(300)"
    )
    child = processes.start("deaf", [sys.executable, "-c", deaf], state=state)
    assert wait_for(lambda: child.log.read_text().endswith("\n"))
    grandchild = int(child.log.read_text())

    child.end(timeout=0.2)

    assert not child.is_running
    assert wait_for(lambda: processes.began(grandchild) is None)
    assert not child.record.exists()


def test_end_asks_first(state: StateFolder) -> None:
    polite = (
        "import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: sys.exit(7));"
        "print(1, flush=True); time.sleep(300)"
    )
    child = processes.start("polite", [sys.executable, "-c", polite], state=state, end_signal=signal.SIGINT)
    assert wait_for(lambda: child.log.read_text() == "1\n")

    child.end()

    assert child.process.returncode == 7


def test_wait_until_tells_why_a_child_ended(state: StateFolder) -> None:
    child = processes.start("broken", [sys.executable, "-c", "raise SystemExit('no such road')"], state=state)

    with pytest.raises(SetUpError) as raised:
        child.wait_until(lambda: False, timeout=10)

    child.end()
    assert str(raised.value) == f"broken ended while starting. See {child.log}:\nno such road"


def test_wait_until_does_not_wait_for_ever(state: StateFolder) -> None:
    child = processes.start("slow", SLEEP, state=state)

    with pytest.raises(SetUpError, match=r"^slow was not ready in 0 s\."):
        child.wait_until(lambda: False, timeout=0.1)

    child.end()


def test_log_of_the_run_before_is_kept(state: StateFolder) -> None:
    for word in ("first", "second"):
        processes.start("twice", [sys.executable, "-c", f"print('{word}')"], state=state).process.wait()

    logs = state.folder("logs")
    assert (logs / "twice.log").read_text() == "second\n"
    assert (logs / "twice.previous.log").read_text() == "first\n"


def test_folder_is_held_by_one_run_at_a_time(tmp_path: Path) -> None:
    first, second = StateFolder(tmp_path / "state"), StateFolder(tmp_path / "state")
    first.hold()

    with pytest.raises(AlreadyRunningError, match="is in use by another run"):
        second.hold()

    first.release()
    second.hold()
    second.release()


def test_secrets_stay_and_are_ours_alone(tmp_path: Path) -> None:
    first = StateFolder(tmp_path / "state")
    made = [first.secret("one"), first.secret("two")]

    again = StateFolder(tmp_path / "state")

    assert [again.secret("one"), again.secret("two")] == made
    assert len(set(made)) == 2
    assert (tmp_path / "state" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o711
    assert first.folder("mails").stat().st_mode & 0o777 == 0o700


def test_began_tells_two_processes_apart() -> None:
    with subprocess.Popen(SLEEP) as one, subprocess.Popen(SLEEP) as other:
        moments = {processes.began(one.pid), processes.began(os.getpid())}
        assert None not in moments
        assert len(moments) == 2
        assert processes.began(one.pid) == processes.began(one.pid)
        one.kill()
        other.kill()
    assert processes.began(one.pid) is None

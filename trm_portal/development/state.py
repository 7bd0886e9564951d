"""The folder in which a run keeps what it must find again: data, mails, logs, secrets, the children it started."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
from pathlib import Path

from trm_portal.development.errors import SetUpError

PROJECT = Path(__file__).resolve().parents[2]
LONGEST_SOCKET_PATH = 100  # sockaddr_un holds 104 bytes on macOS, 108 on Linux
SOCKET_FILE = "/.s.PGSQL.5432.lock"


class AlreadyRunningError(SetUpError):
    """Another run uses this folder right now."""


class StateFolder:
    """A folder of one run, held by a lock that the system releases however the run ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o711, parents=True, exist_ok=True)
            path.chmod(0o711)  # a server that runs under another account has to get through; the rest in here is closed
        except PermissionError:
            raise SetUpError(f"{path} belongs to another account: remove it, or go on as that one.") from None
        self._lock: int | None = None

    def hold(self) -> None:
        """Hold this folder until the process ends or `release` is called.

        Raises AlreadyRunningError if another process holds it.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise AlreadyRunningError(f"{self.path} is in use by another run.") from None
        self._lock = descriptor

    def release(self) -> None:
        """Let others hold this folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def folder(self, name: str) -> Path:
        """A folder inside, readable by our own account only."""
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def secret(self, name: str) -> str:
        """A secret that is made once and stays the same as long as this folder lives."""
        path = self.path / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(48)
            write_privately(path, json.dumps(known, indent=1))
        return known[name]

    def short_name(self) -> str:
        """A name for this folder that fits where its path does not."""
        return hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:12]


def write_privately(path: Path, text: str) -> None:
    """Replace the file in one step; nobody else can read it at any moment."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def socket_folder(name: str) -> Path:
    """A folder for Unix sockets: a short path without blanks or commas, which the project's own may have."""
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the folder itself is made ours, or refused
        path = Path(parent) / name
        if len(f"{path}{SOCKET_FILE}") < LONGEST_SOCKET_PATH and not set(str(path)) & set(" ,'\"\\%?#&"):
            return path
    raise SetUpError("There is no folder for sockets: set TMPDIR to a short path without blanks.")


def make_own_folder(path: Path, *, uid: int, gid: int) -> None:
    """Afterwards the folder exists, belongs to that account and is closed to all others.

    Raises SetUpError if somebody else made it before us.
    """
    try:
        path.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {uid, os.geteuid()}:
            raise SetUpError(f"{path} belongs to someone else: remove it or set TMPDIR.") from None
    os.chown(path, uid, gid)
    path.chmod(0o700)


def is_open_to_all(path: Path) -> bool:
    """Whether an account without any rights of its own gets through to this folder."""
    resolved = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (resolved, *resolved.parents))

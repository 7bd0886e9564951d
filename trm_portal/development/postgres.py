"""A real PostgreSQL from a Python wheel, on a Unix socket only.

PostgreSQL refuses to run as root. There it runs as `nobody`, and what that account can't reach (a home that is closed
to others) is put under /var/lib/trm-portal.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2

from trm_portal.development import processes, wheels
from trm_portal.development.errors import SetUpError
from trm_portal.development.state import StateFolder, is_open_to_all, make_own_folder, socket_folder

SUPERUSER = "postgres"
HOME_WHEN_CLOSED = Path("/var/lib/trm-portal")
LEFT_OUT_OF_COPY = shutil.ignore_patterns("include", "pgxs", "doc", "man", "*.a", "__pycache__")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "logging_collector": "off",
    "log_min_messages": "warning",
}
# A test run is thrown away, so nothing has to reach the disk, and nothing may happen at a time of its own.
SETTINGS_FOR_TESTS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
}


class Postgres:
    """A server with its data and its socket; `start` and `stop` may follow each other any number of times."""

    def __init__(self, state: StateFolder, *, durable: bool) -> None:
        self.state, self.durable = state, durable
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        # The state folder itself, wherever the server's account gets through to it.
        self._is_closed = self.account is not None and not is_open_to_all(state.path)
        self._home = HOME_WHEN_CLOSED / state.short_name() if self._is_closed else state.path
        self.data = self._home / "postgres"
        self.sockets = socket_folder(f"trm-{os.geteuid()}-{state.short_name()}-postgres")
        self.child: processes.Child | None = None

    def url(self, user: str, database: str) -> str:
        """The address for that role and database, as libpq and the settings both read it."""
        return f"postgres://{user}@/{database}?host={self.sockets}"

    def start(self) -> None:
        """Afterwards the server answers; its data are made where there are none.

        Raises SetUpError if there is no build for this machine or the server can't start.
        """
        binaries = _reachable_binaries(wheels.postgres_binaries(), self.account)
        if self._is_closed:
            _open_folder(self._home)
        uid, gid = (self.account.pw_uid, self.account.pw_gid) if self.account else (os.geteuid(), os.getegid())
        for folder in (self.data, self.sockets):
            make_own_folder(folder, uid=uid, gid=gid)
        if not (self.data / "PG_VERSION").exists():
            self._make_data(binaries)
        settings = SETTINGS | {"unix_socket_directories": str(self.sockets)}
        if not self.durable:
            settings |= SETTINGS_FOR_TESTS
        command: list[str | Path] = [binaries / "postgres", "-D", self.data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.child = processes.start(
            "postgres",
            command,
            state=self.state,
            environment=_environment(),
            folder=Path("/"),
            account=self.account,
            end_signal=signal.SIGINT,  # "fast": ends sessions, then itself
            orphan_signal=signal.SIGQUIT,  # "immediate": without the checkpoint that a slow disk draws out
        )
        self.child.wait_until(self.answers, timeout=60)

    def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            psycopg2.connect(self.url(SUPERUSER, "postgres")).close()
        except psycopg2.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Afterwards the server has ended in good order; the data stay."""
        if self.child is not None:
            self.child.end(timeout=30)
            self.child = None
        shutil.rmtree(self.sockets, ignore_errors=True)

    def remove_data(self) -> None:
        """Afterwards the data are gone. The server must not be running."""
        shutil.rmtree(self.data, ignore_errors=True)
        if self._is_closed:
            shutil.rmtree(self._home, ignore_errors=True)

    def _make_data(self, binaries: Path) -> None:
        for left in self.data.iterdir():  # an earlier attempt was cut off before it wrote its version
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        command: list[str | Path] = [binaries / "initdb", "-D", self.data, "-U", SUPERUSER, "--auth=trust", "--no-sync"]
        command += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        done = subprocess.run(
            command,
            cwd="/",
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
            user=self.account and self.account.pw_uid,
            group=self.account and self.account.pw_gid,
            extra_groups=[] if self.account else None,
        )
        if done.returncode:
            raise SetUpError(f"PostgreSQL could not make its data in {self.data}:\n{done.stderr}")


def _reachable_binaries(binaries: Path, account: pwd.struct_passwd | None) -> Path:
    """The wheel's binaries, or a copy of them where the server's account can't reach the wheel."""
    if account is None or is_open_to_all(binaries):
        return binaries
    package = binaries.parents[1]
    version = hashlib.sha256(f"{binaries}{(binaries / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = _open_folder(HOME_WHEN_CLOSED) / f"binaries-{version}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(dir=HOME_WHEN_CLOSED))
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, fresh / part.name, symlinks=True, ignore=LEFT_OUT_OF_COPY)
        _open_to_all(fresh)
        try:
            fresh.rename(copy)
        except OSError:  # another run was quicker
            shutil.rmtree(fresh)
    return copy / package.name / binaries.relative_to(package)


def _open_folder(path: Path) -> Path:
    """A folder of ours that others get through, but can't change."""
    path.mkdir(mode=0o755, parents=True, exist_ok=True)
    if path.lstat().st_uid != os.geteuid():
        raise SetUpError(f"{path} belongs to someone else.")
    path.chmod(0o755)
    return path


def _open_to_all(tree: Path) -> None:
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def _environment() -> dict[str, str]:
    """Ours without PostgreSQL's own variables, in a locale that every machine of this kind has."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8", "TZ": "UTC"}

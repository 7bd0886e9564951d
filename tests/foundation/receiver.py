"""A receiver of webhooks on this machine: it can be down, fail, hang, redirect; it keeps every request that came."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from trm_portal.development import ports


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers what `answer` says: a status, or a function that writes the answer itself."""

    answer: int | Callable[[BaseHTTPRequestHandler], None] | Callable[[Received], int] = 204
    received: list[Received] = field(default_factory=list)
    context: ssl.SSLContext | None = None
    host: str = ports.LOOPBACK
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://{self.host}:{self.port}/hooks?key=a-key-in-the-address"

    @property
    def types(self) -> list[str]:
        return [one.said["type"] for one in self.received]

    def start(self) -> None:
        """Afterwards it is there, at the port that it had before."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                receiver.received.append(taken)
                said: Any = receiver.answer
                if callable(said) and said.__name__.startswith("raw_"):
                    said(self)
                    return
                self.send_response(said(taken) if callable(said) else said)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """Who hangs up in the middle is no news."""

        self._server = Server((ports.LOOPBACK, self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        if self.context is not None:
            self._server.socket = self.context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def stop(self) -> None:
        """Afterwards nobody listens there."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def raw_hang(handler: BaseHTTPRequestHandler) -> None:
    """Says nothing."""
    time.sleep(60)


def raw_drip(handler: BaseHTTPRequestHandler) -> None:
    """Says a little now and then, and never all of it."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(600):
        handler.wfile.write(f"X-{number}: y\r\n".encode())
        handler.wfile.flush()
        time.sleep(0.1)


def raw_flood(handler: BaseHTTPRequestHandler) -> None:
    """Says more than anybody wants to read."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(100):
        handler.wfile.write(b"x" * 1024 * 1024)


@pytest.fixture
def receiver(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver on this machine, to which the portal of this test may deliver."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setenv("WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8")
    one = Receiver()
    one.start()
    yield one
    one.stop()

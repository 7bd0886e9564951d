"""A receiver as a program of its own: it checks what comes with the lines of docs/webhooks.md, and keeps what it took.

`python -m tests.foundation.webhook_process FOLDER PORT SECRET`. In FOLDER: `mode` says how it behaves (JSON), `taken` has
a line for each event that it took, `cert.pem` and `key.pem` are for TLS.
"""

import json
import re
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TEXT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


class Ids:
    """The ids that were taken, in a file that survives the process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __contains__(self, event_id: str) -> bool:
        return self._path.exists() and any(json.loads(line)["id"] == event_id for line in self._path.open())

    def add(self, event_id: str) -> None:
        """Nothing yet: the line of the event is written by who takes it."""


class Tool:
    """What the program knows of its folder."""

    def __init__(self, folder: Path, secret: str) -> None:
        self.folder, self.secret = folder, secret
        [code] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
        self.check: dict[str, Any] = {}
        exec(compile(code, "docs/webhooks.md", "exec"), self.check)
        self.check["time"] = SimpleNamespace(time=lambda: time.time() + self.mode()["moved"])

    def mode(self) -> Any:
        """How it is to behave now: `answer` ok | fail | hang | late, and by how many seconds the portal's clock is moved."""
        return json.loads((self.folder / "mode").read_text())

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        """The status for one request."""
        mode = self.mode()["answer"]
        if mode == "hang":
            time.sleep(60)
        if mode == "fail":
            return 500
        try:
            event = self.check["take"](headers, body, [self.secret], Ids(self.folder / "taken"))
        except self.check["Refused"]:
            return 400
        if event is not None:
            with (self.folder / "taken").open("a") as taken:
                taken.write(json.dumps(event) + "\n")
        return 500 if mode == "late" and event is not None else 204


def main(folder: Path, port: int, secret: str) -> None:
    """Listen until the process is ended."""
    tool = Tool(folder, secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = tool.answer({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

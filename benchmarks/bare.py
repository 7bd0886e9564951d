"""The limit of a web server in Python: no framework, the same statements, JSON. STATEMENTS names a file with them."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg2

_STATEMENTS: dict[str, list[str]] = json.loads(Path(os.environ["STATEMENTS"]).read_text())
_connection = psycopg2.connect(os.environ["DATABASE_URL"])
_connection.autocommit = True


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """The rows of the last statement of the kind of person that the path names."""
    with _connection.cursor() as cursor:
        for statement in _STATEMENTS[environ["PATH_INFO"].strip("/")]:
            cursor.execute(statement)
            rows = cursor.fetchall()
        names = [column.name for column in cursor.description or ()]
    body = json.dumps({"items": [dict(zip(names, row, strict=True)) for row in rows]}, default=str).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]

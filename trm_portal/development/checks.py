"""`make check`: everything that finds mistakes without running the portal. All of it runs, then it is summed up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from trm_portal.development.errors import SetUpError
from trm_portal.development.servers import Servers
from trm_portal.development.state import PROJECT, StateFolder

APPS = ["audit", "rbac", "rooms", "partners"]
FIRST_VERSION = ["0002_rules", "0003_rules", "0006_operation_rules", "0013_aggregate"]  # beside each initial migration
KNOWN_SAFE = [
    "0007_sessions",  # says NOT NULL only of a table that it makes itself
    "0005_domains_and_managers",  # its unique keys refuse an older version just what they did before
]
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
PLAIN = {
    "style": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "types": ["-m", "mypy"],
    "order of the apps": ["-c", LINT_IMPORTS],
    "templates": ["-m", "djlint", ".", "--lint"],
}
WITH_DATABASE = {
    "models and migrations agree": ["manage.py", "makemigrations", "--check", "--dry-run"],
    # What belongs to the first version fills an empty database: no older version can be running on it.
    "migrations": [
        *("manage.py", "lintmigrations", "--settings", "trm_portal.development.check_settings", "--database", "owner"),
        *(
            "--ignore-initial-migrations",
            "--ignore-name",
            *FIRST_VERSION,
            *KNOWN_SAFE,
            "--quiet",
            "ignore",
            "--no-cache",
        ),
        *("--include-apps", *APPS),
    ],
    "settings of a real installation": ["manage.py", "check", "--deploy", "--fail-level", "WARNING"],
}
# What a real installation sets; the secrets are long enough for the checks, and used for nothing else.
INSTALLATION = {
    "DJANGO_SETTINGS_MODULE": "trm_portal.settings",
    "SECRET_KEY": "4tVx8wq-only-for-checks-Zr7mKp2LsYc9Jb5NhQfD3gUeA6",
    "INVITATION_LINK_KEY": "k2Bn7s-only-for-checks-Wy4XcRv9TqLm3ZpHd8JfGe5",
    "ENROLLMENT_KEY_SECRETS": "p9Wd3c-only-for-checks-Hs6QvYt2LzKm8XrBn4JgTf7",
    "PUBLIC_URL": "https://portal.example.org",
    "ALLOWED_HOSTS": "portal.example.org",
    "DEBUG": "false",
    "DEMO": "false",
    "SECURE": "true",
}


def main() -> int:
    """Run every check and return how many found something."""
    plain = INSTALLATION | {"DATABASE_URL": "postgres:///not-used"}
    failed = [name for name, command in PLAIN.items() if not _passes(name, command, plain)]
    with tempfile.TemporaryDirectory(prefix="trm-check-") as folder:
        servers = Servers(StateFolder(Path(folder) / "state"), {}, durable=False)
        try:
            servers.start()
            addresses = {"DATABASE_URL": servers.urls.app, "DATABASE_OWNER_URL": servers.urls.owner}
            environment = INSTALLATION | addresses | {"CELERY_BROKER_URL": servers.broker_url}
            failed += [name for name, command in WITH_DATABASE.items() if not _passes(name, command, environment)]
        except SetUpError as error:
            sys.exit(str(error))
        finally:
            servers.stop()
            if servers.postgres is not None:
                servers.postgres.remove_data()
    total = len(PLAIN) + len(WITH_DATABASE)
    print(f"\n{total - len(failed)} of {total} checks found nothing.")
    for name in failed:
        print(f"  failed: {name}")
    return len(failed)


def _passes(name: str, command: list[str], environment: Mapping[str, str]) -> bool:
    print(f"\n--- {name}", flush=True)
    began = time.monotonic()
    done = subprocess.run([sys.executable, *command], cwd=PROJECT, env=os.environ | environment, check=False)
    print(f"    {'ok' if done.returncode == 0 else 'FAILED'}, {time.monotonic() - began:.1f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(min(main(), 1))

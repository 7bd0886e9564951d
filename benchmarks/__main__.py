"""`make bench`: start PostgreSQL, make the data, measure, print; the exit code says whether every goal was reached."""

import os
import sys
from pathlib import Path

from trm_portal.development.servers import Servers
from trm_portal.development.state import StateFolder

ONLY = os.environ.get("ONLY", "")  # “data” or “reports”: just that part
STATE = Path(__file__).resolve().parent.parent / ".state" / "bench"


def main() -> int:
    """Measure everything once on a fresh database."""
    state = StateFolder(STATE)
    state.hold()
    servers = Servers(state, {}, durable=True)
    if servers.postgres is not None:
        servers.postgres.remove_data()
    servers.start()
    try:
        return _measure(servers)
    finally:
        servers.stop()


def _measure(servers: Servers) -> int:
    os.environ.update(
        DJANGO_SETTINGS_MODULE="trm_portal.settings",
        DATABASE_URL=servers.urls.app,
        DATABASE_OWNER_URL=servers.urls.owner,
        CELERY_BROKER_URL=servers.broker_url,
        SECRET_KEY="measured, not kept",
        INVITATION_LINK_KEY="measured, not kept",
        ENROLLMENT_KEY_SECRETS="measured and not kept",
    )
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")

    from benchmarks import data, reads, reports, writes
    from benchmarks.measure import Report

    report = Report()
    rooms = int(os.environ.get("ROOMS", "100000"))
    print(f"making {rooms:,} rooms …", flush=True)
    rights = (
        reads.lists,
        reads.depth,
        reads.decisions,
        reads.matrix,
        writes.granting,
        writes.off_boarding,
        writes.change,
    )
    for make, parts in ((data.make, rights), (reports.make, (reports.add_up, reports.pages))):
        if ONLY in ("", make.__module__.removeprefix("benchmarks.")):
            kinds = make(rooms)
            for part in parts:
                part(kinds, report)
    return 0 if all(ratio <= goal for _, ratio, goal in report.rows) else 1


if __name__ == "__main__":
    sys.exit(main())

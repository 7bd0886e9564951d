"""`make bench`: start PostgreSQL, make the data, measure, print; the exit code says whether every goal was reached.

`python -m benchmarks lists change` measures only these parts; ROOMS=10000,100000,1000000 adds a size.
"""

import os
import sys
from pathlib import Path

from trm_portal.development import ports, processes
from trm_portal.development.servers import Servers
from trm_portal.development.state import StateFolder

STATE = Path(__file__).resolve().parent.parent / ".state" / "bench"


def main() -> int:
    """Measure everything once on a fresh database."""
    state = StateFolder(STATE)
    state.hold()
    servers = Servers(state, {}, durable=True)
    mail_port = ports.any_free()
    if servers.postgres is not None:
        servers.postgres.remove_data()
    servers.start()
    sink = [sys.executable, "-m", "trm_portal.development.mail_sink", str(mail_port), str(state.folder("mails"))]
    mails = processes.start("mails", sink, state=state)
    try:
        return _measure(servers, mail_port, sys.argv[1:])
    finally:
        mails.end()
        servers.stop()


def _measure(servers: Servers, mail_port: int, chosen: list[str]) -> int:
    os.environ.update(
        DJANGO_SETTINGS_MODULE="trm_portal.settings",
        DATABASE_URL=servers.urls.app,
        DATABASE_OWNER_URL=servers.urls.owner,
        CELERY_BROKER_URL=servers.broker_url,
        EMAIL_URL=f"smtp://{ports.LOOPBACK}:{mail_port}",
        SECRET_KEY="measured, not kept",
        INVITATION_LINK_KEY="measured, not kept",
        ENROLLMENT_KEY_SECRETS="measured and not kept",
    )
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    sizes = [int(one) for one in os.environ.get("ROOMS", "10000,100000").split(",")]
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")

    from benchmarks import aggregate, bulk, data, growth, reads, reports, web, writes
    from benchmarks.measure import Report

    report = Report()
    smaller: float | None = None
    for rooms in sizes:
        print(f"making {rooms:,} rooms …", flush=True)
        kinds = data.make(rooms)
        seconds = growth.small_lists(kinds)
        if smaller is not None:
            report.add(f"P3 ten rooms among {rooms:,} against a tenth of that", seconds / smaller, 1.4, "1.02–1.24")
        smaller = seconds
    for part in (
        reads.lists,
        growth.limit,
        growth.depth,
        reads.decisions,
        reads.matrix,
        writes.granting,
        writes.off_boarding,
        writes.change,
        bulk.exporting,
        bulk.expiring,
        bulk.mails,
        web.requests,
        aggregate.tickets,
    ):
        if not chosen or part.__name__ in chosen:
            part(kinds, report)
    if not chosen or "pages" in chosen:
        readers = reports.make(sizes[-1])
        reports.add_up(readers, report)
        reports.pages(readers, report)
    print(f"\n{report}")
    return 0 if all(row.is_reached for row in report.rows) else 1


if __name__ == "__main__":
    sys.exit(main())

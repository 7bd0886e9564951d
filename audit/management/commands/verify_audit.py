"""`manage.py verify_audit`: is the audit log as it was written? Names the first altered row of every broken chain."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from audit import verification
from audit.heads import Head
from audit.models import PLATFORM

EVERY = 50_000  # links between two signs of life


class Command(BaseCommand):
    help = (
        "Verify the audit log's chains. A chain alone cannot show that its end was cut off; compare with heads that "
        "were published earlier (--heads) to see that too. Exit status 1 if anything is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", type=UUID, help="only the chain of this tenant (all zeros: the platform's)")
        parser.add_argument("--heads", type=Path, help="a file with the lines that were published daily (- for stdin)")
        parser.add_argument(
            "--print-heads", action="store_true", help="print the verified heads, to be kept outside the database"
        )

    def handle(self, *args: Any, tenant: UUID | None, heads: Path | None, print_heads: bool, **options: Any) -> None:
        """Verify what was asked for. Raises CommandError if anything is wrong."""
        published = _read(heads, tenant) if heads is not None else []
        broken = 0
        for tenant_id in verification.chains() if tenant is None else (tenant,):
            broken += not self._verify(tenant_id, print_heads)
        for head in published:
            if fault := verification.compare(head):
                self.stderr.write(self.style.ERROR(f"{_whose(head.tenant_id)}: {fault}"))
                broken += 1
        if broken:
            raise CommandError(f"The audit log is not as it was written: {broken} faults, named above.")
        self.stderr.write(self.style.SUCCESS(f"The audit log is whole. Published heads compared: {len(published)}."))

    def _verify(self, tenant_id: UUID, print_heads: bool) -> bool:
        last: Head | None = None

        def keep(head: Head) -> None:
            nonlocal last
            last = head
            if head.seq % EVERY == 0:
                self.stderr.write(f"{_whose(tenant_id)}: {head.seq} links so far …")

        if fault := verification.verify(tenant_id, keep):
            self.stderr.write(self.style.ERROR(f"{_whose(tenant_id)}: {fault}"))
            return False
        self.stderr.write(f"{_whose(tenant_id)}: {last.seq if last else 0} links, whole")
        if print_heads and last is not None:
            self.stdout.write(verification.as_json(last))
        return True


def _whose(tenant_id: UUID) -> str:
    return "platform" if tenant_id == PLATFORM else f"tenant {tenant_id}"


def _read(path: Path, tenant: UUID | None) -> list[Head]:
    """The published heads in the file (of `tenant` only, if one is given); other lines of a log may stand between them.

    Raises CommandError for a file or a head that cannot be read, and for a file without any.
    """
    try:
        lines = sys.stdin.readlines() if str(path) == "-" else path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CommandError(f"The heads cannot be read: {error}") from error
    found: list[Head | None] = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(verification.from_json(line))
        except ValueError as error:
            raise CommandError(f"{path}, line {number}: {error}") from error
    published = [head for head in found if head is not None]
    if not published:
        raise CommandError(f"{path} holds no published head.")
    return [head for head in published if tenant is None or head.tenant_id == tenant]

"""`manage.py check_invariants`: does everything hold that must hold at every moment?"""

from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from partners.invariants import CHECKS

NAMED = 50  # breaks of one check that are named


class Command(BaseCommand):
    help = "Check what must hold at every moment, and name every break. Exit status 1 if there is one. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", nargs="+", choices=CHECKS, default=list(CHECKS), help="these checks")
        parser.add_argument("--skip", nargs="+", choices=CHECKS, default=[], help="all but these")

    def handle(self, *args: Any, only: Sequence[str], skip: Sequence[str], **options: Any) -> None:
        """Run the checks. Raises CommandError if something does not hold."""
        broken = []
        for name in (name for name in only if name not in skip):
            check = CHECKS[name]
            found = check()
            breaks = list(islice(found, NAMED))
            what = " ".join((check.__doc__ or "").split())
            self.stdout.write(f"{name}: {'BROKEN' if breaks else 'holds'}. {what}")
            for one in breaks:
                self.stderr.write(self.style.ERROR(f"  {name}: {one}"))
            if next(found, None) is not None:
                self.stderr.write(self.style.ERROR(f"  {name}: and more"))
            broken += [name] if breaks else []
        if broken:
            raise CommandError(f"What must hold does not: {', '.join(broken)}.")

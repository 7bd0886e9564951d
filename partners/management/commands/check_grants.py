"""`manage.py check_grants`: do the index rows say what the assignments say?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from partners import index


class Command(BaseCommand):
    help = (
        "Compare guardian's rows and the groups of people with the assignments they are made from. Exit status 1 if "
        "they differ; --repair makes them anew from the assignments."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="make wrong rows anew, with a line in the audit log")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        """Compare, and repair if asked. Raises CommandError for differences that are left."""
        left, repaired = 0, set()
        for assignment, fault in index.faults():
            self.stderr.write(self.style.ERROR(fault))
            if assignment is None or not repair:
                left += 1
            elif assignment.pk not in repaired:
                index.repair(assignment)
                repaired.add(assignment.pk)
        if repaired:
            self.stdout.write(f"The rows of {len(repaired)} assignments were made anew.")
        if left:
            raise CommandError(f"The index differs from the assignments in {left} places, named above.")
        self.stdout.write(self.style.SUCCESS("The index says what the assignments say."))

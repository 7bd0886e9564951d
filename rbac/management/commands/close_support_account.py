"""`manage.py close_support_account`: somebody who no longer uses the back office."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from rbac.services import accounts


class Command(BaseCommand):
    help = "Close an account of support staff. Open pages of that person answer no more from the next request on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("upn")

    def handle(self, *args: Any, upn: str, **options: Any) -> None:
        """Close it. Raises CommandError if there is no such open account."""
        try:
            user = accounts.close_support_account(upn, by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{user.upn} cannot sign in any more.")

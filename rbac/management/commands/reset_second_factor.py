"""`manage.py reset_second_factor`: support staff who lost their telephone set the second factor up anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from rbac.services import second_factor


class Command(BaseCommand):
    help = "Forget the authenticator app of an account of support staff; its next sign-in sets up another one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("upn", help="what the person signs in with")

    def handle(self, *args: Any, upn: str, **options: Any) -> None:
        """Forget it. Raises CommandError for what the service refuses."""
        try:
            second_factor.forget(upn, by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{upn} sets up an authenticator app at the next sign-in.")

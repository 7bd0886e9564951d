"""`manage.py changepassword`: another password for support staff, in place of Django's command, which leaves no record."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from rbac.management.commands.create_support_account import read_password
from rbac.models import User
from rbac.services import accounts


class Command(BaseCommand):
    help = "Give an account of support staff another password; asked for twice, or one line from stdin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("upn")

    def handle(self, *args: Any, upn: str, **options: Any) -> None:
        """Change it. Raises CommandError for an unknown account and a password that is refused."""
        user = User.objects.filter(username=upn.strip().lower(), is_staff=True).first()
        if user is None:
            raise CommandError(f"There is no account of support staff called {upn}.")
        try:
            accounts.change_password(user, read_password(), by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{user.upn} has another password; sessions that began before have ended.")

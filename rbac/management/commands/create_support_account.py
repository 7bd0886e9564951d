"""`manage.py create_support_account`: somebody who may use the back office."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from rbac.services import accounts


class Command(BaseCommand):
    help = (
        "Open a local account of support staff. The password is asked for twice, or read as one line from stdin where "
        "that is no terminal; it is never an argument, which other users of the machine could read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("upn", help="what the person signs in with, e.g. jo@operator.example")
        parser.add_argument("--name", default="", help="the person's name")

    def handle(self, *args: Any, upn: str, name: str, **options: Any) -> None:
        """Open the account. Raises CommandError for what the service refuses."""
        try:
            user = accounts.open_support_account(upn, read_password(), name=name, by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{user.upn} signs in at the portal's sign-in page and finds the back office at /admin/.")


def read_password() -> str:
    """The password that was typed twice, or the line on stdin. Raises CommandError if the two differ or it is empty."""
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Password again: "):
            raise CommandError("The two passwords differ. Nothing was changed.")
    if not password:
        raise CommandError("A password is needed. Nothing was changed.")
    return password

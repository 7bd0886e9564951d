"""`manage.py demo`: the whole portal with made-up data on this machine. `make demo` installs what it needs first."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trm_portal.development import demo
from trm_portal.development.errors import SetUpError


class Command(BaseCommand):
    """Starts database, broker, web, worker, clock and a place to read the mails; Ctrl+C ends them."""

    help = "Run the portal with demo data on this machine."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the ports, and whether to start over."""
        demo.add_arguments(parser)

    def handle(self, *args: Any, reset: bool, **options: Any) -> None:
        """Return when the demo has ended."""
        try:
            demo.prepared().run(reset=reset)
        except SetUpError as error:
            raise CommandError(str(error)) from error

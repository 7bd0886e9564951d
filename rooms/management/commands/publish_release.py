"""`manage.py publish_release`: a new version of the devices' app goes through everybody's update rings."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from rooms.services import releases


class Command(BaseCommand):
    help = "Publish a version of the devices' app; its rollouts are scheduled in every tenant within minutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="up to four numbers, like 5.3.112.0")
        parser.add_argument("--notes", default="", help="what is new")

    def handle(self, *args: Any, version: str, notes: str, **options: Any) -> None:
        """Publish it. Raises CommandError for what the service refuses."""
        try:
            release = releases.publish(version, by=None, notes=notes)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Release {release.version} is published.")

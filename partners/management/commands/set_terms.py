"""`manage.py set_terms`: publish a version of the operator's terms."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from partners.services import terms


class Command(BaseCommand):
    help = (
        "Publish a new version of the terms that customers agree to when they add a partner. A new installation needs "
        "one before anybody can add a partner."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--en", type=Path, required=True, metavar="FILE", help="the English text (UTF-8)")
        parser.add_argument("--de", type=Path, required=True, metavar="FILE", help="the German text (UTF-8)")

    def handle(self, *args: Any, en: Path, de: Path, **options: Any) -> None:
        """Publish the texts. Raises CommandError for a file that cannot be read and for what the service refuses."""
        try:
            published = terms.publish(_read(en), _read(de), by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Version {published.version} is published (SHA-256 {published.digest}).")


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read as text: {error}") from error
    if "\x00" in text:
        raise CommandError(f"{path} is no text.")
    return text

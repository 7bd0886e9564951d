"""`manage.py after_restore`: nothing that the backup still believed opens anything by itself."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from partners.services import restoring

DONE = """Done, before anybody could use what the backup still believed:
- {relationships} relationships are suspended until an MMR Admin of the customer resumes them (Settings > Partners)
- {invitations} open invitations are withdrawn; customers invite again whom they still mean
- {tokens} API tokens are revoked
- {sessions} sessions are ended
- {messages} messages are held: look at them in the back office, then run this with --release-messages or --drop-messages
- {webhooks} webhooks are off until those who keep them turn them on (Settings > Webhooks); --drop-messages drops what
  waits for them

Tell the customers: people who were removed from a role after the backup are back in it.
Now run: manage.py check_invariants"""


class Command(BaseCommand):
    help = "Make a restored database safe before the portal is opened again. Running it twice does no harm."

    def add_arguments(self, parser: ArgumentParser) -> None:
        held = parser.add_mutually_exclusive_group()
        held.add_argument("--release-messages", action="store_true", help="let the held messages leave")
        held.add_argument("--drop-messages", action="store_true", help="cancel the held messages")

    def handle(self, *args: Any, release_messages: bool, drop_messages: bool, **options: Any) -> None:
        """Suspend, withdraw, end and hold; or decide about what is held."""
        if release_messages:
            self.stdout.write(f"{restoring.release_messages()} messages leave now.")
        elif drop_messages:
            self.stdout.write(f"{restoring.drop_messages()} messages are cancelled.")
        else:
            self.stdout.write(DONE.format(**vars(restoring.make_safe())))

"""`manage.py rotate_key_encryption`: after another secret was put first into ENROLLMENT_KEY_SECRETS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from partners.services import webhooks
from rooms.services import keys


class Command(BaseCommand):
    help = (
        "Encrypt every enrolment key and every secret of a webhook under the first of ENROLLMENT_KEY_SECRETS; afterwards "
        "the others can be taken away. Exit status 1 if one cannot be read with any of them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Encrypt all anew. Raises CommandError that names what cannot be read."""
        done, unreadable = keys.encrypt_anew()
        self.stdout.write(self.style.SUCCESS(f"{done} enrolment keys are encrypted under the first secret."))
        of_webhooks, lost = webhooks.encrypt_anew()
        self.stdout.write(
            self.style.SUCCESS(f"The secrets of {of_webhooks} webhooks are encrypted under the first secret.")
        )
        named = [f"{key.tenant_id} version {key.version}" for key in unreadable]
        named += [f"webhook {webhook.pk}" for webhook in lost]
        if named:
            raise CommandError(f"{len(named)} keys cannot be read with any of the secrets: {', '.join(named)}")

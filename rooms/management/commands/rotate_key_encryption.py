"""`manage.py rotate_key_encryption`: after another secret was put first into ENROLLMENT_KEY_SECRETS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rooms.services import keys


class Command(BaseCommand):
    help = (
        "Encrypt every enrolment key under the first of ENROLLMENT_KEY_SECRETS; afterwards the others can be taken "
        "away. Exit status 1 if a key cannot be read with any of them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Encrypt all anew. Raises CommandError that names the keys that cannot be read."""
        done, unreadable = keys.encrypt_anew()
        self.stdout.write(self.style.SUCCESS(f"{done} enrolment keys are encrypted under the first secret."))
        if unreadable:
            named = ", ".join(f"{key.tenant_id} version {key.version}" for key in unreadable)
            raise CommandError(f"{len(unreadable)} keys cannot be read with any of the secrets: {named}")

"""`manage.py found_tenant`: a new organisation, its first MMR Admin named by UPN."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from rbac.models import Tenant
from rbac.services import tenants
from rbac.upn import normalise

NEXT = """{name} is founded. Its id: {id}

What happens next:
- {admin} becomes its first MMR Admin by signing in at {url}; until then nobody can do anything in it.
- That person imports rooms, invites partners and gives roles to colleagues."""
WITHOUT_TID = """
- Its Entra tenant id is not known, so nobody of it can sign in yet: enter it in the back office, {url}/admin/."""
WITHOUT_DOMAIN = """
- It has no verified domain."""


class Command(BaseCommand):
    help = "Found a tenant. It may be a customer, a partner, or both; what it is follows from what it does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--admin", required=True, metavar="UPN", help="who becomes its first MMR Admin")
        parser.add_argument(
            "--domain", action="append", default=[], dest="domains", help="a domain you have verified; may be repeated"
        )
        parser.add_argument("--entra-tid", type=UUID, metavar="UUID", help="its tenant id at Entra")
        parser.add_argument("--time-zone", default="UTC", help="e.g. Europe/Berlin; decides its business days")
        parser.add_argument("--language", default="en", help="of mails to people who chose none: en or de")

    def handle(self, *args: Any, name: str, admin: str, domains: list[str], **options: Any) -> None:
        """Found it and say what happens next. Raises CommandError for what the service refuses."""
        try:
            tenant = tenants.found(
                name,
                admin_upn=admin,
                domains=domains,
                entra_tid=options["entra_tid"],
                time_zone=options["time_zone"],
                language=options["language"],
                by=None,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(_told(tenant, normalise(admin)))


def _told(tenant: Tenant, admin: str) -> str:
    text = NEXT.format(name=tenant.name, id=tenant.pk, admin=admin, url=settings.PUBLIC_URL)
    if tenant.entra_tid is None:
        text += WITHOUT_TID.format(url=settings.PUBLIC_URL)
    if not tenant.domains.exists():
        text += WITHOUT_DOMAIN
    return text

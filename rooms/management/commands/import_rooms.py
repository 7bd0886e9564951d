"""Import an inventory from a file, with the rights and in the name of a person of the tenant."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from rbac.models import Tenant, User
from rooms import change_control
from rooms.errors import UnreadableInventory
from rooms.inventory_reports import Outcome, Report
from rooms.services import inventory


class Command(BaseCommand):
    help = "Import rooms from the CSV of Get-Place or the JSON of Microsoft Graph; prints the report row by row."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="id or verified domain of the tenant")
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", required=True, metavar="UPN", help="person of the tenant who answers for it")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """The import is done and reported. Raises CommandError for an unknown tenant or person, or an unreadable file."""
        tenant = _tenant(options["tenant"])
        person = User.objects.filter(tenant=tenant, upn=options["by"].strip().lower(), is_active=True).first()
        if person is None:
            raise CommandError(f"{tenant} has no person {options['by']}.")
        try:
            report = _import(tenant, options["file"], person, is_dry=options["dry_run"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        except UnreadableInventory as error:
            raise CommandError(" ".join(error.messages)) from error
        except PermissionDenied as error:
            raise CommandError(f"{person} may not change rooms of {tenant}.") from error
        self._print(report, is_dry=options["dry_run"], is_chatty=options["verbosity"] > 1)

    def _print(self, report: Report, *, is_dry: bool, is_chatty: bool) -> None:
        for entry in report.entries:
            if is_chatty or entry.outcome in (Outcome.CHANGED, Outcome.REFUSED):
                details = "; ".join([*entry.field_labels, *entry.reasons])
                self.stdout.write(f"{entry.number:>6}  {entry.outcome.label:<10} {entry.account}  {details}".rstrip())
        counts = ", ".join(f"{count} {outcome.label.lower()}" for outcome, count in report.counts.items())
        self.stdout.write(f"{'Would be' if is_dry else 'Done'}: {counts}.")
        if report.has_more:
            self.stdout.write("The file says that it is one page of a longer list.")


def _tenant(text: str) -> Tenant:
    try:
        found = Tenant.objects.filter(pk=UUID(text)).first()
    except ValueError:
        found = Tenant.objects.filter(domains__domain=text.lower(), domains__verified_at__isnull=False).first()
    if found is None:
        raise CommandError(f"There is no tenant {text}.")
    return found


def _import(tenant: Tenant, path: Path, person: User, *, is_dry: bool) -> Report:
    with path.open("rb") as stream:
        if is_dry:
            return inventory.check(tenant, stream, by=person)
        return inventory.load(tenant, stream, path.name, by=person, submit=change_control.submit)

"""What needs the attention of support staff: shown on the first page of the back office."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.clock import Now
from audit.models import OutboxMessage, OutboxState
from partners.invariants import STUCK_AFTER
from partners.models import Terms
from rbac.models import Delegation


@dataclass(frozen=True)
class Concern:
    """Something that needs somebody's attention, and where to look at it."""

    text: str
    url: str


def concerns() -> Iterator[Concern]:
    """What needs attention now; nothing if all is well."""
    if not Terms.objects.exists():
        text = _("There are no terms: nobody can add a partner until some are published.")
        yield Concern(text, reverse("admin:partners_terms_publish"))
    undelivered = OutboxMessage.objects.filter(state=OutboxState.UNDELIVERABLE).count()
    if undelivered:
        text = ngettext("%(n)d message could not be delivered.", "%(n)d messages could not be delivered.", undelivered)
        yield Concern(text % {"n": undelivered}, _list(OutboxMessage, state__exact=OutboxState.UNDELIVERABLE))
    late = OutboxMessage.objects.filter(state=OutboxState.WAITING, due_at__lt=Now() - STUCK_AFTER).count()
    if late:
        text = ngettext(
            "%(n)d message is overdue: is a worker running?", "%(n)d messages are overdue: is a worker running?", late
        )
        yield Concern(text % {"n": late}, _list(OutboxMessage, state__exact=OutboxState.WAITING))
    orphaned = Delegation.objects.filter(needs_primary_admin=True).count()
    if orphaned:
        text = ngettext("%(n)d partner needs a primary admin.", "%(n)d partners need a primary admin.", orphaned)
        yield Concern(text % {"n": orphaned}, _list(Delegation, needs_primary_admin__exact=1))


def _list(model: type[Model], **lookups: object) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(lookups)}"

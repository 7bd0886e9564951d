"""What needs the attention of support staff: shown on the first page of the back office."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model, OuterRef, Q
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.clock import Now
from audit.models import OutboxMessage, OutboxState
from partners.invariants import STUCK_AFTER
from partners.models import Terms
from rbac import last_admins
from rbac.catalogue import BuiltIn
from rbac.models import Delegation, Tenant

# Somebody was; a tenant whose first one has not come yet is no concern.
WAS_ADMIN = last_admins.has_member(BuiltIn.MMR_ADMIN, Q(user__tenant=OuterRef("tenant")))


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
    locked_out = (
        last_admins.roles(BuiltIn.MMR_ADMIN).filter(WAS_ADMIN).exclude(last_admins.has_admin(BuiltIn.MMR_ADMIN))
    )
    tenants = sorted(str(one) for one in locked_out.values_list("tenant", flat=True))
    if tenants:
        text = ngettext(
            "%(n)d organisation has no MMR Admin who can act.",
            "%(n)d organisations have no MMR Admin who can act.",
            len(tenants),
        )
        yield Concern(text % {"n": len(tenants)}, _list(Tenant, id__in=",".join(tenants)))


def _list(model: type[Model], **lookups: object) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(lookups)}"

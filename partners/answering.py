"""Who answers invitations to a domain of a tenant, as of now: for mails, pages and services alike."""

from django.db.models import QuerySet

from partners.models import TenantManager
from rbac.models import Tenant, User
from rbac.services import notifications


def answering(tenant: Tenant) -> QuerySet[User]:
    """By UPN: the tenant managers who can act, else the MMR Admins of `tenant`."""
    named = TenantManager.of(tenant.pk)
    if not named.exists():
        return notifications.mmr_admins_of(tenant)
    return User.objects.filter(pk__in=named.values("user")).select_related("tenant").order_by("upn")

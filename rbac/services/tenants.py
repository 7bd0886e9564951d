"""Founding a tenant: with its built-in roles and its first MMR Admin, named by UPN."""

from collections.abc import Sequence
from uuid import UUID

from django.core.exceptions import PermissionDenied

from audit.clock import Now
from audit.log import recording
from audit.models import Category, Operation
from rbac.catalogue import CUSTOMER_ROLES, BuiltIn, permissions_of
from rbac.models import AssignmentKey, PendingClaim, Role, Tenant, TenantDomain, TenantStatus, User
from rbac.services import assignments
from rbac.upn import normalise


def found(
    name: str,
    *,
    admin_upn: str,
    domains: Sequence[str] = (),
    entra_tid: UUID | None = None,
    time_zone: str = "UTC",
    language: str = "en",
    by: User | None,
) -> Tenant:
    """A new tenant with the customer's built-in roles; `admin_upn` becomes its MMR Admin at the first sign-in.

    A tenant that arrived by an invitation is founded in place when its `entra_tid` is given. `by` is None for the
    command line. Raises PermissionDenied unless support staff ask, ValidationError for a UPN that is none,
    AlreadyFounded, DomainTaken, InvalidDomain.
    """
    upn = normalise(admin_upn)
    with recording(Category.SETTINGS, Operation.CREATE, name, tenant=None, by=by) as line:
        if by is not None and not (by.is_staff and by.tenant_id is None):
            raise PermissionDenied
        tenant = Tenant.objects.filter(entra_tid=entra_tid).exclude(entra_tid=None).first() or Tenant(
            entra_tid=entra_tid
        )
        tenant.name, tenant.time_zone, tenant.language, tenant.status = name, time_zone, language, TenantStatus.FOUNDED
        tenant.save()
        TenantDomain.objects.bulk_create(
            [TenantDomain(tenant=tenant, domain=domain.lower(), verified_at=Now()) for domain in domains]
        )
        roles = [
            Role.objects.create(tenant=tenant, key=key, name=key.value, permissions=sorted(permissions_of(key)))
            for key in CUSTOMER_ROLES
        ]
        admins = assignments.open_for(
            roles[CUSTOMER_ROLES.index(BuiltIn.MMR_ADMIN)],
            AssignmentKey.FOUNDERS.value,
            key=AssignmentKey.FOUNDERS,
            all_rooms=True,
            by=by,
        )
        PendingClaim.objects.create(
            tenant=tenant, upn=upn, assignment=admins, named_by=by.upn if by is not None else "system"
        )
        line.after = {"admin": upn, "domains": list(domains), "tenant_id": str(tenant.pk)}
    return tenant

"""Who somebody is when he arrives: (tid, oid) decides, never a name or an e-mail.

An account is found by (tid, oid) alone. A UPN that was named beforehand is a pending claim bound to a tenant; it is
consumed at the first home sign-in. Somebody from a tenant that is neither known nor awaited leaves no row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from audit.log import recording
from audit.models import Category, Operation
from rbac.models import PendingClaim, Tenant, TenantStatus, User
from rbac.services import assignments
from rbac.upn import domain_of, normalise


@dataclass(frozen=True)
class Identity:
    """What a trusted sign-in says of a person."""

    tid: UUID
    oid: UUID
    upn: str
    name: str = ""
    is_home_member: bool = True


def arrive(identity: Identity, *, is_awaited: Callable[[str], bool]) -> User:
    """The person's account, made at the first arrival, with today's UPN and name and its claims consumed.

    `is_awaited(upn)` says whether an open invitation names the UPN. Raises PermissionDenied for a stranger and for a
    deactivated account, ValidationError for a UPN that is none.
    """
    upn = normalise(identity.upn)
    known = User.objects.select_related("tenant").filter(entra_tid=identity.tid, entra_oid=identity.oid).first()
    if known is not None:
        return _return(known, identity, upn)
    with transaction.atomic():
        tenant = _home_of(identity, upn, is_awaited)
        with recording(Category.USER, Operation.CREATE, upn, tenant=tenant, by=None) as line:
            line.user_id, line.user_tenant_id = upn, tenant.pk
            User.objects.filter(tenant=tenant, upn=upn).update(upn=f"former-{identity.oid}@{domain_of(upn)}")
            user = User.objects.create(
                tenant=tenant,
                username=f"{identity.tid}:{identity.oid}",
                upn=upn,
                display_name=identity.name,
                entra_tid=identity.tid,
                entra_oid=identity.oid,
                is_home_member=identity.is_home_member,
                password="!",
            )
            _consume_claims(user)
    return user


def _return(user: User, identity: Identity, upn: str) -> User:
    if not user.is_active:
        raise PermissionDenied
    if (user.upn, user.display_name, user.is_home_member) != (upn, identity.name, identity.is_home_member):
        user.upn, user.display_name, user.is_home_member = upn, identity.name, identity.is_home_member
        user.save(update_fields=["upn", "display_name", "is_home_member"])
    if user.tenant is not None and PendingClaim.objects.filter(tenant=user.tenant, upn=upn).exists():
        with recording(Category.USER, Operation.UPDATE, upn, tenant=user.tenant, by=user):
            _consume_claims(user)
    return user


def _home_of(identity: Identity, upn: str, is_awaited: Callable[[str], bool]) -> Tenant:
    tenant = Tenant.objects.filter(entra_tid=identity.tid).first()
    if tenant is not None:
        if tenant.status == TenantStatus.CLOSED:
            raise PermissionDenied
        return tenant
    if not (identity.is_home_member and is_awaited(upn)):
        raise PermissionDenied
    return Tenant.objects.create(name=domain_of(upn), entra_tid=identity.tid, status=TenantStatus.ARRIVED)


def _consume_claims(user: User) -> None:
    if not user.is_home_member:
        return
    claims = PendingClaim.objects.filter(tenant_id=user.tenant_id, upn=user.upn).select_related("assignment__role")
    for claim in claims.select_for_update(of=("self",)):
        assignments.admit(claim.assignment, user, by=user)
        claim.delete()

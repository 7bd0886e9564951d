"""A tenant: founded with its built-in roles and its first MMR Admin, identified at Entra, named by its own people.

Domains are entered by the customer and count once support staff have verified them.
"""

import re
from collections.abc import Callable, Sequence
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404

from audit.clock import Now
from audit.log import recording
from audit.mail import one_line
from audit.models import Category, Operation
from rbac.access import require
from rbac.catalogue import CUSTOMER_ROLES, BuiltIn, Permission, permissions_of
from rbac.errors import (
    AlreadyFounded,
    DomainTaken,
    DomainVerified,
    InvalidDomain,
    InvalidName,
    TooManyDomains,
    UnknownLanguage,
    UnknownZone,
    WrongState,
)
from rbac.models import AssignmentKey, PendingClaim, Role, Tenant, TenantDomain, TenantStatus, User
from rbac.precondition import meet
from rbac.services import assignments
from rbac.services.accounts import is_support
from rbac.upn import normalise

# What the apps above give a tenant when it is founded; they know rbac, rbac does not know them.
_preparations: list[Callable[[Tenant], None]] = []


def prepares(step: Callable[[Tenant], None]) -> None:
    """Have `step` run for every tenant that is founded, in the same transaction."""
    if step not in _preparations:
        _preparations.append(step)


MOST_DOMAINS = 50
_MAX_DOMAIN = 48  # characters, as in a UPN
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def found(
    name: str,
    *,
    admin_upn: str,
    domains: Sequence[str] = (),
    entra_tid: UUID | None = None,
    time_zone: str = "UTC",
    language: str = "en",
    reason: str = "",
    by: User | None,
) -> Tenant:
    """A new tenant with the customer's built-in roles; `admin_upn` becomes its MMR Admin at the first sign-in.

    A tenant that arrived by an invitation is founded in place when its `entra_tid` is given. `by` is None for the
    command line. Raises PermissionDenied unless support staff ask, AlreadyFounded, DomainTaken, InvalidDomain,
    UnknownZone, UnknownLanguage, ValidationError for a UPN that is none and for a name that does not fit.
    """
    upn = normalise(admin_upn)
    with recording(Category.SETTINGS, Operation.CREATE, name, tenant=None, by=by) as line:
        if by is not None and not is_support(by):
            raise PermissionDenied
        tenant = _founded(name.strip(), entra_tid, time_zone, language)
        domains = sorted({_normal_domain(domain) for domain in domains})
        TenantDomain.objects.bulk_create(
            [TenantDomain(tenant=tenant, domain=domain, verified_at=Now()) for domain in domains]
        )
        _appoint(tenant, upn, by)
        for prepare in _preparations:
            prepare(tenant)
        line.after = {"admin": upn, "domains": domains, "tenant_id": str(tenant.pk), "reason": reason}
    return tenant


def identify(tenant: Tenant, entra_tid: UUID, *, by: User | None, reason: str = "") -> None:
    """People of the Entra tenant `entra_tid` sign in as people of `tenant`, which had none so far.

    Raises PermissionDenied unless support staff ask, WrongState if `tenant` has one, AlreadyFounded if another has it.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, tenant.name, tenant=None, by=by) as line:
        if by is not None and not is_support(by):
            raise PermissionDenied
        if Tenant.objects.filter(entra_tid=entra_tid).exists():
            raise AlreadyFounded
        if not Tenant.objects.filter(pk=tenant.pk, entra_tid=None).update(entra_tid=entra_tid):
            raise WrongState
        line.after = {"tenant_id": str(tenant.pk), "entra_tid": str(entra_tid), "reason": reason}
    tenant.entra_tid = entra_tid


def modify(tenant: Tenant, *, by: User, name: str, language: str, time_zone: str) -> Tenant:
    """`tenant` is called `name`; mails speak `language`; days and business days are counted in `time_zone`.

    Raises PermissionDenied if `by` may not modify settings here, InvalidName, UnknownLanguage, UnknownZone.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, tenant.name, tenant=tenant, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, tenant)
        current = _hold(tenant)
        meet(current)
        name = one_line(name)
        if not 0 < len(name) <= 200:
            raise InvalidName
        _check_locale(time_zone, language)
        line.before = _facts(current)
        current.name, current.language, current.time_zone = name, language, time_zone
        current.save(update_fields=["name", "language", "time_zone"])
        line.after = _facts(current)
    return current


def add_domain(tenant: Tenant, domain: str, *, by: User) -> TenantDomain:
    """`domain` stands in the tenant's list, not verified yet; whether another tenant has it is not told.

    Raises PermissionDenied if `by` may not modify settings here, InvalidDomain, DomainListed, TooManyDomains.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, f"domain {domain}", tenant=tenant, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, tenant)
        current, domain = _hold(tenant), _normal_domain(domain)
        if current.domains.count() >= MOST_DOMAINS:
            raise TooManyDomains(params={"most": MOST_DOMAINS})
        added = TenantDomain.objects.create(tenant=current, domain=domain)
        line.after = {"domain": domain, "verified": False}
    return added


def remove_domain(domain: TenantDomain, *, by: User) -> None:
    """`domain` is not in the list any more. Raises PermissionDenied, DomainVerified, Http404 if it is gone already."""
    with recording(
        Category.SETTINGS, Operation.UPDATE, f"domain {domain.domain}", tenant=domain.tenant_id, by=by
    ) as line:
        require(by, Permission.SETTINGS_MODIFY, domain.tenant)
        current = TenantDomain.objects.select_for_update().filter(pk=domain.pk).first()
        if current is None:
            raise Http404
        if current.verified_at is not None:
            raise DomainVerified
        current.delete()
        line.before = {"domain": domain.domain, "verified": False}


def verify_domain(domain: TenantDomain, *, by: User | None, reason: str = "") -> TenantDomain:
    """`domain` counts as the tenant's own from now on. `by` is None for the command line.

    Raises PermissionDenied unless support staff ask, DomainTaken if it is another tenant's, WrongState if it is verified
    already.
    """
    with recording(Category.SETTINGS, Operation.UPDATE, f"domain {domain.domain}", tenant=None, by=by) as line:
        if by is not None and not is_support(by):
            raise PermissionDenied
        if TenantDomain.objects.filter(domain=domain.domain, verified_at__isnull=False).exclude(pk=domain.pk).exists():
            raise DomainTaken
        if not TenantDomain.objects.filter(pk=domain.pk, verified_at=None).update(verified_at=Now()):
            raise WrongState
        line.after = {"tenant_id": str(domain.tenant_id), "verified": True, "reason": reason}
    domain.refresh_from_db()
    return domain


def _hold(tenant: Tenant) -> Tenant:
    """The tenant's row as it is now, held until the transaction ends."""
    return Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)


def _facts(tenant: Tenant) -> dict[str, str]:
    return {"name": tenant.name, "language": tenant.language, "time_zone": tenant.time_zone}


def _check_locale(time_zone: str, language: str) -> None:
    if time_zone not in available_timezones():
        raise UnknownZone
    if language not in dict(settings.LANGUAGES):
        raise UnknownLanguage


def _founded(name: str, entra_tid: UUID | None, time_zone: str, language: str) -> Tenant:
    """The tenant's row: a new one, or that of a tenant that has arrived already."""
    known = Tenant.objects.filter(entra_tid=entra_tid).first() if entra_tid is not None else None
    if known is not None and known.status != TenantStatus.ARRIVED:
        raise AlreadyFounded
    _check_locale(time_zone, language)
    tenant = known or Tenant(entra_tid=entra_tid)
    tenant.name, tenant.time_zone, tenant.language, tenant.status = name, time_zone, language, TenantStatus.FOUNDED
    tenant.clean_fields()
    tenant.save()
    return tenant


def _normal_domain(text: str) -> str:
    domain = text.strip().lower()
    if len(domain) > _MAX_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise InvalidDomain
    return domain


def _appoint(tenant: Tenant, upn: str, by: User | None) -> None:
    """The built-in roles exist, and a place as MMR Admin is kept for `upn`."""
    roles = {
        key: Role.objects.create(tenant=tenant, key=key, name=key.value, permissions=sorted(permissions_of(key)))
        for key in CUSTOMER_ROLES
    }
    founders = AssignmentKey.FOUNDERS
    admins = assignments.open_for(roles[BuiltIn.MMR_ADMIN], founders.value, key=founders, all_rooms=True, by=by)
    PendingClaim.objects.create(
        tenant=tenant, upn=upn, assignment=admins, named_by=by.upn if by is not None else "system"
    )

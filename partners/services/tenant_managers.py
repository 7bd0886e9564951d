"""Tenant managers: who answers invitations to a domain of a tenant. With nobody named, its MMR Admins do."""

from collections.abc import Sequence
from uuid import UUID

from django.http import Http404

from audit.log import recording
from audit.models import Category, Operation
from partners.errors import AlreadyManager, DuplicateContact, NoAdmin, UnknownColleague
from partners.models import TenantManager
from rbac.access import require
from rbac.catalogue import Permission
from rbac.models import Tenant, User
from rbac.upn import normalise


def appoint(tenant: Tenant, upn: str, *, by: User) -> TenantManager:
    """The person `upn` of `tenant` answers invitations to its domains.

    Raises PermissionDenied if `by` may not modify settings here, UnknownColleague unless such a person of `tenant` has
    signed in and is active, AlreadyManager, ValidationError for a UPN that is none.
    """
    upn = normalise(upn)
    with recording(Category.SETTINGS, Operation.UPDATE, f"tenant manager {upn}", tenant=tenant, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, tenant)
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        [person] = _people(tenant.pk, [upn])
        if TenantManager.objects.filter(tenant=tenant, user=person).exists():
            raise AlreadyManager(params={"upn": upn})
        manager = TenantManager.objects.create(tenant=tenant, user=person, appointed_by=by.upn)
        line.after = {"tenant_manager": upn}
    return manager


def dismiss(manager: TenantManager, *, by: User) -> None:
    """The person answers no more invitations for the tenant. Raises PermissionDenied, Http404 if that is so already."""
    upn = manager.user.upn
    with recording(Category.SETTINGS, Operation.UPDATE, f"tenant manager {upn}", tenant=manager.tenant, by=by) as line:
        require(by, Permission.SETTINGS_MODIFY, manager.tenant)
        if not TenantManager.objects.filter(pk=manager.pk).delete()[0]:
            raise Http404
        line.before = {"tenant_manager": upn}


def named(by: User, upns: Sequence[str]) -> list[User]:
    """The people of `by`'s own tenant that `upns` name, each once. A step of answering, which has asked.

    Raises NoAdmin, DuplicateContact, UnknownColleague, ValidationError for a UPN that is none.
    """
    assert by.tenant_id is not None
    wanted = [normalise(upn) for upn in upns]
    if not wanted:
        raise NoAdmin
    for upn in wanted:
        if wanted.count(upn) > 1:
            raise DuplicateContact(params={"upn": upn})
    return _people(by.tenant_id, wanted)


def _people(tenant_id: UUID, upns: Sequence[str]) -> list[User]:
    """The active members of the tenant with these UPNs, in this order. Raises UnknownColleague for who is none."""
    found = {
        person.upn: person
        for person in User.objects.filter(tenant=tenant_id, upn__in=upns, is_active=True, is_home_member=True)
    }
    for upn in upns:
        if upn not in found:
            raise UnknownColleague(params={"upn": upn})
    return [found[upn] for upn in upns]

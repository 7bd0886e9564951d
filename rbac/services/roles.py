"""Custom roles: whose they are, who may edit them, what they may hold.

Steps and rules of changes that rooms/services/roles.py makes: a role's permissions are indexed over rooms, which only
rooms knows. The caller has opened the recording.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404

from rbac.access import Rights, holding, holds_all, rights
from rbac.catalogue import CEILING, TENANT_PERMISSIONS, BuiltIn, Permission
from rbac.errors import AboveCeiling, BuiltInRole, NoPermissions, RoleNameTaken
from rbac.models import Assignment, AssignmentKey, Delegation, DelegationState, Role, Tenant, User
from rbac.services import delegations

NAME_LENGTH = 100


def delegation_of(tenant: Tenant, by: User) -> Delegation | None:
    """What new roles that `by` makes for `tenant` belong to: None, the tenant itself, for its own people; for a partner's
    the live delegation his organisation holds. Raises PermissionDenied if there is none.
    """
    if by.tenant_id == tenant.pk:
        return None
    live = Delegation.objects.filter(tenant=tenant, held_by=by.tenant_id, state=DelegationState.ACTIVE)
    found = live.select_related("tenant", "held_by").first() if by.tenant_id is not None else None
    if found is None:
        raise PermissionDenied
    return found


def hold_owner(tenant: Tenant, delegation: Delegation | None) -> None:
    """Hold the row under which the roles of `tenant`, or of `delegation`, are changed, until the transaction ends."""
    if delegation is None:
        Tenant.objects.select_for_update().get(pk=tenant.pk)
    else:
        delegations.lock(delegation.pk)


def hold(role: Role) -> Role:
    """`role` as it is now, with its owner's row held until the transaction ends. Raises Http404 if it is gone."""
    if role.delegation_id is not None:
        Delegation.objects.select_for_update().get(pk=role.delegation_id)
    else:
        Tenant.objects.select_for_update().get(pk=role.tenant_id)
    current = Role.objects.select_related("tenant", "delegation").filter(pk=role.pk).first()
    if current is None:
        raise Http404
    return current


def require_custom(role: Role) -> None:
    """Pass if `role` is no built-in one. Raises BuiltInRole."""
    if role.is_built_in:
        raise BuiltInRole


def checked(permissions: Iterable[str], delegation_id: UUID | None) -> list[str]:
    """`permissions` as a role holds them. Raises NoPermissions, AboveCeiling (a partner's), ValueError for unknown ones."""
    wanted = {Permission(code) for code in permissions}
    if not wanted:
        raise NoPermissions
    if delegation_id is not None and not wanted <= CEILING:
        raise AboveCeiling
    return sorted(one.value for one in wanted)


def require_free_name(name: str, tenant_id: UUID, delegation_id: UUID | None, *, besides: Role | None = None) -> None:
    """Pass if no other role of the same owner is called `name`, in whichever case. Raises RoleNameTaken."""
    taken = Role.objects.filter(tenant=tenant_id, delegation=delegation_id, key="", name__iexact=name)
    if besides is not None:
        taken = taken.exclude(pk=besides.pk)
    if taken.exists() or name.casefold() in {str(label).casefold() for label in BuiltIn.labels}:
        raise RoleNameTaken


def grantable(by: User, tenant_id: UUID, held: Rights | None = None) -> frozenset[Permission]:
    """The permissions `by` may put into a role of his: those he holds himself, on his side of the tenant."""
    live = rights(by, tenant_id) if held is None else held
    if by.tenant_id != tenant_id:
        live = tuple(one for one in live if one.delegation_id is not None)
        return CEILING.intersection(*[frozenset().union(*(one.permissions for one in live))])
    own = tuple(one for one in live if one.delegation_id is None)
    return frozenset(
        code
        for code in Permission
        if holding(own, code) and (code not in TENANT_PERMISSIONS or holds_all(own, code, tenant_id))
    )


def require_grantable(permissions: Collection[str], by: User, tenant_id: UUID) -> None:
    """Pass if `by` holds each of `permissions` himself. Raises PermissionDenied."""
    if not set(permissions) <= grantable(by, tenant_id):
        raise PermissionDenied


def require_not_through(role: Role, by: User) -> None:
    """Pass if `by` holds nothing through `role`: nobody changes what he holds his right through. Raises PermissionDenied."""
    own = {one.assignment_id for one in rights(by, role.tenant_id)}
    if Assignment.objects.filter(role=role, pk__in=own).exists():
        raise PermissionDenied


def is_primary(by: User, delegation_id: UUID) -> bool:
    """Whether `by` may modify the roles of the delegation as its primary admin, over all that is delegated."""
    base = Assignment.objects.filter(role__delegation=delegation_id, key=AssignmentKey.INVITED_ADMINS)
    held = {one.assignment_id for one in rights(by) if Permission.ROLES_MODIFY in one.permissions}
    return base.filter(pk__in=held).exists()


def is_primary_member(by: User, delegation: Delegation) -> bool:
    """Whether `by` is a primary admin of the delegation, whatever its state: while it is suspended he holds nothing."""
    if by.tenant_id != delegation.held_by_id or not (by.is_active and by.is_home_member):
        return False
    base = Assignment.objects.valid().filter(role__delegation=delegation, key=AssignmentKey.INVITED_ADMINS)
    by_group = Q(group_memberships__group__memberships__user=by)
    return base.filter(Q(memberships__user=by) | by_group).exists()


def require_primary(by: User, delegation: Delegation) -> None:
    """Pass if `by` himself is a primary admin of the delegation, whatever its state; his tools are none. Raises
    PermissionDenied."""
    if getattr(by, "limits", None) is not None or not is_primary_member(by, delegation):
        raise PermissionDenied

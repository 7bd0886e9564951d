"""What the pages of *Settings > Roles* offer to whom, and the tabs they share. The services decide."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from rbac import access
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, refuse
from rbac.models import Role

OWN, PARTNERS = "own", "partners"


def may_edit(request: TenantRequest, role: Role, *, base: bool = False) -> bool:
    """Whether the page offers to change `role` and its assignments: on the customer's side its own (of a partner's only
    *Invited admins*, `base`), on a partner's side those of its delegation. The services decide."""
    may = access.holds_all(request.held, Permission.ROLES_MODIFY, request.customer.pk)
    if role.delegation_id is None:
        return may
    if request.person.tenant_id == request.customer.pk:
        return may and base
    return any(
        Permission.ROLES_MODIFY in one.permissions and one.delegation_id == role.delegation_id for one in request.held
    )


def may_create(request: TenantRequest) -> bool:
    """Whether the page offers to make roles: the customer's own, or the partner's."""
    if request.person.tenant_id == request.customer.pk:
        return access.holds_all(request.held, Permission.ROLES_MODIFY, request.customer.pk)
    return any(Permission.ROLES_MODIFY in one.permissions and one.delegation_id is not None for one in request.held)


def require_edit(request: TenantRequest, role: Role, *, base: bool = False) -> None:
    """Pass if `may_edit`. Raises PermissionDenied, on record."""
    if not may_edit(request, role, base=base):
        refuse(request, Permission.ROLES_MODIFY)


def area_tabs(request: TenantRequest, current: str, labels: dict[str, Any], *, is_own: bool) -> list[dict[str, Any]]:
    """The tabs of *Settings > Roles*: lists of roles (`labels`), security groups, the permission table."""
    home = reverse("roles", args=[request.customer.pk])
    found = [
        {"label": label, "url": f"{home}?tab={name}", "current": name == current} for name, label in labels.items()
    ]
    further = {"permissions": (_("Permission table"), "permission_table")}
    if is_own and request.person.tenant_id == request.customer.pk:
        further = {"groups": (_("Security groups"), "security_groups")} | further
    return found + [
        {"label": label, "url": reverse(url, args=[request.customer.pk]), "current": name == current}
        for name, (label, url) in further.items()
    ]


def area_labels(request: TenantRequest) -> tuple[dict[str, Any], bool]:
    """The lists of roles the person may see, and whether the tenant's own are among them."""
    is_own = access.holds_all(request.held, Permission.ROLES_VIEW, request.customer.pk)
    labels = {OWN: _("Your roles"), PARTNERS: _("Partner roles")} if is_own else {PARTNERS: _("Partner roles")}
    return labels, is_own

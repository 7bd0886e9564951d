"""Roles: the customer's own, and a partner's for this customer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from rbac import access
from rbac.api.base import PAGING, CustomerView, answer_page, page_of, page_schema
from rbac.catalogue import CEILING, Permission, with_implied
from rbac.errors import (
    AboveCeiling,
    BuiltInRole,
    DatesNotInOrder,
    NoEndDate,
    NoPermissions,
    NotOfThisTenant,
    RoleNameTaken,
)
from rbac.gates import TenantRequest, find
from rbac.models import Role
from rooms import change_control
from rooms.api import role_examples as examples
from rooms.api.role_serializers import NewRole, RoleChanges, RoleItem
from rooms.errors import AwaitsApproval, EmptyScope, UnknownRooms

TAG = "Roles"
ASSIGNING = (NoEndDate, DatesNotInOrder, EmptyScope, UnknownRooms, NotOfThisTenant, AwaitsApproval)


class Roles(CustomerView):
    versioned = Role
    makes = "api-role"
    gate = (Permission.ROLES_VIEW,)
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (RoleNameTaken, NoPermissions, AboveCeiling, *ASSIGNING)}

    @extend_schema(
        operation_id="roles",
        tags=[TAG],
        summary="The roles you may see",
        description="Needs `roles.view` for all rooms; a partner sees its own roles for this customer.",
        parameters=PAGING,
        responses=page_schema(RoleItem),
        examples=[examples.ROLES],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        found = page_of(request, visible_roles(request), ("name", "id"))
        return answer_page(request, found, [shown(one) for one in found.items])

    @extend_schema(
        operation_id="role_create",
        tags=[TAG],
        summary="Make a custom role",
        description=(
            "Needs `roles.modify`; nobody gives what he does not hold himself. Made by a partner it is that partner’s role "
            "for this customer, below what its primary admins hold, in delegated rooms."
        ),
        request=NewRole,
        responses={201: RoleItem},
        examples=[examples.NEW_ROLE, examples.ROLE],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        wanted = self.read(NewRole)
        if "assignment" in wanted:
            wanted["assignment"] = plain(wanted["assignment"])
        made = submit(request, request.customer, "create", **wanted)
        return self.answer(made, shown(find_role(request, made.pk)), status=201)


class OneRole(CustomerView):
    versioned = Role
    gate = (Permission.ROLES_VIEW,)
    problems = {
        "patch": (BuiltInRole, RoleNameTaken, NoPermissions, AboveCeiling, AwaitsApproval),
        "delete": (BuiltInRole, AwaitsApproval),
    }

    @extend_schema(
        operation_id="role",
        tags=[TAG],
        summary="One role",
        description="Needs `roles.view`.",
        responses=RoleItem,
        examples=[examples.ROLE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, role_id: int) -> Response:
        found = find_role(request, role_id)
        return self.answer(found, shown(found))

    @extend_schema(
        operation_id="role_modify",
        tags=[TAG],
        summary="Change a custom role",
        description=(
            "Needs `roles.modify` on the side that owns the role. Permissions that are added you hold yourself in all rooms "
            "of its assignments, and not through this role."
        ),
        request=RoleChanges,
        responses=RoleItem,
        examples=[examples.ROLE_CHANGES, examples.ROLE],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, role_id: int) -> Response:
        found = find_role(request, role_id)
        submit(request, found, "modify", **self.read(RoleChanges))
        changed = find_role(request, role_id)
        return self.answer(changed, shown(changed))

    @extend_schema(
        operation_id="role_delete",
        tags=[TAG],
        summary="Delete a custom role",
        description="With its assignments. Needs `roles.modify`; the customer deletes a partner’s roles as well.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, role_id: int) -> Response:
        submit(request, find_role(request, role_id), "delete")
        return Response(status=204)


def visible_roles(request: TenantRequest) -> QuerySet[Role]:
    """The roles the caller may see."""
    own = Role.objects.filter(tenant=request.customer).select_related("delegation__relationship")
    return access.visible(request.person, Permission.ROLES_VIEW, own, request.held)


def find_role(request: TenantRequest, role_id: int) -> Role:
    """The role, if the caller may see it. Raises Http404 otherwise."""
    own = Role.objects.filter(tenant=request.customer).select_related("tenant", "delegation__relationship")
    return find(request, Permission.ROLES_VIEW, own, pk=role_id)


def submit(request: TenantRequest, target: Any, action: str, **wanted: Any) -> Any:
    """Through change control, as everything that a partner may reach."""
    return change_control.submit(Permission.ROLES_MODIFY, target, by=request.person, action=action, **wanted)


def plain(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`wanted` in plain JSON values, as change control keeps them."""
    return {
        name: value.isoformat() if name in ("valid_from", "valid_until") and value is not None else value
        for name, value in wanted.items()
    }


def shown(role: Role) -> dict[str, Any]:
    """A role as answers show it."""
    held = with_implied(role.permissions)
    if role.delegation_id is not None:
        held &= CEILING
    return {
        "id": role.pk,
        "key": role.key,
        "name": role.label,
        "description": role.description,
        "owner": "customer" if role.delegation is None else "partner",
        "partner": "" if role.delegation is None else role.delegation.relationship.label,
        "permissions": role.permissions,
        "effective": [code.value for code in Permission if code in held],
        "version": role.version,
    }

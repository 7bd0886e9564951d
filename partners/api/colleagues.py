"""Primary admins that a partner adds itself, and who answers invitations by domain for an organisation."""

from typing import Any, cast
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from partners import customers as reading
from partners.api import customer_examples as examples
from partners.api.serializers import Colleagues as ColleaguesSchema
from partners.api.serializers import ColleaguesBody, ManagerBody, ManagerItem
from partners.errors import (
    AlreadyInvited,
    AlreadyManager,
    AlreadyPrimaryAdmin,
    DailyLimit,
    DuplicateContact,
    NotAColleague,
    NotAPerson,
    UnknownColleague,
)
from partners.models import TenantManager
from partners.services import tenant_managers
from partners.services.colleagues import ACTION
from rbac import access
from rbac.api.base import PAGING, CustomerView, absolute, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, refuse
from rbac.services.delegations import base_assignment
from rooms import change_control
from rooms.errors import AwaitsApproval


class Colleagues(CustomerView):
    """For a partner's primary admins, and their tools."""

    gate = (Permission.ROLES_VIEW,)
    problems = {
        "post": (
            *(DuplicateContact, NotAColleague, NotAPerson, AlreadyInvited, AlreadyPrimaryAdmin, DailyLimit),
            AwaitsApproval,
        )
    }

    @extend_schema(
        operation_id="colleagues_add",
        tags=["Customers"],
        summary="Add colleagues as primary admins",
        description=(
            "For primary admins of a partner, and tools with `roles.modify`. People of your organisation who have signed in "
            "become primary admins at once; others, of its verified domains, are sent an invitation. All of them or nobody."
        ),
        request=ColleaguesBody,
        responses={201: ColleaguesSchema},
        examples=[examples.COLLEAGUES, examples.ADDED],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        delegation = reading.held_by(request.person).filter(tenant=tenant_id).first()
        if delegation is None:
            refuse(request, Permission.ROLES_MODIFY)
        body = self.read(ColleaguesBody)
        people = [{"name": one["name"], "upn": one["upn"]} for one in body["people"]]
        invited = change_control.submit(
            Permission.ROLES_MODIFY,
            base_assignment(delegation),
            by=request.person,
            action=ACTION,
            people=people,
            days=body["days"],
        )
        admins = [{"name": one.get_full_name(), "upn": one.upn} for one in reading.admins_of(delegation)]
        return Response({"primary_admins": admins, "invited": invited}, status=status.HTTP_201_CREATED)


class ManagersView(CustomerView):
    """Settings of one's own organisation."""

    gate = (Permission.SETTINGS_VIEW,)
    is_whole = True

    def named(self, request: TenantRequest) -> Any:
        """The tenant managers that are named."""
        rows = TenantManager.objects.filter(tenant=request.customer).select_related("user", "tenant")
        return access.visible(request.person, Permission.SETTINGS_VIEW, rows, request.held)


class Managers(ManagersView):
    makes = "api-tenant-manager"
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (UnknownColleague, AlreadyManager)}

    @extend_schema(
        operation_id="tenant_managers",
        tags=["Settings"],
        summary="The tenant managers of your organisation",
        description="Needs `settings.view`. While none of them can act, the MMR Admins answer invitations by domain.",
        parameters=PAGING,
        responses=page_schema(ManagerItem),
        examples=[examples.MANAGERS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        found = page_of(cast(Request, request), self.named(request), ("created_at", "id"))
        return answer_page(cast(Request, request), found, [_manager(one) for one in found.items])

    @extend_schema(
        operation_id="tenant_manager_appoint",
        tags=["Settings"],
        summary="Appoint a tenant manager",
        description="Needs `settings.modify`. Somebody of your organisation who has signed in before.",
        request=ManagerBody,
        responses={201: ManagerItem},
        examples=[examples.MANAGER_WANTED, examples.MANAGER],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        made = tenant_managers.appoint(request.customer, self.read(ManagerBody)["upn"], by=request.person)
        place = absolute(reverse("api-tenant-manager", args=[tenant_id, made.pk]))
        return Response(_manager(made), status=status.HTTP_201_CREATED, headers={"Location": place})


class OneManager(ManagersView):
    @extend_schema(
        operation_id="tenant_manager",
        tags=["Settings"],
        summary="One tenant manager",
        description="Needs `settings.view`.",
        responses=ManagerItem,
        examples=[examples.MANAGER],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, manager_id: int) -> Response:
        return Response(_manager(self._find(request, manager_id)))

    @extend_schema(
        operation_id="tenant_manager_dismiss",
        tags=["Settings"],
        summary="Dismiss a tenant manager",
        description="Needs `settings.modify`. Nothing else of the person changes.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, manager_id: int) -> Response:
        tenant_managers.dismiss(self._find(request, manager_id), by=request.person)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _find(self, request: TenantRequest, manager_id: int) -> TenantManager:
        found: TenantManager | None = self.named(request).filter(pk=manager_id).first() if manager_id < 2**63 else None
        if found is None:
            raise Http404
        return found


def _manager(manager: TenantManager) -> dict[str, Any]:
    return {
        "id": manager.pk,
        "name": manager.user.get_full_name(),
        "upn": manager.user.upn,
        "is_active": manager.user.is_active,
        "appointed_by": manager.appointed_by,
        "created_at": manager.created_at,
    }

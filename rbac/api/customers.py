"""The customers one can work in: one's own organisation, and those that delegated something to it."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from rbac import gates
from rbac.api.base import PAGING, ApiView, CustomerView, answer_page, page_of, page_schema
from rbac.api.effective import Reach, effective
from rbac.gates import TenantRequest
from rbac.models import Tenant

TAG = "Customers"


class Customer(serializers.Serializer[Any]):
    """A customer one can work in."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    is_home = serializers.BooleanField(help_text="Whether it is your own organisation.")
    time_zone = serializers.CharField()


class CustomerDetail(Customer):
    """A customer, and how far you hold each permission there."""

    permissions = serializers.DictField(child=serializers.ChoiceField(choices=Reach.values))


_ITEM = {
    "id": "3f0c2a56-6a0b-4c1e-9d6f-0f6b1c9f2a11",
    "name": "Contoso",
    "is_home": False,
    "time_zone": "Europe/Berlin",
}


def shown(tenant: Tenant, home: UUID | None) -> dict[str, Any]:
    """A customer as lists show it."""
    return {"id": tenant.pk, "name": tenant.name, "is_home": tenant.pk == home, "time_zone": tenant.time_zone}


class Customers(ApiView):
    parameters = frozenset({"cursor", "page_size"})

    @extend_schema(
        operation_id="customers",
        tags=[TAG],
        summary="The customers you can work in",
        description="By name; your own organisation is among them, unless you ask with a token.",
        parameters=PAGING,
        responses=page_schema(Customer),
        examples=[
            OpenApiExample("One customer", value={"items": [_ITEM], "next": None, "previous": None}, response_only=True)
        ],
    )
    def get(self, request: Request) -> Response:
        ids = [one.pk for one in gates.standing(request).tenants]  # type: ignore[arg-type]
        found = page_of(request, Tenant.objects.filter(pk__in=ids), ("name", "id"))
        return answer_page(request, found, [shown(one, request.user.tenant_id) for one in found.items])


class OneCustomer(CustomerView):
    @extend_schema(
        operation_id="customer",
        tags=[TAG],
        summary="One customer",
        responses=CustomerDetail,
        examples=[
            OpenApiExample(
                "A partner’s view",
                value=_ITEM | {"permissions": {"rooms.view": "in_scope", "rooms.reset_key": "nowhere"}},
                response_only=True,
            )
        ],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        customer = request.customer
        return Response(
            shown(customer, request.person.tenant_id) | {"permissions": effective(request.held, customer.pk)}
        )

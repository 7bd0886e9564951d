"""The audit log of a customer, newest first: what its page shows and its whole export holds, for programs."""

from datetime import UTC
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from audit.clock import now
from audit.forms import KEPT, SHOWN_AT_FIRST, FilterForm, PeriodForm
from audit.models import AuditEvent, Category, Operation, Result
from partners.lists import names_for_the_log
from partners.models import PartnerRelationship
from rbac.api.base import PAGING, CustomerView, answer_page, page_of, page_schema, uuid_parameter
from rbac.api.errors import refuse_filter
from rbac.catalogue import Permission
from rbac.gates import TenantRequest

_DAY = {"type": "string", "format": "date"}
_FILTERS = [
    OpenApiParameter("start", _DAY, description=f"First day, UTC; {SHOWN_AT_FIRST.days} days ago if nothing is said."),
    OpenApiParameter("end", _DAY, description=f"Last day, UTC; else today. The log goes back {KEPT.days} days."),
    OpenApiParameter("category", str, enum=Category.values),
    OpenApiParameter("result", str, enum=Result.values),
    OpenApiParameter("user", str, description="How the UPN begins."),
    OpenApiParameter(
        "partner", {"type": "string", "format": "uuid"}, description="What the people of this partner did."
    ),
]


class AuditEntry(serializers.Serializer[Any]):
    """A line of the log."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    category = serializers.ChoiceField(choices=Category.values)
    operation = serializers.ChoiceField(choices=Operation.values)
    object = serializers.CharField()
    result = serializers.ChoiceField(choices=Result.values)
    code = serializers.CharField(help_text="Which problem, of a failure.")
    user = serializers.CharField(help_text="UPN; `system` for the portal itself.")
    user_tenant = serializers.UUIDField(allow_null=True)
    partner = serializers.UUIDField(allow_null=True, help_text="The partner that it is about, or that did it.")
    approver = serializers.CharField(help_text="Who approved it, if a partner had to ask first.")
    request_id = serializers.CharField()
    ip = serializers.CharField(allow_null=True)
    before = serializers.DictField(allow_null=True, help_text="Plain values that were there before.")
    after = serializers.DictField(allow_null=True, help_text="Plain values that are there afterwards.")


_ENTRY = {
    "id": 90211,
    "at": "2026-02-03T14:05:00Z",
    "category": "Room",
    "operation": "Update",
    "object": "Zugspitze",
    "result": "Successful",
    "code": "",
    "user": "ann@fabrikam.example",
    "user_tenant": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "partner": "0d0c7f52-51c3-4f0c-8a57-0a5f2f6f3c11",
    "approver": "mara@contoso.example",
    "request_id": "f3a1c7",
    "ip": "198.51.100.7",
    "before": {"capacity": 8},
    "after": {"capacity": 14},
}


class AuditLog(CustomerView):
    """For the customer's own MMR Admins, as the page is."""

    gate = (Permission.SETTINGS_MODIFY,)
    is_whole = True
    parameters = frozenset({"start", "end", "category", "result", "user", "partner", "cursor", "page_size"})

    @extend_schema(
        operation_id="audit_log",
        tags=["Audit log"],
        summary="The audit log",
        description="Newest first. Needs `settings.modify` for the whole organisation; refused attempts are in it too.",
        parameters=[*_FILTERS, *PAGING],
        responses=page_schema(AuditEntry),
        examples=[
            OpenApiExample("One line", value={"items": [_ENTRY], "next": None, "previous": None}, response_only=True)
        ],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        period = PeriodForm(request.query_params, today=now().astimezone(UTC).date())
        asked = request.query_params.dict() | {"partner": _delegation(request, tenant_id)}
        filters = FilterForm(asked, partners=names_for_the_log(tenant_id))
        for form in (period, filters):
            refuse_filter(form)
        events = AuditEvent.objects.filter(tenant_id=tenant_id, at__gte=period.since, at__lt=period.before)
        found = page_of(request, filters.narrow(events), ("-at", "-id"))
        partners = _partners(found.items)
        return answer_page(request, found, [_item(one, partners) for one in found.items])


def _delegation(request: TenantRequest, tenant_id: UUID) -> str:
    """What the log calls the relationship that was asked for. Raises InvalidParameters."""
    wanted = uuid_parameter(request, "partner")  # type: ignore[arg-type]
    if wanted is None:
        return ""
    found = PartnerRelationship.objects.filter(tenant=tenant_id, pk=wanted).values_list("delegation", flat=True).first()
    return str(found or wanted)  # one that there is not is no choice


def _partners(events: list[AuditEvent]) -> dict[UUID, UUID]:
    """The partners, by what the log calls their relationship."""
    named = {one.relationship_id for one in events if one.relationship_id is not None}
    return dict(PartnerRelationship.objects.filter(delegation__in=named).values_list("delegation", "pk"))


def _item(event: AuditEvent, partners: dict[UUID, UUID]) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": event.at,
        "category": event.category,
        "operation": event.operation,
        "object": event.object_name,
        "result": event.result,
        "code": event.code,
        "user": event.user_id,
        "user_tenant": event.user_tenant_id,
        "partner": partners.get(event.relationship_id) if event.relationship_id else None,
        "approver": event.approver,
        "request_id": event.request_id,
        "ip": event.ip,
        "before": event.before,
        "after": event.after,
    }

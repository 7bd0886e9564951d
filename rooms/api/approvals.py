"""Approval requests for tools: the partner follows and withdraws its own, the customer decides."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response

from rbac.api.base import PAGING, Body, CustomerView, Nothing, answer_page, page_of, page_schema
from rbac.api.errors import InvalidParameters
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.errors import StaleVersion
from rbac.gates import TenantRequest
from rooms import change_control
from rooms.errors import AwaitsApproval, CommentRequired, OwnRequest, RequestOver, StillWaiting
from rooms.inbox import find_request, in_state, readable, require_place, seen, state_of
from rooms.models import ApprovalRequest, ApprovalState
from rooms.services import approvals

TAG = "Approvals"


class ApprovalItem(serializers.Serializer[Any]):
    """A request as lists show it."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=ApprovalState.choices)
    event = serializers.ChoiceField(choices=[one.value for one in CONTROLLED_EVENTS])
    action = serializers.CharField(help_text="What of the event, e.g. `modify`.")
    object = serializers.CharField(allow_null=True, help_text="What it is about; null once it has left your scope.")
    partner = serializers.CharField(help_text="What the customer calls the partner.")
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class ObjectChange(serializers.Serializer[Any]):
    """What would change of one object, or was changed."""

    category = serializers.CharField()
    object = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class ApprovalDetail(ApprovalItem):
    """All about one request."""

    justification = serializers.CharField(allow_blank=True)
    changes = ObjectChange(many=True, help_text="Empty once it has left your scope.")
    decided_by = serializers.CharField(allow_blank=True)
    comment = serializers.CharField(allow_blank=True)
    failure_code = serializers.CharField(allow_blank=True, help_text="Why an approved change could not be done.")


class Decision(Body):
    """What the customer decides."""

    decision = serializers.ChoiceField(choices=["approve", "reject"])
    comment = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


_ITEM = {
    "id": "0d0c7f52-51c3-4f0c-8a57-0a5f2f6f3c11",
    "state": "pending",
    "event": "rooms.modify",
    "action": "modify",
    "object": "Room Zugspitze",
    "partner": "Fabrikam AV Services",
    "requested_by": "ann@fabrikam.example",
    "requested_at": "2026-02-03T14:05:00Z",
    "expires_at": "2026-02-10T14:05:00Z",
    "decided_at": None,
}
_DETAIL = _ITEM | {
    "justification": "The room was renamed on the door.",
    "changes": [
        {
            "category": "Room",
            "object": "Room Zugspitze",
            "before": {"display_name": "Room Zugspitze"},
            "after": {"display_name": "Room Watzmann"},
        }
    ],
    "decided_by": "",
    "comment": "",
    "failure_code": "",
}
_DONE = _DETAIL | {
    "state": "executed",
    "decided_at": "2026-02-04T09:00:00Z",
    "decided_by": "admin@contoso.example",
    "comment": "Fine.",
}
_GONE = _DETAIL | {
    "state": "withdrawn",
    "decided_at": "2026-02-04T09:00:00Z",
    "decided_by": "ann@fabrikam.example",
}
MANY = OpenApiExample(
    "One request", value={"items": [_ITEM], "next": None, "previous": None}, response_only=True, status_codes=["200"]
)
ONE = OpenApiExample("A request", value=_DETAIL, response_only=True, status_codes=["200"])
DECIDED = OpenApiExample("Approved and done", value=_DONE, response_only=True, status_codes=["200"])
WITHDRAWN = OpenApiExample("Withdrawn", value=_GONE, response_only=True, status_codes=["200"])
APPROVE = OpenApiExample("Approve", value={"decision": "approve", "comment": "Fine."}, request_only=True)


class Approvals(CustomerView):
    parameters = frozenset({"cursor", "page_size", "state"})

    @extend_schema(
        operation_id="approvals",
        tags=[TAG],
        summary="The approval requests you may see",
        description="Newest first. A partner sees what was asked for through its own delegation; the customer all.",
        parameters=[OpenApiParameter("state", str, enum=ApprovalState.values), *PAGING],
        responses=page_schema(ApprovalItem),
        examples=[MANY],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        require_place(request)
        found = seen(request)
        state = request.query_params.get("state")  # type: ignore[attr-defined]
        if state is not None and state not in ApprovalState.values:
            raise InvalidParameters({"state": ("invalid_choice", ", ".join(ApprovalState.values))})
        if state:
            found = in_state(found, ApprovalState(state))
        listed = page_of(request, found, ("-requested_at", "-id"))  # type: ignore[arg-type]
        shown = readable(request.person, request.held, listed.items)
        items = [item_of(one, is_shown=one.pk in shown) for one in listed.items]
        return answer_page(request, listed, items)  # type: ignore[arg-type]


class OneApproval(CustomerView):
    versioned = ApprovalRequest

    @extend_schema(
        operation_id="approval",
        tags=[TAG],
        summary="One approval request",
        description="With what would change, and what has become of it.",
        responses=ApprovalDetail,
        examples=[ONE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, approval_id: UUID) -> Response:
        found = find_request(request, approval_id)
        return self.answer(found, _detail(request, found))


class ApprovalDecision(CustomerView):
    versioned = ApprovalRequest
    gate = (Permission.SETTINGS_MODIFY,)
    is_whole = True
    problems = {"post": (CommentRequired, OwnRequest, RequestOver)}

    @extend_schema(
        operation_id="approval_decide",
        tags=[TAG],
        summary="Approve or reject",
        description=(
            "For the customer’s MMR admins. Approving carries the change out in the requester’s name: it is `executed`, or "
            "`failed` with the reason, and then nothing has changed. A rejection needs a comment."
        ),
        request=Decision,
        responses=ApprovalDetail,
        examples=[APPROVE, DECIDED],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, approval_id: UUID) -> Response:
        found = find_request(request, approval_id)
        wanted = self.read(Decision)
        if wanted["decision"] == "approve":
            change_control.approve(found, by=request.person, comment=wanted["comment"])
        else:
            approvals.reject(found, by=request.person, comment=wanted["comment"])
        decided = find_request(request, approval_id)
        return self.answer(decided, _detail(request, decided))


class ApprovalWithdrawal(CustomerView):
    versioned = ApprovalRequest
    problems = {"post": (RequestOver,)}

    @extend_schema(
        operation_id="approval_withdraw",
        tags=[TAG],
        summary="Withdraw your request",
        request=None,
        responses=ApprovalDetail,
        examples=[WITHDRAWN],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, approval_id: UUID) -> Response:
        found = find_request(request, approval_id)
        if request.data:  # type: ignore[attr-defined]
            raise ValidationError([ErrorDetail("Send no body.", code="invalid")])
        approvals.withdraw(found, by=request.person)
        decided = find_request(request, approval_id)
        return self.answer(decided, _detail(request, decided))


class ApprovalAgain(CustomerView):
    problems = {"post": (StillWaiting, StaleVersion, RequestOver, AwaitsApproval)}

    @extend_schema(
        operation_id="approval_again",
        tags=[TAG],
        summary="Ask again for the same change",
        description=(
            "For whoever asked. The change is submitted once more, from how things are now: 202 with the new request, or "
            "204 if the customer lets it happen by now. It can break every rule that the change itself can break."
        ),
        request=None,
        responses={204: None},
    )
    def post(self, request: TenantRequest, tenant_id: UUID, approval_id: UUID) -> Response:
        found = find_request(request, approval_id)
        self.read(Nothing)
        change_control.ask_again(found, by=request.person)
        return Response(status=204)


def item_of(found: ApprovalRequest, *, is_shown: bool) -> dict[str, Any]:
    """A request as lists show it; without the object once it has left the reader's scope."""
    return {
        "id": found.pk,
        "state": state_of(found),
        "event": found.event,
        "action": found.action,
        "object": found.target_name if is_shown else None,
        "partner": found.delegation.relationship.label,
        "requested_by": found.requested_upn,
        "requested_at": found.requested_at,
        "expires_at": found.expires_at,
        "decided_at": found.decided_at,
    }


def _detail(request: TenantRequest, found: ApprovalRequest) -> dict[str, Any]:
    item = item_of(found, is_shown=bool(readable(request.person, request.held, [found])))
    return item | {
        "justification": found.justification,
        "changes": found.changes if item["object"] is not None else [],
        "decided_by": found.decided_upn,
        "comment": found.comment,
        "failure_code": found.failure_code,
    }

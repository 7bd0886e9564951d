"""Many rooms or tickets of several customers in one request, each for itself; and the filters of the lists over all."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.response import Response

from rbac.api.base import PAGING, AggregateView, Body, answer_page, page_of, page_schema
from rbac.api.errors import InvalidParameters
from rbac.catalogue import Permission
from rbac.gates import PersonRequest
from rooms import change_control
from rooms.api import bulk as of_one
from rooms.api.aggregate import TAG
from rooms.api.bulk import FilterChanges, FilterItem, NewFilter, SharedChanges, params_of
from rooms.api.ticket_serializers import OPEN_STATES
from rooms.bulk_reports import reason_of
from rooms.errors import FilterNameTaken, TooManyFilters
from rooms.models import OF_TICKETS, BulkAction, FilterView, SavedFilter
from rooms.services import bulk, saved_filters
from rooms.services.bulk import Fate, Outcome
from rooms.services.monitoring import LONGEST_REASON
from rooms.services.tickets import REASONS
from rooms.values import MAX_TAGS

MOST = 200  # rooms or tickets of one request, which are done before it is answered
_ID = {"min_value": 1, "max_value": 2**63 - 1}
_OF_ROOMS = (BulkAction.EDIT, BulkAction.ENROLL, BulkAction.SUPPRESS, BulkAction.UNSUPPRESS, BulkAction.RING)
# What an action needs to be told, beside its objects; everything else is an error.
_TAKES: dict[str, tuple[str, ...]] = {
    BulkAction.EDIT: ("changes", "add_tags", "remove_tags"),
    BulkAction.ENROLL: (),
    BulkAction.SUPPRESS: ("until", "reason"),
    BulkAction.UNSUPPRESS: (),
    BulkAction.RING: (),
    BulkAction.ASSIGN: (),
    BulkAction.STATE: ("state",),
    BulkAction.WRITE: ("text",),
    BulkAction.CLOSE: ("closing_reason", "note"),
}
_NEEDS = ("state", "text", "closing_reason")
_CUSTOMER = "3f0c2a56-6a0b-4c1e-9d6f-0f6b1c9f2a11"


class CustomersRooms(Body):
    """Rooms of one customer."""

    customer = serializers.UUIDField()
    rooms = serializers.ListField(child=serializers.IntegerField(**_ID), min_length=1, max_length=MOST)
    ring = serializers.IntegerField(required=False, help_text="For `ring`: the id of one of its rings.", **_ID)


class CustomersTickets(Body):
    """Tickets of one customer."""

    customer = serializers.UUIDField()
    tickets = serializers.ListField(child=serializers.IntegerField(**_ID), min_length=1, max_length=MOST)


class _Many(Body):
    """What the two have in common: each customer once, and no more than MOST in all."""

    objects = ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        takes, parts = _TAKES[attrs["action"]], attrs["customers"]
        unknown = [name for name in attrs if name not in ("customers", "action", *takes)]
        missing = [name for name in _NEEDS if name in takes and name not in attrs]
        errors = {name: [ErrorDetail("This does not belong to the action.", code="unknown_field")] for name in unknown}
        errors |= {name: [ErrorDetail("This field is required.", code="required")] for name in missing}
        if attrs["action"] == BulkAction.EDIT and not any(attrs.get(name) for name in takes):
            errors["changes"] = [ErrorDetail("Name at least one field.", code="empty")]
        if len({part["customer"] for part in parts}) < len(parts):
            errors["customers"] = [ErrorDetail("Name each customer once.", code="repeated")]
        elif sum(len(part[self.objects]) for part in parts) > MOST:
            errors["customers"] = [ErrorDetail(f"Name at most {MOST} in all.", code="max_length")]
        elif any(("ring" in part) != (attrs["action"] == BulkAction.RING) for part in parts if self.objects == "rooms"):
            errors["customers"] = [ErrorDetail("A ring of each customer is for `ring`, and only for it.", code="ring")]
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


def _tags() -> Any:
    return serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=MAX_TAGS)


class ManyRooms(_Many):
    """What is to be done to which rooms of which customers."""

    objects = "rooms"
    customers = CustomersRooms(many=True, min_length=1, max_length=MOST)
    action = serializers.ChoiceField(choices=[one.value for one in _OF_ROOMS])
    changes = SharedChanges(required=False, help_text="For `edit`.")
    add_tags = _tags()
    remove_tags = _tags()
    until = serializers.DateTimeField(required=False, allow_null=True, help_text="For `suppress`.")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_REASON)


class ManyTickets(_Many):
    """What is to be done to which tickets of which customers."""

    objects = "tickets"
    customers = CustomersTickets(many=True, min_length=1, max_length=MOST)
    action = serializers.ChoiceField(choices=[one.value for one in OF_TICKETS])
    state = serializers.ChoiceField(
        choices=OPEN_STATES,
        required=False,
        help_text="For `state`.",
    )
    text = serializers.CharField(required=False, max_length=5000, help_text="For `write`.")
    closing_reason = serializers.ChoiceField(
        choices=[one.value for one in REASONS], required=False, help_text="For `close`."
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=500, help_text="For `close`.")


class TargetFate(serializers.Serializer[Any]):
    """What became of one room or ticket."""

    id = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=Outcome.values)
    code = serializers.CharField(allow_blank=True, help_text="Why it was refused; one of docs/problems.md.")
    detail = serializers.CharField(allow_blank=True, help_text="The same for people.")


class CustomerFates(serializers.Serializer[Any]):
    """What became of what was named of one customer, in its order, each once."""

    customer = serializers.UUIDField()
    items = TargetFate(many=True)


class ManyAnswer(serializers.Serializer[Any]):
    """What became of each, customer by customer."""

    items = CustomerFates(many=True)


ROOMS = OpenApiExample(
    "Rooms of two customers",
    value={
        "customers": [
            {"customer": _CUSTOMER, "rooms": [1042, 1043]},
            {"customer": "9b1d2f52-0d44-4f4c-8e0f-5f5c2d1a7c10", "rooms": [2001]},
        ],
        "action": "edit",
        "changes": {"campus": "North"},
    },
    request_only=True,
)
TICKETS = OpenApiExample(
    "A message in two tickets",
    value={
        "customers": [{"customer": _CUSTOMER, "tickets": [17, 18]}],
        "action": "write",
        "text": "We are on our way.",
    },
    request_only=True,
)
ANSWER = OpenApiExample(
    "One done, one refused",
    value={
        "items": [
            {
                "customer": _CUSTOMER,
                "items": [
                    {"id": 17, "outcome": "done", "code": "", "detail": ""},
                    {
                        "id": 18,
                        "outcome": "refused",
                        "code": "not_found",
                        "detail": "There is nothing like it here (any more).",
                    },
                ],
            }
        ]
    },
    response_only=True,
    status_codes=["207"],
)
_DESCRIPTION = (
    "At most 200 in all. Each is changed for itself, as if it were asked for alone, with its customer’s own change control "
    "and log. The answer is 207 and says of each, customer by customer, whether it is done, unchanged, refused, or waits "
    "for the customer’s approval; what does not exist and what you may not see are refused alike."
)


class AllRoomsBulk(AggregateView):
    gate = (Permission.ROOMS_MODIFY,)

    @extend_schema(
        operation_id="all_rooms_bulk",
        tags=[TAG],
        summary="Change rooms of several customers",
        description=_DESCRIPTION,
        request=ManyRooms,
        responses={207: ManyAnswer},
        examples=[ROOMS, ANSWER],
    )
    def post(self, request: PersonRequest) -> Response:
        said = self.read(ManyRooms)
        return Response({"items": list(_each(request, said, "rooms", params_of(said)))}, status=207)


class AllTicketsBulk(AggregateView):
    gate = (Permission.TICKETS_UPDATE,)

    @extend_schema(
        operation_id="all_tickets_bulk",
        tags=[TAG],
        summary="Change tickets of several customers",
        description=_DESCRIPTION,
        request=ManyTickets,
        responses={207: ManyAnswer},
        examples=[TICKETS, ANSWER],
    )
    def post(self, request: PersonRequest) -> Response:
        said = self.read(ManyTickets)
        params = {name: said[name] for name in ("state", "text", "note") if name in said}
        if "closing_reason" in said:
            params["reason"] = said["closing_reason"]
        return Response({"items": list(_each(request, said, "tickets", params))}, status=207)


def _each(
    request: PersonRequest, said: dict[str, Any], objects: str, params: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Customer by customer, what became of each; of a customer that is none of the person's, nothing is there."""
    tenants = {one.pk: one for one in request.customers}
    action = BulkAction(said["action"])
    for part in said["customers"]:
        ids, tenant = list(dict.fromkeys(part[objects])), tenants.get(part["customer"])
        own = params | ({"ring": part["ring"]} if "ring" in part else {})
        if tenant is None:
            fates: Any = [Fate(pk, "", Outcome.REFUSED, "not_found") for pk in ids]
        else:
            fates = bulk.each(tenant, ids, action, own, by=request.person, submit=change_control.submit)
        yield {"customer": part["customer"], "items": [_item(fate) for fate in fates]}


def _item(fate: Fate) -> dict[str, Any]:
    return {"id": fate.target_id, "outcome": fate.outcome.value, "code": fate.code, "detail": reason_of(fate)}


class FilterOfView(FilterItem):
    """A filter you keep of a list over all customers."""

    class Meta:
        model = SavedFilter
        fields = ("id", "view", "name", "query", "is_default")
        read_only_fields = fields


class NewFilterOfView(NewFilter):
    """A filter to keep, and of which list."""

    view = serializers.ChoiceField(choices=FilterView.choices)


_KEPT = {"id": 3, "view": "tickets", "name": "Critical", "query": "severity=critical", "is_default": False}
KEPT = OpenApiExample("A filter", value=_KEPT, response_only=True, status_codes=["200", "201"])
ALL_KEPT = OpenApiExample(
    "One filter", value={"items": [_KEPT], "next": None, "previous": None}, response_only=True, status_codes=["200"]
)
NEW = OpenApiExample(
    "Critical", value={"view": "tickets", "name": "Critical", "query": "severity=critical"}, request_only=True
)


class AllFilters(AggregateView):
    parameters = frozenset({"view", "cursor", "page_size"})
    problems = {"post": (FilterNameTaken, TooManyFilters)}

    @extend_schema(
        operation_id="all_filters",
        tags=[TAG],
        summary="The filters you keep of the lists over all customers",
        description="Nobody else sees them.",
        parameters=[OpenApiParameter("view", str, enum=FilterView.values), *PAGING],
        responses=page_schema(FilterOfView),
        examples=[ALL_KEPT],
    )
    def get(self, request: PersonRequest) -> Response:
        own = SavedFilter.objects.filter(tenant=None, person=request.person)
        if view := request.query_params.get("view"):  # type: ignore[attr-defined]
            if view not in FilterView.values:
                raise InvalidParameters({"view": ("invalid_choice", ", ".join(FilterView.values))})
            own = own.filter(view=view)
        found = page_of(request, own.values(*FilterOfView.Meta.fields), ("name", "id"))  # type: ignore[arg-type]
        return answer_page(request, found, found.items)  # type: ignore[arg-type]

    @extend_schema(
        operation_id="all_filter_create",
        tags=[TAG],
        summary="Keep a filter of a list over all customers",
        description="`query` has the parameters of the list.",
        request=NewFilterOfView,
        responses={201: FilterOfView},
        examples=[NEW, KEPT],
    )
    def post(self, request: PersonRequest) -> Response:
        said = self.read(NewFilterOfView)
        made = saved_filters.save(
            None,
            said["name"],
            said["query"],
            by=request.person,
            view=FilterView(said["view"]),
            is_default=said["is_default"],
        )
        return Response(FilterOfView(made).data, status=201)


class OneOfAllFilters(AggregateView):
    problems = {"patch": (FilterNameTaken,)}

    @extend_schema(
        operation_id="all_filter_modify",
        tags=[TAG],
        summary="Rename a filter, or open the list with it",
        description="It has to be your own.",
        request=FilterChanges,
        responses=FilterOfView,
        examples=[of_one.RENAMED, KEPT],
    )
    def patch(self, request: PersonRequest, filter_id: int) -> Response:
        found = _find(request, filter_id)
        of_one.change_filter(found, self.read(FilterChanges))
        return Response(FilterOfView(found).data)

    @extend_schema(
        operation_id="all_filter_delete",
        tags=[TAG],
        summary="Delete a filter",
        description="It has to be your own.",
        responses={204: None},
    )
    def delete(self, request: PersonRequest, filter_id: int) -> Response:
        saved_filters.delete(_find(request, filter_id))
        return Response(status=204)


def _find(request: PersonRequest, filter_id: int) -> SavedFilter:
    found = SavedFilter.objects.filter(tenant=None, person=request.person, pk=filter_id).first()
    if found is None:
        raise Http404
    return found

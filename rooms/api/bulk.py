"""Many rooms changed in one request, each for itself; and the filters a person keeps."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.response import Response

from rbac.api.base import PAGING, Body, CustomerView, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.gates import TenantRequest
from rooms import change_control
from rooms.api.rooms import TAG
from rooms.api.serializers import plain
from rooms.bulk_reports import reason_of
from rooms.errors import FilterNameTaken, TooManyFilters
from rooms.models import BulkAction, Room, SavedFilter
from rooms.services import bulk, saved_filters
from rooms.services.bulk import FIELDS, Fate, Outcome
from rooms.services.monitoring import LONGEST_REASON
from rooms.values import MAX_TAGS

MOST = 200  # rooms of one request, which are done before it is answered
_ID = {"min_value": 1, "max_value": 2**63 - 1}
# What an action needs to be told, beside the rooms; everything else is an error.
_TAKES: dict[str, tuple[str, ...]] = {
    BulkAction.EDIT: ("changes", "add_tags", "remove_tags"),
    BulkAction.ENROLL: (),
    BulkAction.SUPPRESS: ("until", "reason"),
    BulkAction.UNSUPPRESS: (),
    BulkAction.GROUP: ("group",),
    BulkAction.RING: ("ring",),
}


class SharedChanges(Body, serializers.ModelSerializer[Room]):
    """Values that all of the rooms get; fields that are left out stay as they are."""

    class Meta:
        model = Room
        fields = FIELDS
        extra_kwargs = {name: {"required": False} for name in FIELDS}


def _tags() -> Any:
    return serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=MAX_TAGS)


class Bulk(Body):
    """What is to be done to which rooms."""

    rooms = serializers.ListField(child=serializers.IntegerField(**_ID), min_length=1, max_length=MOST)
    action = serializers.ChoiceField(choices=[one.value for one in BulkAction if one in _TAKES])
    changes = SharedChanges(required=False, help_text="For `edit`.")
    add_tags = _tags()
    remove_tags = _tags()
    until = serializers.DateTimeField(required=False, allow_null=True, help_text="For `suppress`.")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_REASON)
    group = serializers.IntegerField(required=False, help_text="For `group`: its id.", **_ID)
    ring = serializers.IntegerField(required=False, help_text="For `ring`: its id.", **_ID)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        takes = _TAKES[attrs["action"]]
        errors = {
            name: [ErrorDetail("This does not belong to the action.", code="unknown_field")]
            for name in attrs
            if name not in ("rooms", "action", *takes)
        }
        missing = [name for name in ("group", "ring") if name in takes and name not in attrs]
        errors |= {name: [ErrorDetail("This field is required.", code="required")] for name in missing}
        if attrs["action"] == BulkAction.EDIT and not any(attrs.get(name) for name in takes):
            errors["changes"] = [ErrorDetail("Name at least one field.", code="empty")]
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


class BulkItem(serializers.Serializer[Any]):
    """What became of one room."""

    room = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=Outcome.values)
    code = serializers.CharField(allow_blank=True, help_text="Why it was refused; one of docs/problems.md.")
    detail = serializers.CharField(allow_blank=True, help_text="The same for people.")


class BulkAnswer(serializers.Serializer[Any]):
    """What became of each room, in the order they were named, each once."""

    items = BulkItem(many=True)


class FilterItem(serializers.ModelSerializer[SavedFilter]):
    """A filter you keep; `query` is what follows the “?” in the address of the list."""

    class Meta:
        model = SavedFilter
        fields = ("id", "name", "query", "is_default")
        read_only_fields = fields


class NewFilter(Body):
    """A filter to keep."""

    name = serializers.CharField(max_length=saved_filters.LONGEST_NAME)
    query = serializers.CharField(max_length=1000)
    is_default = serializers.BooleanField(required=False, default=False)


class FilterChanges(Body):
    """What is to be changed; fields that are left out stay as they are."""

    name = serializers.CharField(max_length=saved_filters.LONGEST_NAME, required=False)
    is_default = serializers.BooleanField(required=False)


BULK = OpenApiExample(
    "Two rooms",
    value={"rooms": [1042, 1043], "action": "edit", "changes": {"campus": "North"}, "add_tags": ["video"]},
    request_only=True,
)
ANSWER = OpenApiExample(
    "One done, one refused",
    value={
        "items": [
            {"room": 1042, "outcome": "done", "code": "", "detail": ""},
            {
                "room": 1043,
                "outcome": "refused",
                "code": "not_found",
                "detail": "There is nothing like it here (any more).",
            },
        ]
    },
    response_only=True,
    status_codes=["207"],
)
_FILTER = {"id": 3, "name": "Munich", "query": "city=Munich", "is_default": False}
FILTER = OpenApiExample("A filter", value=_FILTER, response_only=True, status_codes=["200", "201"])
FILTERS = OpenApiExample(
    "One filter", value={"items": [_FILTER], "next": None, "previous": None}, response_only=True, status_codes=["200"]
)
NEW = OpenApiExample("Munich", value={"name": "Munich", "query": "city=Munich"}, request_only=True)
RENAMED = OpenApiExample("Another name", value={"name": "Bavaria"}, request_only=True)


class RoomsBulk(CustomerView):
    gate = (Permission.ROOMS_MODIFY,)

    @extend_schema(
        operation_id="rooms_bulk",
        tags=[TAG],
        summary="Change many rooms",
        description=(
            "At most 200 rooms. Each is changed for itself, as if it were asked for alone: `edit`, `enroll`, `suppress` "
            "and `unsuppress` need `rooms.modify` on it, `group` also `groups.modify` on the group, `ring` needs "
            "`rings.modify`. The answer is 207 and says for each room whether it is done, unchanged or refused; a room "
            "that does not exist and one that you may not see are refused alike."
        ),
        request=Bulk,
        responses={207: BulkAnswer},
        examples=[BULK, ANSWER],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        said = self.read(Bulk)
        rooms = list(dict.fromkeys(said["rooms"]))
        fates = bulk.each(
            request.customer,
            rooms,
            BulkAction(said["action"]),
            params_of(said),
            by=request.person,
            submit=change_control.submit,
        )
        return Response({"items": [_item(fate) for fate in fates]}, status=207)


class SavedFilters(CustomerView):
    gate = (Permission.ROOMS_VIEW,)
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (FilterNameTaken, TooManyFilters)}

    @extend_schema(
        operation_id="room_filters",
        tags=[TAG],
        summary="The filters you keep",
        description="Needs `rooms.view`. Nobody else sees them.",
        parameters=PAGING,
        responses=page_schema(FilterItem),
        examples=[FILTERS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        own = saved_filters.own(request.customer, request.person)
        found = page_of(request, own.values("id", "name", "query", "is_default"), ("name", "id"))
        return answer_page(request, found, found.items)

    @extend_schema(
        operation_id="room_filter_create",
        tags=[TAG],
        summary="Keep a filter",
        description="Needs `rooms.view`. `query` has the parameters of the list of rooms.",
        request=NewFilter,
        responses={201: FilterItem},
        examples=[NEW, FILTER],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        said = self.read(NewFilter)
        made = saved_filters.save(
            request.customer, said["name"], said["query"], by=request.person, is_default=said["is_default"]
        )
        return Response(FilterItem(made).data, status=201)


class OneSavedFilter(CustomerView):
    gate = (Permission.ROOMS_VIEW,)
    problems = {"patch": (FilterNameTaken,)}

    @extend_schema(
        operation_id="room_filter_modify",
        tags=[TAG],
        summary="Rename a filter, or open the list with it",
        description="Needs `rooms.view`; it has to be your own.",
        request=FilterChanges,
        responses=FilterItem,
        examples=[RENAMED, FILTER],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, filter_id: int) -> Response:
        found = _find(request, filter_id)
        change_filter(found, self.read(FilterChanges))
        return Response(FilterItem(found).data)

    @extend_schema(
        operation_id="room_filter_delete",
        tags=[TAG],
        summary="Delete a filter",
        description="Needs `rooms.view`; it has to be your own.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, filter_id: int) -> Response:
        saved_filters.delete(_find(request, filter_id))
        return Response(status=204)


def change_filter(found: SavedFilter, said: dict[str, Any]) -> None:
    """`found` is called and used as `said`, the body of a change. Raises FilterNameTaken, ValidationError."""
    if "name" in said:
        saved_filters.rename(found, said["name"])
    if "is_default" in said:
        saved_filters.open_with(found, is_default=said["is_default"])


def params_of(said: dict[str, Any]) -> dict[str, Any]:
    """Plain values for the service."""
    given = plain(dict(said.get("changes") or {}))
    for name in ("add_tags", "remove_tags", "reason", "group", "ring"):
        if name in said:
            given[name] = said[name]
    if said.get("until") is not None:
        given["until"] = said["until"].isoformat()
    return given


def _item(fate: Fate) -> dict[str, Any]:
    return {"room": fate.target_id, "outcome": fate.outcome.value, "code": fate.code, "detail": reason_of(fate)}


def _find(request: TenantRequest, filter_id: int) -> SavedFilter:
    found = saved_filters.own(request.customer, request.person).filter(pk=filter_id).first()
    if found is None:
        raise Http404
    return found

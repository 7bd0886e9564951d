"""The update rings of a customer: list, create, one ring, the rooms in it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response

from rbac import access
from rbac.api.base import PAGING, Body, CustomerView, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find
from rooms import change_control
from rooms.errors import (
    AwaitsApproval,
    DefaultRing,
    PreconfiguredRing,
    RingDaysExceeded,
    RingNameTaken,
    TooManyRings,
    UnknownRooms,
)
from rooms.models import MOST_DAYS, RingKey, Room, UpdateRing
from rooms.services import update_rings

TAG = "Update rings"
LISTED = ("id", "key", "name", "description", "order", "is_default", "test_days", "rollout_days", "version")
MOST_ROOMS = 10_000


class RingItem(serializers.ModelSerializer[UpdateRing]):
    """An update ring; `room_total` counts the rooms in it that you may see."""

    key = serializers.ChoiceField(choices=[*RingKey.choices, ("", "")], help_text="Empty for a ring of one’s own.")
    room_total = serializers.IntegerField(read_only=True)

    class Meta:
        model = UpdateRing
        fields = (*LISTED, "room_total")
        read_only_fields = fields


def _days(least: int, **kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=least, max_value=MOST_DAYS, **kwargs)


class NewRing(Body):
    """A ring to be made; it is the last in order."""

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    test_days = _days(0, required=False, default=0, help_text="Days after the rollout before the next ring begins.")
    rollout_days = _days(1, required=False, default=7, help_text="Days over which the rooms are spread.")


class RingChanges(Body):
    """What is to be changed; fields that are left out stay as they are."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    test_days = _days(0, required=False)
    rollout_days = _days(1, required=False)
    order = serializers.IntegerField(
        min_value=1, max_value=update_rings.MOST_RINGS, required=False, help_text="Its place; the others make room."
    )
    is_default = serializers.BooleanField(required=False, help_text="New rooms come into it; only `true` can be set.")


class RoomsToMove(Body):
    """Ids of rooms that are to be in this ring."""

    rooms = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), min_length=1, max_length=MOST_ROOMS
    )


_ITEM = {
    "id": 7,
    "key": "general",
    "name": "general",
    "description": "",
    "order": 2,
    "is_default": True,
    "test_days": 7,
    "rollout_days": 14,
    "version": 3,
    "room_total": 114,
}
ONE = OpenApiExample("An update ring", value=_ITEM, response_only=True, status_codes=["200", "201"])
MANY = OpenApiExample(
    "One ring", value={"items": [_ITEM], "next": None, "previous": None}, response_only=True, status_codes=["200"]
)
NEW = OpenApiExample("A careful ring", value={"name": "Boardrooms", "rollout_days": 5}, request_only=True)
CHANGED = OpenApiExample("Fewer days", value={"rollout_days": 10}, request_only=True)
MOVED = OpenApiExample("Two rooms", value={"rooms": [1042, 1043]}, request_only=True)


class Rings(CustomerView):
    versioned = UpdateRing
    makes = "api-ring"
    gate = (Permission.RINGS_VIEW,)
    opened_by = {"post": (Permission.RINGS_CREATE,)}
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (RingNameTaken, RingDaysExceeded, TooManyRings)}

    @extend_schema(
        operation_id="rings",
        tags=[TAG],
        summary="The update rings you may see",
        description="Needs `rings.view` on at least one room of a ring.",
        parameters=PAGING,
        responses=page_schema(RingItem),
        examples=[MANY],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        found = page_of(request, counted(request).values(*LISTED, "room_total"), ("order", "id"))
        return answer_page(request, found, found.items)

    @extend_schema(
        operation_id="ring_create",
        tags=[TAG],
        summary="Make an update ring",
        description="Needs `rings.create` for all rooms of the customer. All rings together take at most 60 days.",
        request=NewRing,
        responses={201: RingItem},
        examples=[NEW, ONE],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        wanted = self.read(NewRing)
        made = update_rings.create(request.customer, wanted.pop("name"), by=request.person, **wanted)
        return self.answer(made, _shown(request, made), status=201)


class OneRing(CustomerView):
    versioned = UpdateRing
    gate = (Permission.RINGS_VIEW,)
    problems = {
        "patch": (RingNameTaken, RingDaysExceeded, DefaultRing, AwaitsApproval),
        "delete": (PreconfiguredRing, DefaultRing, AwaitsApproval),
    }

    @extend_schema(
        operation_id="ring",
        tags=[TAG],
        summary="One update ring",
        description="Needs `rings.view` on at least one of its rooms.",
        responses=RingItem,
        examples=[ONE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, ring_id: int) -> Response:
        found = find_ring(request, ring_id)
        return self.answer(found, _shown(request, found))

    @extend_schema(
        operation_id="ring_modify",
        tags=[TAG],
        summary="Change an update ring",
        description=(
            "Needs `rings.modify` on all of its rooms; place and default concern other rings, which need it too. Rollouts "
            "that have not begun follow."
        ),
        request=RingChanges,
        responses=RingItem,
        examples=[CHANGED, ONE],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, ring_id: int) -> Response:
        found, changes = find_ring(request, ring_id), self.read(RingChanges)
        if not changes:
            raise ValidationError([ErrorDetail(_("Name at least one field."), code="empty")])
        changed = _submit(request, found, "modify", changes=changes)
        return self.answer(changed, _shown(request, changed))

    @extend_schema(
        operation_id="ring_delete",
        tags=[TAG],
        summary="Delete an update ring",
        description="Needs `rings.modify` on all of its rooms, which move to the default ring. Preconfigured ones stay.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, ring_id: int) -> Response:
        _submit(request, find_ring(request, ring_id), "delete")
        return Response(status=204)


class RingRooms(CustomerView):
    versioned = UpdateRing
    gate = (Permission.RINGS_VIEW,)
    problems = {"post": (UnknownRooms, AwaitsApproval)}

    @extend_schema(
        operation_id="ring_rooms",
        tags=[TAG],
        summary="Move rooms into an update ring",
        description=(
            "Needs `rings.modify` on each room, and a ring that you may see. What is under way in their old ring ends "
            "for them; they take part in the new one’s rollout. All of it or nothing."
        ),
        request=RoomsToMove,
        responses=RingItem,
        examples=[MOVED, ONE],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, ring_id: int) -> Response:
        found, wanted = find_ring(request, ring_id), self.read(RoomsToMove)
        _submit(request, found, "move_rooms", rooms=sorted(set(wanted["rooms"])))
        return self.answer(found, _shown(request, found))


def find_ring(request: TenantRequest, ring_id: int) -> UpdateRing:
    """The ring, if the caller may see it. Raises Http404 otherwise."""
    return find(request, Permission.RINGS_VIEW, UpdateRing.objects.filter(tenant=request.customer), pk=ring_id)


def in_sight(request: TenantRequest) -> QuerySet[Room]:
    """The rooms of whose rings the caller may know."""
    rooms = Room.objects.filter(tenant=request.customer)
    return access.visible(request.person, Permission.RINGS_VIEW, rooms, request.held)


def counted(request: TenantRequest) -> QuerySet[UpdateRing]:
    """The rings the caller may see, with the number of those of their rooms that he may see."""
    own = UpdateRing.objects.filter(tenant=request.customer)
    seen = access.visible(request.person, Permission.RINGS_VIEW, own, request.held)
    return seen.annotate(room_total=Count("rooms", filter=Q(rooms__in=in_sight(request))))


def _submit(request: TenantRequest, ring: UpdateRing, action: str, **params: Any) -> Any:
    return change_control.submit(Permission.RINGS_MODIFY, ring, by=request.person, action=action, **params)


def _shown(request: TenantRequest, ring: UpdateRing) -> Mapping[str, Any]:
    """The ring as answers show it, also after its last room has left the caller's scope by this very request."""
    shown: Mapping[str, Any] | None = counted(request).filter(pk=ring.pk).values(*LISTED, "room_total").first()
    return shown or {name: getattr(ring, name) for name in LISTED} | {"room_total": 0}

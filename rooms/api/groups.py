"""The room groups of a customer: list, create, one group, its rooms."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from rbac import access
from rbac.api.base import PAGING, Body, CustomerView, Nothing, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find
from rooms.errors import DefaultGroup, GroupInUse, GroupNameTaken, UnknownRooms
from rooms.models import Room, RoomGroup
from rooms.services import groups

TAG = "Room groups"
LISTED = ("id", "name", "description", "is_default")
MOST_ROOMS = 10_000


class GroupItem(serializers.ModelSerializer[RoomGroup]):
    """A room group; `room_total` counts the rooms in it that you may see."""

    room_total = serializers.IntegerField(read_only=True)

    class Meta:
        model = RoomGroup
        fields = (*LISTED, "room_total")
        read_only_fields = fields


class NewGroup(Body):
    """A group to be made, with the rooms it begins with."""

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    rooms = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=MOST_ROOMS
    )


class GroupChanges(Body):
    """What is to be changed; fields that are left out stay as they are."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)


class RoomsInAndOut(Body):
    """Ids of rooms to put in and to take out."""

    add = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=MOST_ROOMS
    )
    remove = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=MOST_ROOMS
    )


_ITEM = {"id": 4, "name": "Germany", "description": "All rooms in Germany", "is_default": False, "room_total": 114}
ONE = OpenApiExample("A room group", value=_ITEM, response_only=True, status_codes=["200", "201"])
MANY = OpenApiExample(
    "One group", value={"items": [_ITEM], "next": None, "previous": None}, response_only=True, status_codes=["200"]
)
NEW = OpenApiExample("Two rooms", value={"name": "Germany", "rooms": [1042, 1043]}, request_only=True)
CHANGED = OpenApiExample("Another name", value={"name": "Germany and Austria"}, request_only=True)
IN_AND_OUT = OpenApiExample("One in, one out", value={"add": [1044], "remove": [1042]}, request_only=True)


class Groups(CustomerView):
    versioned = RoomGroup
    makes = "api-group"
    gate = (Permission.GROUPS_VIEW,)
    opened_by = {"post": (Permission.GROUPS_CREATE,)}
    parameters = frozenset({"cursor", "page_size"})
    problems = {"post": (GroupNameTaken, UnknownRooms)}

    @extend_schema(
        operation_id="groups",
        tags=[TAG],
        summary="The room groups you may see",
        description="Needs `groups.view` on at least one room of a group.",
        parameters=PAGING,
        responses=page_schema(GroupItem),
        examples=[MANY],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        found = page_of(request, counted(request).values(*LISTED, "room_total"), ("name", "id"))
        return answer_page(request, found, found.items)

    @extend_schema(
        operation_id="group_create",
        tags=[TAG],
        summary="Make a room group",
        description="Needs `groups.create` for all rooms of the customer, and `rooms.modify` on each room.",
        request=NewGroup,
        responses={201: GroupItem},
        examples=[NEW, ONE],
    )
    def post(self, request: TenantRequest, tenant_id: UUID) -> Response:
        wanted = self.read(NewGroup)
        made = groups.create(
            request.customer,
            wanted["name"],
            by=request.person,
            description=wanted["description"],
            rooms=set(wanted.get("rooms", ())),
        )
        return self.answer(made, shown(request, made), status=201)


class OneGroup(CustomerView):
    versioned = RoomGroup
    gate = (Permission.GROUPS_VIEW,)
    problems = {"patch": (GroupNameTaken,), "delete": (GroupInUse, DefaultGroup)}

    @extend_schema(
        operation_id="group",
        tags=[TAG],
        summary="One room group",
        description="Needs `groups.view` on at least one of its rooms.",
        responses=GroupItem,
        examples=[ONE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, group_id: int) -> Response:
        found = find_group(request, group_id)
        return self.answer(found, shown(request, found))

    @extend_schema(
        operation_id="group_modify",
        tags=[TAG],
        summary="Rename or describe a room group",
        description="Needs `groups.modify` on all of its rooms.",
        request=GroupChanges,
        responses=GroupItem,
        examples=[CHANGED, ONE],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, group_id: int) -> Response:
        found = find_group(request, group_id)
        wanted = {"name": found.name, "description": found.description} | self.read(GroupChanges)
        changed = groups.modify(found, by=request.person, **wanted)
        return self.answer(changed, shown(request, changed))

    @extend_schema(
        operation_id="group_delete",
        tags=[TAG],
        summary="Delete a room group",
        description="Needs `groups.modify` on all of its rooms; refused while a scope names the group. Its rooms stay.",
        responses={204: None},
    )
    def delete(self, request: TenantRequest, tenant_id: UUID, group_id: int) -> Response:
        groups.delete(find_group(request, group_id), by=request.person)
        return Response(status=204)


class GroupRooms(CustomerView):
    versioned = RoomGroup
    gate = (Permission.GROUPS_VIEW,)
    problems = {"post": (UnknownRooms,)}

    @extend_schema(
        operation_id="group_rooms",
        tags=[TAG],
        summary="Put rooms in, take rooms out",
        description=(
            "Needs `groups.modify` on the group and `rooms.modify` on each room. The rooms of a group that is in a "
            "partner’s scope are changed by MMR admins only. All of it or nothing; scopes follow at once."
        ),
        request=RoomsInAndOut,
        responses=GroupItem,
        examples=[IN_AND_OUT, ONE],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, group_id: int) -> Response:
        found = find_group(request, group_id)
        wanted = self.read(RoomsInAndOut)
        groups.change_rooms(
            found, by=request.person, add=set(wanted.get("add", ())), remove=set(wanted.get("remove", ()))
        )
        return self.answer(found, shown(request, found))


class MakeDefault(CustomerView):
    versioned = RoomGroup
    gate = (Permission.GROUPS_VIEW,)

    @extend_schema(
        operation_id="group_make_default",
        tags=[TAG],
        summary="Make a room group the default one",
        description=(
            "Needs `groups.modify` on this group and on the one that was the default. Rooms that are imported or enrol "
            "themselves come into it from now on. A group that is in a partner’s scope is made the default by MMR admins "
            "only: the partner gets every new room."
        ),
        request=None,
        responses=GroupItem,
        examples=[ONE],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, group_id: int) -> Response:
        found = find_group(request, group_id)
        self.read(Nothing)
        changed = groups.make_default(found, by=request.person)
        return self.answer(changed, shown(request, changed))


def find_group(request: TenantRequest, group_id: int) -> RoomGroup:
    """The group, if the caller may see it. Raises Http404 otherwise."""
    return find(request, Permission.GROUPS_VIEW, RoomGroup.objects.filter(tenant=request.customer), pk=group_id)


def counted(request: TenantRequest) -> QuerySet[RoomGroup]:
    """The groups the caller may see, with the number of those of their rooms that he may see."""
    own = RoomGroup.objects.filter(tenant=request.customer)
    rooms = access.visible(request.person, Permission.GROUPS_VIEW, Room.objects.all(), request.held)
    seen = access.visible(request.person, Permission.GROUPS_VIEW, own, request.held)
    return seen.annotate(room_total=Count("memberships", filter=Q(memberships__room__in=rooms)))


def shown(request: TenantRequest, group: RoomGroup) -> Mapping[str, Any]:
    """The group as answers show it, also after its last room has left the caller's scope by this very request."""
    found = counted(request).filter(pk=group.pk).values(*LISTED, "room_total").first()
    return found or {name: getattr(group, name) for name in LISTED} | {"room_total": 0}

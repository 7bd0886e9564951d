"""The rooms of a customer: list, one room, its changes."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response

from rbac import access
from rbac.api.base import PAGING, CustomerView, answer_page, page_of, page_schema
from rbac.api.errors import refuse_filter
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find
from rbac.precondition import tag_of
from rooms import change_control
from rooms.api import examples
from rooms.api.serializers import LISTED, RoomChanges, RoomDetail, RoomItem, plain, shown
from rooms.errors import AwaitsApproval
from rooms.lists import SORTS, RoomFilter
from rooms.models import Health, Room, RoomGroup, RoomState, state_now

TAG = "Rooms"

FILTERS = (
    OpenApiParameter("q", str, description="Words that name, resource account, city or building contain."),
    OpenApiParameter("country", str, description="Two-letter country code."),
    OpenApiParameter("region", str, description="State or province."),
    OpenApiParameter("city", str),
    OpenApiParameter("building", str),
    OpenApiParameter("group", int, description="Id of a room group that you may see."),
    OpenApiParameter("state", str, enum=RoomState.values),
    OpenApiParameter("health", str, enum=Health.values),
    OpenApiParameter("sort", str, enum=SORTS, default="name", description="With “-” in front: the other way round."),
)


class Rooms(CustomerView):
    gate = (Permission.ROOMS_VIEW,)
    parameters = RoomFilter.NAMES | {"cursor", "page_size"}

    @extend_schema(
        operation_id="rooms",
        tags=[TAG],
        summary="The rooms you may see",
        description="Needs `rooms.view`. Filters that name a place or a group you cannot see are errors.",
        parameters=[*FILTERS, *PAGING],
        responses=page_schema(RoomItem),
        examples=[examples.ROOMS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        rooms, groups = Room.objects.filter(tenant=tenant_id), RoomGroup.objects.filter(tenant=tenant_id)
        chosen = RoomFilter(
            request.query_params,
            rooms=access.visible(request.person, Permission.ROOMS_VIEW, rooms, request.held),
            groups=access.visible(request.person, Permission.GROUPS_VIEW, groups, request.held),
            also={"cursor", "page_size"},
        )
        refuse_filter(chosen)
        found = page_of(
            request, chosen.rooms.annotate(state_now=state_now()).values(*LISTED, "state_now"), chosen.order
        )
        return answer_page(request, found, [room | {"state": room.pop("state_now")} for room in found.items])


class OneRoom(CustomerView):
    versioned = Room
    gate = (Permission.ROOMS_VIEW,)
    problems = {"patch": (AwaitsApproval,)}

    @extend_schema(
        operation_id="room",
        tags=[TAG],
        summary="One room",
        description="Needs `rooms.view` on the room.",
        responses=RoomDetail,
        examples=[examples.ROOM],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, room_id: int) -> Response:
        return answer_room(request, find_room(request, room_id))

    @extend_schema(
        operation_id="room_modify",
        tags=[TAG],
        summary="Change a room",
        description=(
            "Needs `rooms.modify` on the room. Only what is sent is changed, all of it or nothing. With `If-Match: "
            '"<version>"` it is refused (412, `stale_version`) if somebody else was faster.'
        ),
        request=RoomChanges,
        responses=RoomDetail,
        examples=[examples.CHANGES, examples.ROOM],
    )
    def patch(self, request: TenantRequest, tenant_id: UUID, room_id: int) -> Response:
        room = find_room(request, room_id)
        changes = plain(self.read(RoomChanges))
        if not changes:
            raise ValidationError([ErrorDetail(_("Name at least one field."), code="empty")])
        changed = change_control.submit(Permission.ROOMS_MODIFY, room, by=request.person, changes=changes)
        return answer_room(request, find_room(request, changed.pk))


def find_room(request: TenantRequest, room_id: int) -> Room:
    """The room with its ring and its state as it is now, if the caller may see it. Raises Http404 otherwise."""
    rooms = Room.objects.filter(tenant=request.customer).select_related("ring").annotate(state_now=state_now())
    return find(request, Permission.ROOMS_VIEW, rooms, pk=room_id)


def answer_room(request: TenantRequest, room: Room) -> Response:
    """All about `room`, with its version as the entity's tag."""
    return Response(_detail(request, room), headers={"ETag": f'"{tag_of(room)}"'})


def _detail(request: TenantRequest, room: Room) -> dict[str, Any]:
    held = access.permissions_on(request.person, [room], request.held)[room.pk]
    groups = access.visible(request.person, Permission.GROUPS_VIEW, RoomGroup.objects.filter(rooms=room), request.held)
    return shown(room) | {
        "ring": {"id": room.ring_id, "name": room.ring.label} if Permission.RINGS_VIEW in held else None,
        "groups": list(groups.order_by("name", "pk").values("id", "name")),
        "permissions": [code.value for code in Permission if code in held],
    }

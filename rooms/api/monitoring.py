"""How a room is, what happened to it, and whether it is monitored."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from rbac import access
from rbac.api.base import PAGING, Body, CustomerView, Nothing, answer_page, page_of, page_schema
from rbac.catalogue import Permission
from rbac.gates import TenantRequest
from rooms import change_control
from rooms.activity_lines import told
from rooms.api.examples import ROOM
from rooms.api.rooms import TAG, answer_room, find_room
from rooms.api.serializers import RoomDetail
from rooms.errors import AwaitsApproval, StateForbids, SuppressionOutOfRange
from rooms.models import (
    ActivityKind,
    Health,
    HealthSignal,
    Room,
    RoomActivity,
    RoomState,
    RoomUpdateState,
    Severity,
    SignalCategory,
)
from rooms.room_status import Status, status_of
from rooms.services import monitoring
from rooms.services.monitoring import LONGEST_REASON


class Signal(serializers.Serializer[Any]):
    """What the device last said of one thing."""

    category = serializers.ChoiceField(choices=SignalCategory.values)
    name = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    ok = serializers.BooleanField()
    since = serializers.DateTimeField()


class NextUpdate(serializers.Serializer[Any]):
    """The update that is coming, or under way."""

    version = serializers.CharField()
    state = serializers.ChoiceField(choices=RoomUpdateState.values)
    starts_at = serializers.DateTimeField()


class RoomStatus(serializers.Serializer[Any]):
    """How a room is, and why."""

    state = serializers.ChoiceField(choices=RoomState.choices)
    suppressed_until = serializers.DateTimeField(allow_null=True)
    health = serializers.ChoiceField(choices=Health.choices)
    health_since = serializers.DateTimeField(allow_null=True)
    last_seen_at = serializers.DateTimeField(allow_null=True)
    device_enrolled_at = serializers.DateTimeField(allow_null=True)
    high_impact_incident = serializers.BooleanField(help_text="Whether one is open; it makes the room unhealthy.")
    incident = serializers.IntegerField(allow_null=True, help_text="Its number, if you may see it.")
    signals = Signal(many=True)
    next_update = NextUpdate(allow_null=True, help_text="Only with `rings.view`.")


class ActivityItem(serializers.Serializer[Any]):
    """One line of what happened to a room."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=ActivityKind.values)
    by = serializers.CharField(
        allow_null=True,
        help_text="UPN; empty for the portal itself, null for somebody of another organisation than yours.",
    )
    detail = serializers.DictField(help_text="Plain values, as far as you may know them.")


class Suppression(Body):
    """Until when, and why. Without `until` the room is suppressed until somebody lifts it."""

    until = serializers.DateTimeField(required=False, allow_null=True, help_text="At most 90 days ahead.")
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=LONGEST_REASON)


STATUS = OpenApiExample(
    "A room that is not well",
    value={
        "state": "enrolled",
        "suppressed_until": None,
        "health": "unhealthy",
        "health_since": "2026-02-03T14:05:00Z",
        "last_seen_at": "2026-02-03T15:00:00Z",
        "device_enrolled_at": "2026-01-12T08:00:00Z",
        "high_impact_incident": False,
        "incident": None,
        "signals": [
            {
                "category": "audio",
                "name": "Microphone",
                "severity": "critical",
                "ok": False,
                "since": "2026-02-03T14:05:00Z",
            }
        ],
        "next_update": {"version": "5.2.0", "state": "waiting", "starts_at": "2026-02-03T23:00:00Z"},
    },
    response_only=True,
    status_codes=["200"],
)
ACTIVITY = OpenApiExample(
    "One line",
    value={
        "items": [
            {
                "id": 77,
                "at": "2026-02-03T14:05:00Z",
                "kind": "suppressed",
                "by": "ann@fabrikam.example",
                "detail": {"until": "2026-02-04T06:00:00+00:00", "reason": "New carpet"},
            }
        ],
        "next": None,
        "previous": None,
    },
    response_only=True,
    status_codes=["200"],
)
SUPPRESSED = OpenApiExample("Without an end", value={"reason": "New carpet"}, request_only=True)


class RoomStatusView(CustomerView):
    gate = (Permission.ROOMS_VIEW,)

    @extend_schema(
        operation_id="room_status",
        tags=[TAG],
        summary="How a room is, and why",
        description="Needs `rooms.view` on the room.",
        responses=RoomStatus,
        examples=[STATUS],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, room_id: int) -> Response:
        room = find_room(request, room_id)
        held = access.permissions_on(request.person, [room], request.held)[room.pk]
        status = status_of(room, request.person, held, request.held)
        state = room.state_now  # type: ignore[attr-defined]
        return Response(
            {
                "state": state,
                "suppressed_until": room.suppressed_until if state == RoomState.SUPPRESSED else None,
                "health": room.health,
                "health_since": status.since,
                "last_seen_at": room.last_seen_at,
                "device_enrolled_at": status.device.enrolled_at if status.device is not None else None,
                "high_impact_incident": status.has_incident,
                "incident": status.incident.pk if status.incident is not None else None,
                "signals": [_signal(one) for one in status.signals],
                "next_update": _update(status),
            }
        )


class RoomActivityView(CustomerView):
    gate = (Permission.ROOMS_VIEW,)
    parameters = frozenset({"cursor", "page_size"})

    @extend_schema(
        operation_id="room_activity",
        tags=[TAG],
        summary="What happened to a room",
        description="Needs `rooms.view` on the room. Newest first.",
        parameters=PAGING,
        responses=page_schema(ActivityItem),
        examples=[ACTIVITY],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, room_id: int) -> Response:
        room = find_room(request, room_id)
        held = access.permissions_on(request.person, [room], request.held)[room.pk]
        found = page_of(request, RoomActivity.objects.filter(room=room), ("-at", "-id"))
        lines = told(found.items, request.person, request.customer, held)
        items = [
            {"id": one.id, "at": one.at, "kind": one.kind, "by": one.by, "detail": dict(one.detail)} for one in lines
        ]
        return answer_page(request, found, items)


class RoomEnroll(CustomerView):
    versioned = Room
    gate = (Permission.ROOMS_VIEW,)
    problems = {"post": (AwaitsApproval,)}

    @extend_schema(
        operation_id="room_enroll",
        tags=[TAG],
        summary="Enrol a room",
        description="Needs `rooms.modify` on the room. Monitoring and reports begin; enrolled already, it stays so.",
        request=Nothing,
        responses=RoomDetail,
        examples=[ROOM],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, room_id: int) -> Response:
        self.read(Nothing)
        return _changed(request, room_id, "enroll")


class RoomSuppress(CustomerView):
    versioned = Room
    gate = (Permission.ROOMS_VIEW,)
    problems = {"post": (StateForbids, SuppressionOutOfRange, AwaitsApproval)}

    @extend_schema(
        operation_id="room_suppress",
        tags=[TAG],
        summary="Suppress a room during maintenance",
        description=(
            "Needs `rooms.modify` on the room. No alerts and no history until `until`, at most 90 days ahead; suppressed "
            "already, it has the new end."
        ),
        request=Suppression,
        responses=RoomDetail,
        examples=[SUPPRESSED, ROOM],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, room_id: int) -> Response:
        said = self.read(Suppression)
        until = said.get("until")
        params = {"reason": said["reason"]} | ({"until": until.isoformat()} if until is not None else {})
        return _changed(request, room_id, "suppress", **params)


class RoomUnsuppress(CustomerView):
    versioned = Room
    gate = (Permission.ROOMS_VIEW,)
    problems = {"post": (StateForbids, AwaitsApproval)}

    @extend_schema(
        operation_id="room_unsuppress",
        tags=[TAG],
        summary="Lift the suppression of a room",
        description="Needs `rooms.modify` on the room. It is watched again.",
        request=Nothing,
        responses=RoomDetail,
        examples=[ROOM],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, room_id: int) -> Response:
        self.read(Nothing)
        return _changed(request, room_id, "unsuppress")


class RoomUnenroll(CustomerView):
    versioned = Room
    gate = (Permission.ROOMS_VIEW,)
    problems = {"post": (StateForbids,)}

    @extend_schema(
        operation_id="room_unenroll",
        tags=[TAG],
        summary="Unenrol a room",
        description=(
            "Needs `rooms.unenroll` on the room, which no partner holds. Its system tickets are closed, its device’s "
            "token is revoked, its updates end; it stays in the inventory and can be enrolled again."
        ),
        request=Nothing,
        responses=RoomDetail,
        examples=[ROOM],
    )
    def post(self, request: TenantRequest, tenant_id: UUID, room_id: int) -> Response:
        self.read(Nothing)
        room = find_room(request, room_id)
        monitoring.unenroll(room, by=request.person)
        return answer_room(request, find_room(request, room_id))


def _changed(request: TenantRequest, room_id: int, action: str, **params: Any) -> Response:
    room = find_room(request, room_id)
    change_control.submit(Permission.ROOMS_MODIFY, room, by=request.person, action=action, **params)
    return answer_room(request, find_room(request, room_id))


def _signal(one: HealthSignal) -> dict[str, Any]:
    return {
        "category": one.category,
        "name": one.name,
        "severity": one.severity,
        "ok": one.is_ok,
        "since": one.since,
    }


def _update(status: Status) -> dict[str, Any] | None:
    if status.update is None:
        return None
    return {
        "version": status.update.rollout.release.version,
        "state": status.update.state,
        "starts_at": status.update.starts_at,
    }

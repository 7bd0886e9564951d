"""The rollouts of a customer: list, one with its rooms, and what can be done to it."""

from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.response import Response

from rbac import access
from rbac.api.base import PAGING, Body, CustomerView, Nothing, answer_page, page_of, page_schema
from rbac.api.errors import InvalidParameters
from rbac.catalogue import Permission
from rbac.gates import TenantRequest, find
from rooms import change_control, progress
from rooms.api.rings import MOST_ROOMS, TAG, in_sight
from rooms.errors import AwaitsApproval, NothingToUpdate, RingPaused, RolloutNotRunning
from rooms.models import Rollout, RolloutState, RoomUpdate, RoomUpdateState


class RolloutItem(serializers.Serializer[Any]):
    """A release in a ring, with the numbers of its rooms that you may see, by their state."""

    id = serializers.IntegerField()
    ring_id = serializers.IntegerField()
    release = serializers.CharField(help_text="The version of the devices’ app.")
    state = serializers.ChoiceField(choices=RolloutState.choices)
    starts_on = serializers.DateField(help_text="A Wednesday, by each room’s own calendar.")
    ends_on = serializers.DateField(help_text="The last day on which rooms begin.")
    state_changed_at = serializers.DateTimeField()
    version = serializers.IntegerField()
    rooms = serializers.DictField(child=serializers.IntegerField(), help_text="Numbers by state of the room’s update.")


class RoomUpdateItem(serializers.ModelSerializer[RoomUpdate]):
    """How far one room is."""

    room_id = serializers.IntegerField()
    room_name = serializers.CharField()

    class Meta:
        model = RoomUpdate
        fields = (
            "id",
            "room_id",
            "room_name",
            "state",
            "starts_at",
            "ends_at",
            "attempts",
            "failure",
            "forced_by",
            "changed_at",
        )
        read_only_fields = fields


class Forced(Body):
    """Ids of rooms; without any, all for which you may do it."""

    rooms = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        min_length=1,
        max_length=MOST_ROOMS,
    )


_ITEM = {
    "id": 12,
    "ring_id": 7,
    "release": "5.3.112.0",
    "state": "in_progress",
    "starts_on": "2026-12-02",
    "ends_on": "2026-12-15",
    "state_changed_at": "2026-12-01T23:00:04Z",
    "version": 2,
    "rooms": {"done": 41, "failed": 1, "offered": 8, "waiting": 64},
}
_UPDATE = {
    "id": 512,
    "room_id": 1042,
    "room_name": "Berlin 3.14",
    "state": "failed",
    "starts_at": "2026-12-03T23:00:00Z",
    "ends_at": "2026-12-04T04:00:00Z",
    "attempts": 3,
    "failure": "There is not enough space.",
    "forced_by": "",
    "changed_at": "2026-12-04T04:00:07Z",
}
ONE = OpenApiExample("A rollout", value=_ITEM, response_only=True, status_codes=["200"])
MANY = OpenApiExample(
    "One rollout", value={"items": [_ITEM], "next": None, "previous": None}, response_only=True, status_codes=["200"]
)
UPDATES = OpenApiExample(
    "One room", value={"items": [_UPDATE], "next": None, "previous": None}, response_only=True, status_codes=["200"]
)
FORCED = OpenApiExample("Two rooms", value={"rooms": [1042, 1043]}, request_only=True)


class Rollouts(CustomerView):
    gate = (Permission.RINGS_VIEW,)
    parameters = frozenset({"ring", "state", "cursor", "page_size"})

    @extend_schema(
        operation_id="rollouts",
        tags=[TAG],
        summary="The rollouts you may see",
        description="Needs `rings.view` on at least one room of the ring. Newest release first.",
        parameters=[
            OpenApiParameter("ring", int, description="Id of a ring that you may see."),
            OpenApiParameter("state", str, enum=RolloutState.values),
            *PAGING,
        ],
        responses=page_schema(RolloutItem),
        examples=[MANY],
    )
    def get(self, request: TenantRequest, tenant_id: UUID) -> Response:
        own = Rollout.objects.filter(tenant=tenant_id).select_related("release")
        rollouts = access.visible(request.person, Permission.RINGS_VIEW, own, request.held)
        if (ring := _number(request, "ring")) is not None:
            rollouts = rollouts.filter(ring=ring)
        if state := _choice(request, "state", RolloutState.values):
            rollouts = rollouts.filter(state=state)
        found = page_of(request, rollouts, ("-release__order", "-id"))
        counted = progress.of_rollouts(found.items, in_sight(request))
        return answer_page(request, found, [_shown(one, counted[one.pk]) for one in found.items])


class OneRollout(CustomerView):
    versioned = Rollout
    gate = (Permission.RINGS_VIEW,)

    @extend_schema(
        operation_id="rollout",
        tags=[TAG],
        summary="One rollout",
        description="Needs `rings.view` on at least one room of its ring.",
        responses=RolloutItem,
        examples=[ONE],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, rollout_id: int) -> Response:
        found = find_rollout(request, rollout_id)
        return self.answer(found, _shown_to(request, found))


class RolloutRooms(CustomerView):
    gate = (Permission.RINGS_VIEW,)
    parameters = frozenset({"state", "cursor", "page_size"})

    @extend_schema(
        operation_id="rollout_rooms",
        tags=[TAG],
        summary="The rooms of a rollout",
        description="Those that you may see, each with its night, its attempts and what went wrong.",
        parameters=[OpenApiParameter("state", str, enum=RoomUpdateState.values), *PAGING],
        responses=page_schema(RoomUpdateItem),
        examples=[UPDATES],
    )
    def get(self, request: TenantRequest, tenant_id: UUID, rollout_id: int) -> Response:
        rollout = find_rollout(request, rollout_id)
        updates = RoomUpdate.objects.filter(rollout=rollout, room__in=in_sight(request)).select_related("room")
        if state := _choice(request, "state", RoomUpdateState.values):
            updates = updates.filter(state=state)
        found = page_of(request, updates, ("room__display_name", "id"))
        return answer_page(request, found, [_shown_update(one) for one in found.items])


class _Change(CustomerView):
    """What is done to a rollout."""

    gate = (Permission.RINGS_VIEW,)
    versioned = Rollout
    action: ClassVar[str]
    takes: ClassVar[type[Body]] = Nothing

    def post(self, request: TenantRequest, tenant_id: UUID, rollout_id: int) -> Response:
        found = find_rollout(request, rollout_id)
        params = {name: sorted(set(ids)) for name, ids in self.read(self.takes).items()}
        changed = change_control.submit(Permission.RINGS_MODIFY, found, by=request.person, action=self.action, **params)
        return self.answer(changed, _shown_to(request, changed))


_SOME = " Needs `rings.modify`: on all rooms of the ring for the whole of it, else it is done to your rooms only."
_PROBLEMS = (RolloutNotRunning, NothingToUpdate, AwaitsApproval)


def _described(summary: str, text: str, *examples: OpenApiExample, request: Any = None) -> Any:
    """How the document tells of one of the changes, whose operation is called like its address."""

    def describe(view: type[_Change]) -> type[_Change]:
        told = extend_schema(
            operation_id=f"rollout_{view.action}",
            tags=[TAG],
            summary=summary,
            description=text + _SOME,
            request=request,
            responses=RolloutItem,
            examples=[*examples, ONE],
        )
        return extend_schema_view(post=told)(view)

    return describe


@_described("Pause a rollout", "Devices are told nothing until it is resumed.")
class PauseRollout(_Change):
    action = "pause"
    problems = {"post": _PROBLEMS}


@_described("Resume a rollout", "What was paused goes on with the next night of each room.")
class ResumeRollout(_Change):
    action = "resume"
    problems = {"post": (*_PROBLEMS, RingPaused)}


@_described("Retry all failed rooms", "They try again from the next night on.")
class RetryRollout(_Change):
    action = "retry"
    problems = {"post": _PROBLEMS}


@_described(
    "Force the update",
    "Devices install at once, meetings or not; your name stays with each room.",
    FORCED,
    request=Forced,
)
class ForceRollout(_Change):
    action = "force"
    takes = Forced
    problems = {"post": _PROBLEMS}


def find_rollout(request: TenantRequest, rollout_id: int) -> Rollout:
    """The rollout, if the caller may see its ring. Raises Http404 otherwise."""
    own = Rollout.objects.filter(tenant=request.customer).select_related("ring", "release")
    return find(request, Permission.RINGS_VIEW, own, pk=rollout_id)


def _shown_to(request: TenantRequest, rollout: Rollout) -> dict[str, Any]:
    counted = progress.of_rollouts([rollout], in_sight(request))
    return _shown(rollout, counted[rollout.pk])


def _shown(rollout: Rollout, counted: progress.Progress) -> dict[str, Any]:
    columns = ("id", "ring_id", "state", "starts_on", "ends_on", "state_changed_at", "version")
    shown = {name: getattr(rollout, name) for name in columns}
    return shown | {"release": rollout.release.version, "rooms": dict(sorted(counted.counts.items()))}


def _shown_update(update: RoomUpdate) -> dict[str, Any]:
    columns = [name for name in RoomUpdateItem.Meta.fields if name != "room_name"]
    return {name: getattr(update, name) for name in columns} | {"room_name": update.room.display_name}


def _number(request: TenantRequest, name: str) -> int | None:
    text = request.query_params.get(name)  # type: ignore[attr-defined]
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise InvalidParameters({name: ("invalid_choice", _("There is no such choice here (any more)."))})


def _choice(request: TenantRequest, name: str, choices: list[str]) -> str:
    text: str | None = request.query_params.get(name)  # type: ignore[attr-defined]
    if text is not None and text not in choices:
        raise InvalidParameters({name: ("invalid_choice", _("There is no such choice here (any more)."))})
    return text or ""

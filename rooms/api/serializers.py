"""How rooms look to tools, and what tools may send. Lists are served as they come from the database, in this form."""

from typing import Any

from rest_framework import serializers

from rbac.api.base import Body
from rbac.catalogue import Permission
from rooms.models import Room, RoomState
from rooms.services.rooms import EDITABLE

LISTED = (
    "id",
    "display_name",
    "resource_account",
    "state",
    "health",
    "country",
    "region",
    "city",
    "building",
    "floor",
    "capacity",
    "version",
)
SHOWN = (
    *LISTED,
    *(name for name in EDITABLE if name not in LISTED),
    "host_name",
    "serial_number",
    "app_version",
    "os_version",
    "suppressed_until",
    "last_seen_at",
    "created_at",
    "changed_at",
)


class RoomItem(serializers.ModelSerializer[Room]):
    """A room as lists show it."""

    class Meta:
        model = Room
        fields = LISTED
        read_only_fields = LISTED


class GroupName(serializers.Serializer[Any]):
    """A room group or an update ring."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class RoomDetail(serializers.ModelSerializer[Room]):
    """All about one room, as far as you may see it."""

    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    ring = GroupName(allow_null=True, help_text="Its update ring, with `rings.view`.")
    groups = GroupName(many=True, help_text="The groups it is in that you may see.")
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=Permission.values), help_text="What you may do with this room."
    )

    class Meta:
        model = Room
        fields = (*SHOWN, "ring", "groups", "permissions")
        read_only_fields = fields


class RoomChanges(Body, serializers.ModelSerializer[Room]):
    """What is to be changed; fields that are left out stay as they are. What fits is said by the service."""

    class Meta:
        model = Room
        fields = EDITABLE
        extra_kwargs = {name: {"required": False} for name in EDITABLE}


def plain(changes: dict[str, Any]) -> dict[str, Any]:
    """`changes` in plain JSON values, as change control keeps them."""
    return {
        name: str(value) if name in ("latitude", "longitude") and value is not None else value
        for name, value in changes.items()
    }


def shown(room: Room) -> dict[str, Any]:
    """The columns of a room, numbers as numbers."""
    columns = {name: getattr(room, name) for name in SHOWN}
    columns["state"] = getattr(room, "state_now", room.state)
    if columns["state"] != RoomState.SUPPRESSED:
        columns["suppressed_until"] = None
    for name in ("latitude", "longitude"):
        columns[name] = None if columns[name] is None else float(columns[name])
    return columns

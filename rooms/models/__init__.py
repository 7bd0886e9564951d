"""Rooms and what is tied to them: groups, scopes of assignments, change-control policies."""

from rooms.models.approval import ControlMode, ControlPolicy
from rooms.models.inventory import ImportState, InventoryImport
from rooms.models.room import Health, Room, RoomGrantRow, RoomState, RoomUserGrantRow
from rooms.models.scope import AssignmentRoom, AssignmentRoomGroup, RoomGroup, RoomGroupMember

__all__ = [
    "AssignmentRoom",
    "AssignmentRoomGroup",
    "ControlMode",
    "ControlPolicy",
    "Health",
    "ImportState",
    "InventoryImport",
    "Room",
    "RoomGrantRow",
    "RoomGroup",
    "RoomGroupMember",
    "RoomState",
    "RoomUserGrantRow",
]

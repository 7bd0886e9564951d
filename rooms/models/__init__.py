"""Rooms and what is tied to them: devices, groups, scopes, rings, tickets, change-control policies."""

from rooms.models.approval import ApprovalRequest, ApprovalState, ControlMode, ControlPolicy
from rooms.models.device import (
    IMPAIRING,
    ActivityKind,
    Device,
    HealthPeriod,
    HealthSignal,
    RoomActivity,
    Severity,
    SignalCategory,
)
from rooms.models.enrollment_key import EnrollmentKey
from rooms.models.inventory import ImportState, InventoryImport
from rooms.models.room import Health, Room, RoomGrantRow, RoomState, RoomUserGrantRow
from rooms.models.scope import AssignmentRoom, AssignmentRoomGroup, RoomGroup, RoomGroupMember
from rooms.models.ticket import (
    ClosingReason,
    EntryKind,
    Ticket,
    TicketAttachment,
    TicketEntry,
    TicketKind,
    TicketRoom,
    TicketState,
)
from rooms.models.update_ring import (
    MOST_DAYS,
    Release,
    RingKey,
    Rollout,
    RolloutState,
    RoomUpdate,
    RoomUpdateState,
    UpdateRing,
)

__all__ = [
    "IMPAIRING",
    "MOST_DAYS",
    "ActivityKind",
    "ApprovalRequest",
    "ApprovalState",
    "AssignmentRoom",
    "AssignmentRoomGroup",
    "ClosingReason",
    "ControlMode",
    "ControlPolicy",
    "Device",
    "EnrollmentKey",
    "EntryKind",
    "Health",
    "HealthPeriod",
    "HealthSignal",
    "ImportState",
    "InventoryImport",
    "Release",
    "RingKey",
    "Rollout",
    "RolloutState",
    "Room",
    "RoomActivity",
    "RoomGrantRow",
    "RoomGroup",
    "RoomGroupMember",
    "RoomState",
    "RoomUpdate",
    "RoomUpdateState",
    "RoomUserGrantRow",
    "Severity",
    "SignalCategory",
    "Ticket",
    "TicketAttachment",
    "TicketEntry",
    "TicketKind",
    "TicketRoom",
    "TicketState",
    "UpdateRing",
]

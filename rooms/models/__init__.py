"""Rooms and what is tied to them: devices, groups, scopes, rings, tickets, change-control policies."""

from rooms.models.approval import ControlMode, ControlPolicy
from rooms.models.bulk import BulkAction, BulkChange, SavedFilter
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
from rooms.models.inventory import InventoryImport
from rooms.models.room import MONITORED, Health, Room, RoomGrantRow, RoomState, RoomUserGrantRow, in_state, state_now
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
    LIVE_ROLLOUTS,
    MOST_DAYS,
    OPEN_UPDATES,
    Release,
    RingKey,
    Rollout,
    RolloutState,
    RoomUpdate,
    RoomUpdateState,
    UpdateRing,
)
from rooms.models.work import Work, WorkState

__all__ = [
    "IMPAIRING",
    "LIVE_ROLLOUTS",
    "MONITORED",
    "MOST_DAYS",
    "OPEN_UPDATES",
    "ActivityKind",
    "AssignmentRoom",
    "AssignmentRoomGroup",
    "BulkAction",
    "BulkChange",
    "ClosingReason",
    "ControlMode",
    "ControlPolicy",
    "Device",
    "EnrollmentKey",
    "EntryKind",
    "Health",
    "HealthPeriod",
    "HealthSignal",
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
    "SavedFilter",
    "Severity",
    "SignalCategory",
    "Ticket",
    "TicketAttachment",
    "TicketEntry",
    "TicketKind",
    "TicketRoom",
    "TicketState",
    "UpdateRing",
    "Work",
    "WorkState",
    "in_state",
    "state_now",
]

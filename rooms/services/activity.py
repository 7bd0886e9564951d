"""What happened to a room, line by line, for whoever may view it (the room's tab *Activity*)."""

from collections.abc import Collection
from typing import Any

from audit.clock import Now
from rbac.models import User
from rooms.models import ActivityKind, Room, RoomActivity


def note(rooms: Collection[Room], kind: ActivityKind, *, by: User | None, **detail: Any) -> None:
    """A line for each of `rooms`; a step of the change that it tells of. `detail` is plain JSON, never of another room."""
    RoomActivity.objects.bulk_create(
        [
            RoomActivity(
                tenant_id=room.tenant_id,
                room=room,
                at=Now(),
                kind=kind,
                by=by.upn if by is not None else "",
                detail=detail,
            )
            for room in rooms
        ],
        batch_size=5000,
    )

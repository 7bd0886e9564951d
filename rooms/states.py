"""The state machines of rooms as data: from each state, the states that may follow."""

from rooms.models import RoomState, WorkState

WORK: dict[WorkState, frozenset[WorkState]] = {
    WorkState.CHECKED: frozenset({WorkState.QUEUED}),
    WorkState.QUEUED: frozenset({WorkState.RUNNING}),
    # A run that says nothing for a while is taken for dead, and another one takes over.
    WorkState.RUNNING: frozenset({WorkState.RUNNING, WorkState.DONE, WorkState.FAILED}),
    WorkState.FAILED: frozenset({WorkState.QUEUED}),
    WorkState.DONE: frozenset(),
}

ROOM: dict[RoomState, frozenset[RoomState]] = {
    RoomState.ONBOARDING: frozenset({RoomState.ENROLLED}),
    RoomState.ENROLLED: frozenset({RoomState.SUPPRESSED, RoomState.UNENROLLED}),
    # Suppressed once more: until another moment.
    RoomState.SUPPRESSED: frozenset({RoomState.ENROLLED, RoomState.SUPPRESSED, RoomState.UNENROLLED}),
    RoomState.UNENROLLED: frozenset({RoomState.ENROLLED}),
}

"""The state machines of rooms as data: from each state, the states that may follow."""

from rooms.models import ApprovalState, RoomState, TicketState, WorkState
from rooms.models import RolloutState as R
from rooms.models import RoomUpdateState as U

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
    # A device that enrols itself in an unenrolled room brings it back to where it began.
    RoomState.UNENROLLED: frozenset({RoomState.ENROLLED, RoomState.ONBOARDING}),
}

# A rollout of the newest release goes on when a room comes into its ring that lacks the version.
ROLLOUT: dict[R, frozenset[R]] = {
    R.SCHEDULED: frozenset({R.IN_PROGRESS, R.PAUSED, R.NOT_REQUIRED, R.DEPRECATED}),
    R.IN_PROGRESS: frozenset({R.PAUSED, R.COMPLETED, R.COMPLETED_WITH_FAILURES, R.DEPRECATED}),
    R.PAUSED: frozenset({R.SCHEDULED, R.IN_PROGRESS, R.DEPRECATED}),
    R.COMPLETED: frozenset({R.IN_PROGRESS}),
    R.COMPLETED_WITH_FAILURES: frozenset({R.IN_PROGRESS, R.COMPLETED}),
    R.NOT_REQUIRED: frozenset({R.IN_PROGRESS}),
    R.DEPRECATED: frozenset(),
}

# A night that passed without success goes back to waiting for the next one, at most twice. Ended: the room left the
# ring or the service, or a newer release came; it may take part again if it comes back.
ROOM_UPDATE: dict[U, frozenset[U]] = {
    U.WAITING: frozenset({U.OFFERED, U.PAUSED, U.DONE, U.ENDED}),
    U.OFFERED: frozenset({U.WAITING, U.PAUSED, U.DONE, U.FAILED, U.ENDED}),
    U.PAUSED: frozenset({U.WAITING, U.OFFERED, U.DONE, U.ENDED}),
    U.FAILED: frozenset({U.WAITING, U.OFFERED, U.DONE, U.ENDED}),
    U.ENDED: frozenset({U.WAITING}),
    U.DONE: frozenset(),
}

TICKET: dict[TicketState, frozenset[TicketState]] = {
    TicketState.NEEDS_ACTION: frozenset({TicketState.INVESTIGATING, TicketState.RESOLVED, TicketState.CLOSED}),
    TicketState.INVESTIGATING: frozenset({TicketState.NEEDS_ACTION, TicketState.RESOLVED, TicketState.CLOSED}),
    TicketState.RESOLVED: frozenset({TicketState.NEEDS_ACTION, TicketState.INVESTIGATING, TicketState.CLOSED}),
    # Reopened: it is somebody's turn again.
    TicketState.CLOSED: frozenset({TicketState.NEEDS_ACTION}),
}

_OVER: frozenset[ApprovalState] = frozenset()
APPROVAL: dict[ApprovalState, frozenset[ApprovalState]] = {
    ApprovalState.PENDING: frozenset(
        {
            ApprovalState.APPROVED,
            ApprovalState.REJECTED,
            ApprovalState.WITHDRAWN,
            ApprovalState.EXPIRED,
            ApprovalState.CANCELLED,
        }
    ),
    # Carried out in the transaction of the approval: nobody ever finds a request in this state.
    ApprovalState.APPROVED: frozenset({ApprovalState.EXECUTED, ApprovalState.FAILED}),
    ApprovalState.EXECUTED: _OVER,
    ApprovalState.FAILED: _OVER,
    ApprovalState.REJECTED: _OVER,
    ApprovalState.WITHDRAWN: _OVER,
    ApprovalState.EXPIRED: _OVER,
    ApprovalState.CANCELLED: _OVER,
}

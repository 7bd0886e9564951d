"""The state machines of rooms as data: from each state, the states that may follow."""

from rooms.models import ImportState, TicketState

INVENTORY_IMPORT: dict[ImportState, frozenset[ImportState]] = {
    ImportState.CHECKED: frozenset({ImportState.QUEUED}),
    ImportState.QUEUED: frozenset({ImportState.RUNNING}),
    # A run that says nothing for a while is taken for dead, and another one takes over.
    ImportState.RUNNING: frozenset({ImportState.RUNNING, ImportState.DONE, ImportState.FAILED}),
    ImportState.FAILED: frozenset({ImportState.QUEUED}),
    ImportState.DONE: frozenset(),
}

TICKET: dict[TicketState, frozenset[TicketState]] = {
    TicketState.NEEDS_ACTION: frozenset({TicketState.INVESTIGATING, TicketState.RESOLVED, TicketState.CLOSED}),
    TicketState.INVESTIGATING: frozenset({TicketState.NEEDS_ACTION, TicketState.RESOLVED, TicketState.CLOSED}),
    TicketState.RESOLVED: frozenset({TicketState.NEEDS_ACTION, TicketState.INVESTIGATING, TicketState.CLOSED}),
    # Reopened: it is somebody's turn again.
    TicketState.CLOSED: frozenset({TicketState.NEEDS_ACTION}),
}

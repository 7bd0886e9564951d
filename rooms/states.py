"""The state machines of rooms as data: from each state, the states that may follow."""

from rooms.models import ApprovalState, ImportState

INVENTORY_IMPORT: dict[ImportState, frozenset[ImportState]] = {
    ImportState.CHECKED: frozenset({ImportState.QUEUED}),
    ImportState.QUEUED: frozenset({ImportState.RUNNING}),
    # A run that says nothing for a while is taken for dead, and another one takes over.
    ImportState.RUNNING: frozenset({ImportState.RUNNING, ImportState.DONE, ImportState.FAILED}),
    ImportState.FAILED: frozenset({ImportState.QUEUED}),
    ImportState.DONE: frozenset(),
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

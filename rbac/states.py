"""State machines of this app, as data: from a state, the states that may follow. docs/states.md is made from them."""

from rbac.models import DelegationState as D

DELEGATION: dict[D, frozenset[D]] = {
    D.INVITED: frozenset({D.ACTIVE, D.LAPSED, D.ENDED}),
    D.LAPSED: frozenset({D.INVITED, D.ENDED}),
    D.ACTIVE: frozenset({D.SUSPENDED, D.ENDED}),
    D.SUSPENDED: frozenset({D.ACTIVE, D.ENDED}),
    D.ENDED: frozenset(),
}

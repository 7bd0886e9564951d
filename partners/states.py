"""State machines of this app, as data: from a state, the states that may follow. docs/states.md is made from them."""

from partners.models import InvitationState as I

INVITATION: dict[I, frozenset[I]] = {
    I.PENDING: frozenset({I.ACCEPTED, I.DENIED, I.EXPIRED, I.REVOKED}),
    I.ACCEPTED: frozenset(),
    I.DENIED: frozenset(),
    I.EXPIRED: frozenset(),
    I.REVOKED: frozenset(),
}

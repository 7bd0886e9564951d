"""State machines of this app, as data: from a state, the states that may follow. docs/states.md is made from them."""

from partners.models import InvitationState as I
from partners.webhooks import DeliveryState as D

INVITATION: dict[I, frozenset[I]] = {
    I.PENDING: frozenset({I.ACCEPTED, I.DENIED, I.EXPIRED, I.REVOKED}),
    I.ACCEPTED: frozenset(),
    I.DENIED: frozenset(),
    I.EXPIRED: frozenset(),
    I.REVOKED: frozenset(),
}

# What is settled waits again when somebody has it delivered once more.
DELIVERY: dict[D, frozenset[D]] = {
    D.WAITING: frozenset({D.DELIVERED, D.UNDELIVERABLE, D.CANCELLED}),
    D.DELIVERED: frozenset({D.WAITING}),
    D.UNDELIVERABLE: frozenset({D.WAITING}),
    D.CANCELLED: frozenset({D.WAITING}),
}

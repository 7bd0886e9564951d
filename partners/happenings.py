"""What tools are told of invitations (audit/events.py), by the state that one has come into."""

from collections.abc import Iterable

from audit.events import About, Event, EventType, tell
from partners.models import Invitation, InvitationState

_TOLD = {
    InvitationState.PENDING: EventType.INVITATION_SENT,
    InvitationState.ACCEPTED: EventType.INVITATION_ACCEPTED,
    InvitationState.DENIED: EventType.INVITATION_DENIED,
    InvitationState.EXPIRED: EventType.INVITATION_EXPIRED,
    InvitationState.REVOKED: EventType.INVITATION_REVOKED,
}


def tell_of(state: InvitationState, invitations: Iterable[Invitation], *, again: bool = False) -> None:
    """Tools hear that `invitations`, with their relationships, are in `state`; `again`: that they were sent once more."""
    told = EventType.INVITATION_RESENT if again else _TOLD[state]
    tell(*(Event(told, one.tenant_id, About.INVITATION, one.pk, one.relationship.delegation_id) for one in invitations))

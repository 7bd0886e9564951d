"""What a change tells to whoever listens: thin facts, handed over inside the change's own transaction.

A service says that something happened (`tell`) and knows nobody who wants to hear of it. An app above registers a
listener (`listens`), which writes down what it makes of it: with the change it is committed, with the change it is undone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.context import recorded


class EventType(models.TextChoices):
    """Everything that is told, and how it is called for programs. Names never change; new ones may come."""

    INVITATION_SENT = "invitation.sent", _("An invitation is sent")
    INVITATION_RESENT = "invitation.resent", _("An invitation is sent again")
    INVITATION_ACCEPTED = "invitation.accepted", _("An invitation is accepted")
    INVITATION_DENIED = "invitation.denied", _("An invitation is declined")
    INVITATION_EXPIRED = "invitation.expired", _("An invitation has expired")
    INVITATION_REVOKED = "invitation.revoked", _("An invitation is withdrawn")
    RELATIONSHIP_LINKED = "relationship.linked", _("A partner is linked")
    RELATIONSHIP_SUSPENDED = "relationship.suspended", _("A partner is suspended")
    RELATIONSHIP_RESUMED = "relationship.resumed", _("A partner is resumed")
    RELATIONSHIP_ENDED = "relationship.ended", _("A partner is removed")
    RELATIONSHIP_LAPSED = "relationship.lapsed", _("Nobody has accepted: a partner has lapsed")
    SCOPE_CHANGED = "scope.changed", _("The rooms that a partner manages are others")
    TICKET_OPENED = "ticket.opened", _("A ticket is opened")
    TICKET_UPDATED = "ticket.updated", _("A ticket is updated")
    TICKET_CLOSED = "ticket.closed", _("A ticket is closed")
    TICKET_REOPENED = "ticket.reopened", _("A ticket is reopened")
    APPROVAL_REQUESTED = "approval.requested", _("A change waits for approval")
    APPROVAL_EXECUTED = "approval.executed", _("A change is approved and made")
    APPROVAL_FAILED = "approval.failed", _("A change was approved and could not be made")
    APPROVAL_REJECTED = "approval.rejected", _("A change is rejected")
    APPROVAL_WITHDRAWN = "approval.withdrawn", _("A request for approval is withdrawn")
    APPROVAL_EXPIRED = "approval.expired", _("A request for approval has expired")
    APPROVAL_CANCELLED = "approval.cancelled", _("A request for approval is cancelled")


class About(models.TextChoices):
    """The kinds of objects that events are about."""

    INVITATION = "invitation", _("Invitation")
    RELATIONSHIP = "relationship", _("Partner")
    ASSIGNMENT = "assignment", _("Assignment")
    TICKET = "ticket", _("Ticket")
    APPROVAL = "approval", _("Request for approval")
    WEBHOOK = "webhook", _("Webhook")


@dataclass(frozen=True)
class Event:
    """Something has happened to one object of a customer; `relationship_id` is the delegation's, as in the log."""

    type: EventType
    tenant_id: UUID
    about: About
    object_id: UUID | int
    relationship_id: UUID | None = None


Listener = Callable[[Sequence[Event]], None]
_listeners: list[Listener] = []


def listens(listener: Listener) -> None:
    """Have `listener` called with the events of each change, inside its transaction; it writes, it does not send."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(*events: Event) -> None:
    """Whoever listens has written down what follows from `events`, with the open change.

    Events of one object are told in the order in which they happen: by who holds its row. Raises RuntimeError outside a
    recording: what is told belongs to a recorded change.
    """
    if recorded.get() is None:
        raise RuntimeError("events.tell needs an open recording")
    if events:
        for listener in _listeners:
            listener(events)

"""How pages show a ticket: state and severity as icon + word + colour, a line of its history as a sentence.

{% with shown=ticket.state|ticket_state_badge %}{% badge shown.kind shown.label shown.icon %}{% endwith %}
"""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from audit.log import SYSTEM
from rooms.models import ClosingReason, EntryKind, Severity, SignalCategory, TicketKind, TicketState
from rooms.templatetags.rooms import Shown

register = template.Library()

_STATES = {
    TicketState.NEEDS_ACTION: ("warning", "exclamation-circle"),
    TicketState.INVESTIGATING: ("info", "tools"),
    TicketState.RESOLVED: ("success", "check-circle"),
    TicketState.CLOSED: ("neutral", "lock"),
}
_SEVERITIES = {
    Severity.CRITICAL: ("danger", "x-octagon"),
    Severity.IMPORTANT: ("warning", "exclamation-triangle"),
    Severity.WARNING: ("info", "exclamation-circle"),
    Severity.RECOMMENDATION: ("neutral", "lightbulb"),
}
_ICONS = {
    EntryKind.OPENED: "ticket-perforated",
    EntryKind.MESSAGE: "chat-left-text",
    EntryKind.ATTACHMENT: "paperclip",
    EntryKind.STATE: "arrow-left-right",
    EntryKind.ASSIGNED: "person-check",
    EntryKind.CLOSED: "lock",
    EntryKind.REOPENED: "arrow-counterclockwise",
}


@register.filter
def ticket_state_badge(code: str) -> Shown:
    """The badge of a ticket's state."""
    kind, icon = _STATES[TicketState(code)]
    return Shown(kind, str(TicketState(code).label), icon)


@register.filter
def severity_badge(code: str) -> Shown:
    """The badge of a severity."""
    kind, icon = _SEVERITIES[Severity(code)]
    return Shown(kind, str(Severity(code).label), icon)


@register.filter
def ticket_kind_name(code: str) -> str:
    """The word for a kind of ticket."""
    return str(TicketKind(code).label)


@register.filter
def category_name(code: str) -> str:
    """The word for a category of signals."""
    return str(SignalCategory(code).label)


@register.filter
def actor_name(by: str) -> str:
    """Who did it; the portal by its name."""
    return _("The portal") if by == SYSTEM else by


@register.filter
def entry_icon(entry: Any) -> str:
    """The icon of a line."""
    return _ICONS[EntryKind(entry.kind)]


@register.filter
def entry_sentence(entry: Any) -> str:
    """What happened, after the name of who did it; nothing for a message, which speaks for itself."""
    detail = entry.detail
    if entry.kind == EntryKind.OPENED:
        return _("opened this ticket")
    if entry.kind == EntryKind.ATTACHMENT:
        return _("attached a file")
    if entry.kind == EntryKind.STATE:
        return _("changed the state to “%(state)s”") % {"state": _word(TicketState, detail.get("to"))}
    if entry.kind == EntryKind.REOPENED:
        return _("opened this ticket again")
    if entry.kind == EntryKind.CLOSED:
        return _("closed this ticket: %(reason)s") % {"reason": _word(ClosingReason, detail.get("reason"))}
    if entry.kind == EntryKind.ASSIGNED:
        return _assigned(detail)
    return ""


def _assigned(detail: dict[str, Any]) -> str:
    if detail.get("to"):
        return _("assigned this ticket to %(person)s") % {"person": detail["to"]}
    if detail.get("cause") == "partner_removed":
        return _("removed the partner that %(person)s works for; the ticket is assigned to nobody") % {
            "person": detail.get("from", "")
        }
    return _("took this ticket from %(person)s; it is assigned to nobody") % {"person": detail.get("from", "")}


def _word(choices: Any, code: Any) -> str:
    """The word for `code`, which a later version may not know any more."""
    return str(choices(code).label) if code in choices.values else str(code or "")

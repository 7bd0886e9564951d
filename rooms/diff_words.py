"""How what the log says of a change reads: whose fields its words are, and words for what is no field of a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from audit.models import Category
from rbac.catalogue import BuiltIn, Permission
from rbac.models import AssignmentKey
from rooms.models import ApprovalRequest, ClosingReason, RolloutState


@dataclass(frozen=True)
class Words:
    """Of the lines of one category."""

    model: str  # whose fields most of it are: their names, and the words for their choices
    labels: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_MEMBERS = {
    "members": _("Members"),
    "members_added": _("Members added"),
    "members_removed": _("Members removed"),
    "groups": _("Security groups"),
}
_ROLLOUT_ACTIONS = {
    "pause": _("The rollout is paused"),
    "resume": _("The rollout goes on"),
    "retry": _("What failed is tried again"),
    "force": _("The update is installed at once"),
}
_TICKET = {
    "high_impact": _("High impact"),
    "assigned_to": _("Assigned to"),
    "message": _("Message"),
    "attachment": _("File"),
    "size": _("Size"),
    "reason": _("Reason"),
    "note": _("Note"),
}

WORDS: dict[str, Words] = {
    Category.ROOM: Words("rooms.room", {"reason": _("Reason")}),
    Category.RING: Words(
        "rooms.updatering",
        {"action": _("What happens"), "whole": _("For all rooms of the ring"), "state": _("State of the rollout")},
        {"state": dict(RolloutState.choices), "action": _ROLLOUT_ACTIONS},
    ),
    Category.TICKET: Words("rooms.ticket", _TICKET, {"reason": dict(ClosingReason.choices)}),
    Category.ROLE: Words("rbac.role"),
    Category.ASSIGNMENT: Words("rbac.assignment", _MEMBERS),
    Category.GROUP: Words("rooms.roomgroup"),
}
ANYWHERE = {"rooms": _("Rooms"), "scope": _("Scope")}

# What the log leaves out and who decides has to read: parameters of the change, by what they are called there.
SAID: dict[tuple[str, str], dict[str, str]] = {
    (Permission.TICKETS_UPDATE, "write"): {"message": "text"},
    (Permission.TICKETS_UPDATE, "close"): {"note": "note"},
    (Permission.TICKETS_CREATE_INCIDENT, "report"): {"description": "description", "justification": "justification"},
}


def reads(category: str, words: Words) -> None:
    """Have lines of `category` read so: the apps above know what this one does not."""
    WORDS[category] = words


def object_of(request: ApprovalRequest) -> str:
    """What the request is about."""
    return in_words(request.target_name) if request.target_type.startswith("rbac.") else request.target_name


def in_words(name: str) -> str:
    """What the log calls a role or an assignment; the portal's own ones in the reader's language."""
    own = [*BuiltIn, *AssignmentKey]
    with override("en"):
        known = {one.value: one for one in own} | {str(one.label): one for one in own}
    return " / ".join(str(known[part].label) if part in known else part for part in name.split(" / "))

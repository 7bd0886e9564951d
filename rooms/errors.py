"""Rules about rooms, scopes and change control, with the stable codes the API answers."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from audit.errors import RuleBroken
from audit.log import CONSTRAINTS


class StaleVersion(RuleBroken):
    code = "stale_version"
    status = 412
    text = _("Somebody else has changed this room in the meantime. Look at the current values and try again.")


class UnknownRooms(RuleBroken):
    code = "unknown_rooms"
    status = 400
    text = _("Some of the rooms do not exist any more. Choose again.")


class EmptyScope(RuleBroken):
    code = "empty_scope"
    status = 400
    text = _("Choose at least one room.")


class RequestOver(RuleBroken):
    code = "request_over"
    status = 410
    text = _("This request has been decided already, or its time is over.")


class StillWaiting(RuleBroken):
    code = "still_waiting"
    text = _("This request still waits for its decision.")


class CommentRequired(RuleBroken):
    code = "comment_required"
    status = 400
    text = _("Say why: the partner will read it.")


class OwnRequest(RuleBroken):
    code = "own_request"
    text = _("Nobody decides what he has asked for himself.")


class AwaitsApproval(Exception):
    """Not done, but asked for: the customer decides. Pages lead to `request`, the API answers 202 with its address."""

    def __init__(self, request: Any) -> None:
        super().__init__(request)
        self.request = request


class ResourceAccountTaken(RuleBroken):
    code = "resource_account_taken"
    text = _("A room with this resource account exists already.")


class GroupNameTaken(RuleBroken):
    code = "group_name_taken"
    text = _("A room group of this name exists already.")


class GroupInUse(RuleBroken):
    code = "group_in_use"
    text = _("This room group is in the scope of an assignment. Take it out of the scope first.")


class DefaultGroup(RuleBroken):
    code = "default_group"
    text = _("The default group cannot be deleted.")


class UnreadableInventory(RuleBroken):
    """The file as a whole is no inventory; the message says why and what to do."""

    code = "inventory_unreadable"
    status = 400
    text = _("This file is no inventory that can be read.")


class ImportOver(RuleBroken):
    code = "import_over"
    text = _("This import has been carried out or discarded already.")


CONSTRAINTS.update({"room_account_in_tenant": ResourceAccountTaken, "room_group_name": GroupNameTaken})

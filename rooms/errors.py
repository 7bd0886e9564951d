"""Rules about rooms, scopes and change control, with the stable codes the API answers."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from audit.errors import RuleBroken
from audit.log import CONSTRAINTS
from rbac.errors import StaleVersion


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


class StateForbids(RuleBroken):
    code = "state_forbids"
    text = _("The state of this room does not allow that.")


class SuppressionOutOfRange(RuleBroken):
    code = "suppression_out_of_range"
    status = 400
    text = _("Choose a moment in the future, at most 90 days from now.")


class FilterNameTaken(RuleBroken):
    code = "filter_name_taken"
    text = _("You have a filter of this name already.")


class TooManyFilters(RuleBroken):
    code = "too_many_filters"
    text = _("You keep 30 filters already. Delete one first.")


class StaleRing(StaleVersion):
    text = _("Somebody else has changed this in the meantime. Look at the current values and try again.")


class RingNameTaken(RuleBroken):
    code = "ring_name_taken"
    text = _("An update ring of this name exists already.")


class RingDaysExceeded(RuleBroken):
    code = "ring_days_exceeded"
    text = _("All rings together may take at most 60 days, test periods included. Choose fewer days.")


class TooManyRings(RuleBroken):
    code = "too_many_rings"
    text = _("There are nine update rings already. Delete one first.")


class PreconfiguredRing(RuleBroken):
    code = "preconfigured_ring"
    text = _("The preconfigured rings cannot be deleted.")


class DefaultRing(RuleBroken):
    code = "default_ring"
    text = _("New rooms come into this ring. Make another ring the default first.")


class RingNotEmpty(RuleBroken):
    code = "ring_not_empty"
    text = _("There are rooms in this ring. Move them to another ring first.")


class RolloutNotRunning(RuleBroken):
    code = "rollout_not_running"
    text = _("This is not possible in the state that the rollout is in.")


class RingPaused(RuleBroken):
    code = "ring_paused"
    text = _("The whole ring has been paused. Only somebody who is responsible for all of its rooms can resume it.")


class NothingToUpdate(RuleBroken):
    code = "nothing_to_update"
    text = _("There is no room in this rollout for which this could be done.")


class UnreadableVersion(RuleBroken):
    code = "unreadable_version"
    status = 400
    text = _("Enter a version of up to four numbers, like 5.3.112.0.")


class ReleaseNotNewer(RuleBroken):
    code = "release_not_newer"
    text = _("A release of this version or a later one has been published already.")


class UnknownGroup(RuleBroken):
    code = "unknown_group"
    status = 400
    text = _("There is no such room group here (any more).")


class UnknownRing(RuleBroken):
    code = "unknown_ring"
    status = 400
    text = _("There is no such update ring here (any more).")


class UnreadableInventory(RuleBroken):
    """The file as a whole is no inventory; the message says why and what to do."""

    code = "inventory_unreadable"
    status = 400
    text = _("This file is no inventory that can be read.")


class ImportOver(RuleBroken):
    code = "import_over"
    text = _("This has been carried out or discarded already.")


class NoKey(RuleBroken):
    code = "no_key"
    text = _("There is no enrolment key yet. Somebody who may reset it issues the first one.")


class InvalidGrace(RuleBroken):
    code = "invalid_grace"
    status = 400
    text = _("Old keys can go on enrolling for 0 to 72 hours.")


class KeyUnreadable(RuleBroken):
    """The secrets outside the database do not fit what is stored: they were lost, or another installation's."""

    code = "key_unreadable"
    text = _("This key cannot be read any more. Reset it to issue a new one.")


class TooManyDownloads(RuleBroken):
    code = "too_many_downloads"
    status = 429
    text = _("You have downloaded the key five times within an hour. Try again later.")


class DeviceRefused(RuleBroken):
    """An enrolment key or a device's token that opens nothing: unknown, revoked and expired are not told apart."""

    code = "device_refused"
    status = 401
    text = _("This key or token opens nothing here.")
    auth_header = "Bearer"


class UnusableUse(RuleBroken):
    """Of a day to come or long ago, or more than a day can hold."""

    code = "use_out_of_range"
    status = 400
    text = _("These figures of use cannot be: look at the day, the minutes and the numbers of calls.")


CONSTRAINTS.update(
    {
        "room_account_in_tenant": ResourceAccountTaken,
        "room_group_name": GroupNameTaken,
        "ring_name": RingNameTaken,
        "ring_days_of_tenant": RingDaysExceeded,
        "ring_preconfigured_stays": PreconfiguredRing,
        # A room that came into a ring at the moment in which it was deleted.
        "room_ring_of_tenant": RingNotEmpty,
    }
)


class StaleTicket(StaleVersion):
    text = _("Somebody else has changed this ticket in the meantime. Look at what is new and try again.")


class TicketOver(RuleBroken):
    code = "ticket_closed"
    text = _("This ticket is closed. Reopen it first.")


class SystemTicket(RuleBroken):
    code = "system_ticket"
    text = _("The portal closes and reopens system tickets itself, by what the device reports.")


class UnknownPerson(RuleBroken):
    code = "unknown_person"
    status = 400
    text = _("This ticket cannot be assigned to this person.")


class AttachmentTooLarge(RuleBroken):
    code = "attachment_too_large"
    status = 413
    text = _("An attachment has at most 10 MiB.")


class AttachmentRefused(RuleBroken):
    """No type of the closed list, or not what its name says."""

    code = "attachment_refused"
    status = 400
    text = _(
        "Attach a PNG, JPEG, GIF, WebP, PDF, TXT, LOG, CSV, JSON or ZIP file. Its content has to be what its name says."
    )


class TooManyAttachments(RuleBroken):
    code = "too_many_attachments"
    text = _("A ticket has at most 20 attachments.")


class UploadGone(RuleBroken):
    code = "upload_gone"
    status = 410
    text = _("The file is no longer there. Attach it again.")


CONSTRAINTS.update({"room_account_in_tenant": ResourceAccountTaken, "room_group_name": GroupNameTaken})

"""Rules about rooms, scopes and change control, with the stable codes the API answers."""

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


class ManualNotOffered(RuleBroken):
    code = "manual_not_offered"
    status = 400
    text = _("Manual approval is not available yet. Choose automatic approval.")


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


CONSTRAINTS.update({"room_account_in_tenant": ResourceAccountTaken, "room_group_name": GroupNameTaken})

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

"""How tickets look to tools, and what tools may send. Lists are served as they come from the database, in this form."""

from typing import Any

from rest_framework import serializers

from rbac.api.base import Body
from rbac.catalogue import Permission
from rooms.models import Ticket, TicketAttachment, TicketEntry, TicketState
from rooms.services.tickets import MOST_ROOMS, REASONS, SEVERITIES
from rooms.ticket_lists import LISTED

MAX_ID = 2**63 - 1
DETAILED = (*LISTED, "description", "justification", "signal_name", "closing_reason", "closing_note")
OPEN_STATES = [one.value for one in TicketState if one != TicketState.CLOSED]


class TicketItem(serializers.ModelSerializer[Ticket]):
    """A ticket as lists show it; `rooms` names those of its rooms that you may see."""

    signal_category = serializers.CharField(help_text="Of a system ticket; else empty.")
    rooms = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Ticket
        fields = (*LISTED, "rooms")
        read_only_fields = fields


class TicketRoomName(serializers.Serializer[Any]):
    """A room of a ticket."""

    id = serializers.IntegerField()
    display_name = serializers.CharField()


class TicketDetail(serializers.ModelSerializer[Ticket]):
    """All about one ticket, as far as you may see it."""

    signal_category = serializers.CharField(help_text="Of a system ticket; else empty.")
    closing_reason = serializers.CharField(help_text="Of a closed ticket; else empty.")
    rooms = TicketRoomName(many=True, help_text="Those of its rooms that you may see.")
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=Permission.values), help_text="What you may do with this ticket."
    )
    is_whole = serializers.BooleanField(help_text="Whether you may decide for all of it: state, assignment, closing.")

    class Meta:
        model = Ticket
        fields = (*DETAILED, "rooms", "permissions", "is_whole")
        read_only_fields = fields


class AttachmentItem(serializers.ModelSerializer[TicketAttachment]):
    """A file of a ticket."""

    class Meta:
        model = TicketAttachment
        fields = ("id", "file_name", "content_type", "size", "sha256")
        read_only_fields = fields


class EntryItem(serializers.ModelSerializer[TicketEntry]):
    """A line of a ticket's history: what, when, by whom. `detail` depends on `kind`."""

    detail = serializers.DictField()
    attachment = AttachmentItem(allow_null=True)

    class Meta:
        model = TicketEntry
        fields = ("id", "kind", "at", "by", "organisation", "text", "detail", "attachment")
        read_only_fields = fields


class AssignablePerson(serializers.Serializer[Any]):
    """Somebody a ticket can be assigned to."""

    id = serializers.IntegerField()
    upn = serializers.CharField()
    name = serializers.CharField()
    organisation = serializers.CharField()


class AssignablePeople(serializers.Serializer[Any]):
    """Whom you may assign the ticket to."""

    items = AssignablePerson(many=True)


class NewIncident(Body):
    """What is wrong, in which rooms. High impact needs a justification and makes it critical."""

    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=5000, required=False, default="", allow_blank=True)
    rooms = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID), min_length=1, max_length=MOST_ROOMS
    )
    severity = serializers.ChoiceField(choices=[one.value for one in SEVERITIES], required=False)
    is_high_impact = serializers.BooleanField(required=False, default=False)
    justification = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class NewMessage(Body):
    """What is to be said."""

    text = serializers.CharField(max_length=5000)


class NewState(Body):
    """The state it is to be in; a closed ticket is reopened by `needs_action`."""

    state = serializers.ChoiceField(choices=OPEN_STATES)


class Assignee(Body):
    """The id of a person, or null for nobody."""

    person = serializers.IntegerField(min_value=1, max_value=MAX_ID, allow_null=True)


class Closing(Body):
    """Why it is over."""

    reason = serializers.ChoiceField(choices=[one.value for one in REASONS])
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class NewAttachment(Body):
    """A file of a closed list of types (PNG, JPEG, GIF, WebP, PDF, TXT, LOG, CSV, JSON, ZIP), with a message if you like."""

    file = serializers.FileField(allow_empty_file=True)
    text = serializers.CharField(max_length=5000, required=False, default="", allow_blank=True)

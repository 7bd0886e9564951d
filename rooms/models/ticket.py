"""Tickets: incidents that people report and signals that devices raise, with everything said and done about them."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rbac.access import Rule, ThroughRooms
from rbac.models import Tenant, User
from rooms.models.device import Severity, SignalCategory
from rooms.models.room import Room


class TicketKind(models.TextChoices):
    CUSTOMER = "customer", _("Customer incident")
    SYSTEM = "system", _("System ticket")


class TicketState(models.TextChoices):
    NEEDS_ACTION = "needs_action", _("Needs action")
    INVESTIGATING = "investigating", _("Investigating")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


class ClosingReason(models.TextChoices):
    FIXED = "fixed", _("Fixed")
    NOT_REPRODUCIBLE = "not_reproducible", _("Not reproducible")
    NO_FAULT = "no_fault", _("No fault")
    DUPLICATE = "duplicate", _("Duplicate")
    OTHER = "other", _("Other")
    # By the portal itself.
    SIGNAL_WELL = "signal_well", _("The device reports that all is well")
    SILENCE = "silence", _("Nobody had anything to add")
    UNENROLLED = "unenrolled", _("The room is not monitored any more")


class Ticket(models.Model):
    """One incident. Its number is its id; authorship is text, so that it outlives accounts and relationships.

    A system ticket belongs to one room and one of its signals, for good: it is reopened, never duplicated.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="tickets", db_index=False)
    kind = models.CharField(_("kind"), max_length=10, choices=TicketKind)
    state = models.CharField(_("state"), max_length=15, choices=TicketState, default=TicketState.NEEDS_ACTION)
    severity = models.CharField(_("severity"), max_length=15, choices=Severity)
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), max_length=5000, blank=True)
    is_high_impact = models.BooleanField(_("high impact"), default=False)
    justification = models.CharField(_("justification"), max_length=500, blank=True)

    signal_room = models.ForeignKey(
        Room, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("room of the signal")
    )
    signal_category = models.CharField(_("category"), max_length=15, choices=SignalCategory, blank=True)
    signal_name = models.CharField(_("signal"), max_length=80, blank=True)

    opened_by = models.CharField(_("opened by"), max_length=150, help_text=_("UPN; “system” for the portal itself."))
    opened_by_organisation = models.CharField(_("organisation"), max_length=200, blank=True)
    assigned_to = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    assigned_upn = models.CharField(_("assigned to"), max_length=150, blank=True)
    closing_reason = models.CharField(_("closing reason"), max_length=20, choices=ClosingReason, blank=True)
    closing_note = models.CharField(_("closing note"), max_length=500, blank=True)

    opened_at = models.DateTimeField(_("opened"))
    touched_at = models.DateTimeField(_("last activity"), help_text=_("Silence counts from here."))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1, help_text=_("Rises with every change."))

    # Messages and attachments need one of its rooms in scope, everything else all of them: services ask `whole=True`.
    ACCESS: ClassVar[Rule] = ThroughRooms("TicketRoom", "ticket")

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["signal_room", "signal_category", "signal_name"],
                condition=Q(kind="system"),
                name="ticket_one_per_signal",
            ),
            models.CheckConstraint(condition=Q(kind__in=TicketKind.values), name="ticket_kind"),
            models.CheckConstraint(condition=Q(state__in=TicketState.values), name="ticket_state"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="ticket_severity"),
            models.CheckConstraint(
                condition=Q(kind="system", signal_room__isnull=False, signal_category__in=SignalCategory.values)
                & ~Q(signal_name="")
                | Q(kind="customer", signal_room__isnull=True, signal_category="", signal_name=""),
                name="ticket_signal_whole",
            ),
            models.CheckConstraint(
                condition=Q(is_high_impact=False) | Q(kind="customer", severity="critical") & ~Q(justification=""),
                name="ticket_high_impact_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False, closing_reason__in=ClosingReason.values)
                | ~Q(state="closed") & Q(closed_at__isnull=True, closing_reason="", closing_note=""),
                name="ticket_closed_whole",
            ),
            models.CheckConstraint(
                condition=Q(assigned_to__isnull=True) | ~Q(assigned_upn=""), name="ticket_assigned_whole"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-opened_at", "-id"], name="ticket_by_age"),
            models.Index(fields=["tenant", "-touched_at", "-id"], name="ticket_by_activity"),
            models.Index(fields=["touched_at"], name="ticket_silent", condition=~Q(state="closed")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class TicketRoom(models.Model):
    """A room that a ticket is about."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="tied_rooms", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="tickets")

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["ticket", "room"], name="ticket_room_once")]

    def __str__(self) -> str:
        return f"{self.room} in {self.ticket}"


class EntryKind(models.TextChoices):
    OPENED = "opened", _("Opened")
    MESSAGE = "message", _("Message")
    ATTACHMENT = "attachment", _("Attachment")
    STATE = "state", _("State changed")
    ASSIGNED = "assigned", _("Assigned")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Reopened")


class TicketEntry(models.Model):
    """One line of a ticket's history, messages included. Nothing here is ever changed."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="entries", db_index=False)
    kind = models.CharField(_("what"), max_length=12, choices=EntryKind)
    at = models.DateTimeField(_("time"))
    by = models.CharField(_("by"), max_length=150, help_text=_("UPN; “system” for the portal itself."))
    organisation = models.CharField(_("organisation"), max_length=200, blank=True)
    text = models.TextField(_("text"), max_length=5000, blank=True)
    detail = models.JSONField(default=dict, help_text=_("Plain values that the line is worded from; never a room."))

    class Meta:
        verbose_name = _("ticket entry")
        verbose_name_plural = _("ticket entries")
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=Q(kind__in=EntryKind.values), name="ticket_entry_kind")]
        indexes = [
            models.Index(fields=["ticket", "at", "id"], name="ticket_entry_of_ticket"),
            # What the reports count.
            models.Index(
                fields=["tenant", "at"],
                include=["kind", "ticket"],
                name="ticket_entry_counted",
                condition=Q(kind__in=["opened", "closed", "reopened"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket}: {self.kind}"


class TicketAttachment(models.Model):
    """A file that belongs to a ticket. Its content lies outside the database, under a name that says nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="attachments")
    entry = models.OneToOneField(TicketEntry, models.CASCADE, related_name="attachment")
    file_name = models.CharField(_("file"), max_length=200)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveIntegerField(_("size"), help_text=_("Bytes."))
    sha256 = models.CharField(max_length=64)
    stored_as = models.CharField(max_length=200, unique=True)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.file_name


class TicketUpload(models.Model):
    """A file that was handed in, and that the change *attach* will name: it may wait for an approval.

    Nobody can read it before it is attached. What nobody attaches is swept away.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="uploads")
    by = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField(_("time"), db_index=True)
    file_name = models.CharField(_("file"), max_length=200)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveIntegerField(_("size"), help_text=_("Bytes."))
    sha256 = models.CharField(max_length=64)
    stored_as = models.CharField(max_length=200, unique=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.file_name

"""What happened (append-only, tamper-evident) and what is still to be delivered.

Plain values, no foreign keys: a line outlives everything it speaks of. Both tables are written in the transaction of
the change they belong to; the app's database role may insert and read audit rows, nothing else.
"""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

# The chain of lines that belong to no tenant (support staff, jobs over all tenants).
PLATFORM = uuid.UUID(int=0)


class Category(models.TextChoices):
    USER = "User", _("User")
    ASSIGNMENT = "Assignment", _("Assignment")
    PARTNER_INVITATION = "PartnerInvitation", _("Partner invitation")
    ROLE = "Role", _("Role")
    ROOM = "Room", _("Room")
    GROUP = "Group", _("Room group")
    RING = "Ring", _("Update ring")
    TICKET = "Ticket", _("Ticket")
    SETTINGS = "Settings", _("Settings")
    KEY = "Key", _("Enrolment key")
    APPROVAL = "Approval", _("Approval")
    SESSION = "Session", _("Session")


# The four categories of the eight-column log; the others appear in the extended export only.
PUBLISHED_CATEGORIES = (Category.USER, Category.ASSIGNMENT, Category.PARTNER_INVITATION, Category.ROLE)


class Operation(models.TextChoices):
    CREATE = "Create", _("Create")
    UPDATE = "Update", _("Update")
    DELETE = "Delete", _("Delete")


class Result(models.TextChoices):
    SUCCESSFUL = "Successful", _("Successful")
    FAILED = "Failed", _("Failed")


class ChainLink(models.Model):
    """One transaction's lines of one tenant, sealed: digest = SHA-256(previous digest, seq, digests of the lines)."""

    tenant_id = models.UUIDField()
    seq = models.BigIntegerField()
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    lines = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("audit chain link")
        verbose_name_plural = _("audit chain links")
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["tenant_id", "seq"], name="audit_link_tenant_seq")]

    def __str__(self) -> str:
        return f"{self.tenant_id} #{self.seq}"


class AuditEvent(models.Model):
    """One line of the log."""

    tenant_id = models.UUIDField(help_text=_("Whose log this line belongs to; all zeros: the platform's."))
    seq = models.BigIntegerField()
    position = models.IntegerField()
    at = models.DateTimeField(_("time"))
    category = models.CharField(_("category"), max_length=20, choices=Category)
    operation = models.CharField(_("operation"), max_length=10, choices=Operation)
    object_name = models.CharField(_("object"), max_length=300)
    result = models.CharField(_("result"), max_length=10, choices=Result)
    code = models.CharField(_("error code"), max_length=60, blank=True)
    user_id = models.CharField(_("user"), max_length=150, help_text=_("UPN; “system” for jobs."))
    user_tenant_id = models.UUIDField(null=True, blank=True)
    relationship_id = models.UUIDField(null=True, blank=True)
    approver = models.CharField(_("approver"), max_length=150, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    digest = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "seq", "position"], name="audit_event_place"),
            models.CheckConstraint(condition=Q(category__in=Category.values), name="audit_event_category"),
            models.CheckConstraint(condition=Q(operation__in=Operation.values), name="audit_event_operation"),
            models.CheckConstraint(condition=Q(result__in=Result.values), name="audit_event_result"),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "at", "id"], name="audit_event_time"),
            models.Index(
                fields=["relationship_id", "at"],
                name="audit_event_relationship",
                condition=Q(relationship_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category}/{self.operation} {self.object_name}"


class OutboxState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    UNDELIVERABLE = "undeliverable", _("Undeliverable")
    CANCELLED = "cancelled", _("Cancelled")


class OutboxMessage(models.Model):
    """Something a committed change still has to tell somebody.

    A worker holds the row's lock while it delivers, so two workers never deliver the same row; `message_key` makes a
    repetition after a crash recognisable (it becomes the Message-ID).
    """

    tenant_id = models.UUIDField()
    kind = models.CharField(_("kind"), max_length=60)
    subject_id = models.CharField(max_length=40, help_text=_("What the message is about; an id of its kind."))
    payload = models.JSONField(default=dict)
    message_key = models.UUIDField(default=uuid.uuid4, unique=True)
    state = models.CharField(_("state"), max_length=15, choices=OutboxState, default=OutboxState.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    due_at = models.DateTimeField(_("due"), help_text=_("Not delivered before."))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=OutboxState.values), name="outbox_state"),
            models.CheckConstraint(
                condition=Q(state="waiting", settled_at__isnull=True)
                | (~Q(state="waiting") & Q(settled_at__isnull=False)),
                name="outbox_settled",
            ),
        ]
        indexes = [
            models.Index(F("due_at"), F("id"), name="outbox_due", condition=Q(state="waiting")),
            models.Index(fields=["kind", "subject_id"], name="outbox_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"

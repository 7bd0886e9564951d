"""Change control: for each partner and controlled event, whether a change is done at once or asked for first; and what
is asked for.
"""

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.clock import Now
from rbac.access import OfTenant, Rule
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.models import Delegation, Tenant, User


class ControlMode(models.TextChoices):
    AUTO = "auto", _("Auto approval")
    MANUAL = "manual", _("Manual approval")


class ControlPolicy(models.Model):
    """The customer's choice for one event of one partner."""

    delegation = models.ForeignKey(Delegation, models.CASCADE, related_name="policies")
    event = models.CharField(_("event"), max_length=30, choices=Permission)
    mode = models.CharField(_("approval"), max_length=10, choices=ControlMode, default=ControlMode.AUTO)

    class Meta:
        verbose_name = _("change control policy")
        verbose_name_plural = _("change control policies")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["delegation", "event"], name="policy_once_per_event"),
            models.CheckConstraint(condition=Q(mode__in=ControlMode.values), name="policy_mode"),
            models.CheckConstraint(condition=Q(event__in=CONTROLLED_EVENTS), name="policy_event_controlled"),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.mode}"


class ApprovalState(models.TextChoices):
    PENDING = "pending", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    EXECUTED = "executed", _("Approved and done")
    FAILED = "failed", _("Approved, but failed")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


class ApprovalQuerySet(models.QuerySet["ApprovalRequest"]):
    def waiting(self) -> "ApprovalQuerySet":
        """Those that can still be decided this second, whether or not the clock has marked the others."""
        return self.filter(state=ApprovalState.PENDING, expires_at__gt=Now())

    def due(self) -> "ApprovalQuerySet":
        """Those whose time is over and that nobody has marked yet."""
        return self.filter(state=ApprovalState.PENDING, expires_at__lte=Now())


class ApprovalRequest(models.Model):
    """What a partner asks for: the frozen change, what it would do, and how it was decided.

    What is asked never changes (a trigger sees to it), nor does an answer. Names are text: they outlive people and rooms.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    delegation = models.ForeignKey(Delegation, models.PROTECT, related_name="requests", db_index=False)
    event = models.CharField(_("event"), max_length=30, choices=Permission)
    action = models.CharField(_("action"), max_length=30)
    target_type = models.CharField(max_length=60, help_text=_("Label of the model."))
    target_id = models.CharField(max_length=40)
    target_name = models.CharField(_("object"), max_length=300)
    target_version = models.PositiveIntegerField(null=True, blank=True)
    rooms = ArrayField(models.BigIntegerField(), default=list, help_text=_("The rooms that the change is about."))
    params = models.JSONField(help_text=_("What the service is called with, in plain values."))
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of what is asked for."))
    changes = models.JSONField(help_text=_("What the log would say of the change: object, before, after."))
    justification = models.CharField(_("justification"), max_length=500, blank=True)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    requested_upn = models.CharField(_("requested by"), max_length=150)
    requested_at = models.DateTimeField(_("requested"))
    expires_at = models.DateTimeField(_("expires"))
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)

    state = models.CharField(_("state"), max_length=10, choices=ApprovalState, default=ApprovalState.PENDING)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_upn = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    failure_code = models.CharField(_("error code"), max_length=60, blank=True)

    ACCESS: Rule = OfTenant()
    objects = ApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval request")
        verbose_name_plural = _("approval requests")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ApprovalState.values), name="approval_state"),
            models.CheckConstraint(condition=Q(event__in=CONTROLLED_EVENTS), name="approval_event_controlled"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("requested_at")), name="approval_expires_later"),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at__isnull=True, decided_upn="", decided_by__isnull=True)
                | ~Q(state="pending") & Q(decided_at__isnull=False) & ~Q(decided_upn=""),
                name="approval_decided_whole",
            ),
            # Nobody decides what he has asked for himself.
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "executed", "failed", "rejected"])
                | ~Q(decided_upn=F("requested_upn"))
                & (Q(decided_by__isnull=True) | Q(requested_by__isnull=True) | ~Q(decided_by=F("requested_by"))),
                name="approval_decided_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(comment=""), name="approval_rejected_with_reason"
            ),
            models.CheckConstraint(
                condition=Q(state="failed") & ~Q(failure_code="") | ~Q(state="failed") & Q(failure_code=""),
                name="approval_failed_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-requested_at", "-id"], name="approval_by_age"),
            models.Index(fields=["delegation", "state"], name="approval_of_delegation"),
            models.Index(fields=["expires_at"], name="approval_due", condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.target_name}"

    @property
    def asked(self) -> dict[str, Any]:
        """What the digest is made of."""
        names = ("event", "action", "target_type", "target_id", "target_version", "params")
        return {name: getattr(self, name) for name in names} | {"delegation": str(self.delegation_id)}

"""The device in a room: how it identifies itself, what it last reported, and how the room's health went."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rbac.models import Tenant
from rooms.models.room import Health, Room


class Device(models.Model):
    """One enrolment of a device in a room. Only the digest of its token is stored; revoked, it opens nothing."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="devices")
    token_digest = models.BinaryField(max_length=32, unique=True, help_text=_("SHA-256 of the token."))
    token_prefix = models.CharField(_("token"), max_length=12)
    key_version = models.PositiveIntegerField(_("version of the key it enrolled with"))
    enrolled_at = models.DateTimeField(_("enrolled"))
    last_seen_at = models.DateTimeField(_("last report"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["room"], condition=Q(revoked_at__isnull=True), name="device_one_live_per_room"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.token_prefix}…"


class SignalCategory(models.TextChoices):
    AUDIO = "audio", _("Audio")
    DISPLAY = "display", _("Display")
    PERIPHERALS = "peripherals", _("Peripherals")
    CONNECTIVITY = "connectivity", _("Connectivity")
    VERSIONING = "versioning", _("Versioning")


class Severity(models.TextChoices):
    CRITICAL = "critical", _("Critical")
    IMPORTANT = "important", _("Important")
    WARNING = "warning", _("Warning")
    RECOMMENDATION = "recommendation", _("Recommendation")


# Only these make a room unhealthy (product contract §7.2).
IMPAIRING = (Severity.CRITICAL, Severity.IMPORTANT)


class HealthSignal(models.Model):
    """What a room's device last said of one thing: {category, name, severity, ok}."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="signals", db_index=False)
    category = models.CharField(_("category"), max_length=15, choices=SignalCategory)
    name = models.CharField(_("signal"), max_length=80)
    severity = models.CharField(_("severity"), max_length=15, choices=Severity)
    is_ok = models.BooleanField(_("well"))
    since = models.DateTimeField(_("since"), help_text=_("When it last changed between well and not."))
    reported_at = models.DateTimeField(_("reported"))

    class Meta:
        verbose_name = _("health signal")
        verbose_name_plural = _("health signals")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["room", "category", "name"], name="signal_once_per_room"),
            models.CheckConstraint(condition=Q(category__in=SignalCategory.values), name="signal_category"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="signal_severity"),
        ]
        indexes = [models.Index(fields=["room"], name="signal_impaired", condition=Q(is_ok=False))]

    def __str__(self) -> str:
        return f"{self.category}/{self.name}"


class HealthPeriod(models.Model):
    """A stretch of time in which a monitored room had one health; the open one is how it is now."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="health_periods", db_index=False)
    health = models.CharField(_("health"), max_length=12, choices=Health)
    began_at = models.DateTimeField(_("began"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("health period")
        verbose_name_plural = _("health periods")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["room"], condition=Q(ended_at__isnull=True), name="health_period_one_open_per_room"
            ),
            models.CheckConstraint(condition=Q(health__in=Health.values), name="health_period_health"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("began_at")), name="health_period_in_order"
            ),
        ]
        indexes = [
            models.Index(fields=["room", "began_at"], name="health_period_of_room"),
            models.Index(fields=["ended_at"], name="health_period_ended", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.room}: {self.health}"


class ActivityKind(models.TextChoices):
    ADDED = "added", _("Added")
    ENROLLED = "enrolled", _("Enrolled")
    SUPPRESSED = "suppressed", _("Suppressed")
    UNSUPPRESSED = "unsuppressed", _("Suppression lifted")
    UNENROLLED = "unenrolled", _("Unenrolled")
    MODIFIED = "modified", _("Changed")
    DEVICE_ENROLLED = "device_enrolled", _("Device enrolled")
    DEVICE_REVOKED = "device_revoked", _("Device revoked")
    HEALTH = "health", _("Health changed")
    RING = "ring", _("Moved to another update ring")
    UPDATED = "updated", _("Updated")
    UPDATE_FAILED = "update_failed", _("Update failed")
    UPDATE_FORCED = "update_forced", _("Update forced")
    INCIDENT = "incident", _("Incident")


class RoomActivity(models.Model):
    """One line of what happened to a room, for whoever may view it. Authorship is text: it outlives accounts.

    Not the audit log, which is for MMR admins and tells the whole story; never anything about another room.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="activity", db_index=False)
    at = models.DateTimeField(_("time"))
    kind = models.CharField(_("what"), max_length=20, choices=ActivityKind)
    by = models.CharField(_("by"), max_length=150, blank=True, help_text=_("UPN; empty for the portal itself."))
    detail = models.JSONField(default=dict, help_text=_("Plain values that the line is worded from."))

    class Meta:
        verbose_name = _("room activity")
        verbose_name_plural = _("room activities")
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=Q(kind__in=ActivityKind.values), name="room_activity_kind")]
        indexes = [models.Index(fields=["room", "at", "id"], name="room_activity_of_room")]

    def __str__(self) -> str:
        return f"{self.room}: {self.kind}"

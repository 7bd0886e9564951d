"""Update rings, the releases that go through them, and how far each room is."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from rbac.access import Rights, Rule, ThroughRooms
from rbac.catalogue import Permission
from rbac.models import Tenant

MOST_DAYS = 60  # of all rings of a tenant together (product contract §7.5)


class RingKey(models.TextChoices):
    """The preconfigured rings: they cannot be deleted."""

    STAGING = "staging", _("Staging")
    GENERAL = "general", _("General")
    EXECUTIVE = "executive", _("Executive")


class UpdateRing(models.Model):
    """Rooms that get a release together, after the rings of a lower order. Every room is in exactly one."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="rings", db_index=False)
    key = models.CharField(max_length=10, choices=RingKey, blank=True, help_text=_("Empty for a ring of one's own."))
    order = models.PositiveSmallIntegerField(_("order"))
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=500, blank=True)
    is_default = models.BooleanField(_("default ring"), default=False, help_text=_("New rooms come into it."))
    test_days = models.PositiveSmallIntegerField(_("test period"), help_text=_("Days between this ring and the next."))
    rollout_days = models.PositiveSmallIntegerField(_("rollout duration"), help_text=_("Days."))
    version = models.PositiveIntegerField(_("version"), default=1, help_text=_("Rises with every change."))

    ACCESS: ClassVar[Rule] = ThroughRooms("Room", "ring", room="pk", whole_for=(Permission.RINGS_MODIFY,))

    class Meta:
        verbose_name = _("update ring")
        verbose_name_plural = _("update rings")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="ring_name"),
            models.UniqueConstraint(
                fields=["tenant", "order"], name="ring_order", deferrable=models.Deferrable.DEFERRED
            ),
            models.UniqueConstraint(fields=["tenant", "key"], condition=~Q(key=""), name="ring_key_once"),
            models.UniqueConstraint(fields=["tenant"], condition=Q(is_default=True), name="ring_one_default"),
            models.CheckConstraint(condition=Q(order__gte=1, order__lte=9), name="ring_order_range"),
            models.CheckConstraint(condition=Q(key="") | Q(key__in=RingKey.values), name="ring_key"),
            models.CheckConstraint(
                condition=Q(test_days__gte=0, rollout_days__gte=1)
                & Q(test_days__lte=MOST_DAYS, rollout_days__lte=MOST_DAYS),
                name="ring_days",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The name as it is shown: preconfigured rings that nobody renamed in the reader's language."""
        return str(RingKey(self.key).label) if self.key and self.name == self.key else self.name


class Release(models.Model):
    """A version of the devices' app, published by the operator; it goes through the rings of every tenant."""

    version = models.CharField(_("version"), max_length=40, unique=True)
    order = models.BigIntegerField(unique=True, help_text=_("Compares versions: a later one has a higher number."))
    notes = models.TextField(_("notes"), blank=True)
    published_at = models.DateTimeField(_("published"))

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.version


class RolloutState(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    IN_PROGRESS = "in_progress", _("In progress")
    PAUSED = "paused", _("Paused")
    COMPLETED = "completed", _("Completed")
    COMPLETED_WITH_FAILURES = "completed_with_failures", _("Completed with failures")
    DEPRECATED = "deprecated", _("Deprecated")
    NOT_REQUIRED = "not_required", _("Not required")


# A rollout that has not come to its end.
LIVE_ROLLOUTS = (RolloutState.SCHEDULED, RolloutState.IN_PROGRESS, RolloutState.PAUSED)


@dataclass(frozen=True)
class OfRing:
    """What belongs to a ring: seen and changed by whom the ring is seen and changed."""

    def restrict(self, held: Rights, permission: Permission, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rings = UpdateRing.ACCESS.restrict(held, permission, UpdateRing.objects.all())
        return queryset.filter(ring__in=rings)


class Rollout(models.Model):
    """One release in one ring. Its days are days of each room's own calendar."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="rollouts", db_index=False)
    ring = models.ForeignKey(UpdateRing, models.CASCADE, related_name="rollouts", db_index=False)
    release = models.ForeignKey(Release, models.PROTECT, related_name="rollouts")
    state = models.CharField(_("state"), max_length=25, choices=RolloutState, default=RolloutState.SCHEDULED)
    starts_on = models.DateField(_("starts"), help_text=_("A Wednesday."))
    ends_on = models.DateField(_("ends"), help_text=_("The last day on which rooms begin."))
    state_changed_at = models.DateTimeField(_("since"))
    version = models.PositiveIntegerField(_("version"), default=1, help_text=_("Rises with every change."))

    ACCESS: ClassVar[Rule] = OfRing()

    class Meta:
        verbose_name = _("rollout")
        verbose_name_plural = _("rollouts")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["ring", "release"], name="rollout_once"),
            models.CheckConstraint(condition=Q(state__in=RolloutState.values), name="rollout_state"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="rollout_days_in_order"),
            models.CheckConstraint(condition=Q(starts_on__iso_week_day=3), name="rollout_starts_on_wednesday"),
        ]
        indexes = [
            models.Index(fields=["tenant", "starts_on"], name="rollout_of_tenant"),
            models.Index(
                fields=["starts_on"],
                name="rollout_live",
                condition=Q(state__in=["scheduled", "in_progress", "paused"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.release} → {self.ring}"


class RoomUpdateState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    OFFERED = "offered", _("In progress")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Completed")
    FAILED = "failed", _("Failed")
    ENDED = "ended", _("No longer due")


# A room that still has something ahead of it in this rollout.
OPEN_UPDATES = (RoomUpdateState.WAITING, RoomUpdateState.OFFERED, RoomUpdateState.PAUSED)


class RoomUpdate(models.Model):
    """How far one room is in one rollout. A room that is moved to another ring takes part there instead."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    rollout = models.ForeignKey(Rollout, models.CASCADE, related_name="rooms", db_index=False)
    room = models.ForeignKey("rooms.Room", models.CASCADE, related_name="updates")
    state = models.CharField(_("state"), max_length=10, choices=RoomUpdateState, default=RoomUpdateState.WAITING)
    starts_at = models.DateTimeField(_("starts"), help_text=_("When its night begins, 00:00 by the room's own clock."))
    ends_at = models.DateTimeField(_("ends"), help_text=_("05:00 of the same night."))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    forced_by = models.CharField(_("forced by"), max_length=150, blank=True)
    failure = models.CharField(_("failure"), max_length=200, blank=True)
    changed_at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("update of a room")
        verbose_name_plural = _("updates of rooms")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["rollout", "room"], name="room_update_once"),
            models.CheckConstraint(condition=Q(state__in=RoomUpdateState.values), name="room_update_state"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="room_update_times_in_order"),
        ]
        indexes = [
            models.Index(fields=["rollout", "state"], name="room_update_by_state"),
            models.Index(fields=["starts_at"], name="room_update_due", condition=Q(state__in=["waiting", "offered"])),
        ]

    def __str__(self) -> str:
        return f"{self.room}: {self.state}"

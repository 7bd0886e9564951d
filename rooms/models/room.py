"""The room: a resource account with a device, of exactly one tenant; and guardian's rows on it."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from audit.clock import Now
from rbac.access import PerRoom
from rbac.catalogue import ROOM_PERMISSIONS, declared
from rbac.models import PersonGrant, RoomGrant, Tenant
from rbac.upn import MAX_LENGTH, PATTERN


class RoomState(models.TextChoices):
    ONBOARDING = "onboarding", _("Onboarding")
    ENROLLED = "enrolled", _("Enrolled")
    SUPPRESSED = "suppressed", _("Suppressed")
    UNENROLLED = "unenrolled", _("Unenrolled")


# Rooms whose devices report: maintenance silences alerts, not the device.
MONITORED = (RoomState.ENROLLED, RoomState.SUPPRESSED)


class Health(models.TextChoices):
    UNMONITORED = "unmonitored", _("Unmonitored")
    HEALTHY = "healthy", _("Healthy")
    UNHEALTHY = "unhealthy", _("Unhealthy")


OVER = Q(state=RoomState.SUPPRESSED, suppressed_until__lte=Now())


def state_now() -> Case:
    """The state of a room as it is true this second: a suppression is over when its time is, whoever writes it down."""
    return Case(When(OVER, then=Value(RoomState.ENROLLED.value)), default=F("state"), output_field=models.CharField())


def in_state(state: RoomState) -> Q:
    """Rooms that are in `state` this second."""
    if state == RoomState.ENROLLED:
        return Q(state=state) | OVER
    return Q(state=state) & ~OVER if state == RoomState.SUPPRESSED else Q(state=state)


class RoomQuerySet(models.QuerySet["Room"]):
    def due(self) -> "RoomQuerySet":
        """Rooms whose suppression is over and still has to be lifted."""
        return self.filter(OVER)


class Room(models.Model):
    """A managed meeting room. `resource_account` is its key in every inventory."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="rooms", db_index=False)
    resource_account = models.CharField(_("resource account"), max_length=MAX_LENGTH)
    display_name = models.CharField(_("name"), max_length=200)
    state = models.CharField(_("state"), max_length=12, choices=RoomState, default=RoomState.ONBOARDING)
    health = models.CharField(_("health"), max_length=12, choices=Health, default=Health.UNMONITORED)
    suppressed_until = models.DateTimeField(
        _("suppressed until"), null=True, blank=True, help_text=_("Empty: until somebody lifts it.")
    )
    last_seen_at = models.DateTimeField(_("last report"), null=True, blank=True)
    ring = models.ForeignKey("rooms.UpdateRing", models.PROTECT, related_name="rooms", verbose_name=_("update ring"))

    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("Two-letter country code."))
    region = models.CharField(_("state or province"), max_length=60, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    street = models.CharField(_("street"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    campus = models.CharField(_("campus"), max_length=100, blank=True)
    building = models.CharField(_("building"), max_length=100, blank=True)
    floor = models.IntegerField(_("floor"), null=True, blank=True)
    floor_label = models.CharField(_("part of the floor"), max_length=60, blank=True)
    label = models.CharField(_("kind of room"), max_length=100, blank=True)
    capacity = models.PositiveIntegerField(_("capacity"), null=True, blank=True)
    # Four decimals are about 11 metres; finer figures of the same place are the same place.
    latitude = models.DecimalField(_("latitude"), max_digits=7, decimal_places=4, null=True, blank=True)
    longitude = models.DecimalField(_("longitude"), max_digits=7, decimal_places=4, null=True, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    is_wheelchair_accessible = models.BooleanField(_("wheelchair accessible"), default=False)
    tags = ArrayField(models.CharField(max_length=60), verbose_name=_("tags"), default=list, blank=True)

    audio_device = models.CharField(_("audio device"), max_length=100, blank=True)
    video_device = models.CharField(_("video device"), max_length=100, blank=True)
    display_device = models.CharField(_("display"), max_length=100, blank=True)
    host_name = models.CharField(_("host name"), max_length=100, blank=True)
    serial_number = models.CharField(_("serial number"), max_length=100, blank=True)
    app_version = models.CharField(_("app version"), max_length=40, blank=True)
    os_version = models.CharField(_("system version"), max_length=60, blank=True)

    version = models.PositiveIntegerField(_("version"), default=1, help_text=_("Rises with every change."))
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        default_permissions = ("view",)
        permissions = declared(ROOM_PERMISSIONS)
        constraints = [
            models.UniqueConstraint(fields=["tenant", "resource_account"], name="room_account_in_tenant"),
            models.CheckConstraint(condition=Q(resource_account__regex=PATTERN), name="room_account_form"),
            models.CheckConstraint(condition=Q(state__in=RoomState.values), name="room_state"),
            models.CheckConstraint(condition=Q(health__in=Health.values), name="room_health"),
            models.CheckConstraint(condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"), name="room_country"),
            models.CheckConstraint(
                condition=Q(suppressed_until__isnull=True) | Q(state="suppressed"), name="room_suppressed_whole"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "display_name", "id"], name="room_by_name"),
            models.Index(fields=["tenant", "city", "id"], name="room_by_city"),
            # What the clock looks for: rooms that fell silent, suppressions that are over.
            models.Index(
                fields=["last_seen_at"],
                name="room_last_seen",
                condition=Q(state__in=["enrolled", "suppressed"]) & ~Q(health="unmonitored"),
            ),
            models.Index(
                fields=["suppressed_until"], name="room_suppressed", condition=Q(suppressed_until__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    def is_over(self, moment: datetime) -> bool:
        """Whether it is marked as suppressed, but its time was over at `moment`."""
        return self.suppressed_until is not None and self.suppressed_until <= moment


class RoomGrantRow(RoomGrant):
    """guardian's rows, with a real foreign key to the room. guardian finds the table by its related name: keep one."""

    content_object = models.ForeignKey(
        Room, models.CASCADE, db_index=False, db_constraint=False, related_name="grant_rows"
    )

    class Meta(RoomGrant.Meta):
        abstract = False
        default_permissions = ()
        unique_together: ClassVar = ["group", "permission", "content_object"]
        indexes = [models.Index(fields=["content_object", "permission", "group"], name="room_grant_by_room")]


class RoomUserGrantRow(PersonGrant):
    """Always empty: permissions go to assignments, never to people. guardian would else use its generic table."""

    content_object = models.ForeignKey(Room, models.CASCADE, related_name="user_grant_rows")

    class Meta(PersonGrant.Meta):
        abstract = False
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(pk__isnull=True), name="room_user_grant_empty")]


Room.ACCESS = PerRoom(RoomGrantRow)

"""What the reports are drawn from: days of rooms, and what is added up from them by the clock.

`RoomDay` is what happened, one row for each room and day of the room's own calendar. Everything else is worked out from
it (and from the tickets) by rooms/services/reporting.py and can be thrown away and made again. No page adds up days.
One composite key (room, tenant) ties the rows of rooms, and stands for the single ones.

The health of many rooms on one day is three strings of bits, one place (`slot`) for each room of the tenant: how many of
any chosen rooms were unhealthy is then the number of ones in `unhealthy & chosen`, whatever is chosen.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rbac.models import Tenant
from rooms.models.device import SignalCategory
from rooms.models.room import Room

PERIODS = (7, 30, 90, 180)  # days that reports look back; health at most 90 (product contract §7.6)


class Bits(models.Field):
    """A string of zeros and ones, PostgreSQL's `bit varying`."""

    def db_type(self, connection: Any) -> str:
        return "bit varying"


class RoomDay(models.Model):
    """One day of a room, by its own clock: seconds of each health between 05:00 and 21:00, and what its device counted.

    Times in which the room was not enrolled (in maintenance, say) are no seconds of any health. A device that has said
    nothing of the day's use leaves null there.
    """

    pk = models.CompositePrimaryKey("room_id", "day")
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    day = models.DateField(_("day"))
    healthy = models.PositiveIntegerField(_("healthy"), default=0, db_default=0, help_text=_("Seconds."))
    unhealthy = models.PositiveIntegerField(_("unhealthy"), default=0, db_default=0, help_text=_("Seconds."))
    unmonitored = models.PositiveIntegerField(_("unmonitored"), default=0, db_default=0, help_text=_("Seconds."))
    booked_minutes = models.PositiveSmallIntegerField(_("booked"), null=True, help_text=_("Minutes."))
    calls = models.PositiveIntegerField(_("calls"), null=True)
    poor_calls = models.PositiveIntegerField(_("poor calls"), null=True)

    class Meta:
        verbose_name = _("day of a room")
        verbose_name_plural = _("days of rooms")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(booked_minutes__isnull=True, calls__isnull=True, poor_calls__isnull=True)
                | Q(booked_minutes__isnull=False, calls__isnull=False, poor_calls__isnull=False)
                & Q(booked_minutes__lte=1440, poor_calls__lte=F("calls")),
                name="room_day_use_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room}: {self.day}"


class ReportRoom(models.Model):
    """How far the days of a room are worked out, and its place among the bits of its tenant, which is for good."""

    room = models.OneToOneField(Room, models.CASCADE, primary_key=True, related_name="+")
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False)
    slot = models.PositiveIntegerField()
    settled_through = models.DateField(help_text=_("The last day that is over by the room's clock and worked out."))
    reckoned_at = models.DateTimeField(null=True, help_text=_("Empty: something came in that is not added up yet."))
    summed_through = models.DateField(null=True, help_text=_("The last day in its periods; empty: none yet."))

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["tenant", "slot"], name="report_room_slot")]
        indexes = [models.Index(F("reckoned_at").asc(nulls_first=True), name="report_room_due")]

    def __str__(self) -> str:
        return str(self.room)


class RoomPeriod(models.Model):
    """What a room's last complete days add up to; only of rooms that enter reports now."""

    pk = models.CompositePrimaryKey("room_id", "days")
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    days = models.PositiveSmallIntegerField(_("days of the period"))
    watched_days = models.PositiveSmallIntegerField(_("days with a health"))
    unhealthy_days = models.PositiveSmallIntegerField(_("unhealthy days"))
    unhealthy_seconds = models.PositiveIntegerField(_("unhealthy"), help_text=_("Seconds between 05:00 and 21:00."))
    used_days = models.PositiveSmallIntegerField(_("days with a report of use"))
    booked_minutes = models.PositiveIntegerField(_("booked"), help_text=_("Minutes."))
    calls = models.PositiveBigIntegerField(_("calls"))
    poor_calls = models.PositiveBigIntegerField(_("poor calls"))

    class Meta:
        default_permissions = ("view",)
        indexes = [
            # Forwards the most reliable, backwards the least reliable rooms.
            models.Index(
                fields=["tenant", "days", "unhealthy_days", "unhealthy_seconds", "-watched_days", "room"],
                name="room_period_reliability",
                condition=Q(watched_days__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room}: {self.days}"


class ReportTenant(models.Model):
    """The reports of a tenant as a whole: how far they go, and how its rooms are."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="+")
    slots = models.PositiveIntegerField(default=0)
    day = models.DateField(help_text=_("The last complete day, by the tenant's clock."))
    reckoned_at = models.DateTimeField()
    dirty_from = models.DateField(null=True, help_text=_("From this day on the bits are not those of the days."))
    rooms = models.JSONField(default=list, help_text=_("How many rooms there are in each state and health."))
    open_tickets = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.tenant)


class TenantPeriod(models.Model):
    """The sums of `RoomPeriod` over all rooms of the tenant."""

    pk = models.CompositePrimaryKey("tenant_id", "days")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", db_index=False)
    days = models.PositiveSmallIntegerField()
    rooms = models.PositiveIntegerField(help_text=_("Rooms with a health."))
    watched_days = models.PositiveBigIntegerField()
    unhealthy_days = models.PositiveBigIntegerField()
    used_days = models.PositiveBigIntegerField()
    booked_minutes = models.PositiveBigIntegerField()
    calls = models.PositiveBigIntegerField()
    poor_calls = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.tenant}: {self.days}"


class HealthDay(models.Model):
    """The rooms of a tenant on one day: bits by `slot`, and how many of those that enter reports now."""

    pk = models.CompositePrimaryKey("tenant_id", "day")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    watched = Bits()
    unhealthy = Bits()
    unmonitored = Bits()
    watched_rooms = models.PositiveIntegerField(default=0, db_default=0)
    unhealthy_rooms = models.PositiveIntegerField(default=0, db_default=0)
    unmonitored_rooms = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.tenant}: {self.day}"


class TicketDay(models.Model):
    """Tickets of a tenant by day (of its own calendar) and category; a reopened one counts as opened once more."""

    pk = models.CompositePrimaryKey("tenant_id", "day", "category")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    category = models.CharField(max_length=15, blank=True, choices=SignalCategory, help_text=_("Empty: by people."))
    opened = models.PositiveIntegerField()
    closed = models.PositiveIntegerField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.tenant}: {self.day} {self.category}"

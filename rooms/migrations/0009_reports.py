"""What the reports are drawn from, true to the tenant; and the time zone that a clock can be set by."""

import django.db.models.deletion
import rooms.models.report
from django.db import migrations, models

# A row cannot tie a tenant and the room of another.
TIES = ("rooms_roomday", "rooms_reportroom", "rooms_roomperiod")
TENANT_TRUE = "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {table.removeprefix('rooms_')}_room_of_tenant FOREIGN KEY (room_id, tenant_id) "
    "REFERENCES rooms_room (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;\n"
    for table in TIES
)
TENANT_TRUE_UNDO = "".join(
    f"ALTER TABLE {table} DROP CONSTRAINT {table.removeprefix('rooms_')}_room_of_tenant;\n" for table in reversed(TIES)
)

# The first of `names` that is a time zone; UTC if none is. One odd name must not keep all days from being counted.
ZONE = """
CREATE FUNCTION trm_zone(VARIADIC names text[]) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        BEGIN
            IF name <> '' AND (now() AT TIME ZONE name) IS NOT NULL THEN
                RETURN name;
            END IF;
        EXCEPTION WHEN invalid_parameter_value THEN NULL;
        END;
    END LOOP;
    RETURN 'UTC';
END $$;
"""
ZONE_UNDO = "DROP FUNCTION trm_zone(VARIADIC text[]);"


class Migration(migrations.Migration):
    dependencies = [
        ("rbac", "0002_rules"),
        ("rooms", "0008_operations"),
    ]

    operations = [
        migrations.CreateModel(
            name="HealthDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("watched", rooms.models.report.Bits()),
                ("unhealthy", rooms.models.report.Bits()),
                ("unmonitored", rooms.models.report.Bits()),
                ("watched_rooms", models.PositiveIntegerField(db_default=0, default=0)),
                ("unhealthy_rooms", models.PositiveIntegerField(db_default=0, default=0)),
                ("unmonitored_rooms", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="rbac.tenant"
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="ReportRoom",
            fields=[
                (
                    "room",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="rooms.room",
                    ),
                ),
                ("slot", models.PositiveIntegerField()),
                (
                    "settled_through",
                    models.DateField(help_text="The last day that is over by the room's clock and worked out."),
                ),
                (
                    "reckoned_at",
                    models.DateTimeField(help_text="Empty: something came in that is not added up yet.", null=True),
                ),
                (
                    "summed_through",
                    models.DateField(help_text="The last day in its periods; empty: none yet.", null=True),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="rbac.tenant"
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="ReportTenant",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="rbac.tenant",
                    ),
                ),
                ("slots", models.PositiveIntegerField(default=0)),
                ("day", models.DateField(help_text="The last complete day, by the tenant's clock.")),
                ("reckoned_at", models.DateTimeField()),
                (
                    "dirty_from",
                    models.DateField(help_text="From this day on the bits are not those of the days.", null=True),
                ),
                (
                    "rooms",
                    models.JSONField(default=list, help_text="How many rooms there are in each state and health."),
                ),
                ("open_tickets", models.PositiveIntegerField(default=0)),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="RoomDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "room_id", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                (
                    "healthy",
                    models.PositiveIntegerField(db_default=0, default=0, help_text="Seconds.", verbose_name="healthy"),
                ),
                (
                    "unhealthy",
                    models.PositiveIntegerField(
                        db_default=0, default=0, help_text="Seconds.", verbose_name="unhealthy"
                    ),
                ),
                (
                    "unmonitored",
                    models.PositiveIntegerField(
                        db_default=0, default=0, help_text="Seconds.", verbose_name="unmonitored"
                    ),
                ),
                (
                    "booked_minutes",
                    models.PositiveSmallIntegerField(help_text="Minutes.", null=True, verbose_name="booked"),
                ),
                ("calls", models.PositiveIntegerField(null=True, verbose_name="calls")),
                ("poor_calls", models.PositiveIntegerField(null=True, verbose_name="poor calls")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rbac.tenant",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="rooms.room",
                    ),
                ),
            ],
            options={
                "verbose_name": "day of a room",
                "verbose_name_plural": "days of rooms",
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="RoomPeriod",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "room_id", "days", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("days", models.PositiveSmallIntegerField(verbose_name="days of the period")),
                ("watched_days", models.PositiveSmallIntegerField(verbose_name="days with a health")),
                ("unhealthy_days", models.PositiveSmallIntegerField(verbose_name="unhealthy days")),
                (
                    "unhealthy_seconds",
                    models.PositiveIntegerField(help_text="Seconds between 05:00 and 21:00.", verbose_name="unhealthy"),
                ),
                ("used_days", models.PositiveSmallIntegerField(verbose_name="days with a report of use")),
                ("booked_minutes", models.PositiveIntegerField(help_text="Minutes.", verbose_name="booked")),
                ("calls", models.PositiveBigIntegerField(verbose_name="calls")),
                ("poor_calls", models.PositiveBigIntegerField(verbose_name="poor calls")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rbac.tenant",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="rooms.room",
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="TenantPeriod",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "days", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("days", models.PositiveSmallIntegerField()),
                ("rooms", models.PositiveIntegerField(help_text="Rooms with a health.")),
                ("watched_days", models.PositiveBigIntegerField()),
                ("unhealthy_days", models.PositiveBigIntegerField()),
                ("used_days", models.PositiveBigIntegerField()),
                ("booked_minutes", models.PositiveBigIntegerField()),
                ("calls", models.PositiveBigIntegerField()),
                ("poor_calls", models.PositiveBigIntegerField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="rbac.tenant"
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="TicketDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "day", "category", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("audio", "Audio"),
                            ("display", "Display"),
                            ("peripherals", "Peripherals"),
                            ("connectivity", "Connectivity"),
                            ("versioning", "Versioning"),
                        ],
                        help_text="Empty: by people.",
                        max_length=15,
                    ),
                ),
                ("opened", models.PositiveIntegerField()),
                ("closed", models.PositiveIntegerField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="rbac.tenant"
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.AddIndex(
            model_name="ticketentry",
            index=models.Index(
                condition=models.Q(("kind__in", ["opened", "closed", "reopened"])),
                fields=["tenant", "at"],
                include=("kind", "ticket"),
                name="ticket_entry_counted",
            ),
        ),
        migrations.AddIndex(
            model_name="reportroom",
            index=models.Index(models.OrderBy(models.F("reckoned_at"), nulls_first=True), name="report_room_due"),
        ),
        migrations.AddConstraint(
            model_name="reportroom",
            constraint=models.UniqueConstraint(fields=("tenant", "slot"), name="report_room_slot"),
        ),
        migrations.AddConstraint(
            model_name="roomday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("booked_minutes__isnull", True), ("calls__isnull", True), ("poor_calls__isnull", True)),
                    models.Q(
                        ("booked_minutes__isnull", False),
                        ("calls__isnull", False),
                        ("poor_calls__isnull", False),
                        ("booked_minutes__lte", 1440),
                        ("poor_calls__lte", models.F("calls")),
                    ),
                    _connector="OR",
                ),
                name="room_day_use_whole",
            ),
        ),
        migrations.AddIndex(
            model_name="roomperiod",
            index=models.Index(
                condition=models.Q(("watched_days__gt", 0)),
                fields=["tenant", "days", "unhealthy_days", "unhealthy_seconds", "-watched_days", "room"],
                name="room_period_reliability",
            ),
        ),
        migrations.RunSQL(TENANT_TRUE, TENANT_TRUE_UNDO),
        migrations.RunSQL(ZONE, ZONE_UNDO),
    ]

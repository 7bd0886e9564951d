"""Updates of rooms that are no longer due end; versions are compared as numbers in the database too."""

from django.db import migrations, models

STATES = [
    ("waiting", "Waiting"),
    ("offered", "In progress"),
    ("paused", "Paused"),
    ("done", "Completed"),
    ("failed", "Failed"),
    ("ended", "No longer due"),
]
KINDS = [
    ("added", "Added"),
    ("enrolled", "Enrolled"),
    ("suppressed", "Suppressed"),
    ("unsuppressed", "Suppression lifted"),
    ("unenrolled", "Unenrolled"),
    ("modified", "Changed"),
    ("device_enrolled", "Device enrolled"),
    ("device_revoked", "Device revoked"),
    ("health", "Health changed"),
    ("ring", "Moved to another update ring"),
    ("updated", "Updated"),
    ("update_failed", "Update failed"),
    ("update_forced", "Update forced"),
    ("incident", "Incident"),
]
# The same rule as rooms/versions.py.
ORDER = """
CREATE FUNCTION trm_version_order(version text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN version ~ '^[0-9]{1,3}(\\.[0-9]{1,5}){0,3}$' THEN
        split_part(version, '.', 1)::bigint * 1000000000000000
        + COALESCE(NULLIF(split_part(version, '.', 2), ''), '0')::bigint * 10000000000
        + COALESCE(NULLIF(split_part(version, '.', 3), ''), '0')::bigint * 100000
        + COALESCE(NULLIF(split_part(version, '.', 4), ''), '0')::bigint
    ELSE -1 END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("rooms", "0006_operation_rules")]
    operations = [
        migrations.AlterField(
            model_name="roomupdate",
            name="state",
            field=models.CharField(choices=STATES, default="waiting", max_length=10, verbose_name="state"),
        ),
        migrations.RemoveConstraint(model_name="roomupdate", name="room_update_state"),
        migrations.AddConstraint(
            model_name="roomupdate",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", [code for code, _ in STATES])), name="room_update_state"
            ),
        ),
        migrations.AlterField(
            model_name="roomactivity",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=20, verbose_name="what"),
        ),
        migrations.RemoveConstraint(model_name="roomactivity", name="room_activity_kind"),
        migrations.AddConstraint(
            model_name="roomactivity",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", [code for code, _ in KINDS])), name="room_activity_kind"
            ),
        ),
        migrations.RunSQL(ORDER, "DROP FUNCTION trm_version_order(text)"),
    ]

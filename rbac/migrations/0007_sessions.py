"""Sessions know whose they are. Their table may be there already: Django's own sessions lived in it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARDS = """
CREATE TABLE IF NOT EXISTS django_session (
    session_key varchar(40) PRIMARY KEY,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);
CREATE INDEX IF NOT EXISTS django_session_session_key_c0390e0f_like ON django_session (session_key varchar_pattern_ops);
CREATE INDEX IF NOT EXISTS django_session_expire_date_a5c62663 ON django_session (expire_date);
ALTER TABLE django_session
    ADD COLUMN user_id bigint NULL REFERENCES rbac_user (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    ADD COLUMN began_at timestamp with time zone NULL,
    ADD COLUMN ip inet NULL,
    ADD COLUMN agent varchar(300) DEFAULT '';
CREATE INDEX django_session_user ON django_session (user_id);
"""
BACKWARDS = """
ALTER TABLE django_session DROP COLUMN user_id, DROP COLUMN began_at, DROP COLUMN ip, DROP COLUMN agent;
"""


class Migration(migrations.Migration):
    dependencies = [("rbac", "0006_idempotency_keys")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARDS, BACKWARDS)],
            state_operations=[
                migrations.CreateModel(
                    name="PersonSession",
                    fields=[
                        (
                            "session_key",
                            models.CharField(
                                max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                            ),
                        ),
                        ("session_data", models.TextField(verbose_name="session data")),
                        ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                        ("began_at", models.DateTimeField(null=True, verbose_name="signed in")),
                        ("ip", models.GenericIPAddressField(null=True, verbose_name="address")),
                        ("agent", models.CharField(blank=True, default="", max_length=300, verbose_name="browser")),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="sessions",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="person",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "session",
                        "verbose_name_plural": "sessions",
                        "db_table": "django_session",
                        "abstract": False,
                        "default_permissions": (),
                    },
                )
            ],
        )
    ]

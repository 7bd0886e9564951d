"""Files that were handed in for a ticket, and wait to be attached."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

# A row cannot tie things of two tenants.
TENANT_TRUE = """
ALTER TABLE rooms_ticketupload ADD CONSTRAINT ticketupload_ticket_of_tenant FOREIGN KEY (ticket_id, tenant_id)
    REFERENCES rooms_ticket (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
"""
TENANT_TRUE_UNDO = "ALTER TABLE rooms_ticketupload DROP CONSTRAINT ticketupload_ticket_of_tenant;"


class Migration(migrations.Migration):
    dependencies = [
        ("rbac", "0003_settings"),
        ("rooms", "0009_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TicketUpload",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_index=True, verbose_name="time")),
                ("file_name", models.CharField(max_length=200, verbose_name="file")),
                ("content_type", models.CharField(max_length=100, verbose_name="type")),
                ("size", models.PositiveIntegerField(help_text="Bytes.", verbose_name="size")),
                ("sha256", models.CharField(max_length=64)),
                ("stored_as", models.CharField(max_length=200, unique=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="rbac.tenant"
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="uploads", to="rooms.ticket"
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.RunSQL(TENANT_TRUE, TENANT_TRUE_UNDO),
    ]

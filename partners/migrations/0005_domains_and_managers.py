"""Invitations to a domain and who answers them; denials taken back; invitations sent by the partner itself."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# A manager is one of the tenant's own people.
TENANT_TRUE = """
ALTER TABLE partners_tenantmanager ADD CONSTRAINT manager_user_of_tenant
    FOREIGN KEY (user_id, tenant_id) REFERENCES rbac_user (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
"""
TENANT_TRUE_UNDO = "ALTER TABLE partners_tenantmanager DROP CONSTRAINT manager_user_of_tenant;"


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0004_terms_acceptance"),
        ("rbac", "0005_rights"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TenantManager",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("appointed_by", models.CharField(max_length=150, verbose_name="appointed by")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="appointed")),
            ],
            options={
                "verbose_name": "tenant manager",
                "verbose_name_plural": "tenant managers",
                "default_permissions": ("view",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="invitation",
            name="invitation_one_pending_per_upn",
        ),
        migrations.RemoveConstraint(
            model_name="invitation",
            name="invitation_upn_form",
        ),
        migrations.AddField(
            model_name="invitation",
            name="by_partner",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Sent by a primary admin of the partner.",
                verbose_name="by the partner",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="domain",
            field=models.CharField(blank=True, db_default="", default="", max_length=48, verbose_name="domain"),
        ),
        migrations.AddField(
            model_name="invitation",
            name="invited_tenant",
            field=models.ForeignKey(
                blank=True,
                help_text="Whose domain it is.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="rbac.tenant",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="reopens",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reopened_as",
                to="partners.invitation",
                verbose_name="takes back",
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="upn",
            field=models.CharField(blank=True, max_length=113, verbose_name="user principal name"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "pending")),
                fields=("relationship", "upn", "domain"),
                name="invitation_one_pending_per_upn",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("domain", ""),
                        ("invited_tenant__isnull", True),
                        (
                            "upn__regex",
                            "^[a-z0-9'._!#^~-]{1,64}@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$",
                        ),
                    ),
                    models.Q(("invited_tenant__isnull", False), ("upn", ""), models.Q(("domain", ""), _negated=True)),
                    _connector="OR",
                ),
                name="invitation_upn_form",
            ),
        ),
        migrations.AddField(
            model_name="tenantmanager",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="managers",
                to="rbac.tenant",
                verbose_name="tenant",
            ),
        ),
        migrations.AddField(
            model_name="tenantmanager",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddConstraint(
            model_name="tenantmanager",
            constraint=models.UniqueConstraint(fields=("tenant", "user"), name="tenant_manager_once"),
        ),
        migrations.RunSQL(TENANT_TRUE, TENANT_TRUE_UNDO),
    ]

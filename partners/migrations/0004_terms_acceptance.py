"""Who agreed to which terms, per customer; what was agreed to while adding partners is carried over."""

import django.db.models.deletion
from django.db import migrations, models

CARRY_OVER = """
INSERT INTO partners_termsacceptance (tenant_id, version, digest, accepted_by, accepted_at)
SELECT DISTINCT ON (tenant_id, terms_version) tenant_id, terms_version, terms_digest, terms_accepted_by, terms_accepted_at
FROM partners_partnerrelationship ORDER BY tenant_id, terms_version, terms_accepted_at, id;
"""

KEEP = """
CREATE FUNCTION trm_keep_acceptance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was agreed to never changes.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'terms_acceptance_kept';
END $$;
CREATE TRIGGER terms_acceptance_kept BEFORE UPDATE OR DELETE ON partners_termsacceptance
    FOR EACH ROW EXECUTE FUNCTION trm_keep_acceptance();
"""

KEEP_UNDO = "DROP TRIGGER terms_acceptance_kept ON partners_termsacceptance; DROP FUNCTION trm_keep_acceptance();"


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0003_rules"),
        ("rbac", "0003_settings"),
    ]

    operations = [
        migrations.CreateModel(
            name="TermsAcceptance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("digest", models.CharField(max_length=64, verbose_name="SHA-256 of the terms")),
                ("accepted_by", models.CharField(max_length=150, verbose_name="agreed by")),
                ("accepted_at", models.DateTimeField(verbose_name="agreed")),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="terms_acceptances",
                        to="rbac.tenant",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "acceptance of terms",
                "verbose_name_plural": "acceptances of terms",
                "default_permissions": ("view",),
                "constraints": [models.UniqueConstraint(fields=("tenant", "version"), name="terms_accepted_once")],
            },
        ),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP, KEEP_UNDO),
    ]

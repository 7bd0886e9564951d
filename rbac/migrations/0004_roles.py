"""Versions of roles, assignments and security groups; claims stand where their owner is at home."""

from django.db import migrations, models

# A claim of a partner's role is a place for somebody of the partner, so its tenant is not the assignment's.
CLAIMS = """
ALTER TABLE rbac_pendingclaim DROP CONSTRAINT claim_assignment_of_tenant;
CREATE FUNCTION trm_check_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.tenant_id IS DISTINCT FROM (
        SELECT CASE WHEN d.id IS NULL THEN a.tenant_id ELSE d.held_by_id END
        FROM rbac_assignment a JOIN rbac_role r ON r.id = a.role_id LEFT JOIN rbac_delegation d ON d.id = r.delegation_id
        WHERE a.id = NEW.assignment_id
    ) THEN
        RAISE EXCEPTION 'A claim stands in the tenant that holds the role.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_at_home';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER claim_at_home BEFORE INSERT OR UPDATE ON rbac_pendingclaim
    FOR EACH ROW EXECUTE FUNCTION trm_check_claim();
"""
CLAIMS_UNDO = """
DROP TRIGGER claim_at_home ON rbac_pendingclaim;
DROP FUNCTION trm_check_claim();
ALTER TABLE rbac_pendingclaim ADD CONSTRAINT claim_assignment_of_tenant FOREIGN KEY (assignment_id, tenant_id)
    REFERENCES rbac_assignment (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("rbac", "0003_settings")]
    operations = [
        *(
            migrations.AddField(
                model, "version", models.PositiveIntegerField(default=1, db_default=1, verbose_name="version")
            )
            for model in ("assignment", "role", "securitygroup")
        ),
        migrations.RunSQL(CLAIMS, CLAIMS_UNDO),
    ]

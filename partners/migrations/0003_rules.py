"""Tenant-true keys of relationships and invitations; an answered invitation never changes again."""

from django.db import migrations

TENANT_TRUE = """
ALTER TABLE partners_partnerrelationship ADD CONSTRAINT relationship_id_tenant UNIQUE (id, tenant_id);
ALTER TABLE partners_partnerrelationship ADD CONSTRAINT relationship_delegation_of_tenant
    FOREIGN KEY (delegation_id, tenant_id) REFERENCES rbac_delegation (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE partners_invitation ADD CONSTRAINT invitation_relationship_of_tenant
    FOREIGN KEY (relationship_id, tenant_id) REFERENCES partners_partnerrelationship (id, tenant_id)
    DEFERRABLE INITIALLY DEFERRED;
"""

TENANT_TRUE_UNDO = """
ALTER TABLE partners_invitation DROP CONSTRAINT invitation_relationship_of_tenant;
ALTER TABLE partners_partnerrelationship DROP CONSTRAINT relationship_delegation_of_tenant;
ALTER TABLE partners_partnerrelationship DROP CONSTRAINT relationship_id_tenant;
"""

TERMINAL = """
CREATE FUNCTION trm_keep_answered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'An answered invitation never changes.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'invitation_answered';
END $$;
CREATE TRIGGER invitation_answered BEFORE UPDATE OR DELETE ON partners_invitation
    FOR EACH ROW WHEN (OLD.state <> 'pending') EXECUTE FUNCTION trm_keep_answered();
"""

TERMINAL_UNDO = "DROP TRIGGER invitation_answered ON partners_invitation; DROP FUNCTION trm_keep_answered();"


class Migration(migrations.Migration):
    dependencies = [("partners", "0002_initial"), ("rooms", "0002_rules")]
    operations = [
        migrations.RunSQL(TENANT_TRUE, TENANT_TRUE_UNDO),
        migrations.RunSQL(TERMINAL, TERMINAL_UNDO),
    ]

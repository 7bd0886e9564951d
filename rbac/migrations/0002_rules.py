"""Rules that Django's constraints cannot say: tenant-true keys, immutable built-in roles, the last admin."""

from django.db import migrations

# A row cannot tie things of two tenants.
TENANT_TRUE = """
ALTER TABLE rbac_delegation ADD CONSTRAINT delegation_id_tenant UNIQUE (id, tenant_id);
ALTER TABLE rbac_role ADD CONSTRAINT role_id_tenant UNIQUE (id, tenant_id);
ALTER TABLE rbac_assignment ADD CONSTRAINT assignment_id_tenant UNIQUE (id, tenant_id);
ALTER TABLE rbac_securitygroup ADD CONSTRAINT security_group_id_tenant UNIQUE (id, tenant_id);
ALTER TABLE rbac_user ADD CONSTRAINT user_id_tenant UNIQUE (id, tenant_id);
ALTER TABLE rbac_role ADD CONSTRAINT role_delegation_of_tenant FOREIGN KEY (delegation_id, tenant_id)
    REFERENCES rbac_delegation (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE rbac_assignment ADD CONSTRAINT assignment_role_of_tenant FOREIGN KEY (role_id, tenant_id)
    REFERENCES rbac_role (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE rbac_pendingclaim ADD CONSTRAINT claim_assignment_of_tenant FOREIGN KEY (assignment_id, tenant_id)
    REFERENCES rbac_assignment (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE rbac_securitygroupmember ADD CONSTRAINT member_group_of_tenant FOREIGN KEY (group_id, tenant_id)
    REFERENCES rbac_securitygroup (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE rbac_securitygroupmember ADD CONSTRAINT member_user_of_tenant FOREIGN KEY (user_id, tenant_id)
    REFERENCES rbac_user (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
"""

TENANT_TRUE_UNDO = """
ALTER TABLE rbac_securitygroupmember DROP CONSTRAINT member_user_of_tenant, DROP CONSTRAINT member_group_of_tenant;
ALTER TABLE rbac_pendingclaim DROP CONSTRAINT claim_assignment_of_tenant;
ALTER TABLE rbac_assignment DROP CONSTRAINT assignment_role_of_tenant;
ALTER TABLE rbac_role DROP CONSTRAINT role_delegation_of_tenant;
ALTER TABLE rbac_user DROP CONSTRAINT user_id_tenant;
ALTER TABLE rbac_securitygroup DROP CONSTRAINT security_group_id_tenant;
ALTER TABLE rbac_assignment DROP CONSTRAINT assignment_id_tenant;
ALTER TABLE rbac_role DROP CONSTRAINT role_id_tenant;
ALTER TABLE rbac_delegation DROP CONSTRAINT delegation_id_tenant;
"""

# Partner roles may go with their delegation, once that has ended; built-in roles never change.
BUILT_IN = """
CREATE FUNCTION trm_keep_built_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.key = '' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' AND OLD.delegation_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM rbac_delegation d WHERE d.id = OLD.delegation_id AND d.state = 'ended'
    ) THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Built-in roles are immutable.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'role_built_in_immutable';
END $$;
CREATE TRIGGER role_built_in BEFORE UPDATE OR DELETE ON rbac_role
    FOR EACH ROW EXECUTE FUNCTION trm_keep_built_in();
"""

BUILT_IN_UNDO = "DROP TRIGGER role_built_in ON rbac_role; DROP FUNCTION trm_keep_built_in();"

# A linked partner keeps a primary admin, a tenant an MMR Admin. The delegation (tenant) row is locked BEFORE counting:
# without the lock two transactions, each removing one of the last two, both saw the other's member (100 of 150 races).
# Counted is who can act as admin now and for good: a person of the tenant that holds the role, active, no guest, through
# an assignment that has begun and has no end.
LAST_ADMIN = """
CREATE FUNCTION trm_check_admins(checked_role bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    checked rbac_role;
    delegation_state text;
    holder uuid;
BEGIN
    SELECT * INTO checked FROM rbac_role WHERE id = checked_role;
    IF NOT FOUND OR checked.key NOT IN ('partner_admin', 'mmr_admin') THEN
        RETURN;
    END IF;
    IF checked.key = 'partner_admin' THEN
        SELECT state, held_by_id INTO delegation_state, holder FROM rbac_delegation
            WHERE id = checked.delegation_id FOR UPDATE;
        IF delegation_state NOT IN ('active', 'suspended') THEN
            RETURN;
        END IF;
    ELSE
        SELECT id INTO holder FROM rbac_tenant WHERE id = checked.tenant_id FOR UPDATE;
    END IF;
    PERFORM 1
    FROM rbac_assignment a
    JOIN (
        SELECT m.assignment_id, m.user_id FROM rbac_assignmentmember m
        UNION ALL
        SELECT g.assignment_id, s.user_id FROM rbac_assignmentgroup g
        JOIN rbac_securitygroupmember s ON s.group_id = g.group_id
    ) member ON member.assignment_id = a.id
    JOIN rbac_user u ON u.id = member.user_id AND u.is_active AND u.is_home_member AND u.tenant_id = holder
    WHERE a.role_id = checked.id
        AND (a.all_rooms OR checked.key <> 'mmr_admin')  -- one over some rooms could not open the settings any more
        AND (a.valid_from IS NULL OR a.valid_from <= trm_now())
        AND a.valid_until IS NULL
    LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The last admin stays.' USING ERRCODE = 'check_violation',
            CONSTRAINT = CASE checked.key WHEN 'partner_admin' THEN 'last_primary_admin' ELSE 'last_mmr_admin' END;
    END IF;
END $$;

CREATE FUNCTION trm_admin_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'rbac_assignment' THEN
        PERFORM trm_check_admins(OLD.role_id);
    ELSIF TG_TABLE_NAME = 'rbac_securitygroupmember' THEN
        PERFORM trm_check_admins(a.role_id) FROM rbac_assignment a
            JOIN rbac_assignmentgroup g ON g.assignment_id = a.id WHERE g.group_id = OLD.group_id;
    ELSE
        PERFORM trm_check_admins(a.role_id) FROM rbac_assignment a WHERE a.id = OLD.assignment_id;
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER last_admin_member AFTER UPDATE OR DELETE ON rbac_assignmentmember
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trm_admin_left();
CREATE CONSTRAINT TRIGGER last_admin_group AFTER UPDATE OR DELETE ON rbac_assignmentgroup
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trm_admin_left();
CREATE CONSTRAINT TRIGGER last_admin_group_member AFTER UPDATE OR DELETE ON rbac_securitygroupmember
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trm_admin_left();
CREATE CONSTRAINT TRIGGER last_admin_assignment AFTER UPDATE OF role_id, all_rooms, valid_from, valid_until OR DELETE
    ON rbac_assignment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trm_admin_left();
"""

LAST_ADMIN_UNDO = """
DROP TRIGGER last_admin_member ON rbac_assignmentmember;
DROP TRIGGER last_admin_group ON rbac_assignmentgroup;
DROP TRIGGER last_admin_group_member ON rbac_securitygroupmember;
DROP TRIGGER last_admin_assignment ON rbac_assignment;
DROP FUNCTION trm_admin_left();
DROP FUNCTION trm_check_admins(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("rbac", "0001_initial"), ("audit", "0002_rules")]
    operations = [
        migrations.RunSQL(TENANT_TRUE, TENANT_TRUE_UNDO),
        migrations.RunSQL(BUILT_IN, BUILT_IN_UNDO),
        migrations.RunSQL(LAST_ADMIN, LAST_ADMIN_UNDO),
    ]

"""THE rule's first half as a function of the database: the live assignments of a person (rbac/access.py)."""

from django.db import migrations

# Membership, validity, role, delegation in one statement; the home tenant must be the one that holds it. `bound` narrows
# a partner's custom assignment: the group of Invited admins, 0 where that has all rooms, -1 (which no row has) where
# there is none. A function, because planning the statement costs three times what running it does: every connection
# plans it once and keeps the plan, behind a pooler too, which prepared statements would not survive.
RIGHTS = """
CREATE FUNCTION trm_rights(asked_user bigint, asked_tenant uuid DEFAULT NULL) RETURNS TABLE (
    assignment_id bigint, group_id integer, tenant_id uuid, delegation_id uuid, all_rooms boolean, room_count integer,
    permissions varchar[], bound integer, tenant_rooms integer
) LANGUAGE plpgsql STABLE ROWS 3 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY
SELECT a.id, a.group_id, a.tenant_id, r.delegation_id, a.all_rooms, a.room_count, r.permissions,
    CASE WHEN d.id IS NULL OR a.key = 'invited_admins' THEN 0 ELSE COALESCE((
        SELECT CASE WHEN b.all_rooms THEN 0 ELSE b.group_id END
        FROM rbac_assignment b JOIN rbac_role br ON br.id = b.role_id
        WHERE br.delegation_id = d.id AND br.key = 'partner_admin' AND b.key = 'invited_admins'
    ), -1) END,
    t.room_count
FROM rbac_user u
JOIN rbac_assignment a ON a.id = ANY(ARRAY(
        SELECT m.assignment_id FROM rbac_assignmentmember m WHERE m.user_id = asked_user
        UNION ALL
        SELECT g.assignment_id FROM rbac_securitygroupmember s JOIN rbac_assignmentgroup g ON g.group_id = s.group_id
        WHERE s.user_id = asked_user
    ))
    AND (a.valid_from IS NULL OR a.valid_from <= trm_now()) AND (a.valid_until IS NULL OR a.valid_until > trm_now())
JOIN rbac_tenant t ON t.id = a.tenant_id AND t.status <> 'closed'
JOIN rbac_tenant home ON home.id = u.tenant_id AND home.status <> 'closed'
JOIN rbac_role r ON r.id = a.role_id
LEFT JOIN rbac_delegation d ON d.id = r.delegation_id
WHERE u.id = asked_user AND u.is_active AND u.is_home_member AND (asked_tenant IS NULL OR a.tenant_id = asked_tenant)
    AND CASE WHEN d.id IS NULL THEN u.tenant_id = r.tenant_id
        ELSE u.tenant_id = d.held_by_id AND d.state = 'active' AND (d.valid_until IS NULL OR d.valid_until > trm_now())
        END;
END $$;
COMMENT ON FUNCTION trm_rights(bigint, uuid) IS 'The live assignments of a person, in one tenant or in all.';
"""


class Migration(migrations.Migration):
    dependencies = [("rbac", "0004_roles")]
    operations = [migrations.RunSQL(RIGHTS, "DROP FUNCTION trm_rights(bigint, uuid);")]

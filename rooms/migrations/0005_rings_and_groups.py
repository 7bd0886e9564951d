"""Every founded tenant has its three rings and its default group; every room is in a ring."""

from django.db import migrations

# The same days as rooms/services/founding.py has for tenants that are founded later.
FILL = """
INSERT INTO rooms_updatering
    (tenant_id, key, "order", name, description, is_default, test_days, rollout_days, version)
SELECT t.id, ring.key, ring.place, ring.key, '', ring.key = 'general', ring.test_days, ring.rollout_days, 1
FROM rbac_tenant t CROSS JOIN (VALUES ('staging', 1, 7, 7), ('general', 2, 7, 14), ('executive', 3, 0, 7))
    ring(key, place, test_days, rollout_days)
WHERE t.status <> 'arrived' OR EXISTS (SELECT 1 FROM rooms_room r WHERE r.tenant_id = t.id);

INSERT INTO rooms_roomgroup (tenant_id, name, description, is_default)
SELECT DISTINCT r.tenant_id, CASE t.language WHEN 'de' THEN 'Neue Räume' ELSE 'New rooms' END
    || CASE WHEN EXISTS (SELECT 1 FROM rooms_roomgroup g WHERE g.tenant_id = t.id AND g.name IN ('New rooms', 'Neue Räume'))
        THEN ' (2)' ELSE '' END, '', true
FROM rooms_updatering r JOIN rbac_tenant t ON t.id = r.tenant_id
WHERE NOT EXISTS (SELECT 1 FROM rooms_roomgroup g WHERE g.tenant_id = r.tenant_id AND g.is_default);

UPDATE rooms_room SET ring_id = g.id FROM rooms_updatering g WHERE g.tenant_id = rooms_room.tenant_id AND g.is_default;
"""


class Migration(migrations.Migration):
    dependencies = [("rooms", "0004_operations")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]

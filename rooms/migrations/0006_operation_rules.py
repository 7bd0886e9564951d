"""Rules of keys, devices, rings and tickets that Django cannot say: one tenant each, and what never changes."""

from django.db import migrations, models
import django.db.models.deletion

# (table, column, table it leads to): a row cannot tie things of two tenants.
TIES = (
    ("rooms_room", "ring_id", "rooms_updatering"),
    ("rooms_device", "room_id", "rooms_room"),
    ("rooms_healthsignal", "room_id", "rooms_room"),
    ("rooms_healthperiod", "room_id", "rooms_room"),
    ("rooms_roomactivity", "room_id", "rooms_room"),
    ("rooms_rollout", "ring_id", "rooms_updatering"),
    ("rooms_roomupdate", "rollout_id", "rooms_rollout"),
    ("rooms_roomupdate", "room_id", "rooms_room"),
    ("rooms_ticket", "signal_room_id", "rooms_room"),
    ("rooms_ticketroom", "ticket_id", "rooms_ticket"),
    ("rooms_ticketroom", "room_id", "rooms_room"),
    ("rooms_ticketentry", "ticket_id", "rooms_ticket"),
    ("rooms_ticketattachment", "ticket_id", "rooms_ticket"),
)
REFERRED = ("rooms_updatering", "rooms_rollout", "rooms_ticket")


def _name(table: str, column: str) -> str:
    return f"{table.removeprefix('rooms_')}_{column.removesuffix('_id')}_of_tenant"


TENANT_TRUE = "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {table.removeprefix('rooms_')}_id_tenant UNIQUE (id, tenant_id);\n"
    for table in REFERRED
) + "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {_name(table, column)} FOREIGN KEY ({column}, tenant_id) "
    f"REFERENCES {other} (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;\n"
    for table, column, other in TIES
)
TENANT_TRUE_UNDO = "".join(
    f"ALTER TABLE {table} DROP CONSTRAINT {_name(table, column)};\n" for table, column, _ in reversed(TIES)
) + "".join(
    f"ALTER TABLE {table} DROP CONSTRAINT {table.removeprefix('rooms_')}_id_tenant;\n" for table in reversed(REFERRED)
)

# What was said in a ticket stays said; a preconfigured ring stays one.
KEPT = """
CREATE FUNCTION trm_keep_ticket_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A ticket''s history is never changed.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ticket_entry_immutable';
END $$;
CREATE TRIGGER ticket_entry_kept BEFORE UPDATE ON rooms_ticketentry
    FOR EACH ROW EXECUTE FUNCTION trm_keep_ticket_entry();

CREATE FUNCTION trm_keep_ring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.key <> '' AND (TG_OP = 'DELETE' OR NEW.key <> OLD.key) THEN
        RAISE EXCEPTION 'Preconfigured rings stay.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ring_preconfigured_stays';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER ring_kept BEFORE UPDATE OR DELETE ON rooms_updatering
    FOR EACH ROW EXECUTE FUNCTION trm_keep_ring();

-- Of all rings of a tenant together, by whichever door; the tenant's row is held while they are counted.
CREATE FUNCTION trm_check_ring_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM rbac_tenant WHERE id = NEW.tenant_id FOR NO KEY UPDATE;
    IF (SELECT sum(test_days + rollout_days) FROM rooms_updatering WHERE tenant_id = NEW.tenant_id) > 60 THEN
        RAISE EXCEPTION 'All rings together take at most 60 days.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ring_days_of_tenant';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ring_days_counted AFTER INSERT OR UPDATE OF test_days, rollout_days, tenant_id ON rooms_updatering
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trm_check_ring_days();
"""
KEPT_UNDO = """
DROP TRIGGER ring_days_counted ON rooms_updatering;
DROP FUNCTION trm_check_ring_days();
DROP TRIGGER ring_kept ON rooms_updatering;
DROP FUNCTION trm_keep_ring();
DROP TRIGGER ticket_entry_kept ON rooms_ticketentry;
DROP FUNCTION trm_keep_ticket_entry();
"""


class Migration(migrations.Migration):
    dependencies = [("rooms", "0005_rings_and_groups")]
    operations = [
        migrations.AlterField(
            model_name="room",
            name="ring",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rooms",
                to="rooms.updatering",
                verbose_name="update ring",
            ),
        ),
        migrations.RunSQL(TENANT_TRUE, TENANT_TRUE_UNDO),
        migrations.RunSQL(KEPT, KEPT_UNDO),
    ]

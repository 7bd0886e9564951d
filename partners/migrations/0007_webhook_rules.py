"""Tenant-true key of webhooks: a partner's is of the customer whose delegation it is."""

from django.db import migrations

TENANT_TRUE = """
ALTER TABLE partners_webhook ADD CONSTRAINT webhook_delegation_of_tenant
    FOREIGN KEY (delegation_id, tenant_id) REFERENCES rbac_delegation (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
"""

TENANT_TRUE_UNDO = "ALTER TABLE partners_webhook DROP CONSTRAINT webhook_delegation_of_tenant;"


class Migration(migrations.Migration):
    dependencies = [("partners", "0006_webhooks"), ("rbac", "0005_rights")]
    operations = [migrations.RunSQL(TENANT_TRUE, TENANT_TRUE_UNDO)]

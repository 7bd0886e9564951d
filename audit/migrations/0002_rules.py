"""The database's clock, and an audit log that nobody rewrites."""

from typing import Any

from django.conf import settings
from django.db import migrations

CLOCK = """
CREATE FUNCTION trm_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS 'SELECT statement_timestamp()';
COMMENT ON FUNCTION trm_now() IS 'The only clock that decides: the time of the statement.';
"""

APPEND_ONLY = """
CREATE FUNCTION trm_refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION trm_refuse_rewrite();
CREATE TRIGGER audit_link_append_only BEFORE UPDATE OR DELETE ON audit_chainlink
    FOR EACH STATEMENT EXECUTE FUNCTION trm_refuse_rewrite();
"""

UNDO = """
DROP TRIGGER audit_event_append_only ON audit_auditevent;
DROP TRIGGER audit_link_append_only ON audit_chainlink;
DROP FUNCTION trm_refuse_rewrite();
"""


def narrow_app_role(apps: Any, schema_editor: Any) -> None:
    """The role that serves gets everything by default privileges; on the log it keeps INSERT and SELECT only."""
    app = settings.DATABASES["default"].get("USER")
    if app and app != schema_editor.connection.settings_dict.get("USER"):
        role = schema_editor.quote_name(app)
        schema_editor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON audit_auditevent, audit_chainlink FROM {role}")


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunSQL(CLOCK, "DROP FUNCTION trm_now();"),
        migrations.RunSQL(APPEND_ONLY, UNDO),
        migrations.RunPython(narrow_app_role, migrations.RunPython.noop),
    ]

"""Who operates a spacecraft sees what belongs to it: a function for other tables' policies."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FUNCTION = """
    CREATE FUNCTION mission_sees_spacecraft(spacecraft bigint) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT coalesce(current_setting('missioncontrol.everybody', true) = 'yes', false)
            OR EXISTS (
                SELECT 1 FROM fleet_spacecraft
                WHERE id = spacecraft AND mission_sees(organisation_id))
    $$
"""


def make_function(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION)


def drop_function(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION mission_sees_spacecraft(bigint)")


class Migration(migrations.Migration):
    dependencies = [("fleet", "0001_initial"), ("kernel", "0002_row_security")]

    operations = [migrations.RunPython(make_function, drop_function)]

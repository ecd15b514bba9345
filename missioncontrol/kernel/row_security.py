"""Row-level security: what migrations tell PostgreSQL of the tables that organisations share.

``FORCE`` binds the tables' owner too; only superusers and roles with BYPASSRLS
stand above it, and the product refuses to serve as one of them
(``missioncontrol.kernel.checks``). SQLite has nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_Migrate = Callable[[Apps, BaseDatabaseSchemaEditor], None]

FUNCTIONS: Final = """
    CREATE FUNCTION mission_sees(organisation bigint) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT coalesce(current_setting('missioncontrol.everybody', true) = 'yes', false)
            OR coalesce(organisation::text = ANY (string_to_array(
                current_setting('missioncontrol.organisations', true), ',')), false)
    $$;
    CREATE FUNCTION mission_sees_name(slug text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT coalesce(current_setting('missioncontrol.everybody', true) = 'yes', false)
            OR coalesce(slug = ANY (string_to_array(
                current_setting('missioncontrol.slugs', true), ',')), false)
    $$;
"""
DROP_FUNCTIONS: Final = """
    DROP FUNCTION mission_sees_name(text);
    DROP FUNCTION mission_sees(bigint);
"""


def protect(**conditions: str) -> _Migrate:
    """Return the step that lets rows be seen and written only under a condition, by table."""

    def migrate(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for table, condition in conditions.items():
            schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            schema_editor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            schema_editor.execute(
                f"CREATE POLICY of_organisations ON {table} "
                f"USING ({condition}) WITH CHECK ({condition})"
            )

    return migrate


def expose(*tables: str) -> _Migrate:
    """Return the step that takes the protection of *tables* away again."""

    def migrate(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for table in tables:
            schema_editor.execute(f"DROP POLICY of_organisations ON {table}")
            schema_editor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")

    return migrate


def make_functions(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the functions that the conditions are written with."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTIONS)


def drop_functions(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the functions away again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP_FUNCTIONS)

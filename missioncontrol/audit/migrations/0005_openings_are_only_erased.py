"""The database itself lets an opening be erased, once, and nothing else be done to it.

As in ``0002_entries_never_change``: a later migration that alters these tables
on SQLite must call ``guard_changes`` and ``guard_deletion`` again after it, and
`tests/log_guards.py` lifts the guards against deletion in test databases.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CHANGES = {
    "sqlite": [
        """
        CREATE TRIGGER audit_opening_changed BEFORE UPDATE ON audit_opening
        WHEN NOT (
            OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
            AND NEW.payload IS NULL AND NEW.salt IS NULL
            AND NEW.entry_id IS OLD.entry_id
            AND NEW.owner IS OLD.owner
        )
        BEGIN
            SELECT RAISE(ABORT, 'an opening is erased, or never changes');
        END
        """,
        # INSERT OR REPLACE deletes without asking the trigger against deletion.
        """
        CREATE TRIGGER audit_opening_replaced BEFORE INSERT ON audit_opening
        WHEN EXISTS (SELECT 1 FROM audit_opening WHERE entry_id = NEW.entry_id)
        BEGIN
            SELECT RAISE(ABORT, 'an opening is erased, or never changes');
        END
        """,
        """
        CREATE TRIGGER audit_openingreader_changed BEFORE UPDATE ON audit_openingreader
        BEGIN
            SELECT RAISE(ABORT, 'who reads an opening never changes');
        END
        """,
    ],
    "postgresql": [
        """
        CREATE FUNCTION audit_opening_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
                AND NEW.payload IS NULL AND NEW.salt IS NULL
                AND NEW.entry_id = OLD.entry_id AND NEW.owner = OLD.owner
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'an opening is erased, or never changes'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        """
        CREATE TRIGGER audit_opening_changed BEFORE UPDATE ON audit_opening
        FOR EACH ROW EXECUTE FUNCTION audit_opening_changed()
        """,
        """
        CREATE TRIGGER audit_openingreader_changed BEFORE UPDATE ON audit_openingreader
        FOR EACH ROW EXECUTE FUNCTION audit_row_kept('who reads an opening')
        """,
    ],
}

DELETION = {
    "sqlite": [
        """
        CREATE TRIGGER audit_opening_deleted BEFORE DELETE ON audit_opening
        BEGIN
            SELECT RAISE(ABORT, 'an opening is erased, or never changes');
        END
        """,
        """
        CREATE TRIGGER audit_openingreader_deleted BEFORE DELETE ON audit_openingreader
        BEGIN
            SELECT RAISE(ABORT, 'who reads an opening never changes');
        END
        """,
    ],
    "postgresql": [
        statement
        for table, what in (
            ("opening", "an opening is erased, or"),
            ("openingreader", "who reads an opening"),
        )
        for statement in (
            f"""
            CREATE TRIGGER audit_{table}_deleted BEFORE DELETE ON audit_{table}
            FOR EACH ROW EXECUTE FUNCTION audit_row_kept('{what}')
            """,
            f"""
            CREATE TRIGGER audit_{table}_truncated BEFORE TRUNCATE ON audit_{table}
            FOR EACH STATEMENT EXECUTE FUNCTION audit_row_kept('{what}')
            """,
        )
    ],
}

ALLOW_CHANGES = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS audit_opening_changed",
        "DROP TRIGGER IF EXISTS audit_opening_replaced",
        "DROP TRIGGER IF EXISTS audit_openingreader_changed",
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_opening_changed ON audit_opening",
        "DROP TRIGGER IF EXISTS audit_openingreader_changed ON audit_openingreader",
        "DROP FUNCTION IF EXISTS audit_opening_changed()",
    ],
}

ALLOW_DELETION = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS audit_opening_deleted",
        "DROP TRIGGER IF EXISTS audit_openingreader_deleted",
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_opening_deleted ON audit_opening",
        "DROP TRIGGER IF EXISTS audit_opening_truncated ON audit_opening",
        "DROP TRIGGER IF EXISTS audit_openingreader_deleted ON audit_openingreader",
        "DROP TRIGGER IF EXISTS audit_openingreader_truncated ON audit_openingreader",
    ],
}


def guard_changes(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _execute(schema_editor, CHANGES)


def guard_deletion(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _execute(schema_editor, DELETION)


def allow_changes(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _execute(schema_editor, ALLOW_CHANGES)


def allow_deletion(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _execute(schema_editor, ALLOW_DELETION)


def _execute(schema_editor: BaseDatabaseSchemaEditor, statements: dict[str, list[str]]) -> None:
    for statement in statements[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_openings")]

    operations = [
        migrations.RunPython(guard_changes, allow_changes),
        migrations.RunPython(guard_deletion, allow_deletion),
    ]

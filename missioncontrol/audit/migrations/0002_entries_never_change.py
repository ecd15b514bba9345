"""The database itself refuses to change or delete what was logged.

An entry gets its index once; nothing else of it ever changes, and a checkpoint
not at all. Who may drop triggers can get round this: `verify_log` finds that.

Two things to know:

* Django rebuilds an SQLite table to alter it, and the triggers go with the old
  one. A later migration that alters these tables must call `guard_changes` and
  `guard_deletion` of this module again after it.
* Tests that commit are cleaned up by emptying all tables. `tests/log_guards.py`
  takes the guards against deletion, and only those, out of a test database;
  there is no switch for it in the product.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CHANGES = {
    "sqlite": [
        # The last condition: UPDATE OR REPLACE would delete the row whose index is taken.
        """
        CREATE TRIGGER audit_entry_changed BEFORE UPDATE ON audit_auditentry
        WHEN NOT (
            OLD.log_index IS NULL AND NEW.log_index IS NOT NULL
            AND NEW.id IS OLD.id
            AND NEW.action IS OLD.action
            AND NEW.subject IS OLD.subject
            AND NEW.actor IS OLD.actor
            AND NEW.organisation IS OLD.organisation
            AND NEW.at IS OLD.at
            AND NEW.entry IS OLD.entry
            AND NEW.leaf_hash IS OLD.leaf_hash
        ) OR EXISTS (SELECT 1 FROM audit_auditentry WHERE log_index = NEW.log_index)
        BEGIN
            SELECT RAISE(ABORT, 'an audit entry never changes');
        END
        """,
        # INSERT OR REPLACE deletes without asking the trigger against deletion.
        """
        CREATE TRIGGER audit_entry_replaced BEFORE INSERT ON audit_auditentry
        WHEN EXISTS (
            SELECT 1 FROM audit_auditentry WHERE id = NEW.id OR log_index = NEW.log_index
        )
        BEGIN
            SELECT RAISE(ABORT, 'an audit entry never changes');
        END
        """,
        """
        CREATE TRIGGER audit_checkpoint_changed BEFORE UPDATE ON audit_checkpoint
        BEGIN
            SELECT RAISE(ABORT, 'a checkpoint never changes');
        END
        """,
        """
        CREATE TRIGGER audit_checkpoint_replaced BEFORE INSERT ON audit_checkpoint
        WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE id = NEW.id OR size = NEW.size)
        BEGIN
            SELECT RAISE(ABORT, 'a checkpoint never changes');
        END
        """,
    ],
    "postgresql": [
        """
        CREATE FUNCTION audit_entry_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            kept audit_auditentry%ROWTYPE := NEW;
        BEGIN
            kept.log_index := OLD.log_index;
            IF OLD.log_index IS NULL AND NEW.log_index IS NOT NULL
                AND kept IS NOT DISTINCT FROM OLD
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'an audit entry never changes'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        """
        CREATE FUNCTION audit_row_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% never changes', TG_ARGV[0]
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        """
        CREATE TRIGGER audit_entry_changed BEFORE UPDATE ON audit_auditentry
        FOR EACH ROW EXECUTE FUNCTION audit_entry_changed()
        """,
        """
        CREATE TRIGGER audit_checkpoint_changed BEFORE UPDATE ON audit_checkpoint
        FOR EACH ROW EXECUTE FUNCTION audit_row_kept('a checkpoint')
        """,
    ],
}

DELETION = {
    "sqlite": [
        """
        CREATE TRIGGER audit_entry_deleted BEFORE DELETE ON audit_auditentry
        BEGIN
            SELECT RAISE(ABORT, 'an audit entry never changes');
        END
        """,
        """
        CREATE TRIGGER audit_checkpoint_deleted BEFORE DELETE ON audit_checkpoint
        BEGIN
            SELECT RAISE(ABORT, 'a checkpoint never changes');
        END
        """,
    ],
    "postgresql": [
        """
        CREATE TRIGGER audit_entry_deleted BEFORE DELETE ON audit_auditentry
        FOR EACH ROW EXECUTE FUNCTION audit_row_kept('an audit entry')
        """,
        """
        CREATE TRIGGER audit_entry_truncated BEFORE TRUNCATE ON audit_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_row_kept('an audit entry')
        """,
        """
        CREATE TRIGGER audit_checkpoint_deleted BEFORE DELETE ON audit_checkpoint
        FOR EACH ROW EXECUTE FUNCTION audit_row_kept('a checkpoint')
        """,
        """
        CREATE TRIGGER audit_checkpoint_truncated BEFORE TRUNCATE ON audit_checkpoint
        FOR EACH STATEMENT EXECUTE FUNCTION audit_row_kept('a checkpoint')
        """,
    ],
}

ALLOW_CHANGES = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS audit_entry_changed",
        "DROP TRIGGER IF EXISTS audit_entry_replaced",
        "DROP TRIGGER IF EXISTS audit_checkpoint_changed",
        "DROP TRIGGER IF EXISTS audit_checkpoint_replaced",
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_entry_changed ON audit_auditentry",
        "DROP TRIGGER IF EXISTS audit_checkpoint_changed ON audit_checkpoint",
        "DROP FUNCTION IF EXISTS audit_entry_changed()",
        "DROP FUNCTION IF EXISTS audit_row_kept()",
    ],
}

ALLOW_DELETION = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS audit_entry_deleted",
        "DROP TRIGGER IF EXISTS audit_checkpoint_deleted",
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_entry_deleted ON audit_auditentry",
        "DROP TRIGGER IF EXISTS audit_entry_truncated ON audit_auditentry",
        "DROP TRIGGER IF EXISTS audit_checkpoint_deleted ON audit_checkpoint",
        "DROP TRIGGER IF EXISTS audit_checkpoint_truncated ON audit_checkpoint",
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
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunPython(guard_changes, allow_changes),
        migrations.RunPython(guard_deletion, allow_deletion),
    ]

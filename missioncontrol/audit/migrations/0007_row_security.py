"""PostgreSQL itself shows an opening to its owner and its readers only.

Writing is free: an entry is written for whomever it concerns, by whoever does
the work, and shows nobody anything. Who the readers are is left open; it is of
no use without the opening.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from missioncontrol.kernel.row_security import expose

_PROTECT = """
    ALTER TABLE audit_opening ENABLE ROW LEVEL SECURITY;
    ALTER TABLE audit_opening FORCE ROW LEVEL SECURITY;
    CREATE POLICY of_organisations ON audit_opening
    USING (
        mission_sees_name(owner) OR EXISTS (
            SELECT 1 FROM audit_openingreader AS reader
            WHERE reader.opening_id = audit_opening.entry_id
                AND mission_sees_name(reader.organisation)
        )
    )
    WITH CHECK (true);
"""


def protect_openings(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_PROTECT, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0002_row_security"),
        ("audit", "0006_entries_by_leaf_hash"),
    ]

    operations = [migrations.RunPython(protect_openings, expose("audit_opening"))]

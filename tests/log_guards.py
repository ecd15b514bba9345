"""The log's triggers against deletion, out of the way of tests that commit.

Such tests are cleaned up by emptying every table, which is what the triggers
forbid. The product has no switch for it: a test database is migrated like any
other and then loses these triggers. Those against changes stay.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module

from django.db import connection

_migration = import_module("missioncontrol.audit.migrations.0002_entries_never_change")


def lift_deletion_guards():
    """Let this test database be emptied."""
    _execute(_migration.ALLOW_DELETION)


@contextmanager
def deletion_guarded():
    """Put the triggers against deletion back for a while."""
    _execute(_migration.DELETION)
    try:
        yield
    finally:
        _execute(_migration.ALLOW_DELETION)


@contextmanager
def changes_allowed():
    """Take the triggers against changes away for a while, as a thief with SQL would."""
    _execute(_migration.ALLOW_CHANGES)
    try:
        yield
    finally:
        _execute(_migration.CHANGES)


def _execute(statements):
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement)

"""The log's triggers against deletion, out of the way of tests that commit.

Such tests are cleaned up by emptying every table, which is what the triggers
forbid. The product has no switch for it: a test database is migrated like any
other and then loses these triggers. Those against changes stay.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module

from django.db import connection

_MIGRATIONS = [
    import_module(f"missioncontrol.audit.migrations.{name}")
    for name in ("0002_entries_never_change", "0005_openings_are_only_erased")
]


def lift_deletion_guards():
    """Let this test database be emptied."""
    _execute("ALLOW_DELETION")


@contextmanager
def deletion_guarded():
    """Put the triggers against deletion back for a while."""
    _execute("DELETION")
    try:
        yield
    finally:
        _execute("ALLOW_DELETION")


@contextmanager
def changes_allowed():
    """Take the triggers against changes away for a while, as a thief with SQL would."""
    _execute("ALLOW_CHANGES")
    try:
        yield
    finally:
        _execute("CHANGES")


def _execute(what):
    # The later migration builds on a function of the earlier one.
    downwards = what.startswith("ALLOW")
    with connection.cursor() as cursor:
        for migration in reversed(_MIGRATIONS) if downwards else _MIGRATIONS:
            for statement in getattr(migration, what)[connection.vendor]:
                cursor.execute(statement)

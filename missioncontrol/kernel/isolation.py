"""What keeps the rows of organisations apart in this installation."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

_RIGHTS: Final = """
    SELECT rolsuper, rolbypassrls,
        EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid
            AND relname = 'accounts_organisation' AND relkind = 'r')
    FROM pg_roles WHERE rolname = %s
"""


def isolation_faults() -> list[str]:
    """Return why organisations are kept apart by the application alone; empty: they are not.

    Each is a clause that can stand after a semicolon.
    """
    if connection.vendor != "postgresql":
        return ["SQLite has no row-level security"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return role_faults(cursor, cursor.fetchone()[0])


def role_faults(cursor: Any, role: str) -> list[str]:
    """Return what lets a PostgreSQL role pass by row-level security."""
    cursor.execute(_RIGHTS, [role])
    row = cursor.fetchone()
    if row is None:
        return [f"there is no role {role}"]
    said = (
        "it is a superuser",
        "it has BYPASSRLS",
        "it owns the tables and could switch their policies off",
    )
    return [text for held, text in zip(row, said, strict=True) if held]

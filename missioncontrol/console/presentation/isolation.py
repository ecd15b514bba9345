"""What the first page says of how the organisations' rows are kept apart."""

from __future__ import annotations

from functools import cache

from django.db import connection

from missioncontrol.kernel.isolation import isolation_faults


@cache
def isolation_notice() -> str:
    """Return what is not as it should be, or nothing.

    Found out once in a process: who connects to which database changes with a restart only.
    """
    faults = isolation_faults()
    if not faults:
        return ""
    if connection.vendor != "postgresql":
        return (
            f"For one organisation or for trial: {faults[0]}, so that only this program keeps the "
            "members apart. For more of them take PostgreSQL."
        )
    return (
        "Only this program keeps the members apart: the database role that it connects with could "
        f"pass by row-level security ({'; '.join(faults)}). Give the web a role of its own, as "
        "deploy/runbook.md says."
    )

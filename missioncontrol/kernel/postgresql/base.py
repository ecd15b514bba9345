"""The database backend of the product: PostgreSQL that is told for whom it works.

Django looks for a backend's ``DatabaseWrapper`` in a module of this name.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.backends.postgresql import base

from missioncontrol.kernel.organisations import OrganisationContext, context_or_none

_NOBODY: Final = OrganisationContext()
_TELL: Final = """
    SELECT set_config('missioncontrol.everybody', %s, false),
        set_config('missioncontrol.organisations', %s, false),
        set_config('missioncontrol.slugs', %s, false)
"""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that runs each statement for whom the code around it acts.

    The settings are those of the session: one local to an inner block would
    outlive it until the outermost transaction ends. But PostgreSQL takes them
    back with whatever is rolled back, a savepoint too; after that the session
    is told again before its next statement.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: OrganisationContext | None = None

    def _cursor(self, name: str | None = None) -> Any:
        """Return a cursor; every statement of Django, also a COPY, begins with one."""
        self.ensure_connection()
        context = context_or_none() or _NOBODY
        if context != self._told and not self.needs_rollback:
            self._tell(context)
        return super()._cursor(name)  # type: ignore[misc]  # not in the stubs

    def _tell(self, context: OrganisationContext) -> None:
        values = [
            "yes" if context.everybody else "no",
            ",".join(str(key) for key in sorted(context.ids)),
            ",".join(sorted(context.slugs)),
        ]
        with self.wrap_database_errors, self.create_cursor() as cursor:
            cursor.execute(_TELL, values)
        self._told = context

    def connect(self) -> None:
        self._told = None
        super().connect()

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]  # not in the stubs
        except Exception:
            self._told = None  # it was rolled back instead
            raise

    def _rollback(self) -> Any:
        self._told = None
        return super()._rollback()  # type: ignore[misc]  # not in the stubs

    def _savepoint_rollback(self, sid: str) -> None:
        # Not by a cursor of ours: in a failed transaction nothing can be told before this.
        with self.wrap_database_errors, self.create_cursor() as cursor:
            cursor.execute(self.ops.savepoint_rollback_sql(sid))
        self._told = None

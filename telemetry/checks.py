"""What `manage.py check --deploy` says of where history is kept."""

from __future__ import annotations

from typing import Any

from django.core import checks

from telemetry.archive import ArchiveUnavailableError, column_store
from telemetry.selectors.archives import column_server


@checks.register("telemetry", deploy=True)
def columns_can_be_stored(**_kwargs: Any) -> list[checks.Error]:
    """Refuse an ARCHIVE_URL whose server does not answer or does not let us in.

    Not at every start: packets are received and logged also while it is away.
    """
    try:
        column_store(column_server()).require_ready()
    except ArchiveUnavailableError as error:
        hint = "Packets are logged all the same; their columns follow when it answers."
        return [checks.Error(f"{error}.", hint=hint, id="telemetry.E001")]
    return []

"""The one way in which a telecommand changes its state."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from missioncontrol.kernel import live
from uplink.commanding.models import Telecommand, TelecommandEvent


def advance(
    telecommand: Telecommand,
    *,
    states: Collection[str],
    kind: str,
    at: datetime,
    detail: str = "",
    **changes: Any,
) -> bool:
    """Change a row if it still is in one of *states*; note it; tell the consoles.

    Compare and set in one statement, so that of two who act at once one wins.
    The instance in hand gets the new values too.

    Returns:
        False when the row was in another state; then nothing was changed.
    """
    changed = Telecommand.objects.filter(pk=telecommand.pk, state__in=states).update(**changes)
    if changed != 1:
        return False
    for field, value in changes.items():
        setattr(telecommand, field, value)
    note(telecommand, kind=kind, at=at, detail=detail)
    return True


def note(telecommand: Telecommand, *, kind: str, at: datetime, detail: str = "") -> None:
    """Add a line to the telecommand's history and tell the consoles to look."""
    TelecommandEvent.objects.create(telecommand=telecommand, kind=kind, at=at, detail=detail)
    live.publish_after_commit({"type": "refresh", "part": "commands"})

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from missioncontrol.contacts.models import ContactWindow, WindowHorizon
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft


def windows_between(
    start: datetime, end: datetime, *, spacecraft: Spacecraft | None = None
) -> list[ContactWindow]:
    """Return the windows that begin in [start, end), by time."""
    windows = ContactWindow.objects.filter(aos__gte=start, aos__lt=end).select_related(
        "spacecraft", "station"
    )
    if spacecraft is not None:
        windows = windows.filter(spacecraft=spacecraft)
    return list(windows)


def spacecraft_short_of_windows(*, at: datetime, keep: timedelta) -> Iterable[Spacecraft]:
    """Yield the spacecraft whose windows end sooner than *keep* from *at*.

    Also those whose elements in force are not the ones that the windows were
    computed with, and those whose windows begin in the future (the clock of a
    rehearsal was set back).
    """
    for spacecraft in fleet.active_spacecraft():
        ephemeris = fleet.ephemeris_in_force(spacecraft, at)
        if ephemeris is None:
            continue
        horizon = WindowHorizon.objects.filter(spacecraft=spacecraft).first()
        if (
            horizon is None
            or horizon.end < at + keep
            or horizon.start > at
            or horizon.ephemeris_id != ephemeris.pk
        ):
            yield spacecraft

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from celery import shared_task

from missioncontrol.contacts import selectors, services
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock

KEEP: Final = timedelta(hours=24)  # windows are known at least this far ahead
HORIZON: Final = timedelta(hours=48)  # and are computed this far when they are not


@shared_task(name="missioncontrol.contacts.tasks.recompute_windows")
def recompute_windows(
    *, spacecraft_id: int, start: str, horizon_hours: int, **_later: object
) -> int:
    """Recompute one spacecraft. Safe to run twice: the result replaces itself."""
    windows = services.recompute_windows(
        spacecraft=Spacecraft.objects.get(pk=spacecraft_id),
        start=datetime.fromisoformat(start),
        horizon=timedelta(hours=horizon_hours),
        at=clock.now(),
    )
    return len(windows)


@shared_task(name="missioncontrol.contacts.tasks.keep_horizon")
def keep_horizon(**_later: object) -> int:
    """Recompute every spacecraft whose windows are running out or out of date."""
    at = clock.now()
    short = list(selectors.spacecraft_short_of_windows(at=at, keep=KEEP))
    for spacecraft in short:
        services.recompute_windows(spacecraft=spacecraft, start=at, horizon=HORIZON, at=at)
    return len(short)

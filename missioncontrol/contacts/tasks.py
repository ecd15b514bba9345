from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from celery import shared_task

from missioncontrol.contacts import selectors, services
from missioncontrol.kernel import clock

KEEP: Final = timedelta(hours=24)  # windows are known at least this far ahead
HORIZON: Final = timedelta(hours=48)  # and are computed this far when they are not


@shared_task(name="missioncontrol.contacts.tasks.recompute_group")
def recompute_group(
    *, spacecraft_ids: str, start: str, horizon_hours: int, **_later: object
) -> int:
    """Recompute some spacecraft. Safe to run twice: the result replaces itself."""
    return services.recompute_group(
        spacecraft_ids=[int(one) for one in spacecraft_ids.split(",")],
        start=datetime.fromisoformat(start),
        horizon=timedelta(hours=horizon_hours),
        at=clock.now(),
    )


@shared_task(name="missioncontrol.contacts.tasks.keep_horizon")
def keep_horizon(**_later: object) -> int:
    """Have every spacecraft recomputed whose windows are running out or out of date."""
    at = clock.now()
    short = selectors.spacecraft_short_of_windows(at=at, keep=KEEP)
    if short:
        services.keep_horizon(spacecraft_ids=short, start=at, horizon=HORIZON, at=at)
    return len(short)

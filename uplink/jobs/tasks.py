from __future__ import annotations

from celery import shared_task

from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock
from uplink.jobs import services


@shared_task(name="uplink.jobs.tasks.sweep_jobs")
def sweep_jobs(**_later: object) -> int:
    """Bring every job to where its transfers and reports are. Safe to run twice."""
    at = clock.now()
    return sum(
        services.advance_jobs(spacecraft=spacecraft, at=at)
        for spacecraft in fleet.active_spacecraft()
    )

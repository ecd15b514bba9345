from __future__ import annotations

from celery import shared_task

from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock
from missioncontrol.scheduling import services


@shared_task(name="missioncontrol.scheduling.tasks.book_contacts")
def book_contacts(**_later: object) -> int:
    """Close what was missed, note drifts and book what is free. Safe to run twice."""
    at = clock.now()
    services.mark_missed(at=at)
    for spacecraft in fleet.active_spacecraft():
        services.note_drift(spacecraft=spacecraft, at=at)
    return len(services.book_contacts(at=at))

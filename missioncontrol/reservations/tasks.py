from __future__ import annotations

from celery import shared_task

from missioncontrol.kernel import clock
from missioncontrol.reservations import rounds, services


@shared_task(name="missioncontrol.reservations.tasks.keep_reservations")
def keep_reservations(**_later: object) -> int:
    """Reserve what is booked on leased stations, give back the rest. Safe to run twice."""
    services.follow_contacts(at=clock.now(), wall_at=clock.wall_now())
    return rounds.ask_providers(now=clock.now, wall_now=clock.wall_now)


@shared_task(name="missioncontrol.reservations.tasks.compare_reservations")
def compare_reservations(**_later: object) -> int:
    """Hold the providers' lists against ours. Safe to run twice."""
    return rounds.compare_with_providers(now=clock.now, wall_now=clock.wall_now)

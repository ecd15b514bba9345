from __future__ import annotations

from celery import shared_task

from missioncontrol.fleet import selectors as fleet_selectors
from missioncontrol.kernel import clock
from uplink.commanding import services


@shared_task(name="uplink.commanding.tasks.sweep_verifications")
def sweep_verifications(**_later: object) -> int:
    """Follow up every spacecraft's telecommands. Safe to run twice, or at once.

    Reports first: what has come down already must not count as silence.
    """
    at = clock.now()
    changed = 0
    for spacecraft in fleet_selectors.active_spacecraft():
        changed += services.process_verification(spacecraft=spacecraft, at=at)
        changed += services.expire_overdue(spacecraft=spacecraft, at=at)
    return changed

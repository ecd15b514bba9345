from __future__ import annotations

import logging

from celery import shared_task

from missioncontrol.fleet import selectors as fleet_selectors
from missioncontrol.kernel import clock
from uplink.commanding import services

logger = logging.getLogger(__name__)


@shared_task(name="uplink.commanding.tasks.sweep_verifications")
def sweep_verifications(**_later: object) -> int:
    """Follow up every spacecraft's telecommands. Safe to run twice, or at once.

    Reports first: what has come down already must not count as silence. One
    spacecraft's trouble does not stop the others.
    """
    at = clock.now()
    changed = 0
    for spacecraft in fleet_selectors.active_spacecraft():
        try:
            changed += services.process_verification(spacecraft=spacecraft, at=at)
            changed += services.expire_overdue(spacecraft=spacecraft, at=at)
        except Exception:
            logger.exception("the telecommands of %s were not followed up", spacecraft)
    return changed

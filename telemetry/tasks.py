from __future__ import annotations

import logging

from celery import shared_task

from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock
from telemetry import services
from telemetry.archive import ArchiveLockedError, ArchiveUnavailableError

logger = logging.getLogger(__name__)


@shared_task(name="telemetry.tasks.compact_archives")
def compact_archives(**_later: object) -> int:
    """Merge the small segments of every archive, beside its writer. Safe to run twice.

    Returns:
        How many segments were merged away.
    """
    merged = 0
    for spacecraft in fleet.active_spacecraft():
        try:
            report = services.compact_archive(spacecraft=spacecraft)
        except (ArchiveLockedError, ArchiveUnavailableError) as error:
            logger.info("%s is left for the next time: %s", spacecraft, error)
            continue
        if report is not None:
            merged += report.segments_before - report.segments_after
    return merged


@shared_task(name="telemetry.tasks.keep_archives_within_policy")
def keep_archives_within_policy(**_later: object) -> int:
    """Delete telemetry that is older than it is kept. Safe to run twice.

    Returns:
        How many segments and files of packet logs went.
    """
    gone = 0
    for spacecraft in fleet.active_spacecraft():
        try:
            report = services.keep_within_policy(
                spacecraft=spacecraft, actor="process:worker", at=clock.now()
            )
        except (ArchiveLockedError, ArchiveUnavailableError) as error:
            logger.info("%s is left for the next time: %s", spacecraft, error)
            continue
        if report is not None:
            gone += report.segments + report.files
    return gone

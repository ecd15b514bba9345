"""What keeps the archives small and right: compaction, and the columns made anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from missioncontrol.audit.services import Actor, append_entry
from missioncontrol.fleet.models import Spacecraft
from telemetry.archive import (
    CompactionReport,
    RetentionReport,
    compact,
    forget_before,
    rebuild,
)
from telemetry.definition import segmenter_of
from telemetry.selectors import archive_folder


def compact_archive(*, spacecraft: Spacecraft) -> CompactionReport | None:
    """Merge the small segments that live batches make; safe while telemetry comes in.

    Returns:
        What was merged; None where nothing was ever received.

    Raises:
        ArchiveLockedError: another process compacts or rebuilds it.
    """
    folder = archive_folder(spacecraft)
    return compact(folder) if folder.is_dir() else None


def keep_within_policy(
    *, spacecraft: Spacecraft, actor: Actor | str, at: datetime
) -> RetentionReport | None:
    """Delete packets and columns that are older than the installation keeps them.

    ``TELEMETRY_KEEP_PACKETS_DAYS`` and ``TELEMETRY_KEEP_COLUMNS_DAYS`` say how long; 0 is
    for ever.

    Returns:
        What went; None where everything is kept, or nothing was ever received.

    Raises:
        ArchiveLockedError: another process compacts or rebuilds it.
    """
    folder = archive_folder(spacecraft)
    packets_days = settings.TELEMETRY_KEEP_PACKETS_DAYS
    columns_days = settings.TELEMETRY_KEEP_COLUMNS_DAYS
    if not folder.is_dir() or not (packets_days or columns_days):
        return None
    report = forget_before(
        folder,
        packets=at - timedelta(days=packets_days) if packets_days else None,
        columns=at - timedelta(days=columns_days) if columns_days else None,
    )
    if report.segments or report.files:
        with transaction.atomic():
            append_entry(
                action="telemetry.forget",
                subject=f"spacecraft:{spacecraft.name}",
                actor=actor,
                at=at,
                organisation=spacecraft.organisation.slug,
                details={
                    "packets_days": packets_days,
                    "columns_days": columns_days,
                    "files": report.files,
                    "octets": report.octets,
                    "segments": report.segments,
                },
            )
    return report


def rebuild_archive(*, spacecraft: Spacecraft, actor: Actor | str, at: datetime) -> int:
    """Decode all logged packets again by the dictionary in force, and replace the columns.

    Returns:
        How many packets the log holds.

    Raises:
        ArchiveLockedError: the spacecraft is being received now.
        ArchiveDamagedError: the packet log is damaged; nothing was replaced.
    """
    packets = rebuild(archive_folder(spacecraft), segmenter_of(spacecraft))
    with transaction.atomic():
        append_entry(
            action="telemetry.rebuild",
            subject=f"spacecraft:{spacecraft.name}",
            actor=actor,
            at=at,
            organisation=spacecraft.organisation.slug,
            details={"packets": packets},
        )
    return packets

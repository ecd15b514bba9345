"""What keeps the archives small and right: compaction, and the columns made anew."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from missioncontrol.audit.services import Actor, append_entry
from missioncontrol.fleet.models import Spacecraft
from telemetry.archive import (
    ArchiveLockedError,
    CompactionReport,
    RetentionReport,
    column_store,
    compact,
    forget_before,
    has_packets_without_columns,
    open_writer,
    rebuild,
)
from telemetry.definition import segmenter_of
from telemetry.selectors import archive_folder
from telemetry.selectors.archives import column_server


def compact_archive(*, spacecraft: Spacecraft) -> CompactionReport | None:
    """Merge the small segments that live batches make; safe while telemetry comes in.

    Columns that a server did not take while it was away are made good besides, where nobody
    receives the spacecraft.

    Returns:
        What was merged; None where nothing was ever received.

    Raises:
        ArchiveLockedError: another process compacts or rebuilds it.
        ArchiveUnavailableError: the server is still away.
    """
    folder = archive_folder(spacecraft)
    if not folder.is_dir():
        return None
    report = compact(folder)
    server = column_server()
    if server is not None and has_packets_without_columns(folder):
        # Who receives it has the lock, and does this too.
        with suppress(ArchiveLockedError), open_writer(folder, clickhouse=server) as writer:
            writer.recover(segmenter_of(spacecraft))
    return report


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
        ArchiveUnavailableError: the server that holds the columns does not answer.
    """
    folder = archive_folder(spacecraft)
    packets_days = settings.TELEMETRY_KEEP_PACKETS_DAYS
    columns_days = settings.TELEMETRY_KEEP_COLUMNS_DAYS
    if not folder.is_dir() or not (packets_days or columns_days):
        return None
    server = column_server()
    report = forget_before(
        folder,
        packets=at - timedelta(days=packets_days) if packets_days else None,
        columns=at - timedelta(days=columns_days) if columns_days else None,
        store=column_store(server),
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
                    "segments" if server is None else "values": report.segments,
                },
            )
    return report


def rebuild_archive(*, spacecraft: Spacecraft, actor: Actor | str, at: datetime) -> int:
    """Decode all logged packets again by the dictionary in force, and replace the columns.

    The new ones are where ARCHIVE_URL says, wherever the old ones were.

    Returns:
        How many packets the log holds.

    Raises:
        ArchiveLockedError: the spacecraft is being received now.
        ArchiveDamagedError: the packet log is damaged; nothing was replaced.
        ArchiveUnavailableError: the server that is to hold them does not answer; nothing was
            replaced.
    """
    packets = rebuild(
        archive_folder(spacecraft), segmenter_of(spacecraft), column_store(column_server())
    )
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

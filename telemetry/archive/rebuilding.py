"""The columns of a whole archive, made again from its packet log."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from telemetry.archive.database import ArchiveFolder, archive_state, transaction
from telemetry.archive.interface import Segmenter, StoredPacket
from telemetry.archive.raw_log import RawLogWriter
from telemetry.archive.segments import insert_packet_batches, insert_segment
from telemetry.archive.writer import encode_groups

_BATCH_PACKETS: Final = 5000
_DERIVED_TABLES: Final = ("segment", "packet_batch", "container_parameter")


def rebuild(path: Path, segmenter: Segmenter) -> int:
    """Decode every logged packet again and replace all columns by the result.

    Needed after the telemetry dictionary changed, or after the database was
    lost. Readers see the old columns until the new ones are complete; cursors
    into the packet log stay good.

    Args:
        path: The archive's folder.
        segmenter: Decodes packets, in batches, in order of arrival.

    Returns:
        The number of packets.

    Raises:
        ArchiveLockedError: The archive is being written or compacted.
        ArchiveDamagedError: The packet log is damaged.
    """
    folder = ArchiveFolder(path)
    with folder.locked("writer"), folder.locked("compaction"):
        connection = folder.connect()
        try:
            return _rebuild(folder, connection, segmenter)
        finally:
            connection.close()


def _rebuild(folder: ArchiveFolder, connection: sqlite3.Connection, segmenter: Segmenter) -> int:
    edition, covered_end = archive_state(connection)
    writer = RawLogWriter(folder.raw, known_good=covered_end)
    writer.close()
    end, following = writer.position, edition + 1
    _delete_edition(connection, "edition <> ?", edition)  # of a rebuild that was cut short
    start = packets = 0
    batch: list[StoredPacket] = []
    for packet in writer.log.read(0, end):
        batch.append(packet)
        if len(batch) == _BATCH_PACKETS or packet.cursor == end:
            segments = encode_groups(segmenter(batch))
            with transaction(connection, "IMMEDIATE"):
                for segment in segments:
                    insert_segment(connection, following, segment)
                insert_packet_batches(connection, following, batch, start=start, end=packet.cursor)
            packets += len(batch)
            start, batch = packet.cursor, []
    with transaction(connection, "IMMEDIATE"):
        connection.execute(
            "UPDATE archive_state SET edition = ?, committed_end = ?", (following, end)
        )
    _delete_edition(connection, "edition = ?", edition)
    return packets


def _delete_edition(connection: sqlite3.Connection, which: str, edition: int) -> None:
    with transaction(connection, "IMMEDIATE"):
        for table in _DERIVED_TABLES:
            connection.execute(f"DELETE FROM {table} WHERE {which}", (edition,))  # noqa: S608  # nosec B608

"""The columns of a whole archive, made again from its packet log."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from telemetry.archive.database import ArchiveFolder, archive_state, transaction
from telemetry.archive.interface import Segmenter
from telemetry.archive.raw_log import RawLogWriter
from telemetry.archive.segments import (
    LoggedRows,
    index_entry,
    insert_index_entries,
    insert_segment,
)
from telemetry.archive.waiting import WaitingColumns

_STORED_ROWS: Final = 65_536
_DERIVED_TABLES: Final = ("segment", "packet_batch", "container_parameter", "newest_value")


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
    packets = 0
    entries: list[LoggedRows] = []
    columns = WaitingColumns()
    for block in writer.log.blocks(writer.log.begin(), end):
        rows = block.rows()
        columns.add(segmenter(rows))
        entries.append(index_entry(rows, block.start, block.end))
        packets += len(rows)
        if columns.rows >= _STORED_ROWS or block.end == end:
            with transaction(connection, "IMMEDIATE"):
                for segment in columns.encoded():
                    insert_segment(connection, following, segment)
                insert_index_entries(connection, following, entries)
            columns.clear()
            entries = []
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

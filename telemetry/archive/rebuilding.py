"""The columns of a whole archive, made again from its packet log."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from telemetry.archive.column_store import ColumnStore, SegmentStore
from telemetry.archive.database import ArchiveFolder, archive_state, note_place, transaction
from telemetry.archive.interface import Segmenter
from telemetry.archive.raw_log import RawLogWriter
from telemetry.archive.segments import (
    LoggedRows,
    index_entry,
    insert_index_entries,
)
from telemetry.archive.waiting import WaitingColumns

_STORED_ROWS: Final = 65_536
_DERIVED_TABLES: Final = ("segment", "packet_batch", "container_parameter", "newest_value")


def rebuild(path: Path, segmenter: Segmenter, store: ColumnStore | None = None) -> int:
    """Decode every logged packet again and replace all columns by the result.

    Needed after the telemetry dictionary changed, after the database was lost, and to bring
    columns to another place. Readers see the old columns until the new ones are complete;
    cursors into the packet log stay good.

    Args:
        path: The archive's folder.
        segmenter: Decodes packets, in batches, in order of arrival.
        store: Where columns are put, wherever they were before; default: in the folder.

    Returns:
        The number of packets.

    Raises:
        ArchiveUnavailableError: They cannot be stored now; the old ones stay in force.
        ArchiveLockedError: The archive is being written or compacted.
        ArchiveDamagedError: The packet log is damaged.
    """
    folder = ArchiveFolder(path)
    with folder.locked("writer"), folder.locked("compaction"):
        connection = folder.connect()
        try:
            return _rebuild(folder, connection, segmenter, store or SegmentStore())
        finally:
            connection.close()


def _rebuild(
    folder: ArchiveFolder,
    connection: sqlite3.Connection,
    segmenter: Segmenter,
    store: ColumnStore,
) -> int:
    edition, covered_end = archive_state(connection)
    writer = RawLogWriter(folder.raw, known_good=covered_end)
    writer.close()
    end, following = writer.position, edition + 1
    _delete_edition(connection, "edition <> ?", edition)  # of a rebuild that was cut short
    packets = 0
    entries: list[LoggedRows] = []
    waiting = WaitingColumns()
    spacecraft: set[str] = set()
    for block in writer.log.blocks(writer.log.begin(), end):
        rows = block.rows()
        if rows.spacecraft not in spacecraft:
            spacecraft.add(rows.spacecraft)
            store.keep_edition(rows.spacecraft, edition)
        waiting.add(segmenter(rows))
        entries.append(index_entry(rows, block.start, block.end))
        packets += len(rows)
        if waiting.rows >= _STORED_ROWS or block.end == end:
            note = store.store(following, waiting)
            with transaction(connection, "IMMEDIATE"):
                note(connection)
                insert_index_entries(connection, following, entries)
            waiting.clear()
            entries = []
    with transaction(connection, "IMMEDIATE"):
        connection.execute(
            "UPDATE archive_state SET edition = ?, committed_end = ?", (following, end)
        )
        note_place(connection, store.place)
    _delete_edition(connection, "edition = ?", edition)
    for name in sorted(spacecraft):
        store.keep_edition(name, following)
    return packets


def _delete_edition(connection: sqlite3.Connection, which: str, edition: int) -> None:
    with transaction(connection, "IMMEDIATE"):
        for table in _DERIVED_TABLES:
            connection.execute(f"DELETE FROM {table} WHERE {which}", (edition,))  # noqa: S608  # nosec B608

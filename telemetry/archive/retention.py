"""What is kept how long. What goes, goes whole: files of the log, and segments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from telemetry.archive.column_store import ColumnStore, SegmentStore
from telemetry.archive.compaction import give_back_pages
from telemetry.archive.database import ArchiveFolder, archive_state, require_place, transaction
from telemetry.archive.packet_rows import to_us
from telemetry.archive.raw_log import RawLog


@dataclass(frozen=True, slots=True)
class RetentionReport:
    segments: int  # or values, where columns are no segments
    files: int  # of the packet log
    octets: int  # of these files


def forget_before(
    path: Path,
    *,
    packets: datetime | None = None,
    columns: datetime | None = None,
    store: ColumnStore | None = None,
) -> RetentionReport:
    """Delete what is older, in the archive in the folder *path*.

    A file of the packet log goes when all its packets were generated before *packets*, and
    none of it is the end of the log; a segment when all its rows are from before
    *columns*. Newest values stay. Safe while the archive is written and read.

    Args:
        path: The archive's folder.
        packets: From when on packets are kept; ``None``: all.
        columns: From when on columns are kept; ``None``: all.
        store: Where columns are; default: in the folder.

    Raises:
        ArchiveLockedError: Another process compacts or rebuilds it.
        ArchiveUnavailableError: The columns cannot be had now.
    """
    store = store or SegmentStore()
    folder = ArchiveFolder(path)
    with folder.locked("compaction"):
        connection = folder.connect()
        try:
            edition, covered_end = archive_state(connection)
            segments = 0
            if columns is not None:
                require_place(connection, store.place)
                segments = store.forget_before(connection, edition, to_us(columns))
                give_back_pages(connection)
            files = octets = 0
            if packets is not None:
                for base, end, file in _closed_files(RawLog(folder.raw), covered_end):
                    [newest_us] = connection.execute(
                        "SELECT MAX(last_us) FROM packet_batch WHERE edition = ?"
                        " AND end_position > ? AND first_position < ?",
                        (edition, base, end),
                    ).fetchone()
                    if newest_us is not None and newest_us >= to_us(packets):
                        break  # the log keeps its beginning: no holes
                    with transaction(connection, "IMMEDIATE"):
                        connection.execute(
                            "DELETE FROM packet_batch WHERE edition = ? AND end_position <= ?",
                            (edition, end),
                        )
                        connection.execute(
                            "UPDATE packet_batch SET first_position = ?"
                            " WHERE edition = ? AND first_position < ?",
                            (end, edition, end),
                        )
                    octets += file.stat().st_size
                    file.unlink()
                    files += 1
        finally:
            connection.close()
    return RetentionReport(segments, files, octets)


def _closed_files(log: RawLog, covered_end: int) -> list[tuple[int, int, Path]]:
    """Return (first position, end, path) of the files that nothing is written to any more."""
    files = log.files()
    return [
        (base, following, path)
        for (base, path), (following, _) in pairwise(files)
        if following <= covered_end
    ]

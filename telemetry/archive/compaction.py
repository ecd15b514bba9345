"""Many small segments into few large ones, beside the writer.

A live pass makes a small segment for every batch. Compaction reads and encodes
outside any transaction, and swaps segments in one short transaction: a reader
sees either the old or the new ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from telemetry.archive.database import ArchiveFolder, archive_state, transaction
from telemetry.archive.merging import merged
from telemetry.archive.segments import apids_text, encode_segment, insert_segment, read_rows

TARGET_ROWS: Final = 65_536
MIN_SEGMENTS: Final = 8  # fewer are left alone: a merge must be worth its writing
_BATCH_OCTETS: Final = 1 << 20  # of the packet log under one index entry


@dataclass(frozen=True, slots=True)
class CompactionReport:
    segments_before: int
    segments_after: int
    rows_dropped: int  # that stood in two segments
    packet_batches_merged: int


@dataclass(frozen=True, slots=True)
class _Small:
    """A segment below the target."""

    id: int
    layout: str
    row_count: int


def compact(
    path: Path, *, target_rows: int = TARGET_ROWS, min_segments: int = MIN_SEGMENTS
) -> CompactionReport:
    """Merge small segments of the archive in the folder *path*.

    Safe at any time, while the archive is written and read.

    Args:
        path: The archive's folder.
        target_rows: Segments with as many rows are large and left alone.
        min_segments: Merge only where at least so many stand together, at least 2.

    Raises:
        ArchiveLockedError: Another process compacts or rebuilds it.
    """
    folder = ArchiveFolder(path)
    with folder.locked("compaction"):
        connection = folder.connect()
        try:
            edition, _ = archive_state(connection)
            before = after = dropped = 0
            for spacecraft, container in _groups(connection, edition):
                small = _small_segments(connection, edition, spacecraft, container, target_rows)
                for run in _runs(small, target_rows, min_segments):
                    before += len(run)
                    after += 1
                    dropped += _merge(connection, edition, spacecraft, container, run)
            merged_batches = _merge_packet_batches(connection, edition)
        finally:
            connection.close()
    return CompactionReport(before, after, dropped, merged_batches)


def _groups(connection: sqlite3.Connection, edition: int) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT DISTINCT spacecraft, container FROM segment WHERE edition = ?", (edition,)
    ).fetchall()


def _small_segments(
    connection: sqlite3.Connection, edition: int, spacecraft: str, container: str, target: int
) -> list[_Small]:
    return [
        _Small(*row)
        for row in connection.execute(
            "SELECT id, layout, row_count FROM segment WHERE edition = ? AND spacecraft = ?"
            " AND container = ? AND row_count < ? ORDER BY first_us, id",
            (edition, spacecraft, container, target),
        )
    ]


def _runs(small: list[_Small], target: int, min_segments: int) -> Iterator[list[_Small]]:
    """Yield neighbours in time of the same layout that together reach the target."""
    run: list[_Small] = []
    rows = 0
    for segment in small:
        if run and (segment.layout != run[0].layout or rows >= target):
            if len(run) >= min_segments:
                yield run
            run, rows = [], 0
        run.append(segment)
        rows += segment.row_count
    if len(run) >= min_segments:
        yield run


def _merge(
    connection: sqlite3.Connection,
    edition: int,
    spacecraft: str,
    container: str,
    run: list[_Small],
) -> int:
    """Replace a run by one segment; return the number of rows that stood twice."""
    ids = sorted(segment.id for segment in run)  # by age: of equal rows the oldest stays
    rows = merged([read_rows(connection, segment_id) for segment_id in ids])
    encoded = encode_segment(spacecraft, container, rows)
    with transaction(connection, "IMMEDIATE"):
        connection.executemany("DELETE FROM segment WHERE id = ?", [(own,) for own in ids])
        # It takes the oldest's place in the order of age.
        insert_segment(connection, edition, encoded, segment_id=ids[0])
    return sum(segment.row_count for segment in run) - len(rows)


def _merge_packet_batches(connection: sqlite3.Connection, edition: int) -> int:
    """Merge neighbouring index entries of the packet log; return how many went."""
    rows = connection.execute(
        "SELECT id, spacecraft, first_position, end_position, first_us, last_us, apids"
        " FROM packet_batch WHERE edition = ? ORDER BY spacecraft, first_position",
        (edition,),
    ).fetchall()
    gone: list[tuple[int]] = []
    changed: dict[int, tuple[int, int, int, str]] = {}
    run: tuple[int, str, int, int, int, int, str] | None = None
    for row in rows:
        own = tuple(row)
        if run is None or own[1] != run[1] or own[3] - run[2] > _BATCH_OCTETS:
            run = own
            continue
        apids = apids_text(int(apid) for apid in f"{run[6]} {own[6]}".split())
        run = (*run[:3], own[3], min(run[4], own[4]), max(run[5], own[5]), apids)
        changed[run[0]] = run[3:]
        gone.append((own[0],))
    if gone:
        with transaction(connection, "IMMEDIATE"):
            connection.executemany("DELETE FROM packet_batch WHERE id = ?", gone)
            connection.executemany(
                "UPDATE packet_batch SET end_position = ?, first_us = ?, last_us = ?, apids = ?"
                " WHERE id = ?",
                [(*values, own) for own, values in changed.items()],
            )
    return len(gone)

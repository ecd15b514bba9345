"""Many small segments into few large ones, beside the writer.

A live pass makes a small segment for every batch. Compaction reads and encodes
outside any transaction, and swaps segments in one short transaction: a reader
sees either the old or the new ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from telemetry.archive.database import ArchiveFolder, archive_state, transaction
from telemetry.archive.merging import merged
from telemetry.archive.raw_log import RawLog
from telemetry.archive.segments import apids_text, encode_segment, insert_segment, read_rows

TARGET_ROWS: Final = 65_536
MIN_SEGMENTS: Final = 8  # fewer are left alone: a merge must be worth its writing
_PAGES_AT_ONCE: Final = 1024  # 4 MiB: the writer waits no longer than that takes
_MOST_ROWS: Final = 1 << 20  # held in memory at once
_BATCH_OCTETS: Final = 1 << 20  # of the packet log under one index entry


@dataclass(frozen=True, slots=True)
class CompactionReport:
    segments_before: int
    segments_after: int
    rows_dropped: int  # that stood in two segments
    packet_batches_merged: int


@dataclass(frozen=True, slots=True)
class _Segment:
    id: int
    layout: str
    row_count: int
    first_us: int
    last_us: int


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
            for group in _groups(connection, edition):
                found = _segments(connection, edition, *group)
                for run in _runs(found, target_rows, min_segments):
                    made, twice = _merge(connection, edition, group, run, target_rows)
                    before += len(run)
                    after += made
                    dropped += twice
            bases = frozenset(base for base, _ in RawLog(folder.raw).files())
            merged_batches = _merge_packet_batches(connection, edition, bases)
            give_back_pages(connection)
        finally:
            connection.close()
    return CompactionReport(before, after, dropped, merged_batches)


def give_back_pages(connection: sqlite3.Connection) -> None:
    """Return to the file system what deleted segments held, a little at a time."""
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    for _ in range(free // _PAGES_AT_ONCE):
        connection.execute(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").fetchall()


def _groups(connection: sqlite3.Connection, edition: int) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT DISTINCT spacecraft, container FROM segment WHERE edition = ?", (edition,)
    ).fetchall()


def _segments(
    connection: sqlite3.Connection, edition: int, spacecraft: str, container: str
) -> list[_Segment]:
    return [
        _Segment(*row)
        for row in connection.execute(
            "SELECT id, layout, row_count, first_us, last_us FROM segment WHERE edition = ?"
            " AND spacecraft = ? AND container = ? ORDER BY first_us, id",
            (edition, spacecraft, container),
        )
    ]


def _runs(
    segments: Iterable[_Segment], target: int, min_segments: int
) -> Iterator[list[_Segment]]:
    """Yield segments to merge: neighbours that are small, and all that overlap each other."""
    run: list[_Segment] = []
    rows = 0
    overlaps = False
    last_us: int | None = None
    for segment in segments:
        overlapping = bool(run) and last_us is not None and segment.first_us <= last_us
        same = bool(run) and segment.layout == run[0].layout and rows < _MOST_ROWS
        small = rows < target and segment.row_count < target
        if not (same and (overlapping or small)):
            if len(run) >= min_segments or overlaps:
                yield run
            run, rows, overlaps, last_us = [], 0, False, None
        else:
            overlaps |= overlapping
        run.append(segment)
        rows += segment.row_count
        last_us = segment.last_us if last_us is None else max(last_us, segment.last_us)
    if len(run) >= min_segments or overlaps:
        yield run


def _merge(
    connection: sqlite3.Connection,
    edition: int,
    group: tuple[str, str],
    run: list[_Segment],
    target: int,
) -> tuple[int, int]:
    """Replace a run; return how many segments came of it and how many rows stood twice."""
    ids = sorted(segment.id for segment in run)  # by age: of equal rows the oldest stays
    rows = merged([read_rows(connection, segment_id) for segment_id in ids])
    parts = max(1, min(len(ids), len(rows) // target))
    edges = [len(rows) * part // parts for part in range(parts + 1)]
    encoded = [encode_segment(*group, rows.between(first, end)) for first, end in pairwise(edges)]
    with transaction(connection, "IMMEDIATE"):
        connection.executemany("DELETE FROM segment WHERE id = ?", [(own,) for own in ids])
        # They take the oldest ones' places in the order of age.
        for segment_id, segment in zip(ids, encoded, strict=False):
            insert_segment(connection, edition, segment, segment_id=segment_id)
    return parts, sum(segment.row_count for segment in run) - len(rows)


def _merge_packet_batches(
    connection: sqlite3.Connection, edition: int, bases: frozenset[int]
) -> int:
    """Merge neighbouring index entries of the packet log; return how many went.

    None reaches across the beginning of a file (*bases*), so that files go whole.
    """
    rows = connection.execute(
        "SELECT id, spacecraft, first_position, end_position, first_us, last_us, packets, apids"
        " FROM packet_batch WHERE edition = ? ORDER BY spacecraft, first_position",
        (edition,),
    ).fetchall()
    gone: list[tuple[int]] = []
    changed: dict[int, tuple[int, int, int, int, str]] = {}
    run: tuple[int, str, int, int, int, int, int, str] | None = None
    for row in rows:
        own = tuple(row)
        far = run is None or own[1] != run[1] or own[3] - run[2] > _BATCH_OCTETS
        if run is None or far or own[2] in bases:
            run = own
            continue
        apids = apids_text(int(apid) for apid in f"{run[7]} {own[7]}".split())
        first_us, last_us = min(run[4], own[4]), max(run[5], own[5])
        run = (*run[:3], own[3], first_us, last_us, run[6] + own[6], apids)
        changed[run[0]] = run[3:]
        gone.append((own[0],))
    if gone:
        with transaction(connection, "IMMEDIATE"):
            connection.executemany("DELETE FROM packet_batch WHERE id = ?", gone)
            connection.executemany(
                "UPDATE packet_batch SET end_position = ?, first_us = ?, last_us = ?,"
                " packets = ?, apids = ? WHERE id = ?",
                [(*values, own) for own, values in changed.items()],
            )
    return len(gone)

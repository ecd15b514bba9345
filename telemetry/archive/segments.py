"""Segments: some rows of one container, in order, encoded column by column.

A segment has an identity of its own and is never changed. Segments may overlap
in time and hold the same row twice; whoever reads merges them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from telemetry.archive.codec import (
    COMPACT_LEVEL,
    decode_column,
    dtype_text,
    encode_column,
)
from telemetry.archive.interface import ArchiveError, Column, ColumnGroup
from telemetry.archive.last_rows import LastRow, last_row, note_last_row
from telemetry.archive.merging import Rows, in_order
from telemetry.archive.packet_rows import PacketRows
from telemetry.archive.rollups import Rollup, rollups_of, widths_us

_INSERT_SEGMENT = """
INSERT INTO segment (id, edition, spacecraft, container, layout, first_us, last_us,
    row_count, times_codec, times, counts_codec, counts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_COLUMN = "INSERT INTO segment_column VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_ROLLUP = "INSERT INTO segment_rollup VALUES (?, ?, ?, ?, ?)"


def rows_of(group: ColumnGroup) -> Rows:
    """Return a group's rows in order, each once.

    Raises:
        ArchiveError: The columns differ in length.
    """
    lengths = {len(column) for column in group.columns.values()}
    lengths |= {len(group.times_us), len(group.sequence_counts)}
    if len(lengths) != 1:
        raise ArchiveError(
            f"the columns of {group.container} have {sorted(lengths)} rows; they must be equal"
        )
    return in_order(
        group.times_us.astype(np.int64), group.sequence_counts.astype(np.uint16), group.columns
    )


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """A segment ready to be inserted; encoding is done outside any transaction."""

    spacecraft: str
    container: str
    head: tuple[object, ...]  # layout to counts
    columns: list[tuple[object, ...]]  # parameter to data
    rollups: list[tuple[str, Rollup]]  # by parameter
    last: LastRow


def encode_segment(
    spacecraft: str, container: str, rows: Rows, *, level: int = COMPACT_LEVEL
) -> EncodedSegment:
    """Encode rows, of which there is at least one."""
    layout = json.dumps({name: dtype_text(column) for name, column in rows.columns.items()})
    first_us, last_us = int(rows.times_us[0]), int(rows.times_us[-1])
    times_codec, times = encode_column(rows.times_us, level=level)
    counts_codec, counts = encode_column(rows.sequence_counts, level=level)
    levels_us = widths_us(first_us, last_us, len(rows))
    return EncodedSegment(
        spacecraft=spacecraft,
        container=container,
        head=(
            *(layout, first_us, last_us, len(rows)),
            *(int(times_codec), times, int(counts_codec), counts),
        ),
        columns=[_encode_named(name, column, level) for name, column in rows.columns.items()],
        rollups=[
            (name, rollup)
            for name, column in rows.columns.items()
            for rollup in rollups_of(rows.times_us, column, levels_us)
        ],
        last=last_row(spacecraft, container, rows),
    )


def _encode_named(name: str, column: Column, level: int) -> tuple[object, ...]:
    codec, data = encode_column(column, level=level)
    return (name, dtype_text(column), int(codec), *_statistics(column), data)


def _statistics(column: Column) -> tuple[float | None, float | None, float | None, int]:
    """Return minimum, maximum, sum and number of the finite values."""
    if column.dtype.kind not in "iuf":
        return None, None, None, 0
    finite = column[np.isfinite(column)] if column.dtype.kind == "f" else column
    if not len(finite):
        return None, None, None, 0
    total = float(finite.sum(dtype=np.float64))
    return float(finite.min()), float(finite.max()), total, len(finite)


def insert_segment(
    connection: sqlite3.Connection,
    edition: int,
    segment: EncodedSegment,
    *,
    segment_id: int | None = None,
) -> None:
    """Insert a segment, inside the caller's transaction."""
    cursor = connection.execute(
        _INSERT_SEGMENT,
        (segment_id, edition, segment.spacecraft, segment.container, *segment.head),
    )
    new_id = cursor.lastrowid
    connection.executemany(_INSERT_COLUMN, [(new_id, *column) for column in segment.columns])
    connection.executemany(
        _INSERT_ROLLUP,
        [
            (parameter, rollup.width_us, new_id, rollup.first_bin_us, rollup.encode())
            for parameter, rollup in segment.rollups
        ],
    )
    note_last_row(connection, edition, segment.last)


@dataclass(frozen=True, slots=True)
class LoggedRows:
    """What the index says of one block of the log."""

    spacecraft: str
    start: int
    end: int
    first_us: int
    last_us: int
    packets: int
    apids: str
    source: str
    source_end: int


def index_entry(rows: PacketRows, start: int, end: int) -> LoggedRows:
    """Return the index entry of a block that stands between two positions."""
    return LoggedRows(
        spacecraft=rows.spacecraft,
        start=start,
        end=end,
        first_us=int(rows.generated_us.min()) if len(rows) else 0,
        last_us=int(rows.generated_us.max()) if len(rows) else 0,
        packets=len(rows),
        apids=apids_text(np.unique(rows.apids).tolist()),
        source=rows.source,
        source_end=rows.source_end,
    )


def insert_index_entries(
    connection: sqlite3.Connection, edition: int, entries: Sequence[LoggedRows]
) -> None:
    """Note which packets stand where in the log, inside the caller's transaction."""
    connection.executemany(
        "INSERT INTO packet_batch (edition, spacecraft, first_position, end_position,"
        " first_us, last_us, packets, apids) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (edition, e.spacecraft, e.start, e.end, e.first_us, e.last_us, e.packets, e.apids)
            for e in entries
            if e.packets
        ],
    )
    connection.executemany(
        "INSERT INTO source_position VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET position = excluded.position",
        [(e.source, e.source_end) for e in entries if e.source],
    )


def apids_text(apids: Iterable[int]) -> str:
    """Return a set of APIDs as stored: numbers between spaces."""
    return " ".join(str(apid) for apid in sorted(set(apids)))


def read_rows(
    connection: sqlite3.Connection, segment_id: int, parameters: Sequence[str] | None = None
) -> Rows:
    """Return a segment's rows with the named columns, or with all.

    A column that the segment does not have is left out.
    """
    count, times_codec, times, counts_codec, counts = connection.execute(
        "SELECT row_count, times_codec, times, counts_codec, counts FROM segment WHERE id = ?",
        (segment_id,),
    ).fetchone()
    query = "SELECT parameter, dtype, codec, data FROM segment_column WHERE segment_id = ?"
    arguments: list[object] = [segment_id]
    if parameters is not None:
        query += f" AND parameter IN ({', '.join('?' * len(parameters))})"
        arguments += parameters
    return Rows(
        decode_column(times_codec, times, "<i8", count),
        decode_column(counts_codec, counts, "<u2", count),
        {
            name: decode_column(codec, data, dtype, count)
            for name, dtype, codec, data in connection.execute(query, arguments)
        },
    )

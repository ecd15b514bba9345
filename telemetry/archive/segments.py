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

from telemetry.archive.codec import decode_column, dtype_text, encode_column, plain
from telemetry.archive.interface import ArchiveError, Column, ColumnGroup, RawPacket
from telemetry.archive.merging import Rows, in_order
from telemetry.archive.raw_log import to_us

_INSERT_SEGMENT = """
INSERT INTO segment (id, edition, spacecraft, container, layout, first_us, last_us,
    last_sequence_count, row_count, times_codec, times, counts_codec, counts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_COLUMN = "INSERT INTO segment_column VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


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

    @property
    def parameters(self) -> list[str]:
        return [str(column[0]) for column in self.columns]


def encode_segment(spacecraft: str, container: str, rows: Rows) -> EncodedSegment:
    """Encode rows, of which there is at least one."""
    layout = json.dumps({name: dtype_text(column) for name, column in rows.columns.items()})
    times_codec, times = encode_column(rows.times_us)
    counts_codec, counts = encode_column(rows.sequence_counts)
    head = (
        layout,
        int(rows.times_us[0]),
        int(rows.times_us[-1]),
        int(rows.sequence_counts[-1]),
        len(rows),
        int(times_codec),
        times,
        int(counts_codec),
        counts,
    )
    columns = [_encode_named(name, column) for name, column in rows.columns.items()]
    return EncodedSegment(spacecraft, container, head, columns)


def _encode_named(name: str, column: Column) -> tuple[object, ...]:
    codec, data = encode_column(column)
    last = plain(column[-1:])
    return (name, dtype_text(column), int(codec), *_statistics(column), last, data)


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
        "INSERT OR IGNORE INTO container_parameter VALUES (?, ?, ?, ?)",
        [
            (edition, segment.spacecraft, parameter, segment.container)
            for parameter in segment.parameters
        ],
    )


def insert_packet_batches(
    connection: sqlite3.Connection,
    edition: int,
    packets: Sequence[RawPacket],
    *,
    start: int,
    end: int,
) -> None:
    """Note which packets of each spacecraft stand in the log from *start* to *end*."""
    for spacecraft in sorted({packet.spacecraft for packet in packets}):
        own = [packet for packet in packets if packet.spacecraft == spacecraft]
        times = [to_us(packet.generated_at) for packet in own]
        connection.execute(
            "INSERT INTO packet_batch (edition, spacecraft, first_position, end_position,"
            " first_us, last_us, apids) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                edition,
                spacecraft,
                start,
                end,
                min(times),
                max(times),
                apids_text(packet.apid for packet in own),
            ),
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

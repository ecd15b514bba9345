"""Finds segments, and what is stored about them, without reading what they hold."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from telemetry.archive.decimation import BINS_IN_A_BUCKET, StoredStatistics
from telemetry.archive.interface import Times
from telemetry.archive.rollups import Bins, joined_bins

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SegmentSpans:
    """Segments of one container, by age, and when their first and last rows were generated."""

    ids: Ids
    first_us: Times
    last_us: Times

    def alone(self) -> Ids:
        """Return those that no other one overlaps, so that no row can stand in two."""
        order = np.lexsort((self.last_us, self.first_us))
        first_us, last_us = self.first_us[order], self.last_us[order]
        is_alone = np.ones(len(order), dtype=np.bool_)
        is_alone[1:] &= np.maximum.accumulate(last_us)[:-1] < first_us[1:]
        is_alone[:-1] &= last_us[:-1] < first_us[1:]
        return self.ids[order[is_alone]]


def spans_of(
    connection: sqlite3.Connection,
    edition: int,
    spacecraft: str,
    container: str,
    *,
    first_us: int,
    end_us: int,
) -> SegmentSpans:
    """Return the segments of a container with rows in an interval; the index holds it all."""
    found = connection.execute(
        "SELECT id, first_us, last_us FROM segment WHERE edition = ? AND spacecraft = ?"
        " AND container = ? AND last_us >= ? AND first_us < ?",
        (edition, spacecraft, container, first_us, end_us),
    ).fetchall()
    columns = np.array(found, dtype=np.int64).reshape(-1, 3)
    return SegmentSpans(*columns[np.argsort(columns[:, 0])].T)


def statistics_of(
    connection: sqlite3.Connection, segment_ids: Ids, parameter: str
) -> list[StoredStatistics]:
    """Return what is known of those segments that have a parameter, in the order given."""
    found = connection.execute(
        "SELECT segment_id, first_us, last_us, row_count, dtype, minimum, maximum, total, finite"
        " FROM json_each(?) AS asked JOIN segment ON segment.id = asked.value"
        " JOIN segment_column ON segment_id = segment.id AND parameter = ? ORDER BY asked.key",
        (json.dumps(segment_ids.tolist()), parameter),
    )
    return [
        StoredStatistics(segment_id, first, last, rows, np.dtype(dtype), *numbers)
        for segment_id, first, last, rows, dtype, *numbers in found
    ]


def rollup_width_us(connection: sqlite3.Connection, parameter: str, bucket_us: int) -> int | None:
    """Return the widest level of which enough bins fit a bucket."""
    [width] = connection.execute(
        "SELECT MAX(width_us) FROM segment_rollup WHERE parameter = ? AND width_us <= ?",
        (parameter, bucket_us // BINS_IN_A_BUCKET),
    ).fetchone()
    return None if width is None else int(width)


def bins_of(
    connection: sqlite3.Connection, segment_ids: Ids, parameter: str, width_us: int
) -> tuple[Ids, Times, Bins]:
    """Return the stored bins of one level.

    Returns:
        Which of the segments have that level, where each bin begins, and the bins.
    """
    wanted = set(segment_ids.tolist())
    # They stand in this order on the disk: one pass over the range beats a search for each.
    rows = connection.execute(
        "SELECT segment_id, first_bin_us, bins FROM segment_rollup"
        " WHERE parameter = ? AND width_us = ? AND segment_id BETWEEN ? AND ?",
        (parameter, width_us, min(wanted, default=0), max(wanted, default=-1)),
    )
    found = [row for row in rows if row[0] in wanted]
    known = np.array([row[0] for row in found], dtype=np.int64)
    return known, *joined_bins(width_us, [row[1] for row in found], [row[2] for row in found])

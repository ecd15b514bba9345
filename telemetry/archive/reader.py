"""Reads an archive while another process writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np

from telemetry.archive.database import ColumnPlace
from telemetry.archive.decimation import Buckets, StoredStatistics
from telemetry.archive.folder_reader import FolderReader
from telemetry.archive.interface import Affine, ArchiveError, Column, Decimated, Samples
from telemetry.archive.merging import Rows, merged
from telemetry.archive.packet_rows import to_us
from telemetry.archive.sample_series import between, calibrated, interleaved
from telemetry.archive.segment_search import (
    Ids,
    SegmentSpans,
    bins_of,
    rollup_width_us,
    spans_of,
    statistics_of,
)
from telemetry.archive.segments import read_rows


class SqliteArchiveReader(FolderReader):
    """See :class:`telemetry.archive.interface.ArchiveReader`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, ColumnPlace.FOLDER)

    def read(
        self,
        *,
        spacecraft: str,
        parameter: str,
        start: datetime,
        end: datetime,
        limit: int | None = None,
    ) -> Samples:
        first_us, end_us = to_us(start), to_us(end)
        parts = []
        with self._snapshot() as edition:
            for container in self._containers(edition, spacecraft, parameter):
                spans = self._spans(edition, spacecraft, container, first_us, end_us)
                found = statistics_of(self._connection, spans.ids, parameter)
                if limit is None:
                    rows = self._rows([known.segment_id for known in found], parameter)
                    parts.append(between(rows, parameter, first_us, end_us))
                else:
                    parts.append(self._newest(found, parameter, first_us, end_us, limit))
        samples = interleaved(parts, parameter)
        if limit is None or len(samples) <= limit:
            return samples
        return samples.last(limit)

    def _newest(
        self,
        found: list[StoredStatistics],
        parameter: str,
        first_us: int,
        end_us: int,
        limit: int,
    ) -> Samples:
        """Read only as many segments, from the newest on, as hold the newest samples."""
        newest = sorted(found, key=lambda known: -known.last_us)
        taken = 1
        while True:
            ids = sorted(known.segment_id for known in newest[:taken])
            samples = between(self._rows(ids, parameter), parameter, first_us, end_us)
            if taken >= len(newest):
                return samples
            # What the others hold is older than this.
            complete = samples.times_us > newest[taken].last_us
            if int(complete.sum()) >= limit:
                return samples.last(limit)
            taken *= 2

    def read_decimated(
        self,
        *,
        spacecraft: str,
        parameter: str,
        start: datetime,
        end: datetime,
        buckets: int,
        calibrate: Callable[[Column], Column] | Affine | None = None,
    ) -> Decimated:
        filled = Buckets(first_us=to_us(start), end_us=to_us(end), count=buckets)
        with self._snapshot() as edition:
            width_us = None
            if calibrate is None or isinstance(calibrate, Affine):
                width_us = rollup_width_us(self._connection, parameter, filled.width_us)
            if width_us is not None:
                filled = filled.of_bins(width_us)
            for container in self._containers(edition, spacecraft, parameter):
                spans = self._spans(edition, spacecraft, container, filled.first_us, filled.end_us)
                self._fill(filled, width_us, spans, parameter, calibrate)
        return filled.result()

    def _fill(
        self,
        filled: Buckets,
        width_us: int | None,
        spans: SegmentSpans,
        parameter: str,
        calibrate: Callable[[Column], Column] | Affine | None,
    ) -> None:
        """Put the samples that one container has of a parameter into the buckets."""
        line = calibrate or Affine()
        if isinstance(line, Affine):
            left = self._fill_without_reading(filled, width_us, spans, parameter, line)
        else:
            left = self._numbers(spans.ids, parameter)
        # Of late and repeated deliveries; most segments were counted whole by now.
        rows = self._rows([known.segment_id for known in left], parameter)
        samples = between(rows, parameter, filled.first_us, filled.end_us)
        if len(samples):
            filled.add(samples.times_us, calibrated(samples.values, line))

    def _fill_without_reading(
        self,
        filled: Buckets,
        width_us: int | None,
        spans: SegmentSpans,
        parameter: str,
        line: Affine,
    ) -> list[StoredStatistics]:
        """Count segments by what is stored about them; return those that must be read."""
        alone, left = spans.alone(), spans.ids
        if width_us is not None:
            counted, starts_us, bins = bins_of(self._connection, alone, parameter, width_us)
            filled.add_bins(starts_us, bins, line)
            left = left[~np.isin(left, counted)]
        to_read = []
        whole = set(alone.tolist())
        for known in self._numbers(left, parameter):
            if known.segment_id in whole and filled.lies_in_one(known):
                filled.add_statistics(known, line)
            else:
                to_read.append(known)
        return to_read

    def _numbers(self, segment_ids: Ids, parameter: str) -> list[StoredStatistics]:
        found = statistics_of(self._connection, segment_ids, parameter)
        if any(known.dtype.kind not in "iuf" for known in found):
            raise ArchiveError(f"{parameter!r} is no number; read() it, it cannot be decimated")
        return found

    def _spans(
        self, edition: int, spacecraft: str, container: str, first_us: int, end_us: int
    ) -> SegmentSpans:
        return spans_of(
            self._connection, edition, spacecraft, container, first_us=first_us, end_us=end_us
        )

    def _rows(self, segment_ids: list[int], parameter: str) -> Rows | None:
        if not segment_ids:
            return None
        return merged([read_rows(self._connection, own, [parameter]) for own in segment_ids])

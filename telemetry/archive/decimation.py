"""Minimum, maximum and mean of equal parts of an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from telemetry.archive.interface import Column, Decimated, Times

_MAX_PRODUCT: Final = 2**62  # microseconds times buckets must fit 64 bits


@dataclass(frozen=True, slots=True)
class StoredStatistics:
    """What is known of one column of one segment without reading it."""

    segment_id: int
    first_us: int
    last_us: int
    row_count: int
    dtype: np.dtype[Any]
    minimum: float | None  # of the finite values; None where there are none
    maximum: float | None
    total: float | None
    finite: int


class Buckets:
    """Equal parts of an interval, filled from samples or from stored statistics.

    Raises:
        ValueError: There is no bucket, or the interval is empty, or too many
            buckets over too many years.
    """

    def __init__(self, *, first_us: int, end_us: int, count: int) -> None:
        if count < 1:
            raise ValueError(f"{count} buckets asked for; the least is 1")
        if end_us <= first_us:
            raise ValueError("the end of the interval is not after its start")
        if count * (end_us - first_us) > _MAX_PRODUCT:
            raise ValueError(
                f"{count} buckets are too many for so long an interval; ask for fewer"
            )
        self.first_us = first_us
        self.end_us = end_us
        self._count = count
        self._minimum = np.full(count, np.inf)
        self._maximum = np.full(count, -np.inf)
        self._total = np.zeros(count)
        self._finite = np.zeros(count, dtype=np.int64)
        self._samples = np.zeros(count, dtype=np.int64)

    def index_of(self, time_us: int) -> int:
        """Return the bucket of an instant, which may lie outside."""
        return (time_us - self.first_us) * self._count // (self.end_us - self.first_us)

    def add(self, times_us: Times, values: Column) -> None:
        """Add samples that lie in the interval, at least one, in order of time."""
        where = (times_us - self.first_us) * self._count // (self.end_us - self.first_us)
        np.add.at(self._samples, where, 1)
        finite = np.isfinite(values) if values.dtype.kind == "f" else np.ones(len(values), bool)
        where, numbers = where[finite], values[finite].astype(np.float64)
        np.add.at(self._finite, where, 1)
        np.add.at(self._total, where, numbers)
        np.minimum.at(self._minimum, where, numbers)
        np.maximum.at(self._maximum, where, numbers)

    def add_statistics(self, known: StoredStatistics) -> None:
        """Add a whole segment, which lies inside one bucket."""
        where = self.index_of(known.first_us)
        self._samples[where] += known.row_count
        if known.minimum is None or known.maximum is None or known.total is None:
            return
        self._finite[where] += known.finite
        self._total[where] += known.total
        self._minimum[where] = min(self._minimum[where], known.minimum)
        self._maximum[where] = max(self._maximum[where], known.maximum)

    def result(self) -> Decimated:
        """Return the buckets that hold a sample."""
        filled = np.flatnonzero(self._samples)
        finite = self._finite[filled]
        known = finite > 0
        span = self.end_us - self.first_us
        starts = [self.first_us + -(-index * span // self._count) for index in filled.tolist()]
        return Decimated(
            starts_us=np.array(starts, dtype=np.int64),
            minimum=np.where(known, self._minimum[filled], np.nan),
            maximum=np.where(known, self._maximum[filled], np.nan),
            mean=np.where(known, self._total[filled] / np.maximum(finite, 1), np.nan),
            count=self._samples[filled],
        )


def split_off_statistics(
    found: Sequence[StoredStatistics], buckets: Buckets
) -> list[StoredStatistics]:
    """Count whole segments by their statistics; return those that must be read.

    A segment counts whole where it lies in one bucket and no other segment
    overlaps it, so that no row can stand in two.
    """
    left: list[StoredStatistics] = []
    ordered = sorted(found, key=lambda known: (known.first_us, known.last_us))
    latest_us = None
    for position, known in enumerate(ordered):
        following = ordered[position + 1].first_us if position + 1 < len(ordered) else None
        alone = (latest_us is None or latest_us < known.first_us) and (
            following is None or known.last_us < following
        )
        latest_us = known.last_us if latest_us is None else max(latest_us, known.last_us)
        if alone and _lies_in_one(known, buckets):
            buckets.add_statistics(known)
        else:
            left.append(known)
    return sorted(left, key=lambda known: known.segment_id)


def _lies_in_one(known: StoredStatistics, buckets: Buckets) -> bool:
    inside = buckets.first_us <= known.first_us and known.last_us < buckets.end_us
    return inside and buckets.index_of(known.first_us) == buckets.index_of(known.last_us)

"""Minimum, maximum and mean of equal parts of an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from telemetry.archive.interface import Affine, Column, Decimated, Times
from telemetry.archive.rollups import Bins, calibrated_bins

_MAX_PRODUCT: Final = 2**62  # microseconds times buckets must fit 64 bits
# A bucket of so many bins is at most a sixth longer than asked.
BINS_IN_A_BUCKET: Final = 6


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
    """Equal parts of an interval, filled from samples, rollups or stored statistics.

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
        self.count = count
        self._minimum = np.full(count, np.inf)
        self._maximum = np.full(count, -np.inf)
        self._total = np.zeros(count)
        self._finite = np.zeros(count, dtype=np.int64)
        self._samples = np.zeros(count, dtype=np.int64)

    @property
    def width_us(self) -> int:
        return (self.end_us - self.first_us) // self.count

    def of_bins(self, width_us: int) -> Buckets:
        """Return empty buckets over the same interval, made of whole bins of that width."""
        first = self.first_us // width_us
        bins = -(-self.end_us // width_us) - first
        each = -(-bins // self.count)
        count = -(-bins // each)
        return Buckets(
            first_us=first * width_us, end_us=(first + count * each) * width_us, count=count
        )

    def index_of(self, time_us: int) -> int:
        """Return the bucket of an instant, which may lie outside."""
        return (time_us - self.first_us) * self.count // (self.end_us - self.first_us)

    def add(self, times_us: Times, values: Column) -> None:
        """Add samples that lie in the interval, at least one, in order of time."""
        where = self._where(times_us)
        edges = np.flatnonzero(np.diff(where, prepend=-1))
        filled = where[edges]
        self._samples[filled] += np.diff(np.append(edges, len(where)))
        numbers = values.astype(np.float64)
        finite = np.isfinite(numbers)
        if finite.all():
            self._finite[filled] += np.diff(np.append(edges, len(where)))
            low = high = counted = numbers
        else:
            self._finite[filled] += np.add.reduceat(finite.astype(np.int64), edges)
            low = np.where(finite, numbers, np.inf)
            high = np.where(finite, numbers, -np.inf)
            counted = np.where(finite, numbers, 0.0)
        self._total[filled] += np.add.reduceat(counted, edges)
        self._minimum[filled] = np.minimum(self._minimum[filled], np.minimum.reduceat(low, edges))
        self._maximum[filled] = np.maximum(self._maximum[filled], np.maximum.reduceat(high, edges))

    def add_bins(self, starts_us: Times, bins: Bins, line: Affine) -> None:
        """Add those bins that lie in the interval; no bucket's edge may cut one."""
        inside = (starts_us >= self.first_us) & (starts_us < self.end_us)
        inside &= bins["samples"] > 0
        self.add_counted(self._where(starts_us[inside]), bins[inside], line)

    def add_counted(self, where: Times, bins: Bins, line: Affine) -> None:
        """Add what was counted of raw values to the buckets with the numbers *where*."""
        bins = calibrated_bins(bins, line)
        np.add.at(self._samples, where, bins["samples"].astype(np.int64))
        np.add.at(self._finite, where, bins["finite"].astype(np.int64))
        np.add.at(self._total, where, bins["total"])
        np.minimum.at(self._minimum, where, bins["least"])
        np.maximum.at(self._maximum, where, bins["greatest"])

    def add_statistics(self, known: StoredStatistics, line: Affine) -> None:
        """Add a whole segment, which lies inside one bucket."""
        where = self.index_of(known.first_us)
        self._samples[where] += known.row_count
        if known.minimum is None or known.maximum is None or known.total is None:
            return
        ends = (line.offset + line.gain * known.minimum, line.offset + line.gain * known.maximum)
        self._finite[where] += known.finite
        self._total[where] += line.offset * known.finite + line.gain * known.total
        self._minimum[where] = min(self._minimum[where], *ends)
        self._maximum[where] = max(self._maximum[where], *ends)

    def lies_in_one(self, known: StoredStatistics) -> bool:
        """Say whether a whole segment lies in one bucket."""
        inside = self.first_us <= known.first_us and known.last_us < self.end_us
        return inside and self.index_of(known.first_us) == self.index_of(known.last_us)

    def result(self) -> Decimated:
        """Return the buckets that hold a sample."""
        filled = np.flatnonzero(self._samples)
        finite = self._finite[filled]
        known = finite > 0
        span = self.end_us - self.first_us
        starts = [self.first_us + -(-index * span // self.count) for index in filled.tolist()]
        return Decimated(
            starts_us=np.array(starts, dtype=np.int64),
            minimum=np.where(known, self._minimum[filled], np.nan),
            maximum=np.where(known, self._maximum[filled], np.nan),
            mean=np.where(known, self._total[filled] / np.maximum(finite, 1), np.nan),
            count=self._samples[filled],
        )

    def _where(self, times_us: Times) -> Times:
        return (times_us - self.first_us) * self.count // (self.end_us - self.first_us)

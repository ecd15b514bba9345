"""Rollups: least, greatest, sum and number of a column's values in bins of time.

A segment has a pyramid of them, each level sixteen times coarser than the one below.
Bins begin at whole multiples of their width since 1970, so that those of neighbouring
segments are the same bins and add up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.archive.interface import Affine, Column, Times

_NARROWEST_US: Final = 15_625  # 1/64 s; every width is this times a power of two
_ROWS_IN_A_BIN: Final = 256  # fewer would make the pyramid as large as the values
_COARSER: Final = 4  # powers of two from level to level
_LEAST_BINS: Final = 4
_WIDEST: Final = 45  # power of two: some 17,000 years

BIN: Final = np.dtype(
    [
        ("samples", "<u4"),
        ("finite", "<u4"),
        ("least", "<f8"),
        ("greatest", "<f8"),
        ("total", "<f8"),
    ]
)
Bins = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Rollup:
    """One level of one column: bins of equal width, the first beginning at *first_bin_us*."""

    width_us: int
    first_bin_us: int
    bins: Bins

    def encode(self) -> bytes:
        return self.bins.tobytes()

    @classmethod
    def decode(cls, width_us: int, first_bin_us: int, octets: bytes) -> Rollup:
        return cls(width_us, first_bin_us, np.frombuffer(octets, dtype=BIN))


def joined_bins(
    width_us: int, first_bins_us: Sequence[int], octets: Sequence[bytes]
) -> tuple[Times, Bins]:
    """Return where each bin of several stored rollups of one width begins, and the bins."""
    bins = np.frombuffer(b"".join(octets), dtype=BIN)
    counts = np.array([len(own) for own in octets], dtype=np.int64) // BIN.itemsize
    before = np.cumsum(counts) - counts
    places = np.arange(len(bins), dtype=np.int64) - np.repeat(before, counts)
    return np.repeat(np.array(first_bins_us, dtype=np.int64), counts) + places * width_us, bins


def widths_us(first_us: int, last_us: int, rows: int) -> list[int]:
    """Return the widths of the levels worth keeping for so many rows, finest first."""
    bins = rows // _ROWS_IN_A_BIN
    if bins < _LEAST_BINS:
        return []
    power = 0
    while power < _WIDEST and (last_us - first_us) // (_NARROWEST_US << power) > bins:
        power += 1
    levels = []
    while (last_us - first_us) // (_NARROWEST_US << power) >= _LEAST_BINS:
        levels.append(_NARROWEST_US << power)
        power += _COARSER
    return levels


def rollups_of(times_us: Times, column: Column, levels_us: list[int]) -> Iterator[Rollup]:
    """Yield the levels of one column of numbers, whose times are in order."""
    if not levels_us or column.dtype.kind not in "iuf":
        return
    width = levels_us[0]
    bins = times_us // width
    first = int(bins[0])
    own = _summed(times_us, column, bins - first)
    yield Rollup(width, first * width, own)
    for coarser in levels_us[1:]:
        own, first = _coarser(own, first, coarser // width)
        width = coarser
        yield Rollup(width, first * width, own)


def _summed(times_us: Times, column: Column, where: npt.NDArray[np.int64]) -> Bins:
    values = column.astype(np.float64)
    finite = np.isfinite(values)
    edges = np.flatnonzero(np.diff(where, prepend=-1))
    filled = where[edges]
    result = np.zeros(int(where[-1]) + 1, dtype=BIN)
    result["least"], result["greatest"] = np.inf, -np.inf
    result["samples"][filled] = np.diff(np.append(edges, len(times_us)))
    result["finite"][filled] = np.add.reduceat(finite.astype(np.uint32), edges)
    result["least"][filled] = np.minimum.reduceat(np.where(finite, values, np.inf), edges)
    result["greatest"][filled] = np.maximum.reduceat(np.where(finite, values, -np.inf), edges)
    result["total"][filled] = np.add.reduceat(np.where(finite, values, 0.0), edges)
    return result


def _coarser(bins: Bins, first: int, factor: int) -> tuple[Bins, int]:
    where = (first + np.arange(len(bins))) // factor
    return merged_bins(bins, where - where[0]), int(where[0])


def merged_bins(bins: Bins, where: npt.NDArray[np.int64]) -> Bins:
    """Put bins together: those with the same number, which grows, become one."""
    edges = np.flatnonzero(np.diff(where, prepend=-1))
    filled = where[edges]
    result = np.zeros(int(where[-1]) + 1, dtype=BIN)
    result["least"], result["greatest"] = np.inf, -np.inf
    for name in ("samples", "finite", "total"):
        result[name][filled] = np.add.reduceat(bins[name], edges)
    result["least"][filled] = np.minimum.reduceat(bins["least"], edges)
    result["greatest"][filled] = np.maximum.reduceat(bins["greatest"], edges)
    return result


def calibrated_bins(bins: Bins, line: Affine) -> Bins:
    """Return bins of raw values as bins of engineering values."""
    if line == Affine():
        return bins
    result = bins.copy()
    ends = (bins["least"], bins["greatest"])
    low, high = ends if line.gain >= 0 else ends[::-1]
    known = bins["finite"] > 0
    result["least"] = np.where(known, line.offset + line.gain * low, np.inf)
    result["greatest"] = np.where(known, line.offset + line.gain * high, -np.inf)
    result["total"] = line.offset * bins["finite"] + line.gain * bins["total"]
    return result

"""The samples of one parameter as columns: cut out, put in order, calibrated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from telemetry.archive.interface import Affine, Column, Samples
from telemetry.archive.merging import Rows, concatenated

EMPTY = Samples(np.empty(0, np.int64), np.empty(0, np.uint16), np.empty(0, np.float64))


def between(rows: Rows | None, parameter: str, first_us: int, end_us: int) -> Samples:
    """Return the samples from *first_us* to before *end_us*."""
    if rows is None:
        return EMPTY
    low, high = np.searchsorted(rows.times_us, [first_us, end_us])
    return Samples(
        rows.times_us[low:high],
        rows.sequence_counts[low:high],
        rows.columns[parameter][low:high],
    )


def interleaved(parts: list[Samples], parameter: str) -> Samples:
    """Put the samples of several containers into one order of time."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return EMPTY
    if len(filled) == 1:
        return filled[0]
    times = np.concatenate([part.times_us for part in filled])
    order = np.argsort(times, kind="stable")
    counts = np.concatenate([part.sequence_counts for part in filled])
    values = concatenated([part.values for part in filled], parameter)
    return Samples(times[order], counts[order], values[order])


def calibrated(values: Column, calibrate: Callable[[Column], Column] | Affine) -> Column:
    """Return engineering values of raw ones."""
    if isinstance(calibrate, Affine):
        if calibrate == Affine():
            return values
        numbers: Column = calibrate.offset + calibrate.gain * values.astype(np.float64)
        return numbers
    return calibrate(values)

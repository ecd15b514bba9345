"""Rows that came late, twice or out of order, put in order, each once. Pure arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from telemetry.archive.interface import ArchiveError, Column, Counts, Times


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in the order of (time, sequence count), strictly increasing."""

    times_us: Times
    sequence_counts: Counts
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.times_us)

    def between(self, first: int, end: int) -> Rows:
        """Return the rows from number *first* to before *end*."""
        return Rows(
            self.times_us[first:end],
            self.sequence_counts[first:end],
            {name: column[first:end] for name, column in self.columns.items()},
        )


def in_order(times_us: Times, sequence_counts: Counts, columns: Mapping[str, Column]) -> Rows:
    """Sort rows by (time, sequence count); of equal ones the first given stays."""
    chosen = _chosen(times_us, sequence_counts)
    if chosen is None:
        return Rows(times_us, sequence_counts, columns)
    return Rows(
        times_us[chosen],
        sequence_counts[chosen],
        {name: column[chosen] for name, column in columns.items()},
    )


def merged(parts: Sequence[Rows]) -> Rows:
    """Put parts with the same columns together; of equal rows the earliest part's stays.

    Raises:
        ArchiveError: A column is a number in one part and octets in another.
    """
    if len(parts) == 1:
        return parts[0]
    return in_order(
        np.concatenate([part.times_us for part in parts]),
        np.concatenate([part.sequence_counts for part in parts]),
        {
            name: concatenated([part.columns[name] for part in parts], name)
            for name in parts[0].columns
        },
    )


def concatenated(columns: Sequence[Column], name: str) -> Column:
    """Join columns whose widths may differ, because the dictionary changed."""
    kinds = {column.dtype.kind for column in columns}
    if "V" not in kinds:
        return np.concatenate(columns)
    if kinds != {"V"}:
        raise ArchiveError(f"{name!r} was a number and became octets; read the two spans apart")
    width = max(column.dtype.itemsize for column in columns)
    return np.concatenate([column.astype(f"V{width}") for column in columns])


def _chosen(times_us: Times, sequence_counts: Counts) -> npt.NDArray[np.intp] | None:
    """Return the rows to take, in order, or ``None`` where all are in order."""
    if _is_increasing(times_us, sequence_counts):
        return None
    order = np.lexsort((sequence_counts, times_us))  # stable: the first given comes first
    times, counts = times_us[order], sequence_counts[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (times[1:] != times[:-1]) | (counts[1:] != counts[:-1])
    return order[new]


def _is_increasing(times_us: Times, sequence_counts: Counts) -> bool:
    later = times_us[1:] > times_us[:-1]
    if later.all():
        return True
    tied = (times_us[1:] == times_us[:-1]) & (sequence_counts[1:] > sequence_counts[:-1])
    return bool((later | tied).all())

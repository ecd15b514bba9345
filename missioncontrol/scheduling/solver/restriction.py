"""A part of a plan as a model of its own: some columns free, the others as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from missioncontrol.scheduling.solver.columns import Columns
from missioncontrol.scheduling.solver.highs import LinearProgram
from missioncontrol.scheduling.solver.instance import Booleans, Floats, Integers
from missioncontrol.scheduling.solver.rows import Rows


@dataclass(frozen=True, slots=True)
class Model:
    """Columns, their rows, and what each column brings with its bonus."""

    columns: Columns
    rows: Rows
    gain: Floats

    def objective(self, chosen: Booleans) -> float:
        """Return what a choice of columns is worth, less what it falls short."""
        rows = self.rows
        short = rows.lower - rows.activity(chosen.astype(np.float64))
        short = np.clip(short, 0.0, rows.slack_limit)
        return float(self.gain[chosen].sum() - (short * rows.slack_cost).sum())

    def feasible(self, chosen: Booleans) -> bool:
        """Return whether no hard row is broken; soft rows cannot be."""
        return bool(np.all(self.rows.activity(chosen.astype(np.float64)) <= self.rows.upper))


@dataclass(frozen=True, slots=True)
class Restriction:
    """The free columns of a model and the rows they are in, the fixed ones subtracted.

    ``constant`` is what the fixed columns bring, less what rows without any free
    column fall short.
    """

    free: Integers
    rows: Integers
    lower: Floats  # of those rows, what the fixed columns do already subtracted
    upper: Floats
    slack_limit: Floats
    constant: float


def restrict(model: Model, free: Booleans, fixed: Booleans) -> Restriction:
    """Return the model over the free columns that the fixed ones leave room for."""
    rows = model.rows
    done = rows.activity(fixed.astype(np.float64))
    lower, upper = rows.lower - done, rows.upper - done
    # Hard rows count contacts: what is left of less than one blocks its columns.
    blocked = np.zeros(len(free), dtype=np.bool_)
    blocked[rows.column[upper[rows.row] < 1.0]] = True
    free = free & ~blocked & ~fixed
    touched = np.bincount(rows.row, weights=free[rows.column], minlength=len(rows)) > 0
    short = np.clip(lower, 0.0, rows.slack_limit)
    lonely = float((short * rows.slack_cost)[~touched].sum())
    kept = np.flatnonzero(touched & ((short > 0.0) | np.isfinite(rows.upper)))
    return Restriction(
        free=np.flatnonzero(free),
        rows=kept,
        lower=lower[kept],
        upper=upper[kept],
        slack_limit=short[kept],
        constant=float(model.gain[fixed].sum()) - lonely,
    )


def program(
    model: Model, restriction: Restriction, free: Integers, rows: Integers, gain: Floats
) -> LinearProgram:
    """Return the program over some of a restriction's columns and rows.

    Behind the columns stands one slack for each soft row.

    Args:
        model: Where the matrix is.
        restriction: What is left for its free columns.
        free: Columns of the model, out of the restriction's.
        rows: Places in ``restriction.rows``.
        gain: Of each of *free*.
    """
    place = np.full(len(model.columns), -1, dtype=np.int64)
    place[free] = np.arange(len(free))
    start, column, value = _entries(model.rows, restriction.rows[rows], place)
    soft = np.flatnonzero(restriction.slack_limit[rows] > 0.0)
    costs = model.rows.slack_cost[restriction.rows[rows[soft]]]
    # A slack is the last entry of its row.
    ends = start[soft + 1]
    column = np.insert(column, ends, len(free) + np.arange(len(soft)))
    value = np.insert(value, ends, 1.0)
    start = start.copy()
    added = np.zeros(len(rows) + 1, dtype=np.int64)
    added[soft + 1] = 1
    return LinearProgram(
        gain=np.concatenate([gain, -costs]),
        limit=np.concatenate([np.ones(len(free)), restriction.slack_limit[rows[soft]]]),
        start=start + np.cumsum(added),
        column=column,
        value=value,
        lower=restriction.lower[rows],
        upper=restriction.upper[rows],
    )


def _entries(rows: Rows, which: Integers, place: Integers) -> tuple[Integers, Integers, Floats]:
    """Return the entries of some rows in those columns that have a place."""
    lengths = rows.start[which + 1] - rows.start[which]
    firsts = np.repeat(rows.start[which] - np.cumsum(lengths) + lengths, lengths)
    entries = firsts + np.arange(int(lengths.sum()))
    column = place[rows.column[entries]]
    inside = column >= 0
    row = np.repeat(np.arange(len(which)), lengths)[inside]
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(which)))])
    return start.astype(np.int64), column[inside], rows.value[entries[inside]]

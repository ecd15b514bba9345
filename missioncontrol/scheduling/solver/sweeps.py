"""Sweeps through time: a plan slice by slice, each a small integer program.

Contacts that overlap do so for minutes, in a horizon of days. Between slices of some
hours few rows cross. A *priced* sweep lets each slice pay the relaxation's prices for
them: the sum of the slices' bounds is a bound of the whole, near the optimum since the
rows inside are exact. A *fixed* sweep leaves what lies outside a slice as it is: what it
finds is a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol, TypeVar

import numpy as np

from missioncontrol.scheduling.solver.highs import LinearProgram, Solved, solve_integer
from missioncontrol.scheduling.solver.instance import Booleans, Floats, Integers
from missioncontrol.scheduling.solver.relaxation import (
    Relaxation,
    reduced_gain,
    right_sides,
    window_profit,
)
from missioncontrol.scheduling.solver.restriction import Model, Restriction, program, restrict

_T = TypeVar("_T")
_R = TypeVar("_R")
_LOOK_S: Final = 1e-4  # for each column, which the library takes before it regards its limit
_FAIR_SHARES: Final = 4.0
Slice = tuple[int, int]  # columns that begin in [from, until), microseconds


class RunAll(Protocol):
    """``map``, or what does the same side by side: an executor's ``map``."""

    def __call__(self, function: Callable[[_T], _R], over: Iterable[_T], /) -> Iterable[_R]: ...


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard each slice is worked on.

    Attributes:
        left_s: Seconds left for all of them; asked when one begins.
        gap: Relative difference from the bound that is near enough.
        seed: Of the solver's choices.
        slices_behind: Slices that others will work on within the same time.
    """

    left_s: Callable[[], float]
    gap: float
    seed: int
    slices_behind: int = 0

    def limit_s(self, slices: int) -> float:
        """Return what the first of some slices may take: a few times its fair share.

        The one hard slice in twenty would leave nothing for those that come after it.
        """
        left_s = self.left_s()
        return min(left_s, _FAIR_SHARES * left_s / (slices + self.slices_behind))


def slices_between(begins_us: Integers, columns_each: int, within: Sequence[Slice]) -> list[Slice]:
    """Cut intervals into slices with about so many columns in each."""
    slices: list[Slice] = []
    for from_us, until_us in within:
        inside = np.sort(begins_us[(begins_us >= from_us) & (begins_us < until_us)])
        count = max(1, round(len(inside) / columns_each))
        edges = [int(inside[len(inside) * cut // count]) for cut in range(1, count) if len(inside)]
        edges = sorted({from_us, *edges, until_us})
        slices += pairwise(edges)
    return slices


def around_edges(slices: Sequence[Slice]) -> list[Slice]:
    """Return slices about the edges between slices, half as long, apart from each other."""
    return [
        (left_end - (left_end - left_begin) // 4, left_end + (right_end - right_begin) // 4)
        for (left_begin, left_end), (right_begin, right_end) in pairwise(slices)
        if left_end == right_begin
    ]


def priced_sweep(
    model: Model,
    relaxation: Relaxation,
    slices: Sequence[Slice],
    chosen: Booleans,
    effort: Effort,
    run_all: RunAll,
) -> tuple[float, Booleans]:
    """Solve every slice at the prices of what crosses its edges.

    Args:
        model: Columns and rows.
        relaxation: Whose prices are paid.
        slices: Disjoint; what begins in none of them is relaxed.
        chosen: A plan to begin with.
        effort: For each slice.
        run_all: Runs the slices.

    Returns:
        A bound of the model, and the columns that the slices chose. Together
        these may break rows that cross.
    """
    parts = _Parts.of(model, relaxation, slices)
    everywhere = np.arange(len(slices))
    picked = model.columns.frozen.copy()
    bound = parts.constant
    solved = run_all(
        lambda number: parts.solve(number, chosen, effort, len(slices) - number),
        everywhere.tolist(),
    )
    for slice_bound, columns in solved:
        bound += slice_bound
        picked[columns] = True
    return bound, picked


@dataclass(frozen=True, slots=True)
class _Parts:
    """A model cut into slices. ``constant`` is the bound of all that lies in none."""

    model: Model
    left: Restriction
    slice_of_column: Integers
    slice_of_row: Integers  # of those in ``left``; -1 for a row that crosses
    gain: Floats  # less what crossing rows cost
    profit: Floats  # less what all rows cost
    row_worth: Floats  # right side times price
    constant: float

    @classmethod
    def of(cls, model: Model, relaxation: Relaxation, slices: Sequence[Slice]) -> _Parts:
        left = relaxation.left
        slice_of_column = np.full(len(model.columns), -1, dtype=np.int64)
        begins_us = model.columns.begins_us[left.free]
        for number, (from_us, until_us) in enumerate(slices):
            inside = (begins_us >= from_us) & (begins_us < until_us)
            slice_of_column[left.free[inside]] = number
        is_free = np.zeros(len(model.columns), dtype=np.bool_)
        is_free[left.free] = True
        slice_of_row = _slice_of_rows(model, slice_of_column, is_free)[left.rows]
        crossing = np.zeros(len(model.rows))
        crossing[left.rows] = np.where(slice_of_row < 0, relaxation.prices[left.rows], 0.0)
        gain = reduced_gain(model, crossing)
        profit = reduced_gain(model, relaxation.prices)
        row_worth = right_sides(left) * relaxation.prices[left.rows]
        outside = left.free[slice_of_column[left.free] < 0]
        constant = left.constant + float(row_worth[slice_of_row < 0].sum())
        constant += float(window_profit(model.columns.opportunity[outside], gain[outside]).sum())
        return cls(model, left, slice_of_column, slice_of_row, gain, profit, row_worth, constant)

    def solve(
        self, number: int, chosen: Booleans, effort: Effort, slices: int
    ) -> tuple[float, Integers]:
        """Return one slice's bound and the columns that it chose."""
        left = self.left
        free = left.free[self.slice_of_column[left.free] == number]
        if not len(free):
            return 0.0, free
        inside = self.slice_of_row == number
        # What crosses binds within the slice too, if it is about contacts at all.
        hard = (self.slice_of_row < 0) & np.isfinite(left.upper)
        rows = np.flatnonzero(inside | hard)
        linear = program(self.model, left, free, rows, self.gain[free])
        start = _with_slack(linear, chosen[free].astype(np.float64))
        solved = _solve(linear, len(free), start, effort, effort.limit_s(slices))
        relaxed = float(self.row_worth[inside].sum()) + float(
            window_profit(self.model.columns.opportunity[free], self.profit[free]).sum()
        )
        return min(solved.bound, relaxed), _picked(solved, free, chosen)


def _slice_of_rows(model: Model, slice_of_column: Integers, is_free: Booleans) -> Integers:
    """Return of each row the slice that has all its free columns; -1 for none."""
    rows = model.rows
    free = is_free[rows.column]
    row, one = rows.row[free], slice_of_column[rows.column[free]]
    first = np.full(len(rows), np.iinfo(np.int64).max)
    last = np.full(len(rows), -1, dtype=np.int64)
    np.minimum.at(first, row, one)
    np.maximum.at(last, row, one)
    return np.where(first == last, first, -1)


def fixed_sweep(
    model: Model,
    slices: Sequence[Slice],
    chosen: Booleans,
    effort: Effort,
    run_all: RunAll,
) -> Booleans:
    """Improve a plan slice by slice, what lies outside as it is; never makes it worse."""

    def improve(number: int) -> tuple[Booleans, Integers]:
        slices_left = len(slices) - number
        return _improve_slice(model, slices[number], chosen, effort, slices_left)

    best, objective = chosen, model.objective(chosen)
    for inside, columns in run_all(improve, range(len(slices))):
        candidate = best & ~inside
        candidate[columns] = True
        reached = model.objective(candidate)
        # Slices improved side by side may have used the same count or share.
        if reached > objective and model.feasible(candidate):
            best, objective = candidate, reached
    return best


def _improve_slice(
    model: Model, one: Slice, chosen: Booleans, effort: Effort, slices: int
) -> tuple[Booleans, Integers]:
    columns = model.columns
    inside = (columns.begins_us >= one[0]) & (columns.begins_us < one[1]) & ~columns.frozen
    left = restrict(model, inside, chosen & ~inside)
    if not len(left.free):
        return inside, np.flatnonzero(chosen & inside)
    linear = program(model, left, left.free, np.arange(len(left.rows)), model.gain[left.free])
    start = _with_slack(linear, chosen[left.free].astype(np.float64))
    solved = _solve(linear, len(left.free), start, effort, effort.limit_s(slices))
    return inside, _picked(solved, left.free, chosen)


def _solve(
    linear: LinearProgram, columns: int, start: Floats, effort: Effort, limit_s: float
) -> Solved:
    if limit_s < _LOOK_S * columns:
        return Solved(x=None, bound=float("inf"))
    return solve_integer(
        linear,
        np.arange(len(linear.gain)) < columns,
        start=start,
        limit_s=limit_s,
        gap=effort.gap,
        seed=effort.seed,
    )


def _picked(solved: Solved, free: Integers, chosen: Booleans) -> Integers:
    if solved.x is None:
        return free[chosen[free]]
    return free[solved.x[: len(free)] > 0.5]


def _with_slack(linear: LinearProgram, x: Floats) -> Floats:
    """Return a choice of columns with the slacks that it needs."""
    slacks = np.zeros(len(linear.gain) - len(x))
    padded = np.concatenate([x, slacks])
    row = np.repeat(np.arange(len(linear.lower)), np.diff(linear.start))
    done = np.bincount(
        row, weights=linear.value * padded[linear.column], minlength=len(linear.lower)
    )
    is_slack = linear.column >= len(x)
    short = np.maximum(linear.lower[row[is_slack]] - done[row[is_slack]], 0.0)
    padded[linear.column[is_slack]] = np.minimum(short, linear.limit[len(x) :])
    return padded

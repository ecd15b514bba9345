"""The linear relaxation: a bound that no plan exceeds, and a price for each row.

The bound is computed from the prices alone and holds for any prices: it does not
rely on the solver's word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from missioncontrol.scheduling.solver.highs import solve_relaxed
from missioncontrol.scheduling.solver.instance import Floats, Integers
from missioncontrol.scheduling.solver.restriction import Model, Restriction, program, restrict


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The relaxation of a model with its frozen columns fixed."""

    left: Restriction
    x: Floats  # of each column
    prices: Floats  # of each row: positive for an upper side, negative for a lower one
    bound: float


def relax(model: Model, *, limit_s: float) -> Relaxation:
    """Solve the linear relaxation. Cut short it still gives a bound, only a worse one."""
    frozen = model.columns.frozen
    left = restrict(model, np.ones(len(frozen), dtype=np.bool_), frozen)
    solved = solve_relaxed(
        program(model, left, left.free, np.arange(len(left.rows)), model.gain[left.free]),
        limit_s=limit_s,
    )
    x = frozen.astype(np.float64)
    x[left.free] = np.clip(solved.x[: len(left.free)], 0.0, 1.0)
    prices = _admissible(model, left, solved.prices)
    return Relaxation(left=left, x=x, prices=prices, bound=bound_at(model, left, prices))


def _admissible(model: Model, left: Restriction, solved: Floats) -> Floats:
    """Return the prices with their signs right: only such prices give a bound."""
    rows = model.rows
    soft = np.isfinite(rows.lower[left.rows])
    prices = np.zeros(len(rows))
    prices[left.rows] = np.where(
        soft, np.clip(solved, -rows.slack_cost[left.rows], 0.0), np.maximum(solved, 0.0)
    )
    return prices


def bound_at(model: Model, left: Restriction, prices: Floats) -> float:
    """Return what no plan exceeds, by relaxing every row at its price.

    Of each window at most one column counts, the one with the largest profit.
    """
    profit = reduced_gain(model, prices)[left.free]
    best = window_profit(model.columns.opportunity[left.free], profit)
    return left.constant + float((right_sides(left) * prices[left.rows]).sum() + best.sum())


def reduced_gain(model: Model, prices: Floats) -> Floats:
    """Return what each column brings beyond what it pays."""
    return model.gain - model.rows.priced(prices, len(model.columns))


def right_sides(left: Restriction) -> Floats:
    """Return the side of each row that has a price: the lower one of soft rows."""
    return np.where(np.isfinite(left.lower), left.lower, left.upper)


def window_profit(window: Integers, profit: Floats) -> Floats:
    """Return of each window the largest profit, none below 0."""
    best = np.zeros(int(window.max()) + 1 if len(window) else 0)
    np.maximum.at(best, window, profit)
    return best

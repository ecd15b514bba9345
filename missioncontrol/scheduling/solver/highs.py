"""The solver library, behind two functions. No other module knows it.

One thread for each call: callers that may, solve several models side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np

from missioncontrol.scheduling.solver.instance import Booleans, Floats, Integers

_VERSION: Final = (
    highspy.HIGHS_VERSION_MAJOR,
    highspy.HIGHS_VERSION_MINOR,
    highspy.HIGHS_VERSION_PATCH,
)
SOLVER: Final = f"HiGHS {'.'.join(map(str, _VERSION))}"
_INTEGRALITY: Final = 0.5
_ANSWERED: Final = (
    highspy.HighsModelStatus.kOptimal,
    highspy.HighsModelStatus.kTimeLimit,
    highspy.HighsModelStatus.kModelEmpty,
)


class SolverError(RuntimeError):
    """The library could not do what it should: our model is wrong, not the problem."""


class _QuietHighs(highspy.Highs):
    """The library without its callbacks: setting them up writes a banner to standard output."""

    def enableCallbacks(self) -> None:  # noqa: N802  # the library's name
        """Set up none; none is used."""


@dataclass(frozen=True, slots=True)
class LinearProgram:
    """Maximise gain * x, lower <= matrix * x <= upper, 0 <= x <= limit; matrix by rows."""

    gain: Floats
    limit: Floats
    start: Integers
    column: Integers
    value: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True, slots=True)
class Relaxed:
    """Solution of the linear program. A price is what one unit more of a row would bring."""

    x: Floats
    prices: Floats
    optimal: bool


@dataclass(frozen=True, slots=True)
class Solved:
    """Best integer solution found, None for none, and what no solution exceeds."""

    x: Floats | None
    bound: float


def solve_relaxed(program: LinearProgram, *, limit_s: float) -> Relaxed:
    """Solve the linear program; not optimal when the time ran out."""
    highs = _load(program, limit_s=limit_s, seed=0)
    highs.setOptionValue("solver", "simplex")  # exact prices; others stop near the optimum
    highs.setOptionValue("presolve", "off")  # it takes a fifth of the time and finds nothing
    _run(highs)
    solution = highs.getSolution()
    return Relaxed(
        x=np.array(solution.col_value),
        prices=np.array(solution.row_dual),
        optimal=highs.getModelStatus() == highspy.HighsModelStatus.kOptimal,
    )


def solve_integer(
    program: LinearProgram,
    integer: Booleans,
    *,
    start: Floats | None,
    limit_s: float,
    gap: float,
    seed: int,
) -> Solved:
    """Solve with some of the x integer.

    Args:
        program: The linear program.
        integer: Which x must be integer.
        start: A feasible solution to begin with.
        limit_s: Seconds.
        gap: Relative difference from the bound that is near enough.
        seed: Of the library's own choices.
    """
    highs = _load(program, limit_s=limit_s, seed=seed, integer=integer)
    highs.setOptionValue("mip_rel_gap", gap)
    # Rows are maximal cliques already: presolve and restarts cost a third and find nothing.
    highs.setOptionValue("presolve", "off")
    highs.setOptionValue("mip_allow_restart", False)
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        highs.setSolution(solution)
    _run(highs)
    found = highs.getInfo()
    has_solution = found.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.array(highs.getSolution().col_value) if has_solution else None
    if x is not None:
        x[integer] = x[integer] > _INTEGRALITY
    return Solved(x=x, bound=float(found.mip_dual_bound))


def _load(
    program: LinearProgram, *, limit_s: float, seed: int, integer: Booleans | None = None
) -> highspy.Highs:
    model = highspy.HighsLp()
    columns, rows = len(program.gain), len(program.lower)
    model.num_col_, model.num_row_ = columns, rows
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_, model.col_lower_, model.col_upper_ = (
        program.gain,
        np.zeros(columns),
        program.limit,
    )
    model.row_lower_, model.row_upper_ = program.lower, program.upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = program.start
    model.a_matrix_.index_ = program.column
    model.a_matrix_.value_ = program.value
    if integer is not None:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[one] for one in integer.tolist()]
    highs = _QuietHighs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("parallel", "off")
    highs.setOptionValue("random_seed", seed)
    highs.setOptionValue("time_limit", max(limit_s, 0.0))
    if highs.passModel(model) == highspy.HighsStatus.kError:
        raise SolverError(f"{SOLVER} refused a model of {columns} columns and {rows} rows.")
    return highs


def _run(highs: highspy.Highs) -> None:
    highs.run()
    status = highs.getModelStatus()
    if status not in _ANSWERED:
        raise SolverError(f"{SOLVER} ended with {status.name} on a model that has a solution.")

from __future__ import annotations

import numpy as np
import pytest

from missioncontrol.scheduling.solver.highs import (
    SOLVER,
    LinearProgram,
    SolverError,
    solve_integer,
    solve_relaxed,
)


def triangle(upper=1.0):
    """Return three contacts of which any two exclude each other, in three rows."""
    return LinearProgram(
        gain=np.array([3.0, 2.0, 2.0]),
        limit=np.ones(3),
        start=np.array([0, 2, 4, 6]),
        column=np.array([0, 1, 1, 2, 0, 2]),
        value=np.ones(6),
        lower=np.full(3, -np.inf),
        upper=np.full(3, upper),
    )


class TestSolveRelaxed:
    def test_gives_the_optimum_and_what_each_row_is_worth(self):
        solved = solve_relaxed(triangle(), limit_s=10.0)
        assert solved.optimal
        assert solved.x == pytest.approx([0.5, 0.5, 0.5])
        assert solved.prices == pytest.approx([1.5, 0.5, 1.5])
        assert solved.prices.sum() == pytest.approx(3.5)

    def test_says_when_the_time_ran_out(self):
        chance = np.random.default_rng(1)
        size = 400
        program = LinearProgram(
            gain=chance.uniform(1, 2, size),
            limit=np.ones(size),
            start=np.arange(size + 1) * size,
            column=np.tile(np.arange(size), size),
            value=chance.uniform(0, 1, size * size),
            lower=np.full(size, -np.inf),
            upper=np.ones(size),
        )
        assert not solve_relaxed(program, limit_s=0.0).optimal

    def test_refuses_a_model_that_has_no_solution(self):
        with pytest.raises(SolverError, match=f"{SOLVER} ended with kInfeasible"):
            solve_relaxed(triangle(upper=-1.0), limit_s=10.0)


class TestSolveInteger:
    def solve(self, **changes):
        arguments = {"start": None, "limit_s": 10.0, "gap": 0.0, "seed": 1}
        return solve_integer(triangle(), np.ones(3, dtype=np.bool_), **{**arguments, **changes})

    def test_gives_the_best_and_a_bound_on_it(self):
        solved = self.solve()
        assert solved.x.tolist() == [1.0, 0.0, 0.0]
        assert solved.bound == pytest.approx(3.0)

    def test_never_does_worse_than_what_it_begins_with(self):
        solved = self.solve(start=np.array([0.0, 1.0, 0.0]), gap=1.0)
        assert triangle().gain @ solved.x >= 2.0

    def test_leaves_alone_what_need_not_be_integer(self):
        free = np.array([False, False, False])
        solved = solve_integer(triangle(), free, start=None, limit_s=10.0, gap=0.0, seed=1)
        assert solved.x == pytest.approx([0.5, 0.5, 0.5])

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missioncontrol.scheduling.solver.candidates import all_columns
from missioncontrol.scheduling.solver.greedy import by_value, fill
from missioncontrol.scheduling.solver.instance import index_problem
from missioncontrol.scheduling.solver.relaxation import Relaxation, bound_at, relax
from missioncontrol.scheduling.solver.restriction import Model, restrict
from missioncontrol.scheduling.solver.rows import build_rows
from missioncontrol.scheduling.solver.sweeps import (
    Effort,
    around_edges,
    fixed_sweep,
    priced_sweep,
    slices_between,
)
from tests.unit.missioncontrol.scheduling.solver.exhaustive import best_objective
from tests.unit.missioncontrol.scheduling.solver.problems import running_problems

ENOUGH = Effort(left_s=lambda: 60.0, gap=0.0, seed=0)
EVER = (-(10**12), 10**12)


def modelled(problem):
    instance = index_problem(problem)
    columns, _, _ = all_columns(instance, at_most=10_000)
    model = Model(columns, build_rows(instance, columns), columns.worth + columns.bonus)
    greedy = fill(instance, columns, by_value(instance, columns)).booked
    return model, greedy


@st.composite
def cut_problems(draw):
    """Draw a problem and slices that cut its horizon anywhere."""
    problem = draw(running_problems())
    cuts = sorted(draw(st.sets(st.integers(1, 20).map(lambda at: at * 60_000_000), max_size=4)))
    edges = [EVER[0], *cuts, EVER[1]]
    return problem, [*pairwise(edges)]


class TestBoundAt:
    @settings(deadline=None, max_examples=40)
    @given(problem=running_problems(), seed=st.integers(0, 1000))
    def test_holds_at_any_prices(self, problem, seed):
        model, _ = modelled(problem)
        frozen = model.columns.frozen
        left = restrict(model, np.ones(len(frozen), dtype=np.bool_), frozen)
        guess = np.random.default_rng(seed).uniform(0.0, 400.0, len(model.rows))
        soft = np.isfinite(model.rows.lower)
        prices = np.where(soft, -np.minimum(guess, model.rows.slack_cost), guess)
        assert bound_at(model, left, prices) >= best_objective(problem) - 1e-6


class TestPricedSweep:
    @settings(deadline=None, max_examples=40)
    @given(drawn=cut_problems())
    def test_gives_a_bound_wherever_the_horizon_is_cut(self, drawn):
        problem, slices = drawn
        model, greedy = modelled(problem)
        relaxation = relax(model, limit_s=60.0)
        best = best_objective(problem)
        bound, _ = priced_sweep(model, relaxation, slices, greedy, ENOUGH, map)
        assert best - 1e-6 <= bound <= relaxation.bound + 1e-6
        # What lies in no slice is relaxed, not forgotten.
        bound, _ = priced_sweep(model, relaxation, slices[:1], greedy, ENOUGH, map)
        assert best - 1e-6 <= bound <= relaxation.bound + 1e-6

    @settings(deadline=None, max_examples=20)
    @given(drawn=cut_problems())
    def test_keeps_the_relaxation_s_bound_where_there_is_no_time(self, drawn):
        problem, slices = drawn
        model, greedy = modelled(problem)
        relaxation = relax(model, limit_s=60.0)
        effort = Effort(left_s=lambda: 0.0, gap=0.0, seed=0)
        bound, _ = priced_sweep(model, relaxation, slices, greedy, effort, map)
        assert bound == pytest.approx(relaxation.bound, abs=1e-6)


class TestFixedSweep:
    @settings(deadline=None, max_examples=40)
    @given(drawn=cut_problems())
    def test_never_makes_a_plan_worse_nor_wrong(self, drawn):
        problem, slices = drawn
        model, greedy = modelled(problem)
        better = fixed_sweep(model, slices, greedy, ENOUGH, map)
        assert model.feasible(better)
        assert model.objective(better) >= model.objective(greedy)

    @settings(deadline=None, max_examples=20)
    @given(problem=running_problems())
    def test_over_everything_finds_the_best(self, problem):
        model, greedy = modelled(problem)
        best = fixed_sweep(model, [EVER], greedy, ENOUGH, map)
        assert model.objective(best) == pytest.approx(best_objective(problem), abs=1e-6)


class TestSlices:
    def test_hold_about_as_many_columns_as_asked_for_and_join(self):
        begins = np.sort(np.random.default_rng(1).integers(0, 10**9, 1000))
        slices = slices_between(begins, 100, [(0, 10**9)])
        assert [ends for _, ends in slices[:-1]] == [begins for begins, _ in slices[1:]]
        assert (slices[0][0], slices[-1][1]) == (0, 10**9)
        counts = [int(((begins >= a) & (begins < b)).sum()) for a, b in slices]
        assert len(slices) == 10
        assert all(90 <= count <= 110 for count in counts)

    def test_about_edges_are_apart_and_only_where_slices_meet(self):
        assert around_edges([(0, 40), (40, 80), (80, 120), (200, 240)]) == [(30, 50), (70, 90)]

    def test_leave_nothing_out_where_there_are_no_columns(self):
        assert slices_between(np.array([], dtype=np.int64), 10, [(0, 5), (7, 9)]) == [
            (0, 5),
            (7, 9),
        ]


class TestRelax:
    @settings(deadline=None, max_examples=20)
    @given(problem=running_problems())
    def test_cut_short_still_bounds(self, problem):
        model, _ = modelled(problem)
        relaxation = relax(model, limit_s=0.0)
        assert isinstance(relaxation, Relaxation)
        assert relaxation.bound >= best_objective(problem) - 1e-6

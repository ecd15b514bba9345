from __future__ import annotations

import pytest
from hypothesis import given, settings

from missioncontrol.scheduling.plan_verifier import verify_plan
from missioncontrol.scheduling.solver.document import plan_document
from missioncontrol.scheduling.solver.plan import PlanMethod
from missioncontrol.scheduling.solver.planning import greedy_plan, make_plan
from tests.unit.missioncontrol.scheduling.solver.exhaustive import best_objective
from tests.unit.missioncontrol.scheduling.solver.problems import (
    antenna,
    problem,
    request,
    running_problems,
    search,
    small_problems,
    window,
)


class TestMakePlan:
    @settings(deadline=None, max_examples=100)
    @given(problem=small_problems())
    def test_is_as_good_as_exhaustive_search_and_proves_it(self, problem):
        plan = make_plan(problem, search())
        best = best_objective(problem)
        assert plan.objective == pytest.approx(best, abs=1e-6)
        assert plan.bound >= best - 1e-6
        assert plan.gap <= 1e-6
        verify_plan(plan_document(problem, plan))

    @settings(deadline=None, max_examples=100)
    @given(problem=running_problems())
    def test_keeps_what_runs_as_far_as_that_is_best(self, problem):
        plan = make_plan(problem, search())
        best = best_objective(problem)
        assert plan.objective == pytest.approx(best, abs=1e-6)
        assert plan.bound >= best - 1e-6
        verify_plan(plan_document(problem, plan))

    @settings(deadline=None, max_examples=25)
    @given(problem=small_problems())
    def test_gives_the_same_plan_for_the_same_seed(self, problem):
        first, second = (make_plan(problem, search(seed=7)) for _ in range(2))
        assert first.contacts == second.contacts
        assert (first.objective, first.bound) == (second.objective, second.bound)
        assert first.prices == second.prices

    def test_serves_two_short_contacts_rather_than_the_longest_between_them(self):
        plan = make_plan(
            problem(
                windows=[
                    window("long", 100, 700),
                    window("early", 0, 350, spacecraft="DD-2"),
                    window("late", 400, 800, spacecraft="DD-3"),
                ],
                requests=[
                    request("r1"),
                    request("r2", spacecraft="DD-2"),
                    request("r3", spacecraft="DD-3"),
                ],
            ),
            search(),
        )
        assert [one.id for one in plan.contacts] == ["early", "late"]
        assert plan.objective == plan.bound == 750.0

    def test_says_what_an_antenna_s_time_is_worth_where_contacts_compete(self):
        plan = make_plan(
            problem(
                windows=[window("a", 0, 600), window("b", 300, 700, spacecraft="DD-2")],
                requests=[request("r1"), request("r2", spacecraft="DD-2")],
            ),
            search(),
        )
        [price] = plan.prices
        assert price.antenna == "KIRUNA-1"
        assert (price.begins, price.ends) == (
            window("b", 300, 700).begins,
            window("a", 0, 600).ends,
        )
        assert 400.0 <= price.price <= 600.0  # what the loser would pay, and no more

    def test_has_a_bound_although_the_time_is_too_short_for_anything(self):
        windows = [window(f"w{at}", 60 * at, 60 * at + 300) for at in range(40)]
        plan = make_plan(problem(windows=windows, requests=[request()]), search(limit_s=1.0))
        verify_plan(plan_document(problem(windows=windows, requests=[request()]), plan))
        assert plan.bound >= plan.objective > 0

    def test_plans_nothing_where_nothing_is_wanted(self):
        plan = make_plan(problem(windows=[window("w", 0, 300)], requests=[]), search())
        assert (plan.contacts, plan.objective, plan.bound) == ((), 0.0, 0.0)

    def test_records_how_long_each_phase_took(self):
        plan = make_plan(problem(windows=[window("w", 0, 300)], requests=[request()]), search())
        assert {"columns", "greedy", "rows", "relaxation", "plan"} <= plan.phases_s.keys()

    def test_lets_a_relay_serve_as_many_as_it_has_links(self):
        windows = [
            window(f"w{at}", 0, 600, spacecraft=f"DD-{at}", path=["RELAY"]) for at in range(3)
        ]
        requests = [request(f"r{at}", spacecraft=f"DD-{at}") for at in range(3)]
        relay = antenna("RELAY", capacity=2)
        plan = make_plan(problem(windows=windows, requests=requests, antennas=[relay]), search())
        assert len(plan.contacts) == 2

    def test_occupies_every_hop_of_a_path(self):
        plan = make_plan(
            problem(
                windows=[
                    window("two-hops", 0, 600, path=["RELAY", "KIRUNA-1"]),
                    window("direct", 0, 500, spacecraft="DD-2"),
                ],
                requests=[request("r1"), request("r2", spacecraft="DD-2")],
                antennas=[antenna("RELAY", capacity=4), antenna()],
            ),
            search(),
        )
        assert [one.id for one in plan.contacts] == ["two-hops"]


class TestGreedyPlan:
    @settings(deadline=None, max_examples=100)
    @given(problem=small_problems())
    def test_is_never_wrong_and_never_better_than_the_best(self, problem):
        best = best_objective(problem)
        for method in (PlanMethod.GREEDY, PlanMethod.FIRST_COME, PlanMethod.FREEZE_FIRST):
            plan = greedy_plan(problem, method)
            verify_plan(plan_document(problem, plan))
            assert plan.objective <= best + 1e-6
            assert plan.bound is None

    def test_trims_a_window_to_the_room_that_is_left(self):
        wanted = [
            request("r1", priority=1),
            request("r2", spacecraft="DD-2", profile="trimmed"),
        ]
        windows = [window("whole", 0, 400), window("cut", 300, 700, spacecraft="DD-2")]
        plan = greedy_plan(problem(windows=windows, requests=wanted))
        first, second = plan.contacts
        assert (first.id, second.id) == ("whole", "cut")
        assert second.begins == window("", 420, 500).begins  # two steps of 60 s after its AOS
        assert second.ends == windows[1].ends

    def test_leaves_out_what_would_be_shorter_than_is_viable(self):
        wanted = [
            request("r1", priority=1),
            request("r2", spacecraft="DD-2", profile="trimmed"),
        ]
        windows = [window("whole", 0, 600), window("cut", 300, 700, spacecraft="DD-2")]
        plan = greedy_plan(problem(windows=windows, requests=wanted))
        assert [one.id for one in plan.contacts] == ["whole"]


def test_writes_nothing_to_standard_output(capfd):
    make_plan(problem(windows=[window("w", 0, 300)], requests=[request()]), search())
    assert capfd.readouterr().out == ""

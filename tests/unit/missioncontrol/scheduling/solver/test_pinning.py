from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from missioncontrol.scheduling.plan_verifier import verify_plan
from missioncontrol.scheduling.solver.difference import difference
from missioncontrol.scheduling.solver.document import (
    digest_of,
    plan_document,
    problem_document,
    read_problem,
)
from missioncontrol.scheduling.solver.pinning import PinError, pin_windows
from missioncontrol.scheduling.solver.pins import Pin
from missioncontrol.scheduling.solver.planning import greedy_plan, make_plan
from missioncontrol.scheduling.solver.problem import ProblemError
from missioncontrol.scheduling.solver.repair import freeze_first, keep_running_plan, repair_plan
from tests.unit.missioncontrol.scheduling.solver.exhaustive import best_objective
from tests.unit.missioncontrol.scheduling.solver.problems import (
    antenna,
    at,
    outage,
    problem,
    request,
    running_problems,
    search,
    small_problems,
    window,
)


def rivals(**changes):
    """A problem of three windows over one antenna: a and b overlap, c is later."""
    return problem(
        windows=[
            window("a", 0, 600),
            window("b", 500, 800, spacecraft="DD-2"),
            window("c", 2000, 2300, spacecraft="DD-2"),
        ],
        requests=[request("r1"), request("r2", spacecraft="DD-2")],
        antennas=[antenna("KIRUNA-1", setup_s=60, teardown_s=30)],
        **changes,
    )


def booked(plan):
    return {one.id: one.request for one in plan.contacts}


@st.composite
def wishes(draw, problems):
    """Draw a problem, and windows of it that are to be booked or left free."""
    asked = draw(problems)
    names = draw(st.permutations([one.id for one in asked.opportunities]))
    some = names[: draw(st.integers(1, 2))]
    return asked, some[1:], some[:1] if draw(st.booleans()) else []


class TestPinWindows:
    def test_books_a_window_that_another_is_worth_more_than(self):
        assert booked(greedy_plan(rivals())) == {"a": "r1", "c": "r2"}
        asked = pin_windows(rivals(), booked=["b"], free=[])
        assert asked.pins == (Pin(window="b", request="r2"),)
        assert booked(greedy_plan(asked)) == {"b": "r2", "c": "r2"}

    def test_leaves_a_window_free(self):
        asked = pin_windows(rivals(), booked=[], free=["c"])
        assert booked(greedy_plan(asked)) == {"a": "r1"}

    def test_is_part_of_what_the_digest_says(self):
        asked = pin_windows(rivals(), booked=["b"], free=["c"])
        document = problem_document(asked)
        assert digest_of(document) != digest_of(problem_document(rivals()))
        assert read_problem(json.loads(json.dumps(document))) == asked

    def test_reads_problems_written_before_there_were_pins(self):
        document = problem_document(rivals())
        del document["pins"]
        assert read_problem(document) == rivals()

    def test_books_for_a_request_that_may_have_one_contact_more(self):
        windows = [window("a", 0, 600), window("b", 2000, 2400)]
        requests = [
            request("dear", value_per_s=9.0, maximum_count=1),
            request("cheap", value_per_s=0.1),
        ]
        asked = problem(windows=windows, requests=requests)
        running = keep_running_plan(asked, greedy_plan(asked).contacts[:1])
        assert booked(freeze_first(running))["a"] == "dear"
        assert pin_windows(running, booked=["b"], free=[]).pins[0].request == "cheap"
        assert pin_windows(running, booked=["b"], free=["a"]).pins[0].request == "dear"

    def test_says_why_each_contact_moves(self):
        running = keep_running_plan(rivals(), greedy_plan(rivals()).contacts)
        asked = pin_windows(running, booked=["b"], free=["c"])
        told = difference(
            asked, [one.contact for one in running.kept], freeze_first(asked).contacts
        )
        why = {(one.before or one.after).id: one.why for one in told.changes}
        assert why == {
            "a": "gives way to b, as was asked",
            "c": "is to be left free, as was asked",
        }
        assert "is to be booked, as was asked" in {
            one.why
            for one in difference(
                pin_windows(rivals(), booked=["b"], free=[]), [], freeze_first(asked).contacts
            ).changes
        }

    def test_says_of_a_request_that_its_only_window_is_to_be_free(self):
        asked = pin_windows(rivals(), booked=[], free=["a"])
        [unserved] = greedy_plan(asked).unserved
        assert unserved.reason == "every window that would serve is to be left free, as was asked"

    @pytest.mark.parametrize(
        ("changes", "wish", "why"),
        [
            ({}, {"booked": ["a", "b"]}, "b cannot be booked: contact a, which is asked for as"),
            ({}, {"booked": ["a"], "free": ["a"]}, "a is asked for twice"),
            (
                {"outages": (outage("KIRUNA-1", 820, 900),)},
                {"booked": ["b"]},
                "KIRUNA-1 is out 2026-12-01 00:13:40Z to 2026-12-01 00:15:00Z: storm; set-up",
            ),
        ],
    )
    def test_says_what_is_against_a_wish(self, changes, wish, why):
        with pytest.raises(PinError, match=why):
            pin_windows(rivals(**changes), **{"booked": [], "free": [], **wish})

    def test_says_that_a_window_is_too_short(self):
        asked = rivals()
        profile = replace(asked.profiles[0], minimum_contact_s=400.0)
        with pytest.raises(PinError, match="it lasts 300 s, the shortest contact 400 s"):
            pin_windows(replace(asked, profiles=(profile,)), booked=["c"], free=[])

    def test_moves_no_frozen_contact_and_names_what_it_occupies(self):
        contacts = greedy_plan(rivals()).contacts
        asked = keep_running_plan(rivals(), contacts, frozen_until=at(100))
        with pytest.raises(PinError, match="Window a cannot be left free: its contact has begun"):
            pin_windows(asked, booked=[], free=["a"])
        with pytest.raises(
            PinError,
            match="contact a, which stays, occupies KIRUNA-1, set-up and tear-down included, "
            "2026-11-30 23:59:00Z to 2026-12-01 00:10:30Z",
        ):
            pin_windows(asked, booked=["b"], free=[])

    def test_a_problem_refuses_pins_that_contradict_it(self):
        for pins, fault in (
            ([Pin(window="z", request=None)], "z is pinned, but it is not in the problem"),
            ([Pin(window="a", request="r2")], "r2, which is no request of DD-1"),
            ([Pin(window="a", request=None)] * 2, "a is pinned twice"),
        ):
            with pytest.raises(ProblemError, match=fault):
                rivals(pins=tuple(pins))

    @settings(max_examples=60, deadline=None)
    @given(wishes(running_problems()))
    def test_every_way_to_plan_has_it_and_verifies(self, wish):
        asked, names, free = wish
        try:
            pinned = pin_windows(asked, booked=names, free=free)
        except PinError:
            assume(False)
        for solve in (greedy_plan, freeze_first, make_plan, repair_plan):
            how = [search()] if solve in (make_plan, repair_plan) else []
            plan = solve(pinned, *how)
            verify_plan(json.loads(json.dumps(plan_document(pinned, plan))))
            assert {*names} <= booked(plan).keys()
            assert not {*free} & booked(plan).keys()

    @settings(max_examples=60, deadline=None)
    @given(wishes(small_problems(profiles=("whole",))))
    def test_the_plan_is_the_best_of_those_that_have_it(self, wish):
        asked, names, free = wish
        try:
            pinned = pin_windows(asked, booked=names, free=free)
        except PinError:
            assume(False)
        plan = make_plan(pinned, search())
        assert plan.objective == pytest.approx(best_objective(pinned))

from __future__ import annotations

from missioncontrol.scheduling.solver.plan import Conflict, ReasonCode
from missioncontrol.scheduling.solver.planning import greedy_plan
from tests.unit.missioncontrol.scheduling.solver.problems import (
    antenna,
    at,
    outage,
    problem,
    request,
    window,
)


def unserved(**changes):
    [one] = greedy_plan(problem(**changes)).unserved
    return one


class TestReasons:
    def test_says_that_there_is_no_window(self):
        one = unserved(
            windows=[window("w", 0, 300)],
            requests=[request(earliest=at(400), deadline=at(4000))],
        )
        assert one.code is ReasonCode.NO_WINDOW
        assert one.reason == (
            "no whole window of DD-1 between 2026-12-01T00:06:40Z and 2026-12-01T01:06:40Z"
        )

    def test_says_that_the_antennas_allowed_have_no_window(self):
        one = unserved(
            windows=[window("w", 0, 300, path=["B-1"])],
            requests=[request(antennas=frozenset({"A-1"}), profile="trimmed")],
            antennas=[antenna("A-1"), antenna("B-1")],
        )
        assert one.code is ReasonCode.NO_WINDOW
        assert "no window of DD-1 over the antennas allowed between" in one.reason

    def test_says_how_long_a_window_must_be_and_the_longest_is(self):
        one = unserved(
            windows=[window("w", 0, 198), window("v", 500, 600)],
            requests=[request(minimum_duration_s=240)],
        )
        assert one.code is ReasonCode.TOO_SHORT
        assert one.reason == (
            "no window >= 240 s before the deadline; the longest has 198 s, over KIRUNA-1"
        )

    def test_names_the_outage_that_takes_every_window(self):
        one = unserved(
            windows=[window("w", 0, 300)],
            requests=[request()],
            outages=(outage("KIRUNA-1", 100, 4000),),
        )
        assert one.code is ReasonCode.OUTAGE
        assert one.reason == (
            "every window >= its minimum falls into an outage: "
            "KIRUNA-1 is out 2026-12-01T00:01Z to 2026-12-01T01:06Z"
        )

    def test_names_the_contacts_that_are_in_the_way(self):
        one = unserved(
            windows=[
                window("w", 0, 300),
                window("v", 200, 500, spacecraft="DD-2"),
                window("x", 600, 800),
                window("y", 700, 900, spacecraft="DD-3"),
            ],
            requests=[
                request("loser"),
                request("r2", spacecraft="DD-2", priority=1),
                request("r3", spacecraft="DD-3", priority=1),
            ],
        )
        assert (one.request, one.code, one.missing) == ("loser", ReasonCode.CONFLICT, 1)
        assert one.reason == "2 windows would serve; the best are taken by v, y"
        assert one.conflicts == (
            Conflict(opportunity="w", contacts=("v",)),
            Conflict(opportunity="x", contacts=("y",)),
        )

    def test_counts_what_a_minimum_lacks(self):
        one = unserved(
            windows=[window("w", 0, 300)],
            requests=[request(minimum_count=3, missing_cost=1.0)],
        )
        assert one.missing == 2

    def test_is_silent_about_housekeeping_that_rides_along(self):
        plan = greedy_plan(
            problem(
                windows=[window("w", 0, 300)],
                requests=[request("data"), request("ttc", shared=True, minimum_count=1)],
            )
        )
        assert [one.request for one in plan.contacts] == ["data"]
        assert plan.unserved == ()

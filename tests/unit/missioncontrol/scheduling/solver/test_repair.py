from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from missioncontrol.scheduling.plan_verifier import verify_plan
from missioncontrol.scheduling.solver.difference import ChangeKind, difference
from missioncontrol.scheduling.solver.document import plan_document
from missioncontrol.scheduling.solver.plan import PlanMethod
from missioncontrol.scheduling.solver.planning import greedy_plan, make_plan
from missioncontrol.scheduling.solver.problem import Problem, ProblemError
from missioncontrol.scheduling.solver.repair import (
    freeze_first,
    keep_running_plan,
    moving_few,
    repair_plan,
)
from tests.unit.missioncontrol.scheduling.solver.problems import (
    at,
    outage,
    problem,
    request,
    running_problems,
    search,
    small_problems,
    window,
)


def running() -> tuple[Problem, list]:
    """Return a problem and its plan: a over KIRUNA, b over SANYA, c later."""
    asked = problem(
        windows=[
            window("a", 0, 600),
            window("a-other", 0, 500, path=["SANYA-1"]),
            window("b", 0, 450, spacecraft="DD-2", path=["SANYA-1"]),
            window("c", 8000, 8600, path=["SANYA-1"]),
        ],
        requests=[request("r1"), request("r2", spacecraft="DD-2", value_per_s=1.0)],
    )
    return asked, list(make_plan(asked, search()).contacts)


class TestRepair:
    def test_freezes_first_and_moves_only_for_what_is_worth_more_than_staying(self):
        asked, contacts = running()
        assert [one.id for one in contacts] == ["a", "b", "c"]
        storm = outage("KIRUNA-1", 100, 200)
        stays = keep_running_plan(asked, contacts, outages=[storm])
        moves = keep_running_plan(asked, contacts, outages=[storm], bonus_share=0.0)
        assert [one.id for one in freeze_first(moves).contacts] == ["b", "c"]
        assert [one.id for one in repair_plan(stays, search()).contacts] == ["b", "c"]
        assert [one.id for one in repair_plan(moves, search()).contacts] == ["a-other", "c"]

    def test_moves_no_more_contacts_that_no_outage_hits_than_it_may(self):
        asked, contacts = running()
        moves = keep_running_plan(
            asked, contacts, outages=[outage("KIRUNA-1", 100, 200)], bonus_share=0.0
        )
        mended, at_once = repair_plan(moves, search()), freeze_first(moves)
        assert moving_few(moves, mended, at_once, most_moved=1) == mended
        few = moving_few(moves, mended, at_once, most_moved=0)
        assert few.contacts == at_once.contacts
        assert few.bound == mended.bound > few.objective
        verify_plan(plan_document(moves, few))

    def test_says_of_every_contact_what_happens_to_it_and_why(self):
        asked, contacts = running()
        moves = keep_running_plan(
            asked, contacts, outages=[outage("KIRUNA-1", 100, 200)], bonus_share=0.0
        )
        plan = repair_plan(moves, search())
        assert plan.method is PlanMethod.REPAIRED
        told = difference(moves, contacts, plan.contacts)
        moved, dropped = told.changes
        assert (moved.kind, moved.before.id, moved.after.id) == (ChangeKind.MOVED, "a", "a-other")
        assert moved.why == "KIRUNA-1 is out 2026-12-01T00:01Z to 2026-12-01T00:03Z: storm"
        assert moved.outage == "KIRUNA-1"
        assert (dropped.kind, dropped.before.id) == (ChangeKind.DROPPED, "b")
        assert dropped.why == "gives way to a-other"
        assert dropped.gives_way_to == ("a-other",)
        assert told.unrelated == (dropped,)
        assert told.unchanged == 1

    def test_works_only_about_the_outages(self):
        asked, contacts = running()
        # A better contact far from the outage is left for the next full plan.
        asked = replace(
            asked, opportunities=(*asked.opportunities, window("d", 8100, 9900, path=["SANYA-1"]))
        )
        mending = keep_running_plan(
            asked, contacts, outages=[outage("KIRUNA-1", 100, 200)], bonus_share=0.01
        )
        near = repair_plan(mending, search(within=((at(-60), at(700)),)))
        assert "c" in {one.id for one in near.contacts}

    def test_keeps_frozen_contacts_whatever_they_cost(self):
        asked, contacts = running()
        mending = keep_running_plan(
            asked,
            contacts,
            outages=[outage("KIRUNA-1", 100, 200)],
            frozen_until=at(1000),
            bonus_share=0.0,
        )
        assert [one.id for one in repair_plan(mending, search()).contacts] == ["b", "c"]

    def test_refuses_frozen_contacts_that_cannot_both_be(self):
        asked, contacts = running()
        clash = [
            contacts[1],
            replace(contacts[1], id="again", begins=at(100), ends=at(200)),
        ]
        mending = keep_running_plan(asked, clash, frozen_until=at(1000))
        with pytest.raises(ProblemError, match="Frozen contact again cannot stay beside b"):
            greedy_plan(mending)

    @settings(deadline=None, max_examples=40)
    @given(problem=small_problems())
    def test_is_never_worse_than_freezing(self, problem):
        contacts = greedy_plan(problem).contacts
        mending = keep_running_plan(problem, contacts, outages=[outage("A-1", 60, 500)])
        frozen = freeze_first(mending)
        mended = repair_plan(mending, search())
        verify_plan(plan_document(mending, frozen))
        verify_plan(plan_document(mending, mended))
        assert mended.objective >= frozen.objective - 1e-6
        assert mended.bound >= mended.objective


class TestDifference:
    @settings(deadline=None, max_examples=40)
    @given(problem=running_problems())
    def test_accounts_for_every_contact_once(self, problem):
        before = [one.contact for one in problem.kept]
        after = make_plan(problem, search()).contacts
        told = difference(problem, before, after)
        assert told.unchanged == len(set(before) & set(after))
        gone = {one.before for one in told.changes if one.before is not None}
        come = {one.after for one in told.changes if one.after is not None}
        assert gone == set(before) - set(after)
        assert come == set(after) - set(before)
        assert all(one.why for one in told.changes)

    def test_says_that_a_window_or_a_request_is_gone(self):
        asked, contacts = running()
        fewer = replace(
            asked,
            opportunities=tuple(one for one in asked.opportunities if one.id != "c"),
            requests=asked.requests[:1],
        )
        told = difference(fewer, contacts, contacts[:1])
        assert {one.before.id: one.why for one in told.changes} == {
            "b": "request r2 is gone",
            "c": "its window is gone",
        }

    def test_calls_another_part_of_the_same_window_trimmed(self):
        asked, contacts = running()
        shorter = replace(contacts[0], ends=at(300))
        [change] = difference(asked, contacts, [shorter, *contacts[1:]]).changes
        assert (change.kind, change.after) == (ChangeKind.TRIMMED, shorter)

    def test_says_that_a_window_goes_to_another_request(self):
        asked, contacts = running()
        asked = replace(asked, requests=(*asked.requests, request("r3", value_per_s=2.0)))
        given = replace(contacts[2], request="r3")
        told = difference(asked, contacts, [*contacts[:2], given])
        [dropped] = [one for one in told.changes if one.before is not None]
        assert dropped.why == "its window goes to request r3"
        assert dropped.gives_way_to == ("c",)

    def test_is_empty_between_equal_plans(self):
        asked, contacts = running()
        told = difference(asked, contacts, contacts)
        assert (told.changes, told.unchanged) == ((), 3)

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.scheduling.plan_shares import even_shares, share_rows, with_shares
from missioncontrol.scheduling.plan_verifier import PlanVerificationError, verify_plan
from missioncontrol.scheduling.solver.document import plan_document
from missioncontrol.scheduling.solver.planning import greedy_plan, make_plan
from tests.unit.missioncontrol.scheduling.solver.problems import problem, request, search, window

_SECONDS = st.integers(0, 10_000)
ASKED = {"rich": "alpha", "poor": "beta"}  # who asks, by request


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10_000), min_size=1),
    st.dictionaries(st.sampled_from("abcdef"), _SECONDS),
    st.integers(1, 30_000),
)
def test_spreads_all_there_is_as_evenly_as_can_be(asked_s, had_s, given_s):
    got = even_shares(given_s, asked_s=asked_s, had_s=had_s)
    assert sum(got.values()) == pytest.approx(min(given_s, sum(asked_s.values())), abs=1e-3)
    assert all(0.0 <= got[name] <= asked_s[name] for name in asked_s)
    # Who could get more has, with what it had, no less than anybody who got something.
    levels = {name: got[name] + had_s.get(name, 0) for name in asked_s}
    lowest = min((levels[one] for one in asked_s if got[one] < asked_s[one]), default=1e9)
    assert all(levels[one] <= lowest + 1e-3 for one in asked_s if got[one] > 0.0)


def rivals(**changes):
    """Eight times two spacecraft want the one antenna; alpha says it pays three times more."""
    return problem(
        windows=[
            window(f"{craft}-{number}", 1000 * number, 1000 * number + 600, spacecraft=craft)
            for number in range(8)
            for craft in ("DD-1", "DD-2")
        ],
        requests=[
            request("rich", maximum_count=9, value=300.0, value_per_s=0.0),
            request(
                "poor",
                spacecraft="DD-2",
                owner="beta",
                maximum_count=9,
                value=100.0,
                value_per_s=0.0,
            ),
        ],
        **changes,
    )


def served(plan):
    return Counter(one.request for one in plan.contacts)


def shared(asked, **had_s):
    return with_shares(asked, members=ASKED, had_s=had_s)


def test_serve_him_too_who_pays_less():
    assert served(make_plan(rivals(), search())) == {"rich": 8}
    assert served(make_plan(shared(rivals()), search())) == {"rich": 4, "poor": 4}


def test_make_up_for_what_somebody_has_not_had():
    plan = make_plan(shared(rivals(), alpha=1200.0), search())
    assert served(plan) == {"rich": 3, "poor": 5}


def test_are_in_the_bound_and_looked_at_by_the_verifier():
    asked = shared(rivals())
    plan = make_plan(asked, search())
    document = plan_document(asked, plan)
    verify_plan(document)
    assert plan.gap == pytest.approx(0.0, abs=1e-6)
    document["plan"]["objective"] += 1.0
    with pytest.raises(PlanVerificationError, match="The objective is"):
        verify_plan(document)


def test_cannot_be_changed_after_the_plan():
    asked = shared(rivals())
    document = plan_document(asked, greedy_plan(asked))
    document["problem"]["members"][0]["had_s"] = 9.0
    with pytest.raises(PlanVerificationError, match="answers another problem"):
        verify_plan(document)


def test_entitle_nobody_to_more_than_it_asks_for():
    asked = rivals()
    few = problem(
        windows=asked.opportunities,
        requests=[
            asked.requests[0],
            request("poor", spacecraft="DD-2", owner="beta", maximum_count=1),
        ],
    )
    entitled = {one.name: one.entitled_s for one in shared(few).members}
    assert entitled == {"alpha": pytest.approx(4200.0), "beta": pytest.approx(600.0)}


@pytest.mark.parametrize(
    ("asked", "members"),
    [
        (rivals(), {}),
        (rivals(), {"rich": "alpha"}),
        (rivals(), {"rich": "alpha", "poor": "alpha"}),
        (problem(windows=[], requests=[request("rich"), request("poor", owner="beta")]), ASKED),
    ],
    ids=["nobody asks", "one asks", "the same asks twice", "there are no windows"],
)
def test_leave_alone_what_is_not_shared(asked, members):
    assert with_shares(asked, members=members, had_s={}) is asked


def test_are_told_member_by_member():
    asked = shared(rivals(), alpha=1200.0)
    rows = share_rows(asked, greedy_plan(asked))
    assert [(one["member"], one["had_s"], one["entitled_s"]) for one in rows] == [
        ("alpha", 1200.0, pytest.approx(1800.0)),
        ("beta", 0.0, pytest.approx(3000.0)),
    ]
    assert sum(one["share"] for one in rows) == pytest.approx(1.0)
    assert rows[0]["why"] == "has its share"
    assert rows[1]["why"].startswith("3000 s below its share, which costs the plan 1500.0; 1 of")

"""Small problems for tests: instants are seconds after START."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import strategies as st

from missioncontrol.scheduling.solver.planning import Search, greedy_plan
from missioncontrol.scheduling.solver.problem import (
    Antenna,
    ContactRequest,
    KeptContact,
    Member,
    MissionProfile,
    Opportunity,
    Outage,
    Problem,
    RequestKind,
)

START = datetime(2026, 12, 1, tzinfo=UTC)
HORIZON_S = 10_000
PROFILE = MissionProfile(name="whole")
TRIMMED = MissionProfile(name="trimmed", minimum_contact_s=120.0, trim_step_s=60.0)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def antenna(name: str = "KIRUNA-1", **changes) -> Antenna:
    return Antenna(**{"name": name, "station": name.split("-")[0], **changes})


def window(
    name: str,
    begins_s: float,
    ends_s: float,
    *,
    spacecraft: str = "DD-1",
    path=("KIRUNA-1",),
    **changes,
) -> Opportunity:
    return Opportunity(
        **{
            "id": name,
            "spacecraft": spacecraft,
            "path": tuple(path),
            "begins": at(begins_s),
            "ends": at(ends_s),
            **changes,
        }
    )


def request(name: str = "r1", *, spacecraft: str = "DD-1", **changes) -> ContactRequest:
    return ContactRequest(
        **{
            "id": name,
            "kind": RequestKind.DATA,
            "spacecraft": spacecraft,
            "owner": "alpha",
            "profile": "whole",
            "earliest": START,
            "deadline": at(HORIZON_S),
            "value_per_s": 1.0,
            **changes,
        }
    )


def outage(resource: str, begins_s: float, ends_s: float, **changes) -> Outage:
    return Outage(
        **{
            "resource": resource,
            "begins": at(begins_s),
            "ends": at(ends_s),
            "planned": False,
            "reason": "storm",
            **changes,
        }
    )


def problem(*, windows, requests, antennas=None, **changes) -> Problem:
    names = sorted({name for one in windows for name in one.path})
    return Problem(
        **{
            "begins": START,
            "ends": at(HORIZON_S),
            "profiles": (PROFILE, TRIMMED),
            "antennas": tuple(antennas or (antenna(name) for name in names)),
            "opportunities": tuple(windows),
            "requests": tuple(requests),
            **changes,
        }
    )


def search(**changes) -> Search:
    """A search that ends when it is done: its clock counts calls, and has time."""
    ticks = count()
    return Search(
        **{
            "limit_s": 1e9,
            "elapsed_s": lambda: float(next(ticks)),
            "target_gap": 1e-9,
            **changes,
        }
    )


_SECONDS = st.integers(0, 12).map(lambda number: 60.0 * number)
_VALUES = st.sampled_from([0.0, 0.5, 1.0, 3.0])


@st.composite
def small_problems(draw, *, profiles=("whole", "trimmed")):
    """Draw problems that exhaustive search can solve: few windows, much in conflict."""
    antennas = [
        antenna("A-1", setup_s=draw(_SECONDS) / 4, teardown_s=draw(_SECONDS) / 8),
        antenna("B-1"),
        antenna("RELAY", capacity=draw(st.integers(1, 2))),
    ]
    paths = [("A-1",), ("B-1",), ("RELAY",), ("RELAY", "A-1")]
    windows = []
    for number in range(draw(st.integers(1, 5))):
        begins_s = draw(_SECONDS)
        windows.append(
            window(
                f"w{number}",
                begins_s,
                begins_s + 60.0 * draw(st.integers(1, 6)),
                spacecraft=draw(st.sampled_from(["DD-1", "DD-2"])),
                path=draw(st.sampled_from(paths)),
                quality=draw(st.sampled_from([0.25, 1.0])),
            )
        )
    requests = [
        _draw_request(draw, f"r{number}", profiles) for number in range(draw(st.integers(1, 3)))
    ]
    outages = []
    if draw(st.booleans()):
        begins_s = draw(_SECONDS)
        resource = draw(st.sampled_from(["A-1", "RELAY", requests[0].spacecraft]))
        outages.append(outage(resource, begins_s, begins_s + 150.0))
    members = []
    if draw(st.booleans()):
        members.append(
            Member(name="alpha", entitled_s=draw(_SECONDS), cost_per_missing_s=draw(_VALUES))
        )
    return problem(
        windows=windows,
        requests=requests,
        antennas=antennas,
        outages=tuple(outages),
        members=tuple(members),
    )


@st.composite
def running_problems(draw):
    """Draw problems with contacts of a running plan, some frozen, some no longer in a window."""
    before = draw(small_problems(profiles=("whole", "trimmed")))
    running = greedy_plan(before).contacts
    kept = []
    for contact in running:
        moved = draw(st.sampled_from([0, 0, 30]))
        kept.append(
            KeptContact(
                contact=replace(contact, ends=contact.ends - timedelta(seconds=moved)),
                bonus=draw(st.sampled_from([0.0, 5.0, 500.0])),
                frozen=draw(st.booleans()),
            )
        )
    gone = draw(st.sampled_from([None, *(one.id for one in before.opportunities)]))
    hit = draw(st.sampled_from([None, "A-1", "B-1"]))
    begins_s = draw(_SECONDS)
    more = [outage(hit, begins_s, begins_s + 200.0)] if hit else []
    return replace(
        before,
        opportunities=tuple(one for one in before.opportunities if one.id != gone),
        kept=tuple(kept),
        outages=(*before.outages, *more),
    )


def _draw_request(draw, name, profiles):
    minimum = draw(st.integers(0, 2))
    profile = draw(st.sampled_from(profiles))
    return request(
        name,
        spacecraft=draw(st.sampled_from(["DD-1", "DD-2"])),
        owner=draw(st.sampled_from(["alpha", "beta"])),
        profile=profile,
        priority=draw(st.sampled_from([3, 5])),
        earliest=at(draw(_SECONDS) / 2),
        latest=draw(st.sampled_from([None, at(500)])),
        deadline=at(400 + draw(_SECONDS)),
        minimum_duration_s=draw(st.sampled_from([0.0, 100.0, 180.0])),
        maximum_duration_s=draw(st.sampled_from([None, 240.0])) if profile == "trimmed" else None,
        minimum_count=minimum,
        maximum_count=draw(st.sampled_from([None, max(1, minimum), 3])),
        value=10.0 * draw(_VALUES),
        value_per_s=draw(_VALUES),
        missing_cost=20.0 * draw(_VALUES),
        shared=draw(st.booleans()),
        antennas=draw(st.sampled_from([None, None, frozenset({"A-1", "RELAY"})])),
    )

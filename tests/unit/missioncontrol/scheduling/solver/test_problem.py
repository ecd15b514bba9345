from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from missioncontrol.scheduling.solver.problem import (
    Contact,
    KeptContact,
    Member,
    MissionProfile,
    ProblemError,
)
from tests.unit.missioncontrol.scheduling.solver.problems import (
    antenna,
    at,
    outage,
    problem,
    request,
    window,
)

SOUND = problem(windows=[window("w", 0, 300)], requests=[request()])
KEPT = Contact(
    id="w", request="r1", spacecraft="DD-1", path=("KIRUNA-1",), begins=at(0), ends=at(300)
)

FAULTS = {
    "The horizon ends at": {"ends": at(-1)},
    "The horizon has a time without a zone": {"begins": datetime(2026, 12, 1)},  # noqa: DTZ001
    "Opportunity w is there twice": {"opportunities": SOUND.opportunities * 2},
    "Request r1 is there twice": {"requests": SOUND.requests * 2},
    "Antenna KIRUNA-1 is there twice": {"antennas": SOUND.antennas * 2},
    "Opportunity w has the path B-1": {"opportunities": (window("w", 0, 300, path=["B-1"]),)},
    "Opportunity w has the path nothing": {"opportunities": (window("w", 0, 300, path=[]),)},
    "Opportunity w ends at": {"opportunities": (window("w", 300, 300),)},
    "quality is 1.5; it must lie in 0 to 1": {
        "opportunities": (window("w", 0, 300, quality=1.5),)
    },
    "Antenna KIRUNA-1: setup_s is -1": {"antennas": (antenna(setup_s=-1),)},
    "Antenna KIRUNA-1: capacity is 0": {"antennas": (antenna(capacity=0),)},
    "Profile whole: pre_pass_s is nan": {
        "profiles": (MissionProfile(name="whole", pre_pass_s=float("nan")),)
    },
    "Profile whole: trim_step_s is 0.5": {
        "profiles": (MissionProfile(name="whole", trim_step_s=0.5),)
    },
    "names the profile nominal": {"requests": (request(profile="nominal"),)},
    "priority is 6; it goes from 1": {"requests": (request(priority=6),)},
    "Request r1: value is -1": {"requests": (request(value=-1),)},
    "Request r1 ends at": {"requests": (request(deadline=at(0)),)},
    "minimum_count is -1": {"requests": (request(minimum_count=-1),)},
    "no less than minimum_count, 3": {"requests": (request(minimum_count=3, maximum_count=2),)},
    "maximum_duration_s is 60, less than minimum_duration_s, 90": {
        "requests": (request(profile="trimmed", minimum_duration_s=90, maximum_duration_s=60),)
    },
    "its profile whole needs trim_step_s": {"requests": (request(maximum_duration_s=60),)},
    "allows the antennas B-1": {"requests": (request(antennas=frozenset({"B-1"})),)},
    "Member alpha: entitled_s is -1": {
        "members": (Member(name="alpha", entitled_s=-1, cost_per_missing_s=1),)
    },
    "an outage of B-1": {"outages": (outage("B-1", 0, 1),)},
    "The outage of KIRUNA-1 ends at": {"outages": (outage("KIRUNA-1", 1, 1),)},
    "is for the request r9": {"kept": (KeptContact(contact=replace(KEPT, request="r9")),)},
    "is of DD-9, but its request r1 is for DD-1": {
        "kept": (KeptContact(contact=replace(KEPT, spacecraft="DD-9")),)
    },
    "Kept contact w has the path nothing": {
        "kept": (KeptContact(contact=replace(KEPT, path=())),)
    },
    "Kept contact w: bonus is -1": {"kept": (KeptContact(contact=KEPT, bonus=-1),)},
    "the name of a spacecraft and of an antenna": {"requests": (request(spacecraft="KIRUNA-1"),)},
}


class TestProblem:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_refuses(self, fault):
        with pytest.raises(ProblemError) as refused:
            replace(SOUND, **FAULTS[fault])
        assert fault in str(refused.value)

    def test_lists_every_fault_but_not_without_end(self):
        with pytest.raises(ProblemError) as refused:
            replace(SOUND, opportunities=tuple(window(f"w{n}", 9, 9) for n in range(30)))
        assert len(refused.value.faults) == 30
        assert "... and 10 more" in str(refused.value)

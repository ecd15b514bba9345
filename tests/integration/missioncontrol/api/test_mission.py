from __future__ import annotations

import pytest

from missioncontrol.accounts.models import Membership
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from missioncontrol.kernel.models import ClockAnchor
from tests.integration.missioncontrol.api.conftest import assert_problem, assert_wrong_field


def test_the_clock_tells_mission_time(pipeline):
    assert pipeline.get("/clock").json() == {
        "mission_time": "2026-12-01T12:00:00Z",
        "factor": 30.0,
        "frozen": True,
    }


def test_the_clock_is_set_by_an_operator(operator, pipeline):
    answer = operator.put("/clock", {"factor": 2})
    assert (answer.status_code, answer.json()["factor"]) == (200, 2.0)
    assert AuditEntry.objects.get(action="clock.set").actor == "operator:alice"
    assert_problem(pipeline.put("/clock", {"factor": 2}), 403, "not-permitted", "clock.set")


def test_the_clock_has_limits(operator):
    for factor in (0, -1, 1001):
        assert_wrong_field(operator.put("/clock", {"factor": factor}), "body.factor", "than")


def test_the_clock_of_a_flight_is_nobodys_to_set(operator):
    ClockAnchor.objects.all().delete()
    clock.forget()
    assert_problem(operator.put("/clock", {"factor": 2}), 409, "refused", "Mission time is UTC")


def test_shows_one_spacecraft_and_one_station(pipeline):
    assert pipeline.get("/spacecraft/DD-1").json()["name"] == "DD-1"
    assert_problem(pipeline.get("/spacecraft/DD-9"), 404, "not-found", "'DD-9'")
    assert pipeline.get("/stations/KASHI").json()["antennas"] == ["KASHI-1"]
    assert_problem(pipeline.get("/stations/OSLO"), 404, "not-found", "'OSLO'")


def test_lists_come_in_pages(pipeline):
    names, cursor = [], None
    while True:
        asked = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = pipeline.get("/stations", asked).json()
        names += [each["name"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(names) == 8
    assert names == sorted(names)


def test_lists_the_telecommands_that_can_be_submitted(operator, pipeline):
    path = "/spacecraft/DD-1/telecommand-definitions"
    definitions = {each["name"]: each for each in operator.get(path).json()["items"]}
    assert definitions["RUN_JOB"]["approval"] == "policy"
    unit = definitions["PAYLOAD_POWER"]["arguments"][0]
    assert (unit["name"], unit["type"]) == ("UNIT", "enum")
    assert "GPU1" in unit["values"]
    assert_problem(pipeline.get(path), 403, "not-permitted", "telecommand.view")


def test_lists_the_spacecraft(pipeline, dd1):
    assert pipeline.get("/spacecraft").json() == {
        "items": [
            {
                "name": "DD-1",
                "ccsds_id": dd1.ccsds_id,
                "phase": "NOMINAL",
                "organisation": "operator",
                "elements_epoch": "2026-12-01T00:00:00Z",
            }
        ],
        "next": None,
    }


def test_lists_the_stations_with_their_antennas(pipeline):
    stations = {each["name"]: each for each in pipeline.get("/stations").json()["items"]}
    assert stations["KASHI"] == {
        "name": "KASHI",
        "title": "Kashi",
        "latitude_deg": 39.505,
        "longitude_deg": 75.929,
        "height_m": 1320.0,
        "mask_deg": 5.0,
        "owner": "operator",
        "leased": False,
        "antennas": ["KASHI-1"],
        "link_is_open": False,
        "last_frame_at": None,
    }
    assert list(stations) == sorted(stations)


@pytest.mark.parametrize(
    "path", ["/spacecraft", "/spacecraft/DD-1", "/stations", "/stations/KASHI"]
)
def test_shows_the_mission_to_whoever_holds_a_role(pipeline, path):
    assert pipeline.get(path).status_code == 200
    Membership.objects.all().delete()
    assert_problem(pipeline.get(path), 403, "not-permitted", "holds no role")


def test_answers_are_not_kept_by_caches(pipeline):
    assert pipeline.get("/clock")["Cache-Control"] == "private, no-store"

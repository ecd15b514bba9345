from __future__ import annotations

from datetime import UTC, datetime

from redis.exceptions import ConnectionError as BrokerAwayError

from missioncontrol.api import processes
from missioncontrol.kernel.processes import ProcessState, tell_processes
from tests.integration.missioncontrol.api.conftest import assert_problem


def test_are_as_their_supervisor_tells(operator):
    assert operator.get("/processes").json() == {"items": [], "next": None}
    tell_processes(
        [
            ProcessState(
                name="worker",
                state="running",
                pid=4711,
                restarts=1,
                last_exit=-9,
                seen=datetime(2026, 11, 25, 9, tzinfo=UTC),
            )
        ]
    )
    assert operator.get("/processes").json()["items"] == [
        {
            "name": "worker",
            "state": "running",
            "pid": 4711,
            "restarts": 1,
            "last_exit": -9,
            "seen_at": "2026-11-25T09:00:00Z",
        }
    ]


def test_are_for_those_who_run_the_mission(pipeline):
    assert_problem(pipeline.get("/processes"), 403, "not-permitted", "process.view")


def test_are_not_known_while_the_broker_is_away(operator, monkeypatch):
    def away():
        raise BrokerAwayError

    monkeypatch.setattr(processes, "told_processes", away)
    assert_problem(operator.get("/processes"), 409, "refused", "The broker is away")

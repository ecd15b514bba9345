from __future__ import annotations

from datetime import UTC, datetime

import pytest

from missioncontrol.kernel.processes import ProcessState, tell_processes, told_processes

pytestmark = pytest.mark.once


def test_what_is_told_is_read():
    states = [
        ProcessState(
            name=name,
            state="running",
            pid=4711,
            restarts=2,
            last_exit=None,
            seen=datetime(2026, 11, 25, 9, tzinfo=UTC),
        )
        for name in ("web", "worker")
    ]
    tell_processes(states)
    assert sorted(told_processes(), key=lambda each: each.name) == states


def test_where_no_supervisor_runs_there_are_none():
    assert told_processes() == []

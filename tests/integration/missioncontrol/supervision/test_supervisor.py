from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from missioncontrol.kernel import clock
from missioncontrol.kernel.processes import told_processes
from missioncontrol.supervision.children import Child, ChildDefinition, ChildState
from missioncontrol.supervision.supervisor import Supervisor

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(600)",
]


def wait_until(condition, within_s=10.0):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(log_folder=tmp_path / "logs")
    yield supervisor
    supervisor.stop()


@pytest.mark.django_db
class TestSupervisor:
    def test_restarts_a_child_that_dies_and_tells_the_console(self, supervisor):
        supervisor.start([ChildDefinition(name="sleeper", argv=SLEEPER)])
        child = supervisor._children[0]
        first = child.pid
        os.kill(first, signal.SIGKILL)

        def restarted():
            supervisor.watch()
            return child.restarts == 1

        wait_until(restarted)
        assert child.pid != first
        assert is_alive(child.pid)
        [told] = told_processes()
        assert (told.name, told.restarts, told.state) == ("sleeper", 1, "running")
        assert (told.pid, told.last_exit) == (child.pid, -signal.SIGKILL)

    def test_outlives_a_database_that_is_away(self, supervisor, monkeypatch):
        def away():
            raise OperationalError("the server closed the connection")

        monkeypatch.setattr(clock, "keep", away)
        monkeypatch.setattr(connection, "close", lambda: None)  # that of the test itself
        supervisor.start([ChildDefinition(name="sleeper", argv=SLEEPER)])
        supervisor.watch()
        assert [told.name for told in told_processes()] == ["sleeper"]

    def test_stops_even_a_child_that_does_not_listen_in_time(self, supervisor, tmp_path):
        supervisor.start(
            [ChildDefinition(name="deaf", argv=DEAF), ChildDefinition(name="good", argv=SLEEPER)]
        )
        wait_until(lambda: "up" in (tmp_path / "logs" / "deaf.log").read_text())
        pids = [child.pid for child in supervisor._children]
        begun = time.monotonic()
        supervisor.stop()
        assert time.monotonic() - begun < 5
        assert not any(is_alive(pid) for pid in pids)


class TestChild:
    def test_waits_longer_before_each_restart_of_a_child_that_keeps_dying(self, tmp_path):
        child = Child(
            ChildDefinition(name="short", argv=[sys.executable, "-c", ""]), log_folder=tmp_path
        )
        child.start(at_s=0.0)
        pauses, at_s = [], 0.0
        for _ in range(4):
            wait_until(lambda: child.watch(at_s=at_s))  # noqa: B023
            assert child.state is ChildState.RESTARTING
            died = at_s
            while not child.watch(at_s=at_s):
                at_s += 0.25
            pauses.append(at_s - died)
        assert pauses == [0.5, 1.0, 2.0, 4.0]
        child.ask_to_stop()
        child.wait_stopped(deadline_s=time.monotonic() + 1)

    def test_takes_the_processes_that_it_started_along(self, tmp_path):
        argv = [
            sys.executable,
            "-c",
            "import subprocess, sys, time; "
            "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
            "print(p.pid, flush=True); time.sleep(600)",
        ]
        child = Child(ChildDefinition(name="parent", argv=argv), log_folder=tmp_path)
        child.start(at_s=0.0)
        log = tmp_path / "parent.log"
        wait_until(lambda: log.read_text().strip())
        grandchild = int(log.read_text())
        child.ask_to_stop()
        child.wait_stopped(deadline_s=time.monotonic() + 3)
        wait_until(lambda: not is_alive(grandchild))

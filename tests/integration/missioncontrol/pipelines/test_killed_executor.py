"""The process itself on a database of its own, and kill -9 at the worst moment."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from missioncontrol.kernel import broker as broker_connections
from tests.integration.missioncontrol.pipelines.scripted_station import (
    ScriptedStation,
    Spacecraft,
    wait_for,
)

pytestmark = [pytest.mark.timeout(290), pytest.mark.once]

ROOT = Path(__file__).resolve().parents[4]
START = datetime(2026, 12, 1, 12, tzinfo=UTC)
FACTOR = 6.0

# Makes the mission, a contact that is due now, and a telecommand that may go up.
PREPARE = """
from datetime import timedelta
from missioncontrol.accounts.models import Operator
from missioncontrol.audit.services import sequence_entries
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.pipelines import demo
from missioncontrol.scheduling.models import Contact
from uplink.commanding.services import approve_telecommand
demo.seed_mission(at=None)
demo.seed(at=clock.now())
Contact.objects.all().delete()
clock.set_clock(mission_time=clock.now(), factor={factor})
at = clock.now()
approve_telecommand(
    telecommand_id=1, approver=Operator.objects.get(username="approver"), at=at
)
sequence_entries(at=at)
Contact.objects.create(
    spacecraft=Spacecraft.objects.get(), antenna=Antenna.objects.get(name="KASHI-1"),
    profile=MissionProfile.objects.all()[0], aos=at, tca=at + timedelta(seconds=300),
    los=at + timedelta(seconds=900), max_elevation_deg=80.0, aos_azimuth_deg=0.0,
    los_azimuth_deg=0.0, pre_pass_s=120, post_pass_s=5, booked_at=at,
)
"""


class Installation:
    """An installation of the product in a folder of its own."""

    def __init__(
        self, folder: Path, *, database_url: str, broker_url: str, station_address: str
    ) -> None:
        self.database = database_url.removeprefix("sqlite://")
        self.executors: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "VAR_DIR": str(folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": broker_url,
            "SIMULATOR_ADDRESS": station_address,
        }

    def manage(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def start_executor(self) -> None:
        self.executors.append(
            subprocess.Popen(
                [sys.executable, "manage.py", "run_pass_executor", "--lease", "3"],
                cwd=ROOT,
                env=self._environment,
                stderr=subprocess.DEVNULL,
            )
        )

    def rows(self, query: str) -> list[tuple]:
        connection = sqlite3.connect(self.database, timeout=20)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def close(self) -> None:
        for executor in self.executors:
            executor.terminate()
            executor.wait(timeout=20)


@pytest.fixture
def station():
    began = time.monotonic()

    def now() -> datetime:
        return START + timedelta(hours=1, seconds=(time.monotonic() - began) * FACTOR)

    # Mission time of the station runs ahead of the installation's, by up to an hour:
    # what it stamps must be newer than the executor's own connection.
    onboard = Spacecraft(spacecraft_id=0, now=now)
    with ScriptedStation(onboard, now=now) as scripted:
        yield scripted


@pytest.fixture
def database_url(tmp_path, migrated):
    with migrated.copied(tmp_path) as url:
        yield url


@pytest.fixture
def installation(tmp_path, database_url, broker, station):
    one = Installation(
        tmp_path, database_url=database_url, broker_url=broker, station_address=station.address
    )
    one.manage("shell", "-c", PREPARE.format(factor=FACTOR))
    [(pk, spacecraft_id)] = one.rows("SELECT id, ccsds_id FROM fleet_spacecraft")
    station.spacecraft.become(spacecraft_id)
    stop = threading.Event()

    def pass_clcws_on() -> None:
        while not stop.is_set():
            for clcw in station.spacecraft.read(block_ms=50):
                fields = {"word": clcw.word.hex(), "at": clcw.received_at.isoformat()}
                broker_connections.connection().xadd(f"clcw:{pk}", fields)

    thread = threading.Thread(target=pass_clcws_on)
    thread.start()
    yield one
    one.close()
    stop.set()
    thread.join()


class TestKilledExecutor:
    @pytest.mark.parametrize("arrives", [True, False], ids=["arrived", "lost on the way"])
    def test_leaves_a_telecommand_that_is_executed_exactly_once(
        self, installation, station, arrives
    ):
        def kill_the_first(count: int) -> bool:
            if count > 1:
                return False
            installation.executors[0].send_signal(signal.SIGKILL)
            installation.executors[0].wait(timeout=10)
            return not arrives

        station.lose = kill_the_first
        station.without_report = lambda count: count == 1
        installation.start_executor()
        wait_for(lambda: len(station.received) == 1, timeout_s=80)
        installation.start_executor()

        def is_radiated() -> bool:
            states = installation.rows("SELECT state FROM commanding_telecommand WHERE id = 1")
            return states == [("RADIATED",)]

        wait_for(is_radiated, timeout_s=100)
        station.end_with = "LOS"
        wait_for(
            lambda: installation.rows("SELECT state FROM scheduling_contact") == [("COMPLETED",)],
            timeout_s=100,
        )
        assert len(station.spacecraft.accepted) == 1
        assert station.highest_epoch == 2
        intents = installation.rows(
            "SELECT number, epoch, state, acceptance FROM pipelines_radiationintent ORDER BY id"
        )
        if arrives:
            assert intents == [(1, 1, "RADIATED", "ACCEPTED")]
        else:
            assert intents == [
                (1, 1, "RADIATED", "NOT_ACCEPTED"),
                (2, 2, "RADIATED", "ACCEPTED"),
            ]

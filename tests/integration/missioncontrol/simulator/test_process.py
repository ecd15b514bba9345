"""The simulator as the supervisor starts it: a process, a clock over HTTP, signals."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from missioncontrol.fleet import mission_file
from missioncontrol.simulator.clock import SteadyClock
from missioncontrol.stationlink.messages import Refused
from tests.integration.missioncontrol.simulator.ground import Ground, Wire
from tests.integration.missioncontrol.simulator.test_pass import IN_PASS

pytestmark = pytest.mark.once

MISSION = Path(mission_file.__file__).parent / "missions" / "demo.yaml"
FACTOR = 50.0


class Health(http.server.ThreadingHTTPServer):
    """Mission control's /health, with a clock that a test holds."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.clock = SteadyClock(IN_PASS, FACTOR)
        self.is_down = True
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/health"

    def stop(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.server.is_down:
            self.send_error(503)
            return
        clock = {
            "mission_time": self.server.clock.now().isoformat(),
            "factor": FACTOR,
            "frozen": False,
        }
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "ok", "clock": clock}).encode())

    def log_message(self, *_arguments):
        pass


class Simulator:
    """The process, started again and again on one folder."""

    def __init__(self, folder, clock_url):
        self._command = [
            *[sys.executable, "-m", "missioncontrol.simulator", "--mission", str(MISSION)],
            *["--listen", "127.0.0.1:0", "--state-dir", str(folder / "state")],
            *["--clock-url", clock_url],
        ]
        self._log = folder / "simulator.log"
        self.process = None

    def start(self):
        self._log.write_text("")
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, cwd=Path(__file__).resolve().parents[4]
            )

    async def port(self):
        async with asyncio.timeout(15):
            while "stations listen on" not in self.log:
                assert self.process.poll() is None, self.log
                await asyncio.sleep(0.05)
        line = next(line for line in self.log.splitlines() if "stations listen on" in line)
        return int(line.rpartition(":")[2])

    @property
    def log(self):
        return self._log.read_text()

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(timeout=10)


@pytest.fixture
def health():
    server = Health()
    yield server
    server.stop()


@pytest.fixture
def simulator(tmp_path, health):
    one = Simulator(tmp_path, health.url)
    one.start()
    yield one
    if one.process.poll() is None:
        one.end(signal.SIGKILL)


async def connected(simulator, health):
    ground = Ground(health.clock, await simulator.port())
    await ground.connect()
    await ground.begin()
    return ground


class TestProcess:
    async def test_waits_for_the_clock_and_stops_on_sigterm(self, simulator, health):
        async with asyncio.timeout(15):
            while "no mission time from" not in simulator.log:
                await asyncio.sleep(0.05)
        assert "stations listen" not in simulator.log
        health.is_down = False
        wire = await Wire.open(await simulator.port(), "return", antenna="TROLL-1")
        assert isinstance(await wire.receive(), Refused)
        await wire.close()
        assert simulator.end(signal.SIGTERM) == 0

    async def test_a_kill_loses_no_finished_file_and_no_queued_job(self, simulator, health):
        health.is_down = False
        content = bytes(range(256)) * 40
        ground = await connected(simulator, health)
        try:
            ground.send_file("job-3.in", content, 1)
            await ground.until(lambda: ("job-3.in", "NO_ERROR") in ground.finished)
            first = ground.run_job(3, content)
            await ground.until(lambda: (first, "START", True, 0) in ground.reports)
        finally:
            with contextlib.suppress(ConnectionError):
                simulator.end(signal.SIGKILL)
                await ground.disconnect()
        simulator.start()
        ground.port = await simulator.port()
        await ground.connect(epoch=2)
        try:
            await ground.begin()
            assert ground.clcws[-1].report_value == 1  # FARM-1 has not forgotten either
            await ground.until(lambda: "job-3.out" in ground.delivered)
            ping = ground.command(200, b"\x01")
            await ground.until(lambda: (ping, "COMPLETION", True, 0) in ground.reports)
        finally:
            await ground.disconnect()
        assert simulator.end(signal.SIGTERM) == 0

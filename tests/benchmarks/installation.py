"""A small installation for measurements: one spacecraft that sends bare packets to two inputs."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOAD = ROOT.parent / "shared" / "telemetry_load"
CRAFT = "ODC-1"
WARM_UP = 3000  # packets after which everything is compiled and open
MISSION = """
mission: {{name: load, title: Telemetry load}}
organisations: [{{slug: operator, name: Mission Operator, kind: operator}}]
stations: []
spacecraft:
  - name: {craft}
    ccsds_id: 1
    phase: NOMINAL
    operator: operator
    telemetry_dictionary: odc.xml
    link_profile:
      kind: space_packets
      packet_time: {{code: CUC, coarse_octets: 4, fine_octets: 2, epoch: 1970-01-01T00:00:00Z}}
      inputs:
        - {{name: flat-out, protocol: tcp, listen: "127.0.0.1:{tcp}", carries: space_packets}}
        - {{name: datagrams, protocol: udp, listen: "127.0.0.1:{udp}", carries: space_packets}}
"""


def load_folder() -> Path:
    """Return where the load is, beside the checkout or where TELEMETRY_LOAD says."""
    folder = Path(os.environ.get("TELEMETRY_LOAD", LOAD))
    if not (folder / "packets.py").exists():
        sys.exit(f"{folder} has no packets.py; name the folder of the load: TELEMETRY_LOAD=...")
    return folder


class Installation:
    """Processes of the product on a folder of their own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self.tcp, self.udp, self.web = (free_port() for _ in range(3))
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "REDIS_URL"},
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "VAR_DIR": str(self.folder / "var"),
            "STATIC_ROOT": str(self.folder / "static"),
            "LOG_LEVEL": os.environ.get("BENCH_LOG_LEVEL", "WARNING"),
        }
        self.processes: dict[str, subprocess.Popen] = {}
        (self.folder / "static").mkdir()
        (self.folder / "odc.xml").write_text((load_folder() / "odc.xml").read_text())
        mission = self.folder / "mission.yaml"
        mission.write_text(MISSION.format(craft=CRAFT, tcp=self.tcp, udp=self.udp))
        self.start("broker", sys.executable, "-m", "tests.benchmarks.installation", "broker")
        self.manage("migrate", "--verbosity", "0")
        self.manage("load_mission", str(mission))

    def manage(self, *arguments: str) -> str:
        """Run a command of the product; return what it printed."""
        ran = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return ran.stdout

    def start(self, name: str, *argv: str) -> subprocess.Popen:
        """Start a process; its output goes to a file."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                argv, env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )
        return self.processes[name]

    def start_receiver(self) -> None:
        manage = str(ROOT / "manage.py")
        self.start("receiver", sys.executable, manage, "run_telemetry_receiver")
        wait_until(lambda: _listens(self.tcp), "the receiver listens")

    def start_ingest(self) -> None:
        self.start("ingest", sys.executable, str(ROOT / "manage.py"), "run_telemetry_links")

    def start_web(self) -> str:
        """Start the web process; return its address."""
        self.start(
            "web",
            *[sys.executable, "-m", "uvicorn", "missioncontrol.asgi:application"],
            *["--port", str(self.web), "--no-access-log", "--lifespan", "off"],
        )
        wait_until(lambda: _listens(self.web), "the web process listens")
        return f"http://127.0.0.1:{self.web}"

    def token(self) -> str:
        """Return an API token that may see telemetry."""
        self.manage(
            *["create_operator", "bench", "--organisation", "operator"],
            *["--role", "operator", "--service-account"],
        )
        return self.manage("create_token", "bench").strip().splitlines()[-1]

    def kill(self, name: str) -> None:
        """End a process as a crash would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End everything; the broker last."""
        for name in reversed(list(self.processes)):
            process = self.processes.pop(name)
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()

    def usage(self, *names: str) -> tuple[float, float]:
        """Return (seconds of processor, peak megabytes) of some processes so far, together."""
        seconds = peak = 0.0
        for name in names:
            own_seconds, own_peak = usage_of(self.processes[name].pid)
            seconds += own_seconds
            peak += own_peak
        return seconds, peak

    @property
    def archive(self) -> Path:
        return self.folder / "var" / "archive" / CRAFT


def usage_of(pid: int) -> tuple[float, float]:
    """Return (seconds of processor, peak megabytes) of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return seconds, int(line.split()[1]) / 1024
    return seconds, 0.0


def wait_until(condition, what: str, *, within_s: float = 60.0, every_s: float = 0.02) -> None:
    """Wait for a condition; end the measurement where it does not come."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            sys.exit(f"waited {within_s:g} s in vain until {what}")
        time.sleep(every_s)


def get(address: str, token: str, **headers: str) -> bytes:
    """Ask the API."""
    request = urllib.request.Request(
        address, headers={"Authorization": f"Bearer {token}", **headers}
    )
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def installation(folder: Path, name: str) -> Iterator[Installation]:
    """Give an installation and stop it afterwards."""
    made = Installation(folder, name)
    try:
        yield made
    finally:
        made.stop()


def _run_broker() -> None:
    import django

    django.setup()
    from missioncontrol.supervision.processes import broker_process

    definition = broker_process()
    assert definition is not None
    os.execv(definition.argv[0], list(definition.argv))


if __name__ == "__main__":
    if sys.argv[1:] == ["broker"]:
        _run_broker()

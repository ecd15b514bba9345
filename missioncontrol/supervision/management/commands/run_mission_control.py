from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import time
import urllib.request
from argparse import ArgumentParser
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from missioncontrol.fleet import selectors as fleet_selectors
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION
from missioncontrol.scheduling import selectors as scheduling_selectors
from missioncontrol.supervision import processes
from missioncontrol.supervision.supervisor import Supervisor, wait_for_broker


class Command(BaseCommand):
    help = (
        "Run everything on this machine: broker, web, worker, beat, log sequencer, telemetry "
        "link, pass executor and simulator. Ctrl-C stops it; the next start goes on from there."
    )
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
        parser.add_argument("--port", type=int, default=8000, help="of the web; default: 8000")
        parser.add_argument(
            "--factor", type=float, help="mission seconds in a second; default: the mission's"
        )

    def handle(self, *, host: str, port: int, factor: float | None, **options: Any) -> None:
        for folder in (settings.VAR_DIR, settings.STATIC_ROOT):
            folder.mkdir(parents=True, exist_ok=True)
        lock = _take_folder(settings.VAR_DIR)
        _check_port_is_free("web", host, port, "make run PORT=8001")
        simulator_host, _, simulator_port = settings.SIMULATOR_ADDRESS.rpartition(":")
        _check_port_is_free(
            "simulator",
            simulator_host,
            int(simulator_port),
            "SIMULATOR_ADDRESS=127.0.0.1:18401 make run",
        )
        supervisor = Supervisor(log_folder=settings.VAR_DIR / "logs")
        # SIGINT too: a shell starts background jobs with Ctrl-C ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _as_keyboard_interrupt)
        try:
            self._run(supervisor, host=host, port=port, factor=factor)
        except KeyboardInterrupt:
            self.stdout.write("\nStopping ...")
        finally:
            # A second Ctrl-C must not leave half of the processes behind.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            supervisor.stop()
            self._stop_clock()
            lock.close()
        self.stdout.write("Stopped. Nothing is lost; start again to go on from here.")

    def _stop_clock(self) -> None:
        connection.close()  # it may have broken since
        try:
            clock.freeze()
        except DatabaseError as error:
            self.stderr.write(
                f"The database is away ({error}); a rehearsal goes on from where it was seen last."
            )

    def _run(self, supervisor: Supervisor, *, host: str, port: int, factor: float | None) -> None:
        self.stdout.write("Starting mission control ...")
        broker = processes.broker_process()
        if broker is not None:
            supervisor.start([broker])
        wait_for_broker(within_s=10)
        call_command("migrate", verbosity=0, interactive=False)
        clock.resume()
        people = _seed()
        _set_clock(factor, first_start=_passwords(people) != {})
        supervisor.start(
            processes.product_processes(
                host=host, port=port, mission_file=fleet_selectors.demo_mission_file()
            )
        )
        # A wildcard is where it listens; the check below goes to this machine.
        reached = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  # nosec B104
        _wait_for_web(supervisor, f"http://{reached}:{port}/")
        # A browser takes passkeys for a name only, and keeps cookies apart by it.
        shown = "localhost" if reached == "127.0.0.1" else reached
        self.stdout.write(_screen(f"http://{shown}:{port}/", people))
        self.stdout.flush()
        connection.close()
        while True:
            supervisor.watch()


def _as_keyboard_interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _take_folder(folder: Path) -> IO[str]:
    """Hold the lock of this installation's data for as long as the file stays open."""
    lock = (folder / "supervisor.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise CommandError(
            f"Mission control is running on {folder} already ({lock.read().strip()}). Stop it, "
            "or run a second one beside it on a folder and ports of its own: "
            "VAR_DIR=var2 SIMULATOR_ADDRESS=127.0.0.1:18401 make run PORT=8001"
        ) from None
    lock.truncate(0)
    lock.write(f"process {os.getpid()}")
    lock.flush()
    return lock


def _check_port_is_free(what: str, host: str, port: int, example: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host}, wanted for the {what}, cannot be had "
                f"({error.strerror}). Choose another: {example}"
            ) from error


def _seed() -> dict[str, Any]:
    answer = StringIO()
    call_command("seed_demo", json=True, stdout=answer)
    values: dict[str, Any] = json.loads(answer.getvalue().strip().splitlines()[-1])
    return values


def _passwords(seeded: dict[str, Any]) -> dict[str, str]:
    """Return the passwords made in this start, by account."""
    return {row["username"]: row["password"] for row in seeded["operators"] if row["password"]}


def _set_clock(factor: float | None, *, first_start: bool) -> None:
    """Let the mission begin where its file says, however long the first start took."""
    mission = fleet_selectors.mission_in_force()
    if first_start and mission is not None and mission.clock_start is not None:
        clock.set_clock(
            mission_time=mission.clock_start, factor=factor or mission.clock_factor or 1.0
        )
    elif factor is not None:
        clock.set_clock(mission_time=clock.now(), factor=factor)


def _wait_for_web(supervisor: Supervisor, address: str) -> None:
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        supervisor.watch()
        try:
            with urllib.request.urlopen(address + "health", timeout=2):  # noqa: S310  # nosec B310
                return
        except OSError:
            continue
    raise CommandError(
        f"The web did not answer at {address} within 60 s; see {settings.VAR_DIR}/logs/web.log."
    )


def _screen(address: str, people: dict[str, Any]) -> str:
    lines = ["", f"  Mission control is at {address}", ""]
    made = _passwords(people)
    for account in people["operators"]:
        name = account["username"]
        secret = made.get(name) or (
            f"the password shown at the first start (a new one: manage.py changepassword {name})"
        )
        lines.append(f"  Sign in as {name:<10} with {secret}")
    if made:
        lines.append("  These passwords are shown now and stored nowhere in clear: note them.")
    lines += ["", f"  {what_happens_next(clock.now())}", "", "  Ctrl-C stops everything.", ""]
    return "\n".join(lines)


def what_happens_next(at: datetime) -> str:
    """Say in one sentence when the next pass begins, in real minutes and seconds."""
    contact = scheduling_selectors.next_contact(at)
    factor = clock.factor()
    if contact is None:
        return f"No pass is booked yet; contact windows are being computed (clock at {factor:g}x)."
    wait_s = max(0, round(clock.wall_seconds((contact.aos - at).total_seconds())))
    return (
        f"{contact.spacecraft.name} rises over {contact.antenna.station.name} "
        f"in {wait_s // 60}:{wait_s % 60:02} at {factor:g}x"
        f" (mission time {contact.aos:%Y-%m-%d %H:%M:%SZ})."
    )

"""The whole product, started as a user starts it, for tests that tell a story."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import redis

ROOT = Path(__file__).resolve().parents[2]


class JourneyError(AssertionError):
    """The story did not go on as it should."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Product:
    """One installation in a folder of its own, under its own supervisor."""

    def __init__(
        self, folder: Path, *, factor: float, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.factor = factor
        self.port = free_port()
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "VAR_DIR": str(folder),
            "SIMULATOR_ADDRESS": f"127.0.0.1:{free_port()}",
            **(environment or {}),
        }
        for name in ("REDIS_URL", "DATABASE_URL", "SECRET_KEY"):
            if not (environment or {}).get(name):
                self.environment.pop(name, None)
        self.output = folder / "screen.txt"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, within_s: float = 90) -> None:
        """Start it and wait until the web answers and the screen is printed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ["run_mission_control", "--port", str(self.port), "--factor", f"{self.factor}"]
        with self.output.open("ab") as screen:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", *command],
                cwd=ROOT,
                env=self.environment,
                stdout=screen,
                stderr=subprocess.STDOUT,
            )
        self.wait(lambda: "Ctrl-C stops" in self.screen(), within_s=within_s, what="the screen")

    def screen(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def stop(self) -> float:
        """Press Ctrl-C; return the seconds it took to stop."""
        begun = time.monotonic()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=20)
        self._process = None
        return time.monotonic() - begun

    def wait(self, condition: Callable[[], Any], *, within_s: float, what: str) -> Any:
        """Ask until *condition* holds; fail with the logs' ends when it does not."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise JourneyError(f"the product ended while waiting for {what}\n{self.tails()}")
            with contextlib.suppress(httpx.TransportError):
                value = condition()
                if value:
                    return value
            time.sleep(0.2)
        raise JourneyError(f"no {what} within {within_s:g} s\n{self.tails()}")

    def tails(self) -> str:
        parts = [f"--- screen\n{self.screen()[-2000:]}"]
        for log in sorted((self.folder / "logs").glob("*.log")):
            parts.append(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}")
        return "\n".join(parts)

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the running product and return what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise JourneyError(f"manage.py {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def client(self, token: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"{self.address}/api/v1", headers=headers, timeout=20)

    def token(self, username: str = "demo-pipeline") -> str:
        return self.manage("create_token", username, "--name", "journey").strip()

    def redis_url(self) -> str:
        code = "from django.conf import settings; print(settings.REDIS_URL)"
        return self.manage("shell", "--no-imports", "-c", code).strip()

    def pid_of(self, process: str) -> int:
        """Return the process id that the supervisor told of one of its children."""
        with contextlib.closing(redis.Redis.from_url(self.redis_url())) as broker:
            return int(json.loads(broker.hget("supervisor", process))["pid"])

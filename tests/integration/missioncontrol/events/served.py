"""The product as it is served: a web process on a port, and somebody who acts inside."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.integration.missioncontrol.audit.installation import ROOT, installation

_INSIDE = Path(__file__).with_name("inside.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """An installation, its web process, and calls that are made inside of it."""

    def __init__(self, installed):
        self.installed = installed
        self.port = free_port()
        self._web = None
        self._errors = (installed.folder / "processes.log").open("wb")
        self._inside = self._start([_INSIDE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._inside.stdout.readline() == b"ready\n", self.said()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def _start(self, arguments, **options):
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            env=self.installed.environment,
            cwd=ROOT,
            stderr=self._errors,
            **options,
        )

    def start(self):
        """Serve; return when it answers."""
        self._web = self._start(
            [
                *["-m", "uvicorn", "missioncontrol.asgi:application", "--port", self.port],
                *["--no-access-log", "--lifespan", "off", "--timeout-graceful-shutdown", "1"],
            ],
            stdout=self._errors,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                return httpx.get(f"{self.address}/health")
            except httpx.TransportError:
                assert time.monotonic() < deadline, self.said()
                time.sleep(0.05)

    def kill(self):
        """End the web process as the system would that has no memory left."""
        self._web.kill()
        self._web.wait()

    def run(self, *arguments):
        """Start a process of the product beside the web process."""
        return self._start(arguments, stdout=self._errors)

    def do(self, call, **arguments):
        """Make one call of ``inside``; return what it returned."""
        self._inside.stdin.write(json.dumps([call, arguments]).encode() + b"\n")
        self._inside.stdin.flush()
        answer = self._inside.stdout.readline()
        assert answer, self.said()
        return json.loads(answer)

    def said(self):
        """Return what the processes wrote into their journals."""
        return (self.installed.folder / "processes.log").read_text()

    def stop(self):
        self._inside.stdin.close()
        self._inside.wait(timeout=10)
        self._inside.stdout.close()
        if self._web is not None:
            self._web.terminate()
            self._web.wait(timeout=10)
        self._errors.close()


@contextmanager
def served(folder, migrated, *, web=True, **environment):
    """Serve a new installation, on the kind of database that these tests run with."""
    with installation(folder, migrated) as installed:
        installed.environment.update(environment)
        (folder / "static").mkdir(exist_ok=True)
        product = Served(installed)
        try:
            if web:
                product.start()
            yield product
        finally:
            product.stop()


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}

"""Witness processes for tests, and a client of theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from missioncontrol.audit.merkle.cosignature import verify_cosignatures
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.note import parse_signature_line

ROOT = Path(__file__).resolve().parents[4]
MC = ("-m", "missioncontrol.client")


class WitnessProcess:
    """One witness's folder; started and killed as often as a test wants."""

    def __init__(self, folder, *, logs):
        self.folder = folder
        self.logs = logs
        self.places = ["--state", str(folder / "ledger"), "--key", str(folder / "key")]
        done = subprocess.run(
            [
                sys.executable,
                *MC,
                "witness",
                "init",
                "--name",
                f"{folder.name}.example/w",
                *self.places,
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        self.key = VerifierKey.from_vkey(done.stdout.strip())

    @contextmanager
    def running(self, program=MC, *, further=()):
        """Start it; yield the process, which has ``port``; kill it if it still runs."""
        logs = [word for vkey in self.logs for word in ("--log", vkey)]
        process = subprocess.Popen(
            [
                sys.executable,
                *program,
                "witness",
                "run",
                *self.places,
                *logs,
                *map(str, further),
                "--listen",
                "127.0.0.1:0",
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                lines = [process.stdout.readline() for _ in range(2 + len(set(self.logs)))]
                assert lines[-1].startswith("listening on http://"), process.stderr.read()
                assert lines[0].strip() == self.key.to_vkey()
                process.port = int(lines[-1].strip().rstrip("/").rpartition(":")[2])
                yield process
            finally:
                process.kill()
                process.communicate()

    def cosignatures(self, body, signed):
        """Return the verified cosignatures in the body of an answer."""
        lines = [parse_signature_line(line) for line in body.decode().splitlines()]
        return verify_cosignatures(signed.note.with_signatures(lines), witnesses=[self.key])


def post(port, body, *, path="/add-checkpoint", headers=None):
    """Return (status, content type, body) of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        connection.close()

"""Jobs on board: one after another on accelerator 0, really computed.

The octets are computed at once by a worker; the mission sees the job run for
as long as such a job would take in orbit.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from missioncontrol.simulator.programs import ProgramError, run_program
from missioncontrol.simulator.telecommands import FailureCode

MAX_QUEUED: Final = 64
_SHORTEST_S: Final = 20.0
_LONGER_BY_SIZE_S: Final = 25.0
_LONGER_BY_CHANCE_S: Final = 15.0
_LARGE_INPUT_OCTETS: Final = 400_000


class ReadFile(Protocol):
    """Gives a file's octets; None when it is not on board."""

    def __call__(self, name: str, /) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What RUN_JOB asked for."""

    number: int
    program: str
    input_sha256: str
    request_id: int


@dataclass(slots=True, kw_only=True)
class _Running:
    job: Job
    started: datetime
    runs_s: float
    left_s: float
    output: Future[bytes]


@dataclass(frozen=True, slots=True)
class JobStarted:
    job: Job


@dataclass(frozen=True, slots=True)
class JobNotStarted:
    job: Job
    code: FailureCode


@dataclass(frozen=True, slots=True)
class JobCompleted:
    job: Job
    result: bytes  # the result file


@dataclass(frozen=True, slots=True)
class JobFailed:
    job: Job
    code: FailureCode


JobEvent = JobStarted | JobNotStarted | JobCompleted | JobFailed


class JobQueue:
    """First come, first served; survives a restart, a running job begins anew."""

    def __init__(self, *, read_file: ReadFile, rng: random.Random) -> None:
        self._read_file = read_file
        self._rng = rng
        self._waiting: deque[Job] = deque()
        self._running: _Running | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="payload")
        self.done = 41
        self.failed = 1

    @property
    def running_number(self) -> int:
        """The job that runs; 0 when none does."""
        return 0 if self._running is None else self._running.job.number

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def refusal(self, number: int) -> FailureCode | None:
        """Return why a job cannot be taken now; None when it can."""
        if number == self.running_number or any(job.number == number for job in self._waiting):
            return FailureCode.JOB_ALREADY_QUEUED
        return FailureCode.QUEUE_FULL if len(self._waiting) >= MAX_QUEUED else None

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._waiting.append(job)

    def step(self, dt_s: float, *, at: datetime, is_on: bool, is_ready: bool) -> list[JobEvent]:
        """Move on by *dt_s* seconds of mission time up to *at*.

        Args:
            dt_s: Mission seconds since the last step.
            at: Now.
            is_on: Whether the accelerator has power; without it jobs fail.
            is_ready: Whether it can work; a job waits while it starts up.
        """
        if self._running is None:
            return self._begin(at, is_ready=is_ready or not is_on)
        running = self._running
        if not is_on:
            self._running = None
            return [self._fail(running.job, FailureCode.ACCELERATOR_OFF)]
        running.left_s -= dt_s
        if running.left_s > 0.0 or not running.output.done():
            return []
        self._running = None
        return [self._finish(running, at)]

    def _begin(self, at: datetime, *, is_ready: bool) -> list[JobEvent]:
        if not self._waiting or not is_ready:
            return []
        job = self._waiting.popleft()
        octets = self._read_file(f"job-{job.number}.in")
        if octets is None:
            self.failed += 1
            return [JobNotStarted(job, FailureCode.FILE_NOT_ON_BOARD)]
        if hashlib.sha256(octets).hexdigest() != job.input_sha256:
            self.failed += 1
            return [JobNotStarted(job, FailureCode.DIGEST_DIFFERS)]
        share = min(1.0, len(octets) / _LARGE_INPUT_OCTETS)
        runs_s = _SHORTEST_S + _LONGER_BY_SIZE_S * share
        runs_s += self._rng.uniform(0.0, _LONGER_BY_CHANCE_S)
        self._running = _Running(
            job=job,
            started=at,
            runs_s=runs_s,
            left_s=runs_s,
            output=self._worker.submit(run_program, job.program, octets),
        )
        return [JobStarted(job)]

    def _finish(self, running: _Running, at: datetime) -> JobEvent:
        try:
            output = running.output.result()
        except (ProgramError, MemoryError):
            return self._fail(running.job, FailureCode.PROGRAM_FAILED)
        self.done += 1
        return JobCompleted(
            running.job,
            result_file(running.job, output, started=running.started, finished=at),
        )

    def _fail(self, job: Job, code: FailureCode) -> JobFailed:
        self.failed += 1
        return JobFailed(job, code)

    def close(self) -> None:
        """End the worker; what it computes is thrown away."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def snapshot(self) -> dict[str, Any]:
        running = [] if self._running is None else [self._running.job]
        return {
            "jobs": [asdict(job) for job in (*running, *self._waiting)],
            "done": self.done,
            "failed": self.failed,
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Continue from a snapshot; the job that ran begins anew."""
        self._waiting = deque(Job(**job) for job in snapshot["jobs"])
        self.done = snapshot["done"]
        self.failed = snapshot["failed"]


def result_file(job: Job, output: bytes, *, started: datetime, finished: datetime) -> bytes:
    """Return the result file: a line of canonical JSON about the job, then the output."""
    line = {
        "job": job.number,
        "program": job.program,
        "input_sha256": job.input_sha256,
        "output_sha256": hashlib.sha256(output).hexdigest(),
        "output_octets": len(output),
        "started": _iso(started),
        "finished": _iso(finished),
    }
    # Sorted keys and no spaces are canonical for strings and whole numbers (RFC 8785).
    return json.dumps(line, sort_keys=True, separators=(",", ":")).encode() + b"\n" + output


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""The flight software: executes telecommands and reports how that went.

Stages as in ECSS-E-ST-70-41C, service 1: acceptance, start, completion.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from missioncontrol.fleet.telecommands import TelecommandDefinition
from missioncontrol.simulator.file_service import FileService
from missioncontrol.simulator.job_queue import (
    Job,
    JobCompleted,
    JobEvent,
    JobFailed,
    JobNotStarted,
    JobQueue,
    JobStarted,
)
from missioncontrol.simulator.models.compute import UNITS, Compute
from missioncontrol.simulator.telecommands import (
    FailureCode,
    ReceivedTelecommand,
    TelecommandReader,
    TelecommandRejectedError,
    request_id_of,
)

ACCEPTANCE: Final = "ACCEPTANCE"
START: Final = "START"
COMPLETION: Final = "COMPLETION"
_SUCCESS: Final = 0
# What each telecommand that is simulated must carry.
_ARGUMENTS: Final[dict[str, set[str]]] = {
    "PING": set(),
    "SET_TM_RATE": {"PERIOD_S"},
    "PAYLOAD_POWER": {"UNIT", "STATE"},
    "RUN_JOB": {"JOB", "PROGRAM", "INPUT_SHA256"},
}

logger = logging.getLogger(__name__)


class Report(Protocol):
    """Sends a verification report; code 0 is success."""

    def __call__(self, request_id: int, stage: str, code: int, at: datetime) -> None: ...


class OnBoardSoftware:
    """What telecommands change: housekeeping period, payload power, the job queue."""

    def __init__(
        self,
        *,
        definitions: list[TelecommandDefinition],
        compute: Compute,
        jobs: JobQueue,
        files: FileService,
        report: Report,
    ) -> None:
        _check_definitions(definitions)
        self._reader = TelecommandReader(definitions)
        self._compute = compute
        self._jobs = jobs
        self._files = files
        self._report = report
        self._actions: Final[dict[str, Callable[[ReceivedTelecommand, datetime], None]]] = {
            "PING": self._ping,
            "SET_TM_RATE": self._set_tm_rate,
            "PAYLOAD_POWER": self._payload_power,
            "RUN_JOB": self._run_job,
        }
        self.period_s = 1
        self.accepted = 0
        self.rejected = 0
        self.last_request = 0
        self.is_dirty = False  # something happened that a restart must know of

    def execute(self, packet: bytes, at: datetime) -> None:
        """Check a telecommand packet and carry it out."""
        self.last_request = request_id_of(packet)
        self.is_dirty = True
        try:
            telecommand = self._reader.read(packet)
            action = self._actions.get(telecommand.name)
            if action is None:
                raise TelecommandRejectedError(
                    FailureCode.UNKNOWN_FUNCTION, f"{telecommand.name} is not simulated"
                )
            self._check_job(telecommand)
        except TelecommandRejectedError as error:
            self.rejected += 1
            logger.warning("telecommand %08x rejected: %s", self.last_request, error)
            self._report(self.last_request, ACCEPTANCE, error.code, at)
            return
        self.accepted += 1
        logger.info("telecommand %08x %s accepted", telecommand.request_id, telecommand.name)
        self._report(telecommand.request_id, ACCEPTANCE, _SUCCESS, at)
        action(telecommand, at)

    def _check_job(self, telecommand: ReceivedTelecommand) -> None:
        if telecommand.name != "RUN_JOB":
            return
        number = _integer(telecommand, "JOB")
        refusal = self._jobs.refusal(number)
        if refusal is not None:
            raise TelecommandRejectedError(refusal, f"job {number}: {refusal.name}")

    def _ping(self, telecommand: ReceivedTelecommand, at: datetime) -> None:
        self._done_at_once(telecommand, at)

    def _set_tm_rate(self, telecommand: ReceivedTelecommand, at: datetime) -> None:
        self.period_s = _integer(telecommand, "PERIOD_S")
        self._done_at_once(telecommand, at)

    def _payload_power(self, telecommand: ReceivedTelecommand, at: datetime) -> None:
        unit = UNITS.index(str(telecommand.arguments["UNIT"]))
        self._compute.switch(unit, on=telecommand.arguments["STATE"] == "ON")
        self._done_at_once(telecommand, at)

    def _run_job(self, telecommand: ReceivedTelecommand, at: datetime) -> None:
        digest = telecommand.arguments["INPUT_SHA256"]
        assert isinstance(digest, bytes)
        self._jobs.submit(
            Job(
                number=_integer(telecommand, "JOB"),
                program=str(telecommand.arguments["PROGRAM"]),
                input_sha256=digest.hex(),
                request_id=telecommand.request_id,
            )
        )

    def _done_at_once(self, telecommand: ReceivedTelecommand, at: datetime) -> None:
        self._report(telecommand.request_id, START, _SUCCESS, at)
        self._report(telecommand.request_id, COMPLETION, _SUCCESS, at)

    def step(self, dt_s: float, at: datetime) -> None:
        """Move the job queue on by *dt_s* seconds of mission time."""
        unit = self._compute.units[0]
        for event in self._jobs.step(dt_s, at=at, is_on=unit.is_on, is_ready=unit.is_ready):
            self._tell(event, at)
            self.is_dirty = True

    def shed(self, *, everything: bool) -> None:
        """Switch accelerators off because the battery is low."""
        self._compute.switch(1, on=False)
        if everything:
            self._compute.switch(0, on=False)

    def _tell(self, event: JobEvent, at: datetime) -> None:
        request_id = event.job.request_id
        logger.info("%s: job %s", type(event).__name__, event.job.number)
        match event:
            case JobStarted():
                self._report(request_id, START, _SUCCESS, at)
            case JobNotStarted(code=code):
                self._report(request_id, START, code, at)
            case JobFailed(code=code):
                self._report(request_id, COMPLETION, code, at)
            case JobCompleted(job=job, result=result):
                self._files.send_file(f"job-{job.number}.out", result, at)
                self._report(request_id, COMPLETION, _SUCCESS, at)

    def snapshot(self) -> dict[str, Any]:
        return {
            "period_s": self.period_s,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "last_request": self.last_request,
            "jobs": self._jobs.snapshot(),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Continue from a snapshot."""
        self.period_s = snapshot["period_s"]
        self.accepted = snapshot["accepted"]
        self.rejected = snapshot["rejected"]
        self.last_request = snapshot["last_request"]
        self._jobs.restore(snapshot["jobs"])


def _check_definitions(definitions: list[TelecommandDefinition]) -> None:
    """Refuse a mission whose telecommands carry other arguments than this software takes."""
    for definition in definitions:
        names = {argument.name for argument in definition.arguments}
        needed = _ARGUMENTS.get(definition.name, names)
        if names != needed:
            raise ValueError(
                f"The mission file's {definition.name} has the arguments {sorted(names)}; the "
                f"simulator's takes {sorted(needed)}. Change one of them."
            )


def _integer(telecommand: ReceivedTelecommand, name: str) -> int:
    value = telecommand.arguments[name]
    assert isinstance(value, int)
    return value

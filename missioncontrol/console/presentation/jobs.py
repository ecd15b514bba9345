from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missioncontrol.console.presentation.contacts import TransferRow, percent_of
from missioncontrol.console.presentation.steps import Milestone, Step, way
from uplink.jobs.models import Job
from uplink.jobs.programs import MAX_INPUT_OCTETS, Program
from uplink.transfers.models import Transfer

_STATE: Final = Job.State
_PREVIEW_OCTETS: Final = 2048
_HEX_OCTETS: Final = 256
# Where a state lies on the way; within a transfer its own progress is added.
_PERCENT: Final = {
    _STATE.SUBMITTED: (0, 0),
    _STATE.UPLINKING: (5, 35),
    _STATE.COMMANDED: (45, 0),
    _STATE.RUNNING: (55, 0),
    _STATE.DOWNLINKING: (65, 30),
    _STATE.COMPLETED: (100, 0),
    _STATE.FAILED: (0, 0),
    _STATE.CANCELLED: (0, 0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as the lists show it."""

    pk: int
    name: str
    program: str
    organisation: str
    state: str
    status: str
    percent: int
    detail: str
    submitted_at: datetime
    input_octets: int
    result_octets: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPanel:
    """A job from its submission to its verified result."""

    pk: int
    name: str
    program: str
    organisation: str
    submitted_by: str
    spacecraft: str
    state: str
    status: str
    submitted_at: datetime
    completed_at: datetime | None
    steps: list[Step]
    percent: int
    detail: str
    failure: str
    telecommand: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRow:
    """A digest of what went up or came down."""

    label: str
    digest: str
    octets: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPanel:
    """The result of a job and its beginning as text."""

    octets: int
    sha256: str
    content_type: str
    preview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramChoice:
    """A program on board, for the form."""

    name: str
    description: str
    largest_input_octets: int


def job_row(job: Job) -> JobRow:
    """Return one job for a list."""
    return JobRow(
        pk=job.number,
        name=f"Job {job.number}",
        program=job.program,
        organisation=job.organisation.name,
        state=job.state,
        status=status(job),
        percent=percent(job),
        detail=detail(job),
        submitted_at=job.submitted_at,
        input_octets=job.input_octets,
        result_octets=job.output_octets,
    )


def job_panel(job: Job) -> JobPanel:
    """Return one job with its steps."""
    person = job.submitted_by
    return JobPanel(
        pk=job.number,
        name=f"Job {job.number}",
        program=job.program,
        organisation=job.organisation.name,
        submitted_by=person.display_name or person.username,
        spacecraft=job.spacecraft.name,
        state=job.state,
        status=status(job),
        submitted_at=job.submitted_at,
        completed_at=job.completed_at,
        steps=job_steps(job),
        percent=percent(job),
        detail=detail(job),
        failure=job.failure,
        telecommand=job.telecommand_id,
    )


def job_steps(job: Job) -> list[Step]:
    """Return how far a job has come."""
    milestones = [
        Milestone("submitted", job.submitted_at),
        Milestone("on board", job.uplinked_at),
        Milestone("started", job.started_at),
        Milestone("finished", job.finished_at),
        Milestone("verified", job.completed_at if job.state == _STATE.COMPLETED else None),
    ]
    ended = job.state in {_STATE.FAILED, _STATE.CANCELLED}
    return way(
        milestones,
        ended_badly_at=job.completed_at if ended else None,
        over=ended or job.state == _STATE.COMPLETED,
    )


def percent(job: Job) -> int:
    """Return about how far a job is, 0 to 100."""
    begin, length = _PERCENT[_STATE(job.state)]
    transfer = job.uplink if job.state == _STATE.UPLINKING else job.downlink
    if not length or transfer is None:
        return begin
    return begin + length * percent_of(transfer.progress_octets, transfer.size_octets) // 100


def detail(job: Job) -> str:
    """Say in a few words what a job waits for."""
    return job.failure or _STATE(job.state).label


def status(job: Job) -> str:
    """Return what a job's state is drawn as: unlike a telecommand, it waits for no person."""
    return "standby" if job.state == _STATE.SUBMITTED else job.state


def transfer_rows(job: Job) -> list[TransferRow]:
    """Return the job's two files, as far as they are known."""
    return [_transfer(each) for each in (job.uplink, job.downlink) if each is not None]


def _transfer(transfer: Transfer) -> TransferRow:
    return TransferRow(
        pk=transfer.pk,
        name=transfer.file_name,
        direction=transfer.direction.lower(),
        octets=transfer.progress_octets,
        total_octets=transfer.size_octets,
        percent=percent_of(transfer.progress_octets, transfer.size_octets),
        state=transfer.state,
    )


def digest_rows(job: Job) -> list[DigestRow]:
    """Return the digests of the input and, when it is there, of the result."""
    rows = [DigestRow(label="Input", digest=job.input_sha256, octets=job.input_octets)]
    if job.output_sha256:
        rows.append(DigestRow(label="Result", digest=job.output_sha256, octets=job.output_octets))
    return rows


def result_panel(job: Job, output: bytes) -> ResultPanel:
    """Return the result of *job* with a preview: JSON as JSON, other octets in hexadecimal."""
    is_json = job.program == Program.IMAGE_STATISTICS
    return ResultPanel(
        octets=len(output),
        sha256=job.output_sha256,
        content_type="application/json" if is_json else "application/octet-stream",
        preview=_json(output) if is_json else _hexadecimal(output),
    )


def _json(output: bytes) -> str:
    try:
        content = json.loads(output)
    except ValueError:
        return _hexadecimal(output)
    if not isinstance(content, dict):
        return json.dumps(content)[:_PREVIEW_OCTETS]
    lines = [f"{name}: {json.dumps(value)}" for name, value in content.items()]
    return "\n".join(lines)[:_PREVIEW_OCTETS]


def _hexadecimal(output: bytes) -> str:
    shown = output[:_HEX_OCTETS]
    lines = [
        f"{place:06x}  {shown[place : place + 16].hex(' ', -2)}"
        for place in range(0, len(shown), 16)
    ]
    more = len(output) - len(shown)
    return "\n".join([*lines, f"… and {more} octets more"] if more else lines)


def program_choices() -> list[ProgramChoice]:
    """Return the programs that can be asked for."""
    return [
        ProgramChoice(
            name=program.value,
            description=program.description,
            largest_input_octets=MAX_INPUT_OCTETS,
        )
        for program in Program
    ]

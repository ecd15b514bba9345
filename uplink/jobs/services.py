from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.services import Actor, append_entry
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.kernel.live import publish_after_commit
from uplink.commanding.definitions import UnknownTelecommandError, get_definition
from uplink.commanding.models import Telecommand
from uplink.commanding.services import TelecommandRefusedError, submit_by_policy
from uplink.jobs.models import Job
from uplink.jobs.programs import Program, ProgramInputError, check_input
from uplink.jobs.results import ResultError, read_result_file
from uplink.jobs.selectors import OPEN_STATES
from uplink.transfers import selectors as transfers
from uplink.transfers import services as transfer_services
from uplink.transfers import storage
from uplink.transfers.models import Transfer

# A result may come some passes after the last report; then somebody must look.
PATIENCE: Final = timedelta(hours=24)
_ACTOR: Final = "process:job-pipeline"
_RUN_JOB: Final = "RUN_JOB"
_POLICY: Final = "job-pipeline"
_KEY_LENGTH: Final = 80
_STATE = Job.State
_CANCELLABLE: Final = (_STATE.SUBMITTED,)
_FAILURE_LENGTH: Final = 1000  # characters; an entry of the log has a limit too

logger = logging.getLogger(__name__)


class JobRefusedError(RefusedError):
    """The job cannot be taken or changed like this."""


@transaction.atomic
def submit_job(
    *,
    spacecraft: Spacecraft,
    organisation: Organisation,
    submitted_by: Operator,
    program: str,
    input_octets: bytes,
    at: datetime,
    idempotency_key: str = "",
) -> Job:
    """Take a job; its input goes up at the next contact.

    Args:
        spacecraft: Where it is to run.
        organisation: Whose job it is.
        submitted_by: Who submits it for them.
        program: Name of a program on board.
        input_octets: Its input, in the form that the program takes.
        at: Moment, UTC.
        idempotency_key: A job with the same key and content is returned
            instead of taken twice.

    Raises:
        NotPermittedError: *submitted_by* may not submit for *organisation*.
        JobRefusedError: unknown program, wrong input, a spacecraft that runs no
            jobs, or a key that another content has used.
    """
    require(submitted_by, Action.JOB_SUBMIT, organisation)
    _check_runs_jobs(spacecraft)
    known = _checked(program, input_octets, idempotency_key)
    digest = hashlib.sha256(input_octets).hexdigest()
    earlier = _earlier(organisation, idempotency_key)
    if earlier is not None:
        same = (spacecraft.pk, known, digest)
        if (earlier.spacecraft_id, earlier.program, earlier.input_sha256) == same:
            return earlier
        raise JobRefusedError(
            f"The idempotency key {idempotency_key!r} belongs to job {earlier.number}, which has "
            "another spacecraft, program or input. Use a new key for a new job."
        )
    job = Job.objects.create(
        spacecraft=spacecraft,
        organisation=organisation,
        submitted_by=submitted_by,
        program=known.value,
        idempotency_key=idempotency_key,
        input_sha256=digest,
        input_octets=len(input_octets),
        submitted_at=at,
    )
    job.uplink = transfer_services.start_uplink(
        spacecraft=spacecraft,
        file_name=input_file_name(job.number),
        content=input_octets,
        actor=_ACTOR,
        at=at,
        organisation=organisation,
    )
    job.save(update_fields=["uplink"])
    _log("job.submit", job, actor=submitted_by, at=at)
    return job


def _check_runs_jobs(spacecraft: Spacecraft) -> None:
    if not spacecraft.active:
        raise JobRefusedError(f"{spacecraft} is retired and takes no more jobs.")
    try:
        get_definition(spacecraft.telecommands, _RUN_JOB)
    except UnknownTelecommandError as error:
        raise JobRefusedError(f"{spacecraft} runs no jobs. {error}") from error


def _checked(program: str, input_octets: bytes, idempotency_key: str) -> Program:
    try:
        known = Program(program)
    except ValueError:
        names = ", ".join(Program)
        raise JobRefusedError(f"No program {program!r} on board. There are: {names}.") from None
    try:
        check_input(known, input_octets)
    except ProgramInputError as error:
        raise JobRefusedError(str(error)) from error
    if len(idempotency_key) > _KEY_LENGTH:
        raise JobRefusedError(
            f"The idempotency key has {len(idempotency_key)} characters; "
            f"the limit is {_KEY_LENGTH}."
        )
    return known


def _earlier(organisation: Organisation, idempotency_key: str) -> Job | None:
    # The lock makes two submissions with one key take turns.
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    if not idempotency_key:
        return None
    return Job.objects.filter(organisation=organisation, idempotency_key=idempotency_key).first()


@transaction.atomic
def cancel_job(*, number: int, actor: Operator, at: datetime) -> Job:
    """Give up a job whose input has not begun to go up.

    Raises:
        Job.DoesNotExist: no such job.
        NotPermittedError: *actor* has no role for its organisation that may.
        JobRefusedError: it is on its way or over.
    """
    job = _locked(number)
    require(actor, Action.JOB_CANCEL, job.organisation)
    # Locked before it is looked at: the contact may be taking it in this moment.
    assert job.uplink_id is not None
    uplink = Transfer.objects.select_for_update().get(pk=job.uplink_id)
    if job.state not in _CANCELLABLE or uplink.state != Transfer.State.WAITING:
        raise JobRefusedError(
            f"Job {number} is {job.state}: {job.get_state_display()}. "
            "Only a job that waits for its first contact can be cancelled."
        )
    transfer_services.end(
        uplink, Transfer.State.CANCELLED, condition=f"by {actor}", actor=actor, at=at
    )
    _move(job, _STATE.CANCELLED, at, actor=actor, action="job.cancel", completed_at=at)
    return job


def advance_jobs(*, spacecraft: Spacecraft, at: datetime) -> int:
    """Bring every open job of a spacecraft to where its transfers and reports are.

    Safe to call at any time and from anywhere: each step looks at rows only
    and happens once. A job whose step breaks is reported and tried again; it
    does not stop the others.

    Returns:
        How many steps were taken.
    """
    numbers = Job.objects.filter(spacecraft=spacecraft, state__in=OPEN_STATES).values_list(
        "number", flat=True
    )
    return sum(_advance_alone(number, at) for number in list(numbers))


def _advance_alone(number: int, at: datetime) -> int:
    try:
        return _advance(number, at)
    except Exception:
        logger.exception("job %d is left where it is", number)
        return 0


@transaction.atomic
def _advance(number: int, at: datetime) -> int:
    job = _locked(number)
    if job.state not in OPEN_STATES:
        return 0
    result = _arrived_result(job)
    if result is not None:
        _accept_result(job, result, at)
        return 1
    if job.state in {_STATE.SUBMITTED, _STATE.UPLINKING}:
        return _follow_uplink(job, at)
    return _follow_telecommand(job, at)


def _follow_uplink(job: Job, at: datetime) -> int:
    assert job.uplink is not None
    state = job.uplink.state
    if state == Transfer.State.COMPLETED:
        _command(job, job.uplink, at)
        return 1
    if state in {Transfer.State.FAILED, Transfer.State.CANCELLED}:
        _fail(job, f"Its input did not get on board: {job.uplink.condition}.", at)
        return 1
    if job.state == _STATE.SUBMITTED and state != Transfer.State.WAITING:
        _move(job, _STATE.UPLINKING, at, action="job.uplink")
        return 1
    return 0


def _command(job: Job, uplink: Transfer, at: datetime) -> None:
    try:
        telecommand = submit_by_policy(
            spacecraft=job.spacecraft,
            name=_RUN_JOB,
            arguments={
                "JOB": job.number,
                "PROGRAM": job.program,
                "INPUT_SHA256": job.input_sha256,
            },
            policy=_POLICY,
            at=at,
            origin=f"job:{job.number}",
        )
    except TelecommandRefusedError as refusal:
        _fail(job, f"{_RUN_JOB} could not be issued: {refusal}", at)
        return
    _move(
        job,
        _STATE.COMMANDED,
        at,
        action="job.command",
        telecommand=telecommand,
        uplinked_at=uplink.completed_at,
    )


def _follow_telecommand(job: Job, at: datetime) -> int:
    assert job.telecommand is not None
    state = job.telecommand.state
    told = Telecommand.State
    if state in {told.FAILED, told.REJECTED}:
        why = (job.telecommand.failure or state).rstrip(".")
        _fail(job, f"{_RUN_JOB} was not carried out: {why}.", at)
    elif state == told.COMPLETED and job.state != _STATE.DOWNLINKING:
        _move(job, _STATE.DOWNLINKING, at, action="job.finish", finished_at=at)
    elif state == told.STARTED and job.state == _STATE.COMMANDED:
        _move(job, _STATE.RUNNING, at, action="job.start", started_at=at)
    elif job.uplinked_at is not None and at - job.uplinked_at > PATIENCE:
        hours = PATIENCE // timedelta(hours=1)
        _fail(job, f"No result came down within {hours} h after its input was on board.", at)
    else:
        return _note_downlink(job)
    return 1


def _note_downlink(job: Job) -> int:
    if job.downlink_id is not None:
        return 0
    coming = transfers.file_coming_down(job.spacecraft, result_file_name(job.number))
    if coming is None:
        return 0
    _take_downlink(job, coming)
    job.save(update_fields=["downlink"])
    return 1


def _take_downlink(job: Job, transfer: Transfer) -> None:
    """Let the member see the file that comes down for its job."""
    transfer_services.hand_to(transfer, job.organisation)
    job.downlink = transfer


def _arrived_result(job: Job) -> Transfer | None:
    if job.state == _STATE.SUBMITTED:
        return None
    name = result_file_name(job.number)
    return transfers.arrived_file(job.spacecraft, name, since=job.submitted_at)


def _accept_result(job: Job, transfer: Transfer, at: datetime) -> None:
    _take_downlink(job, transfer)
    try:
        result = read_result_file(
            transfers.content_of(transfer),
            job=job.number,
            program=job.program,
            input_sha256=job.input_sha256,
        )
    except ResultError as error:
        _fail(job, f"The file that came down ({transfer}) is not its result: {error}.", at)
        return
    except OSError as error:
        _fail(job, f"The file that came down ({transfer}) cannot be read: {error.strerror}.", at)
        return
    stored_name = f"jobs/{job.number}.out"
    storage.store(stored_name, result.output)
    _move(
        job,
        _STATE.COMPLETED,
        at,
        action="job.complete",
        downlink=transfer,
        output_sha256=result.output_sha256,
        output_octets=len(result.output),
        stored_result=stored_name,
        completed_at=at,
        **_times_of(result.manifest),
    )


def _times_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return when the spacecraft says that it ran; what is no time is left out."""
    times = {}
    for name, field in (("started", "started_at"), ("finished", "finished_at")):
        try:
            instant = datetime.fromisoformat(str(manifest.get(name)))
            if instant.tzinfo is not None:
                times[field] = instant.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return times


def _fail(job: Job, failure: str, at: datetime) -> None:
    _move(
        job,
        _STATE.FAILED,
        at,
        action="job.fail",
        failure=failure[:_FAILURE_LENGTH],
        downlink=job.downlink,
        completed_at=at,
    )


def _move(
    job: Job,
    state: Job.State,
    at: datetime,
    *,
    action: str,
    actor: Actor | str = _ACTOR,
    **fields: Any,
) -> None:
    job.state = state
    for name, value in fields.items():
        setattr(job, name, value)
    job.save(update_fields=["state", *fields])
    _log(action, job, actor=actor, at=at)


def _log(action: str, job: Job, *, actor: Actor | str, at: datetime) -> None:
    append_entry(
        action=action,
        subject=f"job:{job.number}",
        actor=actor,
        at=at,
        organisation=job.organisation.slug,
        details={"spacecraft": job.spacecraft.name, "state": job.state},
        # What a member computes is its own business, and the operator's who carries it.
        private={
            "program": job.program,
            "input_sha256": job.input_sha256,
            "input_octets": job.input_octets,
            "output_sha256": job.output_sha256,
            "output_octets": job.output_octets,
            "failure": job.failure,
        },
        readers=[job.spacecraft.organisation.slug],
    )
    publish_after_commit({"type": "refresh", "part": "jobs"})
    publish_after_commit({"type": "job", "job": job.number, "state": job.state})


def _locked(number: int) -> Job:
    return (
        Job.objects.select_for_update(of=("self",))
        .select_related(
            "spacecraft__organisation", "organisation", "uplink", "telecommand", "downlink"
        )
        .get(pk=number)
    )


def input_file_name(number: int) -> str:
    """Return what a job's input is called on board."""
    return f"job-{number}.in"


def result_file_name(number: int) -> str:
    """Return what the spacecraft calls a job's result."""
    return f"job-{number}.out"

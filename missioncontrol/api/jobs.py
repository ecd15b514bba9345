"""Compute jobs on board: submit one, follow it, fetch its result."""

from __future__ import annotations

from typing import Annotated, Final

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from ninja import Header, Query, Router, Schema, Status
from pydantic import Field, WithJsonSchema

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import TOKEN, TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import Asked, Instant, Number, Octets, PageSize, Sent, Text
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, newest_first
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.kernel import clock
from uplink.jobs import selectors, services
from uplink.jobs.models import Job
from uplink.jobs.programs import MAX_INPUT_OCTETS, Program, ProgramInputError

router = Router(tags=["jobs"])

# Written out: two enumerations of one name would overwrite each other in the description.
State = Annotated[Job.State, WithJsonSchema({"type": "string", "enum": Job.State.values})]

# Base64 makes four characters of three octets; the other fields are short.
MAX_BODY_OCTETS: Final = MAX_INPUT_OCTETS * 4 // 3 + 64 * 1024


class JobIn(Sent):
    """A program on board and its input in base64, 4 MiB of octets at most."""

    spacecraft: Text
    program: Program
    input: Octets


class JobOut(Schema):
    """A job, from its submission to its verified result."""

    number: int
    state: str
    spacecraft: str
    program: str
    organisation: str
    submitted_by: str
    input_sha256: str
    input_octets: int
    output_sha256: str | None
    output_octets: int | None
    uplink_octets: int  # of the input, sent at least once
    downlink_octets: int  # of the result file, received
    failure: str
    telecommand: int | None
    submitted_at: Instant
    uplinked_at: Instant | None
    started_at: Instant | None
    finished_at: Instant | None
    completed_at: Instant | None


class JobQuery(Asked):
    """Which jobs."""

    state: State | None = None
    cursor: Text | None = None
    limit: PageSize = 100


@router.get("/jobs", auth=TOKEN_OR_SESSION, response=Page[JobOut], summary="Jobs")
def list_jobs(request: HttpRequest, asked: Query[JobQuery]) -> Page[JobOut]:
    """Return your organisation's jobs, the newest first.

    Who operates a spacecraft sees all jobs for it, but not their results.
    """
    principal = principal_of(request)
    principal.require(Action.JOB_VIEW)
    seen = principal.organisations_with(Action.JOB_VIEW)
    rows = Job.objects.filter(
        Q(organisation__in=seen) | Q(spacecraft__organisation__in=seen)
    ).select_related("spacecraft", "organisation", "submitted_by", "uplink", "downlink")
    if asked.state:
        rows = rows.filter(state=asked.state)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_job_out(job) for job in found], next=cursor)


@router.post("/jobs", auth=TOKEN, response={200: JobOut, 201: JobOut}, summary="Submit a job")
def submit_job(
    request: HttpRequest,
    response: HttpResponse,
    asked: JobIn,
    idempotency_key: Annotated[
        str,
        Field(max_length=80, pattern=r"^[\x20-\x7e]*$"),
        Header(
            "",
            alias="Idempotency-Key",
            description="Send one that is new for every job; then the request can be repeated.",
        ),
    ] = "",
) -> Status[JobOut]:
    """Take a job for the token's organisation; its input goes up at the next contact.

    201 for a new job; 200 for one that was taken under the same
    ``Idempotency-Key`` before; 409 when that one had another content.
    """
    principal = principal_of(request)
    spacecraft = spacecraft_in_field(asked.spacecraft, "body.spacecraft")
    assert principal.token is not None  # this takes one
    organisation = principal.token.organisation
    principal.require(Action.JOB_SUBMIT, organisation)
    repeated = _is_taken(organisation, idempotency_key)
    try:
        job = services.submit_job(
            spacecraft=spacecraft,
            organisation=organisation,
            submitted_by=principal.operator,
            program=asked.program.value,
            input_octets=asked.input,
            at=clock.now(),
            idempotency_key=idempotency_key,
        )
    except services.JobRefusedError as refusal:
        if isinstance(refusal.__cause__, ProgramInputError):
            size = f"{len(asked.input)} octets"
            raise invalid("body.input", size, str(refusal)) from refusal
        raise
    response["Location"] = f"{request.path}/{job.number}"
    return Status(200 if repeated else 201, _job_out(job))


@router.get("/jobs/{number}", auth=TOKEN_OR_SESSION, response=JobOut, summary="One job")
def get_job(request: HttpRequest, number: Number) -> JobOut:
    """Return one job; it has ended when it is COMPLETED, FAILED or CANCELLED."""
    return _job_out(_get(principal_of(request), number))


@router.get(
    "/jobs/{number}/result",
    auth=TOKEN_OR_SESSION,
    summary="A job's result",
    openapi_extra={
        "responses": {
            200: {
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                }
            }
        }
    },
)
def get_result(request: HttpRequest, number: Number) -> HttpResponse:
    """Return the output; its SHA-256 is the job's ``output_sha256``. 409 while there is none."""
    principal = principal_of(request)
    job = _get(principal, number)
    principal.require(Action.JOB_VIEW, job.organisation)
    return HttpResponse(
        selectors.read_result(job),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="job-{job.number}.out"',
            "ETag": f'"{job.output_sha256}"',
        },
    )


@router.post("/jobs/{number}/cancel", auth=TOKEN, response=JobOut, summary="Cancel a job")
def cancel_job(request: HttpRequest, number: Number) -> JobOut:
    """Give up a job whose input has not begun to go up."""
    principal = principal_of(request)
    job = _get(principal, number)
    principal.require(Action.JOB_CANCEL, job.organisation)
    services.cancel_job(number=number, actor=principal.operator, at=clock.now())
    return _job_out(selectors.get_job(number))


def _is_taken(organisation: Organisation, idempotency_key: str) -> bool:
    jobs = Job.objects.filter(organisation=organisation, idempotency_key=idempotency_key)
    return idempotency_key != "" and jobs.exists()


def _get(principal: Principal, number: int) -> Job:
    """Return a job that *principal* may know of.

    Another member's job is answered like one that does not exist.
    """
    try:
        job = selectors.get_job(number)
    except Job.DoesNotExist:
        job = None
    if job is None or not any(
        principal.may(Action.JOB_VIEW, owner)
        for owner in (job.organisation, job.spacecraft.organisation)
    ):
        raise NotFoundError(f"There is no job {number}, or it is another member's.")
    return job


def _job_out(job: Job) -> JobOut:
    return JobOut(
        number=job.number,
        state=job.state,
        spacecraft=job.spacecraft.name,
        program=job.program,
        organisation=job.organisation.slug,
        submitted_by=job.submitted_by.username,
        input_sha256=job.input_sha256,
        input_octets=job.input_octets,
        output_sha256=job.output_sha256 or None,
        output_octets=job.output_octets,
        uplink_octets=job.uplink.progress_octets if job.uplink else 0,
        downlink_octets=job.downlink.progress_octets if job.downlink else 0,
        failure=job.failure,
        telecommand=job.telecommand_id,
        submitted_at=job.submitted_at,
        uplinked_at=job.uplinked_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        completed_at=job.completed_at,
    )

"""Compute jobs on board: submit one, follow it, fetch its result."""

from __future__ import annotations

from typing import Annotated

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import WithJsonSchema

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
    token_of,
)
from missioncontrol.api.conditions import CHANGE, READ, heed_condition, tagged, unchanged
from missioncontrol.api.fields import Instant, Number, Octets, Sent, Slug, Text, example
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.kernel import clock
from uplink.jobs import selectors, services
from uplink.jobs.models import Job
from uplink.jobs.programs import Program, ProgramInputError

router = Router(tags=["jobs"])

# Written out: two enumerations of one name would overwrite each other in the description.
State = Annotated[Job.State, WithJsonSchema({"type": "string", "enum": Job.State.values})]


class JobIn(Sent):
    """A program on board and its input in base64, 4 MiB of octets at most."""

    model_config = example(spacecraft="DD-1", program="SHA256", input="aW5wdXQ=")

    spacecraft: Text
    program: Program
    input: Octets


class JobOut(Schema):
    """A job, from its submission to its verified result."""

    model_config = example(
        number=17,
        state="COMPLETED",
        spacecraft="DD-1",
        program="SHA256",
        organisation="ai-laboratory-1",
        submitted_by="demo-pipeline",
        input_sha256="c96c6d5be8d08a12e7b5cdc1b207fa6b2430974c86803d8891675e76fd992c20",
        input_octets=5,
        output_sha256="7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
        output_octets=32,
        uplink_octets=5,
        downlink_octets=321,
        failure="",
        telecommand=4,
        submitted_at="2026-12-01T12:00:00Z",
        uplinked_at="2026-12-01T12:21:40Z",
        started_at="2026-12-01T12:21:52Z",
        finished_at="2026-12-01T12:21:53Z",
        completed_at="2026-12-01T12:23:10Z",
    )

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


class JobQuery(PageQuery):
    """Which jobs."""

    state: State | None = None
    organisation: Slug | None = None


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
    if asked.organisation:
        rows = rows.filter(organisation__slug=asked.organisation)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_job_out(job) for job in found], next=cursor)


@router.post("/jobs", auth=TOKEN, response={201: JobOut}, summary="Submit a job")
def submit_job(request: HttpRequest, response: HttpResponse, asked: JobIn) -> JobOut:
    """Take a job for the token's organisation; its input goes up at the next contact."""
    spacecraft = spacecraft_in_field(asked.spacecraft, "body.spacecraft")
    organisation = token_of(request).organisation
    principal = permitted(request, Action.JOB_SUBMIT, organisation)
    try:
        job = services.submit_job(
            spacecraft=spacecraft,
            organisation=organisation,
            submitted_by=principal.operator,
            program=asked.program.value,
            input_octets=asked.input,
            at=clock.now(),
        )
    except services.JobRefusedError as refusal:
        if isinstance(refusal.__cause__, ProgramInputError):
            size = f"{len(asked.input)} octets"
            raise invalid("body.input", size, str(refusal)) from refusal
        raise
    response["Location"] = f"{request.path}/{job.number}"
    return tagged(request, response, _job_out(job))


@router.get(
    "/jobs/{number}",
    auth=TOKEN_OR_SESSION,
    response=JobOut,
    summary="One job",
    openapi_extra=READ,
)
def get_job(request: HttpRequest, response: HttpResponse, number: Number) -> JobOut:
    """Return one job; it has ended when it is COMPLETED, FAILED or CANCELLED."""
    return tagged(request, response, _job_out(_get(principal_of(request), number)))


@router.get(
    "/jobs/{number}/result",
    auth=TOKEN_OR_SESSION,
    summary="A job's result",
    openapi_extra={
        **READ,
        "responses": {
            200: {
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                }
            }
        },
    },
)
def get_result(request: HttpRequest, number: Number) -> HttpResponse:
    """Return the output; its SHA-256 is the job's ``output_sha256``. 409 while there is none."""
    principal = principal_of(request)
    job = _get(principal, number)
    principal.require(Action.JOB_VIEW, job.organisation)
    octets = selectors.read_result(job)
    etag = f'"{job.output_sha256}"'
    heed_condition(request, etag)
    return HttpResponse(
        octets,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="job-{job.number}.out"',
            "ETag": etag,
        },
    )


@router.post(
    "/jobs/{number}/cancel",
    auth=TOKEN,
    response=JobOut,
    summary="Cancel a job",
    openapi_extra=CHANGE,
)
def cancel_job(request: HttpRequest, response: HttpResponse, number: Number) -> JobOut:
    """Give up a job whose input has not begun to go up."""
    job = _get(principal_of(request), number)
    principal = permitted(request, Action.JOB_CANCEL, job.organisation)

    def show() -> JobOut:
        return _job_out(selectors.get_job(number))

    with unchanged(request, Job.objects.filter(pk=number), show):
        services.cancel_job(number=number, actor=principal.operator, at=clock.now())
    return tagged(request, response, show())


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

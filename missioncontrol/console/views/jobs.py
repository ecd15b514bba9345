from __future__ import annotations

from base64 import b64encode
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.selectors import get_organisation
from missioncontrol.console import selectors as reads
from missioncontrol.console.access import Viewer, deed, go_back, page, viewer_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation.jobs import (
    digest_rows,
    job_panel,
    job_row,
    program_choices,
    result_panel,
    transfer_rows,
)
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError, RefusedError
from uplink.jobs import selectors, services
from uplink.jobs.models import Job
from uplink.jobs.programs import MAX_INPUT_OCTETS
from uplink.transfers.models import Transfer


def _visible_job(viewer: Viewer, number: int) -> Job:
    """Return one job; one that *viewer* may not see is not found."""
    job = selectors.get_job(number)
    seen = viewer.organisations_with(Action.JOB_VIEW)
    if job.organisation not in seen and job.spacecraft.organisation not in seen:
        raise Http404
    return job


@page(Action.JOB_VIEW)
def jobs(request: HttpRequest) -> HttpResponse:
    """Show the compute jobs and the form to submit one."""
    return _page(request)


def _page(request: HttpRequest, **more: Any) -> HttpResponse:
    viewer = viewer_of(request)
    filters = {name: request.GET.get(name, "") for name in ("state", "organisation")}
    seen = viewer.organisations_with(Action.JOB_VIEW)
    found = reads.jobs(
        seen,
        state=filters["state"],
        organisation=filters["organisation"],
        page=page_number(request),
    )
    context = {
        "section": "jobs",
        "jobs": [job_row(job) for job in found.rows],
        "filters": filters,
        "states": Job.State.values,
        "organisations": reads.organisations_with_jobs(seen),
        "page": page_links(request, number=found.number, has_older=found.has_older),
        "submitting": viewer.organisations_with(Action.JOB_SUBMIT),
        "programs": program_choices(),
        "largest_input_octets": MAX_INPUT_OCTETS,
        "spacecraft_names": [craft.name for craft in fleet.active_spacecraft()],
        "form": {"program": "", "organisation": "", "errors": []},
        **more,
    }
    return render(request, "console/jobs.html", context, status=422 if more else 200)


@deed(Action.JOB_SUBMIT, back="console:jobs")
def submit_job(request: HttpRequest) -> HttpResponse:
    """Take a job; a refusal shows the form again (a browser keeps no chosen file)."""
    viewer = viewer_of(request)
    program = request.POST.get("program", "")
    slug = request.POST.get("organisation", "")
    spacecraft = fleet.get_spacecraft(name=request.POST.get("spacecraft", ""))
    organisation = get_organisation(slug=slug)
    try:
        job = _submit(request, viewer, spacecraft, organisation, program)
    except NotPermittedError:
        raise
    except RefusedError as refusal:
        form = {"program": program, "organisation": slug, "errors": [str(refusal)]}
        return _page(request, form=form, page_url=reverse("console:jobs"))
    messages.success(request, f"Job {job.number} is taken. Its input goes up in the next pass.")
    return redirect("console:job_detail", job.number)


def _submit(
    request: HttpRequest,
    viewer: Viewer,
    spacecraft: Spacecraft,
    organisation: Organisation,
    program: str,
) -> Job:
    upload = request.FILES.get("input")
    if not isinstance(upload, UploadedFile):
        raise RefusedError("No input file was chosen. Choose one and submit again.")
    if (upload.size or 0) > MAX_INPUT_OCTETS:
        raise RefusedError(
            f"The input has {upload.size} octets; the limit is {MAX_INPUT_OCTETS}. Split the job."
        )
    return services.submit_job(
        spacecraft=spacecraft,
        organisation=organisation,
        submitted_by=viewer.operator,
        program=program,
        input_octets=upload.read(),
        at=clock.now(),
    )


@page(Action.JOB_VIEW)
def job_detail(request: HttpRequest, number: int) -> HttpResponse:
    """Show one job from its submission to its verified result."""
    viewer = viewer_of(request)
    job = _visible_job(viewer, number)
    readable = viewer.may(Action.JOB_VIEW, job.organisation)
    complete = job.state == Job.State.COMPLETED
    waits = job.uplink is not None and job.uplink.state == Transfer.State.WAITING
    context = {
        "section": "jobs",
        "job": job_panel(job),
        "digests": digest_rows(job),
        "transfers": transfer_rows(job),
        "result": result_panel(job, selectors.read_result(job)) if complete and readable else None,
        "result_is_theirs": complete and not readable,
        "audit_url": f"{reverse('console:audit')}?q=job:{job.number}",
        "may_cancel": job.state == Job.State.SUBMITTED
        and waits
        and viewer.may(Action.JOB_CANCEL, job.organisation),
    }
    return render(request, "console/job_detail.html", context)


@page(Action.JOB_VIEW)
def job_result(request: HttpRequest, number: int) -> HttpResponse:
    """Answer with the verified output of a job, for its own organisation; 404 without one."""
    viewer = viewer_of(request)
    job = _visible_job(viewer, number)
    viewer.principal.require(Action.JOB_VIEW, job.organisation)
    try:
        output = selectors.read_result(job)
    except selectors.NoResultError as error:
        raise Http404(str(error)) from error
    return HttpResponse(
        output,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="job-{job.number}.out"',
            "Repr-Digest": f"sha-256=:{_base64_of_hex(job.output_sha256)}:",  # RFC 9530
        },
    )


def _base64_of_hex(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode()


@deed(Action.JOB_CANCEL, back="console:jobs")
def cancel_job(request: HttpRequest, number: int) -> HttpResponse:
    """Give up a job whose input has not begun to go up."""
    job = services.cancel_job(number=number, actor=viewer_of(request).operator, at=clock.now())
    messages.success(request, f"Job {job.number} is cancelled.")
    return go_back(request, "console:jobs")

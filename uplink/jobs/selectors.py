from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db.models import QuerySet

from missioncontrol.accounts.models import Organisation
from missioncontrol.kernel.errors import RefusedError
from uplink.jobs.models import Job
from uplink.transfers import storage

_STATE = Job.State
OPEN_STATES: Final = (
    _STATE.SUBMITTED,
    _STATE.UPLINKING,
    _STATE.COMMANDED,
    _STATE.RUNNING,
    _STATE.DOWNLINKING,
)


class NoResultError(RefusedError):
    """The job has no result (yet)."""


def _jobs() -> QuerySet[Job]:
    return Job.objects.select_related(
        "spacecraft", "organisation", "submitted_by", "uplink", "telecommand", "downlink"
    )


def get_job(number: int) -> Job:
    """Return one job.

    Raises:
        Job.DoesNotExist: no such job.
    """
    return _jobs().get(pk=number)


def job_list(
    *,
    organisations: Collection[Organisation] | None = None,
    states: Collection[str] = (),
    before: int | None = None,
    limit: int = 100,
) -> list[Job]:
    """Return jobs, newest first.

    Args:
        organisations: Only theirs; None: everybody's.
        states: Only in these states; empty: in any.
        before: Only jobs with a lower number (to page on).
        limit: At most so many.
    """
    jobs = _jobs()
    if organisations is not None:
        jobs = jobs.filter(organisation__in=organisations)
    if states:
        jobs = jobs.filter(state__in=states)
    if before is not None:
        jobs = jobs.filter(number__lt=before)
    return list(jobs[:limit])


def read_result(job: Job) -> bytes:
    """Return the verified output of a job.

    Raises:
        NoResultError: it is not complete.
    """
    if job.state != _STATE.COMPLETED:
        raise NoResultError(
            f"Job {job.number} is {job.state}: {job.get_state_display()}. "
            + (job.failure or "Its result can be read when it is COMPLETED.")
        )
    return storage.read(job.stored_result)

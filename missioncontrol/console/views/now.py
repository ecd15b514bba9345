from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis.exceptions import RedisError

from missioncontrol.accounts.policy import Action
from missioncontrol.console import selectors as reads
from missioncontrol.console.access import Viewer, page, viewer_of
from missioncontrol.console.context import alarms_of
from missioncontrol.console.presentation.alarms import alarm_rows
from missioncontrol.console.presentation.contacts import contact_panel, contact_rows
from missioncontrol.console.presentation.isolation import isolation_notice
from missioncontrol.console.presentation.jobs import JobRow, job_row
from missioncontrol.console.presentation.parameters import SubsystemTile, subsystem_tiles
from missioncontrol.kernel import clock
from missioncontrol.kernel.processes import SILENT_AFTER, ProcessState, told_processes
from missioncontrol.scheduling import selectors as scheduling
from missioncontrol.scheduling.models import IN_PROGRESS, Contact

_SHOWN: Final = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRow:
    """One supervised process; ``seen`` is on the machine's clock."""

    name: str
    state: str
    restarts: int
    seen: datetime
    note: str


@page(Action.CONTACT_VIEW)
def now(request: HttpRequest) -> HttpResponse:
    """Show the pass under way or next, health, alarms, jobs and processes."""
    viewer, at = viewer_of(request), clock.now()
    contact = _contact_to_show(at)
    upcoming = [
        each
        for each in scheduling.upcoming_contacts(at, limit=_SHOWN + 1)
        if contact is None or each.pk != contact.pk
    ]
    context: dict[str, Any] = {
        "section": "now",
        "contact": contact_panel(contact, viewer, at=at) if contact is not None else None,
        "subsystems": _subsystems(viewer, at),
        "alarms": alarm_rows(alarms_of(viewer)[:_SHOWN], viewer),
        "next_contacts": contact_rows(upcoming[:_SHOWN]),
        "running_jobs": _running_jobs(viewer),
    }
    if viewer.may(Action.PROCESS_VIEW):
        context |= {"may_see_processes": True, "isolation": isolation_notice(), **_processes()}
    return render(request, "console/now.html", context)


def _contact_to_show(at: datetime) -> Contact | None:
    busy = scheduling.contacts_in_progress(at)
    running = [contact for contact in busy if contact.state in IN_PROGRESS]
    candidates = sorted(running or busy, key=lambda contact: contact.aos)
    return candidates[-1] if candidates else scheduling.next_contact(at)


def _subsystems(viewer: Viewer, at: datetime) -> list[SubsystemTile]:
    return [
        tile
        for craft in viewer.spacecraft(Action.TELEMETRY_VIEW)
        for tile in subsystem_tiles(craft, at=at)
    ]


def _running_jobs(viewer: Viewer) -> list[JobRow]:
    seen = viewer.organisations_with(Action.JOB_VIEW)
    return [job_row(job) for job in reads.jobs_under_way(seen, limit=_SHOWN)]


def _processes() -> dict[str, Any]:
    try:
        rows = [_process(each) for each in told_processes()]
    except RedisError as error:
        logger.warning("the state of the processes cannot be read: %s", error)
        return {"processes": [], "processes_unknown": True}
    at = clock.wall_now()
    silent = bool(rows) and all(at - row.seen > SILENT_AFTER for row in rows)
    return {"processes": rows, "supervisor_silent": silent}


def _process(told: ProcessState) -> ProcessRow:
    return ProcessRow(
        name=told.name,
        state=told.state,
        restarts=told.restarts,
        seen=told.seen,
        note=f"ended with {told.last_exit}" if told.last_exit is not None else "",
    )

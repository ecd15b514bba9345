"""What stands around every page: mission, clock, alarms, who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import Viewer, viewer_of
from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock
from telemetry import selectors as telemetry
from telemetry.models import Alarm

# The sections of the console and what each takes.
SECTIONS: Final[dict[str, Action]] = {
    "now": Action.CONTACT_VIEW,
    "passes": Action.CONTACT_VIEW,
    "plans": Action.PLAN_VIEW,
    "telemetry": Action.TELEMETRY_VIEW,
    "commands": Action.TELECOMMAND_VIEW,
    "jobs": Action.JOB_VIEW,
    "alarms": Action.TELEMETRY_VIEW,
    "stations": Action.CONTACT_VIEW,
    "audit": Action.AUDIT_VIEW,
    "webhooks": Action.WEBHOOK_VIEW,
    "consortium": Action.ORGANISATION_VIEW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageClock:
    """Mission time when the page was made, tied to the server's clock."""

    mission_at: datetime
    wall_at: datetime
    factor: float
    frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCount:
    """How many alarms wait; ``highest`` is the worst severity, or normal."""

    active: int
    unacknowledged: int
    highest: str


def page_clock() -> PageClock:
    """Read the clock for a page or a live message."""
    wall_at = datetime.now(UTC)  # noqa: TID251  # an edge; it goes out as the anchor
    state = clock.state()
    return PageClock(
        mission_at=state.at(wall_at), wall_at=wall_at, factor=state.factor, frozen=state.frozen
    )


def alarms_of(viewer: Viewer) -> list[Alarm]:
    """Return the active alarms of the spacecraft that *viewer* may see; the worst first."""
    mine = {craft.pk for craft in viewer.spacecraft(Action.TELEMETRY_VIEW)}
    if not mine:
        return []
    return [alarm for alarm in telemetry.active_alarms() if alarm.spacecraft_id in mine]


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """Return the context of ``console/base.html`` (a context processor)."""
    mission = fleet.mission_in_force()
    frame: dict[str, Any] = {
        "mission_name": mission.title if mission is not None else "no mission is loaded",
        # Where a part of the page is asked for again; a page that answers a POST overrides it.
        "page_url": request.get_full_path(),
    }
    account = reverse("console:account")
    if request.path.startswith(account):
        # Below it, asking again has effects: another secret, another challenge. The frame is the
        # same on the account's page.
        frame |= {"section": "account", "page_url": account}
    if not hasattr(request, "principal"):
        return frame
    viewer = viewer_of(request)
    return frame | {
        "clock": page_clock(),
        "may_set_clock": viewer.may(Action.CLOCK_SET),
        "sections": {name for name, action in SECTIONS.items() if viewer.may(action)},
        "alarm_count": _alarm_count(viewer),
        "operator_name": viewer.operator.display_name or viewer.operator.username,
        "roles": _roles(viewer),
    }


def _alarm_count(viewer: Viewer) -> AlarmCount | None:
    if not viewer.may(Action.TELEMETRY_VIEW):
        return None
    alarms = alarms_of(viewer)
    return AlarmCount(
        active=len(alarms),
        unacknowledged=sum(alarm.acknowledged_at is None for alarm in alarms),
        highest=alarms[0].severity if alarms else "normal",
    )


def _roles(viewer: Viewer) -> str:
    held = sorted({each.get_role_display() for each in viewer.principal.memberships})
    return ", ".join(held) or "no role"

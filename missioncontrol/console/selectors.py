"""Reads that only the console's pages make: lists with filters, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

from django.contrib.sessions.models import Session
from django.db.models import Count, Model, Q, QuerySet

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.audit.models import AuditEntry
from missioncontrol.fleet.models import Spacecraft
from telemetry.models import Alarm, BadFrame, LinkSession
from uplink.commanding.models import Telecommand
from uplink.jobs.models import Job
from uplink.jobs.selectors import OPEN_STATES

_REASONS_SHOWN: Final = 30

_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True, slots=True)
class RowPage(Generic[_Row]):
    """Some rows of a list, newest first, and whether older ones follow."""

    rows: list[_Row]
    number: int  # 1 is the newest
    has_older: bool


def ended_alarms(
    spacecraft: Collection[Spacecraft], *, page: int, size: int = 50
) -> RowPage[Alarm]:
    """Return the alarms that are over and acknowledged."""
    alarms = (
        Alarm.objects.filter(
            spacecraft__in=spacecraft, cleared_at__isnull=False, acknowledged_at__isnull=False
        )
        .select_related("spacecraft", "acknowledged_by")
        .order_by("-cleared_at", "-pk")
    )
    return _page(alarms, page, size)


def bad_frames(
    spacecraft: Collection[Spacecraft], *, reason: str, station: str, page: int, size: int = 50
) -> RowPage[BadFrame]:
    """Return frames and packets that could not be used; empty filters take all."""
    frames = BadFrame.objects.filter(spacecraft__in=spacecraft).select_related("spacecraft")
    if reason:
        frames = frames.filter(reason=reason)
    if station:
        frames = frames.filter(station=station)
    return _page(frames, page, size)


def get_bad_frame(frame_id: int) -> BadFrame:
    """Return one frame with its octets.

    Raises:
        BadFrame.DoesNotExist: no such frame.
    """
    return BadFrame.objects.select_related("spacecraft__organisation").get(pk=frame_id)


def bad_frame_reasons(spacecraft: Collection[Spacecraft]) -> list[tuple[str, int]]:
    """Return the reasons that frames were kept for, with their counts, most frequent first."""
    reasons = (
        BadFrame.objects.filter(spacecraft__in=spacecraft)
        .values_list("reason")
        .annotate(count=Count("pk"))
        .order_by("-count", "reason")
    )
    return [(reason, count) for reason, count in reasons[:_REASONS_SHOWN]]


def bad_frame_stations(spacecraft: Collection[Spacecraft]) -> list[str]:
    """Return the names that bad frames came under."""
    frames = BadFrame.objects.filter(spacecraft__in=spacecraft).order_by("station")
    return list(frames.values_list("station", flat=True).distinct())


def link_sessions(
    spacecraft: Spacecraft, *, start: datetime, end: datetime, limit: int = 100
) -> list[LinkSession]:
    """Return the connections to stations that were open in an interval, the newest first."""
    sessions = LinkSession.objects.filter(
        Q(closed_at=None) | Q(closed_at__gte=start),
        contact__spacecraft=spacecraft,
        opened_at__lt=end,
    )
    return list(sessions.select_related("contact").order_by("-opened_at")[:limit])


def telecommands(
    spacecraft: Collection[Spacecraft], *, state: str, page: int, size: int = 30
) -> RowPage[Telecommand]:
    """Return telecommands, in one state or, without *state*, in any."""
    found = Telecommand.objects.filter(spacecraft__in=spacecraft).select_related(
        "spacecraft__organisation", "submitted_by", "approved_by", "rejected_by"
    )
    return _page(found.filter(state=state) if state else found, page, size)


def jobs(
    seen: Collection[Organisation], *, state: str, organisation: str, page: int, size: int = 50
) -> RowPage[Job]:
    """Return the jobs of the organisations *seen* and those on their spacecraft.

    Args:
        seen: Whose.
        state: Only in this state; empty: in any.
        organisation: Only of this one (slug); empty: of all.
        page: From 1, the newest.
        size: Jobs on a page.
    """
    found = _jobs_of(seen)
    if state:
        found = found.filter(state=state)
    if organisation:
        found = found.filter(organisation__slug=organisation)
    return _page(found, page, size)


def jobs_under_way(seen: Collection[Organisation], *, limit: int) -> list[Job]:
    """Return the newest jobs that are not over, of those that ``jobs`` gives."""
    return list(_jobs_of(seen).filter(state__in=OPEN_STATES)[:limit])


def organisations_with_jobs(seen: Collection[Organisation]) -> list[Organisation]:
    """Return whose jobs ``jobs`` gives."""
    return list(Organisation.objects.filter(pk__in=_jobs_of(seen).values("organisation")))


def _jobs_of(seen: Collection[Organisation]) -> QuerySet[Job]:
    return (
        Job.objects.filter(Q(organisation__in=seen) | Q(spacecraft__organisation__in=seen))
        .select_related("spacecraft", "organisation", "submitted_by", "uplink", "downlink")
        .order_by("-number")
    )


def audit_actions() -> list[str]:
    """Return the actions that stand in the log, by name."""
    actions = AuditEntry.objects.order_by("action").values_list("action", flat=True)
    return list(actions.distinct())


def sessions_in_force(owners: Mapping[str, int]) -> set[str]:
    """Return the session keys whose sign-in still holds.

    Args:
        owners: Primary key of the operator by session key.
    """
    at = datetime.now(UTC)  # noqa: TID251  # sessions run on the machine's clock
    sessions = Session.objects.filter(session_key__in=owners.keys(), expire_date__gt=at)
    active = set(
        Operator.objects.filter(pk__in=owners.values(), is_active=True).values_list(
            "pk", flat=True
        )
    )
    return {key for key in sessions.values_list("pk", flat=True) if owners[key] in active}


def _page(rows: QuerySet[_Row], number: int, size: int) -> RowPage[_Row]:
    begin = (number - 1) * size
    found = list(rows[begin : begin + size + 1])
    return RowPage(rows=found[:size], number=number, has_older=len(found) > size)

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Max, Sum

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.scheduling.models import Contact
from telemetry.models import Alarm, BadFrame, ChannelFrames, InputCounts, LinkSession, hour_of
from telemetry.selectors.values import SEVERITY_RANK


def active_alarms(*, spacecraft: Spacecraft | None = None) -> list[Alarm]:
    """Return the alarms that are not cleared, or not acknowledged; the worst first."""
    alarms = Alarm.objects.select_related("spacecraft", "acknowledged_by").filter(
        cleared_at=None
    ) | Alarm.objects.select_related("spacecraft", "acknowledged_by").filter(acknowledged_at=None)
    if spacecraft is not None:
        alarms = alarms.filter(spacecraft=spacecraft)
    return sorted(
        alarms[:500],
        key=lambda alarm: (-SEVERITY_RANK[alarm.severity], -alarm.raised_at.timestamp()),
    )


def bad_frames(
    *, spacecraft: Spacecraft | None = None, contact: Contact | None = None, limit: int = 100
) -> list[BadFrame]:
    """Return the newest frames and packets that could not be used."""
    frames = BadFrame.objects.select_related("spacecraft")
    if spacecraft is not None:
        frames = frames.filter(spacecraft=spacecraft)
    if contact is not None:
        frames = frames.filter(contact=contact)
    return list(frames[:limit])


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCounts:
    """What came over a contact's return links, all sessions together."""

    frames_good: int = 0
    frames_bad: int = 0
    frames_lost: int = 0
    packets: int = 0
    packets_lost: int = 0
    octets: int = 0
    last_frame_at: datetime | None = None


_COUNTED: Final = ("frames_good", "frames_bad", "frames_lost", "packets", "packets_lost", "octets")


def frame_counts(contact_ids: Collection[int]) -> dict[int, FrameCounts]:
    """Return the counts of each contact; one without a session has zeros."""
    rows: Any = (
        LinkSession.objects.filter(contact_id__in=contact_ids)
        .values("contact_id")
        .annotate(**{f"{name}_sum": Sum(name) for name in _COUNTED}, newest=Max("last_frame_at"))
    )
    counts = {contact_id: FrameCounts() for contact_id in contact_ids}
    for row in rows:
        counts[row["contact_id"]] = FrameCounts(
            **{name: row[f"{name}_sum"] or 0 for name in _COUNTED}, last_frame_at=row["newest"]
        )
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCounts:
    """Frames of one virtual channel that a station or an input heard, and those it missed."""

    station: str
    virtual_channel: int
    frames_good: int
    frames_lost: int


def channel_counts(
    spacecraft: Spacecraft, *, start: datetime, end: datetime
) -> list[ChannelCounts]:
    """Return what was received in an interval by virtual channel, by station.

    Counts are kept by the hour; every hour that the interval touches is added up.
    """
    rows = (
        ChannelFrames.objects.filter(spacecraft=spacecraft, hour__gte=hour_of(start), hour__lt=end)
        .order_by("station", "virtual_channel")
        .values("station", "virtual_channel")
        .annotate(good=Sum("frames_good"), lost=Sum("frames_lost"))
    )
    return [
        ChannelCounts(
            station=row["station"],
            virtual_channel=row["virtual_channel"],
            frames_good=row["good"],
            frames_lost=row["lost"],
        )
        for row in rows
    ]


def input_counts(spacecraft: Spacecraft) -> list[InputCounts]:
    """Return what came in and what was lost at each input of a spacecraft, by name."""
    return list(InputCounts.objects.filter(spacecraft=spacecraft).order_by("name"))

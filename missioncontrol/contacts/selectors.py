from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from missioncontrol.contacts.models import ContactWindow, RelayPath, WindowHorizon
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import GroundStation, Spacecraft


def windows_between(
    start: datetime, end: datetime, *, spacecraft: Spacecraft | None = None
) -> list[ContactWindow]:
    """Return the windows that begin in [start, end), by time."""
    windows = ContactWindow.objects.filter(aos__gte=start, aos__lt=end).select_related(
        "spacecraft", "station"
    )
    if spacecraft is not None:
        windows = windows.filter(spacecraft=spacecraft)
    return list(windows)


def paths_between(
    start: datetime, end: datetime, *, spacecraft: Spacecraft | None = None
) -> list[RelayPath]:
    """Return the paths over relays that begin in [start, end), by time."""
    paths = RelayPath.objects.filter(aos__gte=start, aos__lt=end).select_related(
        "spacecraft", "relay", "station"
    )
    if spacecraft is not None:
        paths = paths.filter(spacecraft=spacecraft)
    return list(paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """A time in which a spacecraft can be reached: by a station itself, or over a relay."""

    spacecraft: Spacecraft
    station: GroundStation
    relay: Spacecraft | None
    aos: datetime
    los: datetime
    max_elevation_deg: float  # of the spacecraft, or of the relay, over the station


def opportunities_between(
    start: datetime, end: datetime, *, spacecraft: Spacecraft | None = None
) -> list[Opportunity]:
    """Return the windows and the paths over relays that begin in [start, end), by time."""
    direct = [
        Opportunity(
            spacecraft=one.spacecraft,
            station=one.station,
            relay=None,
            aos=one.aos,
            los=one.los,
            max_elevation_deg=one.max_elevation_deg,
        )
        for one in windows_between(start, end, spacecraft=spacecraft)
    ]
    relayed = [
        Opportunity(
            spacecraft=one.spacecraft,
            station=one.station,
            relay=one.relay,
            aos=one.aos,
            los=one.los,
            max_elevation_deg=one.max_elevation_deg,
        )
        for one in paths_between(start, end, spacecraft=spacecraft)
    ]
    return sorted([*direct, *relayed], key=lambda one: one.aos)


def spacecraft_short_of_windows(*, at: datetime, keep: timedelta) -> list[int]:
    """Return the spacecraft, by primary key, whose windows end sooner than *keep* from *at*.

    Also those whose elements in force, or those of their relays, are not the
    ones that the windows were computed with, and those whose windows begin in
    the future (the clock of a rehearsal was set back).
    """
    active = list(
        Spacecraft.objects.filter(active=True).order_by("pk").values_list("pk", flat=True)
    )
    in_force = fleet.ephemerides_in_force(active, at)
    relays = fleet.relays_of(active)
    horizons = WindowHorizon.objects.in_bulk(active)
    return [
        one
        for one in active
        if one in in_force
        and _is_short(
            horizons.get(one),
            in_force[one],
            {str(relay): in_force[relay] for relay in relays[one] if relay in in_force},
            at=at,
            keep=keep,
        )
    ]


def _is_short(
    horizon: WindowHorizon | None,
    ephemeris_id: int,
    relay_ephemerides: dict[str, int],
    *,
    at: datetime,
    keep: timedelta,
) -> bool:
    return (
        horizon is None
        or horizon.end < at + keep
        or horizon.start > at
        or horizon.ephemeris_id != ephemeris_id
        or horizon.relay_ephemerides != relay_ephemerides
    )

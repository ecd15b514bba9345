"""Look angles of a pass at a step, with the Doppler shift of its carriers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from missioncontrol.console.presentation.light import light_of
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import LinkProfile, parse_link_profile
from missioncontrol.orbits.eclipse import ShadowSpan
from missioncontrol.orbits.look_angles import LookAngles, doppler_hz

_STEPS_S: Final = (5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
_ROWS_WANTED: Final = 40
_ROWS_AT_MOST: Final = 300
_ROWS_AT_LEAST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """Frequencies in hertz; None where the link profile does not name them."""

    downlink_hz: float | None
    uplink_hz: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStep:
    """A step that the table may have."""

    seconds: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookRow:
    """One line of the table; shifts are None where the carriers are not known."""

    at: datetime
    event: str
    azimuth_deg: float
    elevation_deg: float
    range_km: float
    range_rate_km_s: float
    downlink_shift_khz: float | None
    uplink_shift_khz: float | None
    light: str


def steps_offered(duration: timedelta) -> list[int]:
    """Return the steps, in seconds, that a table of a pass this long may have."""
    seconds = duration.total_seconds()
    fitting = [step for step in _STEPS_S if _ROWS_AT_LEAST <= seconds / step <= _ROWS_AT_MOST]
    return fitting or [_STEPS_S[0] if seconds < _ROWS_AT_LEAST * _STEPS_S[0] else _STEPS_S[-1]]


def table_step(seconds: int) -> TableStep:
    """Return a step with its name: ``30 s``, ``5 min``, ``1 h``."""
    for unit_s, unit in ((3600, "h"), (60, "min")):
        if seconds % unit_s == 0:
            return TableStep(seconds=seconds, label=f"{seconds // unit_s} {unit}")
    return TableStep(seconds=seconds, label=f"{seconds} s")


def usual_step(duration: timedelta) -> int:
    """Return the step in seconds of a table that can be taken in at a glance."""
    seconds = duration.total_seconds()
    return next((step for step in _STEPS_S if seconds / step <= _ROWS_WANTED), _STEPS_S[-1])


def whole_steps(begin: datetime, end: datetime, step_s: int) -> list[datetime]:
    """Return the instants between two that are whole multiples of a step in the UTC day."""
    first = math.floor(begin.timestamp() / step_s) + 1
    last = math.ceil(end.timestamp() / step_s)
    return [datetime.fromtimestamp(number * step_s, UTC) for number in range(first, last)]


def carriers_of(spacecraft: Spacecraft) -> Carriers:
    """Return the carriers of a spacecraft, as its link profile names them."""
    profile = parse_link_profile(spacecraft.link_profile)
    if isinstance(profile, LinkProfile):
        return Carriers(downlink_hz=profile.downlink_hz, uplink_hz=profile.uplink_hz)
    return Carriers(downlink_hz=None, uplink_hz=None)


def look_rows(
    at: Sequence[datetime],
    angles: LookAngles,
    *,
    events: Mapping[datetime, str],
    carriers: Carriers,
    spans: Sequence[ShadowSpan],
) -> list[LookRow]:
    """Return a row for each instant; *spans* tell the light over the whole pass."""
    downlink = _shifts_khz(angles, carriers.downlink_hz)
    uplink = _shifts_khz(angles, carriers.uplink_hz)
    return [
        LookRow(
            at=one,
            event=events.get(one, ""),
            azimuth_deg=float(angles.azimuth_deg[row]),
            elevation_deg=float(angles.elevation_deg[row]),
            range_km=float(angles.range_m[row]) / 1000,
            range_rate_km_s=float(angles.range_rate_m_s[row]) / 1000,
            downlink_shift_khz=downlink[row],
            uplink_shift_khz=uplink[row],
            light=next(light_of(span.shadow) for span in spans if one <= span.end),
        )
        for row, one in enumerate(at)
    ]


def _shifts_khz(angles: LookAngles, carrier_hz: float | None) -> list[float | None]:
    if carrier_hz is None:
        return [None] * len(angles.range_rate_m_s)
    return [float(shift) / 1000 for shift in doppler_hz(angles.range_rate_m_s, carrier_hz)]

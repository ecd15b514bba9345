"""When the Sun stands behind a spacecraft, in the beam of the station that listens to it.

The Sun's noise then drowns the signal. How near is too near is a matter of the
antenna: half the width of its beam, and the Sun's own 0.27 degrees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from skyfield.timelib import Timescale

from missioncontrol.orbits import sun
from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.bracketing import maxima, switch_times
from missioncontrol.orbits.contact_windows import find_contact_windows
from missioncontrol.orbits.earth_rotation import teme_to_itrs
from missioncontrol.orbits.elements import DEFAULT_ELEMENTS_AGE_LIMIT
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_grid import seconds_of
from missioncontrol.orbits.time_scale import packaged_time_scale

_SAMPLE_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SunOutage:
    """One stay of the Sun near the line of sight. Times are UTC."""

    entry: datetime
    exit: datetime
    least_separation_deg: float
    at: datetime  # when it is least


def sun_outages(
    trajectory: AnyTrajectory,
    site: Site,
    *,
    start: datetime,
    end: datetime,
    separation_deg: float,
    elements_age_limit: timedelta = DEFAULT_ELEMENTS_AGE_LIMIT,
    time_scale: Timescale | None = None,
) -> list[SunOutage]:
    """Return when the Sun's middle is nearer to the spacecraft than an angle, in its windows.

    Args:
        trajectory: Mean elements or an ephemeris.
        site: The station with its mask: an outage happens within a window only.
        start: First instant, aware.
        end: Last instant, aware; later than *start*.
        separation_deg: The angle, seen from the station.
        elements_age_limit: How far the interval may reach from an epoch.
        time_scale: Other than the packaged one, see :mod:`.time_scale`.

    Raises:
        ValueError: A time without a zone, or *end* not later than *start*.
    """
    scale = time_scale or packaged_time_scale()
    midnight, start_s, end_s = seconds_of(start, end)
    windows = find_contact_windows(
        elements=[trajectory],
        sites=[site],
        start=start,
        end=end,
        elements_age_limit=elements_age_limit,
        time_scale=scale,
    )
    path = sun.SunPath(scale, midnight, start_s, end_s)

    def separation(at_s: Floats) -> Floats:
        turn = teme_to_itrs(scale, midnight, at_s)
        spacecraft, _ = trajectory.teme_states(midnight, at_s)
        sights = [
            np.einsum("nij,nj->ni", turn, one) - site.itrs_km()
            for one in (spacecraft, path.teme_km(at_s))
        ]
        across = np.linalg.norm(np.cross(sights[0], sights[1]), axis=1)
        angle: Floats = np.degrees(np.arctan2(across, (sights[0] * sights[1]).sum(axis=1)))
        return angle

    return [
        SunOutage(
            entry=midnight + timedelta(seconds=entry_s),
            exit=midnight + timedelta(seconds=exit_s),
            least_separation_deg=least_deg,
            at=midnight + timedelta(seconds=at_s),
        )
        for aos_s, los_s in zip(windows.aos_s + start_s, windows.los_s + start_s, strict=True)
        for entry_s, exit_s, at_s, least_deg in _below(separation, aos_s, los_s, separation_deg)
    ]


def _below(
    angle: Callable[[Floats], Floats], low_s: float, high_s: float, limit_deg: float
) -> list[tuple[float, float, float, float]]:
    """Return where a function is below a limit: from, to, lowest when, and how low."""
    inner = np.arange(np.ceil(low_s / _SAMPLE_S), np.ceil(high_s / _SAMPLE_S)) * _SAMPLE_S
    at_s = np.unique(np.concatenate([[low_s], inner, [high_s]]))
    value = angle(at_s)
    if len(at_s) > 2:
        dips = 1 + np.flatnonzero((value[1:-1] <= value[:-2]) & (value[1:-1] <= value[2:]))
        lowest = maxima(lambda at: -angle(at), at_s[dips - 1], at_s[dips + 1])
        at_s = np.unique(np.append(at_s, lowest))
        value = angle(at_s)
    below = value < limit_deg
    change = np.flatnonzero(below[1:] != below[:-1])
    edges = switch_times(
        lambda at: angle(at) < limit_deg, at_s[change], at_s[change + 1], below[change]
    )
    bounds = [low_s] * bool(below[0]) + edges.tolist() + [high_s] * bool(below[-1])
    found = []
    for entry_s, exit_s in zip(bounds[::2], bounds[1::2], strict=True):
        inside = np.flatnonzero((at_s >= entry_s) & (at_s <= exit_s))
        least = inside[np.argmin(value[inside])]
        found.append((entry_s, exit_s, float(at_s[least]), float(value[least])))
    return found

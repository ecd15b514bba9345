"""Where the spacecraft of a fleet are at one instant, all of them in one go.

The Earth's rotation and the Sun are the same for all, so they are found once; what
each spacecraft costs is its propagation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from skyfield.timelib import Timescale

from missioncontrol.orbits import sun, wgs84
from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.earth_rotation import midnight_before, teme_to_itrs
from missioncontrol.orbits.eclipse import Shadow, shadows
from missioncontrol.orbits.propagation import GM_KM3_S2
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.trajectory import PropagationError, Trajectory

LONGEST_REVOLUTION: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Where one spacecraft is; latitude, longitude and height are of WGS84."""

    latitude_deg: float
    longitude_deg: float  # east positive, -180 to 180
    height_m: float
    shadow: Shadow | None  # None in full sunlight
    revolution: timedelta  # of the orbit that it is on now; a day where that is longer
    itrs_km: Floats  # Earth-fixed, shape (3,)


def fleet_places(
    fleet: Sequence[Trajectory], at: datetime, *, time_scale: Timescale | None = None
) -> list[Place | PropagationError]:
    """Return where each spacecraft is, or why that is not known, in the order of the fleet.

    Raises:
        ValueError: *at* carries no time zone.
    """
    scale, midnight = time_scale or packaged_time_scale(), midnight_before(at)
    second = np.array([(at - midnight).total_seconds()])
    states = [_state(one, midnight, second) for one in fleet]
    known = [state for state in states if not isinstance(state, PropagationError)]
    if not known:
        return [state for state in states if isinstance(state, PropagationError)]
    teme_km, teme_km_s = (np.concatenate(parts) for parts in zip(*known, strict=True))
    path = sun.SunPath(scale, midnight, float(second[0]), float(second[0]))
    shadow = shadows(teme_km, np.tile(path.teme_km(second), (len(known), 1)))
    itrs_km = teme_km @ teme_to_itrs(scale, midnight, second)[0].T
    latitude, longitude, height = wgs84.geodetic(itrs_km)
    places = iter(
        Place(
            latitude_deg=float(latitude[row]),
            longitude_deg=float(longitude[row]),
            height_m=float(height[row]),
            shadow=shadow[row],
            revolution=_revolution(teme_km[row], teme_km_s[row]),
            itrs_km=itrs_km[row],
        )
        for row in range(len(known))
    )
    return [state if isinstance(state, PropagationError) else next(places) for state in states]


def _state(
    one: Trajectory, midnight: datetime, second: Floats
) -> tuple[Floats, Floats] | PropagationError:
    try:
        return one.teme_states(midnight, second)
    except PropagationError as error:
        return error


def _revolution(position_km: Floats, velocity_km_s: Floats) -> timedelta:
    """Return how long the spacecraft takes to come round, by its energy."""
    inverse_axis_km = 2.0 / float(np.linalg.norm(position_km)) - (
        float(velocity_km_s @ velocity_km_s) / GM_KM3_S2
    )
    if inverse_axis_km <= 0.0:
        return LONGEST_REVOLUTION
    seconds = math.tau / math.sqrt(GM_KM3_S2 * inverse_axis_km**3)
    return min(timedelta(seconds=seconds), LONGEST_REVOLUTION)

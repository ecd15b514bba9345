"""Where the Sun is, seen from the Earth's centre.

From JPL's ephemeris DE421, which the package ``skyfield-data`` carries; it ends
in the year 2053. The position is geometric: no light time, no aberration. That
is the convention of the reference this is checked against; aberration would
move the edges of an eclipse by a tenth of a second in low orbit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources
from typing import Final

import numpy as np
from skyfield.jpllib import SpiceKernel
from skyfield.sgp4lib import TEME
from skyfield.timelib import Timescale

from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.earth_rotation import (
    midnight_before,
    skyfield_times,
    teme_to_itrs,
)

RADIUS_KM: Final = 695_700.0  # IAU 2015 resolution B3, nominal

_NODE_S: Final = 3600.0  # linear between hourly nodes is good to 0.02 arc seconds


class SunPath:
    """The Sun's positions over an interval, quick to ask for."""

    def __init__(
        self, time_scale: Timescale, midnight: datetime, first_s: float, last_s: float
    ) -> None:
        first, last = math.floor(first_s / _NODE_S), math.ceil(last_s / _NODE_S) + 1
        self._seconds, self._position_km = _at_nodes(time_scale, midnight, first, last)

    def teme_km(self, seconds: Floats) -> Floats:
        """Return positions in kilometres, shape (n, 3), at seconds after midnight."""
        return np.stack(
            [np.interp(seconds, self._seconds, axis) for axis in self._position_km], axis=-1
        )


def itrs_km(time_scale: Timescale, at: Sequence[datetime]) -> Floats:
    """Return the Sun's Earth-fixed positions in kilometres, shape (n, 3).

    Raises:
        ValueError: No instant, or one without a time zone.
    """
    if not at:
        raise ValueError("No instant was given; pass at least one.")
    midnight = midnight_before(min(at))
    seconds = np.array([(instant - midnight).total_seconds() for instant in at])
    path = SunPath(time_scale, midnight, float(seconds.min()), float(seconds.max()))
    turned: Floats = np.einsum(
        "nij,nj->ni", teme_to_itrs(time_scale, midnight, seconds), path.teme_km(seconds)
    )
    return turned


# A fleet asks for the same hours once for each spacecraft.
@lru_cache(maxsize=64)
def _at_nodes(
    time_scale: Timescale, midnight: datetime, first: int, last: int
) -> tuple[Floats, Floats]:
    """Return the seconds of nodes, and the Sun's positions at them, shape (3, n)."""
    seconds: Floats = np.arange(first, last + 1, dtype=np.float64) * _NODE_S
    position_km = _sun_teme_km(time_scale, midnight, seconds)
    seconds.flags.writeable = position_km.flags.writeable = False
    return seconds, position_km


def _sun_teme_km(time_scale: Timescale, midnight: datetime, seconds: Floats) -> Floats:
    """Return positions of the Sun, shape (3, n)."""
    kernel = _kernel()
    times = skyfield_times(time_scale, midnight, seconds)
    icrf_km = (kernel["sun"] - kernel["earth"]).at(times).position.km
    position: Floats = np.einsum("ijn,jn->in", TEME.rotation_at(times), icrf_km)
    return position


@cache
def _kernel() -> SpiceKernel:
    return SpiceKernel(str(resources.files("skyfield_data") / "data" / "de421.bsp"))

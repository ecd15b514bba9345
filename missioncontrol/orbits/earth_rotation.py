"""From TEME, the frame of SGP4, to ITRS, the frame that turns with the stations.

The rotation is GMST (IAU 1982) by UT1, then polar motion. Going through the
inertial frame instead would apply nutation forth and back, which cancels
exactly and costs the most of all, so it is left out.

Source: Vallado et al., AIAA 2006-6753, appendix C.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import numpy as np
from skyfield.sgp4lib import theta_GMST1982
from skyfield.timelib import Time, Timescale

from missioncontrol.orbits.arrays import Floats

EARTH_ROTATION_RATE_RAD_S: Final = 7.292115146706979e-5
_JULIAN_DAY_OF_ORDINAL_ZERO: Final = 1721424.5


def midnight_before(at: datetime) -> datetime:
    """Return 00:00 UTC of the day of *at*.

    Raises:
        ValueError: *at* carries no time zone.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} carries no time zone; give an aware UTC time.")
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def julian_day(midnight: datetime) -> float:
    """Return the Julian day of a midnight: exact, as it ends in one half."""
    return midnight.toordinal() + _JULIAN_DAY_OF_ORDINAL_ZERO


def skyfield_times(time_scale: Timescale, midnight: datetime, seconds: Floats) -> Time:
    """Return Skyfield times *seconds* after a midnight, shape (n,)."""
    return time_scale.utc(midnight.year, midnight.month, midnight.day, 0, 0, seconds)


def sidereal_angle_and_pole(
    time_scale: Timescale, midnight: datetime, seconds: Floats
) -> tuple[Floats, Floats]:
    """Return GMST in radians, shape (n,), and polar motion matrices, (n, 3, 3)."""
    times = skyfield_times(time_scale, midnight, seconds)
    angle, _ = theta_GMST1982(times.whole, times.ut1_fraction)
    if time_scale.polar_motion_table is None:
        return np.asarray(angle), np.tile(np.eye(3), (len(seconds), 1, 1))
    return np.asarray(angle), np.moveaxis(times.polar_motion_matrix(), -1, 0)


def teme_to_itrs(time_scale: Timescale, midnight: datetime, seconds: Floats) -> Floats:
    """Return the rotation matrices from TEME to ITRS, shape (n, 3, 3).

    Args:
        time_scale: With Earth-orientation data; see :mod:`missioncontrol.orbits.time_scale`.
        midnight: A midnight, UTC.
        seconds: Seconds after that midnight, shape (n,); any sign, any length.
    """
    angle, pole = sidereal_angle_and_pole(time_scale, midnight, seconds)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.zeros((len(seconds), 3, 3))
    turn[:, 0, 0] = turn[:, 1, 1] = cos
    turn[:, 0, 1] = sin
    turn[:, 1, 0] = -sin
    turn[:, 2, 2] = 1.0
    return pole @ turn

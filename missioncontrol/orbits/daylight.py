"""Where on the Earth it is day, and where the Sun stands in a station's sky.

The terminator is where the Sun's middle stands on the horizon, geometrically:
no refraction, no height. Parallax and aberration, which are left out, would move
it by less than a hundredth of a degree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from skyfield.timelib import Timescale

from missioncontrol.orbits import sun
from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_scale import packaged_time_scale


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsolarPoint:
    """Where the Sun stands in the zenith."""

    latitude_deg: float  # geodetic: the Sun's declination
    longitude_deg: float  # east positive, -180 to 180


@dataclass(frozen=True, slots=True, kw_only=True)
class SunDirections:
    """Where the Sun's middle stands, seen from a site, one value per instant, shape (n,)."""

    azimuth_deg: Floats  # from north over east, 0 to 360
    elevation_deg: Floats  # geometric: no refraction


def subsolar_point(at: datetime, *, time_scale: Timescale | None = None) -> SubsolarPoint:
    """Return where the Sun stands in the zenith.

    Raises:
        ValueError: *at* carries no time zone.
    """
    [(x, y, z)] = sun.itrs_km(time_scale or packaged_time_scale(), [at])
    return SubsolarPoint(
        latitude_deg=float(np.degrees(np.arctan2(z, np.hypot(x, y)))),
        longitude_deg=float(np.degrees(np.arctan2(y, x))),
    )


def terminator_latitude_deg(below_sun: SubsolarPoint, longitude_deg: Floats) -> Floats:
    """Return at which latitude each meridian passes from day to night.

    Night is south of it where the Sun stands in the north, else north of it.
    """
    hour_angle = np.radians(longitude_deg - below_sun.longitude_deg)
    declination = np.radians(below_sun.latitude_deg)
    # sin(elevation) = 0; the signs keep the answer between the poles at an equinox too.
    sign = 1.0 if declination >= 0.0 else -1.0
    latitude: Floats = np.degrees(
        np.arctan2(-sign * np.cos(hour_angle) * np.cos(declination), abs(np.sin(declination)))
    )
    return latitude


def sun_directions(
    site: Site, at: Sequence[datetime], *, time_scale: Timescale | None = None
) -> SunDirections:
    """Return in which direction a station has the Sun at each instant.

    Raises:
        ValueError: No instant, or one without a time zone.
    """
    position_km = sun.itrs_km(time_scale or packaged_time_scale(), at)
    east, north, up = ((position_km - site.itrs_km()) @ site.east_north_up().T).T
    return SunDirections(
        azimuth_deg=np.degrees(np.arctan2(east, north)) % 360.0,
        elevation_deg=np.degrees(np.arctan2(up, np.hypot(east, north))),
    )

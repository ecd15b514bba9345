"""Where a spacecraft must be for a station to see it: the station's circle on the map.

For a spacecraft of one height the edge is where the station's lines of sight
along its mask reach that height above the ellipsoid. On a sphere that is a
circle; with a mask by azimuth it is not quite one. No refraction, as in
:mod:`.contact_windows`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from missioncontrol.orbits import wgs84
from missioncontrol.orbits.arrays import Booleans, Floats
from missioncontrol.orbits.sites import Site

_AZIMUTHS: Final = 180
_ROUNDS: Final = 3  # Newton's; from a sphere's answer they are exact to rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibilityCircle:
    """Points of the edge, clockwise as seen from above, WGS84; the last leads to the first."""

    latitude_deg: Floats
    longitude_deg: Floats  # east positive, -180 to 180


def visibility_circle(
    site: Site, height_m: float, *, azimuths: int = _AZIMUTHS
) -> VisibilityCircle:
    """Return above which part of the Earth a spacecraft of a height stands above the mask.

    Args:
        site: The station with its mask.
        height_m: Of the spacecraft above the ellipsoid.
        azimuths: How many points, evenly spaced in azimuth; knots of a mask come besides.

    Raises:
        ValueError: The spacecraft would not be above the station.
    """
    if not height_m > site.height_m:
        raise ValueError(
            f"At {height_m:g} m a spacecraft is not above {site.name}, "
            f"which stands at {site.height_m:g} m; give a greater height."
        )
    even = np.arange(azimuths) * (360.0 / azimuths)
    azimuth_deg = np.union1d(even, [knot for knot, _ in site.horizon_mask])
    elevation_deg = site.mask_at_deg(azimuth_deg)
    sight = _directions(azimuth_deg, elevation_deg) @ site.east_north_up()
    distance_km = _distance_on_sphere(site, elevation_deg, height_m / 1000.0)
    for _ in range(_ROUNDS):
        latitude, longitude, height = wgs84.geodetic(
            site.itrs_km() + distance_km[:, np.newaxis] * sight
        )
        climb = (_up(latitude, longitude) * sight).sum(axis=1)
        distance_km = distance_km - (height - height_m) / 1000.0 / climb
    latitude, longitude, _ = wgs84.geodetic(site.itrs_km() + distance_km[:, np.newaxis] * sight)
    return VisibilityCircle(latitude_deg=latitude, longitude_deg=longitude)


def sees(site: Site, position_km: Floats) -> Booleans:
    """Return whether the station has each spacecraft above its mask.

    Args:
        site: The station with its mask.
        position_km: Earth-fixed (ITRS), shape (n, 3).
    """
    east, north, up = ((position_km - site.itrs_km()) @ site.east_north_up().T).T
    azimuth_deg = np.degrees(np.arctan2(east, north)) % 360.0
    above: Booleans = np.degrees(np.arctan2(up, np.hypot(east, north))) > site.mask_at_deg(
        azimuth_deg
    )
    return above


def _directions(azimuth_deg: Floats, elevation_deg: Floats) -> Floats:
    """Return unit vectors in east, north, up; shape (n, 3)."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    level = np.cos(elevation)
    return np.stack([np.sin(azimuth) * level, np.cos(azimuth) * level, np.sin(elevation)], axis=1)


def _up(latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """Return the verticals at points, shape (n, 3): how height grows along a line."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    level = np.cos(latitude)
    return np.stack(
        [level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)], axis=1
    )


def _distance_on_sphere(site: Site, elevation_deg: Floats, height_km: float) -> Floats:
    """Return how far the lines of sight run to the height, were the Earth a sphere."""
    sine = np.sin(np.radians(elevation_deg))
    centre_km = float(np.linalg.norm(site.itrs_km()))
    shell_km = centre_km + height_km - site.height_m / 1000.0
    distance: Floats = np.sqrt(shell_km**2 - centre_km**2 * (1.0 - sine**2)) - centre_km * sine
    return distance

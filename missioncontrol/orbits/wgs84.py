"""The WGS84 ellipsoid: geodetic coordinates to the Earth-fixed frame and back."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from missioncontrol.orbits.arrays import Floats

EQUATORIAL_RADIUS_KM: Final = 6378.137
FLATTENING: Final = 1.0 / 298.257223563
_ECCENTRICITY2: Final = FLATTENING * (2.0 - FLATTENING)


def itrs_km(*, latitude_deg: float, longitude_deg: float, height_m: float) -> Floats:
    """Return the Earth-fixed position (ITRS) of a geodetic point, shape (3,)."""
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    # Radius of curvature in the prime vertical.
    normal = EQUATORIAL_RADIUS_KM / math.sqrt(1.0 - _ECCENTRICITY2 * math.sin(latitude) ** 2)
    height_km = height_m / 1000.0
    return np.array(
        [
            (normal + height_km) * math.cos(latitude) * math.cos(longitude),
            (normal + height_km) * math.cos(latitude) * math.sin(longitude),
            (normal * (1.0 - _ECCENTRICITY2) + height_km) * math.sin(latitude),
        ]
    )


def east_north_up(*, latitude_deg: float, longitude_deg: float) -> Floats:
    """Return the rotation from ITRS to east, north, up at a point, shape (3, 3)."""
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    sin_lat, cos_lat = math.sin(latitude), math.cos(latitude)
    sin_lon, cos_lon = math.sin(longitude), math.cos(longitude)
    return np.array(
        [
            [-sin_lon, cos_lon, 0.0],
            [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
            [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
        ]
    )


def geodetic(itrs: Floats) -> tuple[Floats, Floats, Floats]:
    """Return latitude (deg), longitude (deg, -180 to 180) and height (m).

    Args:
        itrs: Positions in kilometres, shape (..., 3), outside the Earth's core.

    Source:
        The fixed-point iteration on the reduced latitude (Bowring, 1976); three
        rounds are exact to well under a millimetre up to lunar distance.
    """
    x, y, z = itrs[..., 0], itrs[..., 1], itrs[..., 2]
    axis_distance = np.hypot(x, y)
    polar_radius = EQUATORIAL_RADIUS_KM * (1.0 - FLATTENING)
    second_eccentricity2 = _ECCENTRICITY2 / (1.0 - _ECCENTRICITY2)
    reduced = np.arctan2(z, (1.0 - FLATTENING) * axis_distance)
    for _ in range(3):
        latitude = np.arctan2(
            z + second_eccentricity2 * polar_radius * np.sin(reduced) ** 3,
            axis_distance - _ECCENTRICITY2 * EQUATORIAL_RADIUS_KM * np.cos(reduced) ** 3,
        )
        reduced = np.arctan2((1.0 - FLATTENING) * np.sin(latitude), np.cos(latitude))
    sin_lat, cos_lat = np.sin(latitude), np.cos(latitude)
    # This form has no division by cos(latitude), so it holds at the poles too.
    normal_height = axis_distance * cos_lat + z * sin_lat
    height = normal_height - EQUATORIAL_RADIUS_KM * np.sqrt(1.0 - _ECCENTRICITY2 * sin_lat**2)
    return np.degrees(latitude), np.degrees(np.arctan2(y, x)), height * 1000.0

"""Where a ground station's antenna stands, and how low it can look."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from missioncontrol.orbits import wgs84
from missioncontrol.orbits.arrays import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An antenna's phase centre on the WGS84 ellipsoid, with its elevation mask.

    ``horizon_mask``, where given, stands instead of ``mask_deg``: knots of
    (azimuth, elevation) in degrees, azimuths from 0 up to but not including
    360 and strictly increasing; linear between knots, and across north.

    Raises:
        ValueError: A coordinate or a mask outside its range.
    """

    name: str
    latitude_deg: float
    longitude_deg: float  # east positive, -180 to 360
    height_m: float  # above the ellipsoid
    mask_deg: float = 5.0
    horizon_mask: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        self._check_range("latitude", self.latitude_deg, -90.0, 90.0, "degrees")
        self._check_range("longitude", self.longitude_deg, -180.0, 360.0, "degrees")
        self._check_range("height", self.height_m, -1000.0, 10_000.0, "metres")
        self._check_range("mask", self.mask_deg, -10.0, 89.9, "degrees")
        for azimuth_deg, elevation_deg in self.horizon_mask:
            self._check_range("azimuth of a mask knot", azimuth_deg, 0.0, 359.999999, "degrees")
            self._check_range("elevation of a mask knot", elevation_deg, -10.0, 89.9, "degrees")
        for (before, _), (after, _) in pairwise(self.horizon_mask):
            if after <= before:
                raise ValueError(
                    f"Horizon mask of {self.name}: azimuth {after:g} follows {before:g}; "
                    "give the knots in strictly increasing azimuth."
                )

    @property
    def lowest_mask_deg(self) -> float:
        """The elevation below which no azimuth is open."""
        if self.horizon_mask:
            return min(elevation_deg for _, elevation_deg in self.horizon_mask)
        return self.mask_deg

    @property
    def sin_lowest_mask(self) -> float:
        return math.sin(math.radians(self.lowest_mask_deg))

    def mask_at_deg(self, azimuth_deg: Floats) -> Floats:
        """Return the elevation mask at each azimuth, both in degrees."""
        if not self.horizon_mask:
            return np.full_like(azimuth_deg, self.mask_deg)
        knots = np.array(self.horizon_mask)
        mask: Floats = np.interp(azimuth_deg, knots[:, 0], knots[:, 1], period=360.0)
        return mask

    def itrs_km(self) -> Floats:
        """Return the Earth-fixed position, shape (3,)."""
        return wgs84.itrs_km(
            latitude_deg=self.latitude_deg,
            longitude_deg=self.longitude_deg,
            height_m=self.height_m,
        )

    def east_north_up(self) -> Floats:
        """Return the rotation from ITRS to east, north, up, shape (3, 3)."""
        return wgs84.east_north_up(
            latitude_deg=self.latitude_deg, longitude_deg=self.longitude_deg
        )

    def _check_range(self, label: str, value: float, low: float, high: float, unit: str) -> None:
        if not low <= value <= high:
            raise ValueError(
                f"The {label} of {self.name} is {value:g} {unit}; "
                f"it must lie in {low:g} to {high:g} {unit}."
            )

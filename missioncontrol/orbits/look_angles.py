"""Where to point an antenna, what the Doppler shift is, and where the ground track runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from skyfield.timelib import Timescale

from missioncontrol.orbits import wgs84
from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.earth_rotation import (
    EARTH_ROTATION_RATE_RAD_S,
    julian_day,
    midnight_before,
    sidereal_angle_and_pole,
    teme_to_itrs,
)
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.trajectory import PropagationError, Trajectory, states_at

SPEED_OF_LIGHT_M_S: Final = 299_792_458.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAngles:
    """A spacecraft seen from a site, one value per instant, shape (n,)."""

    azimuth_deg: Floats  # from north over east, 0 to 360
    elevation_deg: Floats  # geometric: no refraction, no light time
    range_m: Floats
    range_rate_m_s: Floats  # positive while it recedes


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAngle:
    """A spacecraft seen from a site at one instant; fields as in :class:`LookAngles`."""

    azimuth_deg: float
    elevation_deg: float
    range_m: float
    range_rate_m_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subpoints:
    """The points below a spacecraft, WGS84, one value per instant, shape (n,)."""

    latitude_deg: Floats
    longitude_deg: Floats  # east positive, -180 to 180
    height_m: Floats


def look_angles(
    trajectory: Trajectory,
    site: Site,
    at: Sequence[datetime],
    *,
    time_scale: Timescale | None = None,
) -> LookAngles:
    """Return where the spacecraft stands, seen from the site, at each instant.

    Raises:
        PropagationError: There is no position at one of the instants.
        ValueError: No instant, or one without a time zone.
    """
    position_km, velocity_km_s = _itrs(trajectory, at, time_scale or packaged_time_scale())
    rotation = site.east_north_up()
    delta = (position_km - site.itrs_km()) @ rotation.T
    velocity = velocity_km_s @ rotation.T
    east, north, up = delta[:, 0], delta[:, 1], delta[:, 2]
    range_km = np.sqrt((delta**2).sum(axis=1))
    return LookAngles(
        azimuth_deg=np.degrees(np.arctan2(east, north)) % 360.0,
        elevation_deg=np.degrees(np.arctan2(up, np.hypot(east, north))),
        range_m=range_km * 1000.0,
        range_rate_m_s=(delta * velocity).sum(axis=1) / range_km * 1000.0,
    )


def doppler_hz(range_rate_m_s: Floats, carrier_hz: float) -> Floats:
    """Return the one-way shift of a carrier: received minus transmitted, in hertz.

    First order in the velocity; what it leaves out, the second-order (time
    dilation) terms, is below 1 Hz per GHz in low orbit.
    """
    return -np.asarray(range_rate_m_s) / SPEED_OF_LIGHT_M_S * carrier_hz


def subpoints(
    trajectory: Trajectory, at: Sequence[datetime], *, time_scale: Timescale | None = None
) -> Subpoints:
    """Return the ground track: the geodetic point below the spacecraft at each instant.

    Raises:
        PropagationError: There is no position at one of the instants.
        ValueError: No instant, or one without a time zone.
    """
    position_km, _ = _itrs(trajectory, at, time_scale or packaged_time_scale())
    latitude_deg, longitude_deg, height_m = wgs84.geodetic(position_km)
    return Subpoints(latitude_deg=latitude_deg, longitude_deg=longitude_deg, height_m=height_m)


class LineOfSight:
    """One spacecraft seen from one site, an instant at a time, in microseconds.

    For whoever asks again and again as time goes by, such as the simulator.
    Within a day the Earth turns evenly, so its rotation is taken from the time
    scale once a day and carried on from there. Not for several threads.
    """

    def __init__(
        self, elements: MeanElements, site: Site, *, time_scale: Timescale | None = None
    ) -> None:
        self._name = elements.name
        self._satrec = elements.satrec()
        self._time_scale = time_scale or packaged_time_scale()
        self._origin_km = tuple(float(one) for one in site.itrs_km())
        self._rotation = tuple(tuple(float(one) for one in row) for row in site.east_north_up())
        self._day: _Day | None = None

    def elevation_deg(self, instant: datetime) -> float:
        """Return the geometric elevation at one instant; raises as :meth:`at`."""
        return self.at(instant).elevation_deg

    def at(self, instant: datetime) -> LookAngle:
        """Return azimuth, elevation, range and range rate at one instant.

        Raises:
            PropagationError: SGP4 has no position then.
            ValueError: The instant carries no time zone.
        """
        position, velocity = self._itrs(instant)
        delta = tuple(a - b for a, b in zip(position, self._origin_km, strict=True))
        east, north, up = (_dot(row, delta) for row in self._rotation)
        distance = math.hypot(*delta)
        return LookAngle(
            azimuth_deg=math.degrees(math.atan2(east, north)) % 360.0,
            elevation_deg=math.degrees(math.atan2(up, math.hypot(east, north))),
            range_m=distance * 1000.0,
            range_rate_m_s=_dot(delta, velocity) / distance * 1000.0,
        )

    def _itrs(self, instant: datetime) -> tuple[tuple[float, ...], tuple[float, ...]]:
        midnight = midnight_before(instant)
        if self._day is None or self._day.midnight != midnight:
            self._day = _Day.of(self._time_scale, midnight)
        fraction = (instant - midnight) / timedelta(days=1)
        code, teme_km, teme_km_s = self._satrec.sgp4(julian_day(midnight), fraction)
        if code:
            raise PropagationError.of_sgp4(name=self._name, code=code, at=instant)
        angle = self._day.angle_rad + self._day.turn_rad * fraction
        cos, sin = math.cos(angle), math.sin(angle)
        x, y, z = teme_km
        vx, vy, vz = teme_km_s
        x, y = cos * x + sin * y, cos * y - sin * x
        vx, vy = cos * vx + sin * vy, cos * vy - sin * vx
        position, velocity = (x, y, z), _relative_velocity((vx, vy, vz), x, y)
        pole = self._day.pole
        return tuple(_dot(row, position) for row in pole), tuple(
            _dot(row, velocity) for row in pole
        )


@dataclass(frozen=True, slots=True)
class _Day:
    """How the Earth turns within one UTC day."""

    midnight: datetime
    angle_rad: float  # GMST at midnight
    turn_rad: float  # by how much it grows until the next
    pole: tuple[tuple[float, ...], ...]  # polar motion at noon; it moves by 0.003" a day

    @classmethod
    def of(cls, time_scale: Timescale, midnight: datetime) -> _Day:
        seconds = np.array([0.0, 43200.0, 86400.0])
        angles, poles = sidereal_angle_and_pole(time_scale, midnight, seconds)
        turn = math.tau + (float(angles[2] - angles[0]) % math.tau)
        pole = tuple(tuple(float(one) for one in row) for row in poles[1])
        return cls(midnight, float(angles[0]), turn, pole)


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _relative_velocity(
    velocity: tuple[float, float, float], x: float, y: float
) -> tuple[float, float, float]:
    """Return a velocity as the turning Earth sees it."""
    vx, vy, vz = velocity
    return vx + EARTH_ROTATION_RATE_RAD_S * y, vy - EARTH_ROTATION_RATE_RAD_S * x, vz


def _itrs(
    trajectory: Trajectory, at: Sequence[datetime], time_scale: Timescale
) -> tuple[Floats, Floats]:
    """Return Earth-fixed positions (km) and velocities (km/s), shape (n, 3)."""
    midnight, seconds, teme_km, teme_km_s = states_at(trajectory, at)
    rotation = teme_to_itrs(time_scale, midnight, seconds)
    position = np.einsum("nij,nj->ni", rotation, teme_km)
    velocity = np.einsum("nij,nj->ni", rotation, teme_km_s)
    velocity[:, 0] += EARTH_ROTATION_RATE_RAD_S * position[:, 1]
    velocity[:, 1] -= EARTH_ROTATION_RATE_RAD_S * position[:, 0]
    return position, velocity

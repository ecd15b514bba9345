"""When the Earth stands between a spacecraft and the Sun, and how much it hides.

The Earth is the WGS84 ellipsoid without its atmosphere: along its axis all is
stretched until it is a sphere, and so are spacecraft and Sun. A sphere of the
equatorial radius instead would be off by four to six seconds at high latitudes
and report eclipses that do not happen. The Sun is a disc, so there is a
penumbra.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np
from skyfield.timelib import Timescale

from missioncontrol.orbits import sun
from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.bracketing import maxima, switch_times
from missioncontrol.orbits.time_grid import seconds_of
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.trajectory import Trajectory, states_at
from missioncontrol.orbits.wgs84 import EQUATORIAL_RADIUS_KM, FLATTENING

_STRETCH: Final = np.array([1.0, 1.0, 1.0 / (1.0 - FLATTENING)])
_SAMPLE_S: Final = 120.0
_NEAR_EDGE_RAD: Final = 0.05  # between two samples the depth dips by much less


class Shadow(StrEnum):
    """How much of the Sun is hidden."""

    UMBRA = "umbra"  # all of it
    PENUMBRA = "penumbra"  # any of it: the umbra counts too


@dataclass(frozen=True, slots=True, kw_only=True)
class EclipseInterval:
    """One stay in the shadow. Times are UTC."""

    shadow: Shadow
    entry: datetime
    exit: datetime
    clipped_start: bool  # already in the shadow at the start of the interval
    clipped_end: bool  # still in it at its end

    @property
    def duration_s(self) -> float:
        return (self.exit - self.entry).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowSpan:
    """A time in which the light stays the same. Times are UTC."""

    shadow: Shadow | None  # None in full sunlight; penumbra is without the umbra here
    begin: datetime
    end: datetime


def eclipse_intervals(
    trajectory: Trajectory,
    *,
    start: datetime,
    end: datetime,
    shadow: Shadow = Shadow.PENUMBRA,
    time_scale: Timescale | None = None,
) -> list[EclipseInterval]:
    """Return the stays in the Earth's shadow, in time order, cut to the interval.

    Raises:
        PropagationError: There is no position somewhere in the interval.
        ValueError: A time without a zone, or *end* not later than *start*.
    """
    midnight, start_s, end_s = seconds_of(start, end)
    path = sun.SunPath(time_scale or packaged_time_scale(), midnight, start_s, end_s)
    search = _EclipseSearch(trajectory, path, midnight, shadow)
    return [
        EclipseInterval(
            shadow=shadow,
            entry=midnight + timedelta(seconds=entry_s),
            exit=midnight + timedelta(seconds=exit_s),
            clipped_start=entry_s <= start_s,
            clipped_end=exit_s >= end_s,
        )
        for entry_s, exit_s in search.between(start_s, end_s)
    ]


def shadow_spans(
    trajectory: Trajectory,
    *,
    start: datetime,
    end: datetime,
    time_scale: Timescale | None = None,
) -> list[ShadowSpan]:
    """Return the whole interval, in time order, cut where light and shadow change.

    Raises:
        PropagationError: There is no position somewhere in the interval.
        ValueError: A time without a zone, or *end* not later than *start*.
    """
    stays = [
        stay
        for shadow in (Shadow.UMBRA, Shadow.PENUMBRA)
        for stay in eclipse_intervals(
            trajectory, start=start, end=end, shadow=shadow, time_scale=time_scale
        )
    ]
    cuts = {start, end}
    cuts |= {stay.entry for stay in stays if not stay.clipped_start}
    cuts |= {stay.exit for stay in stays if not stay.clipped_end}
    return [
        ShadowSpan(shadow=_deepest(stays, begin + (until - begin) / 2), begin=begin, end=until)
        for begin, until in pairwise(sorted(cuts))
    ]


def _deepest(stays: Sequence[EclipseInterval], at: datetime) -> Shadow | None:
    """Return the shadow at an instant; umbras come first among *stays*."""
    return next((stay.shadow for stay in stays if stay.entry <= at <= stay.exit), None)


def sunlit_fraction(
    trajectory: Trajectory, at: Sequence[datetime], *, time_scale: Timescale | None = None
) -> Floats:
    """Return how much of the Sun's disc the spacecraft sees, 0 to 1, at each instant.

    Raises:
        PropagationError: There is no position at one of the instants.
        ValueError: No instant, or one without a time zone.
    """
    position_km, _, sun_km = _spacecraft_and_sun(trajectory, at, time_scale)
    separation, earth, disc = _angles_rad(position_km, sun_km)
    return 1.0 - _hidden_fraction(separation, earth, disc)


def shadows(position_km: Floats, sun_km: Floats) -> list[Shadow | None]:
    """Return in which shadow each of many spacecraft is; None in full sunlight.

    Args:
        position_km: Of the spacecraft, one instant or many, TEME, shape (n, 3).
        sun_km: Of the Sun then, in the same frame and of the same shape.
    """
    separation, earth, disc = _angles_rad(position_km, sun_km)
    depth = earth - separation
    return [
        Shadow.UMBRA if dark else Shadow.PENUMBRA if dim else None
        for dark, dim in zip(depth - disc > 0.0, depth + disc > 0.0, strict=True)
    ]


def beta_angle_deg(
    trajectory: Trajectory, at: Sequence[datetime], *, time_scale: Timescale | None = None
) -> Floats:
    """Return the angle of the Sun above the orbital plane, in degrees, at each instant.

    Positive on the side of the orbit's angular momentum.

    Raises:
        PropagationError: There is no position at one of the instants.
        ValueError: No instant, or one without a time zone.
    """
    position_km, velocity_km_s, sun_km = _spacecraft_and_sun(trajectory, at, time_scale)
    normal = np.cross(position_km, velocity_km_s)
    sine = (normal * sun_km).sum(axis=1) / (
        np.linalg.norm(normal, axis=1) * np.linalg.norm(sun_km, axis=1)
    )
    beta: Floats = np.degrees(np.arcsin(sine))
    return beta


class _EclipseSearch:
    def __init__(
        self, trajectory: Trajectory, path: sun.SunPath, midnight: datetime, shadow: Shadow
    ) -> None:
        self._trajectory = trajectory
        self._sun = path
        self._midnight = midnight
        self._sign = -1.0 if shadow is Shadow.UMBRA else 1.0

    def between(self, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """Return entries and exits, cut to the interval."""
        inner = np.arange(math.ceil(start_s / _SAMPLE_S), math.ceil(end_s / _SAMPLE_S)) * _SAMPLE_S
        at_s = np.unique(np.concatenate([[start_s], inner, [end_s]]))
        at_s = np.sort(np.append(at_s, self._grazes(at_s)))
        dark = self._depth_rad(at_s) > 0.0
        change = np.flatnonzero(dark[1:] != dark[:-1])
        edges = switch_times(
            lambda at: self._depth_rad(at) > 0.0, at_s[change], at_s[change + 1], dark[change]
        )
        bounds = [start_s] * bool(dark[0]) + edges.tolist() + [end_s] * bool(dark[-1])
        return list(zip(bounds[::2], bounds[1::2], strict=True))

    def _grazes(self, at_s: Floats) -> Floats:
        """Return when the edge of the shadow is nearest, where nodes alone may miss it."""
        depth = self._depth_rad(at_s)
        before, here, after = depth[:-2], depth[1:-1], depth[2:]
        outside = (here <= 0.0) & (here >= before) & (here >= after)
        inside = (here > 0.0) & (here <= before) & (here <= after)
        middle = 1 + np.flatnonzero((outside | inside) & (np.abs(here) < _NEAR_EDGE_RAD))
        sign = np.where(depth[middle] > 0.0, -1.0, 1.0)
        return maxima(lambda at: sign * self._depth_rad(at), at_s[middle - 1], at_s[middle + 1])

    def _depth_rad(self, at_s: Floats) -> Floats:
        """Return how deep in the shadow the spacecraft is, as an angle; negative outside."""
        position_km, _ = self._trajectory.teme_states(self._midnight, at_s)
        separation, earth, disc = _angles_rad(position_km, self._sun.teme_km(at_s))
        return earth + self._sign * disc - separation


def _angles_rad(position_km: Floats, sun_km: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the angle from Earth to Sun, and the radii of both discs, as seen aboard."""
    position, sun_position = position_km * _STRETCH, sun_km * _STRETCH
    to_sun = sun_position - position
    across = np.linalg.norm(_cross(position, to_sun), axis=1)
    along = -(position * to_sun).sum(axis=1)
    earth = np.arcsin(np.minimum(EQUATORIAL_RADIUS_KM / np.linalg.norm(position, axis=1), 1.0))
    disc = np.arcsin(sun.RADIUS_KM / np.linalg.norm(sun_km - position_km, axis=1))
    return np.arctan2(across, along), earth, disc


def _cross(a: Floats, b: Floats) -> Floats:
    """Return the cross products of rows; NumPy's own takes four times as long for a few."""
    ax, ay, az = a.T
    bx, by, bz = b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)


def _hidden_fraction(separation: Floats, earth: Floats, disc: Floats) -> Floats:
    """Return the part of the Sun's disc behind the Earth's.

    The discs overlap in a lens; their angular radii are small enough where they
    touch that the lens may be taken as flat.
    """
    # Outside these bounds the discs are apart, or the smaller is wholly covered.
    apart = np.clip(separation, np.abs(earth - disc), earth + disc)
    from_sun = (apart**2 + disc**2 - earth**2) / (2.0 * apart * disc)
    from_earth = (apart**2 + earth**2 - disc**2) / (2.0 * apart * earth)
    sun_angle = np.arccos(np.clip(from_sun, -1.0, 1.0))
    earth_angle = np.arccos(np.clip(from_earth, -1.0, 1.0))
    lens = disc**2 * (sun_angle - np.sin(2.0 * sun_angle) / 2.0) + earth**2 * (
        earth_angle - np.sin(2.0 * earth_angle) / 2.0
    )
    return np.clip(lens / (np.pi * disc**2), 0.0, 1.0)


def _spacecraft_and_sun(
    trajectory: Trajectory, at: Sequence[datetime], time_scale: Timescale | None
) -> tuple[Floats, Floats, Floats]:
    """Return position (km), velocity (km/s) and the Sun's position (km), TEME, (n, 3)."""
    midnight, seconds, position_km, velocity_km_s = states_at(trajectory, at)
    path = sun.SunPath(
        time_scale or packaged_time_scale(), midnight, float(seconds.min()), float(seconds.max())
    )
    return position_km, velocity_km_s, path.teme_km(seconds)

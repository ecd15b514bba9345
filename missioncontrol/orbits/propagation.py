"""Many spacecraft on one grid of times: SGP4, then the frame of the stations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sgp4.api import Satrec, SatrecArray
from skyfield.timelib import Timescale

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.arrays import Booleans, Floats, Integers
from missioncontrol.orbits.earth_rotation import (
    EARTH_ROTATION_RATE_RAD_S,
    julian_day,
    teme_to_itrs,
)
from missioncontrol.orbits.time_grid import TimeGrid
from missioncontrol.orbits.trajectory import PropagationError

GM_KM3_S2: Final = 398600.8  # WGS72, as in SGP4
FLATTENED_SHARE: Final = 0.01  # of gravity: more than the Earth's flattening makes of it


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionBounds:
    """What no spacecraft of a group exceeds within the grid, one value for each."""

    gravity_km_s2: Floats
    apparent_km_s2: Floats  # acceleration that the Earth's turning adds: Coriolis, centrifugal
    speed_km_s: Floats  # relative to the turning Earth
    nearest_km: Floats  # distance from the Earth's centre, at least
    farthest_km: Floats


class Ephemerides:
    """Positions of several spacecraft at the nodes of a grid, Earth-fixed (ITRS)."""

    def __init__(
        self, grid: TimeGrid, position_km: Floats, velocity_km_s: Floats, bounds: MotionBounds
    ) -> None:
        self.grid = grid
        self.position_km = position_km  # (spacecraft, 3, nodes)
        self.velocity_km_s = velocity_km_s  # relative to the turning Earth, same shape
        self.bounds = bounds

    def __len__(self) -> int:
        return len(self.position_km)

    def fit(self, row: Integers, interval: Integers) -> Floats:
        """Return polynomials of positions within intervals, shape (7, 3, m), kilometres."""
        return polynomials.fit(self.position_km, row, interval)

    def at_nodes(self, row: Integers, node: Integers) -> tuple[Floats, Floats]:
        """Return positions and velocities at nodes, each of shape (3, m)."""
        _, axes, nodes = self.position_km.shape
        first = row * (axes * nodes) + node
        index = first + np.arange(axes)[:, np.newaxis] * nodes
        return self.position_km.reshape(-1).take(index), self.velocity_km_s.reshape(-1).take(index)

    def taking(self, rows: Integers | Booleans) -> Ephemerides:
        """Return the same for some of the spacecraft."""
        bounds = MotionBounds(
            gravity_km_s2=self.bounds.gravity_km_s2[rows],
            apparent_km_s2=self.bounds.apparent_km_s2[rows],
            speed_km_s=self.bounds.speed_km_s[rows],
            nearest_km=self.bounds.nearest_km[rows],
            farthest_km=self.bounds.farthest_km[rows],
        )
        return Ephemerides(self.grid, self.position_km[rows], self.velocity_km_s[rows], bounds)


class EarthRotation:
    """TEME to ITRS at every node: computed once for a grid, used for all spacecraft."""

    def __init__(self, grid: TimeGrid, time_scale: Timescale) -> None:
        matrices = teme_to_itrs(time_scale, grid.midnight, grid.seconds)
        self._matrix = np.ascontiguousarray(np.moveaxis(matrices, 0, -1))  # (3, 3, nodes)

    def turn(self, teme: Floats) -> Floats:
        """Turn vectors (spacecraft, nodes, 3) into the Earth's axes: (spacecraft, 3, nodes)."""
        spacecraft, nodes, _ = teme.shape
        turned = np.empty((spacecraft, 3, nodes))
        for axis in range(3):  # multiplications on long rows beat einsum threefold
            turned[:, axis] = self._matrix[axis, 0] * teme[..., 0]
            turned[:, axis] += self._matrix[axis, 1] * teme[..., 1]
            turned[:, axis] += self._matrix[axis, 2] * teme[..., 2]
        return turned


def propagate(
    satrecs: Sequence[Satrec], grid: TimeGrid, rotation: EarthRotation
) -> tuple[NDArray[np.uint8], Ephemerides]:
    """Run SGP4 for every spacecraft at every node.

    Returns:
        Error codes (spacecraft, nodes), 0 where fine; and the ephemerides.
        Where SGP4 fails it still answers with a place, even underground: drop
        such a spacecraft before anything is searched.
    """
    fraction = grid.seconds / 86400.0
    whole = np.full_like(fraction, julian_day(grid.midnight))
    errors, teme_km, teme_km_s = SatrecArray(list(satrecs)).sgp4(whole, fraction)
    position_km, velocity_km_s = rotation.turn(teme_km), rotation.turn(teme_km_s)
    _subtract_rotation(position_km, velocity_km_s)
    bounds = motion_bounds(teme_km, teme_km_s, grid.step_s)
    return errors, Ephemerides(grid, position_km, velocity_km_s, bounds)


def _subtract_rotation(position_km: Floats, velocity_km_s: Floats) -> None:
    """Make velocities relative to the turning Earth, in place."""
    velocity_km_s[:, 0] += EARTH_ROTATION_RATE_RAD_S * position_km[:, 1]
    velocity_km_s[:, 1] -= EARTH_ROTATION_RATE_RAD_S * position_km[:, 0]


def motion_bounds(teme_km: Floats, teme_km_s: Floats, step_s: float) -> MotionBounds:
    """Return what holds between samples of an orbit too.

    Energy and angular momentum stay what they are at the lowest sample, but for
    the Earth's flattening; the margins are greater than what that does.

    Args:
        teme_km: Positions, shape (spacecraft, samples, 3).
        teme_km_s: Velocities, the same shape.
        step_s: No two samples are further apart.
    """
    distance2 = np.einsum("snc,snc->sn", teme_km, teme_km)
    rows, lowest = np.arange(len(teme_km)), distance2.argmin(axis=1)
    low = np.sqrt(distance2[rows, lowest])
    farthest = 1.02 * np.sqrt(distance2.max(axis=1))
    normal = np.cross(teme_km[rows, lowest], teme_km_s[rows, lowest])
    # The distance's second derivative is h**2 / r**3 - GM / r**2.
    falling = np.maximum(
        GM_KM3_S2 / low**2 - 0.98 * np.einsum("sc,sc->s", normal, normal) / farthest**3, 0.0
    )
    nearest = low - 0.125 * step_s**2 * falling
    fastest2 = np.einsum("snc,snc->sn", teme_km_s, teme_km_s).max(axis=1)
    inertial = 1.01 * np.sqrt(fastest2 + 2.0 * GM_KM3_S2 * (1.0 / nearest - 1.0 / low))
    turning = EARTH_ROTATION_RATE_RAD_S
    speed = inertial + turning * farthest
    return MotionBounds(
        gravity_km_s2=(1.0 + FLATTENED_SHARE) * GM_KM3_S2 / nearest**2,
        apparent_km_s2=2.0 * turning * speed + turning**2 * farthest,
        speed_km_s=speed,
        nearest_km=nearest,
        farthest_km=farthest,
    )


def first_error(errors: NDArray[np.uint8], grid: TimeGrid, name: str) -> PropagationError | None:
    """Return what went wrong first for one spacecraft, or None."""
    [wrong] = np.nonzero(errors)
    if len(wrong) == 0:
        return None
    at = grid.at(float(grid.seconds[wrong[0]]))
    return PropagationError.of_sgp4(name=name, code=int(errors[wrong[0]]), at=at)

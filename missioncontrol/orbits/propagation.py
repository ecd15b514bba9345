"""Many spacecraft on one grid of times: SGP4, then the frame of the stations.

The grid is anchored to the epoch of UTC days, not to the interval asked about,
so the same pass comes out the same whatever interval it was asked for in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sgp4.api import SGP4_ERRORS, Satrec, SatrecArray
from skyfield.timelib import Timescale

from missioncontrol.orbits.earth_rotation import (
    EARTH_ROTATION_RATE_RAD_S,
    julian_day,
    midnight_before,
    teme_to_itrs,
)
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.wgs84 import Floats

STEP_S: Final = 120.0  # divides a day; polynomials over 8 nodes are then good to 0.02 ms
MARGIN_NODES: Final = 5  # before the start and after the end, for those polynomials
GM_KM3_S2: Final = 398600.8  # WGS72, as in SGP4

Integers = NDArray[np.int64]


class PropagationError(ValueError):
    """SGP4 could not say where the spacecraft is."""

    def __init__(self, *, name: str, code: int, at: datetime) -> None:
        self.name = name
        self.code = code
        self.at = at
        super().__init__(
            f"SGP4 gives no position of {name} at {at:%Y-%m-%d %H:%M:%SZ} "
            f"(error {code}: {SGP4_ERRORS.get(code, 'unknown')}). Load newer elements."
        )


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """Uniform nodes around an interval; all times are seconds after ``midnight``."""

    midnight: datetime
    start_s: float
    end_s: float
    first_node: int  # number of the first node, counted in steps from midnight
    nodes: int

    @property
    def seconds(self) -> Floats:
        """Times of the nodes, shape (nodes,)."""
        return np.arange(self.first_node, self.first_node + self.nodes, dtype=np.float64) * STEP_S

    def index_of(self, seconds: Floats) -> Integers:
        """Return the node at or before each time, kept clear of the grid's ends."""
        index = np.floor(seconds / STEP_S).astype(np.int64) - self.first_node
        return np.clip(index, MARGIN_NODES - 2, self.nodes - MARGIN_NODES)

    def at(self, seconds: float) -> datetime:
        return self.midnight + timedelta(seconds=seconds)


def time_grid(start: datetime, end: datetime) -> TimeGrid:
    """Return the grid that covers *start* to *end* with its margins.

    Raises:
        ValueError: A time without a zone, or *end* not later than *start*.
    """
    midnight, _ = midnight_before(start), midnight_before(end)
    if end <= start:
        raise ValueError(f"end {end.isoformat()} is not after start {start.isoformat()}")
    start_s = (start - midnight).total_seconds()
    end_s = (end - midnight).total_seconds()
    first = math.floor(start_s / STEP_S) - MARGIN_NODES
    last = math.ceil(end_s / STEP_S) + MARGIN_NODES
    return TimeGrid(midnight, start_s, end_s, first, last - first + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ephemerides:
    """Positions of several spacecraft at the nodes of a grid, Earth-fixed (ITRS)."""

    grid: TimeGrid
    planes_km: Floats  # (spacecraft, 3, nodes): quick to sweep over
    position_km: Floats  # (spacecraft, nodes, 3), the same: quick to pick windows from
    distance_km: Floats  # (spacecraft, nodes), from the Earth's centre
    bending_km_s2: Floats  # (spacecraft,): no acceleration relative to a site exceeds it
    fastest_km_s: Floats  # (spacecraft,): nor any speed this
    nearest_km: Floats  # (spacecraft,): distance from the Earth's centre, at least


def propagate_teme(
    satrecs: Sequence[Satrec], grid: TimeGrid
) -> tuple[NDArray[np.uint8], Floats, Floats]:
    """Run SGP4 for every spacecraft at every node.

    Returns:
        Error codes (spacecraft, nodes), 0 where fine; positions in kilometres
        and velocities in kilometres per second (spacecraft, nodes, 3), TEME.
    """
    fraction = grid.seconds / 86400.0
    whole = np.full_like(fraction, julian_day(grid.midnight))
    errors, position_km, velocity_km_s = SatrecArray(list(satrecs)).sgp4(whole, fraction)
    return errors, position_km, velocity_km_s


def propagate_teme_at(
    elements: MeanElements, at: Sequence[datetime]
) -> tuple[datetime, Floats, Floats, Floats]:
    """Run SGP4 for one spacecraft at any instants.

    Returns:
        A midnight; the instants in seconds after it, shape (n,); positions in
        kilometres and velocities in kilometres per second, (n, 3), TEME.

    Raises:
        PropagationError: SGP4 has no position at one of the instants.
        ValueError: No instant, or one without a time zone.
    """
    if len(at) == 0:
        raise ValueError("No instant was given; pass at least one.")
    midnight = midnight_before(min(at))
    seconds = np.array([(instant - midnight).total_seconds() for instant in at])
    whole = np.full_like(seconds, julian_day(midnight))
    errors, position_km, velocity_km_s = elements.satrec().sgp4_array(whole, seconds / 86400.0)
    [wrong] = np.nonzero(errors)
    if len(wrong):
        code, instant = int(errors[wrong[0]]), at[int(wrong[0])]
        raise PropagationError(name=elements.name, code=code, at=instant)
    return midnight, seconds, position_km, velocity_km_s


def first_error(errors: NDArray[np.uint8], grid: TimeGrid, name: str) -> PropagationError | None:
    """Return what went wrong first for one spacecraft, or None."""
    [wrong] = np.nonzero(errors)
    if len(wrong) == 0:
        return None
    at = grid.at(float(grid.seconds[wrong[0]]))
    return PropagationError(name=name, code=int(errors[wrong[0]]), at=at)


def earth_fixed(
    grid: TimeGrid, rotation: Floats, teme_km: Floats, teme_km_s: Floats
) -> Ephemerides:
    """Turn SGP4's answer into the Earth-fixed frame, with what bounds its motion.

    Args:
        grid: The grid of times.
        rotation: TEME to ITRS at each node, shape (nodes, 3, 3).
        teme_km: Positions, shape (spacecraft, nodes, 3).
        teme_km_s: Velocities of the same shape.
    """
    spacecraft, nodes, _ = teme_km.shape
    planes_km = np.empty((spacecraft, 3, nodes))
    for row in range(3):  # nine multiplications on long rows beat einsum threefold
        planes_km[:, row] = (
            rotation[:, row, 0] * teme_km[..., 0]
            + rotation[:, row, 1] * teme_km[..., 1]
            + rotation[:, row, 2] * teme_km[..., 2]
        )
    distance_km = np.sqrt((planes_km**2).sum(axis=1))
    rows, lowest = np.arange(len(teme_km)), np.argmin(distance_km, axis=1)
    nearest = distance_km[rows, lowest]
    # Between two nodes the distance dips by less than gravity bends in half a step.
    nearest = nearest - 0.125 * STEP_S**2 * GM_KM3_S2 / nearest**2
    inertial = 1.02 * np.linalg.norm(teme_km_s[rows, lowest], axis=1)  # fastest when lowest
    farthest = 1.02 * distance_km.max(axis=1)
    turning = EARTH_ROTATION_RATE_RAD_S
    fastest = inertial + turning * farthest
    # Gravity with a margin for the Earth's flattening, Coriolis, centrifugal.
    bending = 1.01 * GM_KM3_S2 / nearest**2 + 2.0 * turning * fastest + turning**2 * farthest
    return Ephemerides(
        grid=grid,
        planes_km=planes_km,
        position_km=np.ascontiguousarray(np.moveaxis(planes_km, 1, 2)),
        distance_km=distance_km,
        bending_km_s2=bending,
        fastest_km_s=fastest,
        nearest_km=nearest,
    )


def earth_rotation_on(grid: TimeGrid, time_scale: Timescale) -> Floats:
    """Return TEME to ITRS at every node, shape (nodes, 3, 3): once per grid."""
    return teme_to_itrs(time_scale, grid.midnight, grid.seconds)

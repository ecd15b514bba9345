"""An orbit ephemeris on a grid of times, for the search of windows.

Within each interval of the grid the ephemeris is asked at the Chebyshev places
themselves, so that nothing beyond its span is needed.
"""

from __future__ import annotations

import numpy as np
from skyfield.timelib import Timescale

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.arrays import Booleans, Floats, Integers
from missioncontrol.orbits.earth_rotation import teme_to_itrs
from missioncontrol.orbits.orbit_ephemeris import EphemerisSegment
from missioncontrol.orbits.propagation import Ephemerides, motion_bounds
from missioncontrol.orbits.time_grid import TimeGrid


class TabulatedEphemerides(Ephemerides):
    """One segment of an ephemeris, as a group of one spacecraft."""

    def __init__(self, segment: EphemerisSegment, grid: TimeGrid, time_scale: Timescale) -> None:
        intervals = np.arange(grid.first, grid.last)
        at_s = grid.seconds_at(intervals[:, np.newaxis], polynomials.CHEBYSHEV_PLACES).ravel()
        teme_km, teme_km_s = segment.teme_states(grid.midnight, at_s, time_scale)
        turn = teme_to_itrs(time_scale, grid.midnight, at_s)
        position = np.einsum("nij,nj->ni", turn, teme_km)
        samples = position.reshape(len(intervals), polynomials.COEFFICIENTS, 3)
        self._coefficients = np.einsum(
            "pc,nci->pin", polynomials.FROM_CHEBYSHEV_VALUES, samples
        )  # (7, 3, intervals)
        position_km, velocity_km_s = self._at_all_nodes(grid)
        bounds = motion_bounds(teme_km[np.newaxis], teme_km_s[np.newaxis], grid.step_s)
        super().__init__(grid, position_km, velocity_km_s, bounds)

    def fit(self, row: Integers, interval: Integers) -> Floats:
        """Return polynomials of positions within intervals, shape (7, 3, m), kilometres."""
        coefficients: Floats = self._coefficients.take(interval - self.grid.first, axis=2)
        return coefficients

    def taking(self, rows: Integers | Booleans) -> Ephemerides:
        """Return the same: there is but one spacecraft."""
        return self

    def _at_all_nodes(self, grid: TimeGrid) -> tuple[Floats, Floats]:
        """Return positions and velocities, shape (1, 3, nodes); none in the margins."""
        position = np.full((1, 3, grid.nodes), np.nan)
        velocity = np.full((1, 3, grid.nodes), np.nan)
        count = self._coefficients.shape[2]
        for place, first in ((-0.5, grid.first), (0.5, grid.first + 1)):
            value, slope = polynomials.value_and_slope_at(
                self._coefficients, np.full(count, place)
            )
            position[0, :, first : first + count] = value
            velocity[0, :, first : first + count] = slope / grid.step_s
        return position, velocity

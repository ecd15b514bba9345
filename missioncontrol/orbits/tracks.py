"""Where the spacecraft of a group stand, seen from stations, at any time."""

from __future__ import annotations

import numpy as np

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.arrays import Floats, Integers, dot
from missioncontrol.orbits.ground_clearance import GroundClearance


class Tracks:
    """Lines of sight of pairs of spacecraft and station."""

    def __init__(self, clearance: GroundClearance) -> None:
        self._clearance = clearance
        self.grid = clearance.grid

    def line_of_sight_km(self, pair: Integers, at_s: Floats) -> Floats:
        """Return vectors from station to spacecraft, Earth-fixed, shape (3, m)."""
        interval, place = self.grid.locate(at_s)
        sight = np.empty((3, len(pair)))
        for block in polynomials.blocks(len(pair)):
            sight[:, block] = self._within_block(pair[block], interval[block], place[block])
        return sight

    def east_north_up_km(self, pair: Integers, at_s: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the lines of sight in the stations' own axes."""
        sight, stations = self.line_of_sight_km(pair, at_s), self._clearance.stations
        _, site = self._clearance.parts(pair)
        east, north, up = (
            dot(axis.take(site, axis=1), sight)
            for axis in (stations.east, stations.north, stations.up)
        )
        return east, north, up

    def azimuth_elevation_deg(self, pair: Integers, at_s: Floats) -> tuple[Floats, Floats]:
        """Return azimuth, 0 to 360 from north over east, and elevation, in degrees."""
        east, north, up = self.east_north_up_km(pair, at_s)
        elevation = np.degrees(np.arctan2(up, np.hypot(east, north)))
        return np.degrees(np.arctan2(east, north)) % 360.0, elevation

    def _within_block(self, pair: Integers, interval: Integers, place: Floats) -> Floats:
        # Neighbouring rows in one interval, as samples of a pass are, share its polynomial.
        new = np.ones(len(pair), dtype=np.bool_)
        new[1:] = (pair[1:] != pair[:-1]) | (interval[1:] != interval[:-1])
        curves = self._clearance.curves(pair[new], interval[new])
        return curves.taking(np.cumsum(new) - 1).line_of_sight_km(place)

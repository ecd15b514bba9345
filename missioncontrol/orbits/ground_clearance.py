"""How far spacecraft stand above the masks of ground stations.

The clearance is ``up - sin(mask) * range``, in kilometres: positive exactly
above the mask, smooth, and free of trigonometry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.arrays import Floats, Integers, dot
from missioncontrol.orbits.clearance import Curvature, NearNodes
from missioncontrol.orbits.propagation import FLATTENED_SHARE, GM_KM3_S2, Ephemerides
from missioncontrol.orbits.sites import Site

_NEAREST_RANGE_KM: Final = 20.0  # a spacecraft nearer than this to a station is landing


class Stations:
    """Sites as arrays, one column for each."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self.origin_km = np.array([site.itrs_km() for site in sites]).T  # (3, sites)
        axes = np.array([site.east_north_up() for site in sites])
        self.east, self.north, self.up = np.ascontiguousarray(np.moveaxis(axes, 0, -1))
        self.sin_mask = np.array([site.sin_lowest_mask for site in sites])

    def __len__(self) -> int:
        return len(self.sin_mask)

    def azimuth_deg(self, site: Integers, line_of_sight_km: Floats) -> Floats:
        """Return azimuths, 0 to 360 from north over east."""
        east = dot(self.east.take(site, axis=1), line_of_sight_km)
        north = dot(self.north.take(site, axis=1), line_of_sight_km)
        azimuth: Floats = np.degrees(np.arctan2(east, north)) % 360.0
        return azimuth

    def sin_elevation(self, site: Integers, line_of_sight_km: Floats) -> Floats:
        """Return sines of geometric elevations."""
        up = dot(self.up.take(site, axis=1), line_of_sight_km)
        sine: Floats = up / np.sqrt(dot(line_of_sight_km, line_of_sight_km))
        return sine


class GroundClearance:
    """Every spacecraft of a group above every station; pairs count station by station."""

    def __init__(self, ephemerides: Ephemerides, stations: Stations) -> None:
        self._ephemerides = ephemerides
        self.stations = stations
        self.grid = ephemerides.grid
        bounds, sine = ephemerides.bounds, np.abs(stations.sin_mask)
        # Of each spacecraft above each station, shape (spacecraft, stations):
        self._shortest_km = np.maximum(
            bounds.nearest_km[:, np.newaxis]
            - np.sqrt(dot(stations.origin_km, stations.origin_km)),
            _NEAREST_RANGE_KM,
        )
        self._apparent_km_s2 = bounds.apparent_km_s2[:, np.newaxis] * (1.0 + sine)
        self._swing_km2_s2 = bounds.speed_km_s[:, np.newaxis] ** 2 * sine
        self._level_km = dot(stations.up, stations.origin_km)  # of the horizontal planes

    def parts(self, pair: Integers) -> tuple[Integers, Integers]:
        """Return spacecraft and station of pairs."""
        row = pair // len(self.stations)
        return row, pair - row * len(self.stations)

    def curvature(
        self, pair: Integers, distance_km: Floats, height_km: Floats, within_s: float
    ) -> Curvature:
        """Return bounds of ``up'' - s * range''``.

        ``range''`` lies between ``-a`` and ``a + v**2 / range``. In ``up''``
        gravity pulls downwards as long as the spacecraft is on the station's
        side of the Earth: then the clearance hardly bends upwards at all.
        """
        row, site = self.parts(pair)
        bounds, sine = self._ephemerides.bounds, self.stations.sin_mask.take(site)
        travel_km = within_s * bounds.speed_km_s.take(row)
        shortest_km = np.maximum(distance_km - travel_km, self._shortest_km.reshape(-1).take(pair))
        gravity = bounds.gravity_km_s2.take(row)
        apparent = self._apparent_km_s2.reshape(-1).take(pair)
        swing = self._swing_km2_s2.reshape(-1).take(pair) / shortest_km
        lowest_km = height_km + self._level_km.take(site) - travel_km
        pull = (1.0 - FLATTENED_SHARE) * GM_KM3_S2 / bounds.farthest_km.take(row) ** 3 * lowest_km
        along = np.abs(sine) * gravity + np.where(sine < 0.0, swing, 0.0)
        return Curvature(
            upwards=np.maximum(apparent + along - np.where(pull > 0.0, pull, -gravity), 0.0),
            downwards=apparent + gravity * (1.0 + np.abs(sine)) + swing,
        )

    def turning_rad_s(self, pair: Integers) -> Floats:
        """Return how fast the spacecraft may at most move across the station's sky."""
        row, _ = self.parts(pair)
        speed = self._ephemerides.bounds.speed_km_s.take(row)
        turning: Floats = speed / self._shortest_km.reshape(-1).take(pair)
        return turning

    def near_nodes(self) -> NearNodes:
        """Return all nodes above the mask, and those with a pass perhaps beside them."""
        grid, stations = self.grid, self.stations
        searched = slice(grid.first, grid.last + 1)
        onto_up = stations.up.T @ self._ephemerides.position_km[:, :, searched]
        near = np.flatnonzero(onto_up > self._lowest_onto_up()[:, :, np.newaxis])
        pair = near // onto_up.shape[2]
        node = near - pair * onto_up.shape[2] + grid.first
        row, site = self.parts(pair)
        position, velocity = self._ephemerides.at_nodes(row, node)
        position -= stations.origin_km.take(site, axis=1)
        up, sine = stations.up.take(site, axis=1), stations.sin_mask.take(site)
        height, climb = dot(up, position), dot(up, velocity)
        range2, opening = dot(position, position), dot(position, velocity)
        distance = np.sqrt(range2)
        return NearNodes(
            pair=pair,
            node=node,
            value=height - sine * distance,
            rate=climb - sine * opening / distance,
            distance_km=distance,
            height_km=height,
            improving=climb * range2 > height * opening,
        )

    def curves(self, pair: Integers, interval: Integers) -> GroundCurves:
        """Return the pairs' motion within intervals."""
        row, site = self.parts(pair)
        coefficients = self._ephemerides.fit(row, interval)
        coefficients[0] -= self.stations.origin_km.take(site, axis=1)
        return GroundCurves(
            coefficients,
            self.stations.up.take(site, axis=1),
            self.stations.sin_mask.take(site),
        )

    def _lowest_onto_up(self) -> Floats:
        """Return the least ``up`` component, from the Earth's centre, of a node that matters.

        Between two nodes the clearance exceeds the larger of them by at most an
        eighth of ``step**2`` times its greatest curvature.
        """
        stations, bounds = self.stations, self._ephemerides.bounds
        gravity = bounds.gravity_km_s2[:, np.newaxis] * (1.0 + np.abs(stations.sin_mask))
        curvature = self._apparent_km_s2 + gravity + self._swing_km2_s2 / self._shortest_km
        reach = 0.125 * self.grid.step_s**2 * curvature
        radius = np.sqrt(dot(stations.origin_km, stations.origin_km))
        farthest = bounds.farthest_km[:, np.newaxis] + radius
        bound = np.where(stations.sin_mask > 0.0, self._shortest_km, farthest)
        lowest: Floats = self._level_km + stations.sin_mask * bound - reach
        return lowest


@dataclass(frozen=True, slots=True)
class GroundCurves:
    """Lines of sight as polynomials, each within its interval."""

    coefficients: Floats  # (7, 3, m), kilometres from the station
    up: Floats  # (3, m)
    sin_mask: Floats  # (m,)

    def taking(self, which: Integers) -> GroundCurves:
        return GroundCurves(
            self.coefficients.take(which, axis=2),
            self.up.take(which, axis=1),
            self.sin_mask.take(which),
        )

    def line_of_sight_km(self, at: Floats) -> Floats:
        """Return vectors from the station to the spacecraft, shape (3, m)."""
        return polynomials.value_at(self.coefficients, at)

    def start_middle_end(self) -> tuple[Floats, Floats, Floats]:
        """Return the clearance at both ends and in the middle of the intervals."""
        start, end = polynomials.ends_of(self.coefficients)
        return self._clearance(start), self._clearance(self.coefficients[0]), self._clearance(end)

    def nearest(self) -> Floats:
        """Return about where the range is shortest, or the nearer end."""
        start, end = polynomials.ends_of(self.coefficients)
        middle = self.coefficients[0]
        return polynomials.lowest_of_parabola(
            dot(start, start), dot(middle, middle), dot(end, end)
        )

    def clearance(self, at: Floats) -> tuple[Floats, Floats]:
        """Return the clearance and its derivative by the place."""
        position, velocity = polynomials.value_and_slope_at(self.coefficients, at)
        distance = np.sqrt(dot(position, position))
        value = dot(self.up, position) - self.sin_mask * distance
        slope = dot(self.up, velocity) - self.sin_mask * dot(position, velocity) / distance
        return value, slope

    def worsening(self, at: Floats) -> tuple[Floats, Floats]:
        """Return what is zero at a culmination and rises through it, and its derivative.

        That is the derivative of the elevation's sine but for its sign and a
        positive factor.
        """
        position, velocity, bending = polynomials.derivatives_at(self.coefficients, at)
        range2, opening = dot(position, position), dot(position, velocity)
        widening = dot(velocity, velocity) + dot(position, bending)
        height, climb = dot(self.up, position), dot(self.up, velocity)
        value = height * opening - climb * range2
        slope = height * widening - climb * opening - dot(self.up, bending) * range2
        return value, slope

    def _clearance(self, position: Floats) -> Floats:
        distance = np.sqrt(dot(position, position))
        value: Floats = dot(self.up, position) - self.sin_mask * distance
        return value

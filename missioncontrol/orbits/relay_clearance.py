"""How far the line between two spacecraft passes above the Earth.

The Earth is the WGS84 ellipsoid with a layer on top that no line may graze. All
is measured in its axes, so that it becomes the unit sphere; spacecraft stand at
``u`` and ``w``. From ``u`` one sees over the edge of the sphere as far as the
angle whose cosine is ``1/|u|``, and from ``w`` likewise; the line is free
exactly if the angle between them is less than both together, that is if

    u . w - 1 + sqrt(u**2 - 1) * sqrt(w**2 - 1) > 0.

That clearance is smooth, without dimension, and free of trigonometry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.arrays import Booleans, Floats, Integers, dot
from missioncontrol.orbits.clearance import Curvature, NearNodes
from missioncontrol.orbits.propagation import Ephemerides
from missioncontrol.orbits.wgs84 import EQUATORIAL_RADIUS_KM, FLATTENING


def grazing_axes_km(grazing_height_m: float) -> Floats:
    """Return the half axes of the ellipsoid that no line may enter, shape (3, 1)."""
    height_km = grazing_height_m / 1000.0
    equatorial = EQUATORIAL_RADIUS_KM + height_km
    polar = EQUATORIAL_RADIUS_KM * (1.0 - FLATTENING) + height_km
    return np.array([[equatorial], [equatorial], [polar]])


def flies_above(ephemerides: Ephemerides, axes_km: Floats) -> Booleans:
    """Return which spacecraft of a group stay outside that ellipsoid, shape (spacecraft,)."""
    above: Booleans = ephemerides.bounds.nearest_km > axes_km.max()
    return above


class RelayClearance:
    """Every spacecraft of a group seen from one relay; a pair has the number of its row."""

    def __init__(self, ephemerides: Ephemerides, relay: Ephemerides, axes_km: Floats) -> None:
        self.grid = ephemerides.grid
        self._ephemerides = ephemerides
        self._relay = relay
        self._axes_km = axes_km
        self._curvature = self._greatest_curvature()

    def near_nodes(self) -> NearNodes:
        """Return all nodes with a free line, and those with one perhaps beside them."""
        searched = slice(self.grid.first, self.grid.last + 1)
        u = self._ephemerides.position_km[:, :, searched] / self._axes_km
        w = self._relay.position_km[0][:, searched] / self._axes_km
        onto = np.einsum("scn,cn->sn", u, w)
        beyond_u, beyond_w = (np.einsum("...cn,...cn->...n", one, one) - 1.0 for one in (u, w))
        clearance = onto - 1.0 + np.sqrt(beyond_u * beyond_w)
        reach = 0.125 * self.grid.step_s**2 * self._curvature
        row, column = np.nonzero(clearance > -reach[:, np.newaxis])
        node = column + self.grid.first
        ours = self._ephemerides.at_nodes(row, node)
        theirs = self._relay.at_nodes(np.zeros_like(row), node)
        sight, drift = ours[0] - theirs[0], ours[1] - theirs[1]
        _, rate = self._clearance(ours, theirs)
        return NearNodes(
            pair=row,
            node=node,
            value=clearance[row, column],
            rate=rate,
            distance_km=np.sqrt(dot(sight, sight)),
            height_km=np.zeros(len(row)),
            improving=dot(sight, drift) < 0.0,
        )

    def curvature(
        self, pair: Integers, distance_km: Floats, height_km: Floats, within_s: float
    ) -> Curvature:
        """Return the same bound for both directions and everywhere."""
        greatest = self._curvature.take(pair)
        return Curvature(upwards=greatest, downwards=greatest)

    def curves(self, pair: Integers, interval: Integers) -> RelayCurves:
        """Return the motion of both spacecraft of pairs within intervals."""
        return RelayCurves(
            self._ephemerides.fit(pair, interval),
            self._relay.fit(np.zeros_like(pair), interval),
            self._axes_km,
        )

    def _clearance(
        self, ours: tuple[Floats, Floats], theirs: tuple[Floats, Floats]
    ) -> tuple[Floats, Floats]:
        scaled = [one / self._axes_km for one in (*ours, *theirs)]
        return _clearance_and_slope(*scaled)

    def _greatest_curvature(self) -> Floats:
        """Return a bound of the second derivative for each spacecraft, per second squared."""
        ours, theirs = (_Motion.of(one, self._axes_km) for one in (self._ephemerides, self._relay))
        onto = (
            ours.bending * theirs.distance
            + 2.0 * ours.speed * theirs.speed
            + ours.distance * theirs.bending
        )
        beyond = (
            ours.beyond_bending * theirs.beyond
            + 2.0 * ours.beyond_speed * theirs.beyond_speed
            + ours.beyond * theirs.beyond_bending
        )
        curvature: Floats = onto + beyond
        return curvature


@dataclass(frozen=True, slots=True)
class _Motion:
    """What ``u``, and ``p = sqrt(u**2 - 1)``, never exceed; one value for each spacecraft."""

    distance: Floats
    speed: Floats
    bending: Floats
    beyond: Floats  # p
    beyond_speed: Floats
    beyond_bending: Floats

    @classmethod
    def of(cls, ephemerides: Ephemerides, axes_km: Floats) -> _Motion:
        bounds, shortest = ephemerides.bounds, float(axes_km.min())
        distance, speed = bounds.farthest_km / shortest, bounds.speed_km_s / shortest
        bending = (bounds.gravity_km_s2 + bounds.apparent_km_s2) / shortest
        least = np.sqrt((bounds.nearest_km / float(axes_km.max())) ** 2 - 1.0)
        # p' = u.u'/p, and u.u' changes by no more than this in half a step.
        gain = speed**2 + distance * bending
        climb = _greatest_climb(ephemerides, axes_km) + 0.5 * ephemerides.grid.step_s * gain
        climb = np.minimum(climb, distance * speed)
        beyond_speed = climb / least
        return cls(
            distance=distance,
            speed=speed,
            bending=bending,
            beyond=np.sqrt(distance**2 - 1.0),
            beyond_speed=beyond_speed,
            beyond_bending=(gain + beyond_speed**2) / least,
        )


def _greatest_climb(ephemerides: Ephemerides, axes_km: Floats) -> Floats:
    """Return the greatest ``u.u'`` at the nodes."""
    searched = slice(ephemerides.grid.first, ephemerides.grid.last + 1)
    position = ephemerides.position_km[:, :, searched] / axes_km
    velocity = ephemerides.velocity_km_s[:, :, searched] / axes_km
    climb: Floats = np.abs(np.einsum("scn,scn->sn", position, velocity)).max(axis=1)
    return climb


def _clearance_and_slope(
    u: Floats, u_slope: Floats, w: Floats, w_slope: Floats
) -> tuple[Floats, Floats]:
    beyond_u, beyond_w = np.sqrt(dot(u, u) - 1.0), np.sqrt(dot(w, w) - 1.0)
    value = dot(u, w) - 1.0 + beyond_u * beyond_w
    slope = (
        dot(u_slope, w)
        + dot(u, w_slope)
        + dot(u, u_slope) / beyond_u * beyond_w
        + dot(w, w_slope) / beyond_w * beyond_u
    )
    return value, slope


@dataclass(frozen=True, slots=True)
class RelayCurves:
    """Positions of two spacecraft as polynomials, each within its interval."""

    ours: Floats  # (7, 3, m), kilometres from the Earth's centre
    theirs: Floats
    axes_km: Floats

    def taking(self, which: Integers) -> RelayCurves:
        return RelayCurves(
            self.ours.take(which, axis=2), self.theirs.take(which, axis=2), self.axes_km
        )

    def line_of_sight_km(self, at: Floats) -> Floats:
        """Return vectors from the relay to the spacecraft, shape (3, m)."""
        return polynomials.value_at(self.ours - self.theirs, at)

    def start_middle_end(self) -> tuple[Floats, Floats, Floats]:
        """Return the clearance at both ends and in the middle of the intervals."""
        count = self.ours.shape[2]
        start, middle, end = (
            self.clearance(np.full(count, place))[0] for place in (-0.5, 0.0, 0.5)
        )
        return start, middle, end

    def nearest(self) -> Floats:
        """Return about where the two are nearest to each other, or the nearer end."""
        sight = self.ours - self.theirs
        start, end = polynomials.ends_of(sight)
        middle = sight[0]
        return polynomials.lowest_of_parabola(
            dot(start, start), dot(middle, middle), dot(end, end)
        )

    def clearance(self, at: Floats) -> tuple[Floats, Floats]:
        """Return the clearance and its derivative by the place."""
        ours = polynomials.value_and_slope_at(self.ours, at)
        theirs = polynomials.value_and_slope_at(self.theirs, at)
        return _clearance_and_slope(*(one / self.axes_km for one in (*ours, *theirs)))

    def worsening(self, at: Floats) -> tuple[Floats, Floats]:
        """Return what is zero at the nearest approach and rises through it, and its derivative."""
        sight, drift, bending = polynomials.derivatives_at(self.ours - self.theirs, at)
        return dot(sight, drift), dot(drift, drift) + dot(sight, bending)

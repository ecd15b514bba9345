"""Every pass of a group of spacecraft over one site, none lost between nodes.

A pass is an interval above the site's lowest mask, not yet cut to the interval
asked about and not yet split by an azimuth mask. Times are seconds after the
grid's midnight; a pass open at the first or last node has an infinite end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.polynomials import Booleans
from missioncontrol.orbits.propagation import MARGIN_NODES, STEP_S, Ephemerides, Integers
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.wgs84 import Floats

_NEAREST_RANGE_KM = 20.0  # a spacecraft nearer than this to a station is landing


@dataclass(frozen=True, slots=True)
class Passes:
    """Passes in the order of spacecraft, then time; columns of one length."""

    row: Integers  # spacecraft, as numbered in the ephemerides
    aos_s: Floats
    los_s: Floats


@dataclass(frozen=True, slots=True)
class Culminations:
    """Moments of locally highest elevation above the mask, ordered as passes."""

    row: Integers
    at_s: Floats
    sin_elevation: Floats


@dataclass(frozen=True, slots=True)
class _Crossings:
    row: Integers
    at_s: Floats
    rising: Booleans


@dataclass(frozen=True, slots=True)
class _Turns:
    """Local extremes of the elevation at nodes, before they are solved."""

    row: Integers
    node: Integers
    above: Booleans  # whether the node itself is above the mask
    highest: Booleans  # a maximum, else a minimum


class PassSearch:
    """The search over one site. The ephemerides are shared by all sites."""

    def __init__(self, ephemerides: Ephemerides, site: Site) -> None:
        self._ephemerides = ephemerides
        self._origin_km = site.itrs_km()
        self._rotation = site.east_north_up()
        self._sin_mask = site.sin_lowest_mask
        # One node beyond the interval at each end, so that its edges are inside.
        self._first = MARGIN_NODES - 1
        self._last = ephemerides.grid.nodes - MARGIN_NODES

    def find(self) -> tuple[Passes, Culminations]:
        """Return all passes and culminations that touch the interval."""
        sin_elevation = self._sin_elevation_at_nodes()
        above = sin_elevation > self._sin_mask
        turns = self._turns(sin_elevation, above)
        inner, culminations = self._solve_turns(turns)
        crossings = [self._solve_crossings(above), *inner]
        return _pair(crossings, above), culminations

    def _sin_elevation_at_nodes(self) -> Floats:
        inner = slice(self._first, self._last + 1)
        planes = self._ephemerides.planes_km[:, :, inner]
        # One small product per spacecraft: a large one would wait for BLAS threads.
        onto = np.stack([self._rotation[2], self._origin_km]) @ planes
        onto_up, onto_origin = onto[:, 0], onto[:, 1]
        # |r - o|^2 spelled out, as |r| is there already and the same for all sites.
        range2 = self._ephemerides.distance_km[:, inner] ** 2 - 2.0 * onto_origin
        range2 += self._origin_km @ self._origin_km
        sine: Floats = (onto_up - self._rotation[2] @ self._origin_km) / np.sqrt(range2)
        return sine

    def _turns(self, sin_elevation: Floats, above: Booleans) -> _Turns:
        """Return the nodes next to an extreme that may hide a crossing or a culmination.

        Between two nodes the clearance ``up - sin(mask) * range`` exceeds the
        larger of them by at most ``h**2 / 8`` times its greatest curvature, so
        a maximum further than that below the mask hides nothing. The same
        holds for minima above the mask.
        """
        growing = sin_elevation[:, 1:] > sin_elevation[:, :-1]
        inner = above[:, 1:-1]
        maximum = growing[:, :-1] & ~growing[:, 1:]
        minimum = ~growing[:, :-1] & growing[:, 1:] & inner
        row, node = np.nonzero(maximum | minimum)
        highest = maximum[row, node]
        is_above = inner[row, node]
        # Range where it matters is within the reach of the bound, so bound it below.
        reach = self._reach_km()[row]
        clearance = sin_elevation[row, node + 1] - self._sin_mask
        distance = self._range_km(row, node + 1 + self._first)
        near = np.abs(clearance) * distance < reach
        keep = near | (highest & is_above)
        return _Turns(row[keep], node[keep] + 1 + self._first, is_above[keep], highest[keep])

    def _reach_km(self) -> Floats:
        """How far the clearance may rise between two nodes, per spacecraft.

        Its curvature is at most ``a * (1 + |s|) + |s| * v**2 / range``.
        """
        sine = abs(self._sin_mask)
        ephemerides = self._ephemerides
        shortest = ephemerides.nearest_km - np.linalg.norm(self._origin_km)
        shortest = np.maximum(shortest, _NEAREST_RANGE_KM)
        curvature = (
            ephemerides.bending_km_s2 * (1.0 + sine)
            + sine * ephemerides.fastest_km_s**2 / shortest
        )
        return 0.125 * STEP_S**2 * curvature

    def _range_km(self, row: Integers, node: Integers) -> Floats:
        delta = self._ephemerides.position_km[row, node] - self._origin_km
        distance: Floats = np.sqrt(np.einsum("mc,mc->m", delta, delta))
        return distance

    def _fit(self, row: Integers, node: Integers) -> Floats:
        return polynomials.fit(
            self._ephemerides.position_km, row, node, self._rotation, self._origin_km
        )

    def _seconds(self, node: Integers, step: Floats) -> Floats:
        return (self._ephemerides.grid.first_node + node + step) * STEP_S

    def _solve_crossings(self, above: Booleans) -> _Crossings:
        row, node = np.nonzero(above[:, 1:] != above[:, :-1])
        rising = above[row, node + 1]
        node = node + self._first
        zero, one = np.zeros(len(row)), np.ones(len(row))
        step = polynomials.elevation_crossings(
            self._fit(row, node), self._sin_mask, zero, one, rising
        )
        return _Crossings(row, self._seconds(node, step), rising)

    def _solve_turns(self, turns: _Turns) -> tuple[list[_Crossings], Culminations]:
        """Return crossings hidden between nodes, and culminations above the mask."""
        coefficients = self._fit(turns.row, turns.node)
        one = np.ones(len(turns.row))
        step = polynomials.culminations(coefficients, -one, one, highest=turns.highest)
        east_north_up = polynomials.value_at(coefficients, step)
        sine = east_north_up[2] / np.sqrt((east_north_up**2).sum(axis=0))
        peak_above = sine > self._sin_mask
        # The node on one side of the mask, the extreme beside it on the other.
        hidden = peak_above != turns.above
        inner = self._solve_hidden(
            coefficients[:, :, hidden],
            _Turns(*(column[hidden] for column in _columns(turns))),
            step[hidden],
        )
        seen = turns.highest & peak_above
        culminations = Culminations(
            turns.row[seen], self._seconds(turns.node[seen], step[seen]), sine[seen]
        )
        return inner, culminations

    def _solve_hidden(self, coefficients: Floats, turns: _Turns, peak: Floats) -> list[_Crossings]:
        """Return the two crossings around each extreme that lies between nodes."""
        one = np.ones(len(peak))
        found = []
        for low, high, rising in ((-one, peak, turns.highest), (peak, one, ~turns.highest)):
            step = polynomials.elevation_crossings(coefficients, self._sin_mask, low, high, rising)
            found.append(_Crossings(turns.row, self._seconds(turns.node, step), rising))
        return found


def _columns(turns: _Turns) -> tuple[Integers, Integers, Booleans, Booleans]:
    return turns.row, turns.node, turns.above, turns.highest


def _pair(crossings: list[_Crossings], above: Booleans) -> Passes:
    """Put crossings in order and read them off as passes."""
    [open_first], [open_last] = np.nonzero(above[:, 0]), np.nonzero(above[:, -1])
    row = np.concatenate([open_first, *(c.row for c in crossings), open_last])
    at_s = np.concatenate(
        [
            np.full(len(open_first), -np.inf),
            *(c.at_s for c in crossings),
            np.full(len(open_last), np.inf),
        ]
    )
    order = np.lexsort((at_s, row))
    row, at_s = row[order], at_s[order]
    # Crossings alternate, so each even one is an acquisition and each odd one a loss.
    return Passes(row[::2], at_s[::2], at_s[1::2])

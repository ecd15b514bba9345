"""What the search for windows needs to know of two things that may see each other.

A clearance is a smooth function of time that is positive while they do. It
belongs to a pair (spacecraft and station, or two spacecraft); pairs have
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from missioncontrol.orbits.arrays import Booleans, Floats, Integers
from missioncontrol.orbits.time_grid import TimeGrid


@dataclass(frozen=True, slots=True)
class Curvature:
    """Bounds of second derivatives, km/s**2; columns of one length."""

    upwards: Floats  # they are nowhere greater than this, which is not below zero
    downwards: Floats  # and nowhere less than minus this


@dataclass(frozen=True, slots=True, kw_only=True)
class NearNodes:
    """Nodes of pairs, by pair, then time; columns of one length."""

    pair: Integers
    node: Integers
    value: Floats  # of the clearance
    rate: Floats  # its derivative, per second
    distance_km: Floats
    height_km: Floats  # above the station's horizontal plane; zero between spacecraft
    improving: Booleans  # whether the best moment of the pass is still to come


class Curves(Protocol):
    """Clearances as functions of the place in an interval, -1/2 to 1/2; many at once."""

    def taking(self, which: Integers) -> Curves:
        """Return some of them."""

    def line_of_sight_km(self, at: Floats) -> Floats:
        """Return vectors to the spacecraft, shape (3, m)."""

    def start_middle_end(self) -> tuple[Floats, Floats, Floats]:
        """Return the clearance at both ends and in the middle of the intervals."""

    def nearest(self) -> Floats:
        """Return about where the range is shortest, or the nearer end."""

    def clearance(self, at: Floats) -> tuple[Floats, Floats]:
        """Return the clearance and its derivative by the place."""

    def worsening(self, at: Floats) -> tuple[Floats, Floats]:
        """Return what rises through zero at the best moment, and its derivative."""


class Clearance(Protocol):
    """Clearances of many pairs on one grid of times."""

    grid: TimeGrid

    def near_nodes(self) -> NearNodes:
        """Return all nodes with a positive clearance, and those with one perhaps beside them."""

    def curvature(
        self, pair: Integers, distance_km: Floats, height_km: Floats, within_s: float
    ) -> Curvature:
        """Return how strongly the clearances may bend.

        Args:
            pair: The pairs.
            distance_km: Their distances at some moment.
            height_km: Their heights then.
            within_s: How far from that moment the bounds must hold.
        """

    def curves(self, pair: Integers, interval: Integers) -> Curves:
        """Return the clearances of pairs within intervals."""

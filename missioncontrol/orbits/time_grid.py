"""Uniform grids of times, on which spacecraft are propagated and searched.

A grid is anchored to the midnight of a UTC day, not to the interval asked
about, so the same pass comes out the same whatever interval it was asked for
in. All times are seconds after that midnight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from missioncontrol.orbits.arrays import Floats, Integers
from missioncontrol.orbits.earth_rotation import midnight_before

LONGEST_STEP_S: Final = 300.0  # it and its halves divide a day
_SHORTEST_STEP_S: Final = 18.75
# How far a spacecraft may go round in a step, where it is fastest. Polynomials
# over sixteen nodes (see .polynomials) are then good to about a centimetre.
_LARGEST_ANGLE_RAD: Final = 0.38
# Nodes before and after those that are searched: the polynomials reach that far.
MARGIN_NODES: Final = 7


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """Nodes ``step_s`` apart that cover an interval, with some more around it."""

    midnight: datetime
    start_s: float
    end_s: float
    first_s: float
    step_s: float
    nodes: int
    margin: int  # nodes at each end that only serve the polynomials

    @property
    def seconds(self) -> Floats:
        """Times of the nodes, shape (nodes,)."""
        seconds: Floats = self.first_s + np.arange(self.nodes, dtype=np.float64) * self.step_s
        return seconds

    @property
    def first(self) -> int:
        """The first node searched, at or before the start."""
        return self.margin

    @property
    def last(self) -> int:
        """The last node searched, at or after the end."""
        return self.nodes - self.margin - 1

    def locate(self, at_s: Floats) -> tuple[Integers, Floats]:
        """Return in which interval each time lies, and where in it (-1/2 to 1/2).

        Intervals have the number of the node they begin at.
        """
        steps = (at_s - self.first_s) / self.step_s
        interval = np.clip(steps.astype(np.int64), self.first, self.last - 1)
        return interval, steps - interval - 0.5

    def seconds_at(self, interval: Integers, place: Floats) -> Floats:
        """Return the times of places in intervals: the reverse of :meth:`locate`."""
        at_s: Floats = self.first_s + (interval + place + 0.5) * self.step_s
        return at_s

    def at(self, seconds: float) -> datetime:
        return self.midnight + timedelta(seconds=seconds)


def time_grid(start: datetime, end: datetime, step_s: float = LONGEST_STEP_S) -> TimeGrid:
    """Return the grid that covers *start* to *end*, with its margins.

    Args:
        start: First instant, aware.
        end: Last instant, aware; later than *start*.
        step_s: Divides a day.

    Raises:
        ValueError: A time without a zone, or *end* not later than *start*.
    """
    midnight, start_s, end_s = seconds_of(start, end)
    first = math.floor(start_s / step_s) - MARGIN_NODES
    last = math.ceil(end_s / step_s) + MARGIN_NODES
    return TimeGrid(
        midnight, start_s, end_s, first * step_s, step_s, last - first + 1, MARGIN_NODES
    )


def seconds_of(start: datetime, end: datetime) -> tuple[datetime, float, float]:
    """Return the midnight before *start*, and both times in seconds after it.

    Raises:
        ValueError: A time without a zone, or *end* not later than *start*.
    """
    midnight, _ = midnight_before(start), midnight_before(end)
    if end <= start:
        raise ValueError(f"end {end.isoformat()} is not after start {start.isoformat()}")
    return midnight, (start - midnight).total_seconds(), (end - midnight).total_seconds()


def exact_grid(
    midnight: datetime, start_s: float, end_s: float, step_s: float, *, margin: int = 0
) -> TimeGrid:
    """Return a grid with nodes at both ends of an interval, for what is not known beyond.

    Args:
        midnight: A midnight, UTC.
        start_s: Start of the interval, seconds after it.
        end_s: End of it.
        step_s: The nodes are this far apart, or a little less.
        margin: Nodes to add at each end.
    """
    steps = max(1, math.ceil((end_s - start_s) / step_s))
    step_s = (end_s - start_s) / steps
    first_s = start_s - margin * step_s
    return TimeGrid(midnight, start_s, end_s, first_s, step_s, steps + 1 + 2 * margin, margin)


def longest_sound_step_s(*, turning_rad_s: float, eccentricity: float) -> float:
    """Return the longest step in which the polynomials follow an orbit.

    It goes by the angle covered at perigee. An eccentric orbit is less smooth
    there than a circle of the same speed: measured over all eccentricities,
    the step that gives the same error goes with ``1 / (1 + sqrt(e))``.

    Args:
        turning_rad_s: How fast the spacecraft goes round the Earth at perigee.
        eccentricity: Of its orbit.
    """
    sound_s = _LARGEST_ANGLE_RAD / (turning_rad_s * (1.0 + math.sqrt(eccentricity)))
    step_s = LONGEST_STEP_S
    while step_s > sound_s and step_s > _SHORTEST_STEP_S:
        step_s /= 2.0
    return step_s

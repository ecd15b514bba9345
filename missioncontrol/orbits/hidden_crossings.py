"""What may happen between two nodes that stand on the same side of the mask.

A pass shorter than the step of the grid shows at no node, and neither does a
short dip within a pass. Whether there can be one is a matter of curvature: if
the clearance's second derivative never exceeds M, then from either node it
stays below the parabola that leaves the node with the node's slope and bends
up with M. The two parabolas of an interval meet at one height, and the
clearance nowhere exceeds it. Where that height is above the mask the interval
is halved and each half judged again, until a crossing shows or none can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from missioncontrol.orbits.arrays import Booleans, Floats, Integers
from missioncontrol.orbits.clearance import Curves
from missioncontrol.orbits.polynomials import rising_roots

_NARROWEST: Final = 1e-6  # steps: a pass shorter than a third of a millisecond is none


@dataclass(frozen=True, slots=True)
class HiddenCrossings:
    """Pairs of crossings within intervals, columns of one length."""

    which: Integers  # of the curves
    first: Floats  # place of the first crossing
    second: Floats


@dataclass(frozen=True, slots=True)
class _End:
    """One end of each bracket: the place, and the clearance with its slope."""

    place: Floats
    value: Floats
    slope: Floats

    def taking(self, which: Booleans) -> _End:
        return _End(self.place[which], self.value[which], self.slope[which])

    def followed_by(self, other: _End) -> _End:
        return _End(
            np.append(self.place, other.place),
            np.append(self.value, other.value),
            np.append(self.slope, other.slope),
        )


def highest_possible(
    value_low: Floats,
    slope_low: Floats,
    value_high: Floats,
    slope_high: Floats,
    *,
    curvature: Floats,
    width: Floats | float,
) -> Floats:
    """Return the height at which the two parabolas of each interval meet."""
    with np.errstate(divide="ignore", invalid="ignore"):
        meeting = (value_high - value_low - slope_high * width + 0.5 * curvature * width**2) / (
            slope_low - slope_high + curvature * width
        )
    meeting = np.clip(meeting, 0.0, width)  # outside by rounding only
    height: Floats = value_low + slope_low * meeting + 0.5 * curvature * meeting**2
    return height


def find_hidden(curves: Curves, curvature: Floats, above: Booleans) -> HiddenCrossings:
    """Return the crossings within intervals whose ends are on the same side.

    Args:
        curves: The clearances in these intervals.
        curvature: Bound of each second derivative by the place.
        above: Whether both ends are above the mask; then a dip is looked for.
    """
    sign = np.where(above, -1.0, 1.0)

    def end_at(which: Integers, place: Floats) -> _End:
        value, slope = curves.taking(which).clearance(place)
        return _End(place, sign[which] * value, sign[which] * slope)

    which = np.arange(len(above))
    low = end_at(which, np.full(len(which), -0.5))
    high = end_at(which, np.full(len(which), 0.5))
    found: list[tuple[Integers, Floats, Floats, Floats]] = []
    while len(which):
        width = high.place - low.place
        height = highest_possible(
            low.value,
            low.slope,
            high.value,
            high.slope,
            curvature=curvature[which],
            width=width,
        )
        possible = ~(height <= 0.0) & (width > _NARROWEST)
        which, low, high = which[possible], low.taking(possible), high.taking(possible)
        middle = end_at(which, 0.5 * (low.place + high.place))
        seen = middle.value > 0.0
        found.append((which[seen], low.place[seen], middle.place[seen], high.place[seen]))
        left = ~seen
        which, low, high = (
            np.append(which[left], which[left]),
            low.taking(left).followed_by(middle.taking(left)),
            middle.taking(left).followed_by(high.taking(left)),
        )
    return _solve(curves, sign, found)


def _solve(
    curves: Curves, sign: Floats, found: list[tuple[Integers, Floats, Floats, Floats]]
) -> HiddenCrossings:
    """Return the crossing on either side of each place that was found beyond the mask."""
    if not found:
        return HiddenCrossings(np.empty(0, np.int64), np.empty(0), np.empty(0))
    which, low, inside, high = (np.concatenate(column) for column in zip(*found, strict=True))
    both, rising = curves.taking(np.tile(which, 2)), np.append(sign[which], -sign[which])

    def clearance(at: Floats, subset: Integers) -> tuple[Floats, Floats]:
        value, slope = both.taking(subset).clearance(at)
        return rising[subset] * value, rising[subset] * slope

    place = rising_roots(clearance, np.append(low, inside), np.append(inside, high))
    return HiddenCrossings(which, place[: len(which)], place[len(which) :])

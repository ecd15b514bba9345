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

from collections.abc import Sequence
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

    @classmethod
    def joined(cls, ends: Sequence[_End]) -> _End:
        return cls(
            np.concatenate([one.place for one in ends]),
            np.concatenate([one.value for one in ends]),
            np.concatenate([one.slope for one in ends]),
        )


@dataclass(frozen=True, slots=True)
class _Hills:
    """Places beyond the mask, and one on either side of each that is not."""

    which: Integers
    before: _End
    top: _End
    after: _End


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
    hills: list[_Hills] = []
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
        top = end_at(which, _about_top(low, high))
        seen, left = top.value > 0.0, top.value <= 0.0
        hills.append(_Hills(which[seen], low.taking(seen), top.taking(seen), high.taking(seen)))
        rest, low, top, high = which[left], low.taking(left), top.taking(left), high.taking(left)
        which = np.append(rest, rest)
        low, high = _End.joined([low, top]), _End.joined([top, high])
    return _solve(curves, sign, hills)


def _about_top(low: _End, high: _End) -> Floats:
    """Return where a hill between the ends is about highest, else the middle."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = low.slope / (low.slope - high.slope)
    hill = (low.slope > 0.0) & (high.slope < 0.0)
    share = np.where(hill, np.clip(share, 0.1, 0.9), 0.5)
    place: Floats = low.place + share * (high.place - low.place)
    return place


def _solve(curves: Curves, sign: Floats, hills: Sequence[_Hills]) -> HiddenCrossings:
    """Return the crossings on either side of the places that were found beyond the mask."""
    if not hills:
        return HiddenCrossings(np.empty(0, np.int64), np.empty(0), np.empty(0))
    which = np.concatenate([one.which for one in hills])
    before = _End.joined([one.before for one in hills])
    top = _End.joined([one.top for one in hills])
    after = _End.joined([one.after for one in hills])
    both, rising = curves.taking(np.tile(which, 2)), np.append(sign[which], -sign[which])

    def clearance(at: Floats, subset: Integers) -> tuple[Floats, Floats]:
        value, slope = both.taking(subset).clearance(at)
        return rising[subset] * value, rising[subset] * slope

    place = rising_roots(
        clearance,
        np.append(before.place, top.place),
        np.append(top.place, after.place),
        start=np.append(_on_hillside(before, top), _on_hillside(after, top)),
    )
    return HiddenCrossings(which, place[: len(which)], place[len(which) :])


def _on_hillside(foot: _End, top: _End) -> Floats:
    """Return where a parabola with its vertex at the top, through the foot, is zero."""
    share = np.sqrt(top.value / (top.value - foot.value))
    place: Floats = top.place + (foot.place - top.place) * share
    return place

"""Every pass of many pairs, none lost between the nodes of the grid.

A pass is an interval with a positive clearance, not yet cut to the interval
asked about and not yet split by an azimuth mask. Times are seconds after the
grid's midnight; a pass open at the first or the last node has an infinite end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.arrays import Booleans, Floats, Integers
from missioncontrol.orbits.clearance import Clearance, Curves, NearNodes
from missioncontrol.orbits.hidden_crossings import find_hidden, highest_possible
from missioncontrol.orbits.time_grid import TimeGrid

_NEWTON_STEPS: Final = 3  # from a parabola's root; what has not converged then is bracketed
# Pairs, intervals, whether a dip is looked for, and the greatest curvature.
_Suspects = tuple[Integers, Integers, Booleans, Floats]
_CONVERGED: Final = 1e-5  # steps: the error left is about the square of the last one


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of pairs; columns of one length."""

    pair: Integers
    at_s: Floats
    line_of_sight_km: Floats  # (3, m), to the spacecraft, Earth-fixed

    def taking(self, which: Integers | Booleans) -> Moments:
        index = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return Moments(
            self.pair.take(index), self.at_s.take(index), self.line_of_sight_km.take(index, axis=1)
        )

    def in_order(self, grid: TimeGrid) -> Moments:
        """Return them by pair, then time."""
        return self.taking(np.argsort(line_up(self.pair, self.at_s, grid), kind="stable"))

    @classmethod
    def joined(cls, *parts: Moments) -> Moments:
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts], axis=-1)
                for field in fields(cls)
            )
        )


def line_up(pair: Integers, at_s: Floats, grid: TimeGrid) -> Floats:
    """Return one number for pair and time, so that all pairs stand on one axis."""
    length = 2.0 * grid.nodes * grid.step_s
    place: Floats = pair.astype(np.float64) * length + np.clip(
        at_s - grid.first_s, 0.0, length / 2.0
    )
    return place


@dataclass(frozen=True, slots=True)
class Passes:
    """Beginnings and ends of passes, by pair, then time; and their best moments.

    ``best`` are all culminations (or nearest approaches) at a positive
    clearance: as a rule one in each pass, none in some, in some several.
    """

    aos: Moments
    los: Moments
    best: Moments


class PassSearch:
    """One search over the pairs of a clearance."""

    def __init__(self, clearance: Clearance) -> None:
        self._clearance = clearance
        self._grid = clearance.grid

    def find(self) -> Passes:
        """Return all passes that touch the interval."""
        near = _Neighbourhood.of(self._clearance.near_nodes())
        aos = self._crossings(near, np.flatnonzero(near.begins), rising=True)
        los = self._crossings(near, np.flatnonzero(near.ends), rising=False)
        best = self._best(*near.best_intervals())
        hidden_aos, hidden_los, hidden_best = self._hidden(near)
        if len(hidden_aos.pair):
            aos = Moments.joined(aos, hidden_aos).in_order(self._grid)
            los = Moments.joined(los, hidden_los).in_order(self._grid)
            best = Moments.joined(best, hidden_best)
        # Crossings alternate within a pair, so the n-th beginning has the n-th end.
        return Passes(aos, los, best.in_order(self._grid))

    def _crossings(self, near: _Neighbourhood, at: Integers, *, rising: bool) -> Moments:
        """Return the crossings just before nodes (rising) or just after them."""
        pair, node = near.nodes.pair[at], near.nodes.node[at]
        interval = node - 1 if rising else node
        open_ended = interval < self._grid.first if rising else interval >= self._grid.last
        at_s = np.full(len(pair), -np.inf if rising else np.inf)
        line_of_sight = np.full((3, len(pair)), np.nan)
        [closed] = np.nonzero(~open_ended)
        for block in polynomials.blocks(len(closed)):
            chosen = closed[block]
            curves = self._clearance.curves(pair[chosen], interval[chosen])
            place = _solve_crossings(curves, rising=rising)
            at_s[chosen] = self._grid.seconds_at(interval[chosen], place)
            line_of_sight[:, chosen] = curves.line_of_sight_km(place)
        return Moments(pair, at_s, line_of_sight)

    def _best(self, pair: Integers, interval: Integers) -> Moments:
        inside = (interval >= self._grid.first) & (interval < self._grid.last)
        pair, interval = pair[inside], interval[inside]
        at_s, line_of_sight = np.empty(len(pair)), np.empty((3, len(pair)))
        for block in polynomials.blocks(len(pair)):
            curves = self._clearance.curves(pair[block], interval[block])
            place = _solve_best(curves)
            at_s[block] = self._grid.seconds_at(interval[block], place)
            line_of_sight[:, block] = curves.line_of_sight_km(place)
        return Moments(pair, at_s, line_of_sight)

    def _hidden(self, near: _Neighbourhood) -> tuple[Moments, Moments, Moments]:
        """Return passes and dips that no node shows: beginnings, ends and best moments."""
        pair, interval, above, curvature = (
            np.concatenate(column)
            for column in zip(self._between_near(near), *self._beside_near(near), strict=True)
        )
        curves = self._clearance.curves(pair, interval)
        hidden = find_hidden(curves, curvature * self._grid.step_s**2, above)
        which = hidden.which
        first, second = (
            Moments(
                pair[which],
                self._grid.seconds_at(interval[which], place),
                curves.taking(which).line_of_sight_km(place),
            )
            for place in (hidden.first, hidden.second)
        )
        dip = above[which]
        return (
            Moments.joined(first.taking(~dip), second.taking(dip)),
            Moments.joined(second.taking(~dip), first.taking(dip)),
            self._best(pair[which][~dip], interval[which][~dip]),
        )

    def _between_near(self, near: _Neighbourhood) -> _Suspects:
        """Return the intervals between two near nodes that may hide something."""
        nodes = near.nodes
        low = np.flatnonzero(near.followed & (near.above == near.above_after))
        high = low + 1
        bend = self._clearance.curvature(
            nodes.pair[low],
            0.5 * (nodes.distance_km[low] + nodes.distance_km[high]),
            0.5 * (nodes.height_km[low] + nodes.height_km[high]),
            0.5 * self._grid.step_s,
        )
        # The rates come from SGP4's velocities, which are off by centimetres a second. The
        # height is out by metres, where it has kilometres to spare: a real hill is curved.
        # For a dip all is turned over.
        above = near.above[low]
        curvature, sign = np.where(above, bend.downwards, bend.upwards), np.where(above, -1.0, 1.0)
        height = highest_possible(
            sign * nodes.value[low],
            sign * nodes.rate[low],
            sign * nodes.value[high],
            sign * nodes.rate[high],
            curvature=curvature,
            width=self._grid.step_s,
        )
        suspect = ~(height <= 0.0)
        low = low[suspect]
        return nodes.pair[low], nodes.node[low], above[suspect], curvature[suspect]

    def _beside_near(self, near: _Neighbourhood) -> Iterator[_Suspects]:
        """Yield the intervals between a near node and one that is not, that may hide a pass.

        From the top of such a pass the clearance falls so far in the rest of the
        interval that the top must lie in the half beside the near node.
        """
        nodes, half_s = near.nodes, 0.5 * self._grid.step_s
        for rows, sign, shift in (
            (~near.above & ~near.followed, 1.0, 0),
            (~near.above & ~_before(near.followed), -1.0, -1),
        ):
            alone = np.flatnonzero(rows)
            pair, interval = nodes.pair[alone], nodes.node[alone] + shift
            bend = self._clearance.curvature(
                pair, nodes.distance_km[alone], nodes.height_km[alone], self._grid.step_s
            )
            height = (
                nodes.value[alone]
                + sign * nodes.rate[alone] * half_s
                + 0.5 * bend.upwards * half_s**2
            )
            suspect = (
                (height > 0.0) & (interval >= self._grid.first) & (interval < self._grid.last)
            )
            below = np.zeros(int(suspect.sum()), dtype=np.bool_)
            yield pair[suspect], interval[suspect], below, bend.upwards[suspect]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Neighbourhood:
    """Nodes, and what stands one step before and after each; False where it is not near."""

    nodes: NearNodes
    above: Booleans
    above_before: Booleans
    above_after: Booleans
    followed: Booleans  # the next row is the next node of the same pair

    @classmethod
    def of(cls, nodes: NearNodes) -> Self:
        above = nodes.value > 0.0
        followed = np.zeros(len(above), dtype=np.bool_)
        followed[:-1] = (nodes.pair[1:] == nodes.pair[:-1]) & (
            nodes.node[1:] == nodes.node[:-1] + 1
        )
        return cls(
            nodes=nodes,
            above=above,
            above_before=_before(above & followed),
            above_after=followed & _after(above),
            followed=followed,
        )

    @property
    def begins(self) -> Booleans:
        return self.above & ~self.above_before

    @property
    def ends(self) -> Booleans:
        return self.above & ~self.above_after

    def best_intervals(self) -> tuple[Integers, Integers]:
        """Return pairs and intervals in which a pass is best.

        There it stops improving: between two nodes, or between its beginning
        and its first node, or between its last node and its end.
        """
        improving = self.nodes.improving
        was_improving = ~self.above_before | _before(improving)
        before = np.flatnonzero(self.above & ~improving & was_improving)
        behind = np.flatnonzero(self.ends & improving)
        pair = np.append(self.nodes.pair[before], self.nodes.pair[behind])
        return pair, np.append(self.nodes.node[before] - 1, self.nodes.node[behind])


def _before(flags: Booleans) -> Booleans:
    """Return what each row's predecessor says."""
    shifted = np.zeros_like(flags)
    shifted[1:] = flags[:-1]
    return shifted


def _after(flags: Booleans) -> Booleans:
    """Return what each row's successor says."""
    shifted = np.zeros_like(flags)
    shifted[:-1] = flags[1:]
    return shifted


def _solve_crossings(curves: Curves, *, rising: bool) -> Floats:
    """Return the place at which each clearance changes its sign."""
    sign = 1.0 if rising else -1.0

    def clearance(at: Floats, subset: Integers) -> tuple[Floats, Floats]:
        value, slope = curves.taking(subset).clearance(at)
        return sign * value, sign * slope

    start, middle, end = (sign * one for one in curves.start_middle_end())
    slope, bend = end - start, 2.0 * (start + end) - 4.0 * middle
    with np.errstate(divide="ignore", invalid="ignore"):
        root = -2.0 * middle / (slope + np.sqrt(np.maximum(slope**2 - 4.0 * bend * middle, 0.0)))
        place = np.where(np.abs(root) <= 0.5, root, start / (start - end) - 0.5)
        for _ in range(_NEWTON_STEPS):
            value, slope = curves.clearance(place)
            step = value / slope
            place = place - step
    sound = (np.abs(step) < _CONVERGED) & (np.abs(place) <= 0.5) & (sign * slope > 0.0)
    return _mend(place, ~sound, clearance)


def _solve_best(curves: Curves) -> Floats:
    """Return the place at which each pass is best, beginning at the nearest approach."""

    def worsening(at: Floats, subset: Integers) -> tuple[Floats, Floats]:
        return curves.taking(subset).worsening(at)

    place = curves.nearest()
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_NEWTON_STEPS):
            value, slope = curves.worsening(place)
            step = value / slope
            place = place - step
    sound = (np.abs(step) < _CONVERGED) & (np.abs(place) <= 0.5) & (slope > 0.0)
    return _mend(place, ~sound, worsening)


def _mend(place: Floats, doubtful: Booleans, function: polynomials.Function) -> Floats:
    """Solve once more, within the bracket of the interval, what Newton alone did not."""
    [again] = np.nonzero(doubtful)
    if len(again):
        half = np.full(len(again), 0.5)
        place[again] = polynomials.rising_roots(
            lambda at, subset: function(at, again[subset]), -half, half
        )
    return place

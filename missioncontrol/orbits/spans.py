"""From passes to windows: cut to the interval asked about, and their best moments."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.arrays import Booleans, Floats, Integers
from missioncontrol.orbits.clearance import Clearance
from missioncontrol.orbits.passes import Moments, Passes, line_up
from missioncontrol.orbits.time_grid import TimeGrid

Score = Callable[[Integers, Floats], Floats]  # of pairs and their lines of sight


def moments_at(clearance: Clearance, pair: Integers, at_s: Floats) -> Moments:
    """Return moments of pairs at any times within the grid."""
    interval, place = clearance.grid.locate(at_s)
    sight = np.empty((3, len(pair)))
    for block in polynomials.blocks(len(pair)):
        curves = clearance.curves(pair[block], interval[block])
        sight[:, block] = curves.line_of_sight_km(place[block])
    return Moments(pair, at_s, sight)


def cut(passes: Passes, clearance: Clearance) -> tuple[Moments, Moments]:
    """Return beginnings and ends of passes, cut to the interval asked about."""
    grid = clearance.grid
    inside = (passes.los.at_s > grid.start_s) & (passes.aos.at_s < grid.end_s)
    aos, los = passes.aos.taking(inside), passes.los.taking(inside)
    return (
        _moved(aos, aos.at_s < grid.start_s, grid.start_s, clearance),
        _moved(los, los.at_s > grid.end_s, grid.end_s, clearance),
    )


def _moved(moments: Moments, which: Booleans, to_s: float, clearance: Clearance) -> Moments:
    [moved] = np.nonzero(which)
    there = moments_at(clearance, moments.pair[moved], np.full(len(moved), to_s))
    times, sight = moments.at_s.copy(), moments.line_of_sight_km.copy()
    times[moved], sight[:, moved] = there.at_s, there.line_of_sight_km
    return Moments(moments.pair, times, sight)


def best_within(
    aos: Moments, los: Moments, best: Moments, grid: TimeGrid, score: Score
) -> tuple[Floats, Floats]:
    """Return when each window is best, and its score then.

    That is a best moment inside it, or one of its edges: of a window cut
    before or after its best moment, or between two parts of a split pass.

    Args:
        aos: Beginnings of windows, by pair, then time.
        los: Their ends.
        best: Best moments of passes, in any order.
        grid: The grid of times.
        score: What is to be greatest.
    """
    at_aos, at_los = (score(one.pair, one.line_of_sight_km) for one in (aos, los))
    highest = np.maximum(at_aos, at_los)
    at_s = np.where(at_aos >= at_los, aos.at_s, los.at_s)
    inside, window = _inside(best, aos, los, grid)
    best = best.taking(inside)
    scores = score(best.pair, best.line_of_sight_km)
    # Ascending, so that of several in one window the best is written last.
    order = np.argsort(scores, kind="stable")
    order = order[scores[order] > highest[window[order]]]
    at_s[window[order]] = best.at_s[order]
    highest[window[order]] = scores[order]
    return at_s, highest


def _inside(
    moments: Moments, aos: Moments, los: Moments, grid: TimeGrid
) -> tuple[Integers, Integers]:
    """Return which moments lie in a window, and in which."""
    begins = line_up(aos.pair, aos.at_s, grid)
    window = np.searchsorted(begins, line_up(moments.pair, moments.at_s, grid), side="right") - 1
    [inside] = np.nonzero(window >= 0)
    window = window[inside]
    same = (aos.pair[window] == moments.pair[inside]) & (moments.at_s[inside] <= los.at_s[window])
    return inside[same], window[same]

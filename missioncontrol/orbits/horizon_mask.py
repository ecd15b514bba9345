"""Passes split by an elevation mask that depends on the azimuth.

Inside a pass above the lowest mask, the clearance ``elevation - mask(azimuth)``
is smooth but for kinks where the azimuth crosses a knot of the mask. So it is
sampled every few seconds and at every kink. Between two such places the mask
is one straight line; a change of sign is a crossing to solve, and where the
tangents at both ends meet on the other side of zero, an extreme is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.arrays import Booleans, Floats, Integers
from missioncontrol.orbits.bracketing import switch_times
from missioncontrol.orbits.ground_clearance import GroundClearance
from missioncontrol.orbits.sites import Site

_SAMPLED_RAD: Final = 0.4  # how far a spacecraft may move in the sky from sample to sample
_PASSES_AT_ONCE: Final = 200  # whose samples stay in the processor's cache
# A pass begins where the lowest mask is, exactly: rounding must not open it there.
_ROUNDING_DEG: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Spans:
    """Intervals in which pairs see each other, by pair, then time; columns of one length."""

    pair: Integers
    aos_s: Floats
    los_s: Floats

    def taking(self, which: slice) -> Spans:
        return Spans(self.pair[which], self.aos_s[which], self.los_s[which])

    @classmethod
    def joined(cls, *parts: Spans) -> Spans:
        return cls(
            np.concatenate([part.pair for part in parts]),
            np.concatenate([part.aos_s for part in parts]),
            np.concatenate([part.los_s for part in parts]),
        )


def split_by_mask(passes: Spans, clearance: GroundClearance, site: Site) -> Spans:
    """Return the parts of each pass that are above the mask at their azimuth.

    Args:
        passes: Over one site, above its lowest mask.
        clearance: That they were found with.
        site: The site, with a horizon mask.
    """
    parts = [
        _Splitter(passes.taking(slice(first, first + _PASSES_AT_ONCE)), clearance, site).split()
        for first in range(0, len(passes.pair), _PASSES_AT_ONCE)
    ]
    return Spans.joined(passes.taking(slice(0)), *parts)


class _Sectors:
    """The straight lines of a mask, one from each knot to the next."""

    def __init__(self, site: Site) -> None:
        self.azimuth_deg, self.elevation_deg = np.array(site.horizon_mask).T
        self._width_deg = np.diff(self.azimuth_deg, append=self.azimuth_deg[0] + 360.0)
        self.slope = np.diff(self.elevation_deg, append=self.elevation_deg[0]) / self._width_deg

    def of(self, azimuth_deg: Floats) -> Integers:
        """Return the sector of each azimuth."""
        found: Integers = np.searchsorted(self.azimuth_deg, azimuth_deg, side="right") - 1
        return found % len(self.azimuth_deg)

    def line_deg(self, sector: Integers, azimuth_deg: Floats) -> Floats:
        """Return the mask on the line of a sector, also a little beyond its ends."""
        middle = 0.5 * self._width_deg[sector]
        along = (azimuth_deg - self.azimuth_deg[sector] - middle + 180.0) % 360.0 - 180.0 + middle
        line: Floats = self.elevation_deg[sector] + self.slope[sector] * along
        return line


@dataclass(frozen=True, slots=True)
class _Places:
    """Places in pieces of passes; columns of one length."""

    piece: Integers
    place: Floats
    kink: Booleans  # whether the azimuth is there at a knot of the mask

    @classmethod
    def at(cls, piece: Integers, place: Floats, *, kink: bool = False) -> _Places:
        return cls(piece, place, np.full(len(piece), kink))

    @classmethod
    def in_order(cls, *parts: _Places) -> _Places:
        """Return all of them in order of time."""
        piece, place, kink = (
            np.concatenate(column)
            for column in zip(*((one.piece, one.place, one.kink) for one in parts), strict=True)
        )
        order = np.argsort(piece + 0.9 * (place + 0.5), kind="stable")
        return cls(piece[order], place[order], kink[order])


@dataclass(frozen=True, slots=True)
class _Sky:
    """Azimuths and elevations in degrees, and their derivatives by the place."""

    azimuth: Floats
    elevation: Floats
    azimuth_slope: Floats
    elevation_slope: Floats

    def taking(self, which: Integers) -> _Sky:
        return _Sky(
            self.azimuth[which],
            self.elevation[which],
            self.azimuth_slope[which],
            self.elevation_slope[which],
        )


class _Splitter:
    """The passes of one call, cut where the intervals of the grid begin.

    What lies of a pass in one interval is a piece; within it all is a
    polynomial of the place.
    """

    def __init__(self, passes: Spans, clearance: GroundClearance, site: Site) -> None:
        self._passes = passes
        self._grid = clearance.grid
        self._sectors = _Sectors(site)
        first, first_place = self._grid.locate(passes.aos_s)
        last, last_place = self._grid.locate(passes.los_s)
        pieces = last - first + 1
        last_piece = np.cumsum(pieces) - 1
        first_piece = last_piece - pieces + 1
        self._begin = _Places.at(first_piece, first_place)
        self._end = _Places.at(last_piece, last_place)
        self._pass = np.repeat(np.arange(len(pieces)), pieces)
        self._interval = np.arange(len(self._pass)) + (first - first_piece)[self._pass]
        turning_rad = clearance.turning_rad_s(passes.pair) * self._grid.step_s
        self._samples_in_piece = np.ceil(turning_rad / _SAMPLED_RAD).astype(np.int64)[self._pass]
        sight = clearance.curves(passes.pair[self._pass], self._interval).coefficients
        self._east_north_up = np.einsum("ij,pjm->pim", site.east_north_up(), sight)

    def split(self) -> Spans:
        """Return the parts of all passes above the mask, in order."""
        samples = self._samples()
        places = _Places.in_order(samples, self._kinks(samples))
        return self._read_off(places)

    def _samples(self) -> _Places:
        """Both ends of each pass, and what is regularly spaced between them."""
        count = self._samples_in_piece + 1
        piece = np.repeat(np.arange(len(count)), count)
        within = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
        place = within / self._samples_in_piece[piece] - 0.5
        low, high = np.full(len(count), -1.0), np.full(len(count), 1.0)
        low[self._begin.piece], high[self._end.piece] = self._begin.place, self._end.place
        inside = (place > low[piece]) & (place < high[piece])
        between = _Places.at(piece[inside], place[inside])
        return _Places.in_order(between, self._begin, self._end)

    def _kinks(self, samples: _Places) -> _Places:
        """Return where the azimuth crosses a knot of the mask.

        Seen on the map, the spacecraft there crosses the line through station
        and knot; on the far side of the station it does no harm.
        """
        [low] = np.nonzero(samples.piece[1:] == samples.piece[:-1])
        east, north, _ = polynomials.value_at(
            self._east_north_up.take(samples.piece, axis=2), samples.place
        )
        found = []
        for azimuth in np.radians(self._sectors.azimuth_deg):
            rightwards = east * np.cos(azimuth) - north * np.sin(azimuth) > 0.0
            hit = low[rightwards[low] != rightwards[low + 1]]
            piece, sign = samples.piece[hit], np.where(rightwards[hit], -1.0, 1.0)
            towards = sign * (
                self._east_north_up[:, 0].take(piece, axis=1) * np.cos(azimuth)
                - self._east_north_up[:, 1].take(piece, axis=1) * np.sin(azimuth)
            )
            place = polynomials.rising_roots_of(
                towards, samples.place[hit], samples.place[hit + 1]
            )
            found.append(_Places.at(piece, place, kink=True))
        return _Places.in_order(*found)

    def _read_off(self, places: _Places) -> Spans:
        sky = self._sky(places.piece, places.place)
        mask = self._sectors.line_deg(self._sectors.of(sky.azimuth), sky.azimuth)
        above = sky.elevation - mask > _ROUNDING_DEG
        number = self._pass[places.piece]
        new = np.append(True, number[1:] != number[:-1])
        piece, place = self._crossings(places, sky, above)
        opens, closes = new & above, np.append(new[1:], True) & above
        piece = np.concatenate([places.piece[opens], piece, places.piece[closes]])
        place = np.concatenate([places.place[opens], place, places.place[closes]])
        at_s = self._grid.seconds_at(self._interval[piece], place)
        order = np.lexsort((at_s, self._pass[piece]))
        pair, at_s = self._passes.pair[self._pass[piece[order]]], at_s[order]
        return Spans(pair[::2], at_s[::2], at_s[1::2])

    def _crossings(self, places: _Places, sky: _Sky, above: Booleans) -> tuple[Integers, Floats]:
        """Return all places at which the elevation passes the mask."""
        [low] = np.nonzero(places.piece[1:] == places.piece[:-1])
        stretches = _Stretches(
            sectors=self._sectors,
            sky=self._sky,
            piece=places.piece[low],
            low=places.place[low],
            high=places.place[low + 1],
            sector=self._sector_between(places, low, sky),
            sign=np.where(above[low], -1.0, 1.0),
        )
        crossed = stretches.taking(above[low] != above[low + 1])
        hills = stretches.may_hide_a_hill(sky.taking(low), sky.taking(low + 1))
        rising, falling = stretches.taking(hills & (above[low] == above[low + 1])).about_hills()
        return (
            np.concatenate([one.piece for one in (crossed, rising, falling)]),
            np.concatenate([one.crossings() for one in (crossed, rising, falling)]),
        )

    def _sector_between(self, places: _Places, low: Integers, sky: _Sky) -> Integers:
        """Return in which sector each stretch from a place to the next lies.

        A place at a knot lies in two; there the middle of the stretch decides.
        """
        sector = self._sectors.of(sky.azimuth[low])
        [unsure] = np.nonzero(places.kink[low] | places.kink[low + 1])
        middle = 0.5 * (places.place[low[unsure]] + places.place[low[unsure] + 1])
        sector[unsure] = self._sectors.of(self._sky(places.piece[low[unsure]], middle).azimuth)
        return sector

    def _sky(self, piece: Integers, place: Floats) -> _Sky:
        """Return where the spacecraft stand and how they move at places in pieces."""
        (east, north, up), (east_slope, north_slope, up_slope) = polynomials.value_and_slope_at(
            self._east_north_up.take(piece, axis=2), place
        )
        level2 = east**2 + north**2
        level = np.sqrt(level2)
        level_slope = (east * east_slope + north * north_slope) / level
        return _Sky(
            np.degrees(np.arctan2(east, north)) % 360.0,
            np.degrees(np.arctan2(up, level)),
            np.degrees((east_slope * north - east * north_slope) / level2),
            np.degrees((up_slope * level - up * level_slope) / (level2 + up**2)),
        )


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Stretches of pieces in which the mask is one straight line; columns of one length."""

    sectors: _Sectors
    sky: Callable[[Integers, Floats], _Sky]
    piece: Integers
    low: Floats
    high: Floats
    sector: Integers
    sign: Floats  # 1 where the spacecraft is below the mask at the lower end, else -1

    def taking(self, which: Integers | Booleans) -> _Stretches:
        return replace(
            self,
            piece=self.piece[which],
            low=self.low[which],
            high=self.high[which],
            sector=self.sector[which],
            sign=self.sign[which],
        )

    def crossings(self) -> Floats:
        """Return where each stretch passes to the other side of the mask."""
        return polynomials.rising_roots(
            lambda at, subset: self.taking(subset).depth(at), self.low, self.high
        )

    def depth(self, at: Floats) -> tuple[Floats, Floats]:
        """Return how far beyond the mask, from the lower end's side, and the derivative."""
        return self._depth(self.sky(self.piece, at))

    def may_hide_a_hill(self, low: _Sky, high: _Sky) -> Booleans:
        """Return where the depth may rise above zero between ends that are both below it.

        A smooth hill lies below the point in which the tangents at its ends meet.
        """
        (at_low, slope_low), (at_high, slope_high) = self._depth(low), self._depth(high)
        with np.errstate(divide="ignore", invalid="ignore"):
            meeting = (at_high - at_low - slope_high * (self.high - self.low)) / (
                slope_low - slope_high
            )
        hill: Booleans = (slope_low > 0.0) & (slope_high < 0.0)
        return hill & (at_low + slope_low * meeting > 0.0)

    def about_hills(self) -> tuple[_Stretches, _Stretches]:
        """Return the stretches before and after those tops of hills that are above zero."""
        top = switch_times(
            lambda at: self.depth(at)[1] > 0.0,
            self.low,
            self.high,
            np.ones(len(self.piece), np.bool_),
        )
        beyond = self.depth(top)[0] > 0.0
        hills, top = self.taking(beyond), top[beyond]
        return replace(hills, high=top), replace(hills, low=top, sign=-hills.sign)

    def _depth(self, sky: _Sky) -> tuple[Floats, Floats]:
        clearance = sky.elevation - self.sectors.line_deg(self.sector, sky.azimuth)
        slope = sky.elevation_slope - self.sectors.slope[self.sector] * sky.azimuth_slope
        return self.sign * clearance, self.sign * slope

"""Passes split by an elevation mask that depends on the azimuth.

Inside a pass above the lowest mask, the clearance ``elevation - mask(azimuth)``
is smooth but for kinks where the azimuth crosses a knot of the mask. So it is
sampled every few seconds, at every such kink, and at every extreme that lies
between samples near zero; each change of sign is then a crossing to solve.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from missioncontrol.orbits import polynomials
from missioncontrol.orbits.bracketing import maxima, switch_times
from missioncontrol.orbits.passes import Passes
from missioncontrol.orbits.polynomials import Booleans
from missioncontrol.orbits.propagation import STEP_S, Ephemerides, Integers
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.wgs84 import Floats

_SAMPLE_S: Final = 10.0
_NEAR_ZERO_DEG: Final = 5.0  # an extreme further than this from zero hides no crossing
# A pass begins where the lowest mask is, exactly: rounding must not open it there.
_ROUNDING_DEG: Final = 1e-9


class Track:
    """East, north, up of the group's spacecraft as seen from one site, at any time."""

    def __init__(self, ephemerides: Ephemerides, site: Site) -> None:
        self._ephemerides = ephemerides
        self._origin_km = site.itrs_km()
        self._rotation = site.east_north_up()

    def east_north_up_km(self, row: Integers, at_s: Floats) -> Floats:
        """Return positions in kilometres, shape (3, m), at times after midnight."""
        grid = self._ephemerides.grid
        node = grid.index_of(at_s)
        coefficients = polynomials.fit(
            self._ephemerides.position_km, row, node, self._rotation, self._origin_km
        )
        return polynomials.value_at(coefficients, at_s / STEP_S - (grid.first_node + node))

    def azimuth_elevation_deg(self, row: Integers, at_s: Floats) -> tuple[Floats, Floats]:
        """Return azimuth, 0 to 360 from north over east, and elevation, in degrees."""
        east, north, up = self.east_north_up_km(row, at_s)
        elevation = np.degrees(np.arctan2(up, np.hypot(east, north)))
        return np.degrees(np.arctan2(east, north)) % 360.0, elevation


def split_by_mask(passes: Passes, track: Track, site: Site) -> Passes:
    """Return the parts of each pass that are above the mask at their azimuth.

    Args:
        passes: Finite passes above the site's lowest mask.
        track: Where the spacecraft stand, seen from the site.
        site: With a horizon mask.
    """
    if len(passes.row) == 0:
        return passes
    return _Splitter(passes, track, site).split()


class _Splitter:
    def __init__(self, passes: Passes, track: Track, site: Site) -> None:
        self._passes = passes
        self._track = track
        self._site = site

    def split(self) -> Passes:
        number, at_s = self._samples()
        number, at_s = _merge(number, at_s, *self._kinks(number, at_s))
        clearance = self._clearance_deg(number, at_s)
        number, at_s = _merge(number, at_s, *self._extremes(number, at_s, clearance))
        clearance = self._clearance_deg(number, at_s)
        return self._read_off(number, at_s, clearance > _ROUNDING_DEG)

    def _samples(self) -> tuple[Integers, Floats]:
        """Both ends of each pass, and the multiples of the sampling step between."""
        first = np.floor(self._passes.aos_s / _SAMPLE_S).astype(np.int64) + 1
        last = np.ceil(self._passes.los_s / _SAMPLE_S).astype(np.int64) - 1
        count = np.maximum(last - first + 1, 0)
        number = np.repeat(np.arange(len(count)), count)
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        between = (first[number] + within) * _SAMPLE_S
        every = np.arange(len(count))
        return _merge(
            number, between, np.tile(every, 2), np.append(self._passes.aos_s, self._passes.los_s)
        )

    def _clearance_deg(self, number: Integers, at_s: Floats) -> Floats:
        row = self._passes.row[number]
        azimuth, elevation = self._track.azimuth_elevation_deg(row, at_s)
        clearance: Floats = elevation - self._site.mask_at_deg(azimuth)
        return clearance

    def _kinks(self, number: Integers, at_s: Floats) -> tuple[Integers, Floats]:
        """Return when the azimuth crosses a knot of the mask."""
        pairs = np.flatnonzero(number[1:] == number[:-1])
        east, north, _ = self._track.east_north_up_km(self._passes.row[number], at_s)
        found_number, found_at = [], []
        for azimuth_deg, _ in self._site.horizon_mask:
            cos, sin = np.cos(np.radians(azimuth_deg)), np.sin(np.radians(azimuth_deg))
            across = (east * cos - north * sin) > 0.0  # right of the line through the knot
            hit = pairs[across[pairs] != across[pairs + 1]]
            row = self._passes.row[number[hit]]

            def right_of_knot(
                at: Floats, row: Integers = row, cos: float = cos, sin: float = sin
            ) -> Booleans:
                east, north, _ = self._track.east_north_up_km(row, at)
                beyond: Booleans = (east * cos - north * sin) > 0.0
                return beyond

            found_number.append(number[hit])
            found_at.append(switch_times(right_of_knot, at_s[hit], at_s[hit + 1], across[hit]))
        return np.concatenate(found_number), np.concatenate(found_at)

    def _extremes(
        self, number: Integers, at_s: Floats, clearance: Floats
    ) -> tuple[Integers, Floats]:
        """Return extremes between samples that may lie on the other side of zero."""
        middle = np.arange(1, len(number) - 1)
        middle = middle[(number[middle - 1] == number[middle + 1])]
        middle = middle[np.abs(clearance[middle]) < _NEAR_ZERO_DEG]
        before, here, after = (clearance[middle + shift] for shift in (-1, 0, 1))
        below = here <= 0.0
        hides = np.where(
            below, (here >= before) & (here >= after), (here <= before) & (here <= after)
        )
        middle, below = middle[hides], below[hides]
        sign = np.where(below, 1.0, -1.0)
        row_number = number[middle]

        def upside(at: Floats) -> Floats:
            value: Floats = sign * self._clearance_deg(row_number, at)
            return value

        return row_number, maxima(upside, at_s[middle - 1], at_s[middle + 1])

    def _read_off(self, number: Integers, at_s: Floats, above: Booleans) -> Passes:
        new = number[1:] != number[:-1]
        first, last = np.append(True, new), np.append(new, True)
        change = np.flatnonzero(~last[:-1] & (above[1:] != above[:-1]))
        row_number = number[change]

        def is_above(at: Floats) -> Booleans:
            result: Booleans = self._clearance_deg(row_number, at) > _ROUNDING_DEG
            return result

        switched = switch_times(is_above, at_s[change], at_s[change + 1], above[change])
        open_first, open_last = first & above, last & above
        all_number = np.concatenate([number[open_first], row_number, number[open_last]])
        all_at = np.concatenate([at_s[open_first], switched, at_s[open_last]])
        order = np.lexsort((all_at, all_number))
        row = self._passes.row[all_number[order]]
        all_at = all_at[order]
        return Passes(row[::2], all_at[::2], all_at[1::2])


def _merge(
    number: Integers, at_s: Floats, more_number: Integers, more_at_s: Floats
) -> tuple[Integers, Floats]:
    all_number, all_at = np.append(number, more_number), np.append(at_s, more_at_s)
    order = np.lexsort((all_at, all_number))
    return all_number[order], all_at[order]

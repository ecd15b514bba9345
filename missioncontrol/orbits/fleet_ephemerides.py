"""The ephemerides of a fleet, one group of spacecraft after the other.

Spacecraft whose orbits allow the same step share a grid, the Earth's rotation
on it, and one call of the vectorised SGP4. A spacecraft with an ephemeris of
its own is a group by itself, as often as its ephemeris has segments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from sgp4.api import Satrec
from skyfield.timelib import Timescale

from missioncontrol.orbits.arrays import Integers
from missioncontrol.orbits.elements import MeanElements, StaleElementsError
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory, OrbitEphemeris
from missioncontrol.orbits.propagation import EarthRotation, Ephemerides, first_error, propagate
from missioncontrol.orbits.tabulated import TabulatedEphemerides
from missioncontrol.orbits.time_grid import TimeGrid, exact_grid, seconds_of, time_grid
from missioncontrol.orbits.trajectory import PropagationError
from missioncontrol.orbits.windows import Refusal

_NO_NUMBER: Final = 128  # beyond SGP4's own error codes
_GAP_S: Final = 1e-3  # what is missing of an interval and longer than this is told


@dataclass(frozen=True, slots=True)
class Group:
    """Some spacecraft of a fleet on one grid."""

    indices: Integers  # in the fleet
    ephemerides: Ephemerides


@dataclass(frozen=True, slots=True)
class Span:
    """Some time, in seconds after a midnight."""

    midnight: datetime
    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    def within(self, start_s: float, end_s: float) -> Span | None:
        """Return the part of it between two times; None where there is none."""
        start_s, end_s = max(self.start_s, start_s), min(self.end_s, end_s)
        return Span(self.midnight, start_s, end_s) if end_s > start_s else None

    def covers(self, grid: TimeGrid) -> bool:
        return self.start_s <= grid.start_s and grid.end_s <= self.end_s


@dataclass(frozen=True, slots=True)
class _Able:
    """A spacecraft that passed the first checks."""

    index: int
    name: str
    satrec: Satrec


class FleetEphemerides:
    """The motion of a fleet over one interval."""

    def __init__(
        self,
        fleet: Sequence[AnyTrajectory],
        *,
        start: datetime,
        end: datetime,
        age_limit: timedelta,
        time_scale: Timescale,
    ) -> None:
        self._fleet = fleet
        self._start = start
        self._end = end
        self._age_limit = age_limit
        self._time_scale = time_scale
        self._grids: dict[float, tuple[TimeGrid, EarthRotation]] = {}

    def groups(
        self, indices: range, at_once: Callable[[TimeGrid], int], refused: list[Refusal]
    ) -> Iterator[Group]:
        """Yield some of the fleet in groups of spacecraft that share a grid.

        Args:
            indices: Which of the fleet.
            at_once: How many spacecraft may be in a group on this grid.
            refused: Takes who cannot be propagated.
        """
        able_by_step: dict[float, list[_Able]] = defaultdict(list)
        for index in indices:
            one = self._fleet[index]
            if isinstance(one, OrbitEphemeris):
                yield from self._tabulated(index, one, refused)
            else:
                able = self._initialise(index, one, refused)
                able_by_step[one.sound_step_s] += able
        for step_s, alike in able_by_step.items():
            grid, rotation = self._grid_and_rotation(step_s)
            size = at_once(grid)
            for first in range(0, len(alike), size):
                yield from _propagate(alike[first : first + size], grid, rotation, refused)

    def spans(self, index: int) -> list[Span]:
        """Return the parts of the interval in which a spacecraft's motion is known."""
        midnight, start_s, end_s = seconds_of(self._start, self._end)
        one = self._fleet[index]
        if isinstance(one, MeanElements):
            return [Span(midnight, start_s, end_s)]
        known = (Span(midnight, *segment.span_s(midnight)) for segment in one.segments)
        return [part for span in known if (part := span.within(start_s, end_s))]

    def on_grid(
        self, indices: Sequence[int], grid: TimeGrid, refused: list[Refusal]
    ) -> Iterator[Group]:
        """Yield some of the fleet on a grid of the caller's, as one group; or nothing.

        Args:
            indices: Of spacecraft with mean elements, or of one with an ephemeris
                that covers the grid but for its margins.
            grid: With margins.
            refused: Takes who cannot be propagated.
        """
        first = self._fleet[indices[0]]
        if isinstance(first, OrbitEphemeris):
            for segment in first.segments:
                if Span(grid.midnight, *segment.span_s(grid.midnight)).covers(grid):
                    tabulated = TabulatedEphemerides(segment, grid, self._time_scale)
                    yield Group(np.array(indices), tabulated)
                    return
        able: list[_Able] = []
        for index in indices:
            one = self._fleet[index]
            if isinstance(one, MeanElements):
                able += self._initialise(index, one, refused)
        if able:
            rotation = EarthRotation(grid, self._time_scale)
            yield from _propagate(able, grid, rotation, refused)

    def _initialise(self, index: int, one: MeanElements, refused: list[Refusal]) -> list[_Able]:
        try:
            one.check_age(start=self._start, end=self._end, limit=self._age_limit)
        except StaleElementsError as error:
            refused.append(Refusal(one.name, index, str(error)))
            return []
        satrec = one.satrec()
        if satrec.error:
            failed = PropagationError.of_sgp4(name=one.name, code=satrec.error, at=one.epoch)
            refused.append(Refusal(one.name, index, str(failed)))
            return []
        return [_Able(index, one.name, satrec)]

    def _tabulated(
        self, index: int, one: OrbitEphemeris, refused: list[Refusal]
    ) -> Iterator[Group]:
        for segment in one.segments:
            midnight, start_s, end_s = seconds_of(self._start, self._end)
            part = Span(midnight, *segment.span_s(midnight)).within(start_s, end_s)
            if part is not None:
                grid = exact_grid(midnight, part.start_s, part.end_s, segment.sound_step_s)
                tabulated = TabulatedEphemerides(segment, grid, self._time_scale)
                yield Group(np.array([index]), tabulated)
        self._tell_gaps(index, one, refused)

    def _tell_gaps(self, index: int, one: OrbitEphemeris, refused: list[Refusal]) -> None:
        _, start_s, end_s = seconds_of(self._start, self._end)
        missing_s = end_s - start_s - sum(span.length_s for span in self.spans(index))
        if missing_s > _GAP_S:
            reason = (
                f"The ephemeris of {one.name} covers {one.coverage()}, not all of "
                f"{self._start:%Y-%m-%d %H:%M:%SZ} to {self._end:%Y-%m-%d %H:%M:%SZ}. What the "
                "spacecraft does in the rest is not known. Load one that covers it."
            )
            refused.append(Refusal(one.name, index, reason))

    def _grid_and_rotation(self, step_s: float) -> tuple[TimeGrid, EarthRotation]:
        if step_s not in self._grids:
            grid = time_grid(self._start, self._end, step_s)
            self._grids[step_s] = grid, EarthRotation(grid, self._time_scale)
        return self._grids[step_s]


def _propagate(
    able: list[_Able], grid: TimeGrid, rotation: EarthRotation, refused: list[Refusal]
) -> Iterator[Group]:
    """Run SGP4 for some spacecraft at once; yield those that it has positions of."""
    errors, ephemerides = propagate([one.satrec for one in able], grid, rotation)
    indices = np.array([one.index for one in able])
    # For odd elements SGP4 answers with no number at all, and calls it no error.
    errors[~np.isfinite(ephemerides.bounds.nearest_km)] |= _NO_NUMBER
    if not errors.any():
        yield Group(indices, ephemerides)
        return
    wrong = [first_error(errors[row], grid, one.name) for row, one in enumerate(able)]
    refused += [
        Refusal(one.name, one.index, str(error))
        for one, error in zip(able, wrong, strict=True)
        if error is not None
    ]
    # SGP4 answers with a place underground after a decay: never search such a row.
    sound = np.array([error is None for error in wrong])
    if sound.any():
        yield Group(indices[sound], ephemerides.taking(sound))

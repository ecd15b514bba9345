"""The ephemerides of a fleet, one group of spacecraft after the other.

Spacecraft whose orbits allow the same step share a grid, the Earth's rotation
on it, and one call of the vectorised SGP4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sgp4.api import Satrec
from skyfield.timelib import Timescale

from missioncontrol.orbits.arrays import Integers
from missioncontrol.orbits.elements import MeanElements, StaleElementsError
from missioncontrol.orbits.propagation import (
    EarthRotation,
    Ephemerides,
    first_error,
    propagate,
)
from missioncontrol.orbits.time_grid import TimeGrid, time_grid
from missioncontrol.orbits.trajectory import PropagationError
from missioncontrol.orbits.windows import Refusal


@dataclass(frozen=True, slots=True)
class Group:
    """Some spacecraft of a fleet on one grid."""

    indices: Integers  # in the fleet
    ephemerides: Ephemerides


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
        elements: Sequence[MeanElements],
        *,
        start: datetime,
        end: datetime,
        age_limit: timedelta,
        time_scale: Timescale,
    ) -> None:
        self._elements = elements
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
            able = self._initialise(index, refused)
            if able is not None:
                able_by_step[self._elements[index].sound_step_s].append(able)
        for step_s, alike in able_by_step.items():
            grid, rotation = self._grid_and_rotation(step_s)
            size = at_once(grid)
            for first in range(0, len(alike), size):
                group = _propagate(alike[first : first + size], grid, rotation, refused)
                if group is not None:
                    yield group

    def _initialise(self, index: int, refused: list[Refusal]) -> _Able | None:
        one = self._elements[index]
        try:
            one.check_age(start=self._start, end=self._end, limit=self._age_limit)
        except StaleElementsError as error:
            refused.append(Refusal(one.name, index, str(error)))
            return None
        satrec = one.satrec()
        if satrec.error:
            failed = PropagationError.of_sgp4(name=one.name, code=satrec.error, at=one.epoch)
            refused.append(Refusal(one.name, index, str(failed)))
            return None
        return _Able(index, one.name, satrec)

    def _grid_and_rotation(self, step_s: float) -> tuple[TimeGrid, EarthRotation]:
        if step_s not in self._grids:
            grid = time_grid(self._start, self._end, step_s)
            self._grids[step_s] = grid, EarthRotation(grid, self._time_scale)
        return self._grids[step_s]


def _propagate(
    able: list[_Able], grid: TimeGrid, rotation: EarthRotation, refused: list[Refusal]
) -> Group | None:
    """Run SGP4 for some spacecraft at once and keep those that it has positions of."""
    errors, ephemerides = propagate([one.satrec for one in able], grid, rotation)
    indices = np.array([one.index for one in able])
    if not errors.any():
        return Group(indices, ephemerides)
    wrong = [first_error(errors[row], grid, one.name) for row, one in enumerate(able)]
    refused += [
        Refusal(one.name, one.index, str(error))
        for one, error in zip(able, wrong, strict=True)
        if error is not None
    ]
    # SGP4 answers with a place underground after a decay: never search such a row.
    sound = np.array([error is None for error in wrong])
    return Group(indices[sound], ephemerides.taking(sound)) if sound.any() else None

"""The orbit around the spacecraft: light and the ground below, by SGP4 and the Sun's place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.eclipse import beta_angle_deg, sunlit_fraction
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.look_angles import Subpoints, subpoints

_NODE_S: Final = 10.0  # the penumbra lasts about as long
_CHUNK_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Orbit:
    """Where the spacecraft is, as far as its subsystems feel it."""

    sunlit_fraction: float
    beta_deg: float
    latitude_deg: float
    longitude_deg: float
    phase_rad: float


@dataclass(frozen=True, slots=True)
class _Chunk:
    start: datetime
    sunlit: Floats
    beta_deg: float
    ground: Subpoints


class OrbitEnvironment:
    """Answers in microseconds for one instant after another; computes an hour at a time."""

    def __init__(self, elements: MeanElements) -> None:
        self._elements = elements
        self._turns_per_s = elements.mean_motion_rev_per_day / 86_400.0
        self._chunk: _Chunk | None = None

    def at(self, instant: datetime) -> Orbit:
        """Return the light and the place at *instant*.

        Raises:
            PropagationError: SGP4 has no position then.
        """
        chunk = self._chunk_with(instant)
        place = (instant - chunk.start).total_seconds() / _NODE_S
        node = int(place)
        share = place - node
        lit = chunk.sunlit[node] * (1.0 - share) + chunk.sunlit[node + 1] * share
        revolutions = (instant - self._elements.epoch).total_seconds() * self._turns_per_s
        return Orbit(
            sunlit_fraction=float(lit),
            beta_deg=chunk.beta_deg,
            latitude_deg=float(chunk.ground.latitude_deg[node]),
            longitude_deg=float(chunk.ground.longitude_deg[node]),
            phase_rad=math.tau * (revolutions % 1.0),
        )

    def _chunk_with(self, instant: datetime) -> _Chunk:
        chunk = self._chunk
        if chunk is not None and 0.0 <= (instant - chunk.start).total_seconds() < _CHUNK_S:
            return chunk
        nodes = np.arange(0.0, _CHUNK_S + 2.0 * _NODE_S, _NODE_S)
        at = [instant + timedelta(seconds=float(second)) for second in nodes]
        self._chunk = _Chunk(
            start=instant,
            sunlit=sunlit_fraction(self._elements, at),
            beta_deg=float(beta_angle_deg(self._elements, at[:1])[0]),
            ground=subpoints(self._elements, at),
        )
        return self._chunk

"""What a spacecraft flies on, as everything that computes with one instant sees it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from sgp4.api import SGP4_ERRORS

from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.earth_rotation import midnight_before


class PropagationError(ValueError):
    """There is no position of the spacecraft at some instant."""

    def __init__(self, message: str, *, name: str, at: datetime) -> None:
        super().__init__(message)
        self.name = name
        self.at = at

    @classmethod
    def of_sgp4(cls, *, name: str, code: int, at: datetime) -> PropagationError:
        """Return the error for a code of SGP4; 6 is a decayed orbit."""
        meaning = SGP4_ERRORS.get(code, "its answer is not a number")
        return cls(
            f"SGP4 gives no position of {name} at {at:%Y-%m-%d %H:%M:%SZ} "
            f"(error {code}: {meaning}). Load newer elements.",
            name=name,
            at=at,
        )


class Trajectory(Protocol):
    """Mean elements, or an ephemeris."""

    @property
    def name(self) -> str:
        """What the spacecraft is called."""

    @property
    def designation(self) -> str:
        """What other systems know the spacecraft by: its catalogue number, else its name."""

    @property
    def epoch(self) -> datetime:
        """For which moment the elements hold, or from which on the ephemeris does."""

    def teme_states(self, midnight: datetime, seconds: Floats) -> tuple[Floats, Floats]:
        """Return where the spacecraft is and how it moves, TEME.

        Args:
            midnight: A midnight, UTC.
            seconds: Seconds after it, shape (n,).

        Returns:
            Positions in kilometres and velocities in kilometres per second, (n, 3).

        Raises:
            PropagationError: There is no position at one of the instants.
        """


def states_at(
    trajectory: Trajectory, at: Sequence[datetime]
) -> tuple[datetime, Floats, Floats, Floats]:
    """Return where a spacecraft is at any instants.

    Returns:
        A midnight; the instants in seconds after it, shape (n,); positions in
        kilometres and velocities in kilometres per second, (n, 3), TEME.

    Raises:
        PropagationError: There is no position at one of the instants.
        ValueError: No instant, or one without a time zone.
    """
    if len(at) == 0:
        raise ValueError("No instant was given; pass at least one.")
    midnight = midnight_before(min(at))
    seconds = np.array([(instant - midnight).total_seconds() for instant in at])
    position_km, velocity_km_s = trajectory.teme_states(midnight, seconds)
    return midnight, seconds, position_km, velocity_km_s

"""The orbit of a spacecraft as a table of states, interpolated as its message says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from skyfield.timelib import Timescale

from missioncontrol.orbits import frames, interpolation
from missioncontrol.orbits.arrays import Floats
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.time_grid import longest_sound_step_s
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.trajectory import PropagationError


class Interpolation(StrEnum):
    """How to find a state between those of a table (502.0-B-3 table 5-3)."""

    LINEAR = "LINEAR"
    LAGRANGE = "LAGRANGE"
    HERMITE = "HERMITE"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EphemerisSegment:
    """States between which may be interpolated: no manoeuvre lies among them."""

    name: str
    frame: str
    epoch: datetime  # aware, UTC: of the first state
    seconds: Floats  # of the states after the epoch, increasing, shape (n,)
    position_km: Floats  # (n, 3)
    velocity_km_s: Floats  # (n, 3)
    start: datetime  # from here on it may be used, UTC
    stop: datetime
    interpolation: Interpolation
    degree: int

    @property
    def points(self) -> int:
        """How many states a polynomial of the degree needs."""
        if self.interpolation is Interpolation.HERMITE:
            return (self.degree + 2) // 2
        return self.degree + 1

    @property
    def sound_step_s(self) -> float:
        """The longest step in which a grid of positions describes the orbit."""
        distance = np.linalg.norm(self.position_km, axis=1)
        turning = np.linalg.norm(np.cross(self.position_km, self.velocity_km_s), axis=1)
        nearest, farthest = float(distance.min()), float(distance.max())
        return longest_sound_step_s(
            turning_rad_s=float((turning / distance**2).max()),
            eccentricity=(farthest - nearest) / (farthest + nearest),
        )

    def span_s(self, midnight: datetime) -> tuple[float, float]:
        """Return its usable span in seconds after a midnight."""
        return (self.start - midnight).total_seconds(), (self.stop - midnight).total_seconds()

    def states(self, midnight: datetime, seconds: Floats) -> tuple[Floats, Floats]:
        """Return positions and velocities in the segment's own frame, each (n, 3)."""
        at = seconds - (self.epoch - midnight).total_seconds()
        if self.interpolation is Interpolation.HERMITE:
            return interpolation.hermite(
                self.seconds, self.position_km, self.velocity_km_s, at, self.points
            )
        return (
            interpolation.lagrange(self.seconds, self.position_km, at, self.points),
            interpolation.lagrange(self.seconds, self.velocity_km_s, at, self.points),
        )

    def teme_states(
        self, midnight: datetime, seconds: Floats, time_scale: Timescale
    ) -> tuple[Floats, Floats]:
        """Return the same in TEME."""
        position_km, velocity_km_s = self.states(midnight, seconds)
        return frames.to_teme(
            self.frame,
            position_km,
            velocity_km_s,
            midnight=midnight,
            seconds=seconds,
            time_scale=time_scale,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrbitEphemeris:
    """What an Orbit Ephemeris Message says of one spacecraft."""

    name: str
    object_id: str  # as a rule the international designator
    segments: tuple[EphemerisSegment, ...]  # in order of time

    @property
    def designation(self) -> str:
        """What other systems know the spacecraft by: its number, else its name."""
        return self.object_id if self.object_id.isdigit() else self.name

    @property
    def sound_step_s(self) -> float:
        """The longest step in which a grid of positions describes the orbit."""
        return min(one.sound_step_s for one in self.segments)

    @property
    def epoch(self) -> datetime:
        """The first moment covered."""
        return self.segments[0].start

    def teme_states(self, midnight: datetime, seconds: Floats) -> tuple[Floats, Floats]:
        """Interpolate at any times covered; see :class:`.trajectory.Trajectory`."""
        position, velocity = np.full((len(seconds), 3), np.nan), np.empty((len(seconds), 3))
        for segment in self.segments:
            first, last = segment.span_s(midnight)
            [inside] = np.nonzero((seconds >= first) & (seconds <= last))
            if len(inside):
                position[inside], velocity[inside] = segment.teme_states(
                    midnight, seconds[inside], packaged_time_scale()
                )
        [outside] = np.nonzero(np.isnan(position[:, 0]))
        if len(outside):
            at = midnight + timedelta(seconds=float(seconds[outside[0]]))
            raise PropagationError(
                f"The ephemeris of {self.name} does not cover {at:%Y-%m-%d %H:%M:%SZ}; "
                f"it covers {self.coverage()}. Load one that does.",
                name=self.name,
                at=at,
            )
        return position, velocity

    def coverage(self) -> str:
        """Return the spans covered, for a message."""
        return ", ".join(
            f"{one.start:%Y-%m-%d %H:%M:%SZ} to {one.stop:%Y-%m-%d %H:%M:%SZ}"
            for one in self.segments
        )


AnyTrajectory = MeanElements | OrbitEphemeris

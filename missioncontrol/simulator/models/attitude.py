"""Pointing: at the Sun, and at the station while one is in view."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

from missioncontrol.simulator.models.situation import Situation, Value, noisy, relax

_SLEW_S: Final = 40.0
_WHEEL_MEAN_RPM: Final = (1850.0, -1620.0, 2140.0, -1980.0)
_WHEEL_SWING_RPM: Final = (420.0, 380.0, 510.0, 330.0)
_SETTLED_DEG: Final = 0.018


@dataclass(slots=True)
class Attitude:
    """A spacecraft that turns once per revolution, and faster when it follows a station."""

    sun_angle_deg: float = 3.0
    error_deg: float = _SETTLED_DEG
    tracking: float = 0.0  # 0 pointing at the Sun, 1 following a station
    phase_rad: float = 0.0
    drift_rpm: float = 0.0  # momentum gathered since the wheels were unloaded

    def step(self, dt_s: float, *, situation: Situation, rng: random.Random) -> None:
        """Move on by *dt_s* seconds."""
        follows = 1.0 if situation.in_view else 0.0
        if (follows > 0.5) != (self.tracking > 0.5):
            self.error_deg = max(self.error_deg, 0.12)  # the slew begins
        self.tracking = relax(self.tracking, follows, dt_s, _SLEW_S)
        self.error_deg = relax(self.error_deg, _SETTLED_DEG, dt_s, 60.0)
        self.phase_rad = situation.orbit_phase_rad
        # The antenna is steered by turning the body; the array gives way a little.
        wanted = 3.0 + 11.0 * self.tracking * abs(math.sin(self.phase_rad))
        self.sun_angle_deg = relax(self.sun_angle_deg, wanted, dt_s, _SLEW_S)
        self.drift_rpm += rng.gauss(0.02, 0.05) * min(dt_s, 60.0)
        if abs(self.drift_rpm) > 900.0:
            self.drift_rpm = 0.0  # unloaded with the magnetic torquers

    @property
    def mode(self) -> str:
        return "STATION_POINTING" if self.tracking > 0.5 else "SUN_POINTING"

    def telemetry(self, rng: random.Random, *, wheel_deg_c: float) -> dict[str, Value]:
        """Return the parameters of the attitude subsystem."""
        turn = math.sin(2.0 * self.phase_rad)
        values: dict[str, Value] = {
            "ATT_MODE": self.mode,
            "ATT_STR_STATE": "TRACKING",
            "ATT_RATE_X": noisy(rng, 0.22 * self.tracking * turn, 0.0006),
            "ATT_RATE_Y": noisy(rng, -0.0601 - 0.16 * self.tracking * turn, 0.0006),
            "ATT_RATE_Z": noisy(rng, 0.09 * self.tracking * math.cos(self.phase_rad), 0.0006),
            "ATT_ERROR": abs(noisy(rng, self.error_deg, 0.004)),
            "ATT_SUN_ANGLE": abs(noisy(rng, self.sun_angle_deg, 0.02)),
            "ATT_RW_T": noisy(rng, wheel_deg_c, 0.05),
            "ATT_MTQ_DIPOLE": noisy(rng, 6.5 * turn, 0.1),
        }
        for wheel, (mean, swing) in enumerate(zip(_WHEEL_MEAN_RPM, _WHEEL_SWING_RPM, strict=True)):
            speed = mean + swing * math.sin(self.phase_rad + wheel) + self.drift_rpm
            values[f"ATT_RW{wheel}_SPEED"] = noisy(rng, speed, 0.8)
        return values

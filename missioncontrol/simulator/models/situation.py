"""What is around the spacecraft, and the noise of sensors."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

Value = float | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Sun, Earth and radio link at one instant."""

    sunlit_fraction: float  # of the Sun's disc, 0 to 1
    beta_deg: float  # the Sun above the orbital plane
    latitude_deg: float
    longitude_deg: float
    orbit_phase_rad: float  # grows by a turn with each revolution
    in_view: bool  # above the mask of a ground station
    uplink_locked: bool  # a station radiates towards us
    range_m: float  # to that station, or to the nearest in view
    range_rate_m_s: float


def noisy(rng: random.Random, value: float, sigma: float) -> float:
    """Return *value* as a sensor with Gaussian noise shows it."""
    return value + rng.gauss(0.0, sigma)


def relax(value: float, target: float, dt_s: float, time_constant_s: float) -> float:
    """Return *value* after it went towards *target* for a time; stable for any step."""
    return target + (value - target) * math.exp(-dt_s / time_constant_s)

"""The on-board computer as its housekeeping shows it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from missioncontrol.simulator.models.situation import Value, noisy

SOFTWARE_VERSION: Final = "2.4.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareCounters:
    """What the flight software counts."""

    period_s: int
    accepted: int
    rejected: int
    last_request: int
    upsets: int
    store_fraction: float


@dataclass(slots=True)
class OnBoardComputer:
    """Uptime, load and the clock's error, which walks until GNSS brings it back."""

    uptime_s: float = 1_036_800.0
    boots: int = 4
    clock_error_ms: float = 0.0

    def step(self, dt_s: float, rng: random.Random) -> None:
        """Move on by *dt_s* seconds."""
        self.uptime_s += dt_s
        pull = min(1.0, dt_s / 120.0)
        self.clock_error_ms += rng.gauss(0.0, 0.3) - pull * self.clock_error_ms

    def telemetry(
        self, rng: random.Random, *, counters: SoftwareCounters, busy: bool, is_safe: bool
    ) -> dict[str, Value]:
        """Return the parameters of computer and software."""
        load = 21.0 + (9.0 if busy else 0.0) + 4.0 / counters.period_s
        return {
            "OBS_MODE": "SAFE" if is_safe else "NOMINAL",
            "OBS_SW_VERSION": SOFTWARE_VERSION,
            "OBS_UPTIME": int(self.uptime_s),
            "OBS_BOOT_COUNT": self.boots,
            "OBS_CPU_LOAD": min(100.0, max(0.0, noisy(rng, load, 1.2))),
            "OBS_MEM_FREE": int(noisy(rng, 1430.0 - (120.0 if busy else 0.0), 4.0)),
            "OBS_STORE_USED": 100.0 * counters.store_fraction,
            "OBS_TM_PERIOD": counters.period_s,
            "OBS_TC_ACCEPTED": counters.accepted % 65_536,
            "OBS_TC_REJECTED": counters.rejected % 65_536,
            "OBS_LAST_REQUEST": counters.last_request,
            "OBS_SEU_COUNT": counters.upsets,
            "OBS_WATCHDOG_RESETS": 1,
            "OBS_CLOCK_ERROR": self.clock_error_ms,
        }

"""The server: two accelerators, its memory, and the upsets that radiation makes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from missioncontrol.simulator.models.situation import Situation, Value, noisy, relax

UNITS: Final = ("GPU0", "GPU1")
START_S: Final = 30.0
_SERVER_W: Final = 175.0
_STANDBY_W: Final = 55.0
_STARTING_W: Final = 180.0
_READY_W: Final = 92.0
_BUSY_W: Final = 690.0
_LOAD_TIME_S: Final = 3.0
_UPSETS_PER_S: Final = 1.0 / 900.0
_ANOMALY_FACTOR: Final = 25.0


@dataclass(slots=True)
class Accelerator:
    """One computing unit."""

    is_on: bool = True
    starting_s: float = 0.0  # left until it can work
    load: float = 0.02  # 0 to 1
    power_w: float = _READY_W

    @property
    def is_ready(self) -> bool:
        return self.is_on and self.starting_s <= 0.0

    def state(self, *, busy: bool) -> str:
        if not self.is_on:
            return "OFF"
        if self.starting_s > 0.0:
            return "STARTING"
        return "BUSY" if busy else "READY"

    def step(self, dt_s: float, *, busy: bool) -> None:
        """Move on; power follows the load within seconds."""
        self.starting_s = max(0.0, self.starting_s - dt_s)
        wanted_load = 0.96 if busy and self.is_ready else 0.02
        self.load = relax(self.load, wanted_load if self.is_ready else 0.0, dt_s, _LOAD_TIME_S)
        if not self.is_on:
            target_w = 0.0
        elif self.starting_s > 0.0:
            target_w = _STARTING_W
        else:
            target_w = _READY_W + (_BUSY_W - _READY_W) * self.load
        self.power_w = relax(self.power_w, target_w, dt_s, 1.5)


@dataclass(slots=True)
class Compute:
    """Power and health of the server; which jobs it runs is the job queue's business."""

    units: list[Accelerator] = field(default_factory=lambda: [Accelerator(), Accelerator()])
    memory_fraction: float = 0.18
    corrected: int = 1284
    uncorrected: int = 0
    upsets: int = 37  # of the on-board computer

    @property
    def gpu_w(self) -> list[float]:
        return [unit.power_w for unit in self.units]

    @property
    def payload_w(self) -> float:
        server_w = _SERVER_W if any(unit.is_on for unit in self.units) else _STANDBY_W
        return server_w + sum(self.gpu_w)

    def switch(self, unit: int, *, on: bool) -> None:
        """Switch a unit; switching what is so already changes nothing."""
        accelerator = self.units[unit]
        if on and not accelerator.is_on:
            accelerator.starting_s = START_S
        accelerator.is_on = on
        if not on:
            accelerator.starting_s = 0.0

    def step(
        self, dt_s: float, *, situation: Situation, job_running: bool, rng: random.Random
    ) -> None:
        """Move on by *dt_s* seconds."""
        self.units[0].step(dt_s, busy=job_running)
        self.units[1].step(dt_s, busy=False)
        self.memory_fraction = relax(
            self.memory_fraction, 0.47 if job_running else 0.18, dt_s, 6.0
        )
        chance = dt_s * _UPSETS_PER_S * (_ANOMALY_FACTOR if in_anomaly(situation) else 1.0)
        if rng.random() < chance:
            self.corrected += rng.randint(1, 3)
        if rng.random() < chance / 20.0:
            self.upsets += 1

    def telemetry(
        self,
        rng: random.Random,
        *,
        thermal_deg_c: list[float],
        job_number: int,
        jobs_queued: int,
        jobs_done: int,
        jobs_failed: int,
    ) -> dict[str, Value]:
        """Return the parameters of the compute payload."""
        busy = job_number != 0
        values: dict[str, Value] = {
            "CMP_MODE": self._mode(busy=busy),
            "CMP_MEM_USED": 100.0 * max(0.0, noisy(rng, self.memory_fraction, 0.002)),
            "CMP_JOB_NUMBER": job_number,
            "CMP_JOBS_QUEUED": jobs_queued,
            "CMP_JOBS_DONE": jobs_done,
            "CMP_JOBS_FAILED": jobs_failed,
            "CMP_ECC_CORRECTED": self.corrected,
            "CMP_ECC_UNCORRECTED": self.uncorrected,
        }
        for number, unit in enumerate(self.units):
            name = f"CMP_GPU{number}"
            noise_w = 0.4 + 8.0 * unit.load
            values[f"{name}_STATE"] = unit.state(busy=busy and number == 0)
            values[f"{name}_T"] = noisy(rng, thermal_deg_c[number], 0.15)
            values[f"{name}_P"] = max(0.0, noisy(rng, unit.power_w, noise_w)) * unit.is_on
            values[f"{name}_LOAD"] = 100.0 * min(1.0, max(0.0, noisy(rng, unit.load, 0.008)))
        return values

    def _mode(self, *, busy: bool) -> str:
        if not any(unit.is_on for unit in self.units):
            return "OFF"
        if not any(unit.is_ready for unit in self.units):
            return "BOOTING"
        return "BUSY" if busy else "READY"


def in_anomaly(situation: Situation) -> bool:
    """Return whether the spacecraft is over the South Atlantic, where protons come low."""
    return -50.0 < situation.latitude_deg < 0.0 and -90.0 < situation.longitude_deg < 20.0

"""Solar array, battery and main bus."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

from missioncontrol.simulator.models.situation import Value, noisy

ARRAY_W: Final = 3300.0  # at normal incidence, end of life
ARRAY_EFFICIENCY: Final = 0.96  # of the regulator between array and bus
BATTERY_AH: Final = 80.0
CHARGE_LIMIT_A: Final = 30.0
DISCHARGE_EFFICIENCY: Final = 0.97
SHED_BELOW: Final = 0.40
SAFE_BELOW: Final = 0.25
_RECOVERED_BY: Final = 0.08  # above the threshold, before loads may come back


@dataclass(slots=True)
class Power:
    """The array feeds the loads first; what is left charges, what lacks discharges."""

    charge_fraction: float = 0.97
    cycles: int = 212
    discharged_fraction: float = 0.0  # of the discharge that goes on
    array_w: float = 0.0
    array_v: float = 0.0
    battery_a: float = 0.0  # positive when charging
    load_w: float = 0.0
    payload_w: float = 0.0
    is_sunlit: bool = True
    is_shedding: bool = False
    is_safe: bool = False

    @property
    def battery_v(self) -> float:
        return 46.5 + 9.5 * self.charge_fraction + 0.02 * self.battery_a

    @property
    def mode(self) -> str:
        if self.is_safe:
            return "SAFE"
        if self.is_shedding:
            return "LOAD_SHED"
        return "SUNLIT" if self.is_sunlit else "ECLIPSE"

    def step(
        self,
        dt_s: float,
        *,
        sunlit_fraction: float,
        sun_angle_deg: float,
        load_w: float,
        payload_w: float,
    ) -> None:
        """Move on by *dt_s* seconds under the given light and loads."""
        incidence = max(0.0, math.cos(math.radians(sun_angle_deg)))
        available_w = ARRAY_W * sunlit_fraction * incidence * ARRAY_EFFICIENCY
        self.load_w, self.payload_w = load_w, payload_w
        self.is_sunlit = sunlit_fraction > 0.5
        surplus_w = available_w - load_w
        if surplus_w >= 0:
            self._charge(surplus_w)
        else:
            self.battery_a = surplus_w / self.battery_v / DISCHARGE_EFFICIENCY
        used_w = min(available_w, load_w + max(0.0, self.battery_a) * self.battery_v)
        self.array_w = used_w / ARRAY_EFFICIENCY
        unused = 1.0 - used_w / available_w if available_w > 1.0 else 0.0
        # An array that is asked for less works nearer to its open-circuit voltage.
        self.array_v = (78.0 + 8.0 * unused) if available_w > 1.0 else 0.0
        self._count(dt_s)
        self.is_shedding = self._below(SHED_BELOW, was=self.is_shedding)
        self.is_safe = self._below(SAFE_BELOW, was=self.is_safe)

    def _charge(self, surplus_w: float) -> None:
        taper = min(1.0, max(0.0, 1.0 - self.charge_fraction) / 0.08)
        self.battery_a = min(CHARGE_LIMIT_A * taper, surplus_w / self.battery_v)

    def _count(self, dt_s: float) -> None:
        moved = self.battery_a * dt_s / 3600.0 / BATTERY_AH
        self.charge_fraction = min(1.0, max(0.0, self.charge_fraction + moved))
        if moved < 0:
            self.discharged_fraction -= moved
        elif self.discharged_fraction > 0.02:
            self.cycles += 1
            self.discharged_fraction = 0.0

    def _below(self, threshold: float, *, was: bool) -> bool:
        return self.charge_fraction < threshold + (_RECOVERED_BY if was else 0.0)

    def telemetry(self, rng: random.Random, *, battery_t_deg_c: float) -> dict[str, Value]:
        """Return the parameters of the power subsystem."""
        array_v = max(0.0, noisy(rng, self.array_v, 0.05)) if self.array_v else 0.0
        bus_v = noisy(rng, 50.2 - 0.006 * self.load_w / 50.0, 0.01)
        return {
            "PWR_MODE": self.mode,
            "PWR_SA_P": max(0.0, noisy(rng, self.array_w, 1.5)) if self.array_v else 0.0,
            "PWR_SA_V": array_v,
            "PWR_SA_I": self.array_w / array_v if array_v else 0.0,
            "PWR_BATT_V": noisy(rng, self.battery_v, 0.004),
            "PWR_BATT_I": noisy(rng, self.battery_a, 0.02),
            "PWR_BATT_SOC": 100.0 * self.charge_fraction,
            "PWR_BATT_T": noisy(rng, battery_t_deg_c, 0.02),
            "PWR_BUS_V": bus_v,
            "PWR_BUS_I": noisy(rng, self.load_w / bus_v, 0.02),
            "PWR_LOAD_P": noisy(rng, self.load_w, 0.8),
            "PWR_PAYLOAD_P": max(0.0, noisy(rng, self.payload_w, 0.5)),
            "PWR_CYCLES": self.cycles,
        }

"""Pumped loop, radiator, heaters, and the temperatures of what they serve."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from missioncontrol.simulator.models.situation import Value, noisy, relax

RADIATOR_M2: Final = 6.0
EMISSIVITY: Final = 0.88
_STEFAN_BOLTZMANN: Final = 5.670374e-8
_RADIATOR_J_K: Final = 60_000.0
_EARTH_AND_ALBEDO_W: Final = 560.0
_SUN_ON_RADIATOR_W: Final = 140.0  # it sees the Sun only aslant
_COOLANT_J_K_L: Final = 3500.0  # heat of a litre
_LOOP_SETPOINT_DEG_C: Final = 14.0
_HOT_GPU_DEG_C: Final = 76.0
_GPU_K_W: Final = 0.045  # from coolant to junction
_GPU_TIME_S: Final = 25.0
_MAX_STEP_S: Final = 10.0
_ZERO_DEG_C_K: Final = 273.15


@dataclass(slots=True)
class Thermal:
    """A radiator that cools by T^4, a loop held at its set point, first-order nodes."""

    radiator_deg_c: float = 2.0
    loop_in_deg_c: float = 14.0
    loop_out_deg_c: float = 15.5
    flow_l_min: float = 6.0
    panel_deg_c: float = 60.0
    computer_deg_c: float = 21.0
    battery_deg_c: float = 19.0
    amplifier_deg_c: float = 17.0
    wheel_deg_c: float = 27.0
    gpu_deg_c: list[float] = field(default_factory=lambda: [19.0, 19.0])
    heater_w: float = 40.0
    is_max_cooling: bool = False
    payload_on: bool = True

    def step(
        self,
        dt_s: float,
        *,
        sunlit_fraction: float,
        payload_w: float,
        gpu_w: list[float],
        battery_a: float,
        transmitter_w: float,
    ) -> None:
        """Move on by *dt_s* seconds; long steps are cut."""
        while dt_s > 0:
            part_s = min(dt_s, _MAX_STEP_S)
            self._step_loop(part_s, sunlit_fraction, payload_w, gpu_w)
            self._step_nodes(part_s, sunlit_fraction, battery_a, transmitter_w)
            dt_s -= part_s

    def _step_loop(
        self, dt_s: float, sunlit_fraction: float, payload_w: float, gpu_w: list[float]
    ) -> None:
        kelvin = self.radiator_deg_c + _ZERO_DEG_C_K
        absorbed_w = _EARTH_AND_ALBEDO_W + _SUN_ON_RADIATOR_W * sunlit_fraction
        emitted_w = EMISSIVITY * _STEFAN_BOLTZMANN * RADIATOR_M2 * kelvin**4
        heat_w = payload_w + 220.0 + absorbed_w - emitted_w
        self.radiator_deg_c += heat_w * dt_s / _RADIATOR_J_K
        self.payload_on = payload_w > 100.0
        hottest = max(self.gpu_deg_c)
        self.is_max_cooling = hottest > _HOT_GPU_DEG_C - (6.0 if self.is_max_cooling else 0.0)
        wanted = 9.0 if self.is_max_cooling else min(8.5, 5.2 + payload_w / 600.0)
        self.flow_l_min = relax(self.flow_l_min, wanted, dt_s, 20.0)
        bypassed = max(_LOOP_SETPOINT_DEG_C, self.radiator_deg_c + 3.0)
        self.loop_in_deg_c = relax(self.loop_in_deg_c, bypassed, dt_s, 60.0)
        rise = payload_w / (self.flow_l_min / 60.0 * _COOLANT_J_K_L)
        self.loop_out_deg_c = relax(self.loop_out_deg_c, self.loop_in_deg_c + rise, dt_s, 15.0)
        self.gpu_deg_c = [
            relax(now, self.loop_out_deg_c + _GPU_K_W * watt, dt_s, _GPU_TIME_S)
            for now, watt in zip(self.gpu_deg_c, gpu_w, strict=True)
        ]

    def _step_nodes(
        self, dt_s: float, sunlit_fraction: float, battery_a: float, transmitter_w: float
    ) -> None:
        lit = sunlit_fraction
        self.panel_deg_c = relax(
            self.panel_deg_c, 64.0 * lit - 78.0 * (1.0 - lit), dt_s, 480.0 + 420.0 * (1.0 - lit)
        )
        self.heater_w = relax(self.heater_w, 40.0 + 85.0 * (1.0 - lit), dt_s, 90.0)
        self.computer_deg_c = relax(self.computer_deg_c, 18.0 + 4.0 * lit, dt_s, 900.0)
        # The cells warm up with the square of the current; their heaters hold 18 degC.
        self.battery_deg_c = relax(self.battery_deg_c, 18.0 + 0.012 * battery_a**2, dt_s, 1500.0)
        self.amplifier_deg_c = relax(self.amplifier_deg_c, 16.0 + 0.5 * transmitter_w, dt_s, 240.0)
        self.wheel_deg_c = relax(self.wheel_deg_c, 26.0 + 2.0 * lit, dt_s, 1200.0)

    @property
    def pump_w(self) -> float:
        return 5.0 + 0.12 * self.flow_l_min**3

    @property
    def mode(self) -> str:
        if self.is_max_cooling:
            return "MAX_COOLING"
        return "REGULATING" if self.payload_on else "STANDBY"

    def telemetry(self, rng: random.Random) -> dict[str, Value]:
        """Return the parameters of the thermal subsystem."""
        mean = (self.loop_in_deg_c + self.loop_out_deg_c) / 2.0
        return {
            "THM_MODE": self.mode,
            "THM_RADIATOR_T": noisy(rng, self.radiator_deg_c, 0.03),
            "THM_LOOP_IN_T": noisy(rng, self.loop_in_deg_c, 0.02),
            "THM_LOOP_OUT_T": noisy(rng, self.loop_out_deg_c, 0.02),
            "THM_LOOP_PRESS": noisy(rng, 252.0 + 1.6 * (mean - 15.0), 0.15),
            "THM_FLOW": noisy(rng, self.flow_l_min, 0.012),
            "THM_PUMP_SPEED": noisy(rng, 850.0 * self.flow_l_min, 6.0),
            "THM_PUMP_I": noisy(rng, self.pump_w / 50.0, 0.003),
            "THM_PUMP_STATE": "PUMP_A",
            "THM_PANEL_T": noisy(rng, self.panel_deg_c, 0.05),
            "THM_OBC_T": noisy(rng, self.computer_deg_c, 0.03),
            "THM_HEATER_P": noisy(rng, self.heater_w, 0.1),
        }

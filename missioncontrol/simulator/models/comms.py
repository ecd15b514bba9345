"""Transponder: what the receiver sees and the transmitter does."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

from missioncontrol.simulator.models.situation import Situation, Value, noisy, relax

TRANSMITTER_W: Final = 9.0  # radiated
TRANSMITTER_DC_W: Final = 34.0
_LIGHT_M_S: Final = 299_792_458.0
_NOISE_FLOOR_DBM: Final = -138.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounters:
    """What the telecommand receiver and the file service count."""

    farm_state: int
    farm_expected: int
    frames_ok: int
    frames_bad: int
    files_waiting: int
    file_octets: int


@dataclass(slots=True)
class Comms:
    """The transmitter is on in view of a station; the receiver always is."""

    radiated_w: float = 0.0
    is_on: bool = False

    @property
    def consumed_w(self) -> float:
        return 12.0 + (TRANSMITTER_DC_W if self.is_on else 0.0)

    def step(self, dt_s: float, *, situation: Situation) -> None:
        """Move on by *dt_s* seconds."""
        self.is_on = situation.in_view
        self.radiated_w = relax(self.radiated_w, TRANSMITTER_W if self.is_on else 0.0, dt_s, 1.0)

    def telemetry(
        self,
        rng: random.Random,
        *,
        situation: Situation,
        counters: LinkCounters,
        uplink_hz: float,
        rate_bps: int,
        amplifier_deg_c: float,
    ) -> dict[str, Value]:
        """Return the parameters of the communications subsystem."""
        power_dbm, offset_hz = _NOISE_FLOOR_DBM, 0.0
        if situation.uplink_locked:
            power_dbm = -88.0 - 20.0 * math.log10(situation.range_m / 1e6)
            offset_hz = -situation.range_rate_m_s / _LIGHT_M_S * uplink_hz
        return {
            "COM_RX_LOCK": "BIT_LOCK" if situation.uplink_locked else "NO_RF",
            "COM_TX_STATE": "ON" if self.is_on else "OFF",
            "COM_FARM_STATE": counters.farm_state,
            "COM_FARM_VR": counters.farm_expected,
            "COM_RX_POWER": noisy(rng, power_dbm, 0.15),
            "COM_RX_OFFSET": noisy(rng, offset_hz, 12.0),
            "COM_TX_P": max(0.0, noisy(rng, self.radiated_w, 0.01)) if self.is_on else 0.0,
            "COM_TX_T": noisy(rng, amplifier_deg_c, 0.05),
            "COM_TM_RATE": rate_bps,
            "COM_TC_FRAMES_OK": counters.frames_ok,
            "COM_TC_FRAMES_BAD": counters.frames_bad,
            "COM_FILES_WAITING": counters.files_waiting,
            "COM_FILE_OCTETS": counters.file_octets,
        }

"""What the radio path does to frames and CLTUs: bits turned, whole units lost."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """Chances, 0 to 1."""

    frame_loss: float = 0.0  # of a TM frame never arriving
    cltu_loss: float = 0.0  # of a CLTU never arriving
    bit_error_rate: float = 0.0  # of any one bit turning, both ways

    def __post_init__(self) -> None:
        for name in ("frame_loss", "cltu_loss", "bit_error_rate"):
            value = getattr(self, name)
            if not 0.0 <= value < 1.0:
                raise ValueError(f"{name} is {value}; give a chance from 0 to less than 1.")


class LinkFaults:
    """A seeded radio path; the same seed and the same traffic meet the same faults."""

    def __init__(self, rates: FaultRates, rng: random.Random) -> None:
        self._rates = rates
        self._rng = rng

    def down(self, frame: bytes) -> bytes | None:
        """Return a TM frame as the station receives it; None when it is lost."""
        return self._pass(frame, self._rates.frame_loss)

    def up(self, cltu: bytes) -> bytes | None:
        """Return a CLTU as the spacecraft receives it; None when it is lost."""
        return self._pass(cltu, self._rates.cltu_loss)

    def _pass(self, octets: bytes, loss: float) -> bytes | None:
        if loss and self._rng.random() < loss:
            return None
        return self._disturb(octets) if self._rates.bit_error_rate else octets

    def _disturb(self, octets: bytes) -> bytes:
        """Turn bits; leaps from one error to the next instead of asking every bit."""
        disturbed = bytearray(octets)
        per_bit = math.log1p(-self._rates.bit_error_rate)
        bit = self._leap(per_bit)
        while bit < len(disturbed) * 8:
            disturbed[bit // 8] ^= 0x80 >> bit % 8
            bit += 1 + self._leap(per_bit)
        return bytes(disturbed)

    def _leap(self, per_bit: float) -> int:
        return int(math.log(1.0 - self._rng.random()) / per_bit)

"""The pseudo-randomisers of telemetry frames, each its own inverse.

Pure. The sequence starts anew with the first octet after the attached sync marker,
which itself stays as it is. Source: CCSDS 131.0-B-5 section 10.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Blocks = npt.NDArray[np.uint8]


class RandomiserSequence(Enum):
    """Which sequence a mission uses: exponents of the polynomial, and the first state."""

    DEGREE_8 = (8, (0, 3, 5, 7), 0xFF)  # x^8 + x^7 + x^5 + x^3 + 1, of 255 bits
    DEGREE_17 = (17, (0, 14), 0x18E38)  # x^17 + x^14 + 1, of 131071 bits

    @property
    def period_octets(self) -> int:
        """Octets until they repeat: as many as the period has bits, which is odd."""
        return int((1 << self.value[0]) - 1)


_LEAST_GENERATED: Final = 2048  # octets; a codeblock has 2040 at most


def randomise(octets: bytes, sequence: RandomiserSequence = RandomiserSequence.DEGREE_8) -> bytes:
    """Return *octets*, a frame or codeblock, exclusive-ored with the sequence."""
    return randomise_blocks(np.frombuffer(octets, dtype=np.uint8)[None, :], sequence).tobytes()


def randomise_blocks(
    blocks: Blocks, sequence: RandomiserSequence = RandomiserSequence.DEGREE_8
) -> Blocks:
    """Return blocks, one a row, each exclusive-ored with the sequence from its beginning."""
    length = blocks.shape[1]
    period = sequence.period_octets
    wanted = max(_LEAST_GENERATED, length)
    known = _generated(sequence, min(period, wanted))
    if length > period:
        known = np.resize(known, length)  # repeats it
    return np.bitwise_xor(blocks, known[:length])


derandomise = randomise
derandomise_blocks = randomise_blocks


@lru_cache(maxsize=8)
def _generated(sequence: RandomiserSequence, octets: int) -> Blocks:
    """Return the beginning of a sequence from its shift register."""
    degree, taps, register = sequence.value
    bits = bytearray(octets * 8)
    for place in range(octets * 8):
        bits[place] = register & 1
        feedback = 0
        for tap in taps:
            feedback ^= register >> tap & 1
        register = register >> 1 | feedback << (degree - 1)
    return np.packbits(np.frombuffer(bits, dtype=np.uint8))

"""The pseudo-randomiser of telemetry frames, which is its own inverse.

Pure. Source: CCSDS 131.0-B-4 section 10, the sequence of period 255:
h(x) = x^8 + x^7 + x^5 + x^3 + 1 from a register of all ones. The sequence
starts anew with the first octet after the attached sync marker, which itself
stays as it is.
"""

from __future__ import annotations

from typing import Final

_PERIOD: Final = 255  # bits, and so octets until the octets repeat


def randomise(octets: bytes) -> bytes:
    """Return *octets*, a frame or codeblock, exclusive-ored with the sequence."""
    length = len(octets)
    mixed = int.from_bytes(octets, "big") ^ int.from_bytes(_sequence(length), "big")
    return mixed.to_bytes(length, "big")


derandomise = randomise


def _sequence(length: int) -> bytes:
    repeats, rest = divmod(length, _PERIOD)
    return _SEQUENCE * repeats + _SEQUENCE[:rest]


def _generate(octets: int) -> bytes:
    register, bits = 0xFF, 0
    for _ in range(octets * 8):
        bits = bits << 1 | register & 1
        feedback = (register ^ register >> 3 ^ register >> 5 ^ register >> 7) & 1
        register = register >> 1 | feedback << 7
    return bits.to_bytes(octets, "big")


_SEQUENCE: Final = _generate(_PERIOD)

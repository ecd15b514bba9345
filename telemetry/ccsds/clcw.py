"""The Communications Link Control Word: what the spacecraft's FARM-1 reports.

Pure. Source: CCSDS 232.0-B-4 section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CLCW_LENGTH: Final = 4  # octets
COP_1: Final = 1  # the only value of "COP in effect" that is defined

_RESERVED: Final = 0x0003_0100


class ClcwError(ValueError):
    """These octets are not a CLCW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clcw:
    virtual_channel_id: int  # of the telecommand channel it reports on, 0-63
    lockout: bool
    wait: bool
    retransmit: bool
    no_rf_available: bool = False
    no_bit_lock: bool = False
    farm_b_counter: int  # 0-3
    report_value: int  # N(R): the next frame sequence number expected, 0-255
    status_field: int = 0  # 0-7, for the mission to define
    cop_in_effect: int = COP_1  # 0-3

    def encode(self) -> bytes:
        """Return the 4 octets of the operational control field.

        Raises:
            ClcwError: A field is outside its range.
        """
        _check("virtual channel", self.virtual_channel_id, 63)
        _check("FARM-B counter", self.farm_b_counter, 3)
        _check("report value", self.report_value, 255)
        _check("status field", self.status_field, 7)
        _check("COP in effect", self.cop_in_effect, 3)
        word = (
            self.status_field << 26
            | self.cop_in_effect << 24
            | self.virtual_channel_id << 18
            | self.no_rf_available << 15
            | self.no_bit_lock << 14
            | self.lockout << 13
            | self.wait << 12
            | self.retransmit << 11
            | self.farm_b_counter << 9
            | self.report_value
        )
        return word.to_bytes(CLCW_LENGTH, "big")


def decode_clcw(octets: bytes) -> Clcw:
    """Return the CLCW in an operational control field.

    Raises:
        ClcwError: Not 4 octets, a type 2 report (first bit 1), an unknown
            version, or reserved bits that are set.
    """
    if len(octets) != CLCW_LENGTH:
        raise ClcwError(f"a CLCW has {CLCW_LENGTH} octets, {len(octets)} are present")
    word = int.from_bytes(octets, "big")
    if word >> 31:
        raise ClcwError(f"control word type 1, expected 0 (CLCW): {octets.hex()}")
    if word >> 29:
        raise ClcwError(f"CLCW version {word >> 29}, expected 0: {octets.hex()}")
    if word & _RESERVED:
        raise ClcwError(f"reserved bits of the CLCW are set: {octets.hex()}")
    return Clcw(
        virtual_channel_id=word >> 18 & 0x3F,
        lockout=bool(word >> 13 & 1),
        wait=bool(word >> 12 & 1),
        retransmit=bool(word >> 11 & 1),
        no_rf_available=bool(word >> 15 & 1),
        no_bit_lock=bool(word >> 14 & 1),
        farm_b_counter=word >> 9 & 3,
        report_value=word & 0xFF,
        status_field=word >> 26 & 7,
        cop_in_effect=word >> 24 & 3,
    )


def _check(what: str, value: int, high: int) -> None:
    if not 0 <= value <= high:
        raise ClcwError(f"{what} {value} is outside 0 to {high}")

"""The frame error control field: a CRC of 16 bits.

Source: CCSDS 132.0-B-3 section 4.1.6, 732.0-B-5 section 4.1.6 and 232.0-B-4 section
4.1.4, which use the same polynomial, x^16 + x^12 + x^5 + 1, from a register of all ones.
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Final

from telemetry.ccsds.frame_fault import FrameError, FrameFault

CRC_LENGTH: Final = 2  # octets


def crc16_ccitt(data: bytes) -> int:
    """Return the CRC of *data*, 0 to 65535; over data and its own CRC it is 0."""
    return crc_hqx(data, 0xFFFF)


def check_error_control(frame: bytes) -> None:
    """Check the error control field that ends a telemetry frame.

    Raises:
        FrameError: It is wrong; the reason gives the value found and the one expected.
    """
    if crc16_ccitt(frame):
        expected = crc16_ccitt(frame[:-CRC_LENGTH])
        raise FrameError(
            fault=FrameFault.FECF,
            reason=f"frame error control field {frame[-CRC_LENGTH:].hex()}, "
            f"expected {expected:04x}",
        )

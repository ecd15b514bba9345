"""File checksums (CCSDS 727.0-B-5 section 4.2 and annex F)."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable
from struct import unpack
from typing import Final

from uplink.cfdp.codes import ChecksumType

READ_OCTETS: Final = 1 << 18  # how much of a file is held in memory at once

Read = Callable[[int, int], bytes]  # (offset, length) -> exactly that many octets


def extend_checksum(
    checksum_type: ChecksumType, checksum: int, *, offset: int, data: bytes
) -> int:
    """Return *checksum* of the file up to *offset*, extended by *data* that follows.

    Start with 0. The modular checksum also takes segments in any order, each
    once; CRC-32 must be given the file from its start, in order.
    """
    match checksum_type:
        case ChecksumType.MODULAR:
            return (checksum + _sum_of_words(offset, data)) & 0xFFFFFFFF
        case ChecksumType.CRC_32:
            return crc32(data, checksum)
        case ChecksumType.NULL:
            return 0


def file_checksum(checksum_type: ChecksumType, read: Read, size_octets: int) -> int:
    """Return the checksum of a whole file, read in pieces from its start."""
    checksum = 0
    for offset in range(0, size_octets, READ_OCTETS):
        data = read(offset, min(READ_OCTETS, size_octets - offset))
        checksum = extend_checksum(checksum_type, checksum, offset=offset, data=data)
    return checksum


def _sum_of_words(offset: int, data: bytes) -> int:
    """Sum the 4-octet words of the file that *data* is part of, zero where it is not."""
    front = offset % 4
    back = -(front + len(data)) % 4
    words = b"\0" * front + data + b"\0" * back
    return sum(unpack(f">{len(words) // 4}I", words))

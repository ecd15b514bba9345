"""Space Packets.

Pure: octets in, packets out. Source: CCSDS 133.0-B-2 section 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final

TELEMETRY: Final = 0  # packet type
TELECOMMAND: Final = 1
IDLE_APID: Final = 0x7FF
MAX_APID: Final = 0x7FF
SEQUENCE_COUNT_MODULUS: Final = 16_384
PRIMARY_HEADER_LENGTH: Final = 6  # octets
MIN_PACKET_LENGTH: Final = 7  # octets: a packet carries at least one octet of data
MAX_PACKET_LENGTH: Final = 65_542  # octets
MAX_DATA_LENGTH: Final = 65_536  # octets

_HEADER: Final = Struct(">HHH")
_IDLE_OCTET: Final = b"\x55"  # alternating bits keep the receiver's bit clock


class SequenceFlags(IntEnum):
    """What part of a group of packets this one is (section 4.1.3.4.2)."""

    CONTINUATION = 0
    FIRST = 1
    LAST = 2
    UNSEGMENTED = 3


class PacketError(ValueError):
    """These octets are not a Space Packet, or these fields cannot become one."""


class TrailingOctetsError(PacketError):
    """Octets stand after the last whole packet. The packets before them are good."""

    def __init__(self, *, offset: int, rubbish: bytes, reason: str) -> None:
        self.offset = offset
        self.rubbish = rubbish
        super().__init__(f"{len(rubbish)} octets from octet {offset} are no packet: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacePacket:
    packet_type: int  # TELEMETRY or TELECOMMAND
    apid: int  # 0-2047
    sequence_flags: SequenceFlags = SequenceFlags.UNSEGMENTED
    sequence_count: int  # 0-16383
    has_secondary_header: bool = False
    data: bytes  # the packet data field, secondary header included; 1 to 65536 octets

    @property
    def is_idle(self) -> bool:
        return self.apid == IDLE_APID

    def encode(self) -> bytes:
        """Return the packet, primary header included.

        Raises:
            PacketError: A field is outside its range.
        """
        _check("packet type", self.packet_type, TELEMETRY, TELECOMMAND)
        _check("APID", self.apid, 0, MAX_APID)
        _check("sequence count", self.sequence_count, 0, SEQUENCE_COUNT_MODULUS - 1)
        _check("packet data length in octets", len(self.data), 1, MAX_DATA_LENGTH)
        identification = self.packet_type << 12 | self.has_secondary_header << 11 | self.apid
        sequence = self.sequence_flags << 14 | self.sequence_count
        return _HEADER.pack(identification, sequence, len(self.data) - 1) + self.data


def decode_space_packet(octets: bytes) -> SpacePacket:
    """Return the one packet that *octets* hold, exactly.

    Raises:
        PacketError: Too short, another version, or the length field disagrees
            with the octets present.
    """
    length = packet_length_octets(octets)
    if length != len(octets):
        raise PacketError(
            f"the packet length field says {length} octets in all, {len(octets)} are present"
        )
    identification, sequence, _ = _HEADER.unpack_from(octets)
    return SpacePacket(
        packet_type=identification >> 12 & 1,
        apid=identification & MAX_APID,
        sequence_flags=SequenceFlags(sequence >> 14),
        sequence_count=sequence & 0x3FFF,
        has_secondary_header=bool(identification & 0x0800),
        data=octets[PRIMARY_HEADER_LENGTH:],
    )


def packet_length_octets(octets: bytes, offset: int = 0) -> int:
    """Return the length that the header at *offset* announces, header included.

    Raises:
        PacketError: Fewer than 6 octets stand there, or the packet version
            number is not 0, so that where the packet ends is unknown.
    """
    if len(octets) - offset < PRIMARY_HEADER_LENGTH:
        raise PacketError(
            f"a packet header has {PRIMARY_HEADER_LENGTH} octets, "
            f"{max(0, len(octets) - offset)} are present"
        )
    identification, _, length_less_one = _HEADER.unpack_from(octets, offset)
    if identification >> 13:
        raise PacketError(f"packet version number {identification >> 13}, expected 0")
    return PRIMARY_HEADER_LENGTH + 1 + int(length_less_one)


def split_packets(octets: bytes) -> Iterator[bytes]:
    """Yield each packet of a file or segment of packets written one after another.

    Raises:
        TrailingOctetsError: After the last whole packet octets remain that are
            none; raised when every good packet has been yielded.
    """
    offset = 0
    while offset < len(octets):
        try:
            end = offset + packet_length_octets(octets, offset)
        except PacketError as error:
            raise TrailingOctetsError(
                offset=offset, rubbish=octets[offset:], reason=str(error)
            ) from error
        if end > len(octets):
            raise TrailingOctetsError(
                offset=offset,
                rubbish=octets[offset:],
                reason=f"the length field announces {end - offset} octets",
            )
        yield octets[offset:end]
        offset = end


def idle_packet(length_octets: int) -> bytes:
    """Return an idle packet of exactly *length_octets*, 7 to 65542.

    Raises:
        PacketError: No packet has that length.
    """
    _check("idle packet length in octets", length_octets, MIN_PACKET_LENGTH, MAX_PACKET_LENGTH)
    return SpacePacket(
        packet_type=TELEMETRY,
        apid=IDLE_APID,
        sequence_count=0,
        data=_IDLE_OCTET * (length_octets - PRIMARY_HEADER_LENGTH),
    ).encode()


def _check(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise PacketError(f"{what} {value} is outside {low} to {high}")

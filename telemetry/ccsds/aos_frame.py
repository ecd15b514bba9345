"""AOS transfer frames.

Pure: octets in, frames out. A frame that the sky spoilt raises FrameError, whose fault
and reason the archive of bad frames keeps. Source: CCSDS 732.0-B-5 section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from struct import Struct
from typing import Final

from telemetry.ccsds.crc import CRC_LENGTH, check_error_control, crc16_ccitt
from telemetry.ccsds.frame_fault import FrameError, FrameFault
from telemetry.ccsds.frame_header_error_control import (
    FHEC_OCTETS,
    corrected_header,
    header_check_symbols,
)

PRIMARY_HEADER_LENGTH: Final = 6  # octets, without header error control
OCF_LENGTH: Final = 4  # octets
MAX_FRAME_LENGTH: Final = 65_536  # octets
FRAME_COUNT_MODULUS: Final = 1 << 24
EXTENDED_COUNT_MODULUS: Final = 1 << 28  # with the virtual channel frame count cycle
ONLY_IDLE_DATA_CHANNEL: Final = 63
PDU_HEADER_LENGTH: Final = 2  # octets: of an M_PDU or a B_PDU
ONLY_IDLE_BITS: Final = 0x3FFE  # bitstream data pointer: nothing but idle data
ALL_BITS_VALID: Final = 0x3FFF  # bitstream data pointer: no idle data
_VERSION: Final = 1

_HEADER: Final = Struct(">HI")
_WORD: Final = Struct(">H")


class AosService(StrEnum):
    """What the data field of a virtual channel's frames holds (section 4.1.4)."""

    PACKETS = "packets"  # multiplexing protocol data units: packets
    BITSTREAM = "bitstream"  # bitstream protocol data units
    ACCESS = "access"  # virtual channel access service data units: opaque octets


@dataclass(frozen=True, slots=True, kw_only=True)
class AosFrameFormat:
    """What a mission fixes for a physical channel (section 5, managed parameters)."""

    frame_length_octets: int
    has_fecf: bool
    has_ocf: bool = False
    has_header_error_control: bool = False
    insert_zone_octets: int = 0

    def __post_init__(self) -> None:
        shortest = self._overhead_octets + PDU_HEADER_LENGTH + 1
        if self.insert_zone_octets < 0:
            raise ValueError(f"insert zone of {self.insert_zone_octets} octets is below 0")
        if not shortest <= self.frame_length_octets <= MAX_FRAME_LENGTH:
            raise ValueError(
                f"frame length {self.frame_length_octets} is outside "
                f"{shortest} to {MAX_FRAME_LENGTH} octets"
            )

    @property
    def data_offset_octets(self) -> int:
        header_control = FHEC_OCTETS * self.has_header_error_control
        return PRIMARY_HEADER_LENGTH + header_control + self.insert_zone_octets

    @property
    def _overhead_octets(self) -> int:
        trailer = OCF_LENGTH * self.has_ocf + CRC_LENGTH * self.has_fecf
        return self.data_offset_octets + trailer

    @property
    def data_field_octets(self) -> int:
        """Octets of the data field; an M_PDU or B_PDU header takes two of them."""
        return self.frame_length_octets - self._overhead_octets


@dataclass(frozen=True, slots=True, kw_only=True)
class AosFrame:
    spacecraft_id: int  # 0-1023; until issue 4 of the standard 0-255
    virtual_channel_id: int  # 0-63
    virtual_channel_frame_count: int  # 0 to 2^24 - 1; with a cycle to 2^28 - 1
    has_count_cycle: bool = False  # the count has four bits more
    is_replay: bool = False
    data: bytes  # transfer frame data field
    insert_zone: bytes = b""
    ocf: bytes | None = None  # operational control field, 4 octets

    @property
    def is_only_idle_data(self) -> bool:
        return self.virtual_channel_id == ONLY_IDLE_DATA_CHANNEL

    @property
    def count_modulus(self) -> int:
        return EXTENDED_COUNT_MODULUS if self.has_count_cycle else FRAME_COUNT_MODULUS


@dataclass(frozen=True, slots=True)
class Bitstream:
    """What a bitstream protocol data unit holds.

    Attributes:
        octets: The data zone.
        bits: How many of its bits, from the first, are data; idle data follow.
    """

    octets: bytes
    bits: int


def multiplexed_packets(data: bytes) -> tuple[int, bytes]:
    """Return first header pointer and packet zone of a data field that is an M_PDU."""
    pointer = _WORD.unpack_from(data)[0] & 0x7FF
    return pointer, data[PDU_HEADER_LENGTH:]


def multiplexed_data(first_header_pointer: int, packet_zone: bytes) -> bytes:
    """Return the M_PDU that a frame's data field holds."""
    _check("first header pointer", first_header_pointer, 0, 0x7FF)
    return _WORD.pack(first_header_pointer) + packet_zone


def bitstream_data(data: bytes) -> Bitstream:
    """Return the bits in a data field that is a B_PDU.

    Raises:
        ValueError: The pointer is outside the data zone.
    """
    pointer = _WORD.unpack_from(data)[0] & 0x3FFF
    octets = data[PDU_HEADER_LENGTH:]
    if pointer == ONLY_IDLE_BITS:
        return Bitstream(octets, 0)
    if pointer == ALL_BITS_VALID:
        return Bitstream(octets, 8 * len(octets))
    if pointer >= 8 * len(octets):
        raise ValueError(
            f"bitstream data pointer {pointer} is outside the zone of {8 * len(octets)} bits"
        )
    return Bitstream(octets, pointer + 1)  # it names the last bit of data


def encode_aos_frame(frame: AosFrame, frame_format: AosFrameFormat) -> bytes:
    """Return the frame as sent, error control fields included.

    Raises:
        ValueError: A field is outside its range, or the parts do not make up
            the length that the format fixes.
    """
    _check("spacecraft", frame.spacecraft_id, 0, 1023)
    _check("virtual channel", frame.virtual_channel_id, 0, 63)
    _check("frame count", frame.virtual_channel_frame_count, 0, frame.count_modulus - 1)
    _check("OCF octets", len(frame.ocf or b""), *(OCF_LENGTH * frame_format.has_ocf,) * 2)
    _check("insert zone octets", len(frame.insert_zone), *(frame_format.insert_zone_octets,) * 2)
    count, cycle = frame.virtual_channel_frame_count, frame.virtual_channel_frame_count >> 24
    signalling = (
        frame.is_replay << 7 | frame.has_count_cycle << 6 | frame.spacecraft_id >> 8 << 4 | cycle
    )
    header = _HEADER.pack(
        _VERSION << 14 | (frame.spacecraft_id & 0xFF) << 6 | frame.virtual_channel_id,
        (count & 0xFFFFFF) << 8 | signalling,
    )
    if frame_format.has_header_error_control:
        header += header_check_symbols(header[:2] + header[5:])
    body = header + frame.insert_zone + frame.data + (frame.ocf or b"")
    if frame_format.has_fecf:
        body += crc16_ccitt(body).to_bytes(CRC_LENGTH, "big")
    if len(body) != frame_format.frame_length_octets:
        raise ValueError(
            f"the frame would have {len(body)} octets, the channel's frames have "
            f"{frame_format.frame_length_octets}"
        )
    return body


def decode_aos_frame(octets: bytes, frame_format: AosFrameFormat) -> AosFrame:
    """Return the frame in *octets*, which start at its header, after any attached sync marker.

    Raises:
        FrameError: Wrong length, version or frame error control field, or a
            header that cannot be mended. The reason gives the value expected and
            the value found.
    """
    if len(octets) != frame_format.frame_length_octets:
        raise FrameError(
            fault=FrameFault.LENGTH,
            reason=f"frame of {len(octets)} octets, expected {frame_format.frame_length_octets}",
        )
    if frame_format.has_fecf:
        check_error_control(octets)
    identification, count_and_signalling = _HEADER.unpack_from(_header(octets, frame_format))
    if identification >> 14 != _VERSION:
        raise FrameError(
            fault=FrameFault.VERSION,
            reason=f"transfer frame version number {identification >> 14}, expected {_VERSION}",
        )
    signalling = count_and_signalling & 0xFF
    has_cycle = bool(signalling & 0x40)
    count = count_and_signalling >> 8
    end = len(octets) - CRC_LENGTH * frame_format.has_fecf
    ocf = octets[end - OCF_LENGTH : end] if frame_format.has_ocf else None
    start = frame_format.data_offset_octets
    return AosFrame(
        spacecraft_id=(signalling >> 4 & 3) << 8 | identification >> 6 & 0xFF,
        virtual_channel_id=identification & 0x3F,
        virtual_channel_frame_count=(signalling & 15) << 24 | count if has_cycle else count,
        has_count_cycle=has_cycle,
        is_replay=bool(signalling & 0x80),
        data=octets[start : end - OCF_LENGTH * frame_format.has_ocf],
        insert_zone=octets[start - frame_format.insert_zone_octets : start],
        ocf=ocf,
    )


def _header(octets: bytes, frame_format: AosFrameFormat) -> bytes:
    """Return the primary header, mended where the frame has header error control."""
    header = octets[:PRIMARY_HEADER_LENGTH]
    if not frame_format.has_header_error_control:
        return header
    check = octets[PRIMARY_HEADER_LENGTH : PRIMARY_HEADER_LENGTH + FHEC_OCTETS]
    mended = corrected_header(header[:2] + header[5:], check)
    if mended is None:
        raise FrameError(
            fault=FrameFault.HEADER_ERROR_CONTROL,
            reason=f"the header {header.hex()} has more errors than its error control"
            f" {check.hex()} corrects",
        )
    return mended[:2] + header[2:5] + mended[2:]


def _check(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{what} {value} is outside {low} to {high}")

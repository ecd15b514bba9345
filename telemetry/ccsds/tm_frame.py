"""TM transfer frames.

Pure: octets in, frames out. A frame that the sky spoilt raises FrameError, whose
fault and reason the archive of bad frames keeps. Source: CCSDS 132.0-B-3
section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from telemetry.ccsds.crc import CRC_LENGTH, check_error_control, crc16_ccitt
from telemetry.ccsds.frame_fault import FrameError, FrameFault

PRIMARY_HEADER_LENGTH: Final = 6  # octets
OCF_LENGTH: Final = 4  # octets
MAX_FRAME_LENGTH: Final = 2048  # octets
MAX_SECONDARY_HEADER_LENGTH: Final = 63  # octets, after its one octet of identification
NO_PACKET_START: Final = 0x7FF  # first header pointer: no packet begins in this frame
ONLY_IDLE_DATA: Final = 0x7FE  # first header pointer: nothing but idle data
FRAME_COUNT_MODULUS: Final = 256
UNSEGMENTED: Final = 3  # segment length identifier of a packet channel

_HEADER: Final = Struct(">HBBH")


@dataclass(frozen=True, slots=True, kw_only=True)
class TmFrameFormat:
    """What a mission fixes for a physical channel (section 5, managed parameters)."""

    frame_length_octets: int
    has_ocf: bool
    has_fecf: bool

    def __post_init__(self) -> None:
        shortest = PRIMARY_HEADER_LENGTH + 1 + self._trailer_octets
        if not shortest <= self.frame_length_octets <= MAX_FRAME_LENGTH:
            raise ValueError(
                f"frame length {self.frame_length_octets} is outside "
                f"{shortest} to {MAX_FRAME_LENGTH} octets"
            )

    @property
    def _trailer_octets(self) -> int:
        return OCF_LENGTH * self.has_ocf + CRC_LENGTH * self.has_fecf

    @property
    def data_field_octets(self) -> int:
        """Octets for data in a frame without secondary header."""
        return self.frame_length_octets - PRIMARY_HEADER_LENGTH - self._trailer_octets


@dataclass(frozen=True, slots=True, kw_only=True)
class TmFrame:
    spacecraft_id: int  # 0-1023
    virtual_channel_id: int  # 0-7
    master_channel_frame_count: int  # 0-255
    virtual_channel_frame_count: int  # 0-255
    first_header_pointer: int  # octet of *data*, or NO_PACKET_START, or ONLY_IDLE_DATA
    data: bytes  # transfer frame data field
    ocf: bytes | None = None  # operational control field, 4 octets
    secondary_header: bytes | None = None  # without its identification octet; 1-63 octets
    synchronisation_flag: bool = False  # True: no packets, the pointer means nothing
    packet_order_flag: bool = False
    segment_length_id: int = UNSEGMENTED

    @property
    def is_only_idle_data(self) -> bool:
        return not self.synchronisation_flag and self.first_header_pointer == ONLY_IDLE_DATA


def encode_tm_frame(frame: TmFrame, frame_format: TmFrameFormat) -> bytes:
    """Return the frame as sent, error control field included.

    Raises:
        ValueError: A field is outside its range, or the parts do not make up
            the length that the format fixes.
    """
    _check_fields(frame)
    if (frame.ocf is not None) != frame_format.has_ocf:
        wanted = "needs an" if frame_format.has_ocf else "has no"
        raise ValueError(f"this channel {wanted} operational control field")
    has_secondary_header = frame.secondary_header is not None
    header = _HEADER.pack(
        frame.spacecraft_id << 4 | frame.virtual_channel_id << 1 | frame_format.has_ocf,
        frame.master_channel_frame_count,
        frame.virtual_channel_frame_count,
        has_secondary_header << 15
        | frame.synchronisation_flag << 14
        | frame.packet_order_flag << 13
        | frame.segment_length_id << 11
        | frame.first_header_pointer,
    )
    body = header + _encode_secondary_header(frame) + frame.data + (frame.ocf or b"")
    if frame_format.has_fecf:
        body += crc16_ccitt(body).to_bytes(CRC_LENGTH, "big")
    if len(body) != frame_format.frame_length_octets:
        raise ValueError(
            f"the frame would have {len(body)} octets, the channel's frames have "
            f"{frame_format.frame_length_octets}"
        )
    return body


def decode_tm_frame(octets: bytes, frame_format: TmFrameFormat) -> TmFrame:
    """Return the frame in *octets*, which start at its header, after any attached sync marker.

    Raises:
        FrameError: Wrong length, version or frame error control field, a flag
            that disagrees with the format, or a secondary header that overruns
            the frame. The reason gives the value expected and the value found.
    """
    _check_channel(octets, frame_format)
    identification, master_count, channel_count, status = _HEADER.unpack_from(octets)
    if identification >> 14:
        raise FrameError(
            fault=FrameFault.VERSION,
            reason=f"transfer frame version number {identification >> 14}, expected 0",
        )
    if bool(identification & 1) != frame_format.has_ocf:
        raise FrameError(
            fault=FrameFault.OCF_FLAG,
            reason=f"operational control field flag {identification & 1}, "
            f"expected {int(frame_format.has_ocf)}",
        )
    end = len(octets) - CRC_LENGTH * frame_format.has_fecf
    ocf = octets[end - OCF_LENGTH : end] if frame_format.has_ocf else None
    end -= OCF_LENGTH * frame_format.has_ocf
    start = PRIMARY_HEADER_LENGTH
    secondary_header = None
    if status & 0x8000:
        secondary_header = _decode_secondary_header(octets, end)
        start += 1 + len(secondary_header)
    return TmFrame(
        spacecraft_id=identification >> 4 & 0x3FF,
        virtual_channel_id=identification >> 1 & 7,
        master_channel_frame_count=master_count,
        virtual_channel_frame_count=channel_count,
        first_header_pointer=status & 0x7FF,
        data=octets[start:end],
        ocf=ocf,
        secondary_header=secondary_header,
        synchronisation_flag=bool(status & 0x4000),
        packet_order_flag=bool(status & 0x2000),
        segment_length_id=status >> 11 & 3,
    )


def _check_channel(octets: bytes, frame_format: TmFrameFormat) -> None:
    if len(octets) != frame_format.frame_length_octets:
        raise FrameError(
            fault=FrameFault.LENGTH,
            reason=f"frame of {len(octets)} octets, expected {frame_format.frame_length_octets}",
        )
    if frame_format.has_fecf:
        check_error_control(octets)


def _encode_secondary_header(frame: TmFrame) -> bytes:
    """Return the secondary header with its identification: version 0 and its length.

    The length field holds the whole secondary header less one octet, which is
    the length of what follows the identification (section 4.1.3.2.3).
    """
    if frame.secondary_header is None:
        return b""
    return bytes([len(frame.secondary_header)]) + frame.secondary_header


def _decode_secondary_header(octets: bytes, end: int) -> bytes:
    identification = octets[PRIMARY_HEADER_LENGTH]
    version, length = identification >> 6, identification & 0x3F
    start = PRIMARY_HEADER_LENGTH + 1
    if version or not length or start + length > end:
        raise FrameError(
            fault=FrameFault.SECONDARY_HEADER,
            reason=f"secondary header of version {version} with {length} octets, expected "
            f"version 0 with 1 to {min(MAX_SECONDARY_HEADER_LENGTH, end - start)}",
        )
    return octets[start : start + length]


def _check_fields(frame: TmFrame) -> None:
    limits = (
        ("spacecraft", frame.spacecraft_id, 0, 1023),
        ("virtual channel", frame.virtual_channel_id, 0, 7),
        ("master channel frame count", frame.master_channel_frame_count, 0, 255),
        ("virtual channel frame count", frame.virtual_channel_frame_count, 0, 255),
        ("first header pointer", frame.first_header_pointer, 0, 0x7FF),
        ("segment length identifier", frame.segment_length_id, 0, 3),
        ("OCF length in octets", OCF_LENGTH if frame.ocf is None else len(frame.ocf), 4, 4),
        (
            "secondary header length in octets",
            1 if frame.secondary_header is None else len(frame.secondary_header),
            1,
            MAX_SECONDARY_HEADER_LENGTH,
        ),
    )
    for what, value, low, high in limits:
        if not low <= value <= high:
            raise ValueError(f"{what} {value} is outside {low} to {high}")

"""TC transfer frames, segment headers and control commands.

Pure: octets in, frames out. Source: CCSDS 232.0-B-4 section 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from struct import Struct
from typing import Final

from telemetry.ccsds.crc import CRC_LENGTH, crc16_ccitt

PRIMARY_HEADER_LENGTH: Final = 5  # octets
MAX_FRAME_LENGTH: Final = 1024  # octets

_HEADER: Final = Struct(">HHB")
_UNLOCK: Final = b"\x00"
_SET_VR: Final = b"\x82\x00"  # followed by V(R)


class TcFrameFault(StrEnum):
    """Why the receiving end found a frame invalid."""

    LENGTH = "length"
    VERSION = "version"
    FECF = "fecf"
    FLAGS = "flags"
    SEGMENT_HEADER = "segment_header"
    CONTROL_COMMAND = "control_command"


class TcFrameError(ValueError):
    """The octets are not a valid TC frame of this channel."""

    def __init__(self, *, fault: TcFrameFault, reason: str) -> None:
        self.fault = fault
        self.reason = reason
        super().__init__(reason)


class SegmentFlags(IntEnum):
    """Which part of a packet a segment is (section 4.1.3.2.2)."""

    CONTINUING = 0
    FIRST = 1
    LAST = 2
    UNSEGMENTED = 3


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    flags: SegmentFlags
    map_id: int  # multiplexer access point, 0-63

    def encode(self) -> bytes:
        """Return the one octet; ValueError where the MAP identifier is not 0 to 63."""
        _check("MAP identifier", self.map_id, 63)
        return bytes([self.flags << 6 | self.map_id])


@dataclass(frozen=True, slots=True)
class Unlock:
    """The control command that ends FARM-1's lockout."""


@dataclass(frozen=True, slots=True)
class SetVr:
    """The control command that sets FARM-1's next expected frame sequence number."""

    value: int  # V*(R), 0-255


ControlCommand = Unlock | SetVr


@dataclass(frozen=True, slots=True, kw_only=True)
class TcFrameFormat:
    """What a mission fixes for a virtual channel (section 5, managed parameters)."""

    has_segment_header: bool = True
    has_fecf: bool = True
    max_frame_length_octets: int = MAX_FRAME_LENGTH

    def __post_init__(self) -> None:
        shortest = PRIMARY_HEADER_LENGTH + self.has_segment_header + 1 + CRC_LENGTH * self.has_fecf
        if not shortest <= self.max_frame_length_octets <= MAX_FRAME_LENGTH:
            raise ValueError(
                f"maximum frame length {self.max_frame_length_octets} is outside "
                f"{shortest} to {MAX_FRAME_LENGTH} octets"
            )

    @property
    def max_data_octets(self) -> int:
        """Octets of a packet, or of a part of one, that one frame can carry."""
        around = PRIMARY_HEADER_LENGTH + self.has_segment_header + CRC_LENGTH * self.has_fecf
        return self.max_frame_length_octets - around


@dataclass(frozen=True, slots=True, kw_only=True)
class TcFrame:
    """One frame: type AD (neither flag), BD (bypass), or BC (both)."""

    spacecraft_id: int  # 0-1023
    virtual_channel_id: int  # 0-63
    bypass: bool  # FARM-1 accepts it whatever its sequence number
    control_command: bool = False  # the data are a control command to FARM-1
    frame_sequence_number: int = 0  # N(S), 0-255; 0 where the type is not AD
    segment_header: SegmentHeader | None = None  # never in a BC frame
    data: bytes  # what follows the segment header; at least one octet


def control_frame(
    *, spacecraft_id: int, virtual_channel_id: int, command: ControlCommand
) -> TcFrame:
    """Return the type BC frame that carries *command*.

    Raises:
        ValueError: V*(R) is not 0 to 255.
    """
    if isinstance(command, Unlock):
        data = _UNLOCK
    else:
        _check("V*(R)", command.value, 255)
        data = _SET_VR + bytes([command.value])
    return TcFrame(
        spacecraft_id=spacecraft_id,
        virtual_channel_id=virtual_channel_id,
        bypass=True,
        control_command=True,
        data=data,
    )


def decode_control_command(data: bytes) -> ControlCommand:
    """Return the control command in the data field of a type BC frame.

    Raises:
        TcFrameError: The octets are neither Unlock nor Set V(R).
    """
    if data == _UNLOCK:
        return Unlock()
    if len(data) == len(_SET_VR) + 1 and data.startswith(_SET_VR):
        return SetVr(data[-1])
    raise TcFrameError(
        fault=TcFrameFault.CONTROL_COMMAND,
        reason=f"control command {data[:8].hex()} of {len(data)} octets, "
        f"expected 00 (Unlock) or 8200 and V(R)",
    )


def encode_tc_frame(frame: TcFrame, frame_format: TcFrameFormat) -> bytes:
    """Return the frame as sent, error control field included.

    Raises:
        ValueError: A field is outside its range, the segment header disagrees
            with the format, or the frame would be longer than the channel's.
    """
    _check_encodable(frame, frame_format)
    segment_header = frame.segment_header.encode() if frame.segment_header else b""
    length = PRIMARY_HEADER_LENGTH + len(segment_header) + len(frame.data)
    length += CRC_LENGTH * frame_format.has_fecf
    if length > frame_format.max_frame_length_octets:
        raise ValueError(
            f"the frame would have {length} octets; the channel's limit is "
            f"{frame_format.max_frame_length_octets}. Segment the packet."
        )
    header = _HEADER.pack(
        frame.bypass << 13 | frame.control_command << 12 | frame.spacecraft_id,
        frame.virtual_channel_id << 10 | length - 1,
        frame.frame_sequence_number,
    )
    body = header + segment_header + frame.data
    if frame_format.has_fecf:
        body += crc16_ccitt(body).to_bytes(CRC_LENGTH, "big")
    return body


def decode_tc_frame(octets: bytes, frame_format: TcFrameFormat) -> TcFrame:
    """Return the frame that *octets* hold, exactly (section 4.4: validation).

    Raises:
        TcFrameError: Wrong length, version or frame error control field, the
            reserved combination of flags, or no room for a segment header.
    """
    _check_channel(octets, frame_format)
    identification, channel_and_length, sequence_number = _HEADER.unpack_from(octets)
    bypass, control_command = bool(identification >> 13 & 1), bool(identification >> 12 & 1)
    if control_command and not bypass:
        raise TcFrameError(
            fault=TcFrameFault.FLAGS, reason="control command flag without bypass flag is reserved"
        )
    data = octets[PRIMARY_HEADER_LENGTH : len(octets) - CRC_LENGTH * frame_format.has_fecf]
    segment_header = None
    if frame_format.has_segment_header and not control_command:
        if len(data) < 2:
            raise TcFrameError(
                fault=TcFrameFault.SEGMENT_HEADER,
                reason=f"{len(data)} octets for the segment header and data, expected at least 2",
            )
        segment_header = SegmentHeader(SegmentFlags(data[0] >> 6), data[0] & 0x3F)
        data = data[1:]
    return TcFrame(
        spacecraft_id=identification & 0x3FF,
        virtual_channel_id=channel_and_length >> 10,
        bypass=bypass,
        control_command=control_command,
        frame_sequence_number=sequence_number,
        segment_header=segment_header,
        data=data,
    )


def split_frames(octets: bytes) -> Iterator[bytes]:
    """Yield the frames that a decoded CLTU carries and leave out the fill after the last.

    What follows the last octets that can be a frame (version 0, and as long as
    its length field says) is fill or spoilt; the frame error control field
    judges what is yielded.
    """
    offset = 0
    while len(octets) - offset > PRIMARY_HEADER_LENGTH:
        identification, channel_and_length, _ = _HEADER.unpack_from(octets, offset)
        end = offset + (channel_and_length & 0x3FF) + 1
        if identification >> 14 or end > len(octets) or end - offset <= PRIMARY_HEADER_LENGTH:
            return
        yield octets[offset:end]
        offset = end


def _check_channel(octets: bytes, frame_format: TcFrameFormat) -> None:
    shortest = PRIMARY_HEADER_LENGTH + 1 + CRC_LENGTH * frame_format.has_fecf
    if not shortest <= len(octets) <= frame_format.max_frame_length_octets:
        raise TcFrameError(
            fault=TcFrameFault.LENGTH,
            reason=f"frame of {len(octets)} octets, expected {shortest} to "
            f"{frame_format.max_frame_length_octets}",
        )
    identification, channel_and_length, _ = _HEADER.unpack_from(octets)
    if identification >> 14:
        raise TcFrameError(
            fault=TcFrameFault.VERSION,
            reason=f"transfer frame version number {identification >> 14}, expected 0",
        )
    if (channel_and_length & 0x3FF) + 1 != len(octets):
        raise TcFrameError(
            fault=TcFrameFault.LENGTH,
            reason=f"frame length field says {(channel_and_length & 0x3FF) + 1} octets, "
            f"{len(octets)} are present",
        )
    if frame_format.has_fecf and crc16_ccitt(octets):
        raise TcFrameError(
            fault=TcFrameFault.FECF,
            reason=f"frame error control field {octets[-CRC_LENGTH:].hex()}, "
            f"expected {crc16_ccitt(octets[:-CRC_LENGTH]):04x}",
        )


def _check_encodable(frame: TcFrame, frame_format: TcFrameFormat) -> None:
    _check("spacecraft", frame.spacecraft_id, 1023)
    _check("virtual channel", frame.virtual_channel_id, 63)
    _check("frame sequence number", frame.frame_sequence_number, 255)
    if not frame.data:
        raise ValueError("a TC frame carries at least one octet of data")
    if frame.control_command and not frame.bypass:
        raise ValueError("control command flag without bypass flag is reserved")
    wants_segment_header = frame_format.has_segment_header and not frame.control_command
    if (frame.segment_header is not None) != wants_segment_header:
        wanted = "needs a" if wants_segment_header else "has no"
        raise ValueError(f"this frame {wanted} segment header by its channel's format")


def _check(what: str, value: int, high: int) -> None:
    if not 0 <= value <= high:
        raise ValueError(f"{what} {value} is outside 0 to {high}")

"""TM and AOS frames in the one form that packet extraction needs."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry.ccsds.aos_frame import (
    AosFrameFormat,
    decode_aos_frame,
    multiplexed_packets,
)
from telemetry.ccsds.tm_frame import FRAME_COUNT_MODULUS, TmFrameFormat, decode_tm_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What matters of a transfer frame once its error control was found right."""

    spacecraft_id: int
    channel: int
    count: int
    count_modulus: int
    first_header_pointer: int
    data: bytes
    ocf: bytes | None
    synchronisation_flag: bool = False
    holds_only_idle_data: bool = False


def decoded_frame(octets: bytes, frame_format: TmFrameFormat | AosFrameFormat) -> Frame:
    """Return a frame of either kind.

    Raises:
        FrameError: It is none, or damaged.
    """
    if isinstance(frame_format, TmFrameFormat):
        tm = decode_tm_frame(octets, frame_format)
        return Frame(
            spacecraft_id=tm.spacecraft_id,
            channel=tm.virtual_channel_id,
            count=tm.virtual_channel_frame_count,
            count_modulus=FRAME_COUNT_MODULUS,
            first_header_pointer=tm.first_header_pointer,
            data=tm.data,
            ocf=tm.ocf,
            synchronisation_flag=tm.synchronisation_flag,
        )
    aos = decode_aos_frame(octets, frame_format)
    pointer, data = (0, b"") if aos.is_only_idle_data else multiplexed_packets(aos.data)
    return Frame(
        spacecraft_id=aos.spacecraft_id,
        channel=aos.virtual_channel_id,
        count=aos.virtual_channel_frame_count,
        count_modulus=aos.count_modulus,
        first_header_pointer=pointer,
        data=data,
        ocf=aos.ocf,
        holds_only_idle_data=aos.is_only_idle_data,
    )

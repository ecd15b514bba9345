"""Frames that could not be used, taken apart as far as they can be."""

from __future__ import annotations

from typing import Final

from missioncontrol.fleet.profiles import PacketLinkProfile, parse_link_profile
from telemetry.ccsds.frame_fault import FrameFault
from telemetry.ccsds.frame_layout import HeaderField, frame_fields, packet_header_fields
from telemetry.definition import frame_format_of
from telemetry.models import BadFrame
from telemetry.selectors.packet_log import ExaminedField

_OF_PACKETS: Final = {FrameFault.PACKET, FrameFault.PARTIAL_PACKET, FrameFault.UNDECODED}


def examine_bad_frame(frame: BadFrame) -> list[ExaminedField]:
    """Return the header fields of what was kept, by place.

    Of a frame those of the spacecraft's channel, of a packet those of its primary header;
    none of a codeword that could not be corrected, whose places mean nothing.
    """
    octets = bytes(frame.octets)
    if frame.fault in _OF_PACKETS:
        return [_examined(field) for field in packet_header_fields(octets)]
    profile = parse_link_profile(frame.spacecraft.link_profile)
    if not frame.fault or frame.fault == FrameFault.REED_SOLOMON:
        return []
    if isinstance(profile, PacketLinkProfile):
        return []
    found = frame_fields(octets, frame_format_of(profile.frame))
    return [_examined(field) for field in found]


def _examined(field: HeaderField) -> ExaminedField:
    return ExaminedField(
        name=field.name,
        description="",
        unit="",
        raw=field.value,
        value=field.meaning or field.value,
        offset_bits=field.offset_bits,
        size_bits=field.size_bits,
    )

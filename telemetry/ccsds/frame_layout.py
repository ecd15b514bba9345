"""Where the fields of a frame's or a packet's headers stand, for people who look at octets.

Nothing is refused here: the octets are those that were, and what is shown is what they
say. Source: CCSDS 132.0-B-3 section 4.1 (TM), 732.0-B-5 section 4.1 (AOS), 133.0-B-2
section 4.1 (space packets).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from telemetry.ccsds import aos_frame, tm_frame
from telemetry.ccsds.aos_frame import AosFrameFormat
from telemetry.ccsds.crc import CRC_LENGTH, crc16_ccitt
from telemetry.ccsds.frame_header_error_control import FHEC_OCTETS
from telemetry.ccsds.tm_frame import TmFrameFormat

_OCTET: Final = 8
_POINTERS: Final = {
    tm_frame.NO_PACKET_START: "no packet begins here",
    tm_frame.ONLY_IDLE_DATA: "only idle data",
}
_POINTER: Final = "First header pointer"
_PACKET_HEADER_OCTETS: Final = 6

_Row = tuple[str, int]  # name and size in bits, one after the other

_TM_HEADER: Final[tuple[_Row, ...]] = (
    ("Transfer frame version number", 2),
    ("Spacecraft identifier", 10),
    ("Virtual channel identifier", 3),
    ("Operational control field flag", 1),
    ("Master channel frame count", 8),
    ("Virtual channel frame count", 8),
    ("Secondary header flag", 1),
    ("Synchronisation flag", 1),
    ("Packet order flag", 1),
    ("Segment length identifier", 2),
    (_POINTER, 11),
)
_AOS_HEADER: Final[tuple[_Row, ...]] = (
    ("Transfer frame version number", 2),
    ("Spacecraft identifier, low bits", 8),
    ("Virtual channel identifier", 6),
    ("Virtual channel frame count", 24),
    ("Replay flag", 1),
    ("Frame count cycle use flag", 1),
    ("Spacecraft identifier, high bits", 2),
    ("Virtual channel frame count cycle", 4),
)
_PACKET_HEADER: Final[tuple[_Row, ...]] = (
    ("Packet version number", 3),
    ("Packet type", 1),
    ("Secondary header flag", 1),
    ("APID", 11),
    ("Sequence flags", 2),
    ("Packet sequence count", 14),
    ("Packet data length", 16),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderField:
    """One field, whole, as the octets say it."""

    name: str
    offset_bits: int
    size_bits: int
    value: int
    meaning: str = ""  # where the number alone does not say it


def packet_header_fields(octets: bytes) -> list[HeaderField]:
    """Return the fields of a space packet's primary header, as far as the octets go."""
    return list(_fields(octets, 0, _PACKET_HEADER))


def frame_fields(octets: bytes, frame_format: TmFrameFormat | AosFrameFormat) -> list[HeaderField]:
    """Return the fields around a frame's data, by place, as far as the octets go.

    With the header of the packet that the first header pointer leads to. What is counted
    from the end of a frame is left out where its length is wrong.
    """
    is_aos = isinstance(frame_format, AosFrameFormat)
    header = _AOS_HEADER if is_aos else _TM_HEADER
    found = list(_fields(octets, 0, header))
    if isinstance(frame_format, AosFrameFormat):
        begin = frame_format.data_offset_octets
        found += _aos_extras(octets, frame_format)
        found += _fields(octets, _OCTET * begin, (("Spare", 5), (_POINTER, 11)))
        begin += aos_frame.PDU_HEADER_LENGTH
    else:
        begin, extras = _tm_secondary_header(octets, found)
        found += extras
    trailer = _trailer(octets, frame_format)
    end = min((field.offset_bits // _OCTET for field in trailer), default=len(octets))
    pointer = next((field.value for field in found if field.name == _POINTER), None)
    if pointer is not None and begin + pointer + _PACKET_HEADER_OCTETS <= end:
        found += _fields(octets, _OCTET * (begin + pointer), _PACKET_HEADER)
    return found + trailer


def _aos_extras(octets: bytes, frame_format: AosFrameFormat) -> Iterator[HeaderField]:
    place = aos_frame.PRIMARY_HEADER_LENGTH
    if frame_format.has_header_error_control:
        row = ("Frame header error control", _OCTET * FHEC_OCTETS)
        yield from _fields(octets, _OCTET * place, (row,))
        place += FHEC_OCTETS
    if frame_format.insert_zone_octets:
        row = ("Insert zone", _OCTET * frame_format.insert_zone_octets)
        yield from _fields(octets, _OCTET * place, (row,))


def _tm_secondary_header(
    octets: bytes, header: list[HeaderField]
) -> tuple[int, list[HeaderField]]:
    """Return where the data begin, and the fields of the secondary header."""
    place = tm_frame.PRIMARY_HEADER_LENGTH
    if not any(field.name == "Secondary header flag" and field.value for field in header):
        return place, []
    rows = (("Secondary header version number", 2), ("Secondary header length", 6))
    found = list(_fields(octets, _OCTET * place, rows))
    length = found[1].value if len(found) > 1 else 0
    if length:
        row = ("Secondary header data field", _OCTET * length)
        found += _fields(octets, _OCTET * (place + 1), (row,))
    return place + 1 + length, found


def _trailer(octets: bytes, frame_format: TmFrameFormat | AosFrameFormat) -> list[HeaderField]:
    if len(octets) != frame_format.frame_length_octets:
        return []
    end = len(octets) - CRC_LENGTH * frame_format.has_fecf
    found: list[HeaderField] = []
    if frame_format.has_ocf:
        begin = _OCTET * (end - tm_frame.OCF_LENGTH)
        row = ("Operational control field", _OCTET * tm_frame.OCF_LENGTH)
        found += _fields(octets, begin, (row,))
    if frame_format.has_fecf:
        [field] = _fields(octets, _OCTET * end, (("Frame error control field", 16),))
        computed = crc16_ccitt(octets[:end])
        says = "agrees" if computed == field.value else f"the octets give {computed:04x}"
        found.append(replace(field, meaning=f"{field.value:04x}, {says}"))
    return found


def _fields(octets: bytes, offset_bits: int, rows: tuple[_Row, ...]) -> Iterator[HeaderField]:
    for name, size_bits in rows:
        end_bits = offset_bits + size_bits
        if end_bits > _OCTET * len(octets):
            return
        first, last = offset_bits // _OCTET, -(-end_bits // _OCTET)
        word = int.from_bytes(octets[first:last], "big") >> (_OCTET * last - end_bits)
        value = word & ((1 << size_bits) - 1)
        field = HeaderField(name=name, offset_bits=offset_bits, size_bits=size_bits, value=value)
        yield replace(field, meaning=_meaning(field))
        offset_bits = end_bits


def _meaning(field: HeaderField) -> str:
    if field.name == _POINTER:
        return _POINTERS.get(field.value, "")
    if field.size_bits == 1 and field.name.endswith("flag"):
        return "yes" if field.value else "no"
    if field.size_bits > 2 * _OCTET and not field.name.endswith("count"):
        return f"{field.value:0{field.size_bits // 4}x}"
    return ""

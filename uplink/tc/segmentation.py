"""Packets longer than a frame: cut into segments, and put together again.

Pure and sans-IO. Source: CCSDS 232.0-B-4 sections 4.1.3.2.2 (segment header),
4.3 (MAP packet processing) and 4.4 (MAP packet extraction).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from uplink.tc.tc_frame import SegmentFlags, SegmentHeader

MAX_UNIT_OCTETS: Final = 65_542  # the longest Space Packet


@dataclass(frozen=True, slots=True)
class Segment:
    header: SegmentHeader
    data: bytes


def segment_packet(octets: bytes, *, map_id: int, max_data_octets: int) -> list[Segment]:
    """Return *octets* as the segments of at most *max_data_octets* that carry them, in order.

    Raises:
        ValueError: Nothing to send, or no octet fits in a segment.
    """
    if not octets:
        raise ValueError("a segment carries at least one octet")
    if max_data_octets < 1:
        raise ValueError(f"max_data_octets {max_data_octets}; it must be at least 1")
    starts = range(0, len(octets), max_data_octets)
    return [
        Segment(
            SegmentHeader(_flags(is_first=start == 0, is_last=start == starts[-1]), map_id),
            octets[start : start + max_data_octets],
        )
        for start in starts
    ]


def _flags(*, is_first: bool, is_last: bool) -> SegmentFlags:
    if is_first and is_last:
        return SegmentFlags.UNSEGMENTED
    if is_first:
        return SegmentFlags.FIRST
    return SegmentFlags.LAST if is_last else SegmentFlags.CONTINUING


@dataclass(frozen=True, slots=True)
class UnitReassembled:
    """One packet, or several whole packets that the sender put into one frame."""

    map_id: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class SegmentsDropped:
    map_id: int
    length: int  # octets thrown away
    reason: str


Event = UnitReassembled | SegmentsDropped


class SegmentReassembler:
    """Puts the segments of one virtual channel together, each MAP for itself.

    It never raises on what the link sends. The state between calls is the
    unfinished unit of each MAP, never longer than the longest packet.
    """

    def __init__(self) -> None:
        self._unfinished: dict[int, bytearray] = {}

    def receive_segment(self, header: SegmentHeader, data: bytes) -> list[Event]:
        """Take the next segment accepted and return what it completed or spoilt."""
        if header.flags in (SegmentFlags.FIRST, SegmentFlags.UNSEGMENTED):
            return self._begin(header, data)
        unfinished = self._unfinished.get(header.map_id)
        if unfinished is None:
            return [SegmentsDropped(header.map_id, len(data), "the first segment is missing")]
        unfinished += data
        if len(unfinished) > MAX_UNIT_OCTETS:
            return self._drop(header.map_id, f"longer than {MAX_UNIT_OCTETS} octets")
        if header.flags == SegmentFlags.CONTINUING:
            return []
        del self._unfinished[header.map_id]
        return [UnitReassembled(header.map_id, bytes(unfinished))]

    def _begin(self, header: SegmentHeader, data: bytes) -> list[Event]:
        events = self._drop(header.map_id, "the last segment is missing")
        if header.flags == SegmentFlags.UNSEGMENTED:
            return [*events, UnitReassembled(header.map_id, data)]
        self._unfinished[header.map_id] = bytearray(data)
        return events

    def _drop(self, map_id: int, reason: str) -> list[Event]:
        dropped = self._unfinished.pop(map_id, None)
        return [] if dropped is None else [SegmentsDropped(map_id, len(dropped), reason)]

"""Space Packets in a stream of octets without frames: TCP, serial lines, files.

Pure and sans-IO. Packets follow one another; where one ends the next begins. When that
breaks (a wrong length, octets that went missing), the next place is searched at which
several packets follow one another again, and what lies between is kept as one event.
Source: CCSDS 133.0-B-2 section 4.1.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from telemetry.ccsds.space_packet import (
    MAX_PACKET_LENGTH,
    MIN_PACKET_LENGTH,
    PRIMARY_HEADER_LENGTH,
)

# So many packets must follow one another before a place is believed in.
_BELIEVED_AFTER: Final = 3


@dataclass(frozen=True, slots=True)
class OctetsRejected:
    """Octets that are no packet."""

    octets: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFormat:
    """What is agreed of the packets in a stream.

    Attributes:
        prefix_octets: Octets before each packet that are not its own (a recorder's
            time tag, a simulator's envelope); they are thrown away.
        max_packet_octets: No packet is longer.
        apids: No others come; ``None``: any may.
    """

    prefix_octets: int = 0
    max_packet_octets: int = MAX_PACKET_LENGTH
    apids: Collection[int] | None = None

    def __post_init__(self) -> None:
        if self.prefix_octets < 0:
            raise ValueError(f"{self.prefix_octets} octets before a packet; it is at least 0")
        if not MIN_PACKET_LENGTH <= self.max_packet_octets <= MAX_PACKET_LENGTH:
            raise ValueError(
                f"packets of at most {self.max_packet_octets} octets; that is outside"
                f" {MIN_PACKET_LENGTH} to {MAX_PACKET_LENGTH}"
            )

    def fault_in(self, octets: bytes, offset: int) -> str:
        """Say what is wrong with the packet header at *offset*; nothing: empty."""
        version = octets[offset] >> 5
        if version:
            return f"packet version number {version}, expected 0"
        apid = (octets[offset] & 7) << 8 | octets[offset + 1]
        if self.apids is not None and apid not in self.apids:
            return f"APID {apid}, which is none of this source's"
        length = _length_at(octets, offset)
        if length > self.max_packet_octets:
            return f"the length field announces {length} octets; at most {self.max_packet_octets}"
        return ""


@dataclass(slots=True)
class StreamPackets:
    """What a piece of the stream came to."""

    packets: list[bytes]
    rejected: list[OctetsRejected]


class PacketStream:
    """Finds the packets of one stream; feed it pieces of any length."""

    def __init__(self, stream_format: StreamFormat | None = None) -> None:
        self._format = stream_format or StreamFormat()
        self._buffer = b""
        self._fault = ""  # while searching: why
        # Whoever searches keeps so much: room for the packets that must be seen.
        self._kept_octets = _BELIEVED_AFTER * (
            self._format.max_packet_octets + self._format.prefix_octets
        )

    def receive(self, octets: bytes) -> StreamPackets:
        """Take the next octets and return what they completed."""
        self._buffer += octets
        return self._take(is_end=False)

    def finish(self) -> StreamPackets:
        """Return what is left at the end: octets of no whole packet are rejected."""
        found = self._take(is_end=True)
        while self._buffer and not self._fault:
            # A packet that announces more than there is may be none: others may follow.
            self._fault = _unfinished(self._buffer, self._format)
            rest = self._take(is_end=True)
            found.packets += rest.packets
            found.rejected += rest.rejected
        if self._buffer:
            found.rejected.append(OctetsRejected(self._buffer, self._fault))
        self._buffer, self._fault = b"", ""
        return found

    def _take(self, *, is_end: bool) -> StreamPackets:
        found = StreamPackets([], [])
        while not self._fault or self._search(found, is_end=is_end):
            packets, consumed, self._fault = _cut(self._buffer, self._format)
            found.packets += packets
            self._buffer = self._buffer[consumed:]
            if not self._fault:
                break
        return found

    def _search(self, found: StreamPackets, *, is_end: bool) -> bool:
        """Go on where packets follow one another again; say whether there is such a place."""
        place = _place_of_packets(self._buffer, self._format, is_end=is_end)
        if place is not None:
            self._reject(place, found)
            self._fault = ""
            return True
        if len(self._buffer) > 2 * self._kept_octets:
            self._reject(len(self._buffer) - self._kept_octets, found)
        return False

    def _reject(self, count: int, found: StreamPackets) -> None:
        found.rejected.append(OctetsRejected(self._buffer[:count], self._fault))
        self._buffer = self._buffer[count:]


def packets_in_datagram(
    datagram: bytes, stream_format: StreamFormat | None = None
) -> StreamPackets:
    """Return the packets in one datagram: one, or several that fill it exactly.

    What follows the last whole packet is rejected; a datagram is never searched, because
    the next one begins anew.
    """
    rules = stream_format or StreamFormat()
    packets, consumed, fault = _cut(datagram, rules)
    rest = datagram[consumed:]
    if not rest:
        return StreamPackets(packets, [])
    return StreamPackets(packets, [OctetsRejected(rest, fault or _unfinished(rest, rules))])


def _cut(octets: bytes, rules: StreamFormat) -> tuple[list[bytes], int, str]:
    """Return the packets from the beginning, where they end, and what is wrong there."""
    packets: list[bytes] = []
    prefix, offset, end = rules.prefix_octets, 0, len(octets)
    header = prefix + PRIMARY_HEADER_LENGTH
    fault_in, append = rules.fault_in, packets.append
    while offset + header <= end:
        start = offset + prefix
        if fault := fault_in(octets, start):
            return packets, offset, fault
        following = start + _length_at(octets, start)
        if following > end:
            break
        append(octets[start:following])
        offset = following
    return packets, offset, ""


def _place_of_packets(octets: bytes, rules: StreamFormat, *, is_end: bool) -> int | None:
    """Return the first place, after the first octet, from which packets follow one another.

    At the end of a stream fewer packets are enough if they fill it exactly.
    """
    prefix, end = rules.prefix_octets, len(octets)
    count = end - prefix - PRIMARY_HEADER_LENGTH + 1  # places at which a header is whole
    if count < 1:
        return None
    heads = np.frombuffer(octets, dtype=np.uint8)[prefix:].astype(np.int64)
    apids = (heads[:count] & 7) << 8 | heads[1 : count + 1]
    lengths = PRIMARY_HEADER_LENGTH + 1 + (heads[4 : count + 4] << 8 | heads[5 : count + 5])
    may_begin = (heads[:count] >> 5 == 0) & (lengths <= rules.max_packet_octets)
    if rules.apids is not None:
        may_begin &= np.isin(apids, list(rules.apids))
    following = np.arange(count) + prefix + lengths
    believed = may_begin.copy()
    ends_it = may_begin & (following == end)
    for _ in range(_BELIEVED_AFTER - 1):
        inside = following < count
        at = np.where(inside, following, 0)
        believed = may_begin & inside & believed[at]
        ends_it |= may_begin & inside & ends_it[at]
    places = np.flatnonzero((believed | ends_it if is_end else believed)[1:])
    return int(places[0]) + 1 if len(places) else None


def _unfinished(octets: bytes, rules: StreamFormat) -> str:
    present = len(octets) - rules.prefix_octets
    if present < PRIMARY_HEADER_LENGTH:
        return f"a packet header has {PRIMARY_HEADER_LENGTH} octets, {max(0, present)} are present"
    length = _length_at(octets, rules.prefix_octets)
    return f"the length field announces {length} octets, {present} are present"


def _length_at(octets: bytes, offset: int) -> int:
    """Return the length that the header at *offset* announces, header included."""
    # The length field holds one less than the octets that follow it.
    return PRIMARY_HEADER_LENGTH + 1 + (octets[offset + 4] << 8 | octets[offset + 5])

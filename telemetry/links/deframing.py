"""From what a socket gives to whole packets or frames. Sans-IO: octets in, units out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from telemetry.ccsds.channel_decoder import (
    UNCORRECTABLE_REASON,
    ChannelCoding,
    ChannelDecoder,
    ChannelFrames,
)
from telemetry.ccsds.packet_stream import (
    PacketStream,
    StreamFormat,
    StreamPackets,
    packets_in_datagram,
)


@dataclass(slots=True)
class Units:
    """What a piece of a stream, or a datagram, came to."""

    whole: list[bytes] = field(default_factory=list)
    rejected: list[tuple[bytes, str]] = field(default_factory=list)  # octets, reason
    octets_skipped: int = 0


class Deframer(Protocol):
    """Finds the units of one stream."""

    def receive(self, octets: bytes) -> Units:
        """Take the next octets of a stream, or one datagram."""
        ...

    def finish(self) -> Units:
        """Return what is left when the stream ends."""
        ...


class PacketDeframer:
    """Space packets one after another in a stream."""

    def __init__(self, rules: StreamFormat) -> None:
        self._stream = PacketStream(rules)

    def receive(self, octets: bytes) -> Units:
        return _units_of(self._stream.receive(octets))

    def finish(self) -> Units:
        return _units_of(self._stream.finish())


class PacketDatagrams:
    """Space packets in datagrams: each begins with one."""

    def __init__(self, rules: StreamFormat) -> None:
        self._rules = rules

    def receive(self, octets: bytes) -> Units:
        return _units_of(packets_in_datagram(octets, self._rules))

    def finish(self) -> Units:
        return Units()


class FrameDeframer:
    """Frames of one length, one after another in a stream, without sync markers."""

    def __init__(self, frame_octets: int) -> None:
        self._length = frame_octets
        self._rest = b""

    def receive(self, octets: bytes) -> Units:
        octets = self._rest + octets
        whole = len(octets) // self._length * self._length
        self._rest = octets[whole:]
        return Units([octets[at : at + self._length] for at in range(0, whole, self._length)])

    def finish(self) -> Units:
        rest, self._rest = self._rest, b""
        if not rest:
            return Units()
        reason = f"the stream ended after {len(rest)} of a frame's {self._length} octets"
        return Units(rejected=[(rest, reason)])


class FrameDatagrams:
    """One frame a datagram; what is none is found by the frame's own checks."""

    def receive(self, octets: bytes) -> Units:
        return Units([octets])

    def finish(self) -> Units:
        return Units()


class CaduDeframer:
    """Channel access data units: sync marker, randomiser, Reed-Solomon code."""

    def __init__(self, coding: ChannelCoding) -> None:
        self._decoder = ChannelDecoder(coding)

    def receive(self, octets: bytes) -> Units:
        return _frames_of(self._decoder.receive(octets))

    def finish(self) -> Units:
        return _frames_of(self._decoder.finish())


def _units_of(found: StreamPackets) -> Units:
    return Units(found.packets, [(own.octets, own.reason) for own in found.rejected])


def _frames_of(found: ChannelFrames) -> Units:
    return Units(
        [frame.tobytes() for frame in found.frames],
        [(block, UNCORRECTABLE_REASON) for block in found.bad_blocks],
        found.octets_skipped,
    )

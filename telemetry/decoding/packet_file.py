"""A stream of packets, decoded a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.ccsds.packet_stream import (
    OctetsRejected,
    PacketStream,
    StreamFormat,
    StreamPackets,
)
from telemetry.ccsds.space_packet import IDLE_APID
from telemetry.dictionary import Decoder, DecodeResult, Memory

_READ_OCTETS: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class DecodedChunk:
    """Some successive packets and what they hold.

    Attributes:
        packets: Without idle packets.
        result: Indices in it are into *packets*.
        first: The number of the first packet in the file, from 0.
        rejected: Octets that are no packets.
        idle: How many idle packets were passed over.
    """

    packets: PacketBatch
    result: DecodeResult
    first: int
    rejected: list[OctetsRejected]
    idle: int


class PacketFile:
    """Reads packets one after another from a binary stream and decodes them."""

    def __init__(
        self, stream: BinaryIO, decoder: Decoder, stream_format: StreamFormat | None = None
    ) -> None:
        self._stream = stream
        self._decoder = decoder
        self._packets = PacketStream(stream_format)
        self._memory = Memory()
        self._read = 0

    def chunks(self) -> Iterator[DecodedChunk]:
        """Yield the whole stream; only a piece of it is in memory at a time."""
        while octets := self._stream.read(_READ_OCTETS):
            yield self._decoded(self._packets.receive(octets))
        yield self._decoded(self._packets.finish())

    def _decoded(self, found: StreamPackets) -> DecodedChunk:
        batch = PacketBatch.of(found.packets)
        kept = batch.chosen(np.flatnonzero(batch.apids != IDLE_APID))
        first = self._read
        self._read += len(kept)
        return DecodedChunk(
            packets=kept,
            result=self._decoder.decode(kept, self._memory),
            first=first,
            rejected=found.rejected,
            idle=len(batch) - len(kept),
        )

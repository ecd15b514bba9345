"""Raw packets in bulk: how they are handed to the log and how a block of it is laid out.

A block is all packets of one call: columns of what is known of each (times, APID, count,
length), compressed, and then the packets' octets one after the other, compressed where
that helps. A checksum over it all tells a whole block from one that a crash cut short.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.archive.codec import Codec, decode_column, encode_column
from telemetry.archive.interface import (
    ArchiveDamagedError,
    Counts,
    RawPacket,
    StoredPacket,
    Times,
)
from telemetry.ccsds.packet_batch import PacketBatch

# magic and version, octets of the body, CRC-32 of the body
FRAME: Final = struct.Struct(">4sII")
MAGIC: Final = b"TMB2"
MAX_BODY_OCTETS: Final = 256 << 20
# packets, position in the source, octets of the three names, codec and size of the octets
_HEAD: Final = struct.Struct(">IqBBBBI")
_COLUMN: Final = struct.Struct(">BI")  # codec, octets
_COLUMNS: Final = (
    ("generated_us", "<i8"),
    ("received_us", "<i8"),
    ("apids", "<u2"),
    ("sequence_counts", "<u2"),
    ("lengths", "<u4"),
    ("own_time", "<u1"),
)
_MIN_DEFLATED: Final = 512  # octets; below it compression is not worth its time
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970-01-01T00:00:00Z."""
    return (instant - _EPOCH) // _MICROSECOND


def from_us(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRows:
    """Packets of one spacecraft that came from one station, in order of arrival.

    Attributes:
        packets: The octets.
        apids: Of each, as the header says.
        sequence_counts: Of each.
        generated_us: Generation time of each, or the reception time where it has none.
        received_us: Reception time of each.
        own_time: Whether ``generated_us`` is the packet's own.
        source: Where they were taken from, where that can be read again after a crash.
        source_end: The place in the source up to which this was all.
        cursors: The position in the log after each, once it was read from there.
    """

    spacecraft: str
    station: str
    packets: PacketBatch
    apids: Counts
    sequence_counts: Counts
    generated_us: Times
    received_us: Times
    own_time: npt.NDArray[np.bool_]
    source: str = ""
    source_end: int = 0
    cursors: Times = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.packets)

    def packet(self, row: int) -> StoredPacket:
        """Return one packet."""
        return StoredPacket(
            spacecraft=self.spacecraft,
            apid=int(self.apids[row]),
            sequence_count=int(self.sequence_counts[row]),
            generated_at=from_us(int(self.generated_us[row])),
            received_at=from_us(int(self.received_us[row])),
            station=self.station,
            octets=self.packets[row],
            has_own_time=bool(self.own_time[row]),
            cursor=int(self.cursors[row]),
        )

    def chosen(self, rows: npt.NDArray[np.intp]) -> PacketRows:
        """Return some of the packets, in the order given."""
        return PacketRows(
            spacecraft=self.spacecraft,
            station=self.station,
            packets=self.packets.chosen(rows),
            apids=self.apids[rows],
            sequence_counts=self.sequence_counts[rows],
            generated_us=self.generated_us[rows],
            received_us=self.received_us[rows],
            own_time=self.own_time[rows],
            cursors=self.cursors[rows] if len(self.cursors) else self.cursors,
        )


def rows_of_packets(packets: Sequence[RawPacket]) -> list[PacketRows]:
    """Return packets given one by one as rows: one set for each run of one origin."""
    return [
        _rows_of_run(spacecraft, station, list(run))
        for (spacecraft, station), run in groupby(
            packets, key=lambda packet: (packet.spacecraft, packet.station)
        )
    ]


def _rows_of_run(spacecraft: str, station: str, run: list[RawPacket]) -> PacketRows:
    return PacketRows(
        spacecraft=spacecraft,
        station=station,
        packets=PacketBatch.of([packet.octets for packet in run]),
        apids=np.array([packet.apid for packet in run], dtype=np.uint16),
        sequence_counts=np.array([packet.sequence_count for packet in run], dtype=np.uint16),
        generated_us=np.array([to_us(packet.generated_at) for packet in run], dtype=np.int64),
        received_us=np.array([to_us(packet.received_at) for packet in run], dtype=np.int64),
        own_time=np.array([packet.has_own_time for packet in run], dtype=np.bool_),
    )


def encode_block(rows: PacketRows) -> bytes:
    """Return rows as one block of the log.

    Raises:
        ValueError: A name is longer than 255 octets.
    """
    names = [name.encode() for name in (rows.spacecraft, rows.station, rows.source)]
    if max(map(len, names)) > 255:
        raise ValueError(
            f"one of the names {rows.spacecraft!r}, {rows.station!r} and {rows.source!r} "
            "exceeds 255 octets"
        )
    codec, octets = _encode_octets(_contiguous(rows.packets))
    head = _HEAD.pack(len(rows), rows.source_end, *map(len, names), codec, len(octets))
    parts = [head, *names, *_encode_columns(rows), octets]
    # A position in the log stands for each packet, so a block has an octet for each.
    missing = len(rows) - FRAME.size - sum(map(len, parts))
    if missing > 0:
        parts.append(bytes(missing))
    body = b"".join(parts)
    return FRAME.pack(MAGIC, len(body), zlib.crc32(body)) + body


def decode_block(body: bytes, position: int) -> PacketRows:
    """Return the rows of a block whose checksum was right and that stands at *position*.

    Raises:
        ArchiveDamagedError: It was written by a program that made a mistake.
    """
    try:
        return _decode(body, position)
    except (struct.error, ValueError, IndexError, zlib.error) as error:
        raise ArchiveDamagedError(
            f"the block of packets at {position} cannot be read: {error}"
        ) from error


def source_of_block(body: bytes) -> tuple[str, int]:
    """Return what a block was taken from and up to where, without decoding it."""
    _, source_end, craft, station, source, _, _ = _HEAD.unpack_from(body)
    begin = _HEAD.size + craft + station
    return body[begin : begin + source].decode(), source_end


def _decode(body: bytes, position: int) -> PacketRows:
    count, source_end, *name_lengths, codec, size = _HEAD.unpack_from(body)
    offset = _HEAD.size
    names = []
    for length in name_lengths:
        names.append(body[offset : offset + length].decode())
        offset += length
    columns: dict[str, Any] = {}
    for name, dtype in _COLUMNS:
        column_codec, length = _COLUMN.unpack_from(body, offset)
        offset += _COLUMN.size
        columns[name] = decode_column(column_codec, body[offset : offset + length], dtype, count)
        offset += length
    octets = body[offset : offset + size]
    if codec == Codec.ZLIB:
        octets = zlib.decompress(octets)
    lengths = columns["lengths"].astype(np.int64)
    cursors = position + 1 + np.arange(count, dtype=np.int64)
    cursors[-1:] = position + FRAME.size + len(body)
    spacecraft, station, source = names
    return PacketRows(
        spacecraft=spacecraft,
        station=station,
        packets=PacketBatch(
            np.frombuffer(octets, dtype=np.uint8), np.cumsum(lengths) - lengths, lengths
        ),
        apids=columns["apids"],
        sequence_counts=columns["sequence_counts"],
        generated_us=columns["generated_us"],
        received_us=columns["received_us"],
        own_time=columns["own_time"].astype(np.bool_),
        source=source,
        source_end=source_end,
        cursors=cursors,
    )


def _encode_columns(rows: PacketRows) -> Iterator[bytes]:
    columns: dict[str, npt.NDArray[Any]] = {
        "generated_us": rows.generated_us,
        "received_us": rows.received_us,
        "apids": rows.apids,
        "sequence_counts": rows.sequence_counts,
        "lengths": rows.packets.lengths,
        "own_time": rows.own_time,
    }
    for name, dtype in _COLUMNS:
        codec, data = encode_column(columns[name].astype(dtype, copy=False), level=1)
        yield _COLUMN.pack(codec, len(data))
        yield data


def _encode_octets(octets: bytes) -> tuple[Codec, bytes]:
    if len(octets) >= _MIN_DEFLATED:
        deflated = zlib.compress(octets, level=1)
        if len(deflated) < len(octets):
            return Codec.ZLIB, deflated
    return Codec.PLAIN, octets


def _contiguous(packets: PacketBatch) -> bytes:
    """Return the packets' octets, one after the other."""
    if not len(packets):
        return b""
    ends = packets.starts + packets.lengths
    if (packets.starts[1:] == ends[:-1]).all():
        return packets.octets[int(packets.starts[0]) : int(ends[-1])].tobytes()
    whole = packets.octets.tobytes()
    return b"".join(
        whole[start:end] for start, end in zip(packets.starts.tolist(), ends.tolist(), strict=True)
    )

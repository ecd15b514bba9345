"""The append-only log of raw packets: every packet as it came, with a checksum.

Files of about 64 MiB lie in one folder, each named by the position of its
first octet in the whole log. A record is its length and CRC-32, then its body.
A record that a crash cut short can only stand at the very end, and is moved
aside when the writer opens the log again; anything else that is wrong is damage
and is said so.
"""

from __future__ import annotations

import os
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from telemetry.archive.interface import (
    ArchiveDamagedError,
    ArchiveError,
    RawPacket,
    StoredPacket,
)

FILE_OCTETS: Final = 64 * 1024 * 1024
_MAX_BODY_OCTETS: Final = 1 << 20
_READ_OCTETS: Final = 4 << 20
_FRAME: Final = struct.Struct(">II")  # length of the body, CRC-32 of the body
# version, generated, received (us since 1970), APID, sequence count, own time, name lengths
_BODY: Final = struct.Struct(">BqqHHBBB")
_VERSION: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970-01-01T00:00:00Z."""
    return (instant - _EPOCH) // _MICROSECOND


def from_us(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)


def encode_record(packet: RawPacket) -> bytes:
    """Return a packet's record.

    Raises:
        ValueError: A name is longer than 255 octets.
    """
    spacecraft, station = packet.spacecraft.encode(), packet.station.encode()
    if max(len(spacecraft), len(station)) > 255:
        raise ValueError(
            f"the name {packet.spacecraft!r} or {packet.station!r} exceeds 255 octets"
        )
    body = b"".join(
        (
            _BODY.pack(
                _VERSION,
                to_us(packet.generated_at),
                to_us(packet.received_at),
                packet.apid,
                packet.sequence_count,
                packet.has_own_time,
                len(spacecraft),
                len(station),
            ),
            spacecraft,
            station,
            packet.octets,
        )
    )
    return _FRAME.pack(len(body), zlib.crc32(body)) + body


def _decode_body(body: bytes, cursor: int) -> StoredPacket:
    version, generated, received, apid, count, own, name_length, station_length = (
        _BODY.unpack_from(body)
    )
    if version != _VERSION:
        raise ArchiveDamagedError(
            f"a record of version {version} ends at {cursor}; this program reads {_VERSION}"
        )
    station_start = _BODY.size + name_length
    octets_start = station_start + station_length
    return StoredPacket(
        spacecraft=body[_BODY.size : station_start].decode(),
        apid=apid,
        sequence_count=count,
        generated_at=from_us(generated),
        received_at=from_us(received),
        station=body[station_start:octets_start].decode(),
        octets=body[octets_start:],
        has_own_time=bool(own),
        cursor=cursor,
    )


class RawLog:
    """Reads the log. Positions count octets from the beginning of its first file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[tuple[int, Path]]:
        """Return (first position, path) of every file, in order."""
        return sorted((int(path.stem), path) for path in self.folder.glob("*.log"))

    def end(self) -> int:
        """Return the position after the last octet, whole record or not."""
        files = self.files()
        return files[-1][0] + files[-1][1].stat().st_size if files else 0

    def read(self, start: int, end: int) -> Iterator[StoredPacket]:
        """Yield the records from *start* to *end*, both between records.

        Raises:
            ArchiveDamagedError: A record's checksum is wrong, or octets are missing.
            ArchiveError: *start* is not between records.
        """
        position = start
        for packet in self.whole_records(start, end):
            yield packet
            position = packet.cursor
        if position == end:
            return
        if position == start:
            raise ArchiveError(f"{start} is no position between records of {self.folder}")
        raise ArchiveDamagedError(
            f"the record at {position} in {self.folder} is damaged, {end - position} octets"
            " before the end; restore the file from a copy"
        )

    def whole_records(self, start: int, end: int) -> Iterator[StoredPacket]:
        """Yield records until *end* or the first that is cut short or wrong."""
        files = self.files()
        first = max(bisect_right([base for base, _ in files], start) - 1, 0)
        for base, path in files[first:]:
            if base >= end:
                return
            with path.open("rb") as file:
                file.seek(max(start - base, 0))
                yield from _records_in(file, base, end)

    def last_whole_position(self, start: int) -> int:
        """Return the position after the last whole record, looking from *start*."""
        position = start
        for packet in self.whole_records(start, self.end()):
            position = packet.cursor
        return position


def _records_in(file: BinaryIO, base: int, end: int) -> Iterator[StoredPacket]:
    """Yield the whole records from the file's place on; stop at the first other."""
    buffer, offset, position = b"", 0, base + file.tell()
    while position < end:
        if len(buffer) - offset < _FRAME.size + _MAX_BODY_OCTETS:
            buffer, offset = buffer[offset:] + file.read(_READ_OCTETS), 0
        body = _body_at(buffer, offset)
        if body is None or position + _FRAME.size + len(body) > end:
            return
        offset += _FRAME.size + len(body)
        position += _FRAME.size + len(body)
        yield _decode_body(body, position)


def _body_at(buffer: bytes, offset: int) -> bytes | None:
    """Return the body of the record at *offset*, or ``None`` where none is whole."""
    if len(buffer) - offset < _FRAME.size:
        return None
    length, checksum = _FRAME.unpack_from(buffer, offset)
    start = offset + _FRAME.size
    body = buffer[start : start + length]
    if not _BODY.size <= length <= _MAX_BODY_OCTETS or len(body) != length:
        return None
    return body if zlib.crc32(body) == checksum else None


class RawLogWriter:
    """Appends to the log. On opening it moves a record that a crash cut short aside.

    Args:
        folder: Made where it does not exist.
        known_good: A position that is known to lie between records; the log is
            checked from there on.

    Raises:
        ArchiveDamagedError: The log ends before *known_good*.
    """

    def __init__(self, folder: Path, *, known_good: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = RawLog(folder)
        self.dropped_octets = self._repair(known_good)
        files = self.log.files()
        self._base = files[-1][0] if files else 0
        self._file = self._open(self._base)
        self.position = self.log.end()

    def _repair(self, known_good: int) -> int:
        end = self.log.end()
        if end < known_good:
            raise ArchiveDamagedError(
                f"the packet log in {self.log.folder} ends at {end}, but {known_good} octets were"
                " written; restore its files from a copy, or rebuild the archive from what is left"
            )
        good = self.log.last_whole_position(known_good)
        if good < end:
            base, path = self.log.files()[-1]
            if good < base:
                raise ArchiveDamagedError(
                    f"the record at {good} in {self.log.folder} is damaged and is not the last"
                )
            with path.open("r+b") as file:
                # Kept aside, never destroyed: it may tell what happened.
                file.seek(good - base)
                (self.log.folder / f"{good:020d}.torn").write_bytes(file.read())
                file.truncate(good - base)
                os.fsync(file.fileno())
        return end - good

    def append(self, packets: Sequence[RawPacket]) -> int:
        """Write packets and wait until they are on the disk; return the new end.

        Raises:
            OSError: The disk is full or failing; nothing was appended.
        """
        if not packets:
            return self.position
        octets = b"".join(map(encode_record, packets))
        if self.position - self._base >= FILE_OCTETS:
            os.close(self._file)
            self._base = self.position
            self._file = self._open(self._base)
        try:
            _write_all(self._file, octets)
            os.fsync(self._file)
        except OSError:
            # Half a record in the middle would cut off all that follow it.
            os.ftruncate(self._file, self.position - self._base)
            raise
        self.position += len(octets)
        return self.position

    def close(self) -> None:
        os.close(self._file)

    def _open(self, base: int) -> int:
        path = self.log.folder / f"{base:020d}.log"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        # The new name must outlive a crash too.
        folder = os.open(self.log.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return file


def _write_all(file: int, octets: bytes) -> None:
    rest = memoryview(octets)
    while rest:
        rest = rest[os.write(file, rest) :]

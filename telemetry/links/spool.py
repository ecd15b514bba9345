"""What a receiver heard and nobody has archived yet, in files between two processes.

The receiver appends, the ingest reads behind it, each in a process of its own: a slow or
restarting ingest costs nothing, and neither does a killed one, which goes on at the place
that its archive remembers. Files of about 64 MiB, each named by the position of its first
octet. A record that a killed receiver left half written is cut off when the next one
opens the spool. The spool is not synced to the disk: it outlives processes, not a power
cut; what is archived outlives both.
"""

from __future__ import annotations

import os
import struct
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from telemetry.ccsds.packet_batch import PacketBatch

FILE_OCTETS: Final = 64 << 20
# Kept behind the reader, so that one that starts again can find the beginning of a packet
# that lies across frames: the longest packet and the frames around it.
KEPT_OCTETS: Final = 1 << 20
_MAGIC: Final = 0x53504F4C
# magic, octets of the body, stream, kind, received (us since 1970), units
_HEAD: Final = struct.Struct(">IIIBqI")
_COUNT: Final = struct.Struct(">Q")
_READ_OCTETS: Final = 8 << 20
_LOOK_EVERY_OCTETS: Final = 1 << 20


class RecordKind(IntEnum):
    UNITS = 1  # whole packets or frames
    REJECTED = 2  # octets that are none, and why
    DROPPED = 3  # how many datagrams were lost, and where
    OPENED = 4  # a stream begins; by whom
    CLOSED = 5


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the spool. ``end`` is the position after it."""

    end: int
    kind: RecordKind
    stream: int
    received_us: int
    units: int
    body: bytes

    @property
    def batch(self) -> PacketBatch:
        """The packets or frames of a record of UNITS."""
        lengths = np.frombuffer(self.body, dtype="<u4", count=self.units).astype(np.int64)
        octets = np.frombuffer(self.body, dtype=np.uint8)
        starts = 4 * self.units + np.cumsum(lengths) - lengths
        return PacketBatch(octets, starts, lengths)

    @property
    def reason(self) -> str:
        """Why octets were rejected or datagrams dropped, or who opened the stream."""
        length = self.body[_COUNT.size]
        return self.body[_COUNT.size + 1 : _COUNT.size + 1 + length].decode(errors="replace")

    @property
    def count(self) -> int:
        """How many datagrams were dropped."""
        return int(_COUNT.unpack_from(self.body)[0])

    @property
    def octets(self) -> bytes:
        """What was rejected."""
        return self.body[_COUNT.size + 1 + self.body[_COUNT.size] :]


def encode_units(units: Sequence[bytes], *, stream: int, received_us: int) -> bytes:
    """Return whole packets or frames as one record."""
    lengths = np.fromiter(map(len, units), dtype="<u4", count=len(units)).tobytes()
    body = b"".join((lengths, *units))
    return _record(RecordKind.UNITS, stream, received_us, len(units), body)


def encode_note(
    kind: RecordKind,
    *,
    stream: int,
    received_us: int,
    reason: str = "",
    count: int = 0,
    octets: bytes = b"",
) -> bytes:
    """Return a record of any other kind."""
    text = reason.encode()[:255]
    body = b"".join((_COUNT.pack(count), bytes([len(text)]), text, octets))
    return _record(kind, stream, received_us, 0, body)


def _record(kind: RecordKind, stream: int, received_us: int, units: int, body: bytes) -> bytes:
    return _HEAD.pack(_MAGIC, len(body), stream, kind, received_us, units) + body


class SpoolWriter:
    """Appends to one spool. One at a time; not for several threads without a lock."""

    def __init__(self, folder: Path, *, limit_octets: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limit = limit_octets
        files = _files(folder)
        # A spool that begins anew must not give positions that an archive has seen; no
        # receiver hears a gigabyte a second.
        self._base = files[-1][0] if files else time.time_ns()
        self._file = self._open(self._base)
        whole = _whole_octets(_path(folder, self._base))
        os.ftruncate(self._file, whole)
        self._position = self._base + whole
        self._looked_at = -_LOOK_EVERY_OCTETS
        self._full = False

    @property
    def is_full(self) -> bool:
        """Whether as much waits as is allowed."""
        if self._full or self._position - self._looked_at >= _LOOK_EVERY_OCTETS:
            oldest = _files(self._folder)[0][0]
            self._full = self._position - oldest > self._limit + KEPT_OCTETS
            self._looked_at = self._position
        return self._full

    def append(self, records: bytes) -> None:
        """Write whole records."""
        if self._position - self._base >= FILE_OCTETS:
            os.close(self._file)
            self._base = self._position
            self._file = self._open(self._base)
        rest = memoryview(records)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._position += len(records)

    def close(self) -> None:
        os.close(self._file)

    def _open(self, base: int) -> int:
        return os.open(_path(self._folder, base), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)


class SpoolReader:
    """Reads one spool from a position on, behind whoever writes it."""

    def __init__(self, folder: Path, position: int) -> None:
        self._folder = folder
        self.position = position
        self._base: int | None = None
        self._file: int | None = None

    def read(self) -> list[Record]:
        """Return the whole records that stand there now, at most some megabytes."""
        octets = self._read_octets()
        records: list[Record] = []
        offset = 0
        while len(octets) - offset >= _HEAD.size:
            magic, length, stream, kind, received_us, units = _HEAD.unpack_from(octets, offset)
            end = offset + _HEAD.size + length
            if magic != _MAGIC or end > len(octets):
                break
            records.append(
                Record(
                    end=self.position + end,
                    kind=RecordKind(kind),
                    stream=stream,
                    received_us=received_us,
                    units=units,
                    body=octets[offset + _HEAD.size : end],
                )
            )
            offset = end
        self.position += offset
        return records

    def forget_before(self, position: int) -> None:
        """Delete the files whose records were all archived, but for what is kept."""
        files = _files(self._folder)
        for (_, path), (following, _) in pairwise(files):
            if following <= position - KEPT_OCTETS:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = self._base = None

    def _read_octets(self) -> bytes:
        if self._file is None and not self._open():
            return b""
        assert self._file is not None
        assert self._base is not None
        octets = os.pread(self._file, _READ_OCTETS, self.position - self._base)
        if not octets and self._open():  # the writer went on in another file
            octets = os.pread(self._file, _READ_OCTETS, self.position - self._base)
        return octets

    def _open(self) -> bool:
        """Open the file that holds the position; say whether that is another one than before."""
        files = _files(self._folder)
        if files and self.position < files[0][0]:
            self.position = files[0][0]
        index = bisect_right([base for base, _ in files], self.position) - 1
        if index < 0 or files[index][0] == self._base:
            return False
        self.close()
        self._base, path = files[index]
        self._file = os.open(path, os.O_RDONLY)
        return True


def record_start_near(folder: Path, position: int) -> int:
    """Return where the first record begins that does not lie before *position*.

    A position before the oldest record gives the oldest one.
    """
    files = _files(folder)
    if not files:
        return position
    base, path = files[max(bisect_right([base for base, _ in files], position) - 1, 0)]
    with path.open("rb") as file:
        while base < position and len(head := file.read(_HEAD.size)) == _HEAD.size:
            _, length, *_ = _HEAD.unpack(head)
            base += _HEAD.size + length
            file.seek(length, os.SEEK_CUR)
    return base


def _whole_octets(path: Path) -> int:
    """Return how many octets of a file are whole records."""
    size, offset = path.stat().st_size, 0
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            magic, length, *_ = _HEAD.unpack(head)
            if magic != _MAGIC or offset + _HEAD.size + length > size:
                break
            offset += _HEAD.size + length
            file.seek(offset)
    return offset


def _files(folder: Path) -> list[tuple[int, Path]]:
    return sorted((int(path.stem), path) for path in folder.glob("*.spool"))


def _path(folder: Path, base: int) -> Path:
    return folder / f"{base:020d}.spool"

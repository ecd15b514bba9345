"""The append-only log of raw packets: every packet as it came, with a checksum.

Files of about 64 MiB lie in one folder, each named by the position of its first octet
in the whole log. They hold blocks (:mod:`telemetry.archive.packet_rows`). A position
between blocks is the octet; inside a block, the block's start plus the number of packets
before it. A block that a crash cut short can only stand at the very end, and is moved
aside when the writer opens the log again; anything else that is wrong is damage and is
said so.
"""

from __future__ import annotations

import os
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from telemetry.archive.interface import ArchiveDamagedError, StoredPacket
from telemetry.archive.packet_rows import (
    FRAME,
    MAGIC,
    MAX_BODY_OCTETS,
    PacketRows,
    decode_block,
    source_of_block,
)

FILE_OCTETS: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the log, not yet taken apart."""

    start: int
    end: int
    body: bytes

    def rows(self) -> PacketRows:
        return decode_block(self.body, self.start)

    @property
    def source(self) -> tuple[str, int]:
        """What its packets were taken from, and up to where."""
        return source_of_block(self.body)


class RawLog:
    """Reads the log. Positions count octets from the beginning of its first file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> list[tuple[int, Path]]:
        """Return (first position, path) of every file, in order."""
        return sorted((int(path.stem), path) for path in self.folder.glob("*.log"))

    def begin(self) -> int:
        """Return the position of the oldest octet that is kept."""
        files = self.files()
        return files[0][0] if files else 0

    def end(self) -> int:
        """Return the position after the last octet, whole block or not."""
        files = self.files()
        return files[-1][0] + files[-1][1].stat().st_size if files else 0

    def read(self, start: int, end: int) -> Iterator[StoredPacket]:
        """Yield the packets from *start* to *end*, both between blocks."""
        for block in self.blocks(start, end):
            rows = block.rows()
            yield from (rows.packet(row) for row in range(len(rows)))

    def blocks(self, start: int, end: int) -> Iterator[Block]:
        """Yield the blocks from *start* to *end*, both between blocks.

        Raises:
            ArchiveDamagedError: A block's checksum is wrong, or octets are missing.
        """
        position = start
        for block in self.whole_blocks(start, end):
            yield block
            position = block.end
        if position != end:
            raise ArchiveDamagedError(
                f"the block at {position} in {self.folder} is damaged, {end - position} octets"
                " before the end; restore the file from a copy"
            )

    def whole_blocks(self, start: int, end: int | None = None) -> Iterator[Block]:
        """Yield blocks until *end*, or the first that is cut short or wrong."""
        files = self.files()
        first = max(bisect_right([base for base, _ in files], start) - 1, 0)
        reached: int | None = None
        for base, path in files[first:]:
            if (end is not None and base >= end) or (reached is not None and base != reached):
                return
            try:
                file = path.open("rb")
            except FileNotFoundError:  # retention was faster
                continue
            with file:
                file.seek(max(start - base, 0))
                reached = base + file.tell()
                for block in _blocks_in(file, base, end):
                    reached = block.end
                    yield block

    def last_whole_position(self, start: int) -> int:
        """Return the position after the last whole block, looking from *start*."""
        position = start
        for block in self.whole_blocks(start):
            position = block.end
        return position


def _blocks_in(file: BinaryIO, base: int, end: int | None) -> Iterator[Block]:
    """Yield the whole blocks from the file's place on; stop at the first other."""
    position = base + file.tell()
    while end is None or position < end:
        body = _next_body(file)
        if body is None:
            return
        following = position + FRAME.size + len(body)
        if end is not None and following > end:
            return
        yield Block(position, following, body)
        position = following


def _next_body(file: BinaryIO) -> bytes | None:
    """Return the body of the block at the file's place, or ``None`` where none is whole."""
    frame = file.read(FRAME.size)
    if len(frame) < FRAME.size:
        return None
    magic, length, checksum = FRAME.unpack(frame)
    if magic != MAGIC or length > MAX_BODY_OCTETS:
        return None
    body = file.read(length)
    return body if len(body) == length and zlib.crc32(body) == checksum else None


class RawLogWriter:
    """Appends to the log. On opening it moves a block that a crash cut short aside.

    Args:
        folder: Made where it does not exist.
        known_good: A position that is known to lie between blocks; the log is
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
                    f"the block at {good} in {self.log.folder} is damaged and is not the last"
                )
            with path.open("r+b") as file:
                # Kept aside, never destroyed: it may tell what happened.
                file.seek(good - base)
                (self.log.folder / f"{good:020d}.torn").write_bytes(file.read())
                file.truncate(good - base)
                os.fsync(file.fileno())
        return end - good

    def append(self, blocks: Sequence[bytes]) -> int:
        """Write blocks and wait until they are on the disk; return the new end.

        Raises:
            OSError: The disk is full or failing; nothing was appended.
        """
        if not blocks:
            return self.position
        octets = b"".join(blocks)
        if self.position - self._base >= FILE_OCTETS:
            os.close(self._file)
            self._base = self.position
            self._file = self._open(self._base)
        try:
            _write_all(self._file, octets)
            os.fdatasync(self._file)
        except OSError:
            # Half a block in the middle would cut off all that follow it.
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

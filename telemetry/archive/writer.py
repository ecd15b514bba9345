"""The one process that writes an archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from telemetry.archive.database import ArchiveFolder, archive_state, transaction
from telemetry.archive.interface import (
    ArchiveError,
    ColumnGroup,
    RawPacket,
    Segmenter,
    StoredPacket,
)
from telemetry.archive.raw_log import RawLogWriter
from telemetry.archive.segments import (
    EncodedSegment,
    encode_segment,
    insert_packet_batches,
    insert_segment,
    rows_of,
)

RECOVERY_BATCH_PACKETS: Final = 5000


def open_writer(path: Path) -> SqliteArchiveWriter:
    """Open the archive in the folder *path* for writing; made where there is none.

    A record that a crash cut short is removed from the end of the packet log.

    Raises:
        ArchiveLockedError: Another process is writing it.
        ArchiveDamagedError: Packets that were safely written are missing.
    """
    return SqliteArchiveWriter(path)


class SqliteArchiveWriter:
    """See :class:`telemetry.archive.interface.ArchiveWriter`.

    Attributes:
        dropped_octets: What was removed from the end of the packet log when it
            was opened; 0 after a clean end.
    """

    def __init__(self, path: Path) -> None:
        self._folder = ArchiveFolder(path)
        with ExitStack() as opened:
            opened.callback((lock := self._folder.lock("writer")).close)
            opened.callback((connection := self._folder.connect()).close)
            self._edition, self._covered_end = archive_state(connection)
            self._log = RawLogWriter(self._folder.raw, known_good=self._covered_end)
            opened.pop_all()
        self._lock, self._connection = lock, connection
        self.dropped_octets = self._log.dropped_octets

    @property
    def packets_without_columns(self) -> bool:
        return self._log.position > self._covered_end

    def append(self, packets: Sequence[RawPacket], groups: Iterable[ColumnGroup]) -> int:
        if self.packets_without_columns:
            raise ArchiveError(
                f"{self._log.position - self._covered_end} octets of logged packets have no"
                " columns; call recover() first"
            )
        # Encoded first: what is wrong with a group must not leave packets without columns.
        segments = encode_groups(groups)
        self._log.append(packets)
        self._commit(packets, segments, self._log.position)
        return self._covered_end

    def recover(self, segmenter: Segmenter) -> int:
        recovered = 0
        batch: list[StoredPacket] = []
        for packet in self._log.log.read(self._covered_end, self._log.position):
            batch.append(packet)
            if len(batch) == RECOVERY_BATCH_PACKETS:
                self._commit(batch, encode_groups(segmenter(batch)), packet.cursor)
                recovered += len(batch)
                batch = []
        if batch:
            self._commit(batch, encode_groups(segmenter(batch)), batch[-1].cursor)
        return recovered + len(batch)

    def _commit(
        self, packets: Sequence[RawPacket], segments: Sequence[EncodedSegment], end: int
    ) -> None:
        with transaction(self._connection, "IMMEDIATE"):
            for segment in segments:
                insert_segment(self._connection, self._edition, segment)
            insert_packet_batches(
                self._connection, self._edition, packets, start=self._covered_end, end=end
            )
            self._connection.execute("UPDATE archive_state SET committed_end = ?", (end,))
        self._covered_end = end

    def close(self) -> None:
        self._log.close()
        self._connection.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def encode_groups(groups: Iterable[ColumnGroup]) -> list[EncodedSegment]:
    """Encode the groups that hold any row."""
    return [
        encode_segment(group.spacecraft, group.container, rows_of(group))
        for group in groups
        if len(group.times_us)
    ]

"""The one process that writes an archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from telemetry.archive.database import ArchiveFolder, archive_state, transaction
from telemetry.archive.interface import ArchiveError, ColumnGroup, RawPacket, Segmenter
from telemetry.archive.packet_rows import PacketRows, encode_block, rows_of_packets
from telemetry.archive.raw_log import RawLogWriter
from telemetry.archive.segments import (
    EncodedSegment,
    LoggedRows,
    index_entry,
    insert_index_entries,
    insert_segment,
    rows_of,
)
from telemetry.archive.waiting import WaitingColumns

_RECOVERY_ROWS: Final = 65_536


def open_writer(path: Path) -> SqliteArchiveWriter:
    """Open the archive in the folder *path* for writing; made where there is none.

    A block that a crash cut short is removed from the end of the packet log.

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
        self.packets_without_columns = self._log.position > self._covered_end
        self._sources = dict(connection.execute("SELECT source, position FROM source_position"))
        for block in self._log.log.whole_blocks(self._covered_end):
            source, position = block.source
            self._sources[source] = position
        self._entries: list[LoggedRows] = []
        self._waiting = WaitingColumns()

    @property
    def waiting_rows(self) -> int:
        return self._waiting.rows

    @property
    def has_waiting(self) -> bool:
        return bool(self._entries) or self._waiting.rows > 0

    def source_position(self, source: str) -> int:
        position: int = self._sources.get(source, 0)
        return position

    def log(self, rows: Sequence[PacketRows]) -> int:
        if self.packets_without_columns:
            raise ArchiveError(
                f"{self._log.position - self._covered_end} octets of logged packets have no"
                " columns; call recover() first"
            )
        blocks = [encode_block(own) for own in rows]
        position = self._log.position
        self._log.append(blocks)
        for own, block in zip(rows, blocks, strict=True):
            self._entries.append(index_entry(own, position, position + len(block)))
            position += len(block)
            if own.source:
                self._sources[own.source] = own.source_end
        return position

    def add(self, groups: Iterable[ColumnGroup]) -> None:
        self._waiting.add(groups)

    def flush(self) -> None:
        self._commit(self._entries, self._waiting.encoded(), self._log.position)
        self._entries = []
        self._waiting.clear()

    def append(self, packets: Sequence[RawPacket], groups: Iterable[ColumnGroup]) -> int:
        # Looked at first: what is wrong with a group must not leave packets without columns.
        columns = list(groups)
        for group in columns:
            rows_of(group)
        position = self.log(rows_of_packets(packets))
        self.add(columns)
        self.flush()
        return position

    def recover(self, segmenter: Segmenter) -> int:
        recovered = 0
        for block in self._log.log.blocks(self._covered_end, self._log.position):
            rows = block.rows()
            self._entries.append(index_entry(rows, block.start, block.end))
            self._waiting.add(segmenter(rows))
            recovered += len(rows)
            if self._waiting.rows >= _RECOVERY_ROWS or block.end == self._log.position:
                self._commit(self._entries, self._waiting.encoded(), block.end)
                self._entries = []
                self._waiting.clear()
        self.packets_without_columns = False
        return recovered

    def _commit(
        self, entries: Sequence[LoggedRows], segments: Sequence[EncodedSegment], end: int
    ) -> None:
        with transaction(self._connection, "IMMEDIATE"):
            for segment in segments:
                insert_segment(self._connection, self._edition, segment)
            insert_index_entries(self._connection, self._edition, entries)
            self._connection.execute("UPDATE archive_state SET committed_end = ?", (end,))
        self._covered_end = end

    def close(self) -> None:
        """Store what waits, and give the archive back."""
        try:
            if self.has_waiting:
                self.flush()
        finally:
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

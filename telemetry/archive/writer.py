"""The one process that writes an archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from telemetry.archive.column_store import ColumnStore
from telemetry.archive.database import (
    ArchiveFolder,
    archive_state,
    note_place,
    require_place,
    transaction,
)
from telemetry.archive.interface import (
    ArchiveError,
    ArchiveUnavailableError,
    ColumnGroup,
    RawPacket,
    Segmenter,
)
from telemetry.archive.packet_rows import PacketRows, encode_block, rows_of_packets
from telemetry.archive.raw_log import RawLog, RawLogWriter
from telemetry.archive.segments import (
    LoggedRows,
    index_entry,
    insert_index_entries,
    rows_of,
)
from telemetry.archive.waiting import WaitingColumns

_RECOVERY_ROWS: Final = 65_536


def has_packets_without_columns(path: Path) -> bool:
    """Return whether columns of the archive in the folder *path* are missing, or on their way."""
    folder = ArchiveFolder(path)
    connection = folder.connect(read_only=True)
    try:
        _, covered_end = archive_state(connection)
    finally:
        connection.close()
    return RawLog(folder.raw).end() > covered_end


class FolderWriter:
    """See :class:`telemetry.archive.interface.ArchiveWriter`.

    A block that a crash cut short is removed from the end of the packet log when it is
    opened.

    Args:
        path: The archive's folder; made where there is none.
        columns: Where columns are put.

    Raises:
        ArchiveLockedError: Another process is writing it.
        ArchiveDamagedError: Packets that were safely written are missing.

    Attributes:
        dropped_octets: What was removed from the end of the packet log when it
            was opened; 0 after a clean end.
    """

    def __init__(self, path: Path, columns: ColumnStore) -> None:
        self._folder = ArchiveFolder(path)
        self._columns = columns
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
    def stored_within_s(self) -> float:
        return self._columns.stored_within_s

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
        blocks = [encode_block(own) for own in rows]
        position = self._log.position
        self._log.append(blocks)
        for own, block in zip(rows, blocks, strict=True):
            if not self.packets_without_columns:  # else recover() makes it
                self._entries.append(index_entry(own, position, position + len(block)))
            position += len(block)
            if own.source:
                self._sources[own.source] = own.source_end
        return position

    def add(self, groups: Iterable[ColumnGroup]) -> None:
        if not self.packets_without_columns:
            self._waiting.add(groups)

    def flush(self) -> None:
        self._require_columns()
        self._commit(self._log.position)

    def append(self, packets: Sequence[RawPacket], groups: Iterable[ColumnGroup]) -> int:
        self._require_columns()
        # Looked at first: what is wrong with a group must not leave packets without columns.
        columns = list(groups)
        for group in columns:
            rows_of(group)
        position = self.log(rows_of_packets(packets))
        self.add(columns)
        self.flush()
        return position

    def _require_columns(self) -> None:
        if self.packets_without_columns:
            raise ArchiveError(
                f"{self._log.position - self._covered_end} octets of logged packets have no"
                " columns; call recover() first"
            )

    def recover(self, segmenter: Segmenter) -> int:
        recovered = 0
        for block in self._log.log.blocks(self._covered_end, self._log.position):
            rows = block.rows()
            self._entries.append(index_entry(rows, block.start, block.end))
            self._waiting.add(segmenter(rows))
            recovered += len(rows)
            if self._waiting.rows >= _RECOVERY_ROWS or block.end == self._log.position:
                self._commit(block.end)
        self.packets_without_columns = False
        return recovered

    def _commit(self, end: int) -> None:
        """Store what waits; the packet log has columns up to *end* then."""
        try:
            require_place(self._connection, self._columns.place)
            note = self._columns.store(self._edition, self._waiting)
        except ArchiveUnavailableError:
            # Memory is bounded and the log is not: what cannot be stored is made again.
            self.packets_without_columns = True
            self._let_go()
            raise
        with transaction(self._connection, "IMMEDIATE"):
            note_place(self._connection, self._columns.place)
            note(self._connection)
            insert_index_entries(self._connection, self._edition, self._entries)
            self._connection.execute("UPDATE archive_state SET committed_end = ?", (end,))
        self._covered_end = end
        self._let_go()

    def _let_go(self) -> None:
        self._entries.clear()
        self._waiting.clear()

    def close(self) -> None:
        try:
            if self.has_waiting:
                with suppress(ArchiveUnavailableError):  # the next one to open it recovers
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

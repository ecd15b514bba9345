"""What is read of an archive's folder wherever its columns are: packets and newest values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from telemetry.archive.database import (
    ArchiveFolder,
    ColumnPlace,
    archive_state,
    require_place,
    transaction,
)
from telemetry.archive.interface import ArchiveError, LatestValue, PacketPage, StoredPacket
from telemetry.archive.packet_rows import PacketRows, to_us
from telemetry.archive.packet_search import holds_any, is_wanted, newest_packets, packet_at
from telemetry.archive.raw_log import Block, RawLog


class FolderReader:
    """The half of :class:`telemetry.archive.interface.ArchiveReader` that all archives share."""

    def __init__(self, path: Path, place: ColumnPlace) -> None:
        folder = ArchiveFolder(path)
        self._place = place
        self._log = RawLog(folder.raw)
        self._connection = folder.connect(read_only=True)
        self._end = 0  # of the packet log, as far as it was looked at

    def latest(
        self, *, spacecraft: str, parameters: Collection[str] | None = None
    ) -> dict[str, LatestValue]:
        with self._snapshot() as edition:
            rows = self._connection.execute(
                "SELECT parameter, container, time_us, sequence_count, dtype, raw"
                " FROM newest_value WHERE edition = ? AND spacecraft = ?",
                (edition, spacecraft),
            ).fetchall()
        return {
            parameter: LatestValue(
                parameter=parameter,
                container=container,
                time_us=time_us,
                sequence_count=count,
                raw=np.frombuffer(raw, dtype=dtype),
            )
            for parameter, container, time_us, count, dtype, raw in rows
            if parameters is None or parameter in parameters
        }

    def end(self) -> int:
        with self._snapshot():
            _, committed_end = archive_state(self._connection)
        return self._log.last_whole_position(committed_end)

    def packets_since(
        self,
        cursor: int,
        *,
        spacecraft: str,
        apids: Collection[int] | None = None,
        limit: int = 1000,
    ) -> PacketPage:
        packets: list[StoredPacket] = []
        reached = cursor
        for block, rows in self._since(cursor, spacecraft, apids):
            reached = block.end
            for row in range(len(rows)):
                packets.append(rows.packet(row))
                if len(packets) == limit:
                    return PacketPage(packets, packets[-1].cursor)
        return PacketPage(packets, max(reached, self._end))

    def rows_since(
        self, cursor: int, *, spacecraft: str, apids: Collection[int] | None = None
    ) -> Iterator[PacketRows]:
        for _, rows in self._since(cursor, spacecraft, apids):
            if len(rows):
                yield rows

    def read_packets(
        self,
        *,
        spacecraft: str,
        start: datetime,
        end: datetime,
        apids: Collection[int] | None = None,
        limit: int | None = None,
    ) -> list[StoredPacket]:
        packets: list[StoredPacket] = []
        for rows in self.rows_between(spacecraft=spacecraft, start=start, end=end, apids=apids):
            for row in range(len(rows)):
                packets.append(rows.packet(row))
                if len(packets) == limit:
                    return packets
        return packets

    def rows_between(
        self,
        *,
        spacecraft: str,
        start: datetime,
        end: datetime,
        apids: Collection[int] | None = None,
    ) -> Iterator[PacketRows]:
        first_us, end_us = to_us(start), to_us(end)
        with self._snapshot() as edition:
            _, committed_end = archive_state(self._connection)
            ranges = self._connection.execute(
                "SELECT first_position, end_position, apids FROM packet_batch"
                " WHERE edition = ? AND spacecraft = ? AND last_us >= ? AND first_us < ?"
                " ORDER BY end_position",
                (edition, spacecraft, first_us, end_us),
            ).fetchall()
        for block in self._blocks_of(ranges, committed_end, apids):
            rows = block.rows()
            inside = (rows.generated_us >= first_us) & (rows.generated_us < end_us)
            chosen = rows.chosen(np.flatnonzero(inside & is_wanted(rows, spacecraft, apids)))
            if len(chosen):
                yield chosen

    def newest_packets(
        self,
        *,
        spacecraft: str,
        before: datetime,
        apids: Collection[int] | None = None,
        limit: int,
    ) -> list[StoredPacket]:
        return newest_packets(
            self._connection,
            self._log,
            spacecraft=spacecraft,
            before_us=to_us(before),
            apids=apids,
            limit=limit,
        )

    def packet_at(self, cursor: int, *, spacecraft: str) -> StoredPacket | None:
        return packet_at(self._connection, self._log, cursor, spacecraft=spacecraft)

    def _since(
        self, cursor: int, spacecraft: str, apids: Collection[int] | None
    ) -> Iterator[tuple[Block, PacketRows]]:
        """Yield the blocks after *cursor* with those of their packets that are wanted."""
        with self._snapshot() as edition:
            _, committed_end = archive_state(self._connection)
            ranges = self._connection.execute(
                "SELECT first_position, end_position, apids FROM packet_batch"
                " WHERE edition = ? AND spacecraft = ? AND end_position > ?"
                " ORDER BY end_position",
                (edition, spacecraft, cursor),
            ).fetchall()
        self._end, asked = committed_end, cursor
        for block in self._blocks_of(ranges, committed_end, apids) if cursor >= 0 else ():
            self._end = max(self._end, block.end)
            if block.end <= cursor:
                continue
            rows = block.rows()
            done = max(cursor - block.start, 0)
            if done and done >= len(rows):
                cursor = -1  # it lies in the block, but at no packet of it
                break
            wanted = np.flatnonzero(is_wanted(rows, spacecraft, apids))
            yield block, rows.chosen(wanted[wanted >= done])
            cursor = block.end
        if not 0 <= cursor <= self._end:
            raise ArchiveError(
                f"the cursor {asked} is not in 0 to {self._end}, the end of the packet log, or"
                " stands at no packet; pass on one that packets_since() gave, or 0"
            )

    def _blocks_of(
        self, ranges: list[tuple[int, int, str]], tail: int, apids: Collection[int] | None
    ) -> Iterator[Block]:
        """Yield the blocks in ranges of the log, and those that are in no range yet."""
        for first, end, held in ranges:
            if holds_any(held, apids):
                yield from self._log.blocks(first, end)
        yield from self._log.whole_blocks(tail)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _snapshot(self) -> Iterator[int]:
        """See one state of the database throughout; gives the edition in force."""
        with transaction(self._connection, "DEFERRED"):
            yield archive_state(self._connection)[0]

    def _containers(self, edition: int, spacecraft: str, parameter: str) -> list[str]:
        """Return in which containers a parameter was archived, in order.

        Raises:
            ArchiveUnavailableError: Columns are not where this reader looks for them.
        """
        require_place(self._connection, self._place)
        return [
            container
            for (container,) in self._connection.execute(
                "SELECT container FROM container_parameter"
                " WHERE edition = ? AND spacecraft = ? AND parameter = ? ORDER BY container",
                (edition, spacecraft, parameter),
            )
        ]

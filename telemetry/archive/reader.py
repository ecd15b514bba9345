"""Reads an archive while another process writes it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from telemetry.archive.database import ArchiveFolder, archive_state, transaction
from telemetry.archive.decimation import Buckets, StoredStatistics
from telemetry.archive.interface import (
    Affine,
    ArchiveError,
    Column,
    Decimated,
    LatestValue,
    PacketPage,
    Samples,
    StoredPacket,
)
from telemetry.archive.merging import Rows, merged
from telemetry.archive.packet_rows import PacketRows, to_us
from telemetry.archive.packet_search import holds_any, is_wanted, newest_packets, packet_at
from telemetry.archive.raw_log import Block, RawLog
from telemetry.archive.sample_series import between, calibrated, interleaved
from telemetry.archive.segment_search import (
    Ids,
    SegmentSpans,
    bins_of,
    rollup_width_us,
    spans_of,
    statistics_of,
)
from telemetry.archive.segments import read_rows


def open_reader(path: Path) -> SqliteArchiveReader:
    """Open the archive in the folder *path*; an empty one is made where there is none."""
    return SqliteArchiveReader(path)


class SqliteArchiveReader:
    """See :class:`telemetry.archive.interface.ArchiveReader`."""

    def __init__(self, path: Path) -> None:
        folder = ArchiveFolder(path)
        self._log = RawLog(folder.raw)
        self._connection = folder.connect(read_only=True)
        self._end = 0  # of the packet log, as far as it was looked at

    def read(
        self,
        *,
        spacecraft: str,
        parameter: str,
        start: datetime,
        end: datetime,
        limit: int | None = None,
    ) -> Samples:
        first_us, end_us = to_us(start), to_us(end)
        parts = []
        with self._snapshot() as edition:
            for container in self._containers(edition, spacecraft, parameter):
                spans = self._spans(edition, spacecraft, container, first_us, end_us)
                found = statistics_of(self._connection, spans.ids, parameter)
                if limit is None:
                    rows = self._rows([known.segment_id for known in found], parameter)
                    parts.append(between(rows, parameter, first_us, end_us))
                else:
                    parts.append(self._newest(found, parameter, first_us, end_us, limit))
        samples = interleaved(parts, parameter)
        if limit is None or len(samples) <= limit:
            return samples
        return samples.last(limit)

    def _newest(
        self,
        found: list[StoredStatistics],
        parameter: str,
        first_us: int,
        end_us: int,
        limit: int,
    ) -> Samples:
        """Read only as many segments, from the newest on, as hold the newest samples."""
        newest = sorted(found, key=lambda known: -known.last_us)
        taken = 1
        while True:
            ids = sorted(known.segment_id for known in newest[:taken])
            samples = between(self._rows(ids, parameter), parameter, first_us, end_us)
            if taken >= len(newest):
                return samples
            # What the others hold is older than this.
            complete = samples.times_us > newest[taken].last_us
            if int(complete.sum()) >= limit:
                return samples.last(limit)
            taken *= 2

    def read_decimated(
        self,
        *,
        spacecraft: str,
        parameter: str,
        start: datetime,
        end: datetime,
        buckets: int,
        calibrate: Callable[[Column], Column] | Affine | None = None,
    ) -> Decimated:
        filled = Buckets(first_us=to_us(start), end_us=to_us(end), count=buckets)
        with self._snapshot() as edition:
            width_us = None
            if calibrate is None or isinstance(calibrate, Affine):
                width_us = rollup_width_us(self._connection, parameter, filled.width_us)
            if width_us is not None:
                filled = filled.of_bins(width_us)
            for container in self._containers(edition, spacecraft, parameter):
                spans = self._spans(edition, spacecraft, container, filled.first_us, filled.end_us)
                self._fill(filled, width_us, spans, parameter, calibrate)
        return filled.result()

    def _fill(
        self,
        filled: Buckets,
        width_us: int | None,
        spans: SegmentSpans,
        parameter: str,
        calibrate: Callable[[Column], Column] | Affine | None,
    ) -> None:
        """Put the samples that one container has of a parameter into the buckets."""
        line = calibrate or Affine()
        if isinstance(line, Affine):
            left = self._fill_without_reading(filled, width_us, spans, parameter, line)
        else:
            left = self._numbers(spans.ids, parameter)
        # Of late and repeated deliveries; most segments were counted whole by now.
        rows = self._rows([known.segment_id for known in left], parameter)
        samples = between(rows, parameter, filled.first_us, filled.end_us)
        if len(samples):
            filled.add(samples.times_us, calibrated(samples.values, line))

    def _fill_without_reading(
        self,
        filled: Buckets,
        width_us: int | None,
        spans: SegmentSpans,
        parameter: str,
        line: Affine,
    ) -> list[StoredStatistics]:
        """Count segments by what is stored about them; return those that must be read."""
        alone, left = spans.alone(), spans.ids
        if width_us is not None:
            counted, starts_us, bins = bins_of(self._connection, alone, parameter, width_us)
            filled.add_bins(starts_us, bins, line)
            left = left[~np.isin(left, counted)]
        to_read = []
        whole = set(alone.tolist())
        for known in self._numbers(left, parameter):
            if known.segment_id in whole and filled.lies_in_one(known):
                filled.add_statistics(known, line)
            else:
                to_read.append(known)
        return to_read

    def _numbers(self, segment_ids: Ids, parameter: str) -> list[StoredStatistics]:
        found = statistics_of(self._connection, segment_ids, parameter)
        if any(known.dtype.kind not in "iuf" for known in found):
            raise ArchiveError(f"{parameter!r} is no number; read() it, it cannot be decimated")
        return found

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
        return [
            container
            for (container,) in self._connection.execute(
                "SELECT container FROM container_parameter"
                " WHERE edition = ? AND spacecraft = ? AND parameter = ?",
                (edition, spacecraft, parameter),
            )
        ]

    def _spans(
        self, edition: int, spacecraft: str, container: str, first_us: int, end_us: int
    ) -> SegmentSpans:
        return spans_of(
            self._connection, edition, spacecraft, container, first_us=first_us, end_us=end_us
        )

    def _rows(self, segment_ids: list[int], parameter: str) -> Rows | None:
        if not segment_ids:
            return None
        return merged([read_rows(self._connection, own, [parameter]) for own in segment_ids])

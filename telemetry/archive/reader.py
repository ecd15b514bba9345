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
from telemetry.archive.decimation import Buckets, StoredStatistics, split_off_statistics
from telemetry.archive.interface import (
    ArchiveError,
    Column,
    Decimated,
    LatestValue,
    PacketPage,
    Samples,
    StoredPacket,
)
from telemetry.archive.merging import Rows, concatenated, merged
from telemetry.archive.raw_log import RawLog, to_us
from telemetry.archive.segments import read_rows

_EMPTY = Samples(np.empty(0, np.int64), np.empty(0, np.uint16), np.empty(0, np.float64))


def open_reader(path: Path) -> SqliteArchiveReader:
    """Open the archive in the folder *path*; an empty one is made where there is none."""
    return SqliteArchiveReader(path)


class SqliteArchiveReader:
    """See :class:`telemetry.archive.interface.ArchiveReader`."""

    def __init__(self, path: Path) -> None:
        folder = ArchiveFolder(path)
        self._log = RawLog(folder.raw)
        self._connection = folder.connect(read_only=True)

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
                found = self._segments(edition, spacecraft, container, parameter, first_us, end_us)
                rows = self._rows([statistics.segment_id for statistics in found], parameter)
                parts.append(_between(rows, parameter, first_us, end_us))
        samples = _interleaved(parts, parameter)
        if limit is None or len(samples) <= limit:
            return samples
        newest = slice(len(samples) - limit, None)
        return Samples(
            samples.times_us[newest], samples.sequence_counts[newest], samples.values[newest]
        )

    def read_decimated(
        self,
        *,
        spacecraft: str,
        parameter: str,
        start: datetime,
        end: datetime,
        buckets: int,
        calibrate: Callable[[Column], Column] | None = None,
    ) -> Decimated:
        filled = Buckets(first_us=to_us(start), end_us=to_us(end), count=buckets)
        with self._snapshot() as edition:
            for container in self._containers(edition, spacecraft, parameter):
                found = self._segments(
                    edition, spacecraft, container, parameter, filled.first_us, filled.end_us
                )
                if any(statistics.dtype.kind not in "iuf" for statistics in found):
                    raise ArchiveError(
                        f"{parameter!r} is no number; read() it, it cannot be decimated"
                    )
                if calibrate is None:
                    found = split_off_statistics(found, filled)
                rows = self._rows([statistics.segment_id for statistics in found], parameter)
                samples = _between(rows, parameter, filled.first_us, filled.end_us)
                if len(samples):
                    values = samples.values if calibrate is None else calibrate(samples.values)
                    filled.add(samples.times_us, values)
        return filled.result()

    def latest(
        self, *, spacecraft: str, parameters: Collection[str] | None = None
    ) -> dict[str, LatestValue]:
        newest: dict[str, LatestValue] = {}
        with self._snapshot() as edition:
            containers = self._connection.execute(
                "SELECT DISTINCT container FROM container_parameter"
                " WHERE edition = ? AND spacecraft = ?",
                (edition, spacecraft),
            ).fetchall()
            for (container,) in containers:
                for value in self._latest_of(edition, spacecraft, container):
                    if parameters is not None and value.parameter not in parameters:
                        continue
                    other = newest.get(value.parameter)
                    if other is None or value.time_us > other.time_us:
                        newest[value.parameter] = value
        return newest

    def _latest_of(self, edition: int, spacecraft: str, container: str) -> Iterator[LatestValue]:
        segment_id, last_us, count = self._connection.execute(
            "SELECT id, last_us, last_sequence_count FROM segment"
            " WHERE edition = ? AND spacecraft = ? AND container = ?"
            " ORDER BY last_us DESC, last_sequence_count DESC, id LIMIT 1",
            (edition, spacecraft, container),
        ).fetchone()
        for parameter, dtype, last in self._connection.execute(
            "SELECT parameter, dtype, last FROM segment_column WHERE segment_id = ?",
            (segment_id,),
        ):
            yield LatestValue(
                parameter=parameter,
                container=container,
                time_us=last_us,
                sequence_count=count,
                raw=np.frombuffer(last, dtype=dtype),
            )

    def packets_since(
        self,
        cursor: int,
        *,
        spacecraft: str,
        apids: Collection[int] | None = None,
        limit: int = 1000,
    ) -> PacketPage:
        with self._snapshot() as edition:
            _, committed_end = archive_state(self._connection)
            batches = self._connection.execute(
                "SELECT first_position, end_position, apids FROM packet_batch"
                " WHERE edition = ? AND spacecraft = ? AND end_position > ?"
                " ORDER BY end_position",
                (edition, spacecraft, cursor),
            ).fetchall()
        if not 0 <= cursor <= committed_end:
            raise ArchiveError(
                f"the cursor {cursor} is not in 0 to {committed_end}, the end of the packet log;"
                " pass on one that packets_since() gave, or 0"
            )
        packets: list[StoredPacket] = []
        for first, end, held in batches:
            if not _holds_any(held, apids):
                continue
            for packet in self._log.read(max(first, cursor), end):
                if _is_wanted(packet, spacecraft, apids):
                    packets.append(packet)
                    if len(packets) == limit:
                        return PacketPage(packets, packet.cursor)
        return PacketPage(packets, committed_end)

    def read_packets(
        self,
        *,
        spacecraft: str,
        start: datetime,
        end: datetime,
        apids: Collection[int] | None = None,
        limit: int | None = None,
    ) -> list[StoredPacket]:
        with self._snapshot() as edition:
            batches = self._connection.execute(
                "SELECT first_position, end_position, apids FROM packet_batch"
                " WHERE edition = ? AND spacecraft = ? AND last_us >= ? AND first_us < ?"
                " ORDER BY end_position",
                (edition, spacecraft, to_us(start), to_us(end)),
            ).fetchall()
        packets = []
        for first, last, held in batches:
            if not _holds_any(held, apids):
                continue
            for packet in self._log.read(first, last):
                inside = start <= packet.generated_at < end
                if inside and _is_wanted(packet, spacecraft, apids):
                    packets.append(packet)
                    if len(packets) == limit:
                        return packets
        return packets

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

    def _segments(
        self,
        edition: int,
        spacecraft: str,
        container: str,
        parameter: str,
        first_us: int,
        end_us: int,
    ) -> list[StoredStatistics]:
        """Return what is known of the segments with a parameter in an interval, by age."""
        found = self._connection.execute(
            "SELECT id, first_us, last_us, row_count, dtype, minimum, maximum, total, finite"
            " FROM segment JOIN segment_column ON segment_id = id AND parameter = ?"
            " WHERE edition = ? AND spacecraft = ? AND container = ?"
            " AND last_us >= ? AND first_us < ? ORDER BY id",
            (parameter, edition, spacecraft, container, first_us, end_us),
        )
        return [
            StoredStatistics(
                segment_id=segment_id,
                first_us=first,
                last_us=last,
                row_count=count,
                dtype=np.dtype(dtype),
                minimum=minimum,
                maximum=maximum,
                total=total,
                finite=finite,
            )
            for segment_id, first, last, count, dtype, minimum, maximum, total, finite in found
        ]

    def _rows(self, segment_ids: list[int], parameter: str) -> Rows | None:
        if not segment_ids:
            return None
        return merged([read_rows(self._connection, own, [parameter]) for own in segment_ids])


def _between(rows: Rows | None, parameter: str, first_us: int, end_us: int) -> Samples:
    if rows is None:
        return _EMPTY
    low, high = np.searchsorted(rows.times_us, [first_us, end_us])
    return Samples(
        rows.times_us[low:high],
        rows.sequence_counts[low:high],
        rows.columns[parameter][low:high],
    )


def _interleaved(parts: list[Samples], parameter: str) -> Samples:
    """Put the samples of several containers into one order of time."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return _EMPTY
    if len(filled) == 1:
        return filled[0]
    times = np.concatenate([part.times_us for part in filled])
    order = np.argsort(times, kind="stable")
    counts = np.concatenate([part.sequence_counts for part in filled])
    values = concatenated([part.values for part in filled], parameter)
    return Samples(times[order], counts[order], values[order])


def _holds_any(held: str, apids: Collection[int] | None) -> bool:
    return apids is None or any(int(apid) in apids for apid in held.split())


def _is_wanted(packet: StoredPacket, spacecraft: str, apids: Collection[int] | None) -> bool:
    return packet.spacecraft == spacecraft and (apids is None or packet.apid in apids)

"""What an archive takes and gives, whatever stands behind it.

Times are aware UTC datetimes where one instant is meant and int64
microseconds since 1970-01-01T00:00:00Z where a column is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from telemetry.archive.packet_rows import PacketRows

Column = npt.NDArray[Any]
Times = npt.NDArray[np.int64]
Counts = npt.NDArray[np.uint16]


class ArchiveError(Exception):
    """The archive was asked for something it cannot do."""


class ArchiveLockedError(ArchiveError):
    """Another process is writing, or compacting, this archive."""


class ArchiveUnavailableError(ArchiveError):
    """The columns are on a server that does not answer now, or not where they are looked for.

    Packets are logged, and can be read, all the same.
    """


class ArchiveDamagedError(ArchiveError):
    """Octets that were safely on the disk are not what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPacket:
    """A packet to be logged, octet for octet."""

    spacecraft: str  # up to 255 octets in UTF-8
    apid: int
    sequence_count: int
    generated_at: datetime
    received_at: datetime
    station: str  # up to 255 octets in UTF-8
    octets: bytes
    has_own_time: bool = True  # False: generated_at is the reception time


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPacket(RawPacket):
    """A packet as logged. ``cursor`` points after it in the log."""

    cursor: int


@dataclass(frozen=True, slots=True)
class PacketPage:
    """Packets in order of arrival.

    ``cursor`` is where to go on; it moves past packets that did not fit the
    filter too, so that a follower does not read them again.
    """

    packets: list[StoredPacket]
    cursor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnGroup:
    """Raw values of one container: columns that share one column of times.

    A row is known by (generation time, sequence count): a row that comes
    again is the same row. Rows may come late and in any order.
    """

    spacecraft: str
    container: str
    times_us: Times
    sequence_counts: Counts
    columns: Mapping[str, Column]


Segmenter = Callable[["PacketRows"], Iterable[ColumnGroup]]
"""Decodes logged packets into column groups again."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Raw values of one parameter, in order of generation time, each once."""

    times_us: Times
    sequence_counts: Counts
    values: Column

    def __len__(self) -> int:
        return len(self.times_us)

    def last(self, count: int) -> Samples:
        """Return the newest ones, *count* at most."""
        first = max(len(self) - count, 0)
        return Samples(self.times_us[first:], self.sequence_counts[first:], self.values[first:])


@dataclass(frozen=True, slots=True)
class Affine:
    """A calibration by a straight line: engineering value = offset + gain * raw."""

    gain: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Decimated:
    """Buckets of equal length that hold samples, in order of time.

    Attributes:
        starts_us: Beginning of each bucket.
        minimum: Least value; NaN where the bucket holds nothing but NaN.
        maximum: Greatest value.
        mean: Mean of the values that are finite.
        count: Samples, those that are not finite included.
    """

    starts_us: Times
    minimum: npt.NDArray[np.float64]
    maximum: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    count: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestValue:
    parameter: str
    container: str
    time_us: int
    sequence_count: int
    raw: Column  # shape (1,), ready for calibration


class ArchiveWriter(Protocol):
    """The one process that writes."""

    def log(self, rows: Sequence[PacketRows]) -> int:
        """Log packets; when this returns, they are on the disk and can be read.

        Returns:
            The cursor after the last packet.

        Raises:
            OSError: The disk is full or failing; nothing was logged.
        """
        ...

    def add(self, groups: Iterable[ColumnGroup]) -> None:
        """Take the columns decoded from what was logged; :meth:`flush` stores them.

        While there are :attr:`packets_without_columns` they are let go: :meth:`recover`
        makes them again, with those that are missing before them.
        """
        ...

    def flush(self) -> None:
        """Store the columns taken so far; then every process can read them.

        Raises:
            ArchiveUnavailableError: They cannot be stored now and are let go; there are
                :attr:`packets_without_columns` until :meth:`recover` has made them again.
            ArchiveError: There are packets without columns; call :meth:`recover` first.
        """
        ...

    @property
    def stored_within_s(self) -> float:
        """How long columns should wait to be stored together."""
        ...

    @property
    def waiting_rows(self) -> int:
        """How many rows wait for the next flush."""
        ...

    @property
    def has_waiting(self) -> bool:
        """Whether a flush would store anything."""
        ...

    def source_position(self, source: str) -> int:
        """Return up to where a source was logged; 0 where nothing was."""
        ...

    def append(self, packets: Sequence[RawPacket], groups: Iterable[ColumnGroup]) -> int:
        """Do all three: log packets, take their columns, store them.

        Returns:
            The cursor after the last packet.

        Raises:
            ArchiveError: There are packets without columns, and nothing was logged; call
                :meth:`recover` first.
        """
        ...

    @property
    def packets_without_columns(self) -> bool:
        """Whether a crash, or a server that was away, left packets whose columns are missing."""
        ...

    def recover(self, segmenter: Segmenter) -> int:
        """Store the columns that are missing; return the number of packets.

        Raises:
            ArchiveUnavailableError: They cannot be stored now; try again later.
        """
        ...

    def close(self) -> None:
        """Store what waits, and give the archive back.

        What cannot be stored is made again from the log when it is next opened.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class ArchiveReader(Protocol):
    """One of many. Use each from one thread only; opening one is cheap."""

    def read(
        self,
        *,
        spacecraft: str,
        parameter: str,
        start: datetime,
        end: datetime,
        limit: int | None = None,
    ) -> Samples:
        """Return the raw values generated from *start* to before *end*.

        Args:
            spacecraft: Whose.
            parameter: Which; one that was never archived has no samples.
            start: First instant, included.
            end: Last instant, excluded.
            limit: At most so many, the newest ones.

        Raises:
            ArchiveUnavailableError: They cannot be had now.
        """
        ...

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
        """Return minimum, maximum and mean of equal parts of an interval.

        Over long intervals the parts may be made of whole bins of stored rollups: then
        they are a little longer than asked (a sixth at most), the first may begin and
        the last may end outside the interval by less than one bin, and what each part
        says is exact for the part as it is returned.

        Args:
            spacecraft: Whose.
            parameter: Which; it must be a number.
            start: Beginning of the first bucket.
            end: End of the last bucket, excluded.
            buckets: How many at most, at least 1.
            calibrate: Applied to the raw values before they are counted. With a
                straight line, or without any, stored rollups are used where they serve.

        Raises:
            ArchiveError: The parameter is a string or a binary.
            ArchiveUnavailableError: They cannot be had now.
            ValueError: No bucket, or *end* is not after *start*.
        """
        ...

    def latest(
        self, *, spacecraft: str, parameters: Collection[str] | None = None
    ) -> dict[str, LatestValue]:
        """Return the values of the newest generation time, by parameter."""
        ...

    def end(self) -> int:
        """Return the cursor after the last packet in the log."""
        ...

    def packets_since(
        self,
        cursor: int,
        *,
        spacecraft: str,
        apids: Collection[int] | None = None,
        limit: int = 1000,
    ) -> PacketPage:
        """Return packets logged after *cursor* (0: from the beginning), in order of arrival.

        Repeats are returned as often as they arrived.

        Raises:
            ArchiveError: *cursor* is not one that this archive gave.
        """
        ...

    def rows_since(
        self, cursor: int, *, spacecraft: str, apids: Collection[int] | None = None
    ) -> Iterator[PacketRows]:
        """Yield what was logged after *cursor* in bulk, up to the end of the log.

        Raises:
            ArchiveError: *cursor* is not one that this archive gave.
        """
        ...

    def rows_between(
        self,
        *,
        spacecraft: str,
        start: datetime,
        end: datetime,
        apids: Collection[int] | None = None,
    ) -> Iterator[PacketRows]:
        """Yield packets generated from *start* to before *end* in bulk, in order of arrival."""
        ...

    def read_packets(
        self,
        *,
        spacecraft: str,
        start: datetime,
        end: datetime,
        apids: Collection[int] | None = None,
        limit: int | None = None,
    ) -> list[StoredPacket]:
        """Return packets generated from *start* to before *end*, in order of arrival."""
        ...

    def newest_packets(
        self,
        *,
        spacecraft: str,
        before: datetime,
        apids: Collection[int] | None = None,
        limit: int,
    ) -> list[StoredPacket]:
        """Return the packets generated last before an instant, the newest first.

        No more of the log is read than may hold them.
        """
        ...

    def packet_at(self, cursor: int, *, spacecraft: str) -> StoredPacket | None:
        """Return the packet that *cursor* points after; ``None`` where there is none."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

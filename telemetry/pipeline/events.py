"""What goes into the telemetry pipeline and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.clcw import Clcw
from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.ccsds.time_codes import CdsFormat, CucFormat
from telemetry.dictionary import Undecoded
from telemetry.limits import LimitState

UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Column = npt.NDArray[Any]


def unix_us(instant: datetime) -> int:
    """Return microseconds since 1970-01-01T00:00:00Z, exactly."""
    return (instant - UNIX_EPOCH) // _MICROSECOND


def from_unix_us(time_us: int) -> datetime:
    """Return the instant, aware UTC, of microseconds since 1970."""
    return UNIX_EPOCH + timedelta(microseconds=time_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketTime:
    """Where a packet's own time stands."""

    code: CucFormat | CdsFormat
    offset_octets: int = 6  # of the packet; right after the primary header


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFrame:
    octets: bytes  # from the frame's header, after any sync marker
    received_at: datetime  # aware, UTC
    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPacket:
    octets: bytes  # one whole Space Packet
    received_at: datetime
    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodPacket:
    """A Space Packet that arrived whole.

    Attributes:
        generated_at: The packet's own time, or the reception time where it
            carries none that can be right (``has_own_time`` is then False).
    """

    octets: bytes
    apid: int
    sequence_count: int
    generated_at: datetime
    received_at: datetime
    station: str
    has_own_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodPackets(Sequence[GoodPacket]):
    """Space Packets that arrived whole, as columns; one by one where somebody asks.

    Attributes:
        batch: The octets.
        apids, sequence_counts: What the headers say.
        generated_us: See ``GoodPacket.generated_at``; microseconds since 1970.
        received_us: Reception times.
        own_time: Whether the generation time is the packet's own.
        stations: Who received any of them.
        station_of: Which of these each one came from.
    """

    batch: PacketBatch
    apids: npt.NDArray[np.uint16]
    sequence_counts: npt.NDArray[np.uint16]
    generated_us: npt.NDArray[np.int64]
    received_us: npt.NDArray[np.int64]
    own_time: npt.NDArray[np.bool_]
    stations: tuple[str, ...]
    station_of: npt.NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.batch)

    @overload
    def __getitem__(self, index: int) -> GoodPacket: ...

    @overload
    def __getitem__(self, index: slice) -> list[GoodPacket]: ...

    def __getitem__(self, index: int | slice) -> GoodPacket | list[GoodPacket]:
        if isinstance(index, slice):
            return [self[own] for own in range(*index.indices(len(self)))]
        return GoodPacket(
            octets=self.batch[index],
            apid=int(self.apids[index]),
            sequence_count=int(self.sequence_counts[index]),
            generated_at=from_unix_us(int(self.generated_us[index])),
            received_at=from_unix_us(int(self.received_us[index])),
            station=self.stations[int(self.station_of[index])],
            has_own_time=bool(self.own_time[index]),
        )

    def chosen(self, rows: npt.NDArray[np.intp]) -> GoodPackets:
        """Return some of the packets, in the order given."""
        return GoodPackets(
            batch=self.batch.chosen(rows),
            apids=self.apids[rows],
            sequence_counts=self.sequence_counts[rows],
            generated_us=self.generated_us[rows],
            received_us=self.received_us[rows],
            own_time=self.own_time[rows],
            stations=self.stations,
            station_of=self.station_of[rows],
        )

    @classmethod
    def none(cls) -> GoodPackets:
        return cls(
            batch=PacketBatch.of([]),
            apids=np.empty(0, np.uint16),
            sequence_counts=np.empty(0, np.uint16),
            generated_us=np.empty(0, np.int64),
            received_us=np.empty(0, np.int64),
            own_time=np.empty(0, np.bool_),
            stations=(),
            station_of=np.empty(0, np.uint16),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryBatch:
    """All packets of one container in a batch, as columns of the same length.

    Attributes:
        packet_indices: Into ``PipelineResult.packets``.
        generation_times_us: Microseconds since 1970-01-01T00:00:00Z, int64.
        sequence_counts: uint16.
        columns: Raw values by parameter name.
        states: Values of ``LimitState`` in force, by the names of those
            parameters that have limits, uint8.
    """

    container: str
    packet_indices: npt.NDArray[np.intp]
    generation_times_us: npt.NDArray[np.int64]
    sequence_counts: npt.NDArray[np.uint16]
    columns: Mapping[str, Column]
    states: Mapping[str, npt.NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTransition:
    """A parameter's state changed.

    Attributes:
        recorded: The value is older than one checked before, so it tells of
            the past (a recorder's dump) and says nothing about now.
    """

    parameter: str
    previous: LimitState
    current: LimitState
    value: float | int | str
    limit: str
    generated_at: datetime
    received_at: datetime
    recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedClcw:
    clcw: Clcw
    word: bytes  # the 4 octets as received
    received_at: datetime
    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFrame:
    """Octets that were refused, in part or whole, and why."""

    octets: bytes
    reason: str
    received_at: datetime
    station: str


@dataclass(slots=True)
class PipelineResult:
    packets: GoodPackets = field(default_factory=GoodPackets.none)
    batches: list[TelemetryBatch] = field(default_factory=list)
    undecoded: list[Undecoded] = field(default_factory=list)  # index into packets
    transitions: list[LimitTransition] = field(default_factory=list)
    clcws: list[ReceivedClcw] = field(default_factory=list)  # all, in order
    bad_frames: list[BadFrame] = field(default_factory=list)
    frames_good: int = 0
    ocfs_unread: int = 0  # operational control fields that hold no CLCW
    partial_packets_dropped: int = 0
    frames_lost: dict[int, int] = field(default_factory=dict)  # by virtual channel
    packets_lost: dict[int, int] = field(default_factory=dict)  # by APID

    @property
    def latest_clcws(self) -> dict[int, ReceivedClcw]:
        """The newest CLCW of each telecommand virtual channel."""
        return {received.clcw.virtual_channel_id: received for received in self.clcws}

"""The packets of one batch, as columns that can be read as a sequence of packets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, overload

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.pipeline.events import UNIX_EPOCH, GoodPacket

NO_CHANNEL: Final = -1  # bare packets have a channel of their own

Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReceivedPackets(Sequence[GoodPacket]):
    """Whole Space Packets with what is known of each.

    Reading one by its index makes an object; whoever takes many reads the columns.

    Attributes:
        batch: The octets, and where in them each packet lies.
        apids: uint16, as are the sequence counts.
        virtual_channels: ``NO_CHANNEL`` where they came without frames.
        generated_us: Microseconds since 1970: the packet's own time, or the reception time
            where it carries none that can be right.
        has_own_time: Which of the two it is.
        received_us: Reception times.
        stations: Indices into ``station_names``.
    """

    batch: PacketBatch
    apids: npt.NDArray[np.uint16]
    sequence_counts: npt.NDArray[np.uint16]
    virtual_channels: npt.NDArray[np.int16]
    generated_us: Times
    has_own_time: npt.NDArray[np.bool_]
    received_us: Times
    stations: npt.NDArray[np.intp]
    station_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.apids)

    @overload
    def __getitem__(self, index: int) -> GoodPacket: ...

    @overload
    def __getitem__(self, index: slice) -> list[GoodPacket]: ...

    def __getitem__(self, index: int | slice) -> GoodPacket | list[GoodPacket]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return GoodPacket(
            octets=self.batch[place],
            apid=int(self.apids[place]),
            sequence_count=int(self.sequence_counts[place]),
            generated_at=instant(int(self.generated_us[place])),
            received_at=instant(int(self.received_us[place])),
            station=self.station_names[self.stations[place]],
            has_own_time=bool(self.has_own_time[place]),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def instant(time_us: int) -> datetime:
    """Return the aware datetime of microseconds since 1970."""
    return UNIX_EPOCH + timedelta(microseconds=time_us)


def no_packets() -> ReceivedPackets:
    """Return an empty batch."""
    return PacketCollector().packets(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_))


@dataclass(slots=True)
class PacketCollector:
    """Gathers packets while frames are taken apart, and makes columns of them."""

    octets: list[bytes] = field(default_factory=list)
    channels: list[int] = field(default_factory=list)
    received_us: list[int] = field(default_factory=list)
    stations: list[int] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    def add(self, octets: bytes, channel: int, received_us: int, station: int) -> None:
        self.octets.append(octets)
        self.channels.append(channel)
        self.received_us.append(received_us)
        self.stations.append(station)

    def station(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names))

    def packets(
        self,
        own_times_us: Times,
        has_own_time: npt.NDArray[np.bool_],
        batch: PacketBatch | None = None,
    ) -> ReceivedPackets:
        """Return the packets; those without a time of their own have that of reception."""
        batch = PacketBatch.of(self.octets) if batch is None else batch
        received_us = np.array(self.received_us, dtype=np.int64)
        return ReceivedPackets(
            batch=batch,
            apids=batch.apids,
            sequence_counts=batch.sequence_counts,
            virtual_channels=np.array(self.channels, dtype=np.int16),
            generated_us=np.where(has_own_time, own_times_us, received_us),
            has_own_time=has_own_time,
            received_us=received_us,
            stations=np.array(self.stations, dtype=np.intp),
            station_names=tuple(self.names),
        )

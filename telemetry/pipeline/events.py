"""What goes into the telemetry pipeline and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.clcw import Clcw
from telemetry.ccsds.time_codes import TimeFormat
from telemetry.limits import LimitState

UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Column = npt.NDArray[Any]


def unix_us(instant: datetime) -> int:
    """Return microseconds since 1970-01-01T00:00:00Z, exactly."""
    return (instant - UNIX_EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketTime:
    """Where a packet's own time stands."""

    code: TimeFormat
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
    """Octets that were refused, in part or whole, and why.

    ``fault`` is a ``FrameFault``: the key to count by.
    """

    octets: bytes
    fault: str
    reason: str
    received_at: datetime
    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelData:
    """What a frame brought that is no packet.

    Attributes:
        service: ``bitstream`` or ``access`` data of a virtual channel, or the ``insert``
            zone, which the whole physical channel shares.
        bits: How many bits of the octets, from the first, are data.
    """

    service: str
    virtual_channel: int
    octets: bytes
    bits: int
    received_at: datetime
    station: str

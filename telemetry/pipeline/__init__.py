"""One batch of frames in, events out. Pure."""

from telemetry.pipeline.events import (
    UNIX_EPOCH,
    BadFrame,
    GoodPacket,
    GoodPackets,
    LimitTransition,
    PacketTime,
    PipelineResult,
    ReceivedClcw,
    ReceivedFrame,
    ReceivedPacket,
    TelemetryBatch,
    from_unix_us,
    unix_us,
)
from telemetry.pipeline.reception import MAX_CLOCK_LEAD, TelemetryPipeline

__all__ = [
    "MAX_CLOCK_LEAD",
    "UNIX_EPOCH",
    "BadFrame",
    "GoodPacket",
    "GoodPackets",
    "LimitTransition",
    "PacketTime",
    "PipelineResult",
    "ReceivedClcw",
    "ReceivedFrame",
    "ReceivedPacket",
    "TelemetryBatch",
    "TelemetryPipeline",
    "from_unix_us",
    "unix_us",
]

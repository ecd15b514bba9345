"""One batch of frames in, events out. Pure."""

from telemetry.pipeline.events import (
    UNIX_EPOCH,
    BadFrame,
    ChannelData,
    GoodPacket,
    LimitTransition,
    PacketTime,
    ReceivedClcw,
    ReceivedFrame,
    ReceivedPacket,
    TelemetryBatch,
    unix_us,
)
from telemetry.pipeline.packets import ReceivedPackets, instant
from telemetry.pipeline.reception import MAX_CLOCK_LEAD, TelemetryPipeline
from telemetry.pipeline.result import FrameCount, PipelineResult

__all__ = [
    "MAX_CLOCK_LEAD",
    "UNIX_EPOCH",
    "BadFrame",
    "ChannelData",
    "FrameCount",
    "GoodPacket",
    "LimitTransition",
    "PacketTime",
    "PipelineResult",
    "ReceivedClcw",
    "ReceivedFrame",
    "ReceivedPacket",
    "ReceivedPackets",
    "TelemetryBatch",
    "TelemetryPipeline",
    "instant",
    "unix_us",
]

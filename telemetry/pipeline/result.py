"""What a batch of frames or packets came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from telemetry.ccsds.count_ledger import CountChange
from telemetry.dictionary import Undecoded
from telemetry.pipeline.events import (
    BadFrame,
    ChannelData,
    LimitTransition,
    ReceivedClcw,
    TelemetryBatch,
)
from telemetry.pipeline.packets import ReceivedPackets, no_packets


@dataclass(slots=True)
class FrameCount:
    """Frames of one virtual channel at one station."""

    good: int = 0
    lost: int = 0  # by their counts


@dataclass(slots=True)
class PipelineResult:
    packets: ReceivedPackets = field(default_factory=no_packets)
    batches: list[TelemetryBatch] = field(default_factory=list)
    undecoded: list[Undecoded] = field(default_factory=list)  # index into packets
    transitions: list[LimitTransition] = field(default_factory=list)
    clcws: list[ReceivedClcw] = field(default_factory=list)  # all, in order
    bad_frames: list[BadFrame] = field(default_factory=list)
    frames_good: int = 0
    ocfs_unread: int = 0  # operational control fields that hold no CLCW
    frames_idle: int = 0  # of the good ones
    partial_packets: list[BadFrame] = field(default_factory=list)
    channel_data: list[ChannelData] = field(default_factory=list)
    # By station and virtual channel.
    channel_frames: dict[tuple[str, int], FrameCount] = field(default_factory=dict)
    # By virtual channel and APID; the channel of bare packets is -1.
    packet_counts: dict[tuple[int, int], CountChange] = field(default_factory=dict)

    @property
    def frames_lost(self) -> dict[int, int]:
        """Frames missing by their counts, by virtual channel."""
        lost: dict[int, int] = {}
        for (_, channel), count in self.channel_frames.items():
            lost[channel] = lost.get(channel, 0) + count.lost
        return {channel: count for channel, count in lost.items() if count}

    @property
    def packets_lost(self) -> dict[int, int]:
        """Packets missing by their counts, by APID; less those that came late after all."""
        lost: dict[int, int] = {}
        for (_, apid), change in self.packet_counts.items():
            lost[apid] = lost.get(apid, 0) + change.lost
        return {apid: count for apid, count in lost.items() if count}

    @property
    def partial_packets_dropped(self) -> int:
        return len(self.partial_packets)

    @property
    def latest_clcws(self) -> dict[int, ReceivedClcw]:
        """The newest CLCW of each telecommand virtual channel."""
        return {received.clcw.virtual_channel_id: received for received in self.clcws}

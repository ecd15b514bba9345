"""What telemetry can be asked: newest values, history, packets, gaps, alarms, counts."""

from telemetry.selectors.archives import (
    TelemetryRefusedError,
    archive_folder,
    archive_reader,
    parameters_of,
)
from telemetry.selectors.frames import examine_bad_frame
from telemetry.selectors.gaps import (
    ApidCounts,
    Gap,
    PacketAccount,
    packet_account,
    packet_gaps,
)
from telemetry.selectors.history import (
    BEGINNING,
    MAX_BUCKETS,
    MAX_SAMPLES,
    BucketColumns,
    History,
    SampleColumns,
    buckets,
    history,
    samples,
)
from telemetry.selectors.limit_stretches import LimitStretch, limits_in_force
from telemetry.selectors.news import newest_news, samples_since
from telemetry.selectors.packet_log import (
    ExaminedField,
    ExaminedPacket,
    ListedPacket,
    StoredPacket,
    examine_packet,
    newest_packets,
    stored_packet,
)
from telemetry.selectors.packets import (
    LoggedPacket,
    PacketPage,
    ReportPage,
    VerificationReport,
    packets_since,
    verification_reports_since,
)
from telemetry.selectors.replay import Replay
from telemetry.selectors.rows import (
    ChannelCounts,
    FrameCounts,
    active_alarms,
    bad_frames,
    channel_counts,
    frame_counts,
    input_counts,
)
from telemetry.selectors.values import (
    CurrentValue,
    SubsystemHealth,
    latest_values,
    subsystem_health,
)

__all__ = [
    "BEGINNING",
    "MAX_BUCKETS",
    "MAX_SAMPLES",
    "ApidCounts",
    "BucketColumns",
    "ChannelCounts",
    "CurrentValue",
    "ExaminedField",
    "ExaminedPacket",
    "FrameCounts",
    "Gap",
    "History",
    "LimitStretch",
    "ListedPacket",
    "LoggedPacket",
    "PacketAccount",
    "PacketPage",
    "Replay",
    "ReportPage",
    "SampleColumns",
    "StoredPacket",
    "SubsystemHealth",
    "TelemetryRefusedError",
    "VerificationReport",
    "active_alarms",
    "archive_folder",
    "archive_reader",
    "bad_frames",
    "buckets",
    "channel_counts",
    "examine_bad_frame",
    "examine_packet",
    "frame_counts",
    "history",
    "input_counts",
    "latest_values",
    "limits_in_force",
    "newest_news",
    "newest_packets",
    "packet_account",
    "packet_gaps",
    "packets_since",
    "parameters_of",
    "samples",
    "samples_since",
    "stored_packet",
    "subsystem_health",
    "verification_reports_since",
]

"""What telemetry does: receive, ingest files, follow limits, acknowledge alarms."""

from __future__ import annotations

from telemetry.services.alarms import AlarmRefusedError, acknowledge_alarm, follow_limits
from telemetry.services.exports import export_samples
from telemetry.services.files import ingest_packet_file
from telemetry.services.inputs import InputTally
from telemetry.services.reception import Origin, TelemetryReception
from telemetry.services.sessions import close_session, open_session
from telemetry.services.upkeep import compact_archive, keep_within_policy, rebuild_archive

__all__ = [
    "AlarmRefusedError",
    "InputTally",
    "Origin",
    "TelemetryReception",
    "acknowledge_alarm",
    "close_session",
    "compact_archive",
    "export_samples",
    "follow_limits",
    "ingest_packet_file",
    "keep_within_policy",
    "open_session",
    "rebuild_archive",
]

"""What arrives from one spacecraft: decoded, archived, counted, told on.

The order matters. Link control words go out first, because commanding waits
for them. Then the packets are on the disk. Then rows and live values follow,
which can be made again from the packets.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from missioncontrol.fleet.models import Spacecraft
from telemetry import streams
from telemetry.archive import RawPacket, open_writer
from telemetry.definition import (
    column_groups,
    compiled,
    pipeline_of,
    plain,
    segmenter_of,
)
from telemetry.dictionary import engineering
from telemetry.limits import LimitState, display_status
from telemetry.models import BadFrame, LinkSession
from telemetry.pipeline import (
    UNIX_EPOCH,
    PipelineResult,
    ReceivedFrame,
    ReceivedPacket,
    TelemetryBatch,
)
from telemetry.selectors import archive_folder
from telemetry.services.alarms import follow_limits

# A person reads no faster, and a page with fifty values need not be redrawn more often.
_LIVE_EVERY_S: Final = 0.2
_COUNTS_EVERY_S: Final = 0.5
_KEPT_REASON: Final = 300


class TelemetryReception:
    """Receives one spacecraft's telemetry. One at a time for each spacecraft.

    Use it as a context manager; not for several threads.
    """

    def __init__(self, spacecraft: Spacecraft) -> None:
        """Open the archive for writing.

        Raises:
            ArchiveLockedError: another process receives this spacecraft now.
        """
        self._spacecraft = spacecraft
        self._what = compiled(spacecraft.telemetry_dictionary)
        self._pipeline = pipeline_of(spacecraft)
        folder = archive_folder(spacecraft)
        folder.mkdir(parents=True, exist_ok=True)
        self._writer = open_writer(folder)
        if self._writer.packets_without_columns:
            self._writer.recover(segmenter_of(spacecraft))
        self._live: dict[str, dict[str, Any]] = {}
        self._live_told_s = 0.0
        self._counts: dict[str, Any] = {}
        self._counts_stored_s = 0.0

    def __enter__(self) -> TelemetryReception:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._writer.close()

    def begin_contact(self, station: str) -> None:
        """Expect new frame counts from *station*: what was sent out of sight is not lost."""
        self._pipeline.begin_contact(station)

    def receive_frames(
        self, frames: Sequence[ReceivedFrame], *, session: LinkSession | None = None
    ) -> PipelineResult:
        """Take transfer frames in order of arrival, and keep all that they held."""
        result = self._pipeline.receive_frames(frames)
        octets = sum(len(frame.octets) for frame in frames)
        self._keep(result, session=session, octets=octets)
        return result

    def receive_packets(
        self, packets: Sequence[ReceivedPacket], *, session: LinkSession | None = None
    ) -> PipelineResult:
        """Take bare space packets in order of arrival, and keep them."""
        result = self._pipeline.receive_packets(packets)
        octets = sum(len(packet.octets) for packet in packets)
        self._keep(result, session=session, octets=octets)
        return result

    def settle(self, session: LinkSession | None = None) -> None:
        """Store and tell what was held back to save work; call it when the line is quiet."""
        self._tell_live()
        self._store_counts(session)

    def _keep(self, result: PipelineResult, *, session: LinkSession | None, octets: int) -> None:
        streams.publish_clcws(
            self._spacecraft.pk,
            [
                streams.StreamedClcw(word=clcw.word, received_at=clcw.received_at)
                for clcw in result.clcws
            ],
        )
        if result.packets:
            self._writer.append(
                _raw_packets(self._spacecraft.name, result),
                column_groups(self._spacecraft.name, result.batches),
            )
        if result.bad_frames or result.undecoded:
            self._keep_bad(result, session)
        if result.transitions:
            follow_limits(spacecraft=self._spacecraft, transitions=result.transitions)
        self._note_live(result)
        self._count(result, octets)
        at_s = time.monotonic()
        if at_s - self._live_told_s >= _LIVE_EVERY_S:
            self._tell_live()
        if at_s - self._counts_stored_s >= _COUNTS_EVERY_S:
            self._store_counts(session)

    @transaction.atomic
    def _keep_bad(self, result: PipelineResult, session: LinkSession | None) -> None:
        contact_id = session.contact_id if session is not None else None
        rows = [
            BadFrame(
                spacecraft=self._spacecraft,
                contact_id=contact_id,
                station=bad.station,
                received_at=bad.received_at,
                reason=bad.reason[:_KEPT_REASON],
                octets=bad.octets,
            )
            for bad in result.bad_frames
        ]
        for undecoded in result.undecoded:
            packet = result.packets[undecoded.index]
            rows.append(
                BadFrame(
                    spacecraft=self._spacecraft,
                    contact_id=contact_id,
                    station=packet.station,
                    received_at=packet.received_at,
                    reason=f"packet not decoded: {undecoded.reason}"[:_KEPT_REASON],
                    octets=packet.octets,
                )
            )
        BadFrame.objects.bulk_create(rows)

    def _note_live(self, result: PipelineResult) -> None:
        for batch in result.batches:
            last = int(batch.generation_times_us.argmax())
            instant = streams.iso(UNIX_EPOCH + _microseconds(batch, last))
            for name, column in batch.columns.items():
                known = self._live.get(name)
                if known is not None and known["t"] > instant:
                    continue
                parameter = self._what.dictionary.parameters[name]
                value = engineering(parameter, column[last : last + 1])[0]
                states = batch.states.get(name)
                state = LimitState(int(states[last])) if states is not None else LimitState.NOMINAL
                self._live[name] = {
                    "v": plain(value),
                    "s": display_status(state).value,
                    "t": instant,
                }

    def _tell_live(self) -> None:
        self._live_told_s = time.monotonic()
        streams.publish_values(self._spacecraft.name, self._live)
        self._live = {}

    def _count(self, result: PipelineResult, octets: int) -> None:
        new = {
            "frames_good": result.frames_good,
            "frames_bad": len(result.bad_frames),
            "frames_lost": sum(result.frames_lost.values()),
            "packets": len(result.packets),
            "packets_lost": sum(result.packets_lost.values()),
            "octets": octets,
        }
        for name, number in new.items():
            self._counts[name] = self._counts.get(name, 0) + number
        if result.clcws:
            self._counts["last_frame_at"] = result.clcws[-1].received_at

    def _store_counts(self, session: LinkSession | None) -> None:
        self._counts_stored_s = time.monotonic()
        counts, self._counts = self._counts, {}
        if session is None or not counts:
            return
        changes = {
            name: value if name == "last_frame_at" else F(name) + value
            for name, value in counts.items()
        }
        LinkSession.objects.filter(pk=session.pk).update(**changes)


def _microseconds(batch: TelemetryBatch, row: int) -> timedelta:
    return timedelta(microseconds=int(batch.generation_times_us[row]))


def _raw_packets(spacecraft: str, result: PipelineResult) -> list[RawPacket]:
    return [
        RawPacket(
            spacecraft=spacecraft,
            apid=packet.apid,
            sequence_count=packet.sequence_count,
            generated_at=packet.generated_at,
            received_at=packet.received_at,
            station=packet.station,
            octets=packet.octets,
            has_own_time=packet.has_own_time,
        )
        for packet in result.packets
    ]

"""What arrives from one spacecraft: decoded, archived, counted, told on.

The order matters. Link control words go out first, because commanding waits
for them. Then the packets are on the disk. Then rows and live values follow,
which can be made again from the packets.
"""

from __future__ import annotations

from collections.abc import Sequence

from missioncontrol.fleet.models import Spacecraft
from telemetry import streams
from telemetry.archive import RawPacket, open_reader, open_writer
from telemetry.definition import column_groups, compiled, pipeline_of, segmenter_of
from telemetry.models import LinkSession
from telemetry.pipeline import PipelineResult, ReceivedFrame, ReceivedPacket
from telemetry.selectors import archive_folder
from telemetry.services.alarms import states_in_force
from telemetry.services.live_values import LiveValues
from telemetry.services.pending_rows import PendingRows


class TelemetryReception:
    """Receives one spacecraft's telemetry. One at a time for each spacecraft.

    It goes on from what the one before it left: open alarms stay in force until
    their parameters are well, and values older than the archive's are of the past.
    Use it as a context manager; not for several threads.
    """

    def __init__(self, spacecraft: Spacecraft) -> None:
        """Open the archive for writing.

        Raises:
            ArchiveLockedError: another process receives this spacecraft now.
        """
        self._spacecraft = spacecraft
        what = compiled(spacecraft.telemetry_dictionary)
        folder = archive_folder(spacecraft)
        folder.mkdir(parents=True, exist_ok=True)
        self._writer = open_writer(folder)
        try:
            if self._writer.packets_without_columns:
                self._writer.recover(segmenter_of(spacecraft))
            with open_reader(folder) as reader:
                newest = reader.latest(spacecraft=spacecraft.name)
            by_container: dict[str, int] = {}
            for value in newest.values():
                known_us = by_container.get(value.container, value.time_us)
                by_container[value.container] = max(known_us, value.time_us)
            self._pipeline = pipeline_of(
                spacecraft,
                states_in_force=states_in_force(spacecraft),
                archived_until_us=by_container,
            )
        except BaseException:
            self._writer.close()
            raise
        self._live = LiveValues(
            spacecraft.name,
            what.dictionary.parameters,
            newest_us={name: value.time_us for name, value in newest.items()},
        )
        self._rows = PendingRows(spacecraft)

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
        return self._keep(self._pipeline.receive_frames(frames), frames, session)

    def receive_packets(
        self, packets: Sequence[ReceivedPacket], *, session: LinkSession | None = None
    ) -> PipelineResult:
        """Take bare space packets in order of arrival, and keep them."""
        return self._keep(self._pipeline.receive_packets(packets), packets, session)

    def settle(self, session: LinkSession | None = None) -> None:
        """Store and tell what was held back to save work; call it when the line is quiet."""
        self._live.tell()
        self._rows.store(session)

    def _keep(
        self,
        result: PipelineResult,
        received: Sequence[ReceivedFrame] | Sequence[ReceivedPacket],
        session: LinkSession | None,
    ) -> PipelineResult:
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
        self._live.note(result)
        self._live.tell_if_due()
        self._rows.add(
            result,
            session=session,
            octets=sum(len(one.octets) for one in received),
            received_at=received[-1].received_at if received else None,
        )
        self._rows.store_if_due(session)
        return result


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

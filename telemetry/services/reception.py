"""What arrives from one spacecraft: decoded, archived, counted, told on.

The order matters. Link control words go out first, because commanding waits
for them. Then the packets are on the disk. Then values, rows and columns follow,
which can be made again from the packets.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from missioncontrol.fleet.models import Spacecraft
from telemetry import streams
from telemetry.archive import ArchiveUnavailableError, open_reader, open_writer
from telemetry.ccsds.frame_fault import FrameFault
from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.ccsds.space_packet import IDLE_APID
from telemetry.definition import (
    column_groups,
    compiled,
    packet_rows,
    pipeline_of,
    segmenter_of,
)
from telemetry.models import LinkSession
from telemetry.pipeline import (
    BadFrame,
    PipelineResult,
    ReceivedFrame,
    ReceivedPacket,
    instant,
)
from telemetry.selectors import archive_folder
from telemetry.selectors.archives import column_server
from telemetry.services.alarms import states_in_force
from telemetry.services.live_values import LiveValues
from telemetry.services.pending_rows import PendingRows

# Columns are stored together; storing takes a tenth of the time.
_SHARE_OF_STORING: Final = 10
_STORED_ROWS: Final = 32_768
_TRY_AGAIN_S: Final = 10.0  # to store what a server that is away did not take

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where packets were taken from, so that after a crash none is taken twice."""

    source: str = ""
    end: int = 0


_NOWHERE: Final = Origin()


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
        self._stored_s = self._storing_took_s = self._try_again_s = 0.0
        what = compiled(spacecraft.telemetry_dictionary)
        folder = archive_folder(spacecraft)
        folder.mkdir(parents=True, exist_ok=True)
        self._writer = open_writer(folder, clickhouse=column_server())
        try:
            self._store_columns()  # those that a crash prevented
            with open_reader(folder, clickhouse=column_server()) as reader:
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

    def source_position(self, source: str) -> int:
        """Return up to where a source was received before; 0 where nothing was."""
        return self._writer.source_position(source)

    def begin_contact(self, station: str) -> None:
        """Expect new frame counts from *station*: what was sent out of sight is not lost."""
        self._pipeline.begin_contact(station)

    def receive_frames(
        self,
        frames: Sequence[ReceivedFrame],
        *,
        session: LinkSession | None = None,
        origin: Origin = _NOWHERE,
    ) -> PipelineResult:
        """Take transfer frames in order of arrival, and keep all that they held."""
        result = self._pipeline.receive_frames(frames)
        return self._keep(
            result,
            octets=sum(len(one.octets) for one in frames),
            received_at=frames[-1].received_at if frames else None,
            session=session,
            origin=origin,
        )

    def receive_packets(
        self, packets: Sequence[ReceivedPacket], *, session: LinkSession | None = None
    ) -> PipelineResult:
        """Take bare space packets in order of arrival, and keep them."""
        result = self._pipeline.receive_packets(packets)
        return self._keep(
            result,
            octets=sum(len(one.octets) for one in packets),
            received_at=packets[-1].received_at if packets else None,
            session=session,
        )

    def receive_batch(
        self,
        batch: PacketBatch,
        received_us: npt.NDArray[np.int64],
        *,
        station: str,
        origin: Origin = _NOWHERE,
    ) -> PipelineResult:
        """Take bare space packets in bulk, all from one station, and keep them."""
        busy = np.flatnonzero(batch.apids != IDLE_APID)
        if len(busy) < len(batch):
            batch, received_us = batch.chosen(busy), received_us[busy]
        result = self._pipeline.receive_packet_columns(
            batch, received_us=received_us, station=station
        )
        return self._keep(
            result,
            octets=int(batch.lengths.sum()),
            received_at=instant(int(received_us[-1])) if len(received_us) else None,
            session=None,
            origin=origin,
        )

    def keep_rejected(
        self, octets: bytes, *, reason: str, station: str, received_at: datetime
    ) -> None:
        """Keep octets that were found to be no packet and no frame before they came here."""
        bad = BadFrame(
            octets=octets,
            fault=FrameFault.PACKET,
            reason=reason,
            received_at=received_at,
            station=station,
        )
        result = PipelineResult(bad_frames=[bad])
        self._rows.add(result, session=None, octets=len(octets), received_at=received_at)

    def pass_over_frames(self, frames: Sequence[ReceivedFrame]) -> None:
        """Take frames that were received before, to be in the middle of what they began."""
        self._pipeline.receive_frames(frames)

    def settle(self, session: LinkSession | None = None) -> None:
        """Store and tell what was held back to save work; call it when the line is quiet."""
        self._store_columns()
        self._live.tell()
        self._rows.store(session)

    def settle_if_due(self, session: LinkSession | None = None) -> None:
        """Store and tell of it what has waited long enough."""
        since_s = time.monotonic() - self._stored_s
        enough_s = max(self._writer.stored_within_s, _SHARE_OF_STORING * self._storing_took_s)
        if self._writer.waiting_rows >= _STORED_ROWS or since_s >= enough_s:
            self._store_columns()
        self._live.tell_if_due()
        self._rows.store_if_due(session)

    def _keep(
        self,
        result: PipelineResult,
        *,
        octets: int,
        received_at: datetime | None,
        session: LinkSession | None,
        origin: Origin = _NOWHERE,
    ) -> PipelineResult:
        streams.publish_clcws(
            self._spacecraft.pk,
            [
                streams.StreamedClcw(word=clcw.word, received_at=clcw.received_at)
                for clcw in result.clcws
            ],
        )
        if len(result.packets):
            rows = packet_rows(
                self._spacecraft.name,
                result.packets,
                source=origin.source,
                source_end=origin.end,
            )
            position = self._writer.log(rows)
            self._writer.add(column_groups(self._spacecraft.name, result.batches))
            self._live.note(result, position=position)
        self._rows.add(result, session=session, octets=octets, received_at=received_at)
        self.settle_if_due(session)
        return result

    def _store_columns(self) -> None:
        """Store the columns that wait, or those that are missing since an outage.

        Reception goes on without them: the packets are in the log.
        """
        began_s = time.monotonic()
        missing = False
        try:
            if self._writer.has_waiting:
                self._writer.flush()
            elif self._writer.packets_without_columns and began_s >= self._try_again_s:
                packets = self._writer.recover(segmenter_of(self._spacecraft))
                logger.info("%s: columns of %d packets made good", self._spacecraft, packets)
            else:
                return
        except ArchiveUnavailableError as error:
            missing = True
            logger.warning(
                "%s: packets are logged, their columns are not stored yet: %s",
                self._spacecraft,
                error,
            )
        self._stored_s = time.monotonic()
        self._storing_took_s = self._stored_s - began_s
        if missing:
            pause_s = max(_TRY_AGAIN_S, _SHARE_OF_STORING * self._storing_took_s)
            self._try_again_s = self._stored_s + pause_s

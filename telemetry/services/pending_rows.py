from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import datetime
from typing import Final

from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.db.models import F

from missioncontrol.fleet.models import Spacecraft
from telemetry.ccsds.frame_fault import FrameFault
from telemetry.models import BadFrame, ChannelFrames, LinkSession, hour_of
from telemetry.pipeline import FrameCount, LimitTransition, PipelineResult
from telemetry.services.alarms import follow_limits

_COUNTS_EVERY_S: Final = 0.5
_KEPT_REASON: Final = 300  # characters

logger = logging.getLogger(__name__)


class PendingRows:
    """Rows that a batch of telemetry makes: bad frames, alarms, counts.

    The packets are in the archive by then, and the link does not wait. What the
    database does not take now is kept and offered again with the next batch.
    """

    def __init__(self, spacecraft: Spacecraft) -> None:
        self._spacecraft = spacecraft
        self._bad: list[BadFrame] = []
        self._transitions: list[LimitTransition] = []
        self._counts: Counter[str] = Counter()
        self._last_frame_at: datetime | None = None
        # By station, virtual channel and the hour of reception.
        self._channels: dict[tuple[str, int, datetime], FrameCount] = {}
        self._counts_stored_s = 0.0

    def add(
        self,
        result: PipelineResult,
        *,
        session: LinkSession | None,
        octets: int,
        received_at: datetime | None,
    ) -> None:
        """Note what a batch came to.

        Args:
            result: Of the pipeline.
            session: Over which it came; None: it was read from a file.
            octets: How many came.
            received_at: When its last frame came.
        """
        self._bad += _bad_rows(self._spacecraft, result, session)
        self._transitions += result.transitions
        self._note_channels(result, received_at)
        if session is None:
            return
        self._counts.update(
            frames_good=result.frames_good,
            frames_bad=len(result.bad_frames),
            frames_lost=sum(result.frames_lost.values()),
            packets=len(result.packets),
            packets_lost=sum(result.packets_lost.values()),
            octets=octets,
        )
        if result.frames_good:
            self._last_frame_at = received_at

    def _note_channels(self, result: PipelineResult, received_at: datetime | None) -> None:
        if received_at is None:
            return
        hour = hour_of(received_at)
        for (station, channel), count in result.channel_frames.items():
            known = self._channels.setdefault((station, channel, hour), FrameCount())
            known.good += count.good
            known.lost += count.lost

    def store_if_due(self, session: LinkSession | None) -> None:
        """Store what must not wait, and the counts now and then."""
        counts_are_due = time.monotonic() - self._counts_stored_s >= _COUNTS_EVERY_S
        if self._bad or self._transitions or counts_are_due:
            self.store(session)

    def store(self, session: LinkSession | None) -> None:
        """Store everything, or keep everything for the next time."""
        self._counts_stored_s = time.monotonic()
        if not (self._bad or self._transitions or self._counts or self._channels):
            return
        try:
            with transaction.atomic():
                BadFrame.objects.bulk_create(self._bad)
                follow_limits(spacecraft=self._spacecraft, transitions=self._transitions)
                self._store_counts(session)
                self._store_channels()
        except (OperationalError, InterfaceError) as error:
            logger.warning("rows of %s wait for the database: %s", self._spacecraft, error)
            for row in self._bad:
                row.pk = None  # it was given one before the transaction was undone
            close_old_connections()  # one that broke is not used again
            return
        self._bad, self._transitions = [], []
        self._counts, self._last_frame_at = Counter(), None
        self._channels = {}

    def _store_counts(self, session: LinkSession | None) -> None:
        if session is None or not self._counts:
            return
        changes: dict[str, object] = {
            name: F(name) + number for name, number in self._counts.items() if number
        }
        if self._last_frame_at is not None:
            changes["last_frame_at"] = self._last_frame_at
        if changes:
            LinkSession.objects.filter(pk=session.pk).update(**changes)

    def _store_channels(self) -> None:
        for (station, channel, hour), count in self._channels.items():
            row, _ = ChannelFrames.objects.get_or_create(
                spacecraft=self._spacecraft, station=station, virtual_channel=channel, hour=hour
            )
            ChannelFrames.objects.filter(pk=row.pk).update(
                frames_good=F("frames_good") + count.good,
                frames_lost=F("frames_lost") + count.lost,
            )


def _bad_rows(
    spacecraft: Spacecraft, result: PipelineResult, session: LinkSession | None
) -> list[BadFrame]:
    contact_id = session.contact_id if session is not None else None
    rows = [
        BadFrame(
            spacecraft=spacecraft,
            contact_id=contact_id,
            station=bad.station,
            received_at=bad.received_at,
            fault=bad.fault,
            reason=bad.reason[:_KEPT_REASON],
            octets=bad.octets,
        )
        for bad in (*result.bad_frames, *result.partial_packets)
    ]
    for undecoded in result.undecoded:
        packet = result.packets[undecoded.index]
        rows.append(
            BadFrame(
                spacecraft=spacecraft,
                contact_id=contact_id,
                station=packet.station,
                received_at=packet.received_at,
                fault=FrameFault.UNDECODED.value,
                reason=f"packet not decoded: {undecoded.reason}"[:_KEPT_REASON],
                octets=packet.octets,
            )
        )
    return rows

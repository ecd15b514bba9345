"""Telemetry frames or packets in, everything they meant out. Pure.

Frames become packets, packets become columns of raw values, values become
limit states. What the sky sends wrong becomes a kept event; nothing raises and
nothing is dropped in silence. The state between batches is inside the
pipeline: unfinished packets, counts expected next, and limit memories.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.aos_frame import AosFrameFormat
from telemetry.ccsds.clcw import ClcwError, decode_clcw
from telemetry.ccsds.count_ledger import CountLedger
from telemetry.ccsds.frame_fault import FrameError
from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.ccsds.packet_extractor import (
    FrameRejected,
    FramesLost,
    PacketExtracted,
    PacketExtractor,
)
from telemetry.ccsds.space_packet import (
    IDLE_APID,
    SEQUENCE_COUNT_MODULUS,
    PacketError,
    packet_length_octets,
)
from telemetry.ccsds.tm_frame import TmFrameFormat
from telemetry.dictionary import DecodedBatch, Decoder, Memory, Parameter, Undecoded
from telemetry.limits import LimitDefinition, LimitState
from telemetry.pipeline.events import (
    BadFrame,
    GoodPackets,
    PacketTime,
    PipelineResult,
    ReceivedClcw,
    ReceivedFrame,
    ReceivedPacket,
    TelemetryBatch,
    unix_us,
)
from telemetry.pipeline.frames import Frame, decoded_frame
from telemetry.pipeline.limit_watch import LimitWatch
from telemetry.pipeline.packet_times import own_times

# A packet cannot be made after it was received. A clock further ahead than this
# is wrong, and would put its values before all that follow for ever.
MAX_CLOCK_LEAD: Final = timedelta(hours=1)
_MAX_CLOCK_LEAD_US: Final = MAX_CLOCK_LEAD // timedelta(microseconds=1)
# Frames number their channels from 0; bare packets have a channel of their own.
_NO_CHANNEL: Final = -1


class TelemetryPipeline:
    """Turns one spacecraft's telemetry into packets, values and limit states.

    Call :meth:`receive_frames` or :meth:`receive_packets` with what arrived,
    in order of arrival; any cutting into batches gives the same outcome.
    Stations are kept apart, so that two may hear the same pass.

    Args:
        spacecraft_id: Ten bits; frames of another spacecraft are bad frames.
        decoder: Of the telemetry dictionary.
        parameters: The dictionary's parameters by name.
        limit_definitions: Limits to check.
        frame_format: Of the TM or AOS frames; may be left out for links of bare packets.
        packet_time: Where packets carry their time; ``None``: nowhere.
        file_apids: APIDs whose packets are passed through and not decoded.
        states_in_force: Limit states that parameters were left in by what was
            received before this pipeline was made; the others are nominal.
        archived_until_us: By container, the newest generation time received
            before: what is older tells of the past.
    """

    def __init__(
        self,
        *,
        spacecraft_id: int,
        decoder: Decoder,
        parameters: Mapping[str, Parameter],
        limit_definitions: Iterable[LimitDefinition] = (),
        frame_format: TmFrameFormat | AosFrameFormat | None = None,
        packet_time: PacketTime | None = None,
        file_apids: Collection[int] = (),
        states_in_force: Mapping[str, LimitState] | None = None,
        archived_until_us: Mapping[str, int] | None = None,
    ) -> None:
        self._spacecraft_id = spacecraft_id
        self._decoder = decoder
        self._frame_format = frame_format
        self._packet_time = packet_time
        self._file_apids = np.array(sorted(file_apids), dtype=np.uint16)
        self._memory = Memory()
        self._extractors: dict[tuple[str, int], PacketExtractor] = {}
        self._ledgers: dict[tuple[str, int, int], CountLedger] = {}  # station, channel, APID
        self._watch = LimitWatch(
            parameters,
            limit_definitions,
            states_in_force=states_in_force,
            archived_until_us=archived_until_us,
        )

    def receive_frames(self, frames: Sequence[ReceivedFrame]) -> PipelineResult:
        """Take transfer frames in order of arrival.

        Raises:
            ValueError: The pipeline was built without a frame format.
        """
        if self._frame_format is None:
            raise ValueError("this link carries packets; give a frame_format to receive frames")
        result = PipelineResult()
        arrived = _Arrived()
        for received in frames:
            try:
                frame = decoded_frame(received.octets, self._frame_format)
            except FrameError as error:
                _refuse(received, error.reason, result)
                continue
            self._receive_frame(received, frame, arrived, result)
        self._decode(arrived.batch(), arrived, result)
        return result

    def receive_packets(self, packets: Sequence[ReceivedPacket]) -> PipelineResult:
        """Take bare packets, of a file or of a link without frames, in order."""
        result = PipelineResult()
        arrived = _Arrived()
        for packet in packets:
            try:
                length = packet_length_octets(packet.octets)
            except PacketError as error:
                _refuse(packet, str(error), result)
                continue
            if length != len(packet.octets):
                reason = f"packet of {len(packet.octets)} octets whose header announces {length}"
                _refuse(packet, reason, result)
                continue
            arrived.add(packet.octets, packet, _NO_CHANNEL)
        self._decode(arrived.batch(), arrived, result)
        return result

    def receive_batch(
        self, batch: PacketBatch, received_us: npt.NDArray[np.int64], *, station: str
    ) -> PipelineResult:
        """Take bare packets whose headers announce their true lengths, in order.

        Args:
            batch: The packets.
            received_us: When each came, microseconds since 1970.
            station: Where all of them were received.
        """
        result = PipelineResult()
        self._decode(batch, _Arrived.all_from(station, received_us), result)
        return result

    def begin_contact(self, station: str) -> None:
        """Forget what *station* was in the middle of: a new contact begins.

        What the spacecraft sent out of sight was not lost on this link.
        """
        self._extractors = {k: v for k, v in self._extractors.items() if k[0] != station}
        for (own, _, _), ledger in self._ledgers.items():
            if own == station:
                ledger.forget()

    def _receive_frame(
        self, received: ReceivedFrame, frame: Frame, arrived: _Arrived, result: PipelineResult
    ) -> None:
        if reason := self._fault_in(frame):
            _refuse(received, reason, result)
            return
        if frame.ocf is not None:
            _receive_ocf(frame.ocf, received, result)
        if frame.holds_only_idle_data:
            result.frames_good += 1
            return
        channel = frame.channel
        extractor = self._extractors.setdefault(
            (received.station, channel), PacketExtractor(count_modulus=frame.count_modulus)
        )
        refusals = len(result.bad_frames)
        for event in extractor.receive_frame(
            frame_count=frame.count,
            first_header_pointer=frame.first_header_pointer,
            data=frame.data,
        ):
            if isinstance(event, PacketExtracted):
                arrived.add(event.octets, received, channel)
            elif isinstance(event, FramesLost):
                lost = result.frames_lost.get(channel, 0)
                result.frames_lost[channel] = lost + event.count
            elif isinstance(event, FrameRejected):
                _refuse(received, event.reason, result)
            else:
                result.partial_packets_dropped += 1
        # Every frame counts once: refused in part is refused.
        result.frames_good += len(result.bad_frames) == refusals

    def _fault_in(self, frame: Frame) -> str:
        if frame.spacecraft_id != self._spacecraft_id:
            return f"spacecraft identifier {frame.spacecraft_id}, expected {self._spacecraft_id}"
        if frame.synchronisation_flag:
            return "the synchronisation flag says that it holds no packets"
        return ""

    def _decode(self, batch: PacketBatch, arrived: _Arrived, result: PipelineResult) -> None:
        if not len(batch):
            return
        packets = self._good_packets(batch, arrived)
        idle = packets.apids == IDLE_APID
        channels = arrived.channels
        if idle.any():
            rows = np.flatnonzero(~idle)
            packets, channels = packets.chosen(rows), channels[rows]
        result.packets = packets
        self._note_losses(packets, channels, result)
        chosen = np.flatnonzero(~np.isin(packets.apids, self._file_apids))
        decoded = self._decoder.decode(packets.batch.chosen(chosen), self._memory)
        result.undecoded = [Undecoded(int(chosen[u.index]), u.reason) for u in decoded.undecoded]
        for own in decoded.batches:
            result.batches.append(self._finish(own, chosen[own.indices], result))

    def _good_packets(self, batch: PacketBatch, arrived: _Arrived) -> GoodPackets:
        received_us = arrived.received_us
        generated_us, own = received_us, np.zeros(len(batch), dtype=np.bool_)
        if self._packet_time is not None:
            times_us, own = own_times(batch, self._packet_time)
            own &= times_us - received_us <= _MAX_CLOCK_LEAD_US
            generated_us = np.where(own, times_us, received_us)
        return GoodPackets(
            batch=batch,
            apids=batch.apids,
            sequence_counts=batch.sequence_counts,
            generated_us=generated_us,
            received_us=received_us,
            own_time=own,
            stations=arrived.stations,
            station_of=arrived.station_of,
        )

    def _note_losses(
        self, packets: GoodPackets, channels: npt.NDArray[np.int64], result: PipelineResult
    ) -> None:
        senders = (
            packets.station_of.astype(np.int64) << 32 | (channels + 1) << 16
        ) | packets.apids
        for sender in np.unique(senders).tolist():
            rows = senders == sender
            apid, channel = sender & 0xFFFF, (sender >> 16 & 0xFFFF) - 1
            key = (packets.stations[sender >> 32], channel, apid)
            ledger = self._ledgers.setdefault(key, CountLedger(SEQUENCE_COUNT_MODULUS))
            times_us = packets.generated_us[rows] if packets.own_time[rows].all() else None
            lost = ledger.note(packets.sequence_counts[rows], times_us).lost
            if lost:
                result.packets_lost[apid] = result.packets_lost.get(apid, 0) + lost

    def _finish(
        self, batch: DecodedBatch, indices: npt.NDArray[np.intp], result: PipelineResult
    ) -> TelemetryBatch:
        packets = result.packets.chosen(indices)
        states, transitions = self._watch.check(batch, packets)
        result.transitions += transitions
        return TelemetryBatch(
            container=batch.container,
            packet_indices=indices,
            generation_times_us=packets.generated_us,
            sequence_counts=packets.sequence_counts,
            columns=batch.columns,
            states=states,
        )


class _Arrived:
    """Packets of one call and how they came."""

    def __init__(self) -> None:
        self._octets: list[bytes] = []
        self._received_us: list[int] = []
        self._channels: list[int] = []
        self._station_of: list[int] = []
        self._stations: dict[str, int] = {}
        self._last: tuple[datetime, int] | None = None

    @classmethod
    def all_from(cls, station: str, received_us: npt.NDArray[np.int64]) -> _Arrived:
        """Return how bare packets came from one station."""
        arrived = cls()
        arrived._stations = {station: 0}
        arrived.received_us = received_us
        arrived.channels = np.full(len(received_us), _NO_CHANNEL, dtype=np.int64)
        arrived.station_of = np.zeros(len(received_us), dtype=np.uint16)
        return arrived

    def add(self, octets: bytes, received: ReceivedFrame | ReceivedPacket, channel: int) -> None:
        if self._last is None or self._last[0] is not received.received_at:
            self._last = (received.received_at, unix_us(received.received_at))
        self._octets.append(octets)
        self._received_us.append(self._last[1])
        self._channels.append(channel)
        self._station_of.append(self._stations.setdefault(received.station, len(self._stations)))

    def batch(self) -> PacketBatch:
        """Return the packets; from then on the columns are known."""
        self.received_us = np.array(self._received_us, dtype=np.int64)
        self.channels = np.array(self._channels, dtype=np.int64)
        self.station_of = np.array(self._station_of, dtype=np.uint16)
        return PacketBatch.of(self._octets)

    @property
    def stations(self) -> tuple[str, ...]:
        return tuple(self._stations)


def _receive_ocf(ocf: bytes, received: ReceivedFrame, result: PipelineResult) -> None:
    try:
        clcw = decode_clcw(ocf)
    except ClcwError:
        # A type 2 report is lawful, and of no use here.
        result.ocfs_unread += 1
        return
    result.clcws.append(
        ReceivedClcw(
            clcw=clcw, word=ocf, received_at=received.received_at, station=received.station
        )
    )


def _refuse(received: ReceivedFrame | ReceivedPacket, reason: str, result: PipelineResult) -> None:
    result.bad_frames.append(
        BadFrame(
            octets=received.octets,
            reason=reason,
            received_at=received.received_at,
            station=received.station,
        )
    )

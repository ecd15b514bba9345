"""Telemetry frames or packets in, everything they meant out. Pure.

Frames become packets, packets become columns of raw values, values become
limit states. What the sky sends wrong becomes a kept event; nothing raises and
nothing is dropped in silence. The state between batches is inside the
pipeline: unfinished packets, counts expected next, and limit memories.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.aos_frame import AosService
from telemetry.ccsds.frame_fault import FrameFault
from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.ccsds.space_packet import IDLE_APID, MAX_APID, PacketError, packet_length_octets
from telemetry.dictionary import DecodedBatch, Decoder, Memory, Parameter, Undecoded
from telemetry.limits import LimitDefinition, LimitState
from telemetry.pipeline.channels import FrameFormat, FrameReader, refuse
from telemetry.pipeline.events import (
    PacketTime,
    ReceivedFrame,
    ReceivedPacket,
    TelemetryBatch,
    unix_us,
)
from telemetry.pipeline.limit_watch import LimitWatch, States
from telemetry.pipeline.loss_accounting import LossAccounting
from telemetry.pipeline.packets import NO_CHANNEL, PacketCollector, ReceivedPackets
from telemetry.pipeline.result import PipelineResult

# A packet cannot be made after it was received. A clock further ahead than this
# is wrong, and would put its values before all that follow for ever.
MAX_CLOCK_LEAD: Final = timedelta(hours=1)
_MAX_CLOCK_LEAD_US: Final = MAX_CLOCK_LEAD // timedelta(microseconds=1)
_SECONDARY_HEADER_FLAG: Final = 0x08


class TelemetryPipeline:
    """Turns one spacecraft's telemetry into packets, values and limit states.

    Call :meth:`receive_frames` or :meth:`receive_packets` with what arrived,
    in order of arrival; any cutting into batches gives the same outcome.
    Stations are kept apart, so that two may hear the same pass.

    Args:
        spacecraft_id: Ten bits; frames of another spacecraft are bad frames.
        decoder: Of the telemetry dictionary; compiled to follow what *limit_definitions*
            need.
        parameters: The dictionary's parameters by name.
        limit_definitions: Limits to check.
        frame_format: Of the TM or AOS frames; may be left out for links of bare packets.
        aos_services: Virtual channels of AOS frames that carry something else than packets.
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
        frame_format: FrameFormat | None = None,
        aos_services: Mapping[int, AosService] | None = None,
        packet_time: PacketTime | None = None,
        file_apids: Collection[int] = (),
        states_in_force: Mapping[str, LimitState] | None = None,
        archived_until_us: Mapping[str, int] | None = None,
    ) -> None:
        self._decoder = decoder
        self._reader = (
            None
            if frame_format is None
            else FrameReader(spacecraft_id, frame_format, aos_services or {})
        )
        self._packet_time = packet_time
        self._file_apids = np.array(sorted(file_apids), dtype=np.uint16)
        self._losses = LossAccounting()
        self._memory = Memory()
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
        if self._reader is None:
            raise ValueError("this link carries packets; give a frame_format to receive frames")
        result, packets = PipelineResult(), PacketCollector()
        for received in frames:
            self._reader.read(received, packets, result)
        self._finish(packets, result)
        return result

    def receive_packets(self, packets: Sequence[ReceivedPacket]) -> PipelineResult:
        """Take bare packets, of a file or of a link without frames, in order."""
        result, collected = PipelineResult(), PacketCollector()
        for packet in packets:
            try:
                length = packet_length_octets(packet.octets)
            except PacketError as error:
                refuse(packet, FrameFault.PACKET, str(error), result)
                continue
            if length != len(packet.octets):
                reason = f"packet of {len(packet.octets)} octets whose header announces {length}"
                refuse(packet, FrameFault.PACKET, reason, result)
            elif int.from_bytes(packet.octets[:2], "big") & MAX_APID != IDLE_APID:
                station = collected.station(packet.station)
                collected.add(packet.octets, NO_CHANNEL, unix_us(packet.received_at), station)
        self._finish(collected, result)
        return result

    def receive_packet_columns(
        self, batch: PacketBatch, *, received_us: npt.NDArray[np.int64], station: str
    ) -> PipelineResult:
        """Take bare packets that were found whole (see ``PacketStream``), without idle ones.

        As :meth:`receive_packets`, without an object for each.

        Args:
            batch: The packets in order of arrival.
            received_us: When each came, microseconds since 1970.
            station: Over which station all of them came.
        """
        result = PipelineResult()
        nowhere = np.full(len(batch), NO_CHANNEL, dtype=np.int16)
        times_us, is_own = self._own_times(batch, received_us)
        result.packets = ReceivedPackets(
            batch=batch,
            apids=batch.apids,
            sequence_counts=batch.sequence_counts,
            virtual_channels=nowhere,
            generated_us=np.where(is_own, times_us, received_us),
            has_own_time=is_own,
            received_us=received_us,
            stations=np.zeros(len(batch), dtype=np.intp),
            station_names=(station,),
        )
        self._decode(result)
        return result

    def begin_contact(self, station: str) -> None:
        """Forget what *station* was in the middle of: a new contact begins.

        What the spacecraft sent out of sight was not lost on this link.
        """
        if self._reader is not None:
            self._reader.begin_contact(station)
        self._losses.begin_contact(station)

    def _finish(self, collected: PacketCollector, result: PipelineResult) -> None:
        batch = PacketBatch.of(collected.octets)
        times_us, is_own = self._own_times(batch, np.array(collected.received_us, dtype=np.int64))
        result.packets = collected.packets(times_us, is_own, batch)
        self._decode(result)

    def _decode(self, result: PipelineResult) -> None:
        """Let the packets of a result become columns and limit states."""
        packets, batch = result.packets, result.packets.batch
        result.packet_counts = self._losses.note(packets)
        chosen = np.flatnonzero(~np.isin(packets.apids, self._file_apids))
        before = self._memory.copy()
        decoded = self._decoder.decode(batch.chosen(chosen), self._memory)
        result.undecoded = [Undecoded(int(chosen[u.index]), u.reason) for u in decoded.undecoded]
        batches = [
            DecodedBatch(each.container, chosen[each.indices], each.columns, each.sent)
            for each in decoded.batches
        ]
        states, result.transitions = self._watch.check(batches, packets, before)
        result.batches = [
            _telemetry_batch(each, own, packets) for each, own in zip(batches, states, strict=True)
        ]

    def _own_times(
        self, batch: PacketBatch, received_us: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the packets' own times, and which packets have one that can be right."""
        times_us = np.zeros(len(batch), dtype=np.int64)
        time = self._packet_time
        if time is None or not len(batch):
            return times_us, np.zeros(len(batch), dtype=np.bool_)
        length = time.code.length_octets
        is_own = (batch.octets[batch.starts] & _SECONDARY_HEADER_FLAG) != 0
        is_own &= batch.lengths >= time.offset_octets + length
        rows = np.flatnonzero(is_own)
        places = batch.starts[rows] + time.offset_octets
        fields = batch.octets[places[:, None] + np.arange(length)]
        times_us[rows], valid = time.code.decode_columns(fields)
        is_own[rows] = valid & (times_us[rows] - received_us[rows] <= _MAX_CLOCK_LEAD_US)
        return times_us, is_own


def _telemetry_batch(
    batch: DecodedBatch, states: dict[str, States], packets: ReceivedPackets
) -> TelemetryBatch:
    return TelemetryBatch(
        container=batch.container,
        packet_indices=batch.indices,
        generation_times_us=packets.generated_us[batch.indices],
        sequence_counts=packets.sequence_counts[batch.indices],
        columns=batch.columns,
        states=states,
    )

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

from telemetry.ccsds.clcw import ClcwError, decode_clcw
from telemetry.ccsds.packet_extractor import (
    FrameRejected,
    FramesLost,
    PacketExtracted,
    PacketExtractor,
)
from telemetry.ccsds.space_packet import (
    IDLE_APID,
    MAX_APID,
    SEQUENCE_COUNT_MODULUS,
    PacketError,
    packet_length_octets,
)
from telemetry.ccsds.time_codes import TimeCodeError
from telemetry.ccsds.frame_fault import FrameError
from telemetry.ccsds.tm_frame import TmFrame, TmFrameFormat, decode_tm_frame
from telemetry.dictionary import DecodedBatch, Decoder, Parameter, Undecoded
from telemetry.limits import LimitDefinition, LimitState
from telemetry.pipeline.events import (
    BadFrame,
    GoodPacket,
    PacketTime,
    PipelineResult,
    ReceivedClcw,
    ReceivedFrame,
    ReceivedPacket,
    TelemetryBatch,
    unix_us,
)
from telemetry.pipeline.limit_watch import LimitWatch

# A packet cannot be made after it was received. A clock further ahead than this
# is wrong, and would put its values before all that follow for ever.
MAX_CLOCK_LEAD: Final = timedelta(hours=1)
_SECONDARY_HEADER_FLAG: Final = 0x08


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
        frame_format: Of the TM frames; may be left out for links of bare packets.
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
        frame_format: TmFrameFormat | None = None,
        packet_time: PacketTime | None = None,
        file_apids: Collection[int] = (),
        states_in_force: Mapping[str, LimitState] | None = None,
        archived_until_us: Mapping[str, int] | None = None,
    ) -> None:
        self._spacecraft_id = spacecraft_id
        self._decoder = decoder
        self._frame_format = frame_format
        self._packet_time = packet_time
        self._file_apids = frozenset(file_apids)
        self._extractors: dict[tuple[str, int], PacketExtractor] = {}
        self._next_counts: dict[tuple[str, int, int], int] = {}
        self._watch = LimitWatch(
            parameters,
            limit_definitions,
            states_in_force=states_in_force,
            archived_until_us=archived_until_us,
        )

    def receive_frames(self, frames: Sequence[ReceivedFrame]) -> PipelineResult:
        """Take TM frames in order of arrival.

        Raises:
            ValueError: The pipeline was built without a frame format.
        """
        if self._frame_format is None:
            raise ValueError("this link carries packets; give a frame_format to receive frames")
        result = PipelineResult()
        for received in frames:
            try:
                frame = decode_tm_frame(received.octets, self._frame_format)
            except FrameError as error:
                _refuse(received, error.reason, result)
                continue
            self._receive_frame(received, frame, result)
        self._decode(result)
        return result

    def receive_packets(self, packets: Sequence[ReceivedPacket]) -> PipelineResult:
        """Take bare packets, of a file or of a link without frames, in order."""
        result = PipelineResult()
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
            # Frames number their channels from 0; bare packets have a channel of their own.
            self._receive_packet(packet.octets, packet, -1, result)
        self._decode(result)
        return result

    def begin_contact(self, station: str) -> None:
        """Forget what *station* was in the middle of: a new contact begins.

        What the spacecraft sent out of sight was not lost on this link.
        """
        self._extractors = {k: v for k, v in self._extractors.items() if k[0] != station}
        self._next_counts = {k: v for k, v in self._next_counts.items() if k[0] != station}

    def _receive_frame(
        self, received: ReceivedFrame, frame: TmFrame, result: PipelineResult
    ) -> None:
        if frame.spacecraft_id != self._spacecraft_id:
            reason = f"spacecraft identifier {frame.spacecraft_id}, expected {self._spacecraft_id}"
            _refuse(received, reason, result)
            return
        if frame.synchronisation_flag:
            _refuse(received, "the synchronisation flag says that it holds no packets", result)
            return
        if frame.ocf is not None:
            _receive_ocf(frame.ocf, received, result)
        channel = frame.virtual_channel_id
        extractor = self._extractors.setdefault((received.station, channel), PacketExtractor())
        refusals = len(result.bad_frames)
        for event in extractor.receive_frame(
            frame_count=frame.virtual_channel_frame_count,
            first_header_pointer=frame.first_header_pointer,
            data=frame.data,
        ):
            if isinstance(event, PacketExtracted):
                self._receive_packet(event.octets, received, channel, result)
            elif isinstance(event, FramesLost):
                lost = result.frames_lost.get(channel, 0)
                result.frames_lost[channel] = lost + event.count
            elif isinstance(event, FrameRejected):
                _refuse(received, event.reason, result)
            else:
                result.partial_packets_dropped += 1
        # Every frame counts once: refused in part is refused.
        result.frames_good += len(result.bad_frames) == refusals

    def _receive_packet(
        self,
        octets: bytes,
        received: ReceivedFrame | ReceivedPacket,
        channel: int,
        result: PipelineResult,
    ) -> None:
        apid = int.from_bytes(octets[:2], "big") & MAX_APID
        if apid == IDLE_APID:
            return
        count = int.from_bytes(octets[2:4], "big") % SEQUENCE_COUNT_MODULUS
        self._note_losses((received.station, channel, apid), count, result)
        own_time = self._own_time(octets, received.received_at)
        result.packets.append(
            GoodPacket(
                octets=octets,
                apid=apid,
                sequence_count=count,
                generated_at=own_time or received.received_at,
                received_at=received.received_at,
                station=received.station,
                has_own_time=own_time is not None,
            )
        )

    def _note_losses(self, key: tuple[str, int, int], count: int, result: PipelineResult) -> None:
        expected = self._next_counts.get(key)
        self._next_counts[key] = (count + 1) % SEQUENCE_COUNT_MODULUS
        lost = 0 if expected is None else (count - expected) % SEQUENCE_COUNT_MODULUS
        # More than half the range is a step back: a repeat or a restart, not a loss.
        if 0 < lost < SEQUENCE_COUNT_MODULUS // 2:
            apid = key[2]
            result.packets_lost[apid] = result.packets_lost.get(apid, 0) + lost

    def _own_time(self, octets: bytes, received_at: datetime) -> datetime | None:
        if self._packet_time is None or not octets[0] & _SECONDARY_HEADER_FLAG:
            return None
        start = self._packet_time.offset_octets
        code = self._packet_time.code
        try:
            own_time = code.decode(octets[start : start + code.length_octets])
        except TimeCodeError:
            return None
        return own_time if own_time - received_at <= MAX_CLOCK_LEAD else None

    def _decode(self, result: PipelineResult) -> None:
        chosen = [i for i, p in enumerate(result.packets) if p.apid not in self._file_apids]
        decoded = self._decoder.decode([result.packets[i].octets for i in chosen])
        result.undecoded = [Undecoded(chosen[u.index], u.reason) for u in decoded.undecoded]
        where = np.array(chosen, dtype=np.intp)
        for batch in decoded.batches:
            result.batches.append(self._finish(batch, where[batch.indices], result))

    def _finish(
        self, batch: DecodedBatch, indices: npt.NDArray[np.intp], result: PipelineResult
    ) -> TelemetryBatch:
        packets = [result.packets[i] for i in indices.tolist()]
        times_us = np.array([unix_us(p.generated_at) for p in packets], dtype=np.int64)
        states, transitions = self._watch.check(batch, packets, times_us)
        result.transitions += transitions
        return TelemetryBatch(
            container=batch.container,
            packet_indices=indices,
            generation_times_us=times_us,
            sequence_counts=np.array([p.sequence_count for p in packets], dtype=np.uint16),
            columns=batch.columns,
            states=states,
        )


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

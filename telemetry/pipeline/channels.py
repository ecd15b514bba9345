"""Frames of one physical channel into packets and what else they carry. Pure.

TM and AOS frames differ in their headers; what is done with them does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from telemetry.ccsds.aos_frame import (
    AosFrameFormat,
    AosService,
    bitstream_data,
    decode_aos_frame,
    multiplexed_packets,
)
from telemetry.ccsds.clcw import ClcwError, decode_clcw
from telemetry.ccsds.frame_fault import FrameError, FrameFault
from telemetry.ccsds.packet_extractor import (
    FrameRejected,
    FramesLost,
    PacketExtracted,
    PacketExtractor,
)
from telemetry.ccsds.tm_frame import FRAME_COUNT_MODULUS, TmFrameFormat, decode_tm_frame
from telemetry.pipeline.events import (
    BadFrame,
    ChannelData,
    ReceivedClcw,
    ReceivedFrame,
    ReceivedPacket,
    unix_us,
)
from telemetry.pipeline.packets import PacketCollector
from telemetry.pipeline.result import FrameCount, PipelineResult

FrameFormat = TmFrameFormat | AosFrameFormat
_INSERT: Final = "insert"


@dataclass(frozen=True, slots=True)
class _Frame:
    """What of a frame matters here, whatever its protocol."""

    spacecraft_id: int
    channel: int
    count: int
    count_modulus: int
    data: bytes
    ocf: bytes | None
    is_idle: bool
    service: AosService = AosService.PACKETS
    first_header_pointer: int = 0
    insert_zone: bytes = b""


@dataclass(slots=True)
class FrameReader:
    """Takes the frames of one spacecraft apart, station by station.

    Attributes:
        spacecraft_id: Frames of another one are bad frames.
        frame_format: Of the physical channel.
        services: Virtual channels of AOS frames that carry something else than packets.
    """

    spacecraft_id: int
    frame_format: FrameFormat
    services: Mapping[int, AosService] = field(default_factory=dict)
    _extractors: dict[tuple[str, int], PacketExtractor] = field(default_factory=dict)

    def begin_contact(self, station: str) -> None:
        """Forget what a station was in the middle of."""
        self._extractors = {k: v for k, v in self._extractors.items() if k[0] != station}

    def read(
        self, received: ReceivedFrame, packets: PacketCollector, result: PipelineResult
    ) -> None:
        """Take one frame; what it held is added to *packets* and *result*."""
        refusals = len(result.bad_frames)
        try:
            frame = self._decoded(received.octets)
        except FrameError as error:
            refuse(received, error.fault, error.reason, result)
            return
        if frame.spacecraft_id != self.spacecraft_id:
            reason = f"spacecraft identifier {frame.spacecraft_id}, expected {self.spacecraft_id}"
            refuse(received, FrameFault.SPACECRAFT, reason, result)
            return
        if frame.ocf is not None:
            _receive_ocf(frame.ocf, received, result)
        if frame.insert_zone:
            _note_data(_INSERT, frame, frame.insert_zone, received, result)
        count = result.channel_frames.setdefault((received.station, frame.channel), FrameCount())
        count.lost += self._receive(frame, received, packets, result)
        # Every frame counts once: refused in part is refused.
        is_good = len(result.bad_frames) == refusals
        result.frames_good += is_good
        count.good += is_good
        result.frames_idle += is_good and frame.is_idle

    def _decoded(self, octets: bytes) -> _Frame:
        if isinstance(self.frame_format, AosFrameFormat):
            return self._aos(octets, self.frame_format)
        tm = decode_tm_frame(octets, self.frame_format)
        if tm.synchronisation_flag:
            raise FrameError(
                fault=FrameFault.NO_PACKETS,
                reason="the synchronisation flag says that it holds no packets",
            )
        return _Frame(
            spacecraft_id=tm.spacecraft_id,
            channel=tm.virtual_channel_id,
            count=tm.virtual_channel_frame_count,
            count_modulus=FRAME_COUNT_MODULUS,
            data=tm.data,
            ocf=tm.ocf,
            is_idle=tm.is_only_idle_data,
            first_header_pointer=tm.first_header_pointer,
        )

    def _aos(self, octets: bytes, frame_format: AosFrameFormat) -> _Frame:
        aos = decode_aos_frame(octets, frame_format)
        service = self.services.get(aos.virtual_channel_id, AosService.PACKETS)
        pointer, data = 0, aos.data
        if service is AosService.PACKETS and not aos.is_only_idle_data:
            pointer, data = multiplexed_packets(aos.data)
        return _Frame(
            spacecraft_id=aos.spacecraft_id,
            channel=aos.virtual_channel_id,
            count=aos.virtual_channel_frame_count,
            count_modulus=aos.count_modulus,
            data=data,
            ocf=aos.ocf,
            is_idle=aos.is_only_idle_data,
            service=service,
            first_header_pointer=pointer,
            insert_zone=aos.insert_zone,
        )

    def _receive(
        self,
        frame: _Frame,
        received: ReceivedFrame,
        packets: PacketCollector,
        result: PipelineResult,
    ) -> int:
        """Take what a frame carries; return how many frames are missing before it."""
        key = (received.station, frame.channel)
        extractor = self._extractors.get(key)
        if extractor is None:
            extractor = PacketExtractor(count_modulus=frame.count_modulus)
            self._extractors[key] = extractor
        carries_packets = frame.service is AosService.PACKETS and not (
            frame.is_idle and isinstance(self.frame_format, AosFrameFormat)
        )
        events = (
            extractor.receive_frame(
                frame_count=frame.count,
                first_header_pointer=frame.first_header_pointer,
                data=frame.data,
            )
            if carries_packets
            else extractor.note_frame(frame_count=frame.count, data=frame.data)
        )
        lost = 0
        station, received_us = packets.station(received.station), unix_us(received.received_at)
        for event in events:
            if isinstance(event, PacketExtracted):
                packets.add(event.octets, frame.channel, received_us, station)
            elif isinstance(event, FramesLost):
                lost += event.count
            elif isinstance(event, FrameRejected):
                refuse(received, event.fault, event.reason, result)
            else:
                result.partial_packets.append(_partial(event.octets, received))
        if not carries_packets and not frame.is_idle:
            _receive_data(frame, received, result)
        return lost


def refuse(
    received: ReceivedFrame | ReceivedPacket, fault: str, reason: str, result: PipelineResult
) -> None:
    """Keep what was refused, with its reason."""
    result.bad_frames.append(
        BadFrame(
            octets=received.octets,
            fault=str(fault),
            reason=reason,
            received_at=received.received_at,
            station=received.station,
        )
    )


def _partial(octets: bytes, received: ReceivedFrame) -> BadFrame:
    return BadFrame(
        octets=octets,
        fault=FrameFault.PARTIAL_PACKET.value,
        reason=f"{len(octets)} octets of a packet whose rest did not come",
        received_at=received.received_at,
        station=received.station,
    )


def _receive_data(frame: _Frame, received: ReceivedFrame, result: PipelineResult) -> None:
    """Keep what a frame of a bitstream or access channel brought."""
    if frame.service is AosService.ACCESS:
        _note_data(frame.service.value, frame, frame.data, received, result)
        return
    try:
        stream = bitstream_data(frame.data)
    except ValueError as error:
        refuse(received, FrameFault.BITSTREAM_POINTER, str(error), result)
        return
    if stream.bits:
        _note_data(frame.service.value, frame, stream.octets, received, result, stream.bits)


def _note_data(
    service: str,
    frame: _Frame,
    octets: bytes,
    received: ReceivedFrame,
    result: PipelineResult,
    bits: int | None = None,
) -> None:
    result.channel_data.append(
        ChannelData(
            service=service,
            virtual_channel=frame.channel,
            octets=octets,
            bits=8 * len(octets) if bits is None else bits,
            received_at=received.received_at,
            station=received.station,
        )
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

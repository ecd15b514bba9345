"""From the radio to packets: CLTU, TC frames, FARM-1, segments.

Source: CCSDS 231.0-B-4, 232.0-B-4, 232.1-B-2; the machines are those of uplink.tc.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from missioncontrol.fleet.profiles import TcProfile
from telemetry.ccsds.clcw import Clcw
from telemetry.ccsds.space_packet import PacketError, split_packets
from uplink.tc.cltu import decode_cltu
from uplink.tc.farm1 import Farm1, FrameAccepted, FrameDiscarded
from uplink.tc.segmentation import SegmentReassembler, UnitReassembled
from uplink.tc.tc_frame import (
    SegmentFlags,
    SegmentHeader,
    SetVr,
    TcFrame,
    TcFrameError,
    TcFrameFormat,
    Unlock,
    control_frame,
    decode_tc_frame,
    split_frames,
)

_COUNTER_MODULUS: Final = 65_536
_OUTSIDE_WINDOWS: Final = 128
_NOTHING_SENT: Final = b"\0"


@dataclass(frozen=True, slots=True)
class ReceivedPacket:
    """One packet as it left the segments of a virtual channel."""

    channel: int
    octets: bytes


class TelecommandReceiver:
    """Receives on the command channel (AD, COP-1) and the file channel (BD)."""

    def __init__(self, *, spacecraft_id: int, profile: TcProfile) -> None:
        self._spacecraft_id = spacecraft_id
        self._profile = profile
        self._format = TcFrameFormat(max_frame_length_octets=profile.max_frame_octets)
        self._farms = {
            channel: Farm1(spacecraft_id=spacecraft_id, virtual_channel_id=channel)
            for channel in (profile.vc_commands, profile.vc_files)
        }
        self._segments = {channel: SegmentReassembler() for channel in self._farms}
        self.frames_ok = 0
        self.frames_bad = 0

    def receive_cltu(self, octets: bytes) -> list[ReceivedPacket]:
        """Take a CLTU as the radio delivered it; what is spoilt is counted."""
        try:
            received = decode_cltu(octets, randomised=self._profile.randomise)
        except ValueError:  # no start sequence, or no good code block
            self._count_bad()
            return []
        return [
            packet
            for frame in split_frames(received.octets)
            for packet in self._receive_frame(frame)
        ]

    def clcw(self, *, is_locked: bool) -> Clcw:
        """Return the report on the command channel for the next frame down."""
        return self._command_farm.clcw(no_rf_available=not is_locked, no_bit_lock=not is_locked)

    @property
    def farm_state(self) -> int:
        return int(self._command_farm.state)

    @property
    def farm_expected(self) -> int:
        return self._command_farm.expected_sequence_number

    @property
    def _command_farm(self) -> Farm1:
        return self._farms[self._profile.vc_commands]

    def _receive_frame(self, octets: bytes) -> Iterator[ReceivedPacket]:
        try:
            frame = decode_tc_frame(octets, self._format)
        except TcFrameError:
            self._count_bad()
            return
        farm = self._farms.get(frame.virtual_channel_id)
        event = FrameDiscarded("unknown channel") if farm is None else farm.receive_frame(frame)
        if isinstance(event, FrameDiscarded):
            self._count_bad()
            return
        self.frames_ok = (self.frames_ok + 1) % _COUNTER_MODULUS
        if isinstance(event, FrameAccepted) and frame.segment_header is not None:
            yield from self._reassemble(frame, frame.segment_header)

    def _reassemble(self, frame: TcFrame, header: SegmentHeader) -> Iterator[ReceivedPacket]:
        channel = frame.virtual_channel_id
        for event in self._segments[channel].receive_segment(header, frame.data):
            if not isinstance(event, UnitReassembled):
                continue
            try:
                for packet in split_packets(event.octets):
                    yield ReceivedPacket(channel, packet)
            except PacketError:
                self._count_bad()

    def _count_bad(self) -> None:
        self.frames_bad = (self.frames_bad + 1) % _COUNTER_MODULUS

    def snapshot(self) -> dict[str, Any]:
        clcws = {channel: farm.clcw() for channel, farm in self._farms.items()}
        return {
            "frames_ok": self.frames_ok,
            "frames_bad": self.frames_bad,
            "farms": {
                str(channel): {
                    "report_value": clcw.report_value,
                    "farm_b_counter": clcw.farm_b_counter,
                    "lockout": clcw.lockout,
                    "retransmit": clcw.retransmit,
                }
                for channel, clcw in clcws.items()
            },
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Bring counters and both FARM-1 to where a snapshot has them.

        FARM-1 has no other entrance than frames, so that it is led back with
        the frames that would have brought it there.
        """
        self.frames_ok = snapshot["frames_ok"]
        self.frames_bad = snapshot["frames_bad"]
        for channel, farm in self._farms.items():
            state = snapshot["farms"].get(str(channel))
            if state is not None:
                for frame in self._frames_towards(channel, state):
                    farm.receive_frame(frame)

    def _frames_towards(self, channel: int, state: Mapping[str, Any]) -> Iterator[TcFrame]:
        expected: int = state["report_value"]
        yield self._control(channel, SetVr(expected))
        for _ in range((state["farm_b_counter"] - 1) % 4):
            yield self._control(channel, Unlock())
        if state["retransmit"]:
            yield self._sequenced(channel, expected + 1)
        if state["lockout"]:
            yield self._sequenced(channel, expected + _OUTSIDE_WINDOWS)

    def _control(self, channel: int, command: Unlock | SetVr) -> TcFrame:
        return control_frame(
            spacecraft_id=self._spacecraft_id, virtual_channel_id=channel, command=command
        )

    def _sequenced(self, channel: int, number: int) -> TcFrame:
        return TcFrame(
            spacecraft_id=self._spacecraft_id,
            virtual_channel_id=channel,
            bypass=False,
            frame_sequence_number=number % 256,
            segment_header=SegmentHeader(SegmentFlags.UNSEGMENTED, self._profile.map_id),
            data=_NOTHING_SENT,
        )

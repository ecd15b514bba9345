"""From packets to what a station radiates: segments, TC frames, CLTUs.

Pure. Telecommands go in AD frames through FOP-1, which numbers and repeats
them; packets of the file protocol go in BD frames, for it repairs its losses
itself. Source: CCSDS 232.0-B-4, 231.0-B-4, 232.1-B-2.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from missioncontrol.fleet.profiles import TcProfile
from uplink.tc.cltu import encode_cltu
from uplink.tc.fop1 import Fop1
from uplink.tc.fop1_effects import FopParameters
from uplink.tc.segmentation import Segment, segment_packet
from uplink.tc.tc_frame import TcFrame, TcFrameFormat, encode_tc_frame

# The ground's own delay from a frame received to its CLCW being read, in wall
# time. In a rehearsal that runs faster, it is as many mission seconds more.
GROUND_DELAY_S: Final = 1.5


class UplinkChannel:
    """How one spacecraft's packets are put into frames and CLTUs."""

    def __init__(self, *, spacecraft_id: int, profile: TcProfile) -> None:
        self._spacecraft_id = spacecraft_id
        self._profile = profile
        self._format = TcFrameFormat(max_frame_length_octets=profile.max_frame_octets)

    def make_fop(self, *, factor: float) -> Fop1:
        """Return FOP-1 of the command channel, not initiated.

        Args:
            factor: Mission seconds in a wall second: the timer of the profile
                is mission time, but never shorter than the ground's own delay.
        """
        fop = self._profile.fop
        return Fop1(
            spacecraft_id=self._spacecraft_id,
            virtual_channel_id=self._profile.vc_commands,
            parameters=FopParameters(
                window_width=fop.window,
                t1_initial=timedelta(seconds=max(fop.timer_s, GROUND_DELAY_S * factor)),
                transmission_limit=fop.transmission_limit,
            ),
        )

    def segments(self, packet: bytes) -> list[Segment]:
        """Return *packet* as the segments that one frame each carries, in order."""
        return segment_packet(
            packet, map_id=self._profile.map_id, max_data_octets=self._format.max_data_octets
        )

    def cltu(self, frame: TcFrame) -> bytes:
        """Return the CLTU that carries *frame* alone."""
        return encode_cltu(
            encode_tc_frame(frame, self._format), randomised=self._profile.randomise
        )

    def file_cltus(self, packet: bytes) -> list[bytes]:
        """Return the CLTUs that carry one packet of the file protocol, in BD frames."""
        return [
            self.cltu(
                TcFrame(
                    spacecraft_id=self._spacecraft_id,
                    virtual_channel_id=self._profile.vc_files,
                    bypass=True,
                    segment_header=segment.header,
                    data=segment.data,
                )
            )
            for segment in self.segments(packet)
        ]

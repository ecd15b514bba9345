from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.fleet.profiles import FopProfile, TcProfile
from uplink.links.uplink_channel import UplinkChannel
from uplink.tc.cltu import decode_cltu
from uplink.tc.segmentation import SegmentReassembler, UnitReassembled
from uplink.tc.tc_frame import TcFrameFormat, decode_tc_frame, split_frames

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
SPACECRAFT_ID = 42


def profile(*, max_frame_octets: int = 1024, randomise: bool = False) -> TcProfile:
    return TcProfile(
        rate_bps=64_000,
        max_frame_octets=max_frame_octets,
        vc_commands=0,
        vc_files=1,
        map_id=3,
        fop=FopProfile(window=10, timer_s=30, transmission_limit=5),
        randomise=randomise,
    )


def frames_in(cltu: bytes, tc: TcProfile):
    octets = decode_cltu(cltu, randomised=tc.randomise).octets
    frame_format = TcFrameFormat(max_frame_length_octets=tc.max_frame_octets)
    return [decode_tc_frame(frame, frame_format) for frame in split_frames(octets)]


class TestUplinkChannel:
    @given(
        packet=st.binary(min_size=1, max_size=300),
        max_frame_octets=st.sampled_from([16, 64, 1024]),
        randomise=st.booleans(),
    )
    def test_brings_a_packet_of_files_to_the_other_end(self, packet, max_frame_octets, randomise):
        tc = profile(max_frame_octets=max_frame_octets, randomise=randomise)
        channel = UplinkChannel(spacecraft_id=SPACECRAFT_ID, profile=tc)
        reassembler = SegmentReassembler()
        units = []
        for cltu in channel.file_cltus(packet):
            [frame] = frames_in(cltu, tc)
            assert (frame.spacecraft_id, frame.virtual_channel_id) == (SPACECRAFT_ID, 1)
            assert frame.bypass
            units += reassembler.receive_segment(frame.segment_header, frame.data)
        assert units == [UnitReassembled(3, packet)]

    def test_numbers_telecommand_frames_on_their_own_channel(self):
        tc = profile()
        channel = UplinkChannel(spacecraft_id=SPACECRAFT_ID, profile=tc)
        fop = channel.make_fop(factor=1.0)
        fop.set_vs(request_id="v", value=7, at=AT)
        fop.initiate_ad_without_clcw_check(request_id="i", at=AT)
        [segment] = channel.segments(b"PING")
        effects = fop.transfer_ad(
            request_id="t", data=segment.data, segment_header=segment.header, at=AT
        )
        [frame] = [effect.frame for effect in effects if hasattr(effect, "frame")]
        [received] = frames_in(channel.cltu(frame), tc)
        assert (received.virtual_channel_id, received.frame_sequence_number) == (0, 7)
        assert (received.bypass, received.data) == (False, b"PING")

    @pytest.mark.parametrize(
        ("factor", "timer_s"), [(1.0, 30.0), (20.0, 30.0), (30.0, 45.0), (100.0, 150.0)]
    )
    def test_gives_fop_the_ground_time_to_see_the_acknowledgement(self, factor, timer_s):
        channel = UplinkChannel(spacecraft_id=SPACECRAFT_ID, profile=profile())
        fop = channel.make_fop(factor=factor)
        assert fop.parameters.t1_initial == timedelta(seconds=timer_s)
        assert (fop.parameters.window_width, fop.parameters.transmission_limit) == (10, 5)

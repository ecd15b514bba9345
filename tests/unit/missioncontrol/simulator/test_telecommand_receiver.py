from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.simulator.telecommand_receiver import ReceivedPacket, TelecommandReceiver
from telemetry.ccsds.space_packet import TELECOMMAND, SpacePacket
from tests.unit.missioncontrol.simulator.demo import demo_spacecraft
from uplink.tc.cltu import encode_cltu
from uplink.tc.segmentation import segment_packet
from uplink.tc.tc_frame import (
    SegmentFlags,
    SegmentHeader,
    SetVr,
    TcFrame,
    TcFrameFormat,
    Unlock,
    control_frame,
    encode_tc_frame,
)

SCID = 171
PACKET = SpacePacket(packet_type=TELECOMMAND, apid=200, sequence_count=0, data=b"\1").encode()
LONG = SpacePacket(packet_type=TELECOMMAND, apid=121, sequence_count=0, data=bytes(2500)).encode()


def receiver():
    return TelecommandReceiver(spacecraft_id=SCID, profile=demo_spacecraft().link_profile.tc)


def frame(number=0, *, channel=0, bypass=False, data=PACKET, header=None, scid=SCID):
    return TcFrame(
        spacecraft_id=scid,
        virtual_channel_id=channel,
        bypass=bypass,
        frame_sequence_number=number,
        segment_header=header or SegmentHeader(SegmentFlags.UNSEGMENTED, 0),
        data=data,
    )


def control(command):
    return control_frame(spacecraft_id=SCID, virtual_channel_id=0, command=command)


def cltu(*frames):
    return encode_cltu(b"".join(encode_tc_frame(one, TcFrameFormat()) for one in frames))


class TestTelecommandReceiver:
    def test_accepts_a_sequenced_frame_once(self):
        radio = receiver()
        assert radio.receive_cltu(cltu(frame(0))) == [ReceivedPacket(0, PACKET)]
        assert radio.receive_cltu(cltu(frame(0))) == []
        assert (radio.frames_ok, radio.frames_bad, radio.farm_expected) == (1, 1, 1)

    def test_puts_the_segments_of_a_long_packet_together(self):
        segments = segment_packet(LONG, map_id=0, max_data_octets=1000)
        radio = receiver()
        received = [
            packet
            for segment in segments
            for packet in radio.receive_cltu(
                cltu(frame(channel=1, bypass=True, header=segment.header, data=segment.data))
            )
        ]
        assert received == [ReceivedPacket(1, LONG)]

    def test_takes_several_frames_of_one_cltu(self):
        assert len(receiver().receive_cltu(cltu(frame(0), frame(1)))) == 2

    def test_counts_what_is_spoilt(self):
        radio = receiver()
        good = bytearray(cltu(frame(0)))
        good[2] ^= 0xFF
        assert radio.receive_cltu(bytes(good)) == []
        assert radio.receive_cltu(b"noise") == []
        assert radio.receive_cltu(cltu(frame(0, scid=3))) == []
        assert radio.receive_cltu(cltu(frame(0, channel=9))) == []
        assert radio.frames_bad == 4
        assert radio.frames_ok == 0

    def test_says_in_the_clcw_whether_a_carrier_is_there(self):
        assert receiver().clcw(is_locked=False).no_rf_available
        assert not receiver().clcw(is_locked=True).no_rf_available

    @given(
        frames=st.lists(
            st.one_of(
                st.integers(0, 255).map(frame),
                st.just(frame(bypass=True)),
                st.just(control(Unlock())),
                st.integers(0, 255).map(lambda number: control(SetVr(number))),
            ),
            max_size=12,
        )
    )
    def test_a_restart_leaves_farm_1_where_it_was(self, frames):
        before, after = receiver(), receiver()
        for one in frames:
            before.receive_cltu(cltu(one))
        after.restore(before.snapshot())
        assert after.clcw(is_locked=True) == before.clcw(is_locked=True)
        assert after.farm_state == before.farm_state
        assert (after.frames_ok, after.frames_bad) == (before.frames_ok, before.frames_bad)

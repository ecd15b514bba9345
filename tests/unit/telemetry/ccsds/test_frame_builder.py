from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.frame_builder import IDLE_VIRTUAL_CHANNEL, VirtualChannelMultiplexer
from telemetry.ccsds.packet_extractor import PacketExtracted, PacketExtractor
from telemetry.ccsds.space_packet import (
    TELEMETRY,
    PacketError,
    SpacePacket,
    idle_packet,
    split_packets,
)
from telemetry.ccsds.tm_frame import TmFrameFormat, decode_tm_frame

FORMAT = TmFrameFormat(frame_length_octets=40, has_ocf=True, has_fecf=True)  # 28 octets of data
OCF = bytes.fromhex("01000000")


def packet(length, *, count=0):
    return SpacePacket(
        packet_type=TELEMETRY, apid=5, sequence_count=count, data=bytes(length - 6)
    ).encode()


def multiplexer(frame_format=FORMAT):
    return VirtualChannelMultiplexer(spacecraft_id=42, frame_format=frame_format)


class TestVirtualChannelMultiplexer:
    @given(
        steps=st.lists(st.none() | st.tuples(st.integers(0, 6), st.integers(7, 120)), max_size=40),
        data_octets=st.integers(1, 60),
    )
    def test_the_extractors_get_back_what_was_queued(self, steps, data_octets):
        frame_format = TmFrameFormat(
            frame_length_octets=12 + data_octets, has_ocf=True, has_fecf=True
        )
        sender = multiplexer(frame_format)
        sent = {channel: [] for channel in range(8)}
        frames = []
        for number, step in enumerate(steps):
            if step is None:
                frames.append(sender.next_frame(OCF))
            else:
                sent[step[0]].append(packet(step[1], count=number))
                sender.add_packet(step[0], sent[step[0]][-1])
        while any(sender.pending_octets(channel) for channel in range(7)):
            frames.append(sender.next_frame(OCF))
        received = {channel: [] for channel in range(8)}
        extractors = {channel: PacketExtractor() for channel in range(8)}
        for count, octets in enumerate(frames):
            frame = decode_tm_frame(octets, frame_format)
            assert frame.master_channel_frame_count == count % 256
            events = extractors[frame.virtual_channel_id].receive_frame(
                frame_count=frame.virtual_channel_frame_count,
                first_header_pointer=frame.first_header_pointer,
                data=frame.data,
            )
            assert all(isinstance(event, PacketExtracted) for event in events)
            received[frame.virtual_channel_id] += [event.octets for event in events]
        assert received == sent

    def test_sends_an_idle_frame_when_nothing_waits(self):
        sender = multiplexer()
        for count in range(300):
            frame = decode_tm_frame(sender.next_frame(OCF), FORMAT)
            assert frame.virtual_channel_id == IDLE_VIRTUAL_CHANNEL
            assert frame.is_only_idle_data
            assert frame.virtual_channel_frame_count == count % 256

    def test_points_at_the_first_packet_that_begins_in_the_frame(self):
        sender = multiplexer()
        for length in (40, 10, 70):
            sender.add_packet(1, packet(length))
        pointers = [
            decode_tm_frame(sender.next_frame(OCF), FORMAT).first_header_pointer for _ in range(5)
        ]
        # 28 octets a frame: packets begin at 0, 40 and 50; an idle one at 120.
        assert pointers == [0, 12, 0x7FF, 0x7FF, 8]

    def test_fills_the_rest_of_a_frame_with_one_idle_packet(self):
        sender = multiplexer()
        sender.add_packet(0, packet(7))
        frame = decode_tm_frame(sender.next_frame(OCF), FORMAT)
        assert list(split_packets(frame.data)) == [packet(7), idle_packet(21)]

    def test_lets_an_idle_packet_run_on_when_it_does_not_fit(self):
        sender = multiplexer()
        sender.add_packet(0, packet(24))  # 4 octets are left, an idle packet has 7
        first = decode_tm_frame(sender.next_frame(OCF), FORMAT)
        assert sender.pending_octets(0) == 0
        assert decode_tm_frame(sender.next_frame(OCF), FORMAT).is_only_idle_data
        sender.add_packet(0, packet(25))
        second = decode_tm_frame(sender.next_frame(OCF), FORMAT)
        assert (first.first_header_pointer, second.first_header_pointer) == (0, 3)
        assert second.data[3:] == packet(25)

    def test_gives_the_channels_turns(self):
        sender = multiplexer()
        for channel in (0, 0, 0, 2, 2, 5):
            sender.add_packet(channel, packet(28))
        order = [
            decode_tm_frame(sender.next_frame(OCF), FORMAT).virtual_channel_id for _ in range(7)
        ]
        assert order == [0, 2, 5, 0, 2, 0, 7]

    def test_counts_the_octets_that_wait(self):
        sender = multiplexer()
        assert sender.pending_octets(3) == 0
        sender.add_packet(3, packet(30))
        sender.next_frame(OCF)
        assert sender.pending_octets(3) == 2

    def test_carries_the_control_field_it_is_given(self):
        assert decode_tm_frame(multiplexer().next_frame(b"\x01\x02\x03\x04"), FORMAT).ocf == (
            b"\x01\x02\x03\x04"
        )

    def test_loses_no_packet_to_a_wrong_control_field(self):
        sender = multiplexer()
        sender.add_packet(0, packet(28))
        for wrong in (None, b"", b"\x01"):
            with pytest.raises(ValueError, match=r"operational control field of [01] octets"):
                sender.next_frame(wrong)
        assert decode_tm_frame(sender.next_frame(OCF), FORMAT).data == packet(28)

    @pytest.mark.parametrize("channel", [-1, 7, 8])
    def test_refuses_packets_on_a_channel_that_carries_none(self, channel):
        with pytest.raises(ValueError, match=f"virtual channel {channel} carries no packets"):
            multiplexer().add_packet(channel, packet(10))

    def test_refuses_octets_that_are_not_one_packet(self):
        with pytest.raises(PacketError, match="says 10 octets in all, 11 are present"):
            multiplexer().add_packet(0, packet(10) + b"x")

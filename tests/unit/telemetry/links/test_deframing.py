from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.cadu import attach_marker
from telemetry.ccsds.channel_decoder import ChannelCoding
from telemetry.ccsds.packet_stream import StreamFormat
from telemetry.links.deframing import (
    CaduDeframer,
    FrameDatagrams,
    FrameDeframer,
    PacketDatagrams,
    PacketDeframer,
)


def packet(data: bytes, *, count: int = 0) -> bytes:
    head = (0x0864).to_bytes(2, "big") + (0xC000 | count).to_bytes(2, "big")
    return head + (len(data) - 1).to_bytes(2, "big") + data


def pieces(octets: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(octets), *(cut % (len(octets) + 1) for cut in cuts)})
    return [octets[a:b] for a, b in pairwise(edges)]


class TestStreams:
    @given(cuts=st.lists(st.integers(0, 10_000), max_size=20))
    def test_packets_come_whole_however_tcp_cuts_them(self, cuts):
        sent = [packet(bytes([n]) * (n + 1), count=n) for n in range(40)]
        deframer = PacketDeframer(StreamFormat())
        got = [u for piece in pieces(b"".join(sent), cuts) for u in deframer.receive(piece).whole]
        assert got == sent
        assert deframer.finish().rejected == []

    @given(cuts=st.lists(st.integers(0, 10_000), max_size=20))
    def test_frames_come_whole_however_tcp_cuts_them(self, cuts):
        sent = [bytes([n]) * 64 for n in range(20)]
        deframer = FrameDeframer(64)
        got = [u for piece in pieces(b"".join(sent), cuts) for u in deframer.receive(piece).whole]
        assert got == sent

    def test_a_stream_that_ends_in_the_middle_of_a_frame_says_so(self):
        deframer = FrameDeframer(64)
        deframer.receive(bytes(70))
        [(octets, reason)] = deframer.finish().rejected
        assert (octets, reason) == (bytes(6), "the stream ended after 6 of a frame's 64 octets")

    def test_cadus_become_frames(self):
        frames = [bytes([n + 1]) * 64 for n in range(6)]
        deframer = CaduDeframer(ChannelCoding(frame_octets=64))
        got = deframer.receive(b"".join(attach_marker(frame) for frame in frames)).whole
        got += deframer.finish().whole
        assert got == frames


class TestDatagrams:
    def test_each_begins_with_a_packet_and_may_hold_several(self):
        found = PacketDatagrams(StreamFormat()).receive(packet(b"ab") + packet(b"c"))
        assert found.whole == [packet(b"ab"), packet(b"c")]

    @pytest.mark.parametrize("datagram", [b"\xff" * 20, packet(b"abc")[:-1], b"x"])
    def test_what_is_no_packet_is_kept_with_its_reason(self, datagram):
        found = PacketDatagrams(StreamFormat()).receive(datagram)
        [(octets, reason)] = found.rejected
        assert (found.whole, octets) == ([], datagram)
        assert reason

    def test_a_frame_is_a_datagram(self):
        assert FrameDatagrams().receive(b"frame").whole == [b"frame"]

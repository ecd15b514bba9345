from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.packet_stream import (
    OctetsRejected,
    PacketStream,
    StreamFormat,
    packets_in_datagram,
)
from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket
from tests.vectors import shared_vector

APIDS = frozenset({3, 0x42, 0x7FF})


def packet(data: bytes, *, apid: int = 0x42, count: int = 0) -> bytes:
    return SpacePacket(packet_type=TELEMETRY, apid=apid, sequence_count=count, data=data).encode()


def cut(octets: bytes, sizes: list[int]) -> list[bytes]:
    pieces, offset = [], 0
    for size in sizes:
        pieces.append(octets[offset : offset + size])
        offset += size
    return [*pieces, octets[offset:]]


def feed(stream: PacketStream, pieces: list[bytes]):
    packets, rejected = [], []
    for found in [*map(stream.receive, pieces), stream.finish()]:
        packets += found.packets
        rejected += found.rejected
    return packets, rejected


packets_sent = st.lists(
    st.builds(packet, st.binary(min_size=1, max_size=30), apid=st.sampled_from(sorted(APIDS))),
    max_size=12,
)


class TestPacketStream:
    @given(
        sent=packets_sent,
        sizes=st.lists(st.integers(0, 40), max_size=20),
        prefix=st.integers(0, 5),
    )
    def test_finds_every_packet_however_the_stream_is_cut(self, sent, sizes, prefix):
        octets = b"".join(b"\xff" * prefix + each for each in sent)
        stream = PacketStream(StreamFormat(prefix_octets=prefix))
        assert feed(stream, cut(octets, sizes)) == (sent, [])

    @given(
        before=packets_sent,
        after=st.lists(st.integers(1, 30), min_size=3, max_size=8),
        noise=st.binary(min_size=1, max_size=40).filter(lambda n: n[0] >= 0x20),
        sizes=st.lists(st.integers(0, 40), max_size=20),
    )
    def test_finds_packets_again_after_octets_that_are_none(self, before, after, noise, sizes):
        later = [packet(b"\xf8" * size, apid=3) for size in after]
        octets = b"".join(before) + noise + b"".join(later)
        packets, rejected = feed(PacketStream(StreamFormat(apids=APIDS)), cut(octets, sizes))
        assert packets[: len(before)] == before
        total = sum(len(r.octets) for r in rejected) + sum(map(len, packets))
        assert total == len(octets)
        assert packets[-1] == later[-1]

    def test_keeps_what_lies_between_with_its_reason(self):
        good = [packet(bytes([i]) * 9, count=i) for i in range(6)]
        octets = good[0] + b"\xff\xffrubbish" + b"".join(good[1:])
        packets, rejected = feed(PacketStream(), [octets])
        assert packets == good
        assert rejected == [
            OctetsRejected(b"\xff\xffrubbish", "packet version number 7, expected 0")
        ]

    def test_finds_the_stream_again_after_octets_went_missing(self):
        good = [packet(b"\xe0" * 20, count=i) for i in range(8)]
        octets = b"".join(good)
        octets = octets[:36] + octets[47:]
        packets, rejected = feed(PacketStream(), [octets])
        # The second has lost octets, took the third one's first ones, and nobody can tell.
        assert (packets[0], packets[2:]) == (good[0], good[3:])
        assert [len(each.octets) for each in rejected] == [26 - 11]

    def test_believes_fewer_packets_at_the_end_of_a_file(self):
        good = packet(b"\xe0" * 20)
        packets, rejected = feed(PacketStream(), [b"\xff\xff" + good])
        assert packets == [good]
        assert [r.octets for r in rejected] == [b"\xff\xff"]

    def test_rejects_what_is_unfinished_at_the_end(self):
        good = packet(b"0123456789")
        assert feed(PacketStream(), [good + good[:9]]) == (
            [good],
            [OctetsRejected(good[:9], "the length field announces 16 octets, 9 are present")],
        )
        assert feed(PacketStream(), [good + b"\1\2"])[1] == [
            OctetsRejected(b"\1\2", "a packet header has 6 octets, 2 are present")
        ]

    @pytest.mark.parametrize(
        ("rules", "wrong", "reason"),
        [
            ({"apids": APIDS}, packet(b"x", apid=9), "APID 9, which is none of this source's"),
            (
                {"max_packet_octets": 50},
                packet(b"\xe0" * 60),
                "the length field announces 66 octets; at most 50",
            ),
        ],
    )
    def test_rejects_packets_that_cannot_be_of_this_source(self, rules, wrong, reason):
        good = [packet(bytes([0xE0 + i]) * 9, apid=3, count=i) for i in range(4)]
        packets, rejected = feed(
            PacketStream(StreamFormat(**rules)), [good[0] + wrong + b"".join(good[1:])]
        )
        assert packets == good
        assert rejected == [OctetsRejected(wrong, reason)]

    def test_keeps_no_more_than_it_needs_of_endless_noise(self):
        stream = PacketStream(StreamFormat(max_packet_octets=100))
        rejected = 0
        for _ in range(100):
            found = stream.receive(b"\xff" * 97)
            assert found.packets == []
            rejected += sum(len(r.octets) for r in found.rejected)
        assert 9700 - rejected <= 2 * 300
        rejected += sum(len(r.octets) for r in stream.finish().rejected)
        assert rejected == 9700

    @given(pieces=st.lists(st.binary(max_size=60), max_size=20))
    def test_accounts_for_every_octet_of_noise(self, pieces):
        packets, rejected = feed(PacketStream(), pieces)
        total = sum(map(len, packets)) + sum(len(r.octets) for r in rejected)
        assert total == sum(map(len, pieces))

    @pytest.mark.parametrize(
        "fields", [{"prefix_octets": -1}, {"max_packet_octets": 6}, {"max_packet_octets": 65_543}]
    )
    def test_refuses_a_setting_that_makes_no_sense(self, fields):
        with pytest.raises(ValueError):
            StreamFormat(**fields)


class TestDatagrams:
    def test_takes_one_packet_or_several(self):
        one, two = packet(b"1"), packet(b"22")
        assert packets_in_datagram(one).packets == [one]
        found = packets_in_datagram(one + two)
        assert (found.packets, found.rejected) == ([one, two], [])

    def test_rejects_what_follows_the_last_whole_packet(self):
        one = packet(b"1")
        found = packets_in_datagram(one + b"\xff" * 8)
        assert found.packets == [one]
        assert found.rejected == [
            OctetsRejected(b"\xff" * 8, "packet version number 7, expected 0")
        ]
        assert packets_in_datagram(one[:-1]).rejected == [
            OctetsRejected(one[:-1], "the length field announces 7 octets, 6 are present")
        ]

    def test_takes_what_a_real_flight_executive_sends(self):
        capture = json.loads(shared_vector("frames/cfs_capture.json").read_text())
        for octets in map(bytes.fromhex, capture["tm_samples"].values()):
            found = packets_in_datagram(octets)
            assert (found.packets, found.rejected) == ([octets], [])
        together = [bytes.fromhex(octets) for octets in capture["tm_samples"].values()]
        assert feed(PacketStream(), [b"".join(together)]) == (together, [])

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.space_packet import (
    IDLE_APID,
    TELECOMMAND,
    TELEMETRY,
    PacketError,
    SequenceFlags,
    SpacePacket,
    TrailingOctetsError,
    decode_space_packet,
    idle_packet,
    packet_length_octets,
    split_packets,
)
from tests.vectors import shared_vector

packets = st.builds(
    SpacePacket,
    packet_type=st.sampled_from([TELEMETRY, TELECOMMAND]),
    apid=st.integers(0, 2047),
    sequence_flags=st.sampled_from(SequenceFlags),
    sequence_count=st.integers(0, 16383),
    has_secondary_header=st.booleans(),
    data=st.binary(min_size=1, max_size=50),
)


class TestSpacePacket:
    @given(packet=packets)
    def test_decodes_to_what_was_encoded(self, packet):
        assert decode_space_packet(packet.encode()) == packet

    def test_puts_each_field_where_the_book_says(self):
        packet = SpacePacket(
            packet_type=TELECOMMAND,
            apid=0x2AB,
            sequence_flags=SequenceFlags.FIRST,
            sequence_count=0x1234,
            has_secondary_header=True,
            data=b"\x01\x02",
        )
        assert packet.encode() == bytes.fromhex("1aab 5234 0001 0102")

    def test_holds_as_much_as_the_length_field_can_say(self):
        octets = SpacePacket(
            packet_type=TELEMETRY, apid=1, sequence_count=0, data=bytes(65536)
        ).encode()
        assert octets[4:6] == b"\xff\xff"
        assert len(decode_space_packet(octets).data) == 65536

    @pytest.mark.parametrize(
        ("field", "value", "text"),
        [
            ("packet_type", 2, "packet type 2 is outside 0 to 1"),
            ("apid", 2048, "APID 2048 is outside 0 to 2047"),
            ("sequence_count", 16384, "sequence count 16384 is outside 0 to 16383"),
            ("data", b"", "packet data length in octets 0 is outside 1 to 65536"),
        ],
    )
    def test_refuses_to_encode_a_field_out_of_range(self, field, value, text):
        fields = {"packet_type": 0, "apid": 0, "sequence_count": 0, "data": b"x"} | {field: value}
        with pytest.raises(PacketError, match=text):
            SpacePacket(**fields).encode()

    @pytest.mark.parametrize(
        ("octets", "text"),
        [
            ("0844c00000", "a packet header has 6 octets, 5 are present"),
            ("2844c000000000", "packet version number 1, expected 0"),
            ("0844c000000100", "says 8 octets in all, 7 are present"),
            ("0844c00000000000", "says 7 octets in all, 8 are present"),
        ],
    )
    def test_refuses_to_decode_what_is_no_packet(self, octets, text):
        with pytest.raises(PacketError, match=text):
            decode_space_packet(bytes.fromhex(octets))

    @given(octets=st.binary(max_size=40))
    def test_noise_is_a_packet_or_a_packet_error(self, octets):
        try:
            packet = decode_space_packet(octets)
        except PacketError:
            return
        assert packet.encode() == octets


class TestSplitPackets:
    @given(expected=st.lists(packets, max_size=10))
    def test_yields_the_packets_of_a_file(self, expected):
        octets = [packet.encode() for packet in expected]
        assert list(split_packets(b"".join(octets))) == octets

    @pytest.mark.parametrize("rubbish", [b"\x08", b"\xff" * 20, bytes.fromhex("0844c000ffff00")])
    def test_yields_the_good_packets_before_it_reports_the_rubbish(self, rubbish):
        good = idle_packet(9)
        found = []
        with pytest.raises(TrailingOctetsError) as caught:
            found.extend(split_packets(good + good + rubbish))
        assert (caught.value.offset, caught.value.rubbish) == (18, rubbish)
        assert str(caught.value).startswith(f"{len(rubbish)} octets from octet 18 are no packet")

    def test_has_yielded_every_good_packet_when_it_raises(self):
        good = idle_packet(9)
        split = split_packets(good + good + b"\x08")
        assert [next(split), next(split)] == [good, good]
        with pytest.raises(TrailingOctetsError):
            next(split)


class TestIdlePacket:
    @given(length=st.integers(7, 65542))
    def test_has_exactly_the_length_asked_for(self, length):
        octets = idle_packet(length)
        assert len(octets) == packet_length_octets(octets) == length
        packet = decode_space_packet(octets)
        assert packet.is_idle
        assert packet.apid == IDLE_APID

    @pytest.mark.parametrize("length", [0, 6, 65543])
    def test_refuses_a_length_that_no_packet_has(self, length):
        with pytest.raises(PacketError, match=f"idle packet length in octets {length} is outside"):
            idle_packet(length)


class TestRealPackets:
    def test_reads_what_a_flight_software_sent(self):
        capture = json.loads(shared_vector("frames/cfs_capture.json").read_text())
        for message_id, octets in capture["tm_samples"].items():
            packet = decode_space_packet(bytes.fromhex(octets))
            assert packet.packet_type == TELEMETRY
            assert packet.has_secondary_header
            assert packet.apid == int(message_id, 16) & 0x7FF
            assert packet.encode() == bytes.fromhex(octets)
        for octets in capture["tc_samples"].values():
            packet = decode_space_packet(bytes.fromhex(octets))
            assert packet.packet_type == TELECOMMAND
            assert packet.encode() == bytes.fromhex(octets)

    def test_reads_the_packets_of_another_library(self):
        text = shared_vector("frames/spacepylibrary_testdata.json").read_text()
        items = json.loads(text)["items"]
        apids = {
            name: decode_space_packet(bytes.fromhex(items[name])).apid
            for name in ("TM_PACKET_01", "TM_PACKET_02", "TM_PACKET_03", "TC_PACKET_01")
        }
        assert apids == {
            "TM_PACKET_01": 68,
            "TM_PACKET_02": 160,
            "TM_PACKET_03": 1234,
            "TC_PACKET_01": 652,
        }

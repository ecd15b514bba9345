from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.frame_fault import FrameFault
from telemetry.ccsds.packet_extractor import (
    FrameRejected,
    FramesLost,
    PacketExtracted,
    PacketExtractor,
    PartialPacketDropped,
)
from telemetry.ccsds.space_packet import MAX_PACKET_LENGTH, idle_packet
from telemetry.ccsds.tm_frame import NO_PACKET_START, ONLY_IDLE_DATA


def space_packet(data, *, apid=0x42):
    return apid.to_bytes(2, "big") + b"\xc0\x00" + (len(data) - 1).to_bytes(2, "big") + data


def cut_into_frames(packets, size):
    """Return (first header pointer, data field) pairs, as a spacecraft would send."""
    stream = b"".join(packets)
    starts, offset = [], 0
    for packet in packets:
        starts.append(offset)
        offset += len(packet)
    frames = []
    for begin in range(0, len(stream), size):
        inside = [start - begin for start in starts if begin <= start < begin + size]
        frames.append((inside[0] if inside else NO_PACKET_START, stream[begin : begin + size]))
    return frames


class TestPacketExtractor:
    @given(
        payloads=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=20),
        size=st.integers(min_value=1, max_value=60),
    )
    def test_returns_every_packet_however_the_frames_cut_it(self, payloads, size):
        packets = [space_packet(payload) for payload in payloads]
        extractor = PacketExtractor()
        events = [
            event
            for count, (pointer, data) in enumerate(cut_into_frames(packets, size))
            for event in extractor.receive_frame(
                frame_count=count % 256, first_header_pointer=pointer, data=data
            )
        ]
        assert events == [PacketExtracted(octets=packet) for packet in packets]

    @given(
        payloads=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=20),
        size=st.integers(min_value=4, max_value=60),
        lost=st.sets(st.integers(0, 60)),
    )
    def test_returns_only_packets_that_were_sent_when_frames_are_lost(self, payloads, size, lost):
        packets = [space_packet(payload) for payload in payloads]
        extractor = PacketExtractor()
        found = [
            event.octets
            for count, (pointer, data) in enumerate(cut_into_frames(packets, size))
            if count not in lost
            for event in extractor.receive_frame(
                frame_count=count % 256, first_header_pointer=pointer, data=data
            )
            if isinstance(event, PacketExtracted)
        ]
        remaining = iter(packets)
        assert all(packet in remaining for packet in found)  # in order, none twice

    def test_drops_the_packet_that_a_lost_frame_cut_and_keeps_the_next(self):
        cut, whole = space_packet(b"x" * 20), space_packet(b"y" * 4)
        extractor = PacketExtractor()
        extractor.receive_frame(frame_count=7, first_header_pointer=0, data=cut[:16])
        events = extractor.receive_frame(frame_count=9, first_header_pointer=0, data=whole)
        assert events == [
            FramesLost(count=1),
            PartialPacketDropped(octets=cut[:16]),
            PacketExtracted(octets=whole),
        ]

    def test_counts_losses_across_the_end_of_the_count(self):
        extractor = PacketExtractor()
        extractor.receive_frame(frame_count=254, first_header_pointer=ONLY_IDLE_DATA, data=b"")
        assert extractor.receive_frame(
            frame_count=1, first_header_pointer=ONLY_IDLE_DATA, data=b""
        ) == [FramesLost(count=2)]

    def test_counts_losses_by_the_modulus_of_the_frames(self):
        extractor = PacketExtractor(count_modulus=1 << 24)
        extractor.receive_frame(
            frame_count=(1 << 24) - 2, first_header_pointer=ONLY_IDLE_DATA, data=b""
        )
        assert extractor.receive_frame(
            frame_count=300, first_header_pointer=ONLY_IDLE_DATA, data=b""
        ) == [FramesLost(count=301)]

    def test_takes_a_frame_that_came_twice_only_once(self):
        extractor, whole = PacketExtractor(), space_packet(b"z")
        for count in (0, 1):
            events = extractor.receive_frame(
                frame_count=count, first_header_pointer=0, data=whole + bytes([count])
            )
        events = extractor.receive_frame(
            frame_count=1, first_header_pointer=0, data=whole + b"\x01"
        )
        assert events == [
            FrameRejected(FrameFault.REPEATED, "frame count 1 repeats the frame before it")
        ]

    def test_rejects_a_pointer_outside_the_data_and_recovers(self):
        extractor, whole = PacketExtractor(), space_packet(b"z")
        [rejected] = extractor.receive_frame(
            frame_count=0, first_header_pointer=900, data=b"\0" * 4
        )
        assert rejected == FrameRejected(
            FrameFault.FIRST_HEADER_POINTER,
            "first header pointer 900 is outside the data field of 4 octets",
        )
        assert extractor.receive_frame(frame_count=1, first_header_pointer=0, data=whole) == [
            PacketExtracted(octets=whole)
        ]

    def test_drops_idle_packets_and_passes_idle_frames_over(self):
        extractor, packet = PacketExtractor(), space_packet(b"0123456789")
        data = idle_packet(12) + packet[:9]
        assert extractor.receive_frame(frame_count=0, first_header_pointer=0, data=data) == []
        assert (
            extractor.receive_frame(
                frame_count=1, first_header_pointer=ONLY_IDLE_DATA, data=b"\x55" * 20
            )
            == []
        )
        events = extractor.receive_frame(
            frame_count=2, first_header_pointer=NO_PACKET_START, data=packet[9:]
        )
        assert events == [PacketExtracted(octets=packet)]

    def test_drops_what_the_pointer_contradicts(self):
        extractor, packet, whole = PacketExtractor(), space_packet(b"x" * 20), space_packet(b"y")
        extractor.receive_frame(frame_count=0, first_header_pointer=0, data=packet[:20])
        events = extractor.receive_frame(
            frame_count=1, first_header_pointer=3, data=packet[20:23] + whole
        )
        assert events == [PartialPacketDropped(packet[:23]), PacketExtracted(octets=whole)]

    def test_drops_octets_after_a_packet_when_no_other_begins(self):
        extractor, packet = PacketExtractor(), space_packet(b"x" * 20)
        extractor.receive_frame(frame_count=0, first_header_pointer=0, data=packet[:20])
        events = extractor.receive_frame(
            frame_count=1, first_header_pointer=NO_PACKET_START, data=packet[20:] + bytes(9)
        )
        assert events == [PacketExtracted(octets=packet), PartialPacketDropped(bytes(9))]

    def test_rejects_another_packet_version_and_recovers(self):
        extractor, whole = PacketExtractor(), space_packet(b"z")
        events = extractor.receive_frame(
            frame_count=0, first_header_pointer=0, data=whole + b"\xe0\xe0\xe0"
        )
        assert events == [
            PacketExtracted(octets=whole),
            PartialPacketDropped(b"\xe0\xe0\xe0"),
            FrameRejected(
                FrameFault.PACKET_VERSION,
                "packet version number 7 at octet 7 of the data field; "
                "only Space Packets (0) are extracted",
            ),
        ]
        assert extractor.receive_frame(frame_count=1, first_header_pointer=0, data=whole) == [
            PacketExtracted(octets=whole)
        ]

    def test_keeps_no_more_than_the_longest_packet(self):
        extractor = PacketExtractor()
        header = bytes.fromhex("0042c000ffff")
        extractor.receive_frame(frame_count=0, first_header_pointer=0, data=header)
        kept = []
        for count in range(1, 80):
            for event in extractor.receive_frame(
                frame_count=count, first_header_pointer=NO_PACKET_START, data=bytes(1000)
            ):
                kept.append(len(event.octets))
        assert kept == [MAX_PACKET_LENGTH, 66 * 1000 + 6 - MAX_PACKET_LENGTH]

    @given(
        frames=st.lists(
            st.tuples(st.integers(0, 255), st.integers(0, 0x7FF), st.binary(max_size=64)),
            max_size=30,
        )
    )
    def test_never_raises_on_noise(self, frames):
        extractor = PacketExtractor()
        for count, pointer, data in frames:
            for event in extractor.receive_frame(
                frame_count=count, first_header_pointer=pointer, data=data
            ):
                assert not isinstance(event, PacketExtracted) or len(event.octets) >= 7

    @given(data=st.lists(st.binary(min_size=12, max_size=64), max_size=12))
    def test_never_raises_on_noise_in_order(self, data):
        extractor = PacketExtractor()
        for count, octets in enumerate(data):
            pointer = octets[0] % 16 if octets[0] < 0x80 else NO_PACKET_START
            for event in extractor.receive_frame(
                frame_count=count, first_header_pointer=pointer, data=octets[1:]
            ):
                assert not isinstance(event, FramesLost)

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import shared_vector
from uplink.tc.segmentation import (
    MAX_UNIT_OCTETS,
    SegmentReassembler,
    SegmentsDropped,
    UnitReassembled,
    segment_packet,
)
from uplink.tc.tc_frame import SegmentFlags, SegmentHeader


def receive(reassembler, segments):
    return [
        event
        for segment in segments
        for event in reassembler.receive_segment(segment.header, segment.data)
    ]


class TestSegmentation:
    @given(
        units=st.lists(st.tuples(st.integers(0, 63), st.binary(min_size=1, max_size=80))),
        size=st.integers(1, 30),
    )
    def test_what_was_cut_comes_together_again(self, units, size):
        reassembler = SegmentReassembler()
        for map_id, octets in units:
            segments = segment_packet(octets, map_id=map_id, max_data_octets=size)
            assert all(1 <= len(segment.data) <= size for segment in segments)
            assert receive(reassembler, segments) == [UnitReassembled(map_id, octets)]

    def test_keeps_the_maps_apart(self):
        a = segment_packet(b"aaaaaa", map_id=1, max_data_octets=3)
        b = segment_packet(b"bbbbbb", map_id=2, max_data_octets=3)
        assert receive(SegmentReassembler(), [a[0], b[0], a[1], b[1]]) == [
            UnitReassembled(1, b"aaaaaa"),
            UnitReassembled(2, b"bbbbbb"),
        ]

    def test_marks_the_segments_as_another_library_does(self):
        text = shared_vector("frames/spacepylibrary_testdata.json").read_text()
        items = {name: bytes.fromhex(octets) for name, octets in json.loads(text)["items"].items()}
        segments = segment_packet(items["TC_PACKET_01"], map_id=2, max_data_octets=248)
        assert [segment.header.encode() + segment.data for segment in segments] == [
            items["TC_SEGMENT_01"],
            items["TC_SEGMENT_02"],
        ]

    def test_drops_what_has_no_beginning(self):
        segments = segment_packet(b"abcdef", map_id=4, max_data_octets=2)
        assert receive(SegmentReassembler(), segments[1:]) == [
            SegmentsDropped(4, 2, "the first segment is missing"),
            SegmentsDropped(4, 2, "the first segment is missing"),
        ]

    def test_drops_what_has_no_end(self):
        segments = segment_packet(b"abcdef", map_id=4, max_data_octets=2)
        whole = segment_packet(b"x", map_id=4, max_data_octets=2)
        assert receive(SegmentReassembler(), [*segments[:2], *whole]) == [
            SegmentsDropped(4, 4, "the last segment is missing"),
            UnitReassembled(4, b"x"),
        ]

    def test_keeps_no_more_than_the_longest_packet(self):
        reassembler = SegmentReassembler()
        reassembler.receive_segment(SegmentHeader(SegmentFlags.FIRST, 0), bytes(60_000))
        [dropped] = reassembler.receive_segment(
            SegmentHeader(SegmentFlags.CONTINUING, 0), bytes(10_000)
        )
        assert dropped == SegmentsDropped(0, 70_000, f"longer than {MAX_UNIT_OCTETS} octets")
        assert reassembler.receive_segment(SegmentHeader(SegmentFlags.LAST, 0), b"x") == [
            SegmentsDropped(0, 1, "the first segment is missing")
        ]

    @pytest.mark.parametrize(("octets", "size"), [(b"", 1), (b"x", 0)])
    def test_refuses_what_makes_no_segment(self, octets, size):
        with pytest.raises(ValueError):
            segment_packet(octets, map_id=0, max_data_octets=size)

    @given(
        segments=st.lists(
            st.tuples(
                st.sampled_from(SegmentFlags), st.integers(0, 2), st.binary(min_size=1, max_size=9)
            )
        )
    )
    def test_accounts_for_no_octet_twice_whatever_comes(self, segments):
        reassembler, out = SegmentReassembler(), 0
        for flags, map_id, data in segments:
            for event in reassembler.receive_segment(SegmentHeader(flags, map_id), data):
                whole = isinstance(event, UnitReassembled)
                out += len(event.octets) if whole else event.length
        assert out <= sum(len(data) for _, _, data in segments)

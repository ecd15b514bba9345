from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.cadu import (
    ATTACHED_SYNC_MARKER,
    BlocksFound,
    CaduSynchroniser,
    OctetsSkipped,
    attach_marker,
)
from telemetry.ccsds.packet_extractor import PacketExtracted, PacketExtractor
from telemetry.ccsds.tm_frame import TmFrameFormat, decode_tm_frame
from tests.vectors import shared_vector

BLOCK = 20
blocks = st.binary(min_size=BLOCK, max_size=BLOCK).filter(lambda b: b"\x1a" not in b)


def cut(octets, sizes):
    pieces, offset = [], 0
    for size in sizes:
        pieces.append(octets[offset : offset + size])
        offset += size
    return [*pieces, octets[offset:]]


def blocks_of(events):
    return [block for e in events if isinstance(e, BlocksFound) for block in e]


def skipped(events):
    return sum(e.count for e in events if isinstance(e, OctetsSkipped))


class TestCaduSynchroniser:
    @given(
        sent=st.lists(blocks, max_size=8),
        rubbish=st.binary(max_size=30).filter(lambda b: b"\x1a" not in b),
        sizes=st.lists(st.integers(0, 40), max_size=20),
    )
    def test_finds_every_block_however_the_stream_is_cut(self, sent, rubbish, sizes):
        stream = rubbish + b"".join(map(attach_marker, sent))
        synchroniser = CaduSynchroniser(block_octets=BLOCK)
        events = [e for piece in cut(stream, sizes) for e in synchroniser.receive(piece)]
        events += synchroniser.finish()
        assert blocks_of(events) == sent
        assert skipped(events) == len(rubbish)

    def test_accepts_a_spoilt_marker_in_lock_only(self):
        spoilt = bytes.fromhex("1acffc1f")
        synchroniser = CaduSynchroniser(block_octets=4, max_bit_errors=1)
        assert synchroniser.receive(spoilt + b"none") == []
        events = synchroniser.receive(attach_marker(b"abcd") + spoilt + b"efgh")
        assert events[0] == OctetsSkipped(8)
        assert blocks_of(events) == [b"abcd", b"efgh"]

    def test_finds_the_stream_again_after_octets_went_missing(self):
        synchroniser = CaduSynchroniser(block_octets=8, max_bit_errors=0, flywheel=0)
        stream = attach_marker(b"11111111") + attach_marker(b"222222") + attach_marker(b"33333333")
        stream += attach_marker(b"44444444")
        events = synchroniser.receive(stream) + synchroniser.finish()
        found = blocks_of(events)
        assert found[0] == b"11111111"
        assert found[-1] == b"44444444"
        assert synchroniser.in_lock is False

    def test_reports_what_is_left_at_the_end_of_a_file(self):
        synchroniser = CaduSynchroniser(block_octets=8)
        events = synchroniser.receive(attach_marker(b"12345678") + ATTACHED_SYNC_MARKER + b"123")
        assert blocks_of(events) == [b"12345678"]
        assert synchroniser.finish() == [OctetsSkipped(7)]

    def test_tells_where_in_the_stream_blocks_stand(self):
        synchroniser = CaduSynchroniser(block_octets=4)
        synchroniser.receive(b"--" + attach_marker(b"abcd"))
        [event] = synchroniser.receive(attach_marker(b"efgh"))
        assert event.position == 10

    def test_goes_on_over_a_lost_marker_when_the_next_stands_in_its_place(self):
        stream = attach_marker(b"abcd") + b"????efgh" + attach_marker(b"ijkl")
        synchroniser = CaduSynchroniser(block_octets=4, flywheel=1)
        assert blocks_of(synchroniser.receive(stream)) == [b"abcd", b"efgh", b"ijkl"]
        held = CaduSynchroniser(block_octets=4, flywheel=1)
        assert blocks_of(held.receive(stream[:16])) == [b"abcd"]
        assert blocks_of(held.receive(stream[16:])) == [b"efgh", b"ijkl"]

    def test_searches_from_the_first_lost_marker_when_none_comes_back(self):
        slipped = (
            attach_marker(b"abcd") + b"????" + attach_marker(b"efgh") + attach_marker(b"ijkl")
        )
        synchroniser = CaduSynchroniser(block_octets=4, flywheel=1)
        events = synchroniser.receive(slipped + attach_marker(b"mnop"))
        assert blocks_of(events) == [b"abcd", b"efgh", b"ijkl", b"mnop"]
        assert skipped(events) == 4

    def test_searches_with_the_tolerance_that_it_is_given(self):
        spoilt = bytes.fromhex("1acffc1f")
        strict = CaduSynchroniser(block_octets=4)
        assert blocks_of(strict.receive(spoilt + b"abcd")) == []
        lenient = CaduSynchroniser(block_octets=4, max_bit_errors=0, max_bit_errors_in_search=1)
        assert blocks_of(lenient.receive(spoilt + b"abcd")) == [b"abcd"]

    @given(pieces=st.lists(st.binary(max_size=60), max_size=20))
    def test_accounts_for_every_octet_of_noise(self, pieces):
        synchroniser = CaduSynchroniser(block_octets=3, max_bit_errors=8)
        events = [e for piece in pieces for e in synchroniser.receive(piece)]
        events += synchroniser.finish()
        assert skipped(events) + 7 * len(blocks_of(events)) == sum(map(len, pieces))

    @pytest.mark.parametrize(
        "fields",
        [
            {"block_octets": 0},
            {"block_octets": 1, "max_bit_errors": 9},
            {"block_octets": 1, "max_bit_errors_in_search": 4},
            {"block_octets": 1, "flywheel": -1},
        ],
    )
    def test_refuses_a_setting_that_makes_no_sense(self, fields):
        with pytest.raises(ValueError):
            CaduSynchroniser(**fields)


class TestRealStream:
    def test_takes_a_recording_down_to_its_packets(self):
        recording = shared_vector("frames/dumpFile_tm_1.hex").read_text().split()
        # Frames of 1115 octets with a control field, without error control:
        # the 160 octets after them are Reed-Solomon check symbols.
        synchroniser = CaduSynchroniser(block_octets=1115 + 160)
        frame_format = TmFrameFormat(frame_length_octets=1115, has_ocf=True, has_fecf=False)
        extractors = {}
        packets, counts = [], []
        for block in blocks_of(synchroniser.receive(bytes.fromhex("".join(recording)))):
            frame = decode_tm_frame(block[:1115], frame_format)
            assert frame.spacecraft_id == 123
            counts.append(frame.master_channel_frame_count)
            extractor = extractors.setdefault(frame.virtual_channel_id, PacketExtractor())
            extracted = extractor.receive_frame(
                frame_count=frame.virtual_channel_frame_count,
                first_header_pointer=frame.first_header_pointer,
                data=frame.data,
            )
            assert all(isinstance(e, PacketExtracted) for e in extracted)  # nothing lost
            packets += [e.octets for e in extracted]
        assert counts == [count % 256 for count in range(len(recording))]
        assert set(extractors) == {0, 7}
        assert len(packets) == 613
        assert {packet[:2].hex() for packet in packets} == {"0c6a"}
        assert {len(packet) for packet in packets} == {15, 148, 200, 300, 442}

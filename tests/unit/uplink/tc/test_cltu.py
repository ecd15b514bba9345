from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import shared_vector
from uplink.tc.cltu import (
    MAX_CLTU_BLOCKS,
    START_SEQUENCE,
    TAIL_SEQUENCE,
    CltuReceived,
    CltuReceiver,
    CltuRejected,
    decode_cltu,
    encode_cltu,
    randomise,
)

IDLE = b"\x55"
frames = st.binary(min_size=1, max_size=60)


def cut(octets, sizes):
    pieces, offset = [], 0
    for size in sizes:
        pieces.append(octets[offset : offset + size])
        offset += size
    return [*pieces, octets[offset:]]


class TestCltu:
    @given(octets=frames, randomised=st.booleans())
    def test_decodes_to_what_was_encoded(self, octets, randomised):
        received = decode_cltu(encode_cltu(octets, randomised=randomised), randomised=randomised)
        assert received.octets[: len(octets)] == octets
        assert len(received.octets) == -(-len(octets) // 7) * 7
        assert received.corrected_bits == 0

    @given(
        sent=st.lists(st.tuples(frames, st.integers(0, 40)), max_size=6),
        sizes=st.lists(st.integers(0, 50), max_size=20),
        randomised=st.booleans(),
    )
    def test_finds_every_cltu_however_the_stream_is_cut(self, sent, sizes, randomised):
        stream = IDLE * 16
        for octets, idle in sent:
            stream += encode_cltu(octets, randomised=randomised) + IDLE * idle
        receiver = CltuReceiver(randomised=randomised)
        events = [e for piece in cut(stream, sizes) for e in receiver.receive(piece)]
        assert [e.octets[: len(o)] for e, (o, _) in zip(events, sent, strict=True)] == [
            octets for octets, _ in sent
        ]

    @given(octets=frames, data=st.data())
    def test_corrects_one_wrong_bit_in_the_start_and_in_each_block(self, octets, data):
        cltu = encode_cltu(octets)
        blocks = (len(cltu) - 10) // 8
        spoilt = int.from_bytes(cltu, "big")
        length = 8 * len(cltu)
        spoilt ^= 1 << length - 1 - data.draw(st.integers(0, 15))
        for block in range(blocks):
            # Any bit but the fill bit, the last of the 64.
            spoilt ^= 1 << length - 1 - (16 + 64 * block + data.draw(st.integers(0, 62)))
        received = decode_cltu(spoilt.to_bytes(len(cltu), "big"))
        assert received.octets[: len(octets)] == octets
        assert received.corrected_bits == blocks

    def test_stops_at_a_block_it_cannot_correct_and_finds_the_next_cltu(self):
        first = bytearray(encode_cltu(bytes(range(21))))
        first[12] ^= 0x03  # two wrong bits in the second block
        receiver = CltuReceiver()
        events = receiver.receive(bytes(first) + IDLE * 8 + encode_cltu(b"another"))
        assert events == [CltuReceived(bytes(range(7)), 0), CltuReceived(b"another", 0)]

    def test_finds_the_true_start_behind_a_false_one(self):
        events = CltuReceiver().receive(START_SEQUENCE + b"\x01" + encode_cltu(b"command"))
        assert [type(event) for event in events] == [CltuRejected, CltuReceived]
        assert events[1].octets == b"command"

    def test_gives_out_what_bit_lock_was_lost_over(self):
        receiver = CltuReceiver()
        assert receiver.receive(encode_cltu(bytes(14), tail=b"")) == []
        assert receiver.finish() == [CltuReceived(bytes(14), 0)]
        assert receiver.finish() == []

    def test_ends_a_cltu_that_has_no_tail(self):
        receiver = CltuReceiver()
        [event] = receiver.receive(encode_cltu(bytes(7 * MAX_CLTU_BLOCKS), tail=b""))
        assert len(event.octets) == 7 * MAX_CLTU_BLOCKS

    @given(pieces=st.lists(st.binary(max_size=40)), randomised=st.booleans())
    def test_never_raises_on_noise(self, pieces, randomised):
        receiver = CltuReceiver(randomised=randomised)
        events = [e for piece in pieces for e in receiver.receive(piece)] + receiver.finish()
        received = sum(len(e.octets) for e in events if isinstance(e, CltuReceived))
        assert received <= sum(map(len, pieces))

    def test_refuses_to_send_nothing(self):
        with pytest.raises(ValueError, match="at least one frame"):
            encode_cltu(b"")

    def test_says_why_there_is_nothing_to_decode(self):
        with pytest.raises(ValueError, match="no start sequence in 8 octets"):
            decode_cltu(IDLE * 8)
        with pytest.raises(ValueError, match="more than one wrong bit"):
            decode_cltu(START_SEQUENCE + TAIL_SEQUENCE)


class TestRandomise:
    def test_begins_as_yamcs_does(self):
        assert randomise(bytes(5)).hex() == "ff399e5a68"

    def test_repeats_after_255_octets(self):
        sequence = randomise(bytes(600))
        assert sequence[255:] == sequence[: 600 - 255]

    @given(octets=st.binary(max_size=600))
    def test_is_its_own_inverse(self, octets):
        assert randomise(randomise(octets)) == octets


class TestRealCltus:
    def test_makes_the_cltus_of_yamcs(self):
        items = json.loads(shared_vector("frames/yamcs_test_arrays.json").read_text())["items"]
        pairs = items["tctm/ccsds/error/BchCltuGeneratorTest.java"]
        for number in ("01", "02"):
            frame = bytes.fromhex(pairs[f"TC_FRAME_{number}"])
            cltu = bytes.fromhex(pairs[f"CLTU_{number}"])
            assert encode_cltu(frame) == cltu
            assert decode_cltu(cltu).octets[: len(frame)] == frame

    def test_makes_the_cltus_of_another_library_which_ends_them_otherwise(self):
        text = shared_vector("frames/spacepylibrary_testdata.json").read_text()
        items = {name: bytes.fromhex(octets) for name, octets in json.loads(text)["items"].items()}
        for number in ("01", "02"):
            frame, cltu = items[f"TC_FRAME_{number}"], items[f"CLTU_{number}"]
            assert encode_cltu(frame, tail=IDLE * 8) == cltu
            assert decode_cltu(cltu).octets[: len(frame)] == frame

    def test_corrects_recorded_blocks_that_are_one_bit_from_a_code_word(self):
        # The recording has blocks of zeros, parity included.
        for line in shared_vector("frames/dumpFile_tc_1.hex").read_text().split():
            octets = bytes.fromhex(line)
            [event] = CltuReceiver().receive(octets)
            assert event.corrected_bits == (len(octets) - 10) // 8 == 6
            made = int.from_bytes(encode_cltu(event.octets), "big")
            assert (made ^ int.from_bytes(octets, "big")).bit_count() == 6

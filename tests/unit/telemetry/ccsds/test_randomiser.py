from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.cadu import CaduSynchroniser
from telemetry.ccsds.randomiser import (
    RandomiserSequence,
    derandomise,
    randomise,
    randomise_blocks,
)
from tests.vectors import shared_vector

LONG = RandomiserSequence.DEGREE_17


class TestRandomise:
    def test_begins_as_the_book_says(self):
        # CCSDS 131.0-B-4 section 10: the first 40 bits of the sequence.
        assert randomise(bytes(5)).hex() == "ff480ec09a"

    def test_repeats_after_255_octets(self):
        sequence = randomise(bytes(600))
        assert sequence[255:] == sequence[: 600 - 255]

    def test_is_balanced_as_a_sequence_of_full_length_is(self):
        assert int.from_bytes(randomise(bytes(255)), "big").bit_count() == 8 * 128

    @given(octets=st.binary(max_size=700))
    def test_is_its_own_inverse(self, octets):
        assert derandomise(randomise(octets)) == octets

    def test_begins_the_long_sequence_as_the_book_says(self):
        # CCSDS 131.0-B-5 section 10.4.1: the register begins with 11000111000111000.
        assert randomise(bytes(5), LONG).hex() == "1c71b91ba9"

    def test_has_a_long_sequence_of_full_length(self):
        # Each window of 17 bits but the empty one occurs once in a period of 131071 bits.
        octets = np.frombuffer(randomise(bytes(131071 // 8 + 3), LONG), dtype=np.uint8)
        bits = np.unpackbits(octets)[: 131071 + 16].astype(np.int64)
        windows = sum(bits[i : i + 131071] << (16 - i) for i in range(17))
        assert len(np.unique(windows)) == 131071

    @given(octets=st.binary(min_size=1, max_size=200), count=st.integers(1, 5))
    def test_randomises_many_blocks_as_it_does_one(self, octets, count):
        blocks = np.tile(np.frombuffer(octets, dtype=np.uint8), (count, 1))
        for sequence in RandomiserSequence:
            together = randomise_blocks(blocks, sequence)
            assert {row.tobytes() for row in together} == {randomise(octets, sequence)}

    def test_opens_a_real_downlink(self):
        recording = shared_vector("frames/snpp_7cadus_2vcids.dat").read_bytes()
        [found] = CaduSynchroniser(block_octets=1020).receive(recording)
        headers = [derandomise(block)[:2] for block in found]
        # AOS frames: version 1, spacecraft 157 (Suomi NPP), virtual channels 16 and 6.
        assert [
            (header[0] >> 6, (header[0] << 2 | header[1] >> 6) & 0xFF) for header in headers
        ] == [(1, 157)] * 7
        assert [header[1] & 0x3F for header in headers] == [16] * 3 + [6] * 4

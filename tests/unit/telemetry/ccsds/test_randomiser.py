from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.cadu import BlockFound, CaduSynchroniser
from telemetry.ccsds.randomiser import derandomise, randomise
from tests.vectors import shared_vector


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

    def test_opens_a_real_downlink(self):
        recording = shared_vector("frames/snpp_7cadus_2vcids.dat").read_bytes()
        events = CaduSynchroniser(block_octets=1020).receive(recording)
        assert len(events) == 7
        headers = [
            derandomise(event.octets)[:2] for event in events if isinstance(event, BlockFound)
        ]
        # AOS frames: version 1, spacecraft 157 (Suomi NPP), virtual channels 16 and 6.
        assert [
            (header[0] >> 6, (header[0] << 2 | header[1] >> 6) & 0xFF) for header in headers
        ] == [(1, 157)] * 7
        assert [header[1] & 0x3F for header in headers] == [16] * 3 + [6] * 4

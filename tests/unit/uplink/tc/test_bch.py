from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import shared_vector
from uplink.tc.bch import UncorrectableBlockError, decode_block, encode_block

information = st.binary(min_size=7, max_size=7)


def turn(block, *bits):
    spoilt = int.from_bytes(block, "big")
    for bit in bits:
        spoilt ^= 1 << bit
    return spoilt.to_bytes(8, "big")


class TestBch:
    @given(octets=information)
    def test_decodes_to_what_was_encoded(self, octets):
        assert decode_block(encode_block(octets)) == (octets, 0)

    @pytest.mark.parametrize("bit", range(1, 64))
    def test_corrects_each_single_wrong_bit(self, bit):
        octets = bytes.fromhex("22f600ff00421a")
        assert decode_block(turn(encode_block(octets), bit)) == (octets, 1)

    @given(octets=information)
    def test_takes_no_notice_of_the_fill_bit(self, octets):
        assert decode_block(turn(encode_block(octets), 0)) == (octets, 0)

    @given(octets=information, bits=st.sets(st.integers(1, 63), min_size=2, max_size=2))
    def test_sees_every_two_wrong_bits(self, octets, bits):
        with pytest.raises(UncorrectableBlockError, match="more than one wrong bit"):
            decode_block(turn(encode_block(octets), *bits))

    def test_the_tail_sequence_is_uncorrectable(self):
        with pytest.raises(UncorrectableBlockError, match="c5c5c5c5c5c5c579"):
            decode_block(bytes.fromhex("c5c5c5c5c5c5c579"))

    def test_agrees_with_a_division_bit_by_bit(self):
        # The shift register of the encoder, as the book draws it.
        for octets in (b"\x00" * 7, b"\xff" * 7, bytes.fromhex("0123456789abcd")):
            register = 0
            for place in reversed(range(56)):
                feedback = register >> 6 ^ int.from_bytes(octets, "big") >> place & 1
                register = (register << 1 & 0x7F) ^ (0b100_0101 if feedback else 0)
            assert encode_block(octets)[7] == (register ^ 0x7F) << 1

    def test_makes_the_blocks_of_another_library(self):
        text = shared_vector("frames/spacepylibrary_testdata.json").read_text()
        items = json.loads(text)["items"]
        for name in ("BCH_BLOCK_01", "BCH_BLOCK_02"):
            block = bytes.fromhex(items[name])
            assert encode_block(block[:7]) == block

    @pytest.mark.parametrize("length", [0, 6, 9])
    def test_refuses_another_length(self, length):
        with pytest.raises(ValueError, match=f"{length} were given"):
            encode_block(bytes(length))
        with pytest.raises(ValueError, match=f"{length} were given"):
            decode_block(bytes(length))

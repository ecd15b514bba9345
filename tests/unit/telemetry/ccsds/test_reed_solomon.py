from __future__ import annotations

import numpy as np
import pytest
import reedsolo
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.ccsds.galois_field import (
    FROM_DUAL_BASIS,
    TO_DUAL_BASIS,
    divide,
    multiply,
    power,
)
from telemetry.ccsds.randomiser import derandomise_blocks
from telemetry.ccsds.reed_solomon import (
    UNCORRECTABLE,
    ReedSolomonCode,
    decode_codeblocks,
    encode_codeblocks,
)
from tests.vectors import shared_vector

CODES = [
    ReedSolomonCode(correctable_symbols=e, interleave=i, virtual_fill=q, dual_basis=dual)
    for e in (16, 8)
    for i, q, dual in [(1, 0, True), (1, 0, False), (4, 0, True), (5, 33, True), (8, 7, False)]
]


def frames(code: ReedSolomonCode, count: int, seed: int):
    shape = (count, code.frame_octets)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def spoilt(block, code: ReedSolomonCode, errors: int, rng):
    """Return a codeblock with that many wrong symbols in each of its codewords."""
    copy = block.copy()
    symbols = len(block) // code.interleave
    for word in range(code.interleave):
        places = rng.choice(symbols, errors, replace=False) * code.interleave + word
        copy[places] ^= rng.integers(1, 256, errors, dtype=np.uint8)
    return copy


def oracle(code: ReedSolomonCode) -> reedsolo.RSCodec:
    """PyPI reedsolo, in the conventional basis: F(x) = 0x187, roots alpha^(11 j)."""
    return reedsolo.RSCodec(
        code.check_symbols,
        nsize=255,
        fcr=128 - code.correctable_symbols,
        prim=0x187,
        generator=int(power(11)),
    )


class TestField:
    @given(a=st.integers(0, 255), b=st.integers(0, 255), c=st.integers(0, 255))
    def test_is_a_field(self, a, b, c):
        x, y, z = (np.array([value], dtype=np.uint8) for value in (a, b, c))
        assert multiply(x, y) == multiply(y, x)
        assert multiply(multiply(x, y), z) == multiply(x, multiply(y, z))
        assert multiply(x, y ^ z) == multiply(x, y) ^ multiply(x, z)
        if b:
            assert divide(multiply(x, y), y) == x

    def test_has_the_dual_basis_of_the_book(self):
        # CCSDS 131.0-B-5 annex F: 0, alpha^0 and alpha^1 in Berlekamp's representation.
        conventional = np.array([0, power(0), power(1)], dtype=np.uint8)
        assert TO_DUAL_BASIS[conventional].tolist() == [0, 0x7B, 0xAF]
        assert FROM_DUAL_BASIS[TO_DUAL_BASIS].tolist() == list(range(256))


class TestEncoding:
    @pytest.mark.parametrize("errors", [16, 8])
    def test_equals_an_independent_encoder(self, errors):
        code = ReedSolomonCode(correctable_symbols=errors, dual_basis=False)
        data = frames(code, 20, seed=1)
        codec = oracle(code)
        for frame, block in zip(data, encode_codeblocks(data, code), strict=True):
            assert block.tobytes() == bytes(codec.encode(frame.tobytes()))

    @pytest.mark.parametrize("code", CODES)
    def test_sends_the_frame_as_it_is_and_check_symbols_after_it(self, code):
        data = frames(code, 3, seed=2)
        blocks = encode_codeblocks(data, code)
        assert blocks.shape == (3, code.codeblock_octets)
        assert (blocks[:, : code.frame_octets] == data).all()

    def test_interleaves_octet_by_octet(self):
        one, four = ReedSolomonCode(), ReedSolomonCode(interleave=4)
        data = frames(four, 1, seed=3)
        together = encode_codeblocks(data, four)[0]
        for word in range(4):
            alone = encode_codeblocks(np.ascontiguousarray(data[:, word::4]), one)[0]
            assert (together[word::4] == alone).all()

    def test_fills_virtually_with_zeros_in_front(self):
        short, full = ReedSolomonCode(virtual_fill=100), ReedSolomonCode()
        data = frames(short, 1, seed=4)
        filled = np.concatenate([np.zeros((1, 100), dtype=np.uint8), data], axis=1)
        assert (
            encode_codeblocks(data, short)[0] == encode_codeblocks(filled, full)[0, 100:]
        ).all()


class TestDecoding:
    @pytest.mark.parametrize("code", CODES)
    def test_takes_clean_codeblocks_as_they_are(self, code):
        data = frames(code, 7, seed=5)
        decoded = decode_codeblocks(encode_codeblocks(data, code), code)
        assert (decoded.frames == data).all()
        assert decoded.corrected.tolist() == [0] * 7

    @pytest.mark.parametrize("code", CODES)
    def test_corrects_every_number_of_errors_up_to_the_limit(self, code):
        rng = np.random.default_rng(6)
        data = frames(code, code.correctable_symbols + 1, seed=6)
        blocks = encode_codeblocks(data, code)
        for errors, block in enumerate(blocks):
            blocks[errors] = spoilt(block, code, errors, rng)
        decoded = decode_codeblocks(blocks, code)
        assert (decoded.frames == data).all()
        expected = [code.interleave * errors for errors in range(code.correctable_symbols + 1)]
        assert decoded.corrected.tolist() == expected

    @pytest.mark.parametrize("code", CODES)
    def test_reports_what_it_cannot_correct_and_leaves_it_as_it_came(self, code):
        rng = np.random.default_rng(7)
        data = frames(code, 40, seed=7)
        sent = encode_codeblocks(data, code)
        blocks = np.array([spoilt(b, code, code.correctable_symbols + 1, rng) for b in sent])
        blocks[3] = sent[3]
        decoded = decode_codeblocks(blocks, code)
        good = decoded.is_good.tolist()
        # Beyond its limit a code may find another codeword, with E = 8 once in 40,000.
        assert good == [index == 3 for index in range(40)]
        assert decoded.corrected[0] == UNCORRECTABLE
        assert (decoded.frames[3] == data[3]).all()
        assert (decoded.frames == blocks[:, : code.frame_octets]).all()

    def test_corrects_the_rest_of_a_codeblock_of_which_one_word_is_lost(self):
        code = ReedSolomonCode(interleave=4)
        rng = np.random.default_rng(8)
        data = frames(code, 1, seed=8)
        block = encode_codeblocks(data, code)[0]
        lost = spoilt(block[0::4], ReedSolomonCode(), 40, rng)
        block[0::4] = lost
        block[1::4] = spoilt(block[1::4], ReedSolomonCode(), 16, rng)
        decoded = decode_codeblocks(block[None, :], code)
        assert decoded.corrected.tolist() == [UNCORRECTABLE]
        for word in (1, 2, 3):
            assert (decoded.frames[0, word::4] == data[0, word::4]).all()

    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 2**32),
        errors=st.lists(st.tuples(st.integers(0, 254), st.integers(1, 255)), max_size=20),
        e=st.sampled_from([8, 16]),
    )
    def test_agrees_with_an_independent_decoder(self, seed, errors, e):
        code = ReedSolomonCode(correctable_symbols=e, dual_basis=False)
        block = encode_codeblocks(frames(code, 1, seed), code)[0]
        for place, change in errors:
            block[place] ^= change
        decoded = decode_codeblocks(block[None, :], code)
        try:
            wanted = bytes(oracle(code).decode(block.tobytes())[0])
        except reedsolo.ReedSolomonError:
            assert decoded.corrected.tolist() == [UNCORRECTABLE]
        else:
            assert decoded.frames[0].tobytes() == wanted

    def test_believes_no_error_in_the_virtual_fill(self):
        code = ReedSolomonCode(virtual_fill=200)
        full = ReedSolomonCode()
        block = np.zeros((1, 255), dtype=np.uint8)
        block[0, :200] = np.random.default_rng(9).integers(0, 256, 200)
        # A codeword whose first symbols are not zero, cut: the decoder would mend them.
        whole = encode_codeblocks(np.ascontiguousarray(block[:, : full.frame_octets]), full)
        decoded = decode_codeblocks(np.ascontiguousarray(whole[:, 200:]), code)
        assert decoded.corrected.tolist() == [UNCORRECTABLE]


class TestSettings:
    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"correctable_symbols": 4}, "4 correctable symbols; it is 8 or 16"),
            ({"interleave": 9}, "interleave depth 9 is outside 1 to 8"),
            ({"virtual_fill": 223}, "virtual fill of 223 symbols is outside 0 to 222"),
            ({"virtual_fill": -1}, "virtual fill of -1 symbols"),
        ],
    )
    def test_refuses_what_is_no_code(self, fields, message):
        with pytest.raises(ValueError, match=message):
            ReedSolomonCode(**fields)

    def test_refuses_blocks_of_another_length(self):
        code = ReedSolomonCode()
        with pytest.raises(ValueError, match="this code's have 255 octets"):
            decode_codeblocks(np.zeros((2, 254), dtype=np.uint8), code)
        with pytest.raises(ValueError, match="this code's have 223 octets"):
            encode_codeblocks(np.zeros((2, 224), dtype=np.uint8), code)


class TestRealCodeblocks:
    def test_finds_a_recorded_downlink_clean_and_mends_it_when_spoilt(self):
        recording = shared_vector("frames/snpp_7cadus_2vcids.dat").read_bytes()
        units = np.frombuffer(recording, dtype=np.uint8).reshape(7, 1024)
        blocks = derandomise_blocks(np.ascontiguousarray(units[:, 4:]))
        code = ReedSolomonCode(interleave=4)
        decoded = decode_codeblocks(blocks, code)
        assert decoded.corrected.tolist() == [0] * 7
        rng = np.random.default_rng(10)
        mended = decode_codeblocks(np.array([spoilt(b, code, 16, rng) for b in blocks]), code)
        assert (mended.frames == decoded.frames).all()
        assert mended.corrected.tolist() == [64] * 7

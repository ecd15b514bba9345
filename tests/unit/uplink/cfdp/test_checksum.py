from __future__ import annotations

import json
from itertools import pairwise
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import shared_vector
from uplink.cfdp import checksum as checksum_module
from uplink.cfdp.checksum import extend_checksum, file_checksum
from uplink.cfdp.codes import ChecksumType


def reader(content):
    return lambda offset, length: content[offset : offset + length]


def segments_of(content, cuts):
    edges = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    return [(start, content[start:end]) for start, end in pairwise(edges)]


class TestFileChecksum:
    def test_modular_agrees_with_yamcs(self):
        vectors = json.loads(shared_vector("frames/yamcs_test_arrays.json").read_text())
        expected = int(vectors["scalars"]["cfdp_modular_checksum(000102..0e)"], 16)
        content = bytes(range(0x0F))
        assert file_checksum(ChecksumType.MODULAR, reader(content), len(content)) == expected

    def test_modular_of_the_same_octets_by_hand(self):
        # 00010203 + 04050607 + 08090a0b + 0c0d0e00
        content = bytes(range(0x0F))
        assert file_checksum(ChecksumType.MODULAR, reader(content), 15) == 0x181C2015

    def test_modular_keeps_32_bits(self):
        assert file_checksum(ChecksumType.MODULAR, reader(b"\xff" * 8), 8) == 0xFFFFFFFE

    def test_crc_32_gives_the_check_value(self):
        assert file_checksum(ChecksumType.CRC_32, reader(b"123456789"), 9) == 0xCBF43926

    @pytest.mark.parametrize("checksum_type", ChecksumType)
    def test_of_an_empty_file_is_zero(self, checksum_type):
        assert file_checksum(checksum_type, reader(b""), 0) == 0

    def test_null_is_zero_whatever_the_file(self):
        assert file_checksum(ChecksumType.NULL, reader(b"abc"), 3) == 0

    def test_reads_a_long_file_in_pieces(self, monkeypatch):
        monkeypatch.setattr(checksum_module, "READ_OCTETS", 10)
        content = bytes(range(37))
        assert file_checksum(ChecksumType.CRC_32, reader(content), 37) == crc32(content)


class TestExtendChecksum:
    @given(
        content=st.binary(max_size=60),
        cuts=st.lists(st.integers(0, 60), max_size=6),
        seed=st.randoms(use_true_random=False),
    )
    def test_modular_takes_segments_in_any_order(self, content, cuts, seed):
        segments = segments_of(content, cuts)
        seed.shuffle(segments)
        checksum = 0
        for offset, data in segments:
            checksum = extend_checksum(ChecksumType.MODULAR, checksum, offset=offset, data=data)
        assert checksum == file_checksum(ChecksumType.MODULAR, reader(content), len(content))

    @given(content=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=6))
    def test_crc_32_takes_segments_in_order(self, content, cuts):
        checksum = 0
        for offset, data in segments_of(content, cuts):
            checksum = extend_checksum(ChecksumType.CRC_32, checksum, offset=offset, data=data)
        assert checksum == crc32(content)

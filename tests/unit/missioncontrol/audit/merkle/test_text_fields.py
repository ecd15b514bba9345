from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.text_fields import (
    read_base64,
    read_decimal,
    read_hash,
    show,
    write_base64,
)


class TestReadDecimal:
    @given(number=st.integers(0, 2**63 - 1))
    def test_reads_every_number_of_63_bits(self, number):
        assert read_decimal(str(number), field="size") == number

    @pytest.mark.parametrize("text", [str(2**63), "9" * 19, "9" * 5000, "00", "1\n", "1e3", ""])
    def test_refuses_what_is_larger_or_spelled_another_way(self, text):
        with pytest.raises(FormatError, match=r"size is .* it must be an ASCII decimal from 0 to"):
            read_decimal(text, field="size")


class TestReadBase64:
    @given(octets=st.binary(max_size=80))
    def test_reads_back_what_it_wrote(self, octets):
        assert read_base64(write_base64(octets), field="hash") == octets

    @given(text=st.text(st.sampled_from("Aa0+/-_= \n"), max_size=12))
    def test_takes_one_spelling_of_each_value(self, text):
        try:
            octets = read_base64(text, field="hash")
        except FormatError:
            return
        assert write_base64(octets) == text

    def test_refuses_letters_that_are_not_ascii(self):
        with pytest.raises(FormatError, match="hash is not base64"):
            read_base64("\uff21AAA", field="hash")

    def test_says_how_long_a_hash_is(self):
        assert read_hash(write_base64(b"h" * 32), field="root") == b"h" * 32
        with pytest.raises(FormatError, match="root has 33 octets; a hash has 32"):
            read_hash(write_base64(b"h" * 33), field="root")


class TestShow:
    def test_escapes_and_shortens_hostile_text(self):
        assert show("\x1b[2J\u202e") == r"'\x1b[2J\u202e'"
        assert show("x" * 100) == f"'{'x' * 60}'… (100 characters)"

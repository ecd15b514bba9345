from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.console.presentation.packets import (
    MOST_SHOWN_OCTETS,
    field_rows,
    hex_lines,
    place_text,
)
from telemetry.selectors import ExaminedField


def field(offset_bits: int, size_bits: int, **more) -> ExaminedField:
    told = {"name": "P", "description": "", "unit": "degC", "raw": 7, "value": 0.0} | more
    return ExaminedField(offset_bits=offset_bits, size_bits=size_bits, **told)


class TestHexLines:
    @given(octets=st.binary(max_size=70))
    def test_hold_every_octet_in_lines_of_sixteen(self, octets):
        lines = hex_lines(octets)
        digits = "".join(octet.digits for line in lines for octet in line.octets)
        assert bytes.fromhex(digits) == octets
        assert [int(line.offset, 16) for line in lines] == list(range(0, len(octets), 16))
        assert all(len(line.octets) + line.padding == 16 for line in lines)

    def test_show_text_where_it_is_one(self):
        [line] = hex_lines(b"A\0~\x7f ")
        assert [octet.character for octet in line.octets] == ["A", "·", "~", "·", " "]

    def test_mark_the_octets_of_each_field_and_those_that_several_share(self):
        fields = [field(0, 12), field(12, 4), field(24, 8), field(40, 8), field(20, 0)]
        [line] = hex_lines(bytes(5), fields)
        assert [octet.fields for octet in line.octets] == ["0", "0 1", "", "2", ""]
        assert [octet.mark for octet in line.octets] == ["even", "shared", "", "even", ""]

    def test_end_where_a_page_would_become_too_long(self):
        lines = hex_lines(bytes(65_542), [field(0, 65_542 * 8)])
        assert sum(len(line.octets) for line in lines) == MOST_SHOWN_OCTETS


@pytest.mark.parametrize(
    ("offset_bits", "size_bits", "text"),
    [
        (96, 8, "12"),
        (96, 16, "12…13"),
        (5, 11, "0.5…1.7"),
        (3, 1, "0.3"),
        (8, 3, "1.0…1.2"),
        (0, 0, ""),
    ],
)
def test_a_place_is_told_in_octets_and_only_where_it_must_in_bits(offset_bits, size_bits, text):
    assert place_text(offset_bits, size_bits) == text


def test_rows_tell_a_zero_and_leave_empty_what_is_not_known():
    zero, unknown = field_rows([field(0, 8), field(8, 8, raw=None, value=None)])
    assert (zero.number, zero.raw, zero.value, zero.unit) == (0, "7", "0.0", "°C")
    assert (unknown.number, unknown.raw, unknown.value) == (1, "", "")


def test_rows_cut_what_is_too_long_to_read():
    [row] = field_rows([field(0, 8000, raw="ab" * 1000, value="x")])
    assert (len(row.raw), row.raw[-1]) == (65, "…")

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.clcw import Clcw, ClcwError, decode_clcw

clcws = st.builds(
    Clcw,
    virtual_channel_id=st.integers(0, 63),
    lockout=st.booleans(),
    wait=st.booleans(),
    retransmit=st.booleans(),
    no_rf_available=st.booleans(),
    no_bit_lock=st.booleans(),
    farm_b_counter=st.integers(0, 3),
    report_value=st.integers(0, 255),
    status_field=st.integers(0, 7),
    cop_in_effect=st.integers(0, 3),
)


def clcw(**fields):
    quiet = {
        "virtual_channel_id": 0,
        "lockout": False,
        "wait": False,
        "retransmit": False,
        "farm_b_counter": 0,
        "report_value": 0,
    }
    return Clcw(**(quiet | fields))


class TestClcw:
    @given(report=clcws)
    def test_decodes_to_what_was_encoded(self, report):
        assert decode_clcw(report.encode()) == report

    @pytest.mark.parametrize(
        ("fields", "octets"),
        [
            ({}, "01000000"),
            ({"status_field": 7}, "1d000000"),
            ({"virtual_channel_id": 63}, "01fc0000"),
            ({"no_rf_available": True}, "01008000"),
            ({"no_bit_lock": True}, "01004000"),
            ({"lockout": True}, "01002000"),
            ({"wait": True}, "01001000"),
            ({"retransmit": True}, "01000800"),
            ({"farm_b_counter": 3}, "01000600"),
            ({"report_value": 255}, "010000ff"),
        ],
    )
    def test_puts_each_field_where_the_book_says(self, fields, octets):
        assert clcw(**fields).encode().hex() == octets

    @pytest.mark.parametrize(
        ("octets", "text"),
        [
            ("010000", "a CLCW has 4 octets, 3 are present"),
            ("81000000", r"control word type 1, expected 0 \(CLCW\): 81000000"),
            ("21000000", "CLCW version 1, expected 0"),
            ("01020000", "reserved bits of the CLCW are set: 01020000"),
            ("01000100", "reserved bits of the CLCW are set: 01000100"),
        ],
    )
    def test_refuses_what_is_no_clcw(self, octets, text):
        with pytest.raises(ClcwError, match=text):
            decode_clcw(bytes.fromhex(octets))

    def test_refuses_to_encode_a_field_out_of_range(self):
        with pytest.raises(ClcwError, match="virtual channel 64 is outside 0 to 63"):
            clcw(virtual_channel_id=64).encode()

    @given(octets=st.binary(max_size=6))
    def test_noise_is_a_clcw_or_a_clcw_error(self, octets):
        try:
            report = decode_clcw(octets)
        except ClcwError:
            return
        assert report.encode() == octets

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.crc import crc16_ccitt


class TestCrc16Ccitt:
    def test_gives_the_check_value_of_the_catalogue(self):
        assert crc16_ccitt(b"123456789") == 0x29B1

    def test_agrees_with_yamcs(self):
        assert crc16_ccitt(bytes.fromhex("06000cf0000400558873c900000521")) == 0x75FB

    @given(data=st.binary(max_size=200))
    def test_is_zero_over_data_and_its_own_crc(self, data):
        assert crc16_ccitt(data + crc16_ccitt(data).to_bytes(2, "big")) == 0

    @given(data=st.binary(min_size=1, max_size=200), bit=st.integers(0, 1599))
    def test_sees_every_single_wrong_bit(self, data, bit):
        bit %= 8 * len(data)
        spoilt = (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")
        assert crc16_ccitt(spoilt) != crc16_ccitt(data)

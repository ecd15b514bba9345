from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dictionary import compile_dictionary, engineering, parse_xtce, raw_values
from tests.unit.telemetry.dictionary import bits


def decoded(type_xml: str, fields: list[str], *, skip: int = 0):
    """Return the dictionary's parameter and its column, from fields written as bits."""
    dictionary = parse_xtce(bits.single_field(type_xml, skip_bits=skip))
    packets = [bits.packed("1" * skip, field, "1" * 7) for field in fields]
    [batch] = compile_dictionary(dictionary).decode(packets).batches
    return dictionary.parameters["P"], batch.columns["P"]


def float_type(size: int, form: str, order: str = "") -> str:
    attribute = f' byteOrder="{order}"' if order else ""
    return (
        f'<FloatParameterType name="t"><FloatDataEncoding sizeInBits="{size}" encoding="{form}"'
        f"{attribute}/></FloatParameterType>"
    )


class TestSignedForms:
    @given(data=st.data(), size=st.integers(2, 64), skip=st.integers(0, 17))
    def test_reads_back_ones_complement(self, data, size, skip):
        most = (1 << (size - 1)) - 1
        values = data.draw(st.lists(st.integers(-most, most), min_size=1, max_size=5))
        fields = [bits.unsigned(v if v >= 0 else (1 << size) - 1 + v, size) for v in values]
        type_xml = bits.integer_type("t", size, encoding="onesComplement")
        assert decoded(type_xml, fields, skip=skip)[1].tolist() == values

    @given(data=st.data(), size=st.integers(2, 64), skip=st.integers(0, 17))
    def test_reads_back_sign_and_magnitude(self, data, size, skip):
        most = (1 << (size - 1)) - 1
        values = data.draw(st.lists(st.integers(-most, most), min_size=1, max_size=5))
        fields = [("1" if v < 0 else "0") + bits.unsigned(abs(v), size - 1) for v in values]
        type_xml = bits.integer_type("t", size, encoding="signMagnitude")
        assert decoded(type_xml, fields, skip=skip)[1].tolist() == values

    @pytest.mark.parametrize("encoding", ["onesComplement", "signMagnitude"])
    def test_reads_both_zeros_as_zero(self, encoding):
        minus_zero = "1" * 8 if encoding == "onesComplement" else "1" + "0" * 7
        type_xml = bits.integer_type("t", 8, encoding=encoding)
        assert decoded(type_xml, [minus_zero, "0" * 8])[1].tolist() == [0, 0]


class TestByteOrders:
    @given(data=st.data(), octets=st.integers(1, 8), skip=st.integers(0, 9))
    def test_reads_back_any_order_of_octets(self, data, octets, skip):
        order = data.draw(st.permutations(range(octets)))
        value = data.draw(st.integers(0, (1 << 8 * octets) - 1))
        field = "".join(bits.unsigned(value >> 8 * place & 0xFF, 8) for place in order)
        listed = ",".join(map(str, order))
        _, column = decoded(bits.integer_type("t", 8 * octets, order=listed), [field], skip=skip)
        assert column.tolist() == [value]

    def test_reads_the_example_of_the_standard(self):
        # OMG XTCE 1.2, ByteOrderArbitraryType: 0x0A0B0C0D by its two usual orders.
        for listed, octets in (("3,2,1,0", b"\x0a\x0b\x0c\x0d"), ("0,1,2,3", b"\x0d\x0c\x0b\x0a")):
            _, column = decoded(bits.integer_type("t", 32, order=listed), [bits.octets(octets)])
            assert column.tolist() == [0x0A0B0C0D]

    def test_reads_floats_of_a_middle_endian_machine(self):
        field = bits.real(-2.5, 32)
        swapped = field[16:] + field[:16]  # the words of a PDP-11: 1,0,3,2
        _, column = decoded(float_type(32, "IEEE754", "1,0,3,2"), [swapped])
        assert column.tolist() == [-2.5]


class TestWideIntegers:
    @given(
        data=st.data(), size=st.integers(65, 200), skip=st.integers(0, 17), count=st.integers(1, 4)
    )
    def test_reads_back_more_than_64_bits(self, data, size, skip, count):
        values = [data.draw(st.integers(0, (1 << size) - 1)) for _ in range(count)]
        fields = [bits.unsigned(value, size) for value in values]
        parameter, column = decoded(bits.integer_type("t", size), fields, skip=skip)
        assert engineering(parameter, column).tolist() == values
        assert raw_values(parameter, column).tolist() == values


class TestHalfFloats:
    @given(value=st.floats(width=16), skip=st.integers(0, 9))
    def test_reads_back_every_bit_pattern(self, value, skip):
        import struct

        _, column = decoded(
            float_type(16, "IEEE754"), [bits.octets(struct.pack(">e", value))], skip=skip
        )
        [got] = column.tolist()
        assert got == value or (math.isnan(got) and math.isnan(value))


# MIL-STD-1750A, tables of floating point and extended floating point examples.
PUBLISHED_1750A = [
    (32, "7fffff7f", math.ldexp(0.9999998807907104, 127)),
    (32, "4000007f", math.ldexp(0.5, 127)),
    (32, "50000005", 0.625 * 2**5),
    (32, "40000001", 1.0),
    (32, "40000000", 0.5),
    (32, "400000ff", 0.25),
    (32, "40000080", math.ldexp(0.5, -128)),
    (32, "00000000", 0.0),
    (32, "80000000", -1.0),
    (32, "bfffff80", math.ldexp(-0.5000001192092896, -128)),
    (32, "9fffff04", -12.000001907348633),
    (48, "4000007f0000", math.ldexp(0.5, 127)),
    (48, "400000000000", 0.5),
    (48, "400000ff0000", 0.25),
    (48, "800000000000", -1.0),
    (48, "a00000ff0000", -0.375),
]


class TestMilStd1750a:
    @pytest.mark.parametrize(("size", "octets", "value"), PUBLISHED_1750A)
    def test_reads_the_examples_of_the_standard(self, size, octets, value):
        field = bits.octets(bytes.fromhex(octets))
        _, column = decoded(float_type(size, "MILSTD_1750A"), [field])
        assert column.tolist() == [value]

    @given(
        mantissa=st.integers(-(1 << 39), (1 << 39) - 1),
        exponent=st.integers(-128, 127),
        skip=st.integers(0, 9),
    )
    def test_reads_back_extended_numbers_exactly(self, mantissa, exponent, skip):
        whole = bits.signed(mantissa, 40)
        field = whole[:24] + bits.signed(exponent, 8) + whole[24:]
        _, column = decoded(float_type(48, "MILSTD_1750A"), [field], skip=skip)
        assert column.tolist() == [math.ldexp(mantissa, exponent - 39)]

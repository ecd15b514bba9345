from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dictionary import engineering
from telemetry.dictionary.model import (
    BinaryEncoding,
    EnumerationLabel,
    FloatEncoding,
    IntegerEncoding,
    Parameter,
    ParameterType,
    PolynomialCalibrator,
    StringEncoding,
    TimeScale,
    TypeKind,
)

U16 = IntegerEncoding(size_bits=16)


def parameter(kind: TypeKind, encoding, **fields) -> Parameter:
    return Parameter(
        name="P",
        qualified_name="/Craft/P",
        subsystem="Craft",
        type=ParameterType(name="t", kind=kind, encoding=encoding, **fields),
    )


def test_leaves_integers_without_a_calibrator_as_they_are():
    raw = np.array([0, 2**64 - 1], dtype=np.uint64)
    values = engineering(parameter(TypeKind.INTEGER, IntegerEncoding(size_bits=64)), raw)
    assert values.tolist() == [0, 2**64 - 1]


def test_makes_floats_of_integers_where_the_type_is_float():
    values = engineering(parameter(TypeKind.FLOAT, U16), np.array([3], dtype=np.uint16))
    assert values.dtype == np.float64


@given(
    coefficients=st.lists(st.integers(-1000, 1000), min_size=1, max_size=5),
    raw=st.lists(st.integers(0, 500), min_size=1, max_size=10),
)
def test_evaluates_the_polynomial(coefficients, raw):
    calibrated = parameter(
        TypeKind.FLOAT, U16, calibrator=PolynomialCalibrator(tuple(map(float, coefficients)))
    )
    values = engineering(calibrated, np.array(raw, dtype=np.uint16))
    # Whole numbers of this size are exact in double precision.
    assert values.tolist() == [sum(c * x**i for i, c in enumerate(coefficients)) for x in raw]


def test_survives_floats_that_overflow():
    wild = parameter(
        TypeKind.FLOAT, FloatEncoding(size_bits=64), calibrator=PolynomialCalibrator((0, 0, 1.0))
    )
    values = engineering(wild, np.array([1e300, np.nan, np.inf]))
    assert values[0] == np.inf
    assert np.isnan(values[1])


def test_labels_enumerations_with_ranges_and_names_the_unknown():
    mode = parameter(
        TypeKind.ENUMERATED,
        U16,
        labels=(
            EnumerationLabel(value=0, max_value=0, label="OFF"),
            EnumerationLabel(value=4, max_value=7, label="BOOTING"),
        ),
    )
    values = engineering(mode, np.array([0, 4, 7, 8], dtype=np.uint16))
    assert values.tolist() == ["OFF", "BOOTING", "BOOTING", "UNKNOWN 8"]


def test_names_both_sides_of_a_boolean():
    heater = parameter(TypeKind.BOOLEAN, U16, one_label="ON", zero_label="OFF")
    values = engineering(heater, np.array([0, 1, 2], dtype=np.uint16))
    assert values.tolist() == ["OFF", "ON", "ON"]


@pytest.mark.parametrize(
    ("terminator", "text"), [(None, "AB\0C"), (b"\0", "AB"), (b"C", "AB\0"), (b"X", "AB\0C")]
)
def test_ends_a_string_at_its_terminator(terminator, text):
    encoding = StringEncoding(size_bits=32, terminator=terminator)
    raw = np.frombuffer(b"AB\0C", dtype="V4")
    assert engineering(parameter(TypeKind.STRING, encoding), raw).tolist() == [text]


def test_replaces_octets_that_the_character_set_does_not_know():
    raw = np.frombuffer(b"A\xff", dtype="V2")
    encoding = StringEncoding(size_bits=16, charset="US-ASCII")
    assert engineering(parameter(TypeKind.STRING, encoding), raw).tolist() == ["A\ufffd"]


def test_keeps_binaries_whole():
    raw = np.frombuffer(b"\0\1\2\0", dtype="V2")
    values = engineering(parameter(TypeKind.BINARY, BinaryEncoding(size_bits=16)), raw)
    assert values.tolist() == [b"\0\1", b"\2\0"]


class TestAbsoluteTime:
    @given(
        instant=st.datetimes(
            min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
            max_value=datetime(2099, 12, 31),  # noqa: DTZ001
        )
    )
    def test_reads_a_clock_of_seconds_and_sixteen_bits_to_its_tick(self, instant):
        epoch = datetime(2000, 1, 1, tzinfo=UTC)
        since = instant.replace(tzinfo=UTC) - epoch
        ticks = (since.days * 86400 + since.seconds) * 65536 + since.microseconds * 65536 // 10**6
        clock = parameter(
            TypeKind.ABSOLUTE_TIME,
            IntegerEncoding(size_bits=48),
            time_scale=TimeScale(epoch=epoch, scale=1 / 65536),
        )
        [value] = engineering(clock, np.array([ticks], dtype=np.uint64))
        # One tick is 15.3 us, so the instant lies within the next one.
        assert 0 <= (np.datetime64(instant, "us") - value).astype(int) <= 16

    def test_says_not_a_time_where_the_number_is_none(self):
        clock = parameter(
            TypeKind.ABSOLUTE_TIME,
            FloatEncoding(size_bits=64),
            time_scale=TimeScale(epoch=datetime(2000, 1, 1, tzinfo=UTC), offset_s=10.0),
        )
        values = engineering(clock, np.array([0.5, np.nan, 1e300]))
        assert values[0] == np.datetime64("2000-01-01T00:00:10.500000")
        assert np.isnat(values[1:]).all()

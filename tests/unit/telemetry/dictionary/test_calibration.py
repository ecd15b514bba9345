from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import astropy_iers_data
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds import leap_seconds
from telemetry.dictionary import engineering
from telemetry.dictionary.expression_language import parse_expression
from telemetry.dictionary.model import (
    BinaryEncoding,
    EnumerationLabel,
    FloatEncoding,
    IntegerEncoding,
    MathCalibrator,
    Parameter,
    ParameterType,
    PolynomialCalibrator,
    SplineCalibrator,
    StringEncoding,
    ThisValue,
    TimeBasis,
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


def spline(orders: tuple[int, ...], *, extrapolate: bool) -> Parameter:
    calibrator = SplineCalibrator(
        raw=(0.0, 10.0, 20.0),
        calibrated=(0.0, 100.0, 50.0),
        orders=orders,
        extrapolate=extrapolate,
    )
    return parameter(TypeKind.FLOAT, FloatEncoding(size_bits=64), calibrator=calibrator)


class TestSpline:
    @pytest.mark.parametrize(
        ("orders", "extrapolate", "wanted"),
        [
            ((1, 1, 1), True, [-10.0, 0.0, 50.0, 100.0, 75.0, 50.0, 45.0]),
            ((1, 1, 1), False, [np.nan, 0.0, 50.0, 100.0, 75.0, 50.0, np.nan]),
            ((0, 0, 0), True, [0.0, 0.0, 0.0, 100.0, 100.0, 50.0, 50.0]),
            ((0, 1, 0), False, [np.nan, 0.0, 0.0, 100.0, 75.0, 50.0, np.nan]),
        ],
    )
    def test_draws_lines_and_steps_between_points(self, orders, extrapolate, wanted):
        raw = np.array([-1.0, 0.0, 5.0, 10.0, 15.0, 20.0, 21.0])
        values = engineering(spline(orders, extrapolate=extrapolate), raw)
        np.testing.assert_allclose(values, wanted)

    def test_has_no_value_for_no_number(self):
        values = engineering(spline((1, 1, 1), extrapolate=True), np.array([np.nan]))
        assert np.isnan(values).all()


def test_evaluates_a_closed_expression_of_the_raw_value():
    expression = parse_expression("if(x > 10, x ^ 2, -x)", {"x": ThisValue()})
    squared = parameter(TypeKind.FLOAT, U16, calibrator=MathCalibrator(expression))
    assert engineering(squared, np.array([3, 11], dtype=np.uint16)).tolist() == [-3.0, 121.0]


class TestTexts:
    def test_takes_as_many_octets_as_the_leading_size_says_and_no_more_than_there_are(self):
        encoding = StringEncoding(size_bits=32, leading_size_bits=8)
        raw = np.frombuffer(b"\x10abc\xf8abc\x00abc", dtype="V4")
        texts = engineering(parameter(TypeKind.STRING, encoding), raw).tolist()
        assert texts == ["ab", "abc", ""]

    def test_ends_a_wide_text_at_a_whole_character(self):
        encoding = StringEncoding(size_bits=64, charset="UTF-16BE", terminator=b"\0\0")
        raw = np.frombuffer("A\u0100\0B".encode("utf-16-be"), dtype="V8")
        assert engineering(parameter(TypeKind.STRING, encoding), raw).tolist() == ["A\u0100"]


class TestScalesThatCountLeapSeconds:
    def test_reads_an_atomic_clock_across_a_leap_second(self):
        clock = parameter(
            TypeKind.ABSOLUTE_TIME,
            IntegerEncoding(size_bits=64),
            time_scale=TimeScale(epoch=datetime(1958, 1, 1, tzinfo=UTC), basis=TimeBasis.TAI),
        )
        # IERS Bulletin C 52: after 2016-12-31T23:59:60 UTC, TAI - UTC is 37 s.
        new_year = (datetime(2017, 1, 1, tzinfo=UTC) - datetime(1958, 1, 1, tzinfo=UTC)).days
        ticks = np.array([new_year * 86400 + s for s in (35, 36, 37, 38)], dtype=np.uint64)
        assert engineering(clock, ticks).astype(str).tolist() == [
            "2016-12-31T23:59:59.000000",
            "2017-01-01T00:00:00.000000",  # the leap second itself
            "2017-01-01T00:00:00.000000",
            "2017-01-01T00:00:01.000000",
        ]

    def test_has_the_leap_seconds_of_the_earth_orientation_data(self):
        listed = [
            line.split()
            for line in Path(astropy_iers_data.IERS_LEAP_SECOND_FILE).read_text().splitlines()
            if line.strip() and not line.startswith("#")
        ]
        for _mjd, day, month, year, difference_s in listed:
            at = np.datetime64(f"{year}-{int(month):02}-{int(day):02}", "us").astype(np.int64)
            assert leap_seconds.tai_minus_utc_s(np.array([at])).tolist() == [int(difference_s)]
        assert len(leap_seconds.LEAPS_UTC_US) == len(listed) - 1

    @given(seconds=st.integers(0, 2**31))
    def test_goes_there_and_back(self, seconds):
        utc_us = np.array([seconds * 1_000_000])
        tai_us = utc_us + leap_seconds.tai_minus_utc_s(utc_us) * 1_000_000
        assert leap_seconds.utc_us_of_tai(tai_us).tolist() == utc_us.tolist()


def test_scales_a_relative_time_to_seconds():
    span = parameter(TypeKind.RELATIVE_TIME, U16, time_scale=TimeScale(scale=0.5, offset_s=2.0))
    assert engineering(span, np.array([0, 3], dtype=np.uint16)).tolist() == [2.0, 3.5]


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

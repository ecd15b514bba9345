from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from telemetry.dictionary import engineering
from telemetry.dictionary.model import (
    AlarmRange,
    ChangeAlarm,
    ConcernLevel,
    FloatEncoding,
    IntegerEncoding,
    NumericAlarm,
    Parameter,
    ParameterType,
    PolynomialCalibrator,
    SplineCalibrator,
    TypeKind,
)
from telemetry.limits import LimitMemory, NominalScreen, check_limits, definition_of
from telemetry.limits.screening import nominal_raw_range

WATCH = AlarmRange(level=ConcernLevel.WATCH, minimum=-5.0, maximum=60.0)
CRITICAL = AlarmRange(level=ConcernLevel.CRITICAL, minimum=-20.0, maximum=50.0)


def parameter(name: str = "T", *, calibrator=None, bits: int = 16, **alarm) -> Parameter:
    kind = ParameterType(
        name="temperature",
        kind=TypeKind.FLOAT,
        encoding=IntegerEncoding(size_bits=bits) if bits < 32 else FloatEncoding(size_bits=bits),
        calibrator=calibrator,
        alarm=NumericAlarm(**{"ranges": (WATCH, CRITICAL), **alarm}),
    )
    return Parameter(name=name, qualified_name=f"/{name}", subsystem="thermal", type=kind)


def range_of(one: Parameter):
    return nominal_raw_range(definition_of(one), one)


limits = st.floats(-1e6, 1e6)


class TestNominalRawRange:
    def test_is_where_all_ranges_agree_in_raw_numbers(self):
        falling = parameter(calibrator=PolynomialCalibrator((100.0, -0.5)))
        assert range_of(falling) == pytest.approx((100, 210))

    def test_leaves_out_what_the_hysteresis_would_hold_back(self):
        low, high = range_of(parameter(hysteresis=2.0))
        assert (low, high) == pytest.approx((-3, 48))

    @pytest.mark.parametrize(
        "change",
        [
            {"changes": (ChangeAlarm(ranges=(WATCH,)),)},
            {"ranges": (AlarmRange(level=ConcernLevel.WATCH, maximum=3.0, alarm_inside=True),)},
            {"calibrator": SplineCalibrator(raw=(0, 1), calibrated=(0, 1), orders=(1, 1))},
            {"calibrator": PolynomialCalibrator((1.0, 2.0, 3.0))},
            {"calibrator": PolynomialCalibrator((1.0,))},
        ],
    )
    def test_is_not_known_where_more_than_a_value_on_a_line_decides(self, change):
        assert range_of(parameter(**change)) is None

    @given(
        ends=st.tuples(limits, limits),
        line=st.tuples(limits, limits),
        hysteresis=st.floats(0, 10),
        place=st.floats(0, 1),
    )
    def test_holds_only_values_that_a_full_check_leaves_at_rest(
        self, ends, line, hysteresis, place
    ):
        one = parameter(
            bits=64,
            calibrator=PolynomialCalibrator(line),
            ranges=(AlarmRange(level=ConcernLevel.WATCH, minimum=min(ends), maximum=max(ends)),),
            hysteresis=hysteresis,
        )
        found = range_of(one)
        assume(found is not None and all(map(math.isfinite, found)) and found[0] < found[1])
        low, high = found
        raw = np.nextafter(np.array([low, high, low + place * (high - low)]), [high, low, high])
        raw = raw[(raw > low) & (raw < high)]
        checked = check_limits(definition_of(one), engineering(one, raw), LimitMemory())
        assert not checked.states.any()
        assert checked.memory.is_at_rest


class TestNominalScreen:
    def screen(self, *parameters: Parameter) -> NominalScreen:
        screen = NominalScreen()
        for one in parameters:
            screen.add(definition_of(one), one)
        return screen

    def test_tells_columns_apart_that_hold_one_doubtful_value(self):
        screen = self.screen(parameter("A"), parameter("B"), parameter("C", bits=32))
        columns = {
            "A": np.array([1, 2, 3], dtype=np.uint16),
            "B": np.array([1, 50, 3], dtype=np.uint16),  # on the limit
            "C": np.array([0.5, 1.5, -4.5], dtype=np.float32),
            "D": np.array([1, 2, 3], dtype=np.uint16),  # has no limits
        }
        assert screen.nominal(columns) == {"A", "C"}

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_is_not_certain_of_what_is_no_number(self, value):
        screen = self.screen(parameter("C", bits=32, ranges=()))
        assert screen.nominal({"C": np.array([1.0], dtype=np.float32)}) == {"C"}
        assert not screen.nominal({"C": np.array([1.0, value], dtype=np.float32)})

    def test_takes_a_parameter_that_comes_to_be_known_later(self):
        screen = self.screen(parameter("A"))
        columns = {name: np.array([7], dtype=np.uint16) for name in "AB"}
        assert screen.nominal(columns) == {"A"}
        screen.add(definition_of(parameter("B")), parameter("B"))
        assert screen.nominal(columns) == {"A", "B"}

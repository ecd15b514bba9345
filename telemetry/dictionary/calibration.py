"""Raw columns in, engineering values out.

The archive keeps raw values and calibrates on read, so this is called both
when telemetry arrives and when history is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.leap_seconds import utc_us_of_tai
from telemetry.dictionary.columns import Column, octets_of
from telemetry.dictionary.evaluation import evaluate
from telemetry.dictionary.model import (
    Calibrator,
    EnumerationLabel,
    IntegerEncoding,
    MathCalibrator,
    Parameter,
    ParameterInstance,
    ParameterType,
    PolynomialCalibrator,
    SplineCalibrator,
    StringEncoding,
    TimeBasis,
    TimeScale,
    TypeKind,
)
from telemetry.dictionary.model.calibrators import instances_of

Values = npt.NDArray[np.float64]

_MICROSECONDS: Final = 1_000_000
_UNIX_EPOCH: Final = np.datetime64("1970-01-01", "us")
# Beyond these a time does not fit a datetime64[us] near the epoch; NaT says so.
_TIME_LIMIT_S: Final = 9.0e12
_WORD_BITS: Final = 64
_TABLED_DTYPES: Final = (np.dtype("u1"), np.dtype("u2"))


def is_computed(kind: ParameterType) -> bool:
    """Say whether engineering values depend on other parameters too.

    The values of such a type are kept calibrated, because what a raw value meant cannot
    be told from it alone later.
    """
    scale = kind.time_scale
    if scale is not None and scale.offset_from is not None:
        return True
    return any(True for _ in instances_of(kind.calibrator, kind.context_calibrators))


def straight_line(kind: ParameterType) -> tuple[float, float] | None:
    """Return (gain, offset) where engineering values are a straight line of raw numbers."""
    calibrator = kind.calibrator
    is_number = kind.kind in (TypeKind.INTEGER, TypeKind.FLOAT)
    is_wide = isinstance(kind.encoding, IntegerEncoding) and kind.encoding.size_bits > _WORD_BITS
    if not is_number or is_wide or kind.context_calibrators or is_computed(kind):
        return None
    if calibrator is None:
        return 1.0, 0.0
    if isinstance(calibrator, PolynomialCalibrator) and len(calibrator.coefficients) <= 2:
        offset, *gain = calibrator.coefficients
        return gain[0] if gain else 0.0, offset
    return None


def engineering(parameter: Parameter, raw: Column) -> Column:
    """Return the engineering values of a raw column.

    Args:
        parameter: Whose values these are.
        raw: Raw values, shape (n,), as decoded or as read from the archive.

    Returns:
        Shape (n,): ``float64`` where a calibrator or a float type applies,
        the integers themselves otherwise (of more than 64 bits: ``int`` objects); labels
        (``str``) of enumerations and booleans, where a value without a label reads
        ``UNKNOWN 7``; ``str`` of strings, octets that the character set does not know as
        U+FFFD; ``bytes`` (object) of binaries; ``datetime64[us]`` (UTC) of absolute
        times; seconds of relative ones.
    """
    # The sky may send any bit pattern as a float; overflow or NaN is then the value.
    with np.errstate(over="ignore", invalid="ignore"):
        return _BY_KIND[parameter.type.kind](parameter.type, raw)


def raw_values(parameter: Parameter, raw: Column) -> Column:
    """Return the raw values as people read them: numbers, or octets without padding."""
    encoding = parameter.type.encoding
    if raw.dtype.kind != "V" or encoding is None:
        return raw
    if isinstance(encoding, IntegerEncoding):
        return _wide_integers(raw)
    return _objects(octets_of(encoding, raw))


def calibrated(
    calibrator: Calibrator | None,
    raw: Column,
    look_up: Callable[[ParameterInstance], Values] | None = None,
) -> Values:
    """Return the values that a calibrator gives, in double precision; without one, as they are.

    Args:
        calibrator: Of numbers.
        raw: Raw numbers.
        look_up: Values of other parameters, for an expression that names some.
    """
    x = raw.astype(np.float64)
    if isinstance(calibrator, PolynomialCalibrator):
        return _polynomial(calibrator, x)
    if isinstance(calibrator, SplineCalibrator):
        return _spline(calibrator, x)
    if isinstance(calibrator, MathCalibrator):
        return evaluate(calibrator.expression, count=len(x), this=x, look_up=look_up)
    return x


def _polynomial(calibrator: PolynomialCalibrator, x: Values) -> Values:
    """Evaluate by Horner's rule in double precision."""
    result = np.full(len(x), calibrator.coefficients[-1], dtype=np.float64)
    for coefficient in calibrator.coefficients[-2::-1]:
        result *= x
        result += coefficient
    return result


def _spline(spline: SplineCalibrator, x: Values) -> Values:
    """Take the stretch that each value lies in, a step or a straight line."""
    raw, values = np.array(spline.raw), np.array(spline.calibrated)
    stretch = np.clip(np.searchsorted(raw, x, side="right") - 1, 0, len(raw) - 2)
    slopes = np.where(np.array(spline.orders[:-1]) == 1, np.diff(values) / np.diff(raw), 0.0)
    result: Values = values[stretch] + slopes[stretch] * (x - raw[stretch])
    # A last point that begins a step of its own, and the end of the last line, exactly.
    beyond = x >= raw[-1] if spline.orders[-2] == 0 else x == raw[-1]
    result[beyond] = values[-1]
    if not spline.extrapolate:
        result[(x < raw[0]) | (x > raw[-1])] = np.nan
    result[np.isnan(x)] = np.nan
    return result


def _integer(kind: ParameterType, raw: Column) -> Column:
    if raw.dtype.kind == "V":
        return _wide_integers(raw)
    if kind.calibrator is None or is_computed(kind):
        return raw
    return calibrated(kind.calibrator, raw)


def _float(kind: ParameterType, raw: Column) -> Column:
    if raw.dtype.kind == "V":
        return _wide_integers(raw).astype(np.float64)
    return calibrated(None if is_computed(kind) else kind.calibrator, raw)


def _wide_integers(raw: Column) -> Column:
    return _objects([int.from_bytes(bytes(value), "big") for value in raw])


def _objects(values: list[Any]) -> Column:
    result = np.empty(len(values), dtype=object)  # a fixed-width str_ would cut trailing NULs
    result[:] = values
    return result


def _enumerated(kind: ParameterType, raw: Column) -> Column:
    if raw.dtype in _TABLED_DTYPES:
        return _label_table(kind.labels, raw.dtype.str)[raw]
    # Look each distinct value up once.
    values, where = np.unique(raw, return_inverse=True)
    return np.array([_label_of(kind.labels, int(v)) for v in values], dtype=np.str_)[where]


@lru_cache(maxsize=1024)
def _label_table(labels: tuple[EnumerationLabel, ...], dtype: str) -> Column:
    """Return the label of every value of a small type."""
    count = int(np.iinfo(dtype).max) + 1
    table = np.array([f"UNKNOWN {value}" for value in range(count)], dtype=object)
    for label in labels:
        table[max(label.value, 0) : label.max_value + 1] = label.label
    return table.astype(np.str_)


def _label_of(labels: tuple[EnumerationLabel, ...], value: int) -> str:
    for label in labels:
        if label.value <= value <= label.max_value:
            return label.label
    return f"UNKNOWN {value}"


def _boolean(kind: ParameterType, raw: Column) -> Column:
    return np.where(raw != 0, kind.one_label, kind.zero_label)


def _string(kind: ParameterType, raw: Column) -> Column:
    encoding = kind.encoding
    assert isinstance(encoding, StringEncoding)
    return _objects([_text(encoding, octets) for octets in octets_of(encoding, raw)])


def _text(encoding: StringEncoding, octets: bytes) -> str:
    if encoding.leading_size_bits:
        tag = encoding.leading_size_bits // 8
        # A size beyond the field is cut to it: the field's own size was agreed.
        octets = octets[tag : tag + int.from_bytes(octets[:tag], "big") // 8]
    elif encoding.terminator is not None:
        octets = _before(octets, encoding.terminator)
    return octets.decode(encoding.charset, errors="replace")


def _before(octets: bytes, terminator: bytes) -> bytes:
    """Return what stands before a terminator, which begins where a character does."""
    at = octets.find(terminator)
    while at > 0 and at % len(terminator):
        at = octets.find(terminator, at + 1)
    return octets if at < 0 else octets[:at]


def _binary(kind: ParameterType, raw: Column) -> Column:
    assert kind.encoding is not None
    return _objects(octets_of(kind.encoding, raw))


def _relative_time(kind: ParameterType, raw: Column) -> Column:
    scale = kind.time_scale
    assert scale is not None
    return raw.astype(np.float64) * scale.scale + scale.offset_s


def _absolute_time(kind: ParameterType, raw: Column) -> Column:
    scale = kind.time_scale
    assert scale is not None
    if scale.offset_from is not None:  # computed, and kept as microseconds since 1970
        return _UNIX_EPOCH + raw.astype("timedelta64[us]")
    since_us, known = elapsed_us(scale, raw)
    assert scale.epoch is not None
    epoch = np.datetime64(scale.epoch.replace(tzinfo=None), "us")
    readings_us = (epoch - _UNIX_EPOCH).astype(np.int64) + since_us
    if scale.basis is TimeBasis.TAI:
        readings_us = utc_us_of_tai(readings_us)
    times = _UNIX_EPOCH + readings_us.astype("timedelta64[us]")
    times[~known] = np.datetime64("NaT")
    return times


def elapsed_us(
    scale: TimeScale, raw: Column
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return microseconds since the zero of a time, and which of them are known."""
    seconds = raw.astype(np.float64) * scale.scale + scale.offset_s
    known = np.abs(seconds) < _TIME_LIMIT_S  # False for NaN too
    whole = np.floor(np.where(known, seconds, 0.0))
    # Whole and fractional seconds apart, so that a day in 2060 keeps its microseconds.
    parts = np.round((np.where(known, seconds, 0.0) - whole) * _MICROSECONDS)
    return whole.astype(np.int64) * _MICROSECONDS + parts.astype(np.int64), known


_BY_KIND: Final[dict[TypeKind, Callable[[ParameterType, Column], npt.NDArray[Any]]]] = {
    TypeKind.INTEGER: _integer,
    TypeKind.FLOAT: _float,
    TypeKind.ENUMERATED: _enumerated,
    TypeKind.BOOLEAN: _boolean,
    TypeKind.STRING: _string,
    TypeKind.BINARY: _binary,
    TypeKind.ABSOLUTE_TIME: _absolute_time,
    TypeKind.RELATIVE_TIME: _relative_time,
}

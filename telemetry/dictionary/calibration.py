"""Raw columns in, engineering values out.

The archive keeps raw values and calibrates on read, so this is called both
when telemetry arrives and when history is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.columns import Column
from telemetry.dictionary.model import (
    Parameter,
    ParameterType,
    PolynomialCalibrator,
    StringEncoding,
    TypeKind,
)

_MICROSECONDS: Final = 1_000_000
# Beyond these a time does not fit a datetime64[us] near the epoch; NaT says so.
_TIME_LIMIT_S: Final = 9.0e12


def engineering(parameter: Parameter, raw: Column) -> Column:
    """Return the engineering values of a raw column.

    Args:
        parameter: Whose values these are.
        raw: Raw values, shape (n,), as decoded or as read from the archive.

    Returns:
        Shape (n,): ``float64`` where a calibrator or a float type applies,
        the integers themselves otherwise; labels (``str``) of enumerations and
        booleans, where a value without a label reads ``UNKNOWN 7``; ``str`` of
        strings, octets that the character set does not know as U+FFFD;
        ``bytes`` (object) of binaries; ``datetime64[us]`` (UTC) of times.
    """
    # The sky may send any bit pattern as a float; overflow or NaN is then the value.
    with np.errstate(over="ignore", invalid="ignore"):
        return _BY_KIND[parameter.type.kind](parameter.type, raw)


def _polynomial(calibrator: PolynomialCalibrator, raw: Column) -> npt.NDArray[np.float64]:
    """Evaluate by Horner's rule in double precision."""
    x = raw.astype(np.float64)
    result = np.full(len(x), calibrator.coefficients[-1], dtype=np.float64)
    for coefficient in calibrator.coefficients[-2::-1]:
        result = result * x + coefficient
    return result


def _number(kind: ParameterType, raw: Column) -> Column:
    if kind.calibrator is not None:
        return _polynomial(kind.calibrator, raw)
    return raw.astype(np.float64) if kind.kind is TypeKind.FLOAT else raw


def _labels(kind: ParameterType, raw: Column) -> Column:
    """Look each distinct value up once."""
    values, where = np.unique(raw, return_inverse=True)
    return np.array([_label_of(kind, int(value)) for value in values], dtype=np.str_)[where]


def _label_of(kind: ParameterType, value: int) -> str:
    for label in kind.labels:
        if label.value <= value <= label.max_value:
            return label.label
    return f"UNKNOWN {value}"


def _boolean(kind: ParameterType, raw: Column) -> Column:
    return np.where(raw != 0, kind.one_label, kind.zero_label)


def _string(kind: ParameterType, raw: Column) -> Column:
    encoding = kind.encoding
    assert isinstance(encoding, StringEncoding)
    texts = []
    for value in raw:
        octets = bytes(value)
        if encoding.terminator is not None:
            octets = octets.partition(encoding.terminator)[0]
        texts.append(octets.decode(encoding.charset, errors="replace"))
    result = np.empty(len(raw), dtype=object)  # a fixed-width str_ would cut trailing NULs
    result[:] = texts
    return result


def _binary(_kind: ParameterType, raw: Column) -> Column:
    result = np.empty(len(raw), dtype=object)
    result[:] = [bytes(value) for value in raw]
    return result


def _absolute_time(kind: ParameterType, raw: Column) -> Column:
    scale = kind.time_scale
    assert scale is not None
    seconds = raw.astype(np.float64) * scale.scale + scale.offset_s
    known = np.abs(seconds) < _TIME_LIMIT_S  # False for NaN too
    whole = np.floor(np.where(known, seconds, 0.0))
    # Whole and fractional seconds apart, so that a day in 2060 keeps its microseconds.
    parts = np.round((np.where(known, seconds, 0.0) - whole) * _MICROSECONDS)
    since = whole.astype(np.int64) * _MICROSECONDS + parts.astype(np.int64)
    epoch = np.datetime64(scale.epoch.replace(tzinfo=None), "us")
    times = epoch + since.astype("timedelta64[us]")
    times[~known] = np.datetime64("NaT")
    return times


_BY_KIND: Final[dict[TypeKind, Callable[[ParameterType, Column], npt.NDArray[Any]]]] = {
    TypeKind.INTEGER: _number,
    TypeKind.FLOAT: _number,
    TypeKind.ENUMERATED: _labels,
    TypeKind.BOOLEAN: _boolean,
    TypeKind.STRING: _string,
    TypeKind.BINARY: _binary,
    TypeKind.ABSOLUTE_TIME: _absolute_time,
}

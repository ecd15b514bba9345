"""Conditions and packet-given numbers, compiled, and checked on whole columns.

A condition asks for values by a function, so that the same code serves a packet's
structure, contexts of calibrators, and contexts of alarms. A comparison with a
parameter that has no value does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.columns import Column
from telemetry.dictionary.errors import DictionaryError
from telemetry.dictionary.model import (
    AllOf,
    Comparison,
    ComparisonOperator,
    Criteria,
    DiscreteLookup,
    DynamicValue,
    IntegerEncoding,
    IntegerValue,
    Parameter,
    ParameterInstance,
    TypeKind,
)

Mask = npt.NDArray[np.bool_]
# Gives a parameter's values, raw or engineering as the instance says, and which are known.
LookUp = Callable[[ParameterInstance], tuple[Column, Mask]]
Condition = Callable[[LookUp], Mask]
WholeNumbers = Callable[[LookUp], tuple[npt.NDArray[np.int64], Mask]]

_OPERATIONS: Final[dict[ComparisonOperator, Callable[[Any, Any], Any]]] = {
    ComparisonOperator.EQUAL: np.equal,
    ComparisonOperator.NOT_EQUAL: np.not_equal,
    ComparisonOperator.LESS: np.less,
    ComparisonOperator.LESS_OR_EQUAL: np.less_equal,
    ComparisonOperator.GREATER: np.greater,
    ComparisonOperator.GREATER_OR_EQUAL: np.greater_equal,
}
_EQUALITIES: Final = (ComparisonOperator.EQUAL, ComparisonOperator.NOT_EQUAL)
_NUMBERS: Final = (TypeKind.INTEGER, TypeKind.FLOAT, TypeKind.RELATIVE_TIME)
_LABELLED: Final = (TypeKind.ENUMERATED, TypeKind.BOOLEAN)
_WHOLE_LIMIT: Final = 2.0**53  # what a size may be, long before floats lose units


def compile_criteria(criteria: Criteria, parameters: Mapping[str, Parameter]) -> Condition:
    """Return what checks a condition.

    Raises:
        DictionaryError: A comparison that cannot be meant.
    """
    if isinstance(criteria, Comparison):
        return _comparison(criteria, parameters)
    parts = [compile_criteria(each, parameters) for each in criteria.criteria]
    combine = np.logical_and if isinstance(criteria, AllOf) else np.logical_or

    def holds(look_up: LookUp) -> Mask:
        mask = parts[0](look_up)
        for part in parts[1:]:
            mask = combine(mask, part(look_up))
        return mask

    return holds


def compile_number(value: IntegerValue, parameters: Mapping[str, Parameter]) -> WholeNumbers:
    """Return what gives a whole number for each packet, and whether it is known.

    Raises:
        DictionaryError: It depends on something that is no number.
    """
    if isinstance(value, DynamicValue):
        return _dynamic(value, parameters)
    assert isinstance(value, DiscreteLookup)
    cases = [(compile_criteria(when, parameters), number) for when, number in value.cases]

    def number_of(look_up: LookUp) -> tuple[npt.NDArray[np.int64], Mask]:
        numbers: Any = None
        for condition, number in cases:  # the first that holds wins
            mask = condition(look_up)
            if numbers is None:
                numbers, known = np.zeros(len(mask), dtype=np.int64), np.zeros_like(mask)
            numbers[mask & ~known] = number
            known |= mask
        return numbers, known

    return number_of


def _dynamic(value: DynamicValue, parameters: Mapping[str, Parameter]) -> WholeNumbers:
    instance = value.instance
    parameter = parameters[instance.parameter]
    if not _is_number(parameter, instance):
        raise DictionaryError(
            f"{instance.parameter!r} gives a size or a count, and is {parameter.type.kind.value}",
            line=instance.line,
        )

    def number_of(look_up: LookUp) -> tuple[npt.NDArray[np.int64], Mask]:
        values, known = look_up(instance)
        with np.errstate(invalid="ignore", over="ignore"):
            numbers = values.astype(np.float64) * value.slope + value.intercept
        sane = known & (np.abs(numbers) < _WHOLE_LIMIT)  # False for NaN too
        return np.where(sane, numbers, 0.0).astype(np.int64), sane

    return number_of


def _is_number(parameter: Parameter, instance: ParameterInstance) -> bool:
    kind, encoding = parameter.type.kind, parameter.type.encoding
    if isinstance(encoding, IntegerEncoding) and encoding.size_bits > 64:
        return False
    if instance.use_calibrated_value:
        return kind in _NUMBERS
    return kind in _NUMBERS or kind in _LABELLED


def _comparison(comparison: Comparison, parameters: Mapping[str, Parameter]) -> Condition:
    parameter = parameters[comparison.parameter]
    instance = ParameterInstance(
        parameter=comparison.parameter,
        use_calibrated_value=comparison.use_calibrated_value,
        line=comparison.line,
    )
    if isinstance(comparison.value, ParameterInstance):
        return _between(comparison, instance, comparison.value, parameters)
    if _is_number(parameter, instance):
        return _with_constant(comparison, instance, _number_in(comparison))
    if parameter.type.kind in _LABELLED:
        # Labels are compared by the raw values that they stand for.
        raw = ParameterInstance(
            parameter=instance.parameter, use_calibrated_value=False, line=instance.line
        )
        return _with_label(comparison, raw, parameter)
    if parameter.type.kind is TypeKind.STRING and instance.use_calibrated_value:
        _need_equality(comparison)
        return _with_constant(comparison, instance, comparison.value)
    what = "" if instance.use_calibrated_value else "the raw octets of "
    raise DictionaryError(
        f"a comparison with {what}{parameter.name!r}, a {parameter.type.kind}, is not supported",
        line=comparison.line,
    )


def _with_constant(
    comparison: Comparison, instance: ParameterInstance, constant: float | int | str
) -> Condition:
    operation = _OPERATIONS[comparison.operator]

    def holds(look_up: LookUp) -> Mask:
        values, known = look_up(instance)
        return known & np.asarray(operation(values, constant), dtype=np.bool_)

    return holds


def _number_in(comparison: Comparison) -> float | int:
    text = str(comparison.value).strip()
    for read in (lambda: int(text, 0), lambda: int(text), lambda: float(text)):
        try:
            return read()
        except ValueError:
            continue
    raise DictionaryError(
        f"{comparison.parameter!r} is compared with {comparison.value!r}, which is no number",
        line=comparison.line,
    )


def _need_equality(comparison: Comparison) -> None:
    if comparison.operator not in _EQUALITIES:
        raise DictionaryError(
            f"{comparison.operator} is not supported for the texts of {comparison.parameter!r}",
            line=comparison.line,
        )


def _with_label(
    comparison: Comparison, instance: ParameterInstance, parameter: Parameter
) -> Condition:
    _need_equality(comparison)
    stands_for = _raw_values_of(comparison, parameter)
    wanted = comparison.operator is ComparisonOperator.EQUAL

    def holds(look_up: LookUp) -> Mask:
        raw, known = look_up(instance)
        inside = np.zeros(len(raw), dtype=np.bool_)
        for low, high in stands_for:
            inside |= (raw >= low) & (raw <= high)
        return np.asarray(known & (inside == wanted))

    return holds


def _raw_values_of(comparison: Comparison, parameter: Parameter) -> list[tuple[float, float]]:
    """Return the ranges of raw values that the compared label stands for."""
    kind, label = parameter.type, comparison.value
    if kind.kind is TypeKind.BOOLEAN:
        ranges = {
            kind.zero_label: [(0.0, 0.0)],
            kind.one_label: [(-np.inf, -1.0), (1.0, np.inf)],
        }
        found: list[tuple[float, float]] = ranges.get(str(label), [])
    else:
        found = [(e.value, e.max_value) for e in kind.labels if e.label == label]
    if not found:
        raise DictionaryError(
            f"{parameter.name!r} has no label {comparison.value!r}", line=comparison.line
        )
    return found


def _between(
    comparison: Comparison,
    first: ParameterInstance,
    second: ParameterInstance,
    parameters: Mapping[str, Parameter],
) -> Condition:
    numeric = [_is_number(parameters[each.parameter], each) for each in (first, second)]
    texts = [parameters[each.parameter].type.kind for each in (first, second)]
    if not all(numeric):
        if any(numeric) or not set(texts) <= {*_LABELLED, TypeKind.STRING}:
            raise DictionaryError(
                f"a comparison of {first.parameter!r} with {second.parameter!r} is not"
                " supported: both must be numbers, or both texts",
                line=comparison.line,
            )
        _need_equality(comparison)
    operation = _OPERATIONS[comparison.operator]

    def holds(look_up: LookUp) -> Mask:
        left, left_known = look_up(first)
        right, right_known = look_up(second)
        return left_known & right_known & np.asarray(operation(left, right), dtype=np.bool_)

    return holds

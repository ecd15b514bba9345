"""Conditions on parameters, and whole numbers that a packet itself gives.

Parameters are named as the dictionary's ``parameters`` mapping names them.
Source: OMG XTCE 1.2, MatchCriteriaType and IntegerValueType.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class ComparisonOperator(StrEnum):
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterInstance:
    """The value of another parameter: its newest one, of the same packet first."""

    parameter: str
    use_calibrated_value: bool = True
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    parameter: str
    operator: ComparisonOperator
    value: str | ParameterInstance  # a text's meaning depends on the parameter
    use_calibrated_value: bool = True
    line: int = 0


@dataclass(frozen=True, slots=True)
class AllOf:
    criteria: tuple[Criteria, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    criteria: tuple[Criteria, ...]


Criteria = Comparison | AllOf | AnyOf


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicValue:
    """``slope * parameter + intercept``."""

    instance: ParameterInstance
    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscreteLookup:
    """The number of the first case that holds."""

    cases: tuple[tuple[Criteria, int], ...]
    line: int = 0


IntegerValue = int | DynamicValue | DiscreteLookup


def comparisons_in(criteria: Criteria) -> Iterator[Comparison]:
    """Yield every comparison of a condition, however deep."""
    if isinstance(criteria, Comparison):
        yield criteria
    else:
        for each in criteria.criteria:
            yield from comparisons_in(each)


def instances_in(what: Criteria | IntegerValue) -> Iterator[ParameterInstance]:
    """Yield every parameter that a condition or a number depends on."""
    if isinstance(what, DynamicValue):
        yield what.instance
    elif isinstance(what, DiscreteLookup):
        for criteria, _ in what.cases:
            yield from instances_in(criteria)
    elif not isinstance(what, int):
        for comparison in comparisons_in(what):
            yield ParameterInstance(
                parameter=comparison.parameter,
                use_calibrated_value=comparison.use_calibrated_value,
                line=comparison.line,
            )
            if isinstance(comparison.value, ParameterInstance):
                yield comparison.value

"""Closed expressions over columns: every function that there is, and nothing else.

An expression is a tree (:mod:`telemetry.dictionary.model.expressions`) of names from
the table below; nothing that a user writes is ever run. All values are float64, a
condition is 1 or 0, and what has no value (a root of a negative number) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.model import (
    Apply,
    Expression,
    Number,
    ParameterInstance,
    ThisValue,
)

Values = npt.NDArray[np.float64]
_Function = Callable[..., Any]

# 170! is the largest that a float64 holds.
_FACTORIALS: Final = np.array([math.factorial(n) for n in range(171)], dtype=np.float64)
_WHOLE_LIMIT: Final = 2.0**63


def evaluate(
    expression: Expression,
    *,
    count: int,
    this: Values | None = None,
    look_up: Callable[[ParameterInstance], Values] | None = None,
) -> Values:
    """Return the value of an expression for each of *count* rows.

    Args:
        expression: What to evaluate.
        count: How many rows.
        this: Raw values, where it calibrates some.
        look_up: Gives the values of another parameter, NaN where it has none.
    """
    known: dict[int, Values] = {}

    def value_of(part: Expression) -> Values:
        if id(part) not in known:
            known[id(part)] = compute(part)
        return known[id(part)]

    def compute(part: Expression) -> Values:
        if isinstance(part, Number):
            return np.full(count, part.value)
        if isinstance(part, ThisValue):
            assert this is not None
            return this
        if isinstance(part, ParameterInstance):
            assert look_up is not None
            return look_up(part)
        arguments = [value_of(argument) for argument in part.arguments]
        return np.asarray(FUNCTIONS[part.function][1](*arguments), dtype=np.float64)

    # The sky may send any number: overflow, NaN and division by zero are values then.
    with np.errstate(all="ignore"):
        for part in _inside_out(expression):
            value_of(part)
        return value_of(expression)


def _inside_out(expression: Expression) -> list[Expression]:
    """Return the parts of a tree, arguments first, so that evaluating never nests deep."""
    order: list[Expression] = []
    seen: set[int] = set()
    waiting: list[tuple[Expression, bool]] = [(expression, False)]
    while waiting:
        part, is_ready = waiting.pop()
        if is_ready:
            order.append(part)
        elif id(part) not in seen:
            seen.add(id(part))
            waiting.append((part, True))
            if isinstance(part, Apply):
                waiting += [(argument, False) for argument in part.arguments]
    return order


def _whole(function: Callable[[Any, Any], Any]) -> _Function:
    """Return a function of two whole numbers; without a whole number there is no value."""

    def apply(left: Values, right: Values) -> Values:
        known = np.isfinite(left) & np.isfinite(right)
        known &= (np.abs(left) < _WHOLE_LIMIT) & (np.abs(right) < _WHOLE_LIMIT)
        whole = [np.where(known, np.trunc(x), 0).astype(np.int64) for x in (left, right)]
        return np.where(known, function(*whole), np.nan)

    return apply


def _shift(function: Callable[[Any, Any], Any]) -> _Function:
    """Shifts by 64 and more, or by less than 0, have no value."""
    shifted = _whole(lambda left, right: function(left, np.clip(right, 0, 63)))

    def apply(left: Values, right: Values) -> Values:
        inside = (right >= 0) & (right < 64)
        return np.where(inside, shifted(left, right), np.nan)

    return apply


def _factorial(values: Values) -> Values:
    known = (values >= 0) & (values <= 170) & (values == np.floor(values))
    return np.where(known, _FACTORIALS[np.where(known, values, 0).astype(np.int64)], np.nan)


def _euclidean_quotient(left: Values, right: Values) -> Any:
    """Return the whole quotient that leaves a remainder of at least 0."""
    return np.where(right > 0, np.floor(left / right), np.ceil(left / right))


def _both(left: Values, right: Values) -> Any:
    return (left != 0) & (right != 0)


def _either(left: Values, right: Values) -> Any:
    return (left != 0) | (right != 0)


def _not(value: Values) -> Any:
    return value == 0


def _choose(condition: Values, then: Values, otherwise: Values) -> Any:
    return np.where(condition != 0, then, otherwise)


# By name: how many arguments, and what to do with them.
FUNCTIONS: Final[dict[str, tuple[int, _Function]]] = {
    "+": (2, np.add),
    "-": (2, np.subtract),
    "*": (2, np.multiply),
    "/": (2, np.true_divide),
    "%": (2, np.mod),
    "^": (2, np.power),
    "negate": (1, np.negative),
    "<": (2, np.less),
    "<=": (2, np.less_equal),
    ">": (2, np.greater),
    ">=": (2, np.greater_equal),
    "==": (2, np.equal),
    "!=": (2, np.not_equal),
    "and": (2, _both),
    "or": (2, _either),
    "not": (1, _not),
    "if": (3, _choose),
    "abs": (1, np.abs),
    "int": (1, np.trunc),
    "floor": (1, np.floor),
    "ceil": (1, np.ceil),
    "round": (1, np.rint),
    "sqrt": (1, np.sqrt),
    "exp": (1, np.exp),
    "ln": (1, np.log),
    "log10": (1, np.log10),
    "log2": (1, np.log2),
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "tan": (1, np.tan),
    "asin": (1, np.arcsin),
    "acos": (1, np.arccos),
    "atan": (1, np.arctan),
    "atan2": (2, np.arctan2),
    "sinh": (1, np.sinh),
    "cosh": (1, np.cosh),
    "tanh": (1, np.tanh),
    "asinh": (1, np.arcsinh),
    "acosh": (1, np.arccosh),
    "atanh": (1, np.arctanh),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
    "div": (2, _euclidean_quotient),
    "factorial": (1, _factorial),
    "bitand": (2, _whole(np.bitwise_and)),
    "bitor": (2, _whole(np.bitwise_or)),
    "bitxor": (2, _whole(np.bitwise_xor)),
    "shiftleft": (2, _shift(np.left_shift)),
    "shiftright": (2, _shift(np.right_shift)),
}

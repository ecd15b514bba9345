"""Two ways to write a closed expression: infix text, and XTCE's postfix operators.

Infix: numbers, names, ``+ - * / % ^``, comparisons, ``and or not``, parentheses and
the functions of :mod:`telemetry.dictionary.evaluation`::

    if(abs(BUS_V) > 1e-3, BUS_P / BUS_V, 0)

``^`` binds closest and to the right, then the sign, ``* / %``, ``+ -``, comparisons
(one at a time), ``not``, ``and``, ``or``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from telemetry.dictionary.evaluation import FUNCTIONS
from telemetry.dictionary.model import Apply, Expression, Number

MAX_TEXT: Final = 4096  # characters
MAX_DEPTH: Final = 50  # nested parentheses, functions and signs
MAX_ITEMS: Final = 1000  # of a postfix operation

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign><=|>=|==|!=|[-+*/%^<>(),]))"
)
_COMPARISONS: Final = ("<", "<=", ">", ">=", "==", "!=")
_WORDS: Final = ("and", "or", "not")
_CALLABLE: Final = frozenset(name for name in FUNCTIONS if name.isalnum()) - {*_WORDS, "negate"}


class ExpressionError(ValueError):
    """The expression is not of the grammar."""


def parse_expression(text: str, names: Mapping[str, Expression]) -> Expression:
    """Read an expression in infix form.

    Args:
        text: At most 4096 characters.
        names: What each name in it stands for.

    Raises:
        ExpressionError: Where it is wrong, and what was expected there.
    """
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"{len(text)} characters; the limit is {MAX_TEXT}")
    return _Parser(text, names).parse()


class _Parser:
    """Recursive descent, one function for each level of binding."""

    def __init__(self, text: str, names: Mapping[str, Expression]) -> None:
        self._names = names
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def parse(self) -> Expression:
        found = self._any()
        if self._next:
            raise self._unexpected("the end")
        return found

    @property
    def _next(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next
        self._at += 1
        return token

    def _unexpected(self, wanted: str) -> ExpressionError:
        if not self._next:
            return ExpressionError(f"it ends where {wanted} is expected")
        place = self._tokens[self._at][0] + 1
        return ExpressionError(f"{self._next!r} at character {place}, where {wanted} is expected")

    def _any(self) -> Expression:
        left = self._all()
        while self._next == "or":
            left = Apply(self._take(), (left, self._all()))
        return left

    def _all(self) -> Expression:
        left = self._negation()
        while self._next == "and":
            left = Apply(self._take(), (left, self._negation()))
        return left

    def _negation(self) -> Expression:
        if self._next != "not":
            return self._comparison()
        return Apply(self._take(), (self._nested(self._negation),))

    def _comparison(self) -> Expression:
        left = self._sum()
        if self._next in _COMPARISONS:
            left = Apply(self._take(), (left, self._sum()))
        return left

    def _sum(self) -> Expression:
        left = self._product()
        while self._next in {"+", "-"}:
            left = Apply(self._take(), (left, self._product()))
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while self._next in {"*", "/", "%"}:
            left = Apply(self._take(), (left, self._signed()))
        return left

    def _signed(self) -> Expression:
        if self._next not in {"+", "-"}:
            return self._power()
        sign = self._take()
        value = self._nested(self._signed)
        return Apply("negate", (value,)) if sign == "-" else value

    def _power(self) -> Expression:
        base = self._atom()
        if self._next == "^":
            return Apply(self._take(), (base, self._nested(self._signed)))
        return base

    def _atom(self) -> Expression:
        first = self._next[:1]
        if first == "(":
            self._take()
            inside = self._nested(self._any)
            self._expect(")")
            return inside
        if first.isdigit() or first == ".":
            return Number(float(self._take()))
        if first.isalpha() or first == "_":
            return self._name()
        raise self._unexpected("a number, a name or '('")

    def _name(self) -> Expression:
        at, name = self._at, self._take()
        if self._next == "(" and name in _CALLABLE:
            return self._call(name)
        if name in self._names:
            return self._names[name]
        self._at = at
        known = ", ".join(sorted(self._names)) or "none"
        raise ExpressionError(
            f"{name!r} at character {self._tokens[at][0] + 1} is no input"
            f" (inputs: {known}) and no function ({', '.join(sorted(_CALLABLE))})"
        )

    def _call(self, name: str) -> Expression:
        wanted = FUNCTIONS[name][0]
        self._expect("(")
        arguments = [self._nested(self._any)]
        while self._next == ",":
            self._take()
            arguments.append(self._nested(self._any))
        self._expect(")")
        if len(arguments) != wanted:
            raise ExpressionError(f"{name} takes {wanted} arguments, {len(arguments)} are given")
        return Apply(name, tuple(arguments))

    def _expect(self, token: str) -> None:
        if self._next != token:
            raise self._unexpected(repr(token))
        self._take()

    def _nested(self, part: Callable[[], Expression]) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"it is nested deeper than {MAX_DEPTH}")
        found = part()
        self._depth -= 1
        return found


def _tokens(text: str) -> list[tuple[int, str]]:
    """Return (place, token) pairs."""
    tokens: list[tuple[int, str]] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            place = len(text) - len(rest) + 1
            raise ExpressionError(f"{rest[0]!r} at character {place} has no meaning here")
        tokens.append((match.end() - len(match[0].lstrip()), match[0].strip()))
        at = match.end()
    return tokens


# XTCE operators that are functions of one or two values from the stack, in its order.
_STACKED: Final = {
    **{name: name for name in ("+", "-", "*", "/", "%", "^", *_COMPARISONS)},
    **{name: name for name in ("ln", "tan", "cos", "sin", "atan", "acos", "asin")},
    **{name: name for name in ("tanh", "cosh", "sinh", "atanh", "acosh", "asinh")},
    **{name: name for name in ("abs", "int", "min", "max", "div")},
    "log": "log10",
    "e^x": "exp",
    "x!": "factorial",
    "&": "bitand",
    "|": "bitor",
    "xor": "bitxor",
    "<<": "shiftleft",
    ">>": "shiftright",
    "&&": "and",
    "||": "or",
    "!": "not",
    "~": "not",  # by the schema its result is 0 or 1
}
_REVERSED: Final = {"y^x": "^", "atan2": "atan2"}  # (x1 x2 -- f(x2, x1))


class StackProgram:
    """Builds an expression from operands and operators in postfix order.

    Source: OMG XTCE 1.2, MathOperatorsType.
    """

    def __init__(self) -> None:
        self._stack: list[Expression] = []
        self._items = 0

    def push(self, operand: Expression) -> None:
        self._count()
        self._stack.append(operand)

    def apply(self, operator: str) -> None:
        """Apply an operator to what stands on the stack.

        Raises:
            ExpressionError: Unknown, or too few operands stand there.
        """
        self._count()
        if operator in _STACKED:
            function = _STACKED[operator]
            arguments = self._pop(FUNCTIONS[function][0], operator)
            self._stack.append(Apply(function, arguments))
        elif operator in _REVERSED:
            first, second = self._pop(2, operator)
            self._stack.append(Apply(_REVERSED[operator], (second, first)))
        elif operator == "1/x":
            self._stack.append(Apply("/", (Number(1.0), *self._pop(1, operator))))
        else:
            self._move(operator)

    def result(self) -> Expression:
        """Return the expression.

        Raises:
            ExpressionError: Not exactly one value is left.
        """
        if len(self._stack) != 1:
            raise ExpressionError(f"{len(self._stack)} values are left on the stack; 1 must be")
        return self._stack[0]

    def _move(self, operator: str) -> None:
        if operator == "swap":
            first, second = self._pop(2, operator)
            self._stack += (second, first)
        elif operator == "drop":
            self._pop(1, operator)
        elif operator == "dup":
            (top,) = self._pop(1, operator)
            self._stack += (top, top)
        elif operator == "over":
            first, second = self._pop(2, operator)
            self._stack += (first, second, first)
        else:
            raise ExpressionError(f"there is no operator {operator!r}")

    def _pop(self, count: int, operator: str) -> tuple[Expression, ...]:
        if len(self._stack) < count:
            raise ExpressionError(
                f"{operator!r} needs {count} operands, {len(self._stack)} are on the stack"
            )
        taken = tuple(self._stack[-count:])
        del self._stack[-count:]
        return taken

    def _count(self) -> None:
        self._items += 1
        if self._items > MAX_ITEMS:
            raise ExpressionError(f"it has more than {MAX_ITEMS} items")

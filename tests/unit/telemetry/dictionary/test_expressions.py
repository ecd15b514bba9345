from __future__ import annotations

import contextlib
import math
import operator
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dictionary.evaluation import FUNCTIONS, evaluate
from telemetry.dictionary.expression_language import (
    MAX_DEPTH,
    MAX_ITEMS,
    ExpressionError,
    StackProgram,
    parse_expression,
)
from telemetry.dictionary.model import Number, ParameterInstance, ThisValue

X = ParameterInstance(parameter="X")
Y = ParameterInstance(parameter="Y")
NAMES = {"x": X, "y": Y}


def value(text: str, x: float = 0.0, y: float = 0.0) -> float:
    columns = {"X": np.array([x]), "Y": np.array([y])}
    expression = parse_expression(text, NAMES)
    [result] = evaluate(expression, count=1, look_up=lambda need: columns[need.parameter])
    return float(result)


def stacked(*items: object) -> float:
    program = StackProgram()
    for item in items:
        if isinstance(item, str):
            program.apply(item)
        else:
            program.push(item if isinstance(item, ThisValue) else Number(float(item)))
    [result] = evaluate(program.result(), count=1, this=np.array([3.0]))
    return float(result)


# An independent tree: numbers and a few operators, written with as many parentheses as
# a person would, and evaluated by Python's own operators.
LEAVES = st.integers(0, 9).map(lambda n: (str(n), float(n), 9))
BINARY = {"+": (operator.add, 1), "-": (operator.sub, 1), "*": (operator.mul, 2)}


def combine(children):
    def node(left, right, sign):
        function, level = BINARY[sign]
        left_text = left[0] if left[2] >= level else f"({left[0]})"
        right_text = right[0] if right[2] > level else f"({right[0]})"
        return (f"{left_text} {sign}{right_text}", function(left[1], right[1]), level)

    return st.builds(node, children, children, st.sampled_from(sorted(BINARY)))


class TestInfix:
    @given(tree=st.recursive(LEAVES, combine, max_leaves=12))
    def test_binds_as_arithmetic_does(self, tree):
        text, wanted, _ = tree
        assert value(text) == wanted

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("2^3^2", 512.0),
            ("-2^2", -4.0),
            ("2^-1", 0.5),
            ("7 % 4", 3.0),
            ("1.5e3 + .5", 1500.5),
            ("x < 2 and not y > 1", 1.0),
            ("1 == 1 or 1 / 0 > 0", 1.0),
            ("if(x > 0, 10, 20)", 20.0),
            ("min(4, max(1, 2))", 2.0),
            ("sqrt(16) + abs(-3) + round(2.4)", 9.0),
            ("atan2(1, 0)", math.pi / 2),
            ("floor(-1.5) + ceil(1.2) + int(-1.7)", -1.0),
            ("bitand(12, 10) + bitxor(1, 3) + shiftleft(1, 4)", 26.0),
            ("+--3", 3.0),
        ],
    )
    def test_knows_its_operators_and_functions(self, text, wanted):
        assert value(text) == wanted

    @pytest.mark.parametrize("text", ["sqrt(-1)", "0 / 0", "ln(-1)", "asin(2)", "bitand(0/0, 1)"])
    def test_has_no_value_where_there_is_none(self, text):
        assert math.isnan(value(text))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "it ends where a number, a name or '\\(' is expected"),
            ("1 +", "it ends where a number, a name"),
            ("1 2", "'2' at character 3, where the end is expected"),
            ("(1", "it ends where '\\)' is expected"),
            ("1 < 2 < 3", "'<' at character 7, where the end is expected"),
            ("z + 1", r"'z' at character 1 is no input \(inputs: x, y\)"),
            ("sqrt", "'sqrt' at character 1 is no input"),
            ("__import__(1)", "'__import__' at character 1 is no input"),
            ("x.real", "'.' at character 2 has no meaning here"),
            ("min(1)", "min takes 2 arguments, 1 are given"),
            ("x; y", "';' at character 2 has no meaning"),
            ("negate(1)", "'negate' at character 1 is no input"),
            ("(" * (MAX_DEPTH + 1) + "1", "nested deeper than 50"),
            ("-" * 60 + "1", "nested deeper than 50"),
            ("1" * 5000, "5000 characters; the limit is 4096"),
        ],
    )
    def test_refuses_with_the_place_what_is_not_of_the_grammar(self, text, message):
        with pytest.raises(ExpressionError, match=message):
            parse_expression(text, NAMES)

    @given(text=st.text("xy019.+-*/%^<>=!(), eandorif", max_size=40))
    def test_never_fails_in_another_way(self, text):
        with contextlib.suppress(ExpressionError):
            value(text, 1.5, 2.5)


class TestPostfix:
    @pytest.mark.parametrize(
        ("items", "wanted"),
        [
            ((ThisValue(), 2, "*", 1, "+"), 7.0),
            ((7, 2, "-"), 5.0),
            ((2, 3, "^"), 8.0),
            ((2, 3, "y^x"), 9.0),
            ((1, 0, "atan2"), math.atan2(0, 1)),
            ((4, "1/x"), 0.25),
            ((5, "x!"), 120.0),
            ((1000, "log"), 3.0),
            ((0, "e^x"), 1.0),
            ((1, 2, "swap", "-"), 1.0),
            ((1, 2, "drop"), 1.0),
            ((3, "dup", "*"), 9.0),
            ((1, 2, "over", "+", "+"), 4.0),
            ((6, 3, "&"), 2.0),
            ((6, 3, "|"), 7.0),
            ((6, 3, "xor"), 5.0),
            ((1, 4, "<<"), 16.0),
            ((-16, 2, ">>"), -4.0),
            ((1, 0, "&&"), 0.0),
            ((1, 0, "||"), 1.0),
            ((0, "!"), 1.0),
            ((5, "~"), 0.0),
            ((-7, 2, "div"), -4.0),
            ((-7, -2, "div"), 4.0),
            ((-7, 2, "%"), 1.0),
            ((-1.7, "int"), -1.0),
            ((1, 2, "min", 5, "max"), 5.0),
            ((2, 2, ">="), 1.0),
        ],
    )
    def test_follows_the_stack_notation_of_the_schema(self, items, wanted):
        assert stacked(*items) == pytest.approx(wanted)

    @pytest.mark.parametrize(
        ("items", "message"),
        [
            (("+",), r"'\+' needs 2 operands, 0 are on the stack"),
            ((1, 2), "2 values are left on the stack; 1 must be"),
            ((), "0 values are left"),
            ((1, "exec"), "there is no operator 'exec'"),
            ((1,) * (MAX_ITEMS + 1), "more than 1000 items"),
        ],
    )
    def test_refuses_what_does_not_come_out(self, items, message):
        with pytest.raises(ExpressionError, match=message):
            stacked(*items)

    def test_computes_what_was_doubled_many_times_only_once(self):
        program = StackProgram()
        program.push(Number(1.0))
        for _ in range(400):  # 2 ** 400 parts, were each computed for itself
            program.apply("dup")
            program.apply("max")
        [result] = evaluate(program.result(), count=1)
        assert result == 1.0


def test_every_function_takes_columns_and_returns_as_many_values():
    column = np.array([-2.5, 0.0, 1.0, 170.0, np.nan, np.inf])
    for name, (arguments, function) in FUNCTIONS.items():
        with np.errstate(all="ignore"):
            assert np.asarray(function(*[column] * arguments)).shape == column.shape, name


def test_the_documentation_names_every_function_and_no_other():
    page = Path(__file__).parents[4] / "docs/telemetry-dictionary.md"
    [table] = re.findall(
        r"There is this and nothing more:(.*?)All numbers", page.read_text(), re.S
    )
    rows = "".join(row for row in table.splitlines() if "InputSet" not in row)
    named = set(re.findall(r"[a-z]+[0-9]*(?=`|\()", rows))
    assert named == {name for name in FUNCTIONS if name.isalnum()} - {"negate"}

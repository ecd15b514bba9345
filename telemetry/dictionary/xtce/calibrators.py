"""Calibrators of XTCE: polynomials, splines, mathematical operations, contexts.

Source: OMG XTCE 1.2, CalibratorType, ContextCalibratorType, MathOperationCalibratorType.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from telemetry.dictionary.expression_language import ExpressionError, StackProgram
from telemetry.dictionary.model import (
    Calibrator,
    ContextCalibrator,
    Expression,
    MathCalibrator,
    Number,
    PolynomialCalibrator,
    SplineCalibrator,
    ThisValue,
)
from telemetry.dictionary.xtce.criteria import read_criteria, read_instance_element
from telemetry.dictionary.xtce.descriptions import NAMED, ancillary_data
from telemetry.dictionary.xtce.names import Scope
from telemetry.dictionary.xtce.xml_reading import Node, local_name, real_number

MAX_EXPONENT: Final = 16
KINDS: Final = ("SplineCalibrator", "PolynomialCalibrator", "MathOperationCalibrator")
OPERANDS: Final = (
    *("ValueOperand", "ThisParameterOperand", "Operator", "ParameterInstanceRefOperand"),
)


def read_calibrator(element: etree._Element, scope: Scope) -> Calibrator:
    """Read a CalibratorType, which holds one of ``KINDS``."""
    node = Node(element, attributes=NAMED, children=("AncillaryDataSet", *KINDS))
    ancillary_data(node)
    found = node.one_of(KINDS)
    if local_name(found) == "PolynomialCalibrator":
        return _polynomial(found)
    if local_name(found) == "SplineCalibrator":
        return _spline(found)
    operation = Node(found, attributes=NAMED, children=("AncillaryDataSet", OPERANDS))
    ancillary_data(operation)
    return MathCalibrator(read_operation(operation, scope))


def read_context_calibrators(
    element: etree._Element, scope: Scope
) -> tuple[ContextCalibrator, ...]:
    listed = Node(element, children=(("ContextCalibrator",),))
    contexts = []
    for child in listed.some_children():
        node = Node(child, children=("ContextMatch", "Calibrator"))
        contexts.append(
            ContextCalibrator(
                read_criteria(node.needed("ContextMatch"), scope),
                read_calibrator(node.needed("Calibrator"), scope),
            )
        )
    return tuple(contexts)


def read_operation(node: Node, scope: Scope) -> Expression:
    """Read a MathOperation: operands and operators in postfix order."""
    program = StackProgram()
    for child in node.children():
        name = local_name(child)
        if name not in OPERANDS:
            continue
        try:
            if name == "ParameterInstanceRefOperand":
                program.push(read_instance_element(child, scope))
                continue
            item = Node(child, text=True)
            if name == "Operator":
                program.apply(item.text())
            elif name == "ThisParameterOperand":
                program.push(_this(item))
            else:
                program.push(Number(item.parse("ValueOperand", item.text(), real_number)))
        except ExpressionError as error:
            raise Node(child, text=True).error(str(error)) from error
    try:
        return program.result()
    except ExpressionError as error:
        raise node.error(f"<{node.name}>: {error}") from error


def _this(item: Node) -> ThisValue:
    if item.text():
        raise item.error("<ThisParameterOperand> is empty by the schema")
    return ThisValue()


def _polynomial(element: etree._Element) -> PolynomialCalibrator:
    polynomial = Node(element, attributes=NAMED, children=("AncillaryDataSet", ("Term",)))
    ancillary_data(polynomial)
    terms: dict[int, float] = {}
    for child in polynomial.some_children("Term"):
        term = Node(child, attributes=("coefficient", "exponent"))
        exponent = term.integer("exponent")
        if not 0 <= exponent <= MAX_EXPONENT:
            raise term.error(f"exponent {exponent} is not in 0 to {MAX_EXPONENT}")
        if exponent in terms:
            raise term.error(f"exponent {exponent} is given twice")
        terms[exponent] = term.number("coefficient")
    return PolynomialCalibrator(tuple(terms.get(i, 0.0) for i in range(max(terms) + 1)))


def _spline(element: etree._Element) -> SplineCalibrator:
    spline = Node(
        element,
        attributes=(*NAMED, "order", "extrapolate"),
        children=("AncillaryDataSet", ("SplinePoint",)),
    )
    ancillary_data(spline)
    order = _order(spline, 1)
    points = []
    for child in spline.children("SplinePoint"):
        point = Node(child, attributes=("order", "raw", "calibrated"))
        points.append((point.number("raw"), point.number("calibrated"), _order(point, order)))
    if len(points) < 2:
        raise spline.error(f"the spline has {len(points)} points; it needs at least 2")
    points.sort(key=lambda point: point[0])
    raw = tuple(point[0] for point in points)
    if len(set(raw)) < len(raw) or any(value != value for value in raw):
        raise spline.error("two points of the spline have the same raw value, or one is NaN")
    return SplineCalibrator(
        raw=raw,
        calibrated=tuple(point[1] for point in points),
        orders=tuple(point[2] for point in points),
        extrapolate=spline.boolean("extrapolate", default=False),
    )


def _order(node: Node, default: int) -> int:
    order = node.integer("order", default)
    if order not in {0, 1}:
        raise node.error(
            f"order={order} of <{node.name}> is not supported; supported: 0 (steps), 1 (lines)"
        )
    return order

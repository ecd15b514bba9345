"""Derived parameters of XTCE: MathAlgorithm, and CustomAlgorithm in our own closed language.

``<AlgorithmText language="expression">`` holds one infix expression
(:mod:`telemetry.dictionary.expression_language`) of the inputs' names. Any other
language would be a program, and none is ever run.

Source: OMG XTCE 1.2, AlgorithmSetType.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from telemetry.dictionary.expression_language import ExpressionError, parse_expression
from telemetry.dictionary.model import Algorithm, Expression, Number, references_in
from telemetry.dictionary.xtce.calibrators import OPERANDS, read_operation
from telemetry.dictionary.xtce.criteria import read_instance
from telemetry.dictionary.xtce.descriptions import (
    DESCRIBED,
    NAMED,
    ancillary_data,
    description_of,
)
from telemetry.dictionary.xtce.names import Declared, Scope
from telemetry.dictionary.xtce.xml_reading import Node, local_name

ALGORITHMS: Final = ("MathAlgorithm", "CustomAlgorithm")
LANGUAGE: Final = "expression"
_TRIGGERS: Final = ("OnParameterUpdateTrigger", "OnContainerUpdateTrigger")


@dataclass(slots=True)
class _Triggers:
    parameters: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)


def read_algorithm(declared: Declared) -> Algorithm:
    """Read one child of an AlgorithmSet."""
    if local_name(declared.element) == "MathAlgorithm":
        return _math_algorithm(declared.element, declared.scope)
    return _custom_algorithm(declared.element, declared.scope)


def _math_algorithm(element: etree._Element, scope: Scope) -> Algorithm:
    node = Node(element, attributes=NAMED, children=(*DESCRIBED, "MathOperation"))
    description_of(node)
    operation = Node(
        node.needed("MathOperation"),
        attributes=(*NAMED, "outputParameterRef"),
        children=("AncillaryDataSet", OPERANDS, "TriggerSet"),
    )
    ancillary_data(operation)
    if operation.child("ThisParameterOperand") is not None:
        raise operation.error("<ThisParameterOperand> has no meaning in a MathAlgorithm")
    return _algorithm(
        node,
        output=scope.parameter(operation, "outputParameterRef"),
        expression=read_operation(operation, scope),
        triggers=_read_triggers(operation.needed("TriggerSet"), scope),
    )


def _custom_algorithm(element: etree._Element, scope: Scope) -> Algorithm:
    node = Node(
        element,
        attributes=NAMED,
        children=(*DESCRIBED, "AlgorithmText", "InputSet", "OutputSet", "TriggerSet"),
    )
    description_of(node)
    text = Node(node.needed("AlgorithmText"), attributes=("language",), text=True)
    text.choice("language", (LANGUAGE,), "pseudo")
    try:
        expression = parse_expression(text.text(), _read_inputs(node, scope))
    except ExpressionError as error:
        raise text.error(f"the expression {text.text()!r}: {error}") from error
    outputs = Node(node.needed("OutputSet"), children=("OutputParameterRef",))
    output = Node(outputs.needed("OutputParameterRef"), attributes=("parameterRef", "outputName"))
    found = node.child("TriggerSet")
    triggers = _Triggers() if found is None else _read_triggers(found, scope)
    return _algorithm(
        node, output=scope.parameter(output), expression=expression, triggers=triggers
    )


def _algorithm(
    node: Node, *, output: str, expression: Expression, triggers: _Triggers
) -> Algorithm:
    parameters = triggers.parameters
    if not parameters and not triggers.containers:
        parameters = [instance.parameter for instance in references_in(expression)]
    if not parameters and not triggers.containers:
        raise node.error("it has neither inputs nor triggers, so it is never computed")
    return Algorithm(
        name=node.own_name(),
        output=output,
        expression=expression,
        parameters=tuple(dict.fromkeys(parameters)),
        containers=tuple(triggers.containers),
        line=node.line,
    )


def _read_inputs(algorithm: Node, scope: Scope) -> dict[str, Expression]:
    found = algorithm.child("InputSet")
    if found is None:
        return {}
    inputs: dict[str, Expression] = {}
    listed = Node(found, children=(("InputParameterInstanceRef", "Constant"),))
    for child in listed.some_children():
        if local_name(child) == "Constant":
            node = Node(child, attributes=("constantName", "value"))
            name = node.get("constantName")
            value: Expression = Number(node.number("value"))
        else:
            node = Node(
                child,
                attributes=("parameterRef", "instance", "useCalibratedValue", "inputName"),
            )
            value = read_instance(node, scope)
            name = node.get("inputName", node.get("parameterRef").rpartition("/")[2])
        if name in inputs:
            raise node.error(f"the input {name!r} stands twice")
        inputs[name] = value
    return inputs


def _read_triggers(element: etree._Element, scope: Scope) -> _Triggers:
    node = Node(element, attributes=("name", "triggerRate"), children=(_TRIGGERS,))
    node.choice("triggerRate", ("1",), "1")
    triggers = _Triggers()
    for child in node.some_children():
        if local_name(child) == "OnParameterUpdateTrigger":
            each = Node(child, attributes=("parameterRef",))
            triggers.parameters.append(scope.parameter(each))
        else:
            each = Node(child, attributes=("containerRef",))
            triggers.containers.append(scope.container_path(each))
    return triggers

"""Conditions and whole numbers of XTCE.

Source: OMG XTCE 1.2, MatchCriteriaType, ComparisonCheckType and IntegerValueType.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from telemetry.dictionary.model import (
    AllOf,
    AnyOf,
    Comparison,
    ComparisonOperator,
    Criteria,
    DiscreteLookup,
    DynamicValue,
    IntegerValue,
    ParameterInstance,
)
from telemetry.dictionary.xtce.names import Scope
from telemetry.dictionary.xtce.xml_reading import Node, local_name, whole_number

MATCHES: Final = ("Comparison", "ComparisonList", "BooleanExpression")
_OPERATORS: Final = tuple(operator.value for operator in ComparisonOperator)
_INSTANCE: Final = ("parameterRef", "instance", "useCalibratedValue")
_FORMS: Final = ("FixedValue", "DynamicValue", "DiscreteLookupList")


def read_match(node: Node, scope: Scope) -> Criteria:
    """Read the one of ``MATCHES`` that *node* holds."""
    element = node.one_of(MATCHES)
    if local_name(element) == "Comparison":
        return _comparison(element, scope)
    if local_name(element) == "ComparisonList":
        listed = Node(element, children=(("Comparison",),))
        return AllOf(tuple(_comparison(child, scope) for child in listed.some_children()))
    expression = Node(element, children=("Condition", "ANDedConditions", "ORedConditions"))
    return _condition(expression.one_of(("Condition", "ANDedConditions", "ORedConditions")), scope)


def read_criteria(element: etree._Element, scope: Scope) -> Criteria:
    """Read an element that holds nothing but a match."""
    return read_match(Node(element, children=MATCHES), scope)


def read_instance(node: Node, scope: Scope) -> ParameterInstance:
    """Read a reference to a parameter's value from a node with its attributes."""
    instance = node.integer("instance", 0)
    if instance != 0:
        raise node.error(
            f"instance={instance} of <{node.name}> is not supported; only the newest value, 0, is"
        )
    return ParameterInstance(
        parameter=scope.parameter(node),
        use_calibrated_value=node.boolean("useCalibratedValue", default=True),
        line=node.line,
    )


def read_instance_element(element: etree._Element, scope: Scope) -> ParameterInstance:
    return read_instance(Node(element, attributes=_INSTANCE), scope)


def read_integer(element: etree._Element, scope: Scope) -> IntegerValue:
    """Read an IntegerValueType: a number, or what gives it."""
    return read_integer_from(Node(element, children=_FORMS), scope)


def read_integer_from(node: Node, scope: Scope) -> IntegerValue:
    element = node.one_of(_FORMS)
    if local_name(element) == "FixedValue":
        fixed = Node(element, text=True)
        return fixed.parse("FixedValue", fixed.text(), whole_number)
    if local_name(element) == "DynamicValue":
        return read_dynamic(element, scope)
    return read_lookup(element, scope)


def read_dynamic(element: etree._Element, scope: Scope) -> DynamicValue:
    node = Node(element, children=("ParameterInstanceRef", "LinearAdjustment"))
    instance = read_instance_element(node.needed("ParameterInstanceRef"), scope)
    found = node.child("LinearAdjustment")
    if found is None:
        return DynamicValue(instance=instance)
    adjustment = Node(found, attributes=("slope", "intercept"))
    return DynamicValue(
        instance=instance,
        slope=adjustment.number("slope", 1.0),
        intercept=adjustment.number("intercept", 0.0),
    )


def read_lookup(element: etree._Element, scope: Scope) -> DiscreteLookup:
    node = Node(element, children=(("DiscreteLookup",),))
    cases = []
    for child in node.some_children():
        case = Node(child, attributes=("value",), children=MATCHES)
        cases.append((read_match(case, scope), case.integer("value")))
    return DiscreteLookup(cases=tuple(cases), line=node.line)


def _comparison(element: etree._Element, scope: Scope) -> Comparison:
    node = Node(element, attributes=(*_INSTANCE, "value", "comparisonOperator"))
    instance = read_instance(node, scope)
    return Comparison(
        parameter=instance.parameter,
        operator=ComparisonOperator(node.choice("comparisonOperator", _OPERATORS, "==")),
        value=node.get("value"),
        use_calibrated_value=instance.use_calibrated_value,
        line=node.line,
    )


def _condition(element: etree._Element, scope: Scope) -> Criteria:
    name = local_name(element)
    if name == "Condition":
        return _check(element, scope)
    inner = "ORedConditions" if name == "ANDedConditions" else "ANDedConditions"
    node = Node(element, children=(("Condition", inner),))
    parts = tuple(_condition(child, scope) for child in node.children())
    if len(parts) < 2:
        raise node.error(f"<{name}> has {len(parts)} conditions; it needs at least 2")
    return AllOf(parts) if name == "ANDedConditions" else AnyOf(parts)


def _check(element: etree._Element, scope: Scope) -> Comparison:
    """Read a Condition: a parameter, an operator, and a value or a second parameter."""
    node = Node(
        element,
        children=(("ParameterInstanceRef", "ComparisonOperator", "Value"),),
    )
    names = [local_name(child) for child in node.children()]
    if names[:2] != ["ParameterInstanceRef", "ComparisonOperator"] or len(names) != 3:
        raise node.error(
            "<Condition> needs <ParameterInstanceRef>, <ComparisonOperator> and then <Value> or"
            " a second <ParameterInstanceRef>"
        )
    first, middle, last = node.children()
    if local_name(last) == "ComparisonOperator":
        raise node.error("<Condition> has two <ComparisonOperator>; the limit is 1")
    instance = read_instance_element(first, scope)
    operator = Node(middle, text=True)
    if operator.text() not in _OPERATORS:
        raise operator.error(
            f"{operator.text()!r} is no comparison operator; it is one of {' '.join(_OPERATORS)}"
        )
    value: str | ParameterInstance
    if local_name(last) == "Value":
        value = Node(last, text=True).text()
    else:
        value = read_instance_element(last, scope)
    return Comparison(
        parameter=instance.parameter,
        operator=ComparisonOperator(operator.text()),
        value=value,
        use_calibrated_value=instance.use_calibrated_value,
        line=node.line,
    )

"""Alarms of XTCE parameter types: static and changing ranges, labels, conditions, contexts.

A dead band is no part of XTCE 1.2: an annotation ``<AncillaryData name="hysteresis">0.5
</AncillaryData>`` of an alarm gives it, in engineering units.

Source: OMG XTCE 1.2, NumericAlarmType, EnumerationAlarmType, BooleanAlarmType.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from telemetry.dictionary.model import (
    Alarm,
    AlarmRange,
    ChangeAlarm,
    ConcernLevel,
    ContextAlarm,
    Criteria,
    EnumerationAlarm,
    NumericAlarm,
)
from telemetry.dictionary.xtce.criteria import read_criteria
from telemetry.dictionary.xtce.descriptions import NAMED, ancillary_data
from telemetry.dictionary.xtce.names import Scope
from telemetry.dictionary.xtce.xml_reading import Node, positive_number, real_number

_RANGES: Final = {
    "WatchRange": ConcernLevel.WATCH,
    "WarningRange": ConcernLevel.WARNING,
    "DistressRange": ConcernLevel.DISTRESS,
    "CriticalRange": ConcernLevel.CRITICAL,
    "SevereRange": ConcernLevel.SEVERE,
}
_CONDITIONS: Final = {
    "WatchAlarm": ConcernLevel.WATCH,
    "WarningAlarm": ConcernLevel.WARNING,
    "DistressAlarm": ConcernLevel.DISTRESS,
    "CriticalAlarm": ConcernLevel.CRITICAL,
    "SevereAlarm": ConcernLevel.SEVERE,
}
_BOUNDS: Final = ("minInclusive", "minExclusive", "maxInclusive", "maxExclusive")
_ATTRIBUTES: Final = (*NAMED, "minViolations", "minConformance")
_LEVELS: Final = tuple(level.value for level in ConcernLevel)
_HYSTERESIS: Final = "hysteresis"

_AlarmReader = Callable[[etree._Element, tuple[str, ...]], tuple[Node, Alarm]]


def read_alarms(
    parameter_type: Node, read: _AlarmReader, scope: Scope
) -> tuple[Alarm | None, tuple[ContextAlarm, ...]]:
    """Return the default alarm of a parameter type and those for contexts."""
    found = parameter_type.child("DefaultAlarm")
    default = None if found is None else read(found, ())[1]
    listed = parameter_type.child("ContextAlarmList")
    if listed is None:
        return default, ()
    contexts = []
    node = Node(listed, children=(("ContextAlarm",),))
    for child in node.some_children():
        context, alarm = read(child, ("ContextMatch",))
        match = read_criteria(context.needed("ContextMatch"), scope)
        contexts.append(ContextAlarm(match, alarm))
    return default, tuple(contexts)


@dataclass(frozen=True, slots=True)
class NumericAlarms:
    """Reads the alarms of an integer or float type."""

    scope: Scope

    def __call__(self, element: etree._Element, more: tuple[str, ...]) -> tuple[Node, Alarm]:
        node = Node(
            element,
            attributes=_ATTRIBUTES,
            children=(
                *("AncillaryDataSet", "AlarmConditions", "StaticAlarmRanges"),
                *("ChangeAlarmRanges", "AlarmMultiRanges", *more),
            ),
        )
        ranges: list[AlarmRange] = []
        if (static := node.child("StaticAlarmRanges")) is not None:
            ranges += _named_ranges(Node(static, **_RANGES_NODE))
        if (multiple := node.child("AlarmMultiRanges")) is not None:
            ranges += _multi_ranges(multiple)
        changing = node.child("ChangeAlarmRanges")
        violations, conformance = _persistence(node)
        return node, NumericAlarm(
            ranges=tuple(ranges),
            changes=() if changing is None else (_change(changing),),
            conditions=_conditions(node, self.scope),
            min_violations=violations,
            min_conformance=conformance,
            hysteresis=_hysteresis(node),
        )


@dataclass(frozen=True, slots=True)
class LabelAlarms:
    """Reads the alarms of an enumerated type; with ``None`` for labels, of a boolean one."""

    scope: Scope
    labels: frozenset[str] | None

    def __call__(self, element: etree._Element, more: tuple[str, ...]) -> tuple[Node, Alarm]:
        listed = () if self.labels is None else ("EnumerationAlarmList",)
        default = () if self.labels is None else ("defaultAlarmLevel",)
        node = Node(
            element,
            attributes=(*_ATTRIBUTES, *default),
            children=("AncillaryDataSet", "AlarmConditions", *listed, *more),
        )
        ancillary_data(node)
        levels: tuple[tuple[str, ConcernLevel], ...] = ()
        if (found := node.child("EnumerationAlarmList")) is not None:
            levels = _label_levels(found, self.labels or frozenset())
        violations, conformance = _persistence(node)
        return node, EnumerationAlarm(
            levels=levels,
            default_level=ConcernLevel(node.choice("defaultAlarmLevel", _LEVELS, "normal")),
            conditions=_conditions(node, self.scope),
            min_violations=violations,
            min_conformance=conformance,
        )


_RANGES_NODE: Final[dict[str, Any]] = {
    "attributes": (*NAMED, "rangeForm"),
    "children": ("AncillaryDataSet", *_RANGES),
}


def _named_ranges(node: Node) -> list[AlarmRange]:
    ancillary_data(node)
    inside = _is_inside(node)
    return [
        _read_range(Node(found, attributes=_BOUNDS), level=level, alarm_inside=inside)
        for name, level in _RANGES.items()
        if (found := node.child(name)) is not None
    ]


def _multi_ranges(element: etree._Element) -> list[AlarmRange]:
    listed = Node(element, attributes=NAMED, children=("AncillaryDataSet", ("Range",)))
    ancillary_data(listed)
    ranges = []
    for child in listed.some_children("Range"):
        node = Node(child, attributes=(*_BOUNDS, "rangeForm", "level"))
        level = ConcernLevel(node.choice("level", _LEVELS))
        ranges.append(_read_range(node, level=level, alarm_inside=_is_inside(node)))
    return ranges


def _change(element: etree._Element) -> ChangeAlarm:
    node = Node(
        element,
        attributes=(
            *(*NAMED, "rangeForm", "changeType", "changeBasis"),
            *("spanOfInterestInSamples", "spanOfInterestInSeconds"),
        ),
        children=("AncillaryDataSet", *_RANGES),
    )
    per_second = node.choice(
        "changeType", ("changePerSecond", "changePerSample"), "changePerSecond"
    )
    relative = node.choice("changeBasis", ("absoluteChange", "percentageChange"), "absoluteChange")
    span_s = node.number("spanOfInterestInSeconds", 0.0)
    if not 0.0 <= span_s < math.inf:
        raise node.error(f"spanOfInterestInSeconds {span_s} is not a span from 0")
    if span_s and per_second == "changePerSample":
        raise node.error("spanOfInterestInSeconds with changePerSample is not supported")
    return ChangeAlarm(
        ranges=tuple(_named_ranges(node)),
        per_second=per_second == "changePerSecond",
        relative=relative == "percentageChange",
        span_samples=node.parse(
            "spanOfInterestInSamples", node.get("spanOfInterestInSamples", "1"), positive_number
        ),
        span_s=span_s,
    )


def _is_inside(node: Node) -> bool:
    return node.choice("rangeForm", ("outside", "inside"), "outside") == "inside"


def _read_range(node: Node, *, level: ConcernLevel, alarm_inside: bool) -> AlarmRange:
    minimum, min_exclusive = _bound(node, "min")
    maximum, max_exclusive = _bound(node, "max")
    if minimum is None and maximum is None:
        raise node.error(f"<{node.name}> has no bound; give a minimum, a maximum or both")
    if minimum is not None and maximum is not None and minimum > maximum:
        raise node.error(f"<{node.name}>: the minimum {minimum} is above the maximum {maximum}")
    return AlarmRange(
        level=level,
        minimum=minimum,
        maximum=maximum,
        min_exclusive=min_exclusive,
        max_exclusive=max_exclusive,
        alarm_inside=alarm_inside,
    )


def _bound(node: Node, side: str) -> tuple[float | None, bool]:
    """Return one side's bound and whether it is exclusive."""
    inclusive = node.optional(f"{side}Inclusive", real_number)
    exclusive = node.optional(f"{side}Exclusive", real_number)
    if inclusive is not None and exclusive is not None:
        raise node.error(f"<{node.name}> has both {side}Inclusive and {side}Exclusive")
    bound = exclusive if inclusive is None else inclusive
    if bound is not None and math.isnan(bound):
        raise node.error(f"<{node.name}>: NaN is no bound")
    return bound, exclusive is not None


def _conditions(alarm: Node, scope: Scope) -> tuple[tuple[ConcernLevel, Criteria], ...]:
    found = alarm.child("AlarmConditions")
    if found is None:
        return ()
    node = Node(found, children=tuple(_CONDITIONS))
    return tuple(
        (level, read_criteria(element, scope))
        for name, level in _CONDITIONS.items()
        if (element := node.child(name)) is not None
    )


def _label_levels(
    element: etree._Element, labels: frozenset[str]
) -> tuple[tuple[str, ConcernLevel], ...]:
    levels = []
    listed = Node(element, children=(("EnumerationAlarm",),))
    for child in listed.some_children():
        node = Node(child, attributes=("alarmLevel", "enumerationLabel"))
        label = node.get("enumerationLabel")
        if label not in labels:
            raise node.error(f"the enumeration has no label {label!r}")
        levels.append((label, ConcernLevel(node.choice("alarmLevel", _LEVELS))))
    return tuple(levels)


def _persistence(alarm: Node) -> tuple[int, int]:
    """Return (minViolations, minConformance); the second defaults to the first."""
    violations = alarm.integer("minViolations", 1)
    conformance = alarm.integer("minConformance", violations)
    if violations < 1 or conformance < 1:
        raise alarm.error("minViolations and minConformance are at least 1")
    return violations, conformance


def _hysteresis(alarm: Node) -> float:
    found = ancillary_data(alarm).get(_HYSTERESIS)
    if found is None:
        return 0.0
    width = found.parse(_HYSTERESIS, found.text(), real_number)
    if not 0.0 <= width < math.inf:
        raise found.error(f"hysteresis {width} is not a width from 0")
    return width

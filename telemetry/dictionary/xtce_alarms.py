"""Alarms of XTCE parameter types: DefaultAlarm with static ranges or per label.

Source: OMG XTCE 1.2, NumericAlarmType, EnumerationAlarmType, FloatRangeType.
"""

from __future__ import annotations

import math
from typing import Final

from lxml import etree

from telemetry.dictionary.model import AlarmRange, ConcernLevel, EnumerationAlarm, NumericAlarm
from telemetry.dictionary.xml_reading import Node

_RANGES: Final = {
    "WatchRange": ConcernLevel.WATCH,
    "WarningRange": ConcernLevel.WARNING,
    "DistressRange": ConcernLevel.DISTRESS,
    "CriticalRange": ConcernLevel.CRITICAL,
    "SevereRange": ConcernLevel.SEVERE,
}
_ALARM_ATTRIBUTES: Final = ("name", "shortDescription", "minViolations", "minConformance")
_LEVELS: Final = tuple(level.value for level in ConcernLevel)


def read_numeric_alarm(element: etree._Element) -> NumericAlarm:
    """Read a DefaultAlarm of an integer or float type."""
    alarm = Node(element, attributes=_ALARM_ATTRIBUTES, children=("StaticAlarmRanges",))
    violations, conformance = _persistence(alarm)
    static = Node(
        alarm.needed("StaticAlarmRanges"),
        attributes=("name", "shortDescription", "rangeForm"),
        children=_RANGES,
    )
    inside = static.choice("rangeForm", ("outside", "inside"), "outside") == "inside"
    ranges = [
        _read_range(found, level=level, alarm_inside=inside)
        for name, level in _RANGES.items()
        if (found := static.child(name)) is not None
    ]
    return NumericAlarm(
        ranges=tuple(ranges), min_violations=violations, min_conformance=conformance
    )


def _read_range(element: etree._Element, *, level: ConcernLevel, alarm_inside: bool) -> AlarmRange:
    node = Node(
        element, attributes=("minInclusive", "minExclusive", "maxInclusive", "maxExclusive")
    )
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
    inclusive = node.optional(f"{side}Inclusive", float)
    exclusive = node.optional(f"{side}Exclusive", float)
    if inclusive is not None and exclusive is not None:
        raise node.error(f"<{node.name}> has both {side}Inclusive and {side}Exclusive")
    bound = exclusive if inclusive is None else inclusive
    if bound is not None and math.isnan(bound):
        raise node.error(f"<{node.name}>: NaN is no bound")
    return bound, exclusive is not None


def read_enumeration_alarm(element: etree._Element, labels: set[str]) -> EnumerationAlarm:
    """Read a DefaultAlarm of an enumerated type that has these *labels*."""
    alarm = Node(
        element,
        attributes=(*_ALARM_ATTRIBUTES, "defaultAlarmLevel"),
        children=("EnumerationAlarmList",),
    )
    violations, conformance = _persistence(alarm)
    levels: list[tuple[str, ConcernLevel]] = []
    found = alarm.child("EnumerationAlarmList")
    if found is not None:
        for child in Node(found, children=("EnumerationAlarm",)).children():
            levels.append(_read_level(child, labels))
    default = alarm.choice("defaultAlarmLevel", _LEVELS, "normal")
    return EnumerationAlarm(
        levels=tuple(levels),
        default_level=ConcernLevel(default),
        min_violations=violations,
        min_conformance=conformance,
    )


def _read_level(element: etree._Element, labels: set[str]) -> tuple[str, ConcernLevel]:
    node = Node(element, attributes=("alarmLevel", "enumerationLabel"))
    label = node.get("enumerationLabel")
    if label not in labels:
        raise node.error(f"the enumeration has no label {label!r}")
    return label, ConcernLevel(node.choice("alarmLevel", _LEVELS))


def _persistence(alarm: Node) -> tuple[int, int]:
    """Return (minViolations, minConformance); the second defaults to the first."""
    violations = alarm.integer("minViolations", 1)
    conformance = alarm.integer("minConformance", violations)
    if violations < 1 or conformance < 1:
        raise alarm.error("minViolations and minConformance are at least 1")
    return violations, conformance

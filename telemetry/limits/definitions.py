"""What a parameter's limits are, in a form that checks whole columns.

Source: XTCE 1.2 NumericAlarmType and EnumerationAlarmType. Ranges are in engineering
units; of all ranges violated the most severe gives the state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.conditions import Condition, compile_criteria
from telemetry.dictionary.model import (
    Alarm,
    AlarmRange,
    ChangeAlarm,
    ConcernLevel,
    Criteria,
    Dictionary,
    NumericAlarm,
    Parameter,
    ParameterType,
    instances_in,
    scalar_types,
)
from telemetry.limits.states import LimitState

States = npt.NDArray[np.uint8]  # of LimitState values

_STATE_OF: Final = {
    ConcernLevel.NORMAL: LimitState.NOMINAL,
    ConcernLevel.WATCH: LimitState.WATCH,
    ConcernLevel.WARNING: LimitState.WARNING,
    ConcernLevel.DISTRESS: LimitState.DISTRESS,
    ConcernLevel.CRITICAL: LimitState.CRITICAL,
    ConcernLevel.SEVERE: LimitState.SEVERE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitDefinition:
    """The limits of one parameter: ranges of numbers, or states of labels.

    Attributes:
        parameter: Name of the parameter.
        ranges: Least severe first; empty where labels decide.
        labels: State of each label; empty where ranges decide.
        other_labels: State of the labels that are not listed.
        min_violations: Successive values that must agree before a worse state is
            taken, at least 1.
        min_conformance: The same before a better state is taken.
        hysteresis: How far inside its limit a value must come back before it counts as
            inside, in engineering units.
        changes: Limits of how fast the value changes.
        conditions: States that conditions on any parameters call for.
        contexts: Other limits, in force while a condition holds; the first wins.
        needs: Names of the other parameters that conditions and contexts look at.
    """

    parameter: str
    ranges: tuple[AlarmRange, ...] = ()
    labels: Mapping[str, LimitState] | None = None
    other_labels: LimitState = LimitState.NOMINAL
    min_violations: int = 1
    min_conformance: int = 1
    hysteresis: float = 0.0
    changes: tuple[ChangeAlarm, ...] = ()
    conditions: tuple[tuple[LimitState, Condition], ...] = ()
    contexts: tuple[tuple[Condition, LimitDefinition], ...] = ()
    needs: frozenset[str] = frozenset()

    def states(self, values: npt.NDArray[Any]) -> States:
        """Return each value's own state, without regard to its neighbours or a context.

        NaN lies in no range, and so violates every range that values must
        stay in.

        Args:
            values: Engineering values, shape (n,).
        """
        if self.labels is not None:
            return _states_of_labels(values, self.labels, self.other_labels)
        return range_states(self.ranges, values)

    def staying_states(self, values: npt.NDArray[Any]) -> States:
        """Return the state that each value lets stand: worse by the hysteresis."""
        if self.labels is not None or not self.hysteresis:
            return self.states(values)
        return range_states(
            tuple(_widened(limit, self.hysteresis) for limit in self.ranges), values
        )

    def limit_text(self, state: LimitState) -> str:
        """Say in words which limit puts a value into *state*."""
        texts = []
        if self.labels is not None:
            named = [label for label, own in self.labels.items() if own is state]
            if named or self.other_labels is state:
                texts.append(f"when {' or '.join(named) or 'another value'}")
        texts += [_range_text(r) for r in self.ranges if _STATE_OF[r.level] is state]
        for change in self.changes:
            unit = ("%" if change.relative else "") + ("/s" if change.per_second else "")
            texts += [
                f"changing by {_range_text(r)}{unit and ' '}{unit}"
                for r in change.ranges
                if _STATE_OF[r.level] is state
            ]
        texts += ["by a condition" for own, _ in self.conditions if own is state]
        return f"{state.name} {' or '.join(texts)}" if texts else state.name

    @property
    def longest_persistence(self) -> int:
        """The most successive values that this definition, in any context, looks back on."""
        inner = [limits.longest_persistence for _, limits in self.contexts]
        return max([self.min_violations, self.min_conformance, *inner])

    @property
    def all_changes(self) -> tuple[ChangeAlarm, ...]:
        inner = [change for _, limits in self.contexts for change in limits.changes]
        return (*self.changes, *inner)


def definition_of(
    parameter: Parameter, parameters: Mapping[str, Parameter] | None = None
) -> LimitDefinition | None:
    """Return the limits that the dictionary gives a parameter, or ``None``.

    Args:
        parameter: Whose.
        parameters: All of the dictionary, which conditions and contexts may look at.

    Raises:
        DictionaryError: A condition that cannot be meant.
    """
    kind = parameter.type
    if kind.alarm is None and not kind.context_alarms:
        return None
    known = {} if parameters is None else parameters
    default = _of_alarm(parameter.name, kind.alarm, known)
    contexts = [
        (context.criteria, _of_alarm(parameter.name, context.alarm, known))
        for context in kind.context_alarms
    ]
    needs = [default.needs, *(limits.needs for _, limits in contexts)]
    needs += [_needs(criteria) for criteria, _ in contexts]
    return replace(
        default,
        contexts=tuple((compile_criteria(c, known), limits) for c, limits in contexts),
        needs=frozenset().union(*needs),
    )


def needs_of_limits(dictionary: Dictionary) -> frozenset[str]:
    """Return the parameters that the limits of any other one look at."""
    return frozenset(
        name
        for declared in dictionary.declared.values()
        for kind in scalar_types(declared.type)
        for criteria in _criteria_of(kind)
        for name in _needs(criteria)
    )


def _criteria_of(kind: ParameterType) -> Iterator[Criteria]:
    for context in kind.context_alarms:
        yield context.criteria
    for alarm in (kind.alarm, *(context.alarm for context in kind.context_alarms)):
        if alarm is not None:
            yield from (criteria for _, criteria in alarm.conditions)


def _of_alarm(
    name: str, alarm: Alarm | None, parameters: Mapping[str, Parameter]
) -> LimitDefinition:
    if alarm is None:
        return LimitDefinition(parameter=name)
    shared: dict[str, Any] = {
        "parameter": name,
        "min_violations": alarm.min_violations,
        "min_conformance": alarm.min_conformance,
        "conditions": tuple(
            (_STATE_OF[level], compile_criteria(criteria, parameters))
            for level, criteria in alarm.conditions
        ),
        "needs": frozenset().union(*(_needs(criteria) for _, criteria in alarm.conditions)),
    }
    if isinstance(alarm, NumericAlarm):
        return LimitDefinition(
            ranges=tuple(sorted(alarm.ranges, key=lambda limit: _STATE_OF[limit.level])),
            changes=alarm.changes,
            hysteresis=alarm.hysteresis,
            **shared,
        )
    return LimitDefinition(
        labels={label: _STATE_OF[level] for label, level in alarm.levels},
        other_labels=_STATE_OF[alarm.default_level],
        **shared,
    )


def _needs(criteria: Criteria) -> frozenset[str]:
    return frozenset(instance.parameter for instance in instances_in(criteria))


def range_states(ranges: tuple[AlarmRange, ...], values: npt.NDArray[Any]) -> States:
    """Return the worst state of the ranges, least severe first, that each value violates."""
    states = np.zeros(len(values), dtype=np.uint8)
    for limit in sorted(ranges, key=lambda limit: _STATE_OF[limit.level]):
        states[_violated(limit, values)] = _STATE_OF[limit.level]
    return states


def _widened(limit: AlarmRange, width: float) -> AlarmRange:
    """Return a range whose alarm begins earlier by *width*."""
    inwards = -width if limit.alarm_inside else width
    minimum = None if limit.minimum is None else limit.minimum + inwards
    maximum = None if limit.maximum is None else limit.maximum - inwards
    if minimum is not None and maximum is not None and minimum > maximum:
        minimum = maximum = (minimum + maximum) / 2
    return replace(limit, minimum=minimum, maximum=maximum)


def _violated(limit: AlarmRange, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    inside = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), dtype=bool)
    if limit.minimum is not None:
        inside &= values > limit.minimum if limit.min_exclusive else values >= limit.minimum
    if limit.maximum is not None:
        inside &= values < limit.maximum if limit.max_exclusive else values <= limit.maximum
    return inside if limit.alarm_inside else ~inside


def _states_of_labels(
    values: npt.NDArray[Any], labels: Mapping[str, LimitState], other: LimitState
) -> States:
    distinct, where = np.unique(values, return_inverse=True)
    states = [labels.get(str(label), other) for label in distinct]
    return np.array(states, dtype=np.uint8)[where]


def _range_text(limit: AlarmRange) -> str:
    low = "" if limit.minimum is None else f"{limit.minimum:g}"
    high = "" if limit.maximum is None else f"{limit.maximum:g}"
    if limit.alarm_inside:
        return f"from {low or 'any'} to {high or 'any'}"
    return " or ".join(text for text in (low and f"below {low}", high and f"above {high}") if text)

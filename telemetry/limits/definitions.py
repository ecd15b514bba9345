"""What a parameter's limits are, in a form that checks whole columns.

Source: XTCE 1.2 AlarmRangesType and EnumerationAlarmType. Ranges are in
engineering units; of all ranges violated the most severe gives the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.model import (
    AlarmRange,
    ConcernLevel,
    EnumerationAlarm,
    NumericAlarm,
    Parameter,
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
    """

    parameter: str
    ranges: tuple[AlarmRange, ...] = ()
    labels: Mapping[str, LimitState] | None = None
    other_labels: LimitState = LimitState.NOMINAL
    min_violations: int = 1
    min_conformance: int = 1

    def states(self, values: npt.NDArray[Any]) -> States:
        """Return each value's own state, without regard to its neighbours.

        NaN lies in no range, and so violates every range that values must
        stay in.

        Args:
            values: Engineering values, shape (n,).
        """
        if self.labels is not None:
            return _states_of_labels(values, self.labels, self.other_labels)
        states = np.zeros(len(values), dtype=np.uint8)
        for limit in self.ranges:
            states[_violated(limit, values)] = _STATE_OF[limit.level]
        return states

    def limit_text(self, state: LimitState) -> str:
        """Say in words which limit puts a value into *state*."""
        if self.labels is not None:
            named = [label for label, own in self.labels.items() if own is state]
            return f"{state.name} when {' or '.join(named) or 'another value'}"
        texts = [_range_text(r) for r in self.ranges if _STATE_OF[r.level] is state]
        return f"{state.name} {' or '.join(texts)}" if texts else state.name


def definition_of(parameter: Parameter) -> LimitDefinition | None:
    """Return the limits that the dictionary gives a parameter, or ``None``."""
    alarm = parameter.alarm
    if isinstance(alarm, NumericAlarm):
        return LimitDefinition(
            parameter=parameter.name,
            ranges=tuple(sorted(alarm.ranges, key=lambda limit: _STATE_OF[limit.level])),
            min_violations=alarm.min_violations,
            min_conformance=alarm.min_conformance,
        )
    if isinstance(alarm, EnumerationAlarm):
        return LimitDefinition(
            parameter=parameter.name,
            labels={label: _STATE_OF[level] for label, level in alarm.levels},
            other_labels=_STATE_OF[alarm.default_level],
            min_violations=alarm.min_violations,
            min_conformance=alarm.min_conformance,
        )
    return None


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

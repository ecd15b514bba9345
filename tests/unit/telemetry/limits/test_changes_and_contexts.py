from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dictionary.model import (
    AlarmRange,
    ChangeAlarm,
    Comparison,
    ComparisonOperator,
    ConcernLevel,
    ContextAlarm,
    EnumerationLabel,
    IntegerEncoding,
    NumericAlarm,
    Parameter,
    ParameterType,
    TypeKind,
)
from telemetry.limits import (
    LimitDefinition,
    LimitMemory,
    LimitState,
    check_limits,
    definition_of,
)

NOMINAL, WATCH, WARNING, DISTRESS, CRITICAL, SEVERE = LimitState
WARNING_RANGE = AlarmRange(level=ConcernLevel.WARNING, minimum=0.0, maximum=50.0)
CRITICAL_RANGE = AlarmRange(level=ConcernLevel.CRITICAL, minimum=-10.0, maximum=60.0)


def changing(**fields) -> LimitDefinition:
    limit = AlarmRange(level=ConcernLevel.WARNING, minimum=-10.0, maximum=10.0)
    return LimitDefinition(parameter="T", changes=(ChangeAlarm(ranges=(limit,), **fields),))


def check_changes(definition, times_s, values, memory=None):
    times_us = np.array([int(t * 1e6) for t in times_s])
    return check_limits(
        definition, np.array(values, dtype=float), memory or LimitMemory(), times_us=times_us
    )


class TestRateOfChange:
    def test_watches_the_change_in_a_second(self):
        result = check_changes(changing(), [0, 1, 3, 3.5, 3.5], [0, 11, 30, 24, 90])
        # 11 /s; 9.5 /s; -12 /s; and at one instant nothing can be said.
        assert result.states.tolist() == [NOMINAL, WARNING, NOMINAL, WARNING, NOMINAL]
        assert result.transitions[0].limits.limit_text(WARNING) == (
            "WARNING changing by below -10 or above 10 /s"
        )

    def test_watches_the_change_from_sample_to_sample(self):
        result = check_changes(changing(per_second=False), [0, 9, 10], [0, 11, 20])
        assert result.states.tolist() == [NOMINAL, WARNING, NOMINAL]

    def test_looks_back_over_a_span_of_samples_and_of_time(self):
        definition = changing(per_second=False, span_samples=2)
        assert check_changes(definition, [0, 1, 2], [0, 8, 16]).states.tolist() == [
            *(NOMINAL, NOMINAL, WARNING)
        ]
        spanning = changing(span_s=2.0)
        result = check_changes(spanning, [0, 1, 2, 3], [0, 50, 15, 30])
        # After 2 s 7.5 /s, after 3 s -10 /s: the spike between lasts too short a time.
        assert result.states.tolist() == [NOMINAL] * 4

    def test_watches_the_change_in_percent(self):
        definition = changing(per_second=False, relative=True)
        result = check_changes(definition, [0, 1, 2], [-50, -54, -60])
        assert result.states.tolist() == [NOMINAL, NOMINAL, WARNING]

    @given(
        values=st.lists(st.integers(-40, 40), max_size=25),
        cuts=st.lists(st.integers(0, 25), max_size=4),
        span_samples=st.integers(1, 4),
        span_s=st.sampled_from([0.0, 1.5, 4.0]),
    )
    def test_does_not_depend_on_how_the_values_are_cut(self, values, cuts, span_samples, span_s):
        definition = changing(span_samples=span_samples, span_s=span_s)
        times = np.cumsum([1 + value % 3 for value in values]).tolist()
        whole = check_changes(definition, times, values).states.tolist()
        pieces, memory, done = [], LimitMemory(), 0
        for cut in sorted({*(min(c, len(values)) for c in cuts), len(values)}):
            part = check_changes(definition, times[done:cut], values[done:cut], memory)
            memory, done = part.memory, cut
            pieces += part.states.tolist()
        assert pieces == whole


MODE = Parameter(
    name="MODE",
    qualified_name="/C/MODE",
    subsystem="C",
    type=ParameterType(
        name="m",
        kind=TypeKind.ENUMERATED,
        encoding=IntegerEncoding(size_bits=8),
        labels=(
            EnumerationLabel(value=0, max_value=0, label="OFF"),
            EnumerationLabel(value=1, max_value=1, label="ON"),
        ),
    ),
)


def in_mode(label: str) -> Comparison:
    return Comparison(parameter="MODE", operator=ComparisonOperator.EQUAL, value=label)


def looking_at(*modes: int):
    def look_up(instance):
        assert instance.parameter == "MODE"
        return np.array(modes, dtype=np.uint8), np.ones(len(modes), dtype=bool)

    return look_up


class TestContexts:
    def definition(self, **fields) -> LimitDefinition:
        kind = ParameterType(
            name="t",
            kind=TypeKind.FLOAT,
            encoding=IntegerEncoding(size_bits=8),
            alarm=NumericAlarm(ranges=(WARNING_RANGE,)),
            **fields,
        )
        parameter = Parameter(name="T", qualified_name="/C/T", subsystem="C", type=kind)
        definition = definition_of(parameter, {"MODE": MODE, "T": parameter})
        assert definition is not None
        assert definition.needs == {"MODE"}
        return definition

    def test_takes_the_limits_of_the_context_that_holds(self):
        strict = NumericAlarm(
            ranges=(AlarmRange(level=ConcernLevel.SEVERE, maximum=10.0),), min_violations=2
        )
        definition = self.definition(context_alarms=(ContextAlarm(in_mode("OFF"), strict),))
        result = check_limits(
            definition,
            np.array([20.0, 20, 20, 60, 20, 20]),
            LimitMemory(),
            look_up=looking_at(1, 0, 0, 1, 0, 0),
        )
        assert result.states.tolist() == [NOMINAL, NOMINAL, SEVERE, WARNING, WARNING, SEVERE]
        assert [
            t.limits.limit_text(SEVERE) for t in result.transitions if t.current == SEVERE
        ] == ["SEVERE above 10"] * 2

    @given(
        values=st.lists(st.sampled_from([5.0, 20.0, 60.0]), min_size=1, max_size=20),
        modes=st.lists(st.integers(0, 1), min_size=20, max_size=20),
        cut=st.integers(0, 20),
    )
    def test_does_not_depend_on_how_the_values_are_cut(self, values, modes, cut):
        strict = NumericAlarm(
            ranges=(AlarmRange(level=ConcernLevel.SEVERE, maximum=10.0),),
            min_violations=3,
            min_conformance=2,
        )
        definition = self.definition(context_alarms=(ContextAlarm(in_mode("OFF"), strict),))

        def states_of(begin, end, memory):
            return check_limits(
                definition,
                np.array(values[begin:end]),
                memory,
                look_up=looking_at(*modes[begin:end]),
            )

        whole = states_of(0, len(values), LimitMemory())
        cut = min(cut, len(values))
        first = states_of(0, cut, LimitMemory())
        second = states_of(cut, len(values), first.memory)
        assert [*first.states, *second.states] == whole.states.tolist()

    def test_raises_to_the_level_of_a_condition(self):
        alarm = NumericAlarm(
            ranges=(WARNING_RANGE,), conditions=((ConcernLevel.DISTRESS, in_mode("ON")),)
        )
        kind = ParameterType(
            name="t", kind=TypeKind.FLOAT, encoding=IntegerEncoding(size_bits=8), alarm=alarm
        )
        parameter = Parameter(name="T", qualified_name="/C/T", subsystem="C", type=kind)
        definition = definition_of(parameter, {"MODE": MODE})
        result = check_limits(
            definition, np.array([20.0, 60, 20]), LimitMemory(), look_up=looking_at(0, 0, 1)
        )
        assert result.states.tolist() == [NOMINAL, WARNING, DISTRESS]
        assert definition.limit_text(DISTRESS) == "DISTRESS by a condition"

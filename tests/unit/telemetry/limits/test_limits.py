from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dictionary.model import (
    AlarmRange,
    ConcernLevel,
    EnumerationAlarm,
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
    Transition,
    check_limits,
    definition_of,
    display_status,
)

NOMINAL, WATCH, WARNING, DISTRESS, CRITICAL, SEVERE = LimitState
WARNING_RANGE = AlarmRange(level=ConcernLevel.WARNING, minimum=0.0, maximum=50.0)
CRITICAL_RANGE = AlarmRange(level=ConcernLevel.CRITICAL, minimum=-10.0, maximum=60.0)


def temperature(**fields) -> LimitDefinition:
    return LimitDefinition(parameter="T", ranges=(WARNING_RANGE, CRITICAL_RANGE), **fields)


def states(definition: LimitDefinition, *values: float) -> list[LimitState]:
    return [LimitState(state) for state in definition.states(np.array(values))]


class TestRanges:
    def test_takes_the_most_severe_range_that_is_violated(self):
        assert states(temperature(), 20, 0, 50, -0.1, 50.1, -10, 60, -10.1, 61) == [
            *(NOMINAL, NOMINAL, NOMINAL),
            *(WARNING, WARNING, WARNING, WARNING),
            *(CRITICAL, CRITICAL),
        ]

    def test_counts_an_exclusive_bound_as_violated(self):
        edge = AlarmRange(
            level=ConcernLevel.WATCH,
            minimum=0.0,
            maximum=9.0,
            min_exclusive=True,
            max_exclusive=True,
        )
        definition = LimitDefinition(parameter="T", ranges=(edge,))
        assert states(definition, 0, 0.1, 8.9, 9) == [WATCH, NOMINAL, NOMINAL, WATCH]

    def test_leaves_an_open_side_alone(self):
        definition = LimitDefinition(
            parameter="T", ranges=(AlarmRange(level=ConcernLevel.SEVERE, maximum=5.0),)
        )
        assert states(definition, -1e30, 5, 5.1) == [NOMINAL, NOMINAL, SEVERE]

    def test_alarms_inside_a_range_of_the_other_form(self):
        resonance = AlarmRange(
            level=ConcernLevel.DISTRESS, minimum=40.0, maximum=45.0, alarm_inside=True
        )
        definition = LimitDefinition(parameter="T", ranges=(resonance,))
        assert states(definition, 39, 40, 45, 46, float("nan")) == [
            *(NOMINAL, DISTRESS, DISTRESS, NOMINAL, NOMINAL)
        ]

    def test_takes_not_a_number_for_a_violation_of_every_range_to_stay_in(self):
        assert states(temperature(), float("nan")) == [CRITICAL]

    def test_checks_integers_without_turning_them_into_floats(self):
        values = np.array([0, 2**64 - 1], dtype=np.uint64)
        assert temperature().states(values).tolist() == [NOMINAL, CRITICAL]


class TestLabels:
    def test_gives_each_label_its_state_and_the_rest_the_default(self):
        definition = LimitDefinition(
            parameter="MODE", labels={"FAULT": CRITICAL, "OFF": WATCH}, other_labels=NOMINAL
        )
        values = np.array(["ON", "FAULT", "OFF", "UNKNOWN 7"])
        assert definition.states(values).tolist() == [NOMINAL, CRITICAL, WATCH, NOMINAL]


class TestDefinitionOf:
    def parameter(self, alarm) -> Parameter:
        kind = ParameterType(
            name="t", kind=TypeKind.INTEGER, encoding=IntegerEncoding(size_bits=8), alarm=alarm
        )
        return Parameter(name="T", qualified_name="/C/T", subsystem="C", type=kind)

    def test_is_none_where_the_dictionary_has_no_alarm(self):
        assert definition_of(self.parameter(None)) is None

    def test_orders_ranges_so_that_the_worst_wins_however_they_were_written(self):
        alarm = NumericAlarm(ranges=(CRITICAL_RANGE, WARNING_RANGE), min_violations=2)
        definition = definition_of(self.parameter(alarm))
        assert definition is not None
        assert states(definition, 1000) == [CRITICAL]
        assert definition.min_violations == 2

    def test_takes_over_the_labels(self):
        alarm = EnumerationAlarm(
            levels=(("FAULT", ConcernLevel.SEVERE),), default_level=ConcernLevel.WATCH
        )
        definition = definition_of(self.parameter(alarm))
        assert definition is not None
        assert definition.states(np.array(["FAULT", "ON"])).tolist() == [SEVERE, WATCH]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (WARNING, "WARNING below 0 or above 50"),
        (CRITICAL, "CRITICAL below -10 or above 60"),
        (NOMINAL, "NOMINAL"),
    ],
)
def test_says_the_limit_in_words(state, text):
    assert temperature().limit_text(state) == text


def test_shows_no_worse_state_as_a_milder_status():
    order = ["normal", "caution", "serious", "critical"]
    ranks = [order.index(display_status(state)) for state in LimitState]
    assert ranks == sorted(ranks)
    assert (ranks[NOMINAL], ranks[SEVERE]) == (0, 3)


def check(definition: LimitDefinition, *values: float, memory: LimitMemory | None = None):
    return check_limits(definition, np.array(values, dtype=float), memory or LimitMemory())


class TestCheckLimits:
    def test_reports_each_change_where_it_happens(self):
        result = check(temperature(), 20, 55, 55, 70, 20)
        assert result.states.tolist() == [NOMINAL, WARNING, WARNING, CRITICAL, NOMINAL]
        assert result.transitions == [
            Transition(index=1, previous=NOMINAL, current=WARNING),
            Transition(index=3, previous=WARNING, current=CRITICAL),
            Transition(index=4, previous=CRITICAL, current=NOMINAL),
        ]

    def test_waits_for_successive_violations(self):
        result = check(temperature(min_violations=3), 55, 55, 20, 55, 55, 55)
        assert result.states.tolist() == [*[NOMINAL] * 5, WARNING]

    def test_takes_the_mildest_state_that_all_the_violations_reach(self):
        result = check(temperature(min_violations=3), 70, 55, 70, 70, 70)
        assert result.states.tolist() == [NOMINAL, NOMINAL, WARNING, WARNING, CRITICAL]

    def test_waits_for_successive_conformance(self):
        definition = temperature(min_conformance=2)
        result = check(definition, 70, 20, 70, 20, 20)
        assert result.states.tolist() == [CRITICAL, CRITICAL, CRITICAL, CRITICAL, NOMINAL]

    def test_falls_only_to_the_worst_of_the_conforming_values(self):
        result = check(temperature(min_conformance=2), 70, 55, 20, 20)
        assert result.states.tolist() == [CRITICAL, CRITICAL, WARNING, NOMINAL]

    def test_keeps_the_memory_when_nothing_comes(self):
        memory = LimitMemory(state=WARNING, recent=(2,))
        assert check(temperature(), memory=memory).memory == memory

    @given(
        values=st.lists(st.sampled_from([20.0, 55.0, 70.0, -5.0, -20.0]), max_size=30),
        cuts=st.lists(st.integers(0, 30), max_size=4),
        violations=st.integers(1, 4),
        conformance=st.integers(1, 4),
    )
    def test_does_not_depend_on_how_the_values_are_cut_into_batches(
        self, values, cuts, violations, conformance
    ):
        definition = temperature(min_violations=violations, min_conformance=conformance)
        whole = check(definition, *values)
        memory, pieces, changes, done = LimitMemory(), [], [], 0
        for cut in sorted({*(min(c, len(values)) for c in cuts), len(values)}):
            part = check(definition, *values[done:cut], memory=memory)
            memory = part.memory
            pieces += part.states.tolist()
            changes += [(done + t.index, t.previous, t.current) for t in part.transitions]
            done = cut
        assert pieces == whole.states.tolist()
        assert changes == [(t.index, t.previous, t.current) for t in whole.transitions]

    @given(
        values=st.lists(st.sampled_from([20.0, 55.0, 70.0]), min_size=1, max_size=30),
        violations=st.integers(1, 4),
        conformance=st.integers(1, 4),
    )
    def test_agrees_with_the_rule_told_one_value_at_a_time(self, values, violations, conformance):
        definition = temperature(min_violations=violations, min_conformance=conformance)
        own, state, told = [NOMINAL] * 4, NOMINAL, []
        for value in values:
            own.append(states(definition, value)[0])
            if min(own[-violations:]) > state:
                state = min(own[-violations:])
            elif max(own[-conformance:]) < state:
                state = max(own[-conformance:])
            told.append(state)
        assert check(definition, *values).states.tolist() == told


class TestHysteresis:
    def test_holds_a_state_until_the_value_is_well_inside_again(self):
        definition = temperature(hysteresis=2.0)
        result = check(definition, 49, 51, 49, 48.5, 48, 49)
        assert result.states.tolist() == [*(NOMINAL, WARNING, WARNING, WARNING, NOMINAL, NOMINAL)]

    def test_falls_through_the_milder_states_one_by_one(self):
        result = check(temperature(hysteresis=2.0), 61, 59, 57, 49, 47)
        assert result.states.tolist() == [CRITICAL, CRITICAL, WARNING, WARNING, NOMINAL]

    def test_widens_a_range_whose_inside_is_the_alarm(self):
        resonance = AlarmRange(
            level=ConcernLevel.DISTRESS, minimum=40.0, maximum=45.0, alarm_inside=True
        )
        definition = LimitDefinition(parameter="T", ranges=(resonance,), hysteresis=1.0)
        assert check(definition, 39.5, 40, 39.5, 38.9, 45.5).states.tolist() == [
            *(NOMINAL, DISTRESS, DISTRESS, NOMINAL, NOMINAL)
        ]

    @given(
        values=st.lists(st.sampled_from([20.0, 49.0, 55.0, 59.0, 70.0]), max_size=30),
        cuts=st.lists(st.integers(0, 30), max_size=4),
        violations=st.integers(1, 3),
        conformance=st.integers(1, 3),
    )
    def test_does_not_depend_on_how_the_values_are_cut(
        self, values, cuts, violations, conformance
    ):
        definition = temperature(
            hysteresis=2.0, min_violations=violations, min_conformance=conformance
        )
        pieces, memory, done = [], LimitMemory(), 0
        for cut in sorted({*(min(c, len(values)) for c in cuts), len(values)}):
            part = check(definition, *values[done:cut], memory=memory)
            memory, done = part.memory, cut
            pieces += part.states.tolist()
        assert pieces == check(definition, *values).states.tolist()

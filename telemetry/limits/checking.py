"""Limit states of a parameter over time, with persistence and hysteresis.

A single bad sample need not be an alarm: a worse state is taken only when
``min_violations`` successive values call for it, a better one only after
``min_conformance``. Within the hysteresis of a limit a state that is in force stays, and
none is taken. The memory of what came before is an explicit value, so that a batch may
be cut anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.conditions import LookUp, Mask
from telemetry.limits.changes import Samples, Times, change_states
from telemetry.limits.definitions import LimitDefinition, States
from telemetry.limits.states import LimitState


@dataclass(frozen=True, slots=True)
class LimitMemory:
    """What must be remembered of one parameter between batches.

    Attributes:
        state: The state in force.
        recent: States that the last values called for, newest last; as many as
            persistence looks back on.
        recent_staying: States that they let stand; empty: the same.
        samples: The last values, where the rate of change is watched.
    """

    state: LimitState = LimitState.NOMINAL
    recent: tuple[int, ...] = ()
    recent_staying: tuple[int, ...] = ()
    samples: Samples = field(default_factory=Samples, compare=False)

    @property
    def is_at_rest(self) -> bool:
        """Whether nominal values that follow change nothing in it."""
        return not (self.state or any(self.recent) or any(self.recent_staying))


@dataclass(frozen=True, slots=True)
class Transition:
    index: int  # of the value that completed it
    previous: LimitState
    current: LimitState
    limits: LimitDefinition | None = field(default=None, compare=False)  # then in force


@dataclass(frozen=True, slots=True)
class LimitResult:
    states: States  # in force after each value, shape (n,)
    transitions: list[Transition]
    memory: LimitMemory


def check_limits(
    definition: LimitDefinition,
    values: npt.NDArray[Any],
    memory: LimitMemory,
    *,
    times_us: Times | None = None,
    look_up: LookUp | None = None,
) -> LimitResult:
    """Check a column of values against a parameter's limits.

    After each value, the state in force moves up to the mildest state that the last
    ``min_violations`` values call for where that is worse, or down to the worst that the
    last ``min_conformance`` let stand where that is better. Before the first value
    everything counts as nominal.

    Args:
        definition: The limits.
        values: Engineering values in order of time, shape (n,).
        memory: As returned for the values before; ``LimitMemory()`` at first.
        times_us: Their times; needed where the rate of change is watched.
        look_up: Values of other parameters at these; needed for conditions and contexts.

    Returns:
        The state after each value, each change, and the memory to pass in
        with the next values.
    """
    if not len(values):
        return LimitResult(np.zeros(0, dtype=np.uint8), [], memory)
    changes = definition.all_changes
    samples = memory.samples
    if changes:
        assert times_us is not None
        samples = samples.followed_by(times_us, values)
    states = np.empty(len(values), dtype=np.uint8)
    transitions: list[Transition] = []
    state, history = memory.state, _History.of(memory, definition.longest_persistence - 1)
    for begin, end, limits in limits_by_context(definition, len(values), look_up):
        floor, ceiling = _own_states(limits, values, begin, end, samples, look_up)
        if history.back:
            history = history.followed_by(floor, ceiling)
            floor, ceiling = history.bounds(limits, end - begin)
        states[begin:end], found = _follow(floor, ceiling, state)
        transitions += [
            Transition(begin + each.index, each.previous, each.current, limits) for each in found
        ]
        state = LimitState(int(states[end - 1]))
    return LimitResult(states, transitions, history.remembered(state, samples.needed_for(changes)))


def limits_by_context(
    definition: LimitDefinition, count: int, look_up: LookUp | None
) -> Iterator[tuple[int, int, LimitDefinition]]:
    """Yield the stretches of values in which the same limits are in force: from, to before."""
    if not definition.contexts:
        yield 0, count, definition
        return
    assert look_up is not None
    which = np.full(count, len(definition.contexts))
    for index in reversed(range(len(definition.contexts))):
        which[definition.contexts[index][0](look_up)] = index
    edges = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), count]
    for begin, end in pairwise(edges):
        index = int(which[begin])
        is_default = index == len(definition.contexts)
        yield begin, end, definition if is_default else definition.contexts[index][1]


def _own_states(
    limits: LimitDefinition,
    values: npt.NDArray[Any],
    begin: int,
    end: int,
    samples: Samples,
    look_up: LookUp | None,
) -> tuple[States, States]:
    """Return the states that values call for, and those that they let stand."""
    called, staying = limits.states(values[begin:end]), limits.staying_states(values[begin:end])
    others: list[States] = []
    for change in limits.changes:
        until = len(samples.times_us) - (len(values) - end)
        known = Samples(samples.times_us[:until], samples.values[:until])
        others.append(change_states(change, known, end - begin))
    for state, condition in limits.conditions:
        assert look_up is not None
        holds: Mask = condition(look_up)[begin:end]
        others.append(np.where(holds, state, 0).astype(np.uint8))
    for other in others:
        called, staying = np.maximum(called, other), np.maximum(staying, other)
    return called, staying


@dataclass(frozen=True, slots=True)
class _History:
    """States that values called for and let stand, with as many from before as are needed."""

    called: States
    staying: States
    back: int

    @classmethod
    def of(cls, memory: LimitMemory, back: int) -> _History:
        return cls(
            _padded(memory.recent, back),
            _padded(memory.recent_staying or memory.recent, back),
            back,
        )

    def followed_by(self, called: States, staying: States) -> _History:
        return _History(
            np.concatenate([self.called[len(self.called) - self.back :], called]),
            np.concatenate([self.staying[len(self.staying) - self.back :], staying]),
            self.back,
        )

    def bounds(self, limits: LimitDefinition, count: int) -> tuple[States, States]:
        """Return between what the last *count* values hold the state in force."""
        called = np.lib.stride_tricks.sliding_window_view(self.called, limits.min_violations)
        staying = np.lib.stride_tricks.sliding_window_view(self.staying, limits.min_conformance)
        return called[-count:].min(axis=1), staying[-count:].max(axis=1)

    def remembered(self, state: LimitState, samples: Samples) -> LimitMemory:
        if not self.back:
            return LimitMemory(state, samples=samples)
        called, staying = self.called[-self.back :], self.staying[-self.back :]
        same = (called == staying).all()
        return LimitMemory(
            state, tuple(called.tolist()), () if same else tuple(staying.tolist()), samples
        )


def _padded(known: tuple[int, ...], back: int) -> States:
    states = (0,) * (back - len(known)) + known[len(known) - back :] if back else ()
    return np.array(states, dtype=np.uint8)


def _follow(floor: States, ceiling: States, state: LimitState) -> tuple[States, list[Transition]]:
    """Let the state follow between floor and ceiling, where floor <= ceiling."""
    if not ((floor > state) | (ceiling < state)).any():
        return np.full(len(floor), state, dtype=np.uint8), []
    states: list[int] = []
    transitions: list[Transition] = []
    for index, (low, high) in enumerate(zip(floor.tolist(), ceiling.tolist(), strict=True)):
        if not low <= state <= high:
            following = LimitState(low if state < low else high)
            transitions.append(Transition(index=index, previous=state, current=following))
            state = following
        states.append(state)
    return np.array(states, dtype=np.uint8), transitions

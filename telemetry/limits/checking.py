"""Limit states of a parameter over time, with persistence.

A single bad sample need not be an alarm: a worse state is taken only when
``min_violations`` successive values call for it, a better one only after
``min_conformance``. The memory of what came before is an explicit value, so
that a batch may be cut anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from telemetry.limits.definitions import LimitDefinition, States
from telemetry.limits.states import LimitState


@dataclass(frozen=True, slots=True)
class LimitMemory:
    """What must be remembered of one parameter between batches.

    Attributes:
        state: The state in force.
        recent: Own states of the last values, newest last; as many as
            persistence looks back on.
    """

    state: LimitState = LimitState.NOMINAL
    recent: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    index: int  # of the value that completed it
    previous: LimitState
    current: LimitState


@dataclass(frozen=True, slots=True)
class LimitResult:
    states: States  # in force after each value, shape (n,)
    transitions: list[Transition]
    memory: LimitMemory


def check_limits(
    definition: LimitDefinition, values: npt.NDArray[Any], memory: LimitMemory
) -> LimitResult:
    """Check a column of values against a parameter's limits.

    After each value, the state in force moves up to the mildest state of the
    last ``min_violations`` values where that is worse, or down to the worst of
    the last ``min_conformance`` where that is better. Before the first value
    everything counts as nominal.

    Args:
        definition: The limits.
        values: Engineering values in order of time, shape (n,).
        memory: As returned for the values before; ``LimitMemory()`` at first.

    Returns:
        The state after each value, each change, and the memory to pass in
        with the next values.
    """
    return follow_states(definition, definition.states(values), memory)


def follow_states(definition: LimitDefinition, own: States, memory: LimitMemory) -> LimitResult:
    """Do as :func:`check_limits`, given each value's own state."""
    if not len(own):
        return LimitResult(own, [], memory)
    back = max(definition.min_violations, definition.min_conformance) - 1
    if not back:
        states, transitions = _follow(own, own, memory.state)
        return LimitResult(states, transitions, LimitMemory(LimitState(int(states[-1]))))
    known = (0,) * (back - len(memory.recent)) + memory.recent[len(memory.recent) - back :]
    history = np.concatenate([np.array(known, dtype=np.uint8), own])
    floor = _sliding(history, definition.min_violations, len(own)).min(axis=1)
    ceiling = _sliding(history, definition.min_conformance, len(own)).max(axis=1)
    states, transitions = _follow(floor, ceiling, memory.state)
    recent = tuple(history[len(history) - back :].tolist())
    return LimitResult(states, transitions, LimitMemory(LimitState(int(states[-1])), recent))


def _sliding(history: States, width: int, count: int) -> States:
    """Return the last *width* states up to each of the last *count* values."""
    return np.lib.stride_tricks.sliding_window_view(history, width)[-count:]


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

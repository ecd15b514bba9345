"""Closed expressions: a tree of numbers, parameters and known functions.

Nothing here is text that could be run: :mod:`telemetry.dictionary.evaluation` knows
every function by name, and no other can be built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from telemetry.dictionary.model.criteria import ParameterInstance


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class ThisValue:
    """The raw value that is being calibrated."""


@dataclass(frozen=True, slots=True)
class Apply:
    function: str
    arguments: tuple[Expression, ...]


Expression = Number | ThisValue | ParameterInstance | Apply


def references_in(expression: Expression) -> Iterator[ParameterInstance]:
    """Yield each parameter that an expression depends on, once."""
    seen: set[int] = set()  # a stack operation may have made one part stand in two places
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, ParameterInstance):
            yield part
        elif isinstance(part, Apply):
            waiting += reversed(part.arguments)

"""Containers, algorithms, and the dictionary that holds everything.

Source: OMG XTCE 1.2, SequenceContainerType, AlgorithmSetType and SpaceSystemType.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from telemetry.dictionary.model.criteria import Criteria, IntegerValue
from telemetry.dictionary.model.expressions import Expression
from telemetry.dictionary.model.types import DeclaredParameter, Dimension, Parameter

_PATH_PART: Final = re.compile(r"\[(\d{1,6})\]|\.([^.\[\]]+)")


class Reference(StrEnum):
    """Where an entry's bit offset counts from."""

    CONTAINER_START = "containerStart"
    PREVIOUS_ENTRY = "previousEntry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    count: IntegerValue
    gap_bits: IntegerValue = 0  # between the end of one and the beginning of the next


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPlace:
    """Where an entry stands, whether, and how often."""

    offset_bits: IntegerValue = 0
    reference: Reference = Reference.PREVIOUS_ENTRY
    condition: Criteria | None = None
    repeat: Repeat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterEntry:
    """A declared parameter; of an array the elements that *dimensions* name, or all."""

    parameter: str
    dimensions: tuple[Dimension, ...] = ()
    place: EntryPlace = EntryPlace()
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEntry:
    container: str  # qualified name
    place: EntryPlace = EntryPlace()
    line: int = 0


Entry = ParameterEntry | ContainerEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One sequence container; its base's entries come first. ``name`` is unique."""

    name: str
    qualified_name: str
    subsystem: str
    entries: tuple[Entry, ...]
    abstract: bool = False
    base: str | None = None  # qualified name
    restriction: Criteria | None = None  # what makes an instance of the base one of this
    expected_period_s: float | None = None  # it comes at least this often
    description: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A derived parameter: an expression, and what makes it be computed anew.

    It is computed for a packet that gives one of *parameters* a value, or that is an
    instance of one of *containers*.
    """

    name: str
    output: str  # name of the parameter
    expression: Expression
    parameters: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()  # qualified names
    line: int = 0


class ParameterTable(Mapping[str, Parameter]):
    """Every value by its name.

    Iteration gives the values whose number is fixed, in the order of the document. An
    element whose existence a packet decides (``P[17]`` of an array of varying length, an
    occurrence in a repeated entry) is found when asked for by name.
    """

    def __init__(self, declared: Mapping[str, DeclaredParameter]) -> None:
        self._declared = declared
        self._fixed = {
            element.name: element
            for parameter in declared.values()
            for element in parameter.elements()
        }
        self._found: dict[str, Parameter] = {}

    def __getitem__(self, name: str) -> Parameter:
        known = self._fixed.get(name) or self._found.get(name)
        if known is None:
            known = self._found[name] = self._find(name)
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._fixed)

    def __len__(self) -> int:
        return len(self._fixed)

    def _find(self, name: str) -> Parameter:
        for end, character in enumerate(name):
            if character in ".[" and (declared := self._declared.get(name[:end])) is not None:
                return declared.element(_parse_path(name[end:], name))
        raise KeyError(name)


def _parse_path(text: str, name: str) -> tuple[str | int, ...]:
    parts = list(_PATH_PART.finditer(text))
    if "".join(part.group() for part in parts) != text:
        raise KeyError(name)
    return tuple(int(part[1]) if part[1] is not None else part[2] for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    """All that a document says of telemetry.

    Attributes:
        name: Of the outermost SpaceSystem.
        declared: Parameters as declared, by name, in the order of the document.
        containers: By qualified name, in the order of the document.
        algorithms: In the order of the document.
        notices: What was not read, and where, because it says nothing of telemetry.
        parameters: The values of all parameters, by name.
    """

    name: str
    declared: Mapping[str, DeclaredParameter]
    containers: Mapping[str, Container]
    algorithms: tuple[Algorithm, ...] = ()
    notices: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", ParameterTable(self.declared))

    @property
    def subsystems(self) -> tuple[str, ...]:
        """The subsystems that hold parameters, in the order of the document."""
        return tuple(dict.fromkeys(p.subsystem for p in self.declared.values()))


def expected_periods_s(dictionary: Dictionary) -> dict[str, float]:
    """Return, by parameter, within how many seconds its container comes again.

    Only containers with a rate give one; of several the shortest counts, because each
    of them alone must come as often as it says.
    """
    periods: dict[str, float] = {}
    for container in dictionary.containers.values():
        period_s = container.expected_period_s
        if period_s is None:
            continue
        for entry in container.entries:
            if isinstance(entry, ParameterEntry):
                for element in dictionary.declared[entry.parameter].elements():
                    periods[element.name] = min(period_s, periods.get(element.name, period_s))
    return periods

"""Parameter types and parameters, in the words of XTCE.

Source: OMG XTCE 1.2, ParameterTypeSetType and ParameterType.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from telemetry.dictionary.model.alarms import Alarm, ContextAlarm
from telemetry.dictionary.model.calibrators import Calibrator, ContextCalibrator
from telemetry.dictionary.model.criteria import IntegerValue, ParameterInstance
from telemetry.dictionary.model.encodings import Encoding

# An array of more would be more columns than anybody can read; a binary is the better type.
MAX_ELEMENTS: Final = 65_536


class TypeKind(StrEnum):
    """The kinds of scalar parameter type."""

    INTEGER = "integer"
    FLOAT = "float"
    ENUMERATED = "enumerated"
    BOOLEAN = "boolean"
    STRING = "string"
    BINARY = "binary"
    ABSOLUTE_TIME = "absolute time"
    RELATIVE_TIME = "relative time"


class TimeBasis(StrEnum):
    """What an on-board clock counts."""

    UTC = "UTC"  # a day has 86,400 s
    TAI = "TAI"  # every second, leap seconds too


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumerationLabel:
    value: int
    max_value: int  # the label covers value..max_value, both included
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeScale:
    """Time = epoch + (raw * scale + offset_s); a relative time has no epoch.

    Attributes:
        epoch: Aware; the reading of a UTC clock at the on-board zero or, with the basis
            TAI, of a clock on that scale.
        scale: Seconds that one raw unit stands for.
        offset_s: Added to the scaled raw value.
        basis: The scale that the clock runs on.
        offset_from: The time that this one counts from, instead of an epoch.
    """

    epoch: datetime | None = None
    scale: float = 1.0
    offset_s: float = 0.0
    basis: TimeBasis = TimeBasis.UTC
    offset_from: ParameterInstance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterType:
    """A scalar type; ``encoding`` is absent where its parameters are never sent."""

    name: str
    kind: TypeKind
    encoding: Encoding | None = None
    unit: str = ""
    description: str = ""
    calibrator: Calibrator | None = None
    context_calibrators: tuple[ContextCalibrator, ...] = ()  # the first that applies wins
    labels: tuple[EnumerationLabel, ...] = ()  # of an enumerated type
    one_label: str = "True"  # of a boolean type
    zero_label: str = "False"
    time_scale: TimeScale | None = None  # of a time
    alarm: Alarm | None = None
    context_alarms: tuple[ContextAlarm, ...] = ()  # the first that applies wins


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """Indices from *first* to *last*, both included."""

    first: IntegerValue
    last: IntegerValue

    @property
    def fixed(self) -> range | None:
        if isinstance(self.first, int) and isinstance(self.last, int):
            return range(self.first, self.last + 1)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayType:
    name: str
    element: DataType
    dimensions: tuple[Dimension, ...]  # the last index runs fastest
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    name: str
    type: DataType


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateType:
    name: str
    members: tuple[Member, ...]
    description: str = ""


DataType = ParameterType | ArrayType | AggregateType


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value of telemetry: a parameter, or one element or member of one.

    ``name`` is unique in its dictionary: the name as declared, or the whole path where
    two SpaceSystems use the same; an element is ``P[2]``, a member ``P.mode``.
    """

    name: str
    qualified_name: str  # /spacecraft/subsystem/name
    subsystem: str  # the innermost SpaceSystem it stands in
    type: ParameterType
    description: str = ""
    aliases: tuple[tuple[str, str], ...] = ()  # (name space, other name)
    declared: str = ""  # name of the parameter that it is an element of, or its own
    path: tuple[str | int, ...] = ()  # from there to it
    line: int = 0  # of the source document

    @property
    def unit(self) -> str:
        return self.type.unit

    @property
    def alarm(self) -> Alarm | None:
        return self.type.alarm

    @property
    def calibrator(self) -> Calibrator | None:
        return self.type.calibrator


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredParameter:
    """A parameter as the document declares it, with any type."""

    name: str
    qualified_name: str
    subsystem: str
    type: DataType
    description: str = ""
    aliases: tuple[tuple[str, str], ...] = ()
    line: int = 0
    _elements: dict[tuple[str | int, ...], Parameter] = field(
        default_factory=dict, compare=False, repr=False
    )

    def element(self, path: tuple[str | int, ...]) -> Parameter:
        """Return the value at the end of *path*.

        An index before a scalar is the number of its occurrence in a repeated entry.

        Raises:
            KeyError: There is no such value.
        """
        known = self._elements.get(path)
        if known is None:
            known = self._elements[path] = self._make_element(path)
        return known

    def _make_element(self, path: tuple[str | int, ...]) -> Parameter:
        kind = _type_at(self.type, path)
        text = path_text(path)
        if kind is None:
            raise KeyError(self.name + text)
        return Parameter(
            name=self.name + text,
            qualified_name=self.qualified_name + text,
            subsystem=self.subsystem,
            type=kind,
            description=self.description or kind.description,
            aliases=self.aliases,
            declared=self.name,
            path=path,
            line=self.line,
        )

    def elements(self) -> Iterator[Parameter]:
        """Yield every value whose place does not depend on a packet, in order."""
        for path in _paths(self.type):
            yield self.element(path)


def scalar_types(kind: DataType) -> Iterator[ParameterType]:
    """Yield the types of the scalars that values of *kind* are made of."""
    if isinstance(kind, AggregateType):
        for member in kind.members:
            yield from scalar_types(member.type)
    elif isinstance(kind, ArrayType):
        yield from scalar_types(kind.element)
    else:
        yield kind


def path_text(path: tuple[str | int, ...]) -> str:
    """Return a path as it follows a name: ``[2].mode``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def _paths(kind: DataType) -> Iterator[tuple[str | int, ...]]:
    if isinstance(kind, ParameterType):
        yield ()
    elif isinstance(kind, AggregateType):
        for member in kind.members:
            for path in _paths(member.type):
                yield (member.name, *path)
    else:
        for indices in fixed_indices(kind):
            for path in _paths(kind.element):
                yield (*indices, *path)


def fixed_indices(kind: ArrayType) -> list[tuple[int, ...]]:
    """Return the indices of an array's elements; none where a packet decides them."""
    found: list[tuple[int, ...]] = [()]
    for dimension in kind.dimensions:
        if dimension.fixed is None:
            return []
        found = [(*before, index) for before in found for index in dimension.fixed]
    return found


def _type_at(kind: DataType, path: tuple[str | int, ...]) -> ParameterType | None:
    if isinstance(kind, ArrayType):
        depth = len(kind.dimensions)
        indices = path[:depth]
        if len(indices) == depth and all(isinstance(index, int) for index in indices):
            found = _type_at(kind.element, path[depth:])
            if found is not None:
                return found
    if path and isinstance(path[0], int):  # the number of an occurrence
        return _type_at(kind, path[1:])
    if isinstance(kind, ParameterType):
        return None if path else kind
    if isinstance(kind, AggregateType) and path:
        members = {member.name: member.type for member in kind.members}
        return _type_at(members[path[0]], path[1:]) if path[0] in members else None
    return None

"""How the packets of each container are taken apart: steps, compiled once.

Inheritance, inclusion, arrays and repeats of fixed number are resolved here. What is
left is a list of steps. A *block* is fields at fixed places after a *base*; most
containers are one block after base 0, the packet's first bit. Whatever a packet decides
itself (a condition, a length, a count) ends a block, and what follows it stands after a
base of its own, whose bit is found for each packet when it is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from telemetry.dictionary.conditions import LookUp, Mask
from telemetry.dictionary.model import Container, DeclaredParameter, Parameter

T = TypeVar("T")

PACKET_START = 0  # the base of the packet's first bit


@dataclass(frozen=True, slots=True)
class Position:
    """A bit after a base."""

    base: int
    offset_bits: int = 0

    def moved(self, bits: int) -> Position:
        return Position(self.base, self.offset_bits + bits)


@dataclass(frozen=True, slots=True)
class LoopIndex:
    """Stands in a path for the number of the turn of a loop, plus its first number."""

    depth: int
    first: int = 0


@dataclass(frozen=True, slots=True)
class Leaf:
    """Which value a field is: a declared parameter, and the path to one of its scalars.

    Attributes:
        declared: The parameter.
        path: Numbers of repeats around it, then members and indices of its own.
        repeats: How many of the path's parts are such numbers.
    """

    declared: DeclaredParameter
    path: tuple[str | int | LoopIndex, ...] = ()
    repeats: int = 0

    @property
    def own_path(self) -> tuple[str | int | LoopIndex, ...]:
        return self.path[self.repeats :]

    def inside(self, part: str | int | LoopIndex) -> Leaf:
        """Return one of the values in this one."""
        return replace(self, path=(*self.path, part))

    def parameter(self, turns: tuple[int, ...]) -> Parameter:
        """Return the parameter for the turns that the enclosing loops are in."""
        path = tuple(
            part.first + turns[part.depth] if isinstance(part, LoopIndex) else part
            for part in self.path
        )
        return self.declared.element(path)


@dataclass(frozen=True, slots=True)
class FromPacket(Generic[T]):
    """Something that values of the packet decide, and where these stand in it.

    Attributes:
        compute: Asks for the values.
        sources: The places of each by the name that is asked for, the newest first.
    """

    compute: Callable[[LookUp], T]
    sources: Mapping[str, tuple[Leaf, ...]]


PacketCondition = FromPacket[Mask]
PacketNumber = FromPacket[tuple[npt.NDArray[np.int64], Mask]]


@dataclass(frozen=True, slots=True)
class Field:
    """One scalar of fixed size at its place."""

    leaf: Leaf
    parameter: Parameter  # of the first turn, where it stands in a loop
    position: Position
    size_bits: int


@dataclass(frozen=True, slots=True)
class Block:
    """Fields at fixed places after one base."""

    base: int
    fields: tuple[Field, ...]
    first_bits: int  # of the fields' extent after the base
    end_bits: int

    @classmethod
    def of(cls, fields: tuple[Field, ...]) -> Block:
        return cls(
            base=fields[0].position.base,
            fields=fields,
            first_bits=min(field.position.offset_bits for field in fields),
            end_bits=max(field.position.offset_bits + field.size_bits for field in fields),
        )


@dataclass(frozen=True, slots=True)
class VaryingOctets:
    """A string or binary whose size the packet gives; what follows stands after a new base."""

    leaf: Leaf
    position: Position
    size_bits: PacketNumber
    after: int


@dataclass(frozen=True, slots=True)
class Move:
    """A place that the packet gives: *bits* after *position*."""

    position: Position
    bits: PacketNumber
    after: int
    line: int


@dataclass(frozen=True, slots=True)
class Branch:
    """Steps for those packets in which a condition holds."""

    condition: PacketCondition
    position: Position
    steps: tuple[Step, ...]
    end: Position  # for those packets; the others stay at *position*
    after: int


@dataclass(frozen=True, slots=True)
class Loop:
    """Steps taken as often as the packet says."""

    name: str  # of what is repeated
    count: PacketNumber | int
    extra: int  # added to the count
    gap_bits: PacketNumber | int
    position: Position
    turn: int  # the base of each turn's first bit
    steps: tuple[Step, ...]
    end: Position
    after: int

    @property
    def fixed_bits(self) -> int | None:
        """Bits of a turn that is one block of always the same size; ``None``: it is not."""
        if len(self.steps) != 1 or self.end.base != self.turn or self.end.offset_bits < 0:
            return None
        [step] = self.steps
        if not isinstance(step, Block) or step.base != self.turn:
            return None
        inside = step.first_bits >= 0 and step.end_bits <= self.end.offset_bits
        return self.end.offset_bits if inside else None


Step = Block | VaryingOctets | Move | Branch | Loop


@dataclass(frozen=True, slots=True)
class Plan:
    """One container: its steps after those of its base, and the containers derived from it."""

    container: Container
    restriction: PacketCondition | None
    steps: tuple[Step, ...]
    derived: tuple[Plan, ...]
    bases: int  # how many bases there are so far
    repeated: frozenset[str]  # parameters of which a packet may have more than one

    @property
    def is_fixed(self) -> bool:
        """Whether its own fields have the same places in every packet."""
        return all(isinstance(s, Block) and s.base == PACKET_START for s in self.steps)


def varies(plan: Plan) -> bool:
    """Say whether a plan, or one derived from it, has steps that a packet decides."""
    return not plan.is_fixed or any(varies(derived) for derived in plan.derived)


def repeated(plan: Plan) -> frozenset[str]:
    """Return the parameters of which some packet may have more than one value."""
    return plan.repeated.union(*(repeated(derived) for derived in plan.derived))

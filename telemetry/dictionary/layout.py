"""Where the parameters of fixed containers lie, for those who make such packets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from telemetry.dictionary.errors import DictionaryError
from telemetry.dictionary.model import Container, Dictionary, Parameter
from telemetry.dictionary.plan import Block, Plan
from telemetry.dictionary.planning import make_plan


@dataclass(frozen=True, slots=True)
class PlacedField:
    """One parameter at its place."""

    parameter: Parameter
    offset_bits: int  # from the first octet of the packet
    size_bits: int


@dataclass(frozen=True, slots=True)
class FixedLayout:
    """A container with its bases' fields first."""

    container: Container
    fields: tuple[PlacedField, ...]

    @property
    def octets_needed(self) -> int:
        return max(((f.offset_bits + f.size_bits + 7) // 8 for f in self.fields), default=0)


def fixed_layouts(dictionary: Dictionary) -> list[FixedLayout]:
    """Return the layout of every container that packets can end in.

    Raises:
        DictionaryError: The dictionary contradicts itself, or a packet decides where
            something lies.
    """
    return list(_layouts(make_plan(dictionary), ()))


def _layouts(plan: Plan, inherited: tuple[PlacedField, ...]) -> Iterator[FixedLayout]:
    if not plan.is_fixed:
        raise DictionaryError(
            f"the container {plan.container.name!r} has no fixed layout",
            line=plan.container.line,
        )
    own = tuple(
        PlacedField(field.parameter, field.position.offset_bits, field.size_bits)
        for step in plan.steps
        if isinstance(step, Block)
        for field in step.fields
    )
    fields = (*inherited, *own)
    if not plan.container.abstract:
        yield FixedLayout(plan.container, fields)
    for derived in plan.derived:
        yield from _layouts(derived, fields)

"""Where every parameter of every container lies, in bits from the packet's start.

Inheritance and inclusion are resolved here, once, so that the decoder only
sees fixed layouts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from telemetry.dictionary.model import (
    Comparison,
    Container,
    Dictionary,
    Parameter,
    ParameterEntry,
    Reference,
)


class DictionaryError(ValueError):
    """The dictionary cannot be compiled: it contradicts itself.

    Attributes:
        line: Line in the source document; 0 where there is none.
    """

    def __init__(self, message: str, *, line: int = 0) -> None:
        self.line = line
        super().__init__(f"line {line}: {message}" if line else message)


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter at its place."""

    parameter: Parameter
    offset_bits: int  # from the first octet of the packet

    @property
    def size_bits(self) -> int:
        return self.parameter.type.encoding.size_bits

    @property
    def end_octets(self) -> int:
        """Octets a packet must have for the field to lie inside it."""
        return (self.offset_bits + self.size_bits + 7) // 8


@dataclass(frozen=True, slots=True)
class Layout:
    """One container with its base's fields first, and the containers derived from it."""

    container: Container
    fields: tuple[Field, ...]
    derived: tuple[Layout, ...]

    @property
    def octets_needed(self) -> int:
        return max((field.end_octets for field in self.fields), default=0)

    @property
    def restrictions(self) -> tuple[Comparison, ...]:
        return self.container.restrictions


def lay_out(dictionary: Dictionary, *, root: str | None = None) -> Layout:
    """Return the layout of the root container, with all that derive from it.

    Args:
        dictionary: What to compile.
        root: Qualified name of the container that every packet is an instance
            of; may be left out where only one container has no base and is
            not included in another.

    Raises:
        DictionaryError: No single root; inheritance or inclusion in a circle;
            a parameter twice in one container; an entry before the packet's
            start; a comparison with a parameter that the base does not hold.
    """
    _refuse_circular_bases(dictionary)
    container = dictionary.containers[_root_of(dictionary) if root is None else root]
    return _lay_out(dictionary, container, inherited=(), cursor=0)


def _root_of(dictionary: Dictionary) -> str:
    included = {
        entry.container
        for container in dictionary.containers.values()
        for entry in container.entries
        if not isinstance(entry, ParameterEntry)
    }
    roots = [
        name
        for name, container in dictionary.containers.items()
        if container.base is None and name not in included
    ]
    if len(roots) != 1:
        raise DictionaryError(
            f"{dictionary.name} has {len(roots)} containers that no other container derives"
            f" or includes ({', '.join(roots) or 'none'}); it needs exactly 1, or a root by name"
        )
    return roots[0]


def _refuse_circular_bases(dictionary: Dictionary) -> None:
    for container in dictionary.containers.values():
        seen = {container.qualified_name}
        base = container.base
        while base is not None:
            if base in seen:
                raise DictionaryError(
                    f"the container {container.name!r} is its own base", line=container.line
                )
            seen.add(base)
            base = dictionary.containers[base].base


def _lay_out(
    dictionary: Dictionary, container: Container, *, inherited: tuple[Field, ...], cursor: int
) -> Layout:
    _check_restrictions(container, {field.parameter.name for field in inherited})
    own, cursor = _place(dictionary, container, start=0, cursor=cursor, within=())
    fields = (*inherited, *own)
    _refuse_repeated(container, fields)
    derived = tuple(
        _lay_out(dictionary, child, inherited=fields, cursor=cursor)
        for child in dictionary.containers.values()
        if child.base == container.qualified_name
    )
    return Layout(container=container, fields=fields, derived=derived)


def _place(
    dictionary: Dictionary,
    container: Container,
    *,
    start: int,
    cursor: int,
    within: tuple[str, ...],
) -> tuple[list[Field], int]:
    """Place a container's own entries; return them and the bit after the last.

    A derived container extends its base's octets, so that its start is the
    base's start; an included container starts where its entry lies.
    """
    if container.qualified_name in within:
        raise DictionaryError(
            f"the container {container.name!r} includes itself", line=container.line
        )
    within = (*within, container.qualified_name)
    fields: list[Field] = []
    for entry in container.entries:
        origin = start if entry.reference is Reference.CONTAINER_START else cursor
        offset_bits = origin + entry.offset_bits
        if offset_bits < 0:
            raise DictionaryError(
                f"an entry of {container.name!r} lies {-offset_bits} bits before the packet",
                line=entry.line,
            )
        if isinstance(entry, ParameterEntry):
            field = Field(dictionary.parameters[entry.parameter], offset_bits)
            fields.append(field)
            cursor = offset_bits + field.size_bits
        else:
            included, cursor = _place_included(
                dictionary, entry.container, offset_bits=offset_bits, within=within
            )
            fields += included
    return fields, cursor


def _place_included(
    dictionary: Dictionary, name: str, *, offset_bits: int, within: tuple[str, ...]
) -> tuple[list[Field], int]:
    """Place an included container, its bases first."""
    fields: list[Field] = []
    cursor = offset_bits
    for container in reversed(list(_with_bases(dictionary, name))):
        own, cursor = _place(
            dictionary, container, start=offset_bits, cursor=cursor, within=within
        )
        fields += own
    return fields, cursor


def _with_bases(dictionary: Dictionary, name: str) -> Iterator[Container]:
    following: str | None = name
    while following is not None:
        container = dictionary.containers[following]
        yield container
        following = container.base


def _check_restrictions(container: Container, inherited: set[str]) -> None:
    for comparison in container.restrictions:
        if comparison.parameter not in inherited:
            raise DictionaryError(
                f"the container {container.name!r} compares {comparison.parameter!r},"
                " which its base does not hold",
                line=comparison.line,
            )


def _refuse_repeated(container: Container, fields: tuple[Field, ...]) -> None:
    seen: set[str] = set()
    for field in fields:
        if field.parameter.name in seen:
            raise DictionaryError(
                f"{field.parameter.name!r} stands twice in the container {container.name!r}",
                line=container.line,
            )
        seen.add(field.parameter.name)

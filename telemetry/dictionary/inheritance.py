"""Which containers derive from which, and which one every packet is an instance of."""

from __future__ import annotations

from collections.abc import Iterator

from telemetry.dictionary.errors import DictionaryError
from telemetry.dictionary.model import (
    Container,
    ContainerEntry,
    Dictionary,
    ParameterEntry,
)


def container_named(dictionary: Dictionary, root: str) -> Container:
    """Return a container by its name or its qualified name."""
    for container in dictionary.containers.values():
        if root in {container.name, container.qualified_name}:
            return container
    known = ", ".join(container.name for container in dictionary.containers.values())
    raise DictionaryError(f"{dictionary.name} has no container {root!r}; it has {known or 'none'}")


def root_of(dictionary: Dictionary) -> Container:
    """Return the only container that can be the root.

    Raises:
        DictionaryError: There is none, or more than one.
    """
    containers = dictionary.containers.values()
    included = {
        entry.container
        for container in containers
        for entry in container.entries
        if isinstance(entry, ContainerEntry)
    }
    bases = {container.base for container in containers}
    roots = [c for c in containers if c.base is None and c.qualified_name not in included]
    chosen = roots if len(roots) == 1 else [c for c in roots if c.qualified_name in bases]
    if len(chosen) != 1:
        listed = ", ".join(container.qualified_name for container in roots)
        raise DictionaryError(
            f"{dictionary.name} has {len(roots)} containers that no other container derives"
            f" or includes ({listed or 'none'}); it needs exactly 1, or a root by name"
        )
    return chosen[0]


def refuse_circular_bases(dictionary: Dictionary) -> None:
    """Raise DictionaryError where a container derives from itself."""
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


def repeated_parameters(dictionary: Dictionary) -> set[str]:
    """Return the declared parameters that may stand in a packet more than once."""
    repeated: set[str] = set()
    for name in dictionary.containers:
        seen: set[str] = set()
        for container in with_bases(dictionary, name):
            for parameter, is_repeated in _held(dictionary, container, (name,)):
                if is_repeated or parameter in seen:
                    repeated.add(parameter)
                seen.add(parameter)
    return repeated


def _held(
    dictionary: Dictionary, container: Container, within: tuple[str, ...]
) -> Iterator[tuple[str, bool]]:
    """Yield the parameters of a container and of those in it, and whether they are repeated."""
    for entry in container.entries:
        is_repeated = entry.place.repeat is not None
        if isinstance(entry, ParameterEntry):
            yield entry.parameter, is_repeated
        elif entry.container not in within:  # a circle is refused when the plan is made
            for inner in with_bases(dictionary, entry.container):
                for name, again in _held(dictionary, inner, (*within, entry.container)):
                    yield name, is_repeated or again


def with_bases(dictionary: Dictionary, name: str) -> Iterator[Container]:
    """Yield a container, its base, and so on."""
    following: str | None = name
    while following is not None:
        container = dictionary.containers[following]
        yield container
        following = container.base

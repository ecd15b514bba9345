"""Which containers derive from which, and which one every packet is an instance of."""

from __future__ import annotations

from collections.abc import Iterator

from telemetry.dictionary.errors import DictionaryError
from telemetry.dictionary.model import Container, ContainerEntry, Dictionary


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


def with_bases(dictionary: Dictionary, name: str) -> Iterator[Container]:
    """Yield a container, its base, and so on."""
    following: str | None = name
    while following is not None:
        container = dictionary.containers[following]
        yield container
        following = container.base

"""Names of an XTCE document: what is declared where, and what a reference means.

Source: OMG XTCE 1.2, NameReferenceType: a path is relative to the SpaceSystem it
stands in; what is not found there is looked for in the enclosing ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from telemetry.dictionary.xtce.xml_reading import Node, XtceError, line_of


@dataclass(frozen=True, slots=True)
class Declared:
    """One named element of the document, not read yet."""

    path: str  # /system/.../name
    name: str
    scope: Scope
    element: etree._Element


@dataclass(slots=True)
class Names:
    """Everything that a document names, by full path."""

    types: dict[str, Declared] = field(default_factory=dict)
    parameters: dict[str, Declared] = field(default_factory=dict)
    containers: dict[str, Declared] = field(default_factory=dict)
    algorithms: dict[str, Declared] = field(default_factory=dict)
    _parameter_names: dict[str, str] = field(default_factory=dict)
    _container_names: dict[str, str] = field(default_factory=dict)

    def declare(self, known: dict[str, Declared], scope: Scope, element: etree._Element) -> None:
        """Note an element that has a name.

        Raises:
            XtceError: The SpaceSystem has one of that kind and name already.
        """
        name = str(element.get("name", "")).strip()
        path = f"{scope.path}/{name}"
        if path in known:
            raise XtceError(
                f"{path!r} is defined on line {line_of(known[path].element)} already",
                line=line_of(element),
            )
        known[path] = Declared(path, name, scope, element)

    def settle(self) -> None:
        """Decide how everything is called, once all is declared."""
        self._parameter_names = _unique_names(self.parameters.values())
        self._container_names = _unique_names(self.containers.values())

    def parameter_name(self, path: str) -> str:
        """Return what the parameter is called: its name, or its path where others share it."""
        return self._parameter_names[path]

    def container_name(self, path: str) -> str:
        return self._container_names[path]


@dataclass(frozen=True, slots=True)
class Scope:
    """One SpaceSystem, in which references are looked up."""

    path: str  # /system/subsystem
    name: str
    names: Names

    def type_path(self, node: Node, attribute: str) -> str:
        return self._needed(node, attribute, self.names.types, "parameter type")

    def container_path(self, node: Node) -> str:
        return self._needed(node, "containerRef", self.names.containers, "container")

    def parameter_path(self, node: Node, attribute: str = "parameterRef") -> str:
        return self._needed(node, attribute, self.names.parameters, "parameter")

    def parameter(self, node: Node, attribute: str = "parameterRef") -> str:
        """Return what the referenced parameter is called; the path may go on to a member."""
        reference = node.get(attribute)
        head, members = reference, ""
        while head:
            path = resolve(head, self.path, self.names.parameters)
            if path is not None:
                return self.names.parameter_name(path) + members
            head, _, member = head.rpartition("/")
            members = f".{member}{members}"
        raise node.error(f"there is no parameter {reference!r}")

    def _needed(self, node: Node, attribute: str, known: Mapping[str, Declared], what: str) -> str:
        reference = node.get(attribute)
        path = resolve(reference, self.path, known)
        if path is None:
            raise node.error(f"there is no {what} {reference!r}")
        return path


def _unique_names(declared: Iterable[Declared]) -> dict[str, str]:
    listed = list(declared)
    shared = Counter(each.name for each in listed)
    return {
        each.path: each.name if shared[each.name] == 1 else each.path.removeprefix("/")
        for each in listed
    }


def resolve(reference: str, path: str, known: Mapping[str, object]) -> str | None:
    """Return the full path that *reference* means in the SpaceSystem at *path*."""
    if reference.startswith("/"):
        found = _normalise(reference)
        return found if found in known else None
    for place in _outwards(path):
        found = _normalise(f"{place}/{reference}")
        if found in known:
            return found
    return None


def _outwards(path: str) -> Iterator[str]:
    """Yield a path and those that enclose it; the root ends it."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _normalise(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)

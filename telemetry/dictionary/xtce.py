"""XTCE 1.2 in, a telemetry dictionary out.

The supported subset: integers of 1 to 64 bits, IEEE 754 floats of 32 and 64,
enumerations, booleans, fixed strings and binaries, absolute times on a UTC
epoch, polynomial calibrators, static alarm ranges, enumeration alarms, and
containers with inheritance, inclusion and comparisons. All else is refused by
name and line, never skipped.

Source: OMG XTCE 1.2 (CCSDS 660.0-B-2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from lxml import etree

from telemetry.dictionary.model import (
    Comparison,
    ComparisonOperator,
    Container,
    ContainerEntry,
    Dictionary,
    Entry,
    Parameter,
    ParameterEntry,
    ParameterType,
    Reference,
)
from telemetry.dictionary.xml_reading import Node, XtceError, line_of, local_name, read_root
from telemetry.dictionary.xtce_types import description_of, read_parameter_type

__all__ = ["XtceError", "parse_xtce"]

_NAMED: Final = ("name", "shortDescription")
_OPERATORS: Final = tuple(operator.value for operator in ComparisonOperator)


class _HasLine(Protocol):
    @property
    def line(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _LocatedType:
    type: ParameterType
    line: int


_Named = TypeVar("_Named", bound=_HasLine)


@dataclass(frozen=True, slots=True)
class _System:
    """One SpaceSystem and the path of its name."""

    path: str
    name: str
    telemetry: Node | None


@dataclass(slots=True)
class _Names:
    """Everything named so far, by its full path."""

    types: dict[str, _LocatedType] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    by_short_name: dict[str, Parameter] = field(default_factory=dict)
    container_short_names: dict[str, Container] = field(default_factory=dict)


def parse_xtce(xml: bytes) -> Dictionary:
    """Read an XTCE 1.2 document.

    Type names must be unique within their SpaceSystem, names of parameters and
    containers within the whole document, so that an operator can call them by
    their names.
    A reference without a path is looked for in its own SpaceSystem and then
    in the enclosing ones.

    Args:
        xml: The document, as octets.

    Raises:
        XtceError: With the line: not well-formed, not XTCE 1.2, a name that
            is not defined or defined twice, or anything that is not supported.
    """
    systems = list(_systems(read_root(xml), ""))
    names = _Names()
    # Types before parameters before containers, over the whole tree: a
    # reference may point forward to a SpaceSystem further down.
    for system in systems:
        for element in _members(system, "ParameterTypeSet"):
            _add_type(names, system, element)
    for system in systems:
        for element in _members(system, "ParameterSet"):
            _add_parameter(names, system, element)
    declared = [
        (system, element) for system in systems for element in _members(system, "ContainerSet")
    ]
    paths = {f"{system.path}/{element.get('name')}" for system, element in declared}
    for system, element in declared:
        container = _read_container(system, element, names, paths)
        _add(names.containers, container.qualified_name, container)
        _add(names.container_short_names, container.name, container)
    return Dictionary(
        name=systems[0].name, parameters=names.by_short_name, containers=names.containers
    )


def _systems(element: etree._Element, above: str) -> Iterator[_System]:
    """Yield a SpaceSystem and those inside it, outermost first."""
    node = Node(
        element,
        attributes=(*_NAMED, "operationalStatus"),
        children=("LongDescription", "Header", "TelemetryMetaData", "SpaceSystem"),
    )
    path = f"{above}/{node.get('name')}"
    found = node.child("TelemetryMetaData")
    telemetry = None
    if found is not None:
        telemetry = Node(found, children=("ParameterTypeSet", "ParameterSet", "ContainerSet"))
    yield _System(path=path, name=node.get("name"), telemetry=telemetry)
    for child in node.children("SpaceSystem"):
        yield from _systems(child, path)


_MEMBERS: Final = {
    "ParameterTypeSet": None,  # checked kind by kind
    "ParameterSet": ("Parameter",),
    "ContainerSet": ("SequenceContainer",),
}


def _members(system: _System, set_name: str) -> Iterator[etree._Element]:
    if system.telemetry is None:
        return
    found = system.telemetry.child(set_name)
    if found is None:
        return
    known = _MEMBERS[set_name]
    names = {local_name(child) for child in found.iterchildren(tag=etree.Element)}
    yield from Node(found, children=names if known is None else known).children()


def _add_type(names: _Names, system: _System, element: etree._Element) -> None:
    read = read_parameter_type(element)
    located = _LocatedType(type=read, line=line_of(element))
    _add(names.types, f"{system.path}/{read.name}", located)


def _add_parameter(names: _Names, system: _System, element: etree._Element) -> None:
    node = Node(
        element,
        attributes=(*_NAMED, "parameterTypeRef"),
        children=("LongDescription", "AliasSet", "ParameterProperties"),
    )
    _check_properties(node)
    reference = node.get("parameterTypeRef")
    type_path = _resolve(reference, system.path, names.types)
    if type_path is None:
        raise node.error(f"there is no parameter type {reference!r}")
    read = names.types[type_path].type
    name = node.get("name")
    parameter = Parameter(
        name=name,
        qualified_name=f"{system.path}/{name}",
        subsystem=system.name,
        type=read,
        description=description_of(node) or read.description,
        aliases=_aliases(node),
        line=node.line,
    )
    _add(names.parameters, parameter.qualified_name, parameter)
    _add(names.by_short_name, name, parameter)


def _check_properties(node: Node) -> None:
    found = node.child("ParameterProperties")
    if found is not None:
        properties = Node(found, attributes=("dataSource",))
        properties.choice("dataSource", ("telemetered",), "telemetered")


def _aliases(node: Node) -> tuple[tuple[str, str], ...]:
    found = node.child("AliasSet")
    if found is None:
        return ()
    aliases = []
    for child in Node(found, children=("Alias",)).children():
        alias = Node(child, attributes=("nameSpace", "alias"))
        aliases.append((alias.get("nameSpace"), alias.get("alias")))
    return tuple(aliases)


def _read_container(
    system: _System, element: etree._Element, names: _Names, containers: set[str]
) -> Container:
    node = Node(
        element,
        attributes=(*_NAMED, "abstract"),
        children=("LongDescription", "DefaultRateInStream", "EntryList", "BaseContainer"),
    )
    entries = Node(node.needed("EntryList"), children=("ParameterRefEntry", "ContainerRefEntry"))
    base, restrictions = _read_base(system, node, names, containers)
    return Container(
        name=node.get("name"),
        qualified_name=f"{system.path}/{node.get('name')}",
        subsystem=system.name,
        entries=tuple(
            _read_entry(system, child, names, containers) for child in entries.children()
        ),
        abstract=node.boolean("abstract", default=False),
        base=base,
        restrictions=restrictions,
        expected_period_s=_expected_period_s(node),
        description=description_of(node),
        line=node.line,
    )


def _expected_period_s(container: Node) -> float | None:
    found = container.child("DefaultRateInStream")
    if found is None:
        return None
    node = Node(found, attributes=("basis", "minimumValue"))
    node.choice("basis", ("perSecond",), "perSecond")
    rate = node.number("minimumValue")
    if not rate > 0:
        raise node.error(f"minimumValue {rate} is not above 0")
    return 1.0 / rate


def _read_entry(
    system: _System, element: etree._Element, names: _Names, containers: set[str]
) -> Entry:
    if local_name(element) == "ParameterRefEntry":
        node = Node(
            element,
            attributes=("parameterRef", "shortDescription"),
            children=("LocationInContainerInBits",),
        )
        offset_bits, reference = _location(node)
        return ParameterEntry(
            parameter=_parameter_name(system, node, names),
            offset_bits=offset_bits,
            reference=reference,
            line=node.line,
        )
    node = Node(
        element,
        attributes=("containerRef", "shortDescription"),
        children=("LocationInContainerInBits",),
    )
    offset_bits, reference = _location(node)
    return ContainerEntry(
        container=_container_path(system, node, containers),
        offset_bits=offset_bits,
        reference=reference,
        line=node.line,
    )


def _location(entry: Node) -> tuple[int, Reference]:
    found = entry.child("LocationInContainerInBits")
    if found is None:
        return 0, Reference.PREVIOUS_ENTRY
    node = Node(found, attributes=("referenceLocation",), children=("FixedValue",))
    reference = node.choice("referenceLocation", tuple(Reference), Reference.PREVIOUS_ENTRY.value)
    value = Node(node.needed("FixedValue"))
    return value.parse("FixedValue", value.text(), int), Reference(reference)


def _read_base(
    system: _System, container: Node, names: _Names, containers: set[str]
) -> tuple[str | None, tuple[Comparison, ...]]:
    found = container.child("BaseContainer")
    if found is None:
        return None, ()
    base = Node(found, attributes=("containerRef",), children=("RestrictionCriteria",))
    path = _container_path(system, base, containers)
    criteria = base.child("RestrictionCriteria")
    if criteria is None:
        return path, ()
    node = Node(criteria, children=("Comparison", "ComparisonList"))
    listed = node.child("ComparisonList")
    if listed is not None:
        node = Node(listed, children=("Comparison",))
    comparisons = tuple(
        _read_comparison(system, child, names) for child in node.children("Comparison")
    )
    if not comparisons:
        raise node.error(f"<{node.name}> has no <Comparison>")
    return path, comparisons


def _read_comparison(system: _System, element: etree._Element, names: _Names) -> Comparison:
    node = Node(
        element,
        attributes=("parameterRef", "value", "comparisonOperator", "useCalibratedValue"),
    )
    return Comparison(
        parameter=_parameter_name(system, node, names),
        operator=ComparisonOperator(node.choice("comparisonOperator", _OPERATORS, "==")),
        value=node.get("value"),
        use_calibrated_value=node.boolean("useCalibratedValue", default=True),
        line=node.line,
    )


def _parameter_name(system: _System, node: Node, names: _Names) -> str:
    reference = node.get("parameterRef")
    path = _resolve(reference, system.path, names.parameters)
    if path is None:
        raise node.error(f"there is no parameter {reference!r}")
    return names.parameters[path].name


def _container_path(system: _System, node: Node, containers: set[str]) -> str:
    reference = node.get("containerRef")
    path = _resolve(reference, system.path, dict.fromkeys(containers))
    if path is None:
        raise node.error(f"there is no container {reference!r}")
    return path


def _resolve(reference: str, path: str, known: Mapping[str, object]) -> str | None:
    """Return the full path that *reference* means in the SpaceSystem at *path*."""
    if reference.startswith("/"):
        found = _normalise(reference)
        return found if found in known else None
    while True:
        found = _normalise(f"{path}/{reference}")
        if found in known:
            return found
        if not path:
            return None
        path = path.rpartition("/")[0]


def _normalise(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)


def _add(known: dict[str, _Named], name: str, value: _Named) -> None:
    if name in known:
        raise XtceError(f"{name!r} is defined on line {known[name].line} already", line=value.line)
    known[name] = value

"""XTCE 1.2 in, a telemetry dictionary out.

What is supported stands in ``docs/telemetry-dictionary.md``; all else is refused by
name and line, never skipped.

Source: OMG XTCE 1.2 (CCSDS 660.0-B-2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from telemetry.dictionary.model import Container, DeclaredParameter, Dictionary
from telemetry.dictionary.xtce.algorithms import ALGORITHMS, read_algorithm
from telemetry.dictionary.xtce.containers import read_container
from telemetry.dictionary.xtce.descriptions import (
    DESCRIBED,
    NAMED,
    aliases_of,
    check_header,
    description_of,
)
from telemetry.dictionary.xtce.names import Declared, Names, Scope
from telemetry.dictionary.xtce.types import PARAMETER_TYPES, TypeReader
from telemetry.dictionary.xtce.xml_reading import Node, XtceError, line_of, read_root

_SETS: Final = {
    "ParameterTypeSet": PARAMETER_TYPES,
    "ParameterSet": ("Parameter",),
    "ContainerSet": ("SequenceContainer",),
    "AlgorithmSet": ALGORITHMS,
}


@dataclass(slots=True)
class _Document:
    """What the first walk through the SpaceSystems found."""

    telemetry_only: bool
    names: Names = field(default_factory=Names)
    scopes: list[Scope] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def parse_xtce(xml: bytes, *, telemetry_only: bool = False) -> Dictionary:
    """Read an XTCE 1.2 document.

    A reference without a path is looked for in its own SpaceSystem and then in
    the enclosing ones. A parameter or container is called by its name; where two
    SpaceSystems use the same name, by its whole path.

    Args:
        xml: The document, as octets.
        telemetry_only: Read past telecommands, and note it; otherwise a document that
            has some is refused rather than that they are lost.

    Raises:
        XtceError: With the line: not well-formed, not XTCE 1.2, a name that
            is not defined or defined twice, or anything that is not supported.
    """
    document = _Document(telemetry_only)
    _declare_system(read_root(xml), "", document)
    names = document.names
    names.settle()
    types = TypeReader(names)
    for path in names.types:  # those that nothing uses too
        types.read(path)
    declared = [_read_parameter(each, names, types) for each in names.parameters.values()]
    containers = [read_container(each, names) for each in names.containers.values()]
    return Dictionary(
        name=document.scopes[0].name,
        declared={parameter.name: parameter for parameter in declared},
        containers=_by_path(containers),
        algorithms=tuple(read_algorithm(each) for each in names.algorithms.values()),
        notices=tuple(document.notices),
    )


def _by_path(containers: list[Container]) -> dict[str, Container]:
    return {container.qualified_name: container for container in containers}


def _declare_system(element: etree._Element, above: str, document: _Document) -> None:
    """Note what a SpaceSystem and those inside it declare, outermost first."""
    node = Node(
        element,
        attributes=(*NAMED, "operationalStatus"),
        children=(
            *DESCRIBED,
            *("Header", "TelemetryMetaData", "CommandMetaData", ("SpaceSystem",)),
        ),
    )
    description_of(node)
    scope = Scope(f"{above}/{node.own_name()}", node.own_name(), document.names)
    if any(known.path == scope.path for known in document.scopes):
        raise node.error(f"the SpaceSystem {scope.path!r} is defined twice")
    document.scopes.append(scope)
    if (header := node.child("Header")) is not None:
        check_header(header)
    if (telemetry := node.child("TelemetryMetaData")) is not None:
        _declare_telemetry(telemetry, scope, document)
    if (commands := node.child("CommandMetaData")) is not None:
        _pass_commands(commands, scope, document)
    for child in node.children("SpaceSystem"):
        _declare_system(child, scope.path, document)


def _pass_commands(element: etree._Element, scope: Scope, document: _Document) -> None:
    what = f"<CommandMetaData> in <SpaceSystem> {scope.path!r}"
    if not document.telemetry_only:
        raise XtceError(
            f"{what} is not supported: telecommands stand in the mission file; remove it here",
            line=line_of(element),
        )
    document.notices.append(f"line {line_of(element)}: {what} holds telecommands; it is not read")


def _declare_telemetry(element: etree._Element, scope: Scope, document: _Document) -> None:
    node = Node(element, children=tuple(_SETS))
    names = document.names
    for known, set_name in (
        (names.types, "ParameterTypeSet"),
        (names.parameters, "ParameterSet"),
        (names.containers, "ContainerSet"),
    ):
        for child in _members(node, set_name):
            names.declare(known, scope, child)
    for child in _members(node, "AlgorithmSet"):
        names.declare(names.algorithms, scope, child)


def _members(telemetry: Node, set_name: str) -> Iterator[etree._Element]:
    found = telemetry.child(set_name)
    if found is not None:
        listed = Node(found, children=(_SETS[set_name],))
        yield from listed.some_children()


def _read_parameter(declared: Declared, names: Names, types: TypeReader) -> DeclaredParameter:
    node = Node(
        declared.element,
        attributes=(*NAMED, "parameterTypeRef", "initialValue"),
        children=(*DESCRIBED, "ParameterProperties"),
    )
    node.own_name()
    _check_properties(node)
    return DeclaredParameter(
        name=names.parameter_name(declared.path),
        qualified_name=declared.path,
        subsystem=declared.scope.name,
        type=types.read(declared.scope.type_path(node, "parameterTypeRef")),
        description=description_of(node),
        aliases=aliases_of(node),
        line=node.line,
    )


def _check_properties(parameter: Node) -> None:
    """Check ParameterProperties, of which nothing changes a telemetered value."""
    found = parameter.child("ParameterProperties")
    initial = parameter.get("initialValue", "")
    source = "telemetered"
    if found is not None:
        node = Node(
            found,
            attributes=("dataSource", "readOnly", "persistence"),
            children=("SystemName", "PhysicalAddressSet"),
        )
        source = node.choice(
            "dataSource", ("telemetered", "derived", "constant", "local", "ground"), "telemetered"
        )
        node.boolean("readOnly", default=False)
        node.boolean("persistence", default=True)
        if (system := node.child("SystemName")) is not None:
            Node(system, text=True)
        if (addresses := node.child("PhysicalAddressSet")) is not None:
            for child in Node(addresses, children=(("PhysicalAddress",),)).children():
                _check_address(child)
    if source in {"constant", "local"} or initial:
        raise parameter.error(
            "a parameter with an initialValue or the dataSource constant or local is not"
            " supported: its value is in no packet. Write a constant into the algorithm"
        )


def _check_address(element: etree._Element) -> None:
    node = Node(element, attributes=("sourceName", "sourceAddress"), children=("SubAddress",))
    if (inner := node.child("SubAddress")) is not None:
        _check_address(inner)


__all__ = ["XtceError", "parse_xtce"]

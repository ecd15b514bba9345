"""Sequence containers of XTCE: entries, inheritance, conditions, repeats.

Source: OMG XTCE 1.2, SequenceContainerType, EntryListType, SequenceEntryType.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from telemetry.dictionary.model import (
    Container,
    ContainerEntry,
    Criteria,
    Entry,
    EntryPlace,
    ParameterEntry,
    Reference,
    Repeat,
)
from telemetry.dictionary.xtce.criteria import (
    MATCHES,
    read_criteria,
    read_integer,
    read_integer_from,
    read_match,
)
from telemetry.dictionary.xtce.descriptions import (
    DESCRIBED,
    NAMED,
    ancillary_data,
    description_of,
)
from telemetry.dictionary.xtce.names import Declared, Names, Scope
from telemetry.dictionary.xtce.types import read_dimensions
from telemetry.dictionary.xtce.xml_reading import Node, local_name, real_number

_PLACE: Final = (
    *("LocationInContainerInBits", "RepeatEntry", "IncludeCondition"),
    "AncillaryDataSet",
)
_ENTRIES: Final = ("ParameterRefEntry", "ContainerRefEntry", "ArrayParameterRefEntry")


def read_container(declared: Declared, names: Names) -> Container:
    """Read one SequenceContainer."""
    scope = declared.scope
    node = Node(
        declared.element,
        attributes=(*NAMED, "abstract"),
        children=(*DESCRIBED, "DefaultRateInStream", "EntryList", "BaseContainer"),
    )
    node.own_name()
    entries = Node(node.needed("EntryList"), children=(_ENTRIES,))
    base, restriction = _read_base(node, scope)
    return Container(
        name=names.container_name(declared.path),
        qualified_name=declared.path,
        subsystem=scope.name,
        entries=tuple(_read_entry(child, scope) for child in entries.children()),
        abstract=node.boolean("abstract", default=False),
        base=base,
        restriction=restriction,
        expected_period_s=_expected_period_s(node),
        description=description_of(node),
        line=node.line,
    )


def _expected_period_s(container: Node) -> float | None:
    found = container.child("DefaultRateInStream")
    if found is None:
        return None
    node = Node(found, attributes=("basis", "minimumValue", "maximumValue"))
    node.choice("basis", ("perSecond",), "perSecond")
    node.optional("maximumValue", real_number)  # nothing is late by coming too soon
    rate = node.optional("minimumValue", real_number)
    if rate is None:
        return None
    if not rate > 0:
        raise node.error(f"minimumValue {rate} is not above 0")
    return 1.0 / rate


def _read_entry(element: etree._Element, scope: Scope) -> Entry:
    kind = local_name(element)
    reference = "containerRef" if kind == "ContainerRefEntry" else "parameterRef"
    more = ("DimensionList",) if kind == "ArrayParameterRefEntry" else ()
    node = Node(element, attributes=(reference, "shortDescription"), children=(*_PLACE, *more))
    ancillary_data(node)
    place = _read_place(node, scope)
    if kind == "ContainerRefEntry":
        return ContainerEntry(container=scope.container_path(node), place=place, line=node.line)
    found = node.child("DimensionList")
    return ParameterEntry(
        parameter=scope.names.parameter_name(scope.parameter_path(node)),
        dimensions=() if found is None else read_dimensions(found, scope),
        place=place,
        line=node.line,
    )


def _read_place(entry: Node, scope: Scope) -> EntryPlace:
    offset_bits, reference = 0, Reference.PREVIOUS_ENTRY
    location = entry.child("LocationInContainerInBits")
    if location is not None:
        node = Node(
            location,
            attributes=("referenceLocation",),
            children=("FixedValue", "DynamicValue", "DiscreteLookupList"),
        )
        reference = Reference(
            node.choice("referenceLocation", tuple(Reference), Reference.PREVIOUS_ENTRY.value)
        )
        offset_bits = read_integer_from(node, scope)  # type: ignore[assignment]
    condition = entry.child("IncludeCondition")
    repeat = entry.child("RepeatEntry")
    return EntryPlace(
        offset_bits=offset_bits,
        reference=reference,
        condition=None if condition is None else read_criteria(condition, scope),
        repeat=None if repeat is None else _read_repeat(repeat, scope),
    )


def _read_repeat(element: etree._Element, scope: Scope) -> Repeat:
    node = Node(element, children=("Count", "Offset"))
    count = read_integer(node.needed("Count"), scope)
    if isinstance(count, int) and count < 0:
        raise node.error(f"Count {count} is below 0")
    found = node.child("Offset")
    return Repeat(count=count, gap_bits=0 if found is None else read_integer(found, scope))


def _read_base(container: Node, scope: Scope) -> tuple[str | None, Criteria | None]:
    found = container.child("BaseContainer")
    if found is None:
        return None, None
    base = Node(found, attributes=("containerRef",), children=("RestrictionCriteria",))
    path = scope.container_path(base)
    criteria = base.child("RestrictionCriteria")
    if criteria is None:
        return path, None
    return path, read_match(Node(criteria, children=MATCHES), scope)

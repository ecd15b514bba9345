"""Parameter types of XTCE: encodings, units, enumerations, arrays, aggregates.

Source: OMG XTCE 1.2, ParameterTypeSetType.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from telemetry.dictionary.model import (
    AggregateType,
    ArrayType,
    DataType,
    Dimension,
    Encoding,
    EnumerationLabel,
    IntegerEncoding,
    Member,
    ParameterType,
    TypeKind,
)
from telemetry.dictionary.model.types import MAX_ELEMENTS
from telemetry.dictionary.xtce.alarms import LabelAlarms, NumericAlarms, read_alarms
from telemetry.dictionary.xtce.criteria import read_integer
from telemetry.dictionary.xtce.descriptions import DESCRIBED, NAMED, description_of
from telemetry.dictionary.xtce.encodings import (
    ENCODINGS,
    WORD_BITS,
    ReadEncoding,
    read_encoding,
)
from telemetry.dictionary.xtce.names import Declared, Names, Scope
from telemetry.dictionary.xtce.times import read_absolute_time, read_relative_time
from telemetry.dictionary.xtce.xml_reading import (
    Node,
    XtceError,
    line_of,
    local_name,
    whole_number_from_0,
)

_ALARMS: Final = ("DefaultAlarm", "ContextAlarmList")
_DIGITS: Final = (
    *("minimumFractionDigits", "maximumFractionDigits"),
    *("minimumIntegerDigits", "maximumIntegerDigits"),
)
_AFFIXES: Final = ("negativeSuffix", "positiveSuffix", "negativePrefix", "positivePrefix")


@dataclass(slots=True)
class TypeReader:
    """Reads each type of a document once, and those that it is made of before it."""

    names: Names
    _read: dict[str, DataType] = field(default_factory=dict)
    _reading: list[str] = field(default_factory=list)

    def read(self, path: str) -> DataType:
        """Return the type at *path*.

        Raises:
            XtceError: An unsupported kind or part, or a type that contains itself.
        """
        declared = self.names.types[path]
        if path in self._reading:
            raise XtceError(
                f"the type {declared.name!r} contains itself", line=line_of(declared.element)
            )
        if path not in self._read:
            self._reading.append(path)
            self._read[path] = self._read_declared(declared)
            self._reading.pop()
        return self._read[path]

    def _read_declared(self, declared: Declared) -> DataType:
        element, scope = declared.element, declared.scope
        kind = local_name(element)
        if kind == "ArrayParameterType":
            return self._array(element, scope)
        if kind == "AggregateParameterType":
            return self._aggregate(element, scope)
        return SCALARS[kind](element, scope)

    def _array(self, element: etree._Element, scope: Scope) -> ArrayType:
        node = Node(
            element, attributes=(*NAMED, "arrayTypeRef"), children=(*DESCRIBED, "DimensionList")
        )
        array = ArrayType(
            name=node.own_name(),
            element=self.read(scope.type_path(node, "arrayTypeRef")),
            dimensions=read_dimensions(node.needed("DimensionList"), scope),
            description=description_of(node),
        )
        check_size(node, array)
        return array

    def _aggregate(self, element: etree._Element, scope: Scope) -> AggregateType:
        node = Node(element, attributes=NAMED, children=(*DESCRIBED, "MemberList"))
        listed = Node(node.needed("MemberList"), children=(("Member",),))
        members: dict[str, Member] = {}
        for child in listed.some_children():
            each = Node(child, attributes=(*NAMED, "typeRef"), children=DESCRIBED)
            description_of(each)
            name = each.own_name()
            if name in members:
                raise each.error(f"the member {name!r} stands twice in <{node.name}>")
            members[name] = Member(name=name, type=self.read(scope.type_path(each, "typeRef")))
        aggregate = AggregateType(
            name=node.own_name(),
            members=tuple(members.values()),
            description=description_of(node),
        )
        check_size(node, aggregate)
        return aggregate


def read_dimensions(element: etree._Element, scope: Scope) -> tuple[Dimension, ...]:
    """Read a DimensionList."""
    listed = Node(element, children=(("Dimension",),))
    dimensions = []
    for child in listed.some_children():
        node = Node(child, children=("StartingIndex", "EndingIndex"))
        dimension = Dimension(
            first=read_integer(node.needed("StartingIndex"), scope),
            last=read_integer(node.needed("EndingIndex"), scope),
        )
        fixed = dimension.fixed
        if isinstance(dimension.first, int) and dimension.first < 0:
            raise node.error(f"StartingIndex {dimension.first} is below 0")
        if fixed is not None and not len(fixed):
            raise node.error(f"EndingIndex {dimension.last} is below {dimension.first}")
        dimensions.append(dimension)
    return tuple(dimensions)


def check_size(node: Node, kind: DataType) -> None:
    """Refuse a type of more values than anybody can look at."""
    if (values := _values_in(kind)) > MAX_ELEMENTS:
        raise node.error(
            f"<{node.name}> has {values} values; the limit is {MAX_ELEMENTS}. Use a binary type"
        )


def _values_in(kind: DataType) -> int:
    if isinstance(kind, ParameterType):
        return 1
    if isinstance(kind, AggregateType):
        return sum(_values_in(member.type) for member in kind.members)
    count = _values_in(kind.element)
    for dimension in kind.dimensions:
        count *= 1 if dimension.fixed is None else len(dimension.fixed)
    return count


def _numeric_type(element: etree._Element, kind: TypeKind, scope: Scope) -> ParameterType:
    # `signed` and `sizeInBits` of the type size the engineering value, which is
    # always wide enough here; the encoding alone says how to read the octets.
    sizing = ("signed", "sizeInBits") if kind is TypeKind.INTEGER else ("sizeInBits",)
    node = Node(
        element,
        attributes=(*NAMED, *sizing),
        children=(*DESCRIBED, "UnitSet", *ENCODINGS, "ToString", *_ALARMS),
    )
    _check_sizing(node, kind)
    _check_number_format(node)
    read = _encoding_of(node, ("IntegerDataEncoding", "FloatDataEncoding"), scope)
    alarm, contexts = read_alarms(node, NumericAlarms(scope), scope)
    return ParameterType(
        name=node.own_name(),
        kind=kind,
        encoding=None if read is None else read.encoding,
        unit=_unit_of(node),
        description=description_of(node),
        calibrator=None if read is None else read.calibrator,
        context_calibrators=() if read is None else read.contexts,
        alarm=alarm,
        context_alarms=contexts,
    )


def _check_sizing(node: Node, kind: TypeKind) -> None:
    if kind is TypeKind.FLOAT:
        node.choice("sizeInBits", ("32", "64", "128"), "32")
        return
    node.boolean("signed", default=True)
    if node.integer("sizeInBits", 32) < 1:
        raise node.error(f"sizeInBits of <{node.name}> is at least 1")


def _check_number_format(node: Node) -> None:
    """Check a ToString, which says how others print the value: nothing changes by it."""
    found = node.child("ToString")
    if found is not None:
        shown = Node(found, children=("NumberFormat",))
        node = Node(
            shown.needed("NumberFormat"),
            attributes=(*_DIGITS, *_AFFIXES, "numberBase", "showThousandsGrouping", "notation"),
        )
        node.choice("numberBase", ("Decimal", "Hexadecimal", "Octal", "Binary"), "Decimal")
        node.choice("notation", ("normal", "scientific", "engineering"), "normal")
        node.boolean("showThousandsGrouping", default=False)
        for name in _DIGITS:
            node.optional(name, whole_number_from_0)


def _integer_type(element: etree._Element, scope: Scope) -> ParameterType:
    return _numeric_type(element, TypeKind.INTEGER, scope)


def _float_type(element: etree._Element, scope: Scope) -> ParameterType:
    return _numeric_type(element, TypeKind.FLOAT, scope)


def _enumerated_type(element: etree._Element, scope: Scope) -> ParameterType:
    node = Node(
        element,
        attributes=NAMED,
        children=(*DESCRIBED, "UnitSet", *ENCODINGS, "EnumerationList", *_ALARMS),
    )
    labels = _read_labels(node.needed("EnumerationList"))
    alarm, contexts = read_alarms(
        node, LabelAlarms(scope, frozenset(label.label for label in labels)), scope
    )
    return ParameterType(
        name=node.own_name(),
        kind=TypeKind.ENUMERATED,
        encoding=_uncalibrated(node, scope),
        unit=_unit_of(node),
        description=description_of(node),
        labels=labels,
        alarm=alarm,
        context_alarms=contexts,
    )


def _read_labels(element: etree._Element) -> tuple[EnumerationLabel, ...]:
    listed = Node(element, children=(("Enumeration",),))
    labels: list[EnumerationLabel] = []
    for child in listed.some_children():
        node = Node(child, attributes=("value", "maxValue", "label", "shortDescription"))
        value = node.integer("value")
        label = EnumerationLabel(
            value=value, max_value=node.integer("maxValue", value), label=node.get("label")
        )
        if label.max_value < value:
            raise node.error(f"maxValue {label.max_value} is below value {value}")
        for other in labels:
            if label.value <= other.max_value and other.value <= label.max_value:
                raise node.error(
                    f"{label.label!r} and {other.label!r} both name the value"
                    f" {max(label.value, other.value)}"
                )
        labels.append(label)
    return tuple(labels)


def _boolean_type(element: etree._Element, scope: Scope) -> ParameterType:
    node = Node(
        element,
        attributes=(*NAMED, "oneStringValue", "zeroStringValue"),
        children=(*DESCRIBED, "UnitSet", *ENCODINGS, *_ALARMS),
    )
    one, zero = node.get("oneStringValue", "True"), node.get("zeroStringValue", "False")
    alarm, contexts = read_alarms(node, LabelAlarms(scope, None), scope)
    return ParameterType(
        name=node.own_name(),
        kind=TypeKind.BOOLEAN,
        encoding=_uncalibrated(node, scope),
        unit=_unit_of(node),
        description=description_of(node),
        one_label=one,
        zero_label=zero,
        alarm=alarm,
        context_alarms=contexts,
    )


def _uncalibrated(node: Node, scope: Scope) -> Encoding | None:
    read = _encoding_of(node, ("IntegerDataEncoding",), scope)
    if read is None:
        return None
    if read.calibrator is not None or read.contexts:
        raise node.error(f"a calibrator in <{node.name}> is not supported: labels stand for it")
    assert isinstance(read.encoding, IntegerEncoding)
    if read.encoding.size_bits > WORD_BITS:
        raise node.error(
            f"an encoding of {read.encoding.size_bits} bits in <{node.name}> is not supported;"
            f" the limit is {WORD_BITS}"
        )
    return read.encoding


def _string_type(element: etree._Element, scope: Scope) -> ParameterType:
    return _octets_type(element, TypeKind.STRING, "StringDataEncoding", scope)


def _binary_type(element: etree._Element, scope: Scope) -> ParameterType:
    return _octets_type(element, TypeKind.BINARY, "BinaryDataEncoding", scope)


def _octets_type(
    element: etree._Element, kind: TypeKind, encoding: str, scope: Scope
) -> ParameterType:
    node = Node(element, attributes=NAMED, children=(*DESCRIBED, "UnitSet", *ENCODINGS))
    read = _encoding_of(node, (encoding,), scope)
    return ParameterType(
        name=node.own_name(),
        kind=kind,
        encoding=None if read is None else read.encoding,
        unit=_unit_of(node),
        description=description_of(node),
    )


def _encoding_of(node: Node, supported: Sequence[str], scope: Scope) -> ReadEncoding | None:
    """Return the data encoding of a type; without one its parameters are never sent."""
    found = [child for child in node.children() if local_name(child) in ENCODINGS]
    if not found:
        return None
    if len(found) > 1:
        raise node.error(f"<{node.name}> has {len(found)} data encodings; the limit is 1")
    if local_name(found[0]) not in supported:
        raise XtceError(
            f"<{local_name(found[0])}> in <{node.name}> is not supported; supported:"
            f" {', '.join(supported)}",
            line=line_of(found[0]),
        )
    return read_encoding(found[0], scope)


def _unit_of(node: Node) -> str:
    """Return the units as one text, for example ``m/s`` or ``kg m^2``."""
    found = node.child("UnitSet")
    if found is None:
        return ""
    texts = []
    for child in Node(found, children=(("Unit",),)).children():
        unit = Node(child, attributes=("power", "factor", "description", "form"), text=True)
        form = unit.choice("form", ("calibrated", "uncalibrated", "raw"), "calibrated")
        if form != "calibrated":
            continue  # the unit of another value than the one that is shown
        power, factor = unit.number("power", 1.0), unit.get("factor", "1")
        text = unit.text() if power == 1.0 else f"{unit.text()}^{power:g}"
        texts.append(text if factor == "1" else f"{factor} {text}")
    return " ".join(texts)


SCALARS: Final[dict[str, Callable[[etree._Element, Scope], ParameterType]]] = {
    "IntegerParameterType": _integer_type,
    "FloatParameterType": _float_type,
    "EnumeratedParameterType": _enumerated_type,
    "BooleanParameterType": _boolean_type,
    "StringParameterType": _string_type,
    "BinaryParameterType": _binary_type,
    "AbsoluteTimeParameterType": read_absolute_time,
    "RelativeTimeParameterType": read_relative_time,
}
PARAMETER_TYPES: Final = (*SCALARS, "ArrayParameterType", "AggregateParameterType")

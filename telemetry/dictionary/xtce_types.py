"""Parameter types of XTCE: encodings, units, calibrators, enumerations, times.

Source: OMG XTCE 1.2, ParameterTypeSetType.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from telemetry.dictionary.model import (
    EnumerationLabel,
    IntegerEncoding,
    ParameterType,
    TimeScale,
    TypeKind,
)
from telemetry.dictionary.xml_reading import Node, XtceError, line_of, local_name
from telemetry.dictionary.xtce_alarms import read_enumeration_alarm, read_numeric_alarm
from telemetry.dictionary.xtce_encodings import ENCODINGS, ReadEncoding, read_encoding

_COMMON: Final = ("name", "shortDescription")
_DOCUMENTED: Final = ("LongDescription", "UnitSet")


def read_parameter_type(element: etree._Element) -> ParameterType:
    """Read one child of a ParameterTypeSet.

    Raises:
        XtceError: An unsupported kind of type, or an unsupported part of one.
    """
    reader = _READERS.get(local_name(element))
    if reader is None:
        raise XtceError(
            f"<{local_name(element)}> is not supported; supported: {', '.join(_READERS)}",
            line=line_of(element),
        )
    return reader(element)


def description_of(node: Node) -> str:
    """Return the long description, or else the short one."""
    found = node.child("LongDescription")
    long = Node(found).text() if found is not None else ""
    return long or node.get("shortDescription", "")


def _numeric_type(element: etree._Element, kind: TypeKind) -> ParameterType:
    # `signed` and `sizeInBits` of the type size the engineering value, which is
    # always wide enough here; the encoding alone says how to read the octets.
    sizing = ("signed", "sizeInBits") if kind is TypeKind.INTEGER else ("sizeInBits",)
    node = Node(
        element,
        attributes=(*_COMMON, *sizing),
        children=(
            *_DOCUMENTED,
            "IntegerDataEncoding",
            "FloatDataEncoding",
            "DefaultAlarm",
        ),
    )
    read = _encoding_of(node)
    alarm = node.child("DefaultAlarm")
    return ParameterType(
        name=node.get("name"),
        kind=kind,
        encoding=read.encoding,
        unit=_unit_of(node),
        description=description_of(node),
        calibrator=read.calibrator,
        alarm=None if alarm is None else read_numeric_alarm(alarm),
    )


def _integer_type(element: etree._Element) -> ParameterType:
    return _numeric_type(element, TypeKind.INTEGER)


def _float_type(element: etree._Element) -> ParameterType:
    return _numeric_type(element, TypeKind.FLOAT)


def _enumerated_type(element: etree._Element) -> ParameterType:
    node = Node(
        element,
        attributes=_COMMON,
        children=(*_DOCUMENTED, "IntegerDataEncoding", "EnumerationList", "DefaultAlarm"),
    )
    labels = _read_labels(node.needed("EnumerationList"))
    alarm = node.child("DefaultAlarm")
    return ParameterType(
        name=node.get("name"),
        kind=TypeKind.ENUMERATED,
        encoding=_uncalibrated_integer(node),
        unit=_unit_of(node),
        description=description_of(node),
        labels=labels,
        alarm=(
            None
            if alarm is None
            else read_enumeration_alarm(alarm, {label.label for label in labels})
        ),
    )


def _read_labels(element: etree._Element) -> tuple[EnumerationLabel, ...]:
    listed = Node(element, children=("Enumeration",))
    labels: list[EnumerationLabel] = []
    for child in listed.children():
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
    if not labels:
        raise listed.error("the enumeration is empty")
    return tuple(labels)


def _boolean_type(element: etree._Element) -> ParameterType:
    node = Node(
        element,
        attributes=(*_COMMON, "oneStringValue", "zeroStringValue"),
        children=(*_DOCUMENTED, "IntegerDataEncoding"),
    )
    return ParameterType(
        name=node.get("name"),
        kind=TypeKind.BOOLEAN,
        encoding=_uncalibrated_integer(node),
        unit=_unit_of(node),
        description=description_of(node),
        one_label=node.get("oneStringValue", "True"),
        zero_label=node.get("zeroStringValue", "False"),
    )


def _uncalibrated_integer(node: Node) -> IntegerEncoding:
    read = read_encoding(node.needed("IntegerDataEncoding"))
    if read.calibrator is not None:
        raise node.error(f"a calibrator in <{node.name}> is not supported: labels stand for it")
    assert isinstance(read.encoding, IntegerEncoding)
    return read.encoding


def _string_type(element: etree._Element) -> ParameterType:
    return _octets_type(element, TypeKind.STRING, "StringDataEncoding")


def _binary_type(element: etree._Element) -> ParameterType:
    return _octets_type(element, TypeKind.BINARY, "BinaryDataEncoding")


def _octets_type(element: etree._Element, kind: TypeKind, encoding: str) -> ParameterType:
    node = Node(element, attributes=_COMMON, children=(*_DOCUMENTED, encoding))
    return ParameterType(
        name=node.get("name"),
        kind=kind,
        encoding=read_encoding(node.needed(encoding)).encoding,
        unit=_unit_of(node),
        description=description_of(node),
    )


def _absolute_time_type(element: etree._Element) -> ParameterType:
    node = Node(
        element,
        attributes=_COMMON,
        children=("LongDescription", "Encoding", "ReferenceTime"),
    )
    outer = Node(
        node.needed("Encoding"),
        attributes=("units", "scale", "offset"),
        children=("IntegerDataEncoding", "FloatDataEncoding"),
    )
    outer.choice("units", ("seconds",), "seconds")
    read = _encoding_of(outer)
    if read.calibrator is not None:
        raise outer.error("a calibrator in a time is not supported: use scale and offset")
    return ParameterType(
        name=node.get("name"),
        kind=TypeKind.ABSOLUTE_TIME,
        encoding=read.encoding,
        description=description_of(node),
        time_scale=TimeScale(
            epoch=_read_epoch(node.needed("ReferenceTime")),
            scale=outer.number("scale", 1.0),
            offset_s=outer.number("offset", 0.0),
        ),
    )


def _read_epoch(element: etree._Element) -> datetime:
    reference = Node(element, children=("Epoch",))
    epoch = Node(reference.needed("Epoch"))
    text = epoch.text()
    if text == "UNIX":
        return datetime(1970, 1, 1, tzinfo=UTC)
    if text in {"TAI", "GPS", "J2000"}:
        raise epoch.error(
            f"the epoch {text} runs on a scale without leap seconds and is not supported;"
            " give the UTC instant of the on-board epoch instead"
        )
    instant = epoch.parse("Epoch", text.replace("Z", "+00:00"), datetime.fromisoformat)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _encoding_of(node: Node) -> ReadEncoding:
    """Return the one data encoding of a type."""
    found = [child for child in node.children() if local_name(child) in ENCODINGS]
    if len(found) != 1:
        raise node.error(f"<{node.name}> has {len(found)} data encodings; it needs exactly 1")
    return read_encoding(found[0])


def _unit_of(node: Node) -> str:
    """Return the units as one text, for example ``m/s`` or ``kg m^2``."""
    found = node.child("UnitSet")
    if found is None:
        return ""
    texts = []
    for child in Node(found, children=("Unit",)).children():
        unit = Node(child, attributes=("power", "description"))
        power = unit.number("power", 1.0)
        texts.append(unit.text() if power == 1.0 else f"{unit.text()}^{power:g}")
    return " ".join(texts)


_READERS: Final[dict[str, Callable[[etree._Element], ParameterType]]] = {
    "IntegerParameterType": _integer_type,
    "FloatParameterType": _float_type,
    "EnumeratedParameterType": _enumerated_type,
    "BooleanParameterType": _boolean_type,
    "StringParameterType": _string_type,
    "BinaryParameterType": _binary_type,
    "AbsoluteTimeParameterType": _absolute_time_type,
}

"""Time types of XTCE: scales, units and epochs.

Source: OMG XTCE 1.2, BaseTimeDataType, EncodingType and ReferenceTimeType.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from lxml import etree

from telemetry.dictionary.model import ParameterType, TimeBasis, TimeScale, TypeKind
from telemetry.dictionary.xtce.criteria import read_instance_element
from telemetry.dictionary.xtce.descriptions import DESCRIBED, NAMED, description_of
from telemetry.dictionary.xtce.encodings import ENCODINGS, ReadEncoding, read_encoding
from telemetry.dictionary.xtce.names import Scope
from telemetry.dictionary.xtce.xml_reading import Node, local_name

_SECONDS_IN: Final = {"seconds": 1.0, "picoSeconds": 1e-12, "days": 86_400.0}

# The instants that are zero on scales which count leap seconds, as their own clock reads
# them, moved to TAI: GPS time is 19 s behind it, terrestrial time 32.184 s ahead.
_EPOCHS: Final = {
    "UNIX": (datetime(1970, 1, 1, tzinfo=UTC), TimeBasis.UTC),
    "TAI": (datetime(1958, 1, 1, tzinfo=UTC), TimeBasis.TAI),
    "GPS": (datetime(1980, 1, 6, 0, 0, 19, tzinfo=UTC), TimeBasis.TAI),
    "J2000": (datetime(2000, 1, 1, 11, 59, 27, 816_000, tzinfo=UTC), TimeBasis.TAI),
}


def read_absolute_time(element: etree._Element, scope: Scope) -> ParameterType:
    node = _time_node(element)
    reference = Node(node.needed("ReferenceTime"), children=("OffsetFrom", "Epoch"))
    found = reference.one_of(("OffsetFrom", "Epoch"))
    if local_name(found) == "OffsetFrom":
        zero = TimeScale(offset_from=read_instance_element(found, scope))
    else:
        epoch, basis = _read_epoch(found)
        zero = TimeScale(epoch=epoch, basis=basis)
    return _time_type(node, zero, TypeKind.ABSOLUTE_TIME, scope)


def read_relative_time(element: etree._Element, scope: Scope) -> ParameterType:
    node = _time_node(element)
    if node.child("ReferenceTime") is not None:
        raise node.error(f"<ReferenceTime> in <{node.name}> is not supported: it has no zero")
    return _time_type(node, TimeScale(), TypeKind.RELATIVE_TIME, scope)


def _time_node(element: etree._Element) -> Node:
    return Node(element, attributes=NAMED, children=(*DESCRIBED, "Encoding", "ReferenceTime"))


def _time_type(node: Node, zero: TimeScale, kind: TypeKind, scope: Scope) -> ParameterType:
    outer = Node(
        node.needed("Encoding"),
        attributes=("units", "scale", "offset"),
        children=tuple(ENCODINGS),
    )
    unit_s = _SECONDS_IN[outer.choice("units", tuple(_SECONDS_IN), "seconds")]
    return ParameterType(
        name=node.own_name(),
        kind=kind,
        encoding=_number_encoding(outer, scope).encoding,
        unit="s" if kind is TypeKind.RELATIVE_TIME else "",
        description=description_of(node),
        time_scale=TimeScale(
            epoch=zero.epoch,
            basis=zero.basis,
            offset_from=zero.offset_from,
            scale=outer.number("scale", 1.0) * unit_s,
            offset_s=outer.number("offset", 0.0) * unit_s,
        ),
    )


def _number_encoding(outer: Node, scope: Scope) -> ReadEncoding:
    found = outer.one_of(tuple(ENCODINGS))
    if local_name(found) not in {"IntegerDataEncoding", "FloatDataEncoding"}:
        raise outer.error(
            f"<{local_name(found)}> of a time is not supported; supported:"
            " IntegerDataEncoding, FloatDataEncoding"
        )
    read = read_encoding(found, scope)
    if read.calibrator is not None or read.contexts:
        raise outer.error("a calibrator in a time is not supported: use scale and offset")
    return read


def _read_epoch(element: etree._Element) -> tuple[datetime, TimeBasis]:
    epoch = Node(element, text=True)
    text = epoch.text()
    if text in _EPOCHS:
        return _EPOCHS[text]
    instant = epoch.parse("Epoch", text.replace("Z", "+00:00"), datetime.fromisoformat)
    aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return aware, TimeBasis.UTC

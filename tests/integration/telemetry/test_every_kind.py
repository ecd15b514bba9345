"""Values of every kind that a dictionary can have, received, archived and read back."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from telemetry import selectors
from telemetry.services import TelemetryReception
from tests.integration.telemetry.craft import AT, after, packet, received, spacecraft
from tests.unit.telemetry.decoding.test_decoding import BODY, TYPES
from tests.unit.telemetry.dictionary import bits

FIELDS = {**BODY, "COUNTER": "counter"}


def at_octet_12(name: str) -> str:
    """An entry behind the packet's header and time."""
    return (
        f'<ParameterRefEntry parameterRef="{name}"><LocationInContainerInBits'
        ' referenceLocation="containerStart"><FixedValue>96</FixedValue>'
        "</LocationInContainerInBits></ParameterRefEntry>"
    )


def container(name: str, apid: int, entries: str) -> str:
    base = (
        '<BaseContainer containerRef="Packet"><RestrictionCriteria>'
        f'<Comparison parameterRef="APID" value="{apid}"/></RestrictionCriteria></BaseContainer>'
    )
    return bits.container(name, entries, base=base)


def computed(output: str, expression: str) -> str:
    return (
        f'<CustomAlgorithm name="{output}"><AlgorithmText language="expression">{expression}'
        '</AlgorithmText><InputSet><InputParameterInstanceRef parameterRef="V" inputName="v"/>'
        f'</InputSet><OutputSet><OutputParameterRef parameterRef="{output}" outputName="o"/>'
        "</OutputSet></CustomAlgorithm>"
    )


DICTIONARY = bits.document(
    types=TYPES
    + '<IntegerParameterType name="counter" signed="true"><IntegerDataEncoding sizeInBits="24"'
    ' encoding="twosComplement" byteOrder="leastSignificantByteFirst"/></IntegerParameterType>'
    '<StringParameterType name="name"><StringDataEncoding><Variable maxSizeInBits="800">'
    '<DynamicValue><ParameterInstanceRef parameterRef="SIZE"/><LinearAdjustment slope="8"/>'
    "</DynamicValue></Variable></StringDataEncoding></StringParameterType>"
    '<FloatParameterType name="real"/>',
    parameters="".join(bits.parameter(name, kind) for name, kind in FIELDS.items())
    + bits.parameter("APID", "APID_t")
    + bits.parameter("SIZE", "u8")
    + bits.parameter("S", "u8")
    + bits.parameter("NAME", "name")
    + '<Parameter parameterTypeRef="real" name="DOUBLE">'
    '<ParameterProperties dataSource="derived"/></Parameter>'
    '<Parameter parameterTypeRef="u8" name="LEVEL"><ParameterProperties dataSource="derived"/>'
    "</Parameter>",
    containers=bits.container(
        "Packet",
        '<ParameterRefEntry parameterRef="APID"><LocationInContainerInBits>'
        "<FixedValue>5</FixedValue></LocationInContainerInBits></ParameterRefEntry>",
        abstract=True,
    )
    + container("Body", 100, at_octet_12("F") + "".join(map(bits.entry, [*FIELDS][1:])))
    + container(
        "Varying",
        101,
        at_octet_12("SIZE") + bits.entry("NAME") + bits.entry("S") + bits.entry("S"),
    ),
    algorithms=computed("DOUBLE", "v * 2") + computed("LEVEL", "if(v &gt; 2, 1, 0)"),
).decode()
OCTETS = (
    bytes.fromhex("3fc00000")
    + bytes([5, 1, 1, 0])
    + b"\x01\xff"
    + b"hi"
    + bytes([3, 7, 8, 9, 10, 11])
    + (1 << 70).to_bytes(9, "big")
    + (-2).to_bytes(3, "little", signed=True)
)
EXPECTED = {  # name: raw, engineering
    "F": (1.5, 1.5),
    "V": (5, 2.5),
    "FLAG": (1, "True"),
    "HEATER": (1, "ON"),
    "MODE": (0, "SÄFE"),
    "BLOB": ("01ff", "01ff"),
    "TEXT": ("6869", "hi"),
    "AT": (3, "2026-01-01T00:00:01.500000Z"),
    "LIST[0]": (7, 7),
    "LIST[1]": (8, 8),
    "PAIR.a": (9, 4.5),
    "PAIR.b[1]": (11, 11),
    "WIDE": (1 << 70, 1 << 70),
    "COUNTER": (-2, -2),
    "NAME": (b"Kashi".hex(), "Kashi"),
    "S": (3, 3),
    "S[1]": (4, 4),
    "DOUBLE": (5.0, 5.0),
    "LEVEL": (1, 1),
}


@pytest.fixture
def heard(db):
    craft = spacecraft(telemetry_dictionary=DICTIONARY)
    with TelemetryReception(craft) as reception:
        reception.receive_packets(
            received(packet(100, 1, OCTETS), packet(101, 2, b"\x05Kashi\x03\x04"))
        )
    return craft


def test_are_the_newest_values(heard):
    values = selectors.latest_values(heard, names=EXPECTED)
    assert {value.name: (value.raw, value.value) for value in values} == EXPECTED
    assert {value.state for value in values} == {"normal"}


def test_are_in_the_history(heard):
    for name, (_, value) in EXPECTED.items():
        assert selectors.history(heard, name, start=AT, end=after(10)).values == [value]


def test_are_the_same_when_the_archive_is_made_again(heard):
    call_command("rebuild_archive", heard.name)
    values = selectors.latest_values(heard, names=EXPECTED)
    assert {value.name: (value.raw, value.value) for value in values} == EXPECTED

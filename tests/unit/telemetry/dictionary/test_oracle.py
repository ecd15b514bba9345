"""The decoder against an independent XTCE interpreter, ``space-packet-parser``."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from lxml import etree
from space_packet_parser.xtce.definitions import XtcePacketDefinition

from telemetry.dictionary import compile_dictionary, engineering, parse_xtce
from tests.unit.telemetry.dictionary import bits
from tests.vectors import shared_vector

JPSS_PACKETS = 7200


def split_packets(stream: bytes) -> list[bytes]:
    packets, offset = [], 0
    while offset < len(stream):
        length = 7 + int.from_bytes(stream[offset + 4 : offset + 6], "big")
        packets.append(stream[offset : offset + length])
        offset += length
    return packets


def oracle_values(xml: bytes, packets: list[bytes], *, root: str):
    definition = XtcePacketDefinition.from_xtce(io.BytesIO(xml), root_container_name=root)
    return [definition.parse_bytes(packet) for packet in packets]


class TestJpss:
    @pytest.fixture
    def xml(self):
        return shared_vector("xtce_jpss/jpss1_geolocation_xtce_v1.xml").read_bytes()

    @pytest.fixture
    def packets(self):
        return split_packets(shared_vector("xtce_jpss/J01_geolocation_packets.bin").read_bytes())

    def test_equals_the_oracle_on_every_value_of_every_packet(self, xml, packets):
        dictionary = parse_xtce(xml)
        result = compile_dictionary(dictionary).decode(packets)
        [batch] = result.batches
        assert (len(packets), len(batch.indices), result.undecoded) == (
            JPSS_PACKETS,
            JPSS_PACKETS,
            [],
        )
        expected = oracle_values(xml, packets, root="CCSDSPacket")
        assert set(batch.columns) == set(expected[0])
        for name, raw in batch.columns.items():
            derived = engineering(dictionary.parameters[name], raw)
            assert raw.tolist() == [values[name].raw_value for values in expected], name
            assert derived.tolist() == [values[name] for values in expected], name

    def test_reads_units_and_descriptions(self, xml):
        parameters = parse_xtce(xml).parameters
        assert parameters["ADGPSPOSX"].unit == "m"
        assert parameters["ADGPSVELX"].unit == "m/s"
        assert parameters["PKT_APID"].description == "Unique to each packet type."
        assert parameters["PKT_APID"].qualified_name == "/JPSS_Geolocation_Packets/PKT_APID"


HEADER = [("VERSION", 3), ("TYPE", 1), ("SHF", 1), ("APID", 11), ("FLAGS", 2), ("SEQ", 14)]
HEADER_TYPES = "".join(
    bits.integer_type(f"{name}_t", size) for name, size in [*HEADER, ("LENGTH", 16)]
)
HEADER_PARAMETERS = "".join(
    bits.parameter(name, f"{name}_t") for name, _ in [*HEADER, ("LENGTH", 16)]
)
HEADER_CONTAINER = bits.container(
    "Packet", "".join(bits.entry(name) for name, _ in [*HEADER, ("LENGTH", 16)]), abstract=True
)
KINDS = {
    "U12": bits.integer_type("U12", 12),
    "I6": bits.integer_type("I6", 6, encoding="twosComplement"),
    "I24LE": bits.integer_type(
        "I24LE", 24, encoding="twosComplement", order="leastSignificantByteFirst"
    ),
    "U64": bits.integer_type("U64", 64),
    "F32": '<FloatParameterType name="F32"><FloatDataEncoding sizeInBits="32"/>'
    "</FloatParameterType>",
    "F64LE": '<FloatParameterType name="F64LE"><FloatDataEncoding sizeInBits="64"'
    ' byteOrder="leastSignificantByteFirst"/></FloatParameterType>',
    "VOLT": '<FloatParameterType name="VOLT"><IntegerDataEncoding sizeInBits="11">'
    '<DefaultCalibrator><PolynomialCalibrator><Term exponent="0" coefficient="-3.5"/>'
    '<Term exponent="2" coefficient="0.25"/><Term exponent="1" coefficient="2"/>'
    "</PolynomialCalibrator></DefaultCalibrator></IntegerDataEncoding></FloatParameterType>",
    "MODE": '<EnumeratedParameterType name="MODE"><IntegerDataEncoding sizeInBits="2"/>'
    "<EnumerationList>"
    + "".join(f'<Enumeration value="{i}" label="M{i}"/>' for i in range(4))
    + "</EnumerationList></EnumeratedParameterType>",
    "FLAG": '<BooleanParameterType name="FLAG"><IntegerDataEncoding sizeInBits="1"/>'
    "</BooleanParameterType>",
    "TEXT": '<StringParameterType name="TEXT"><StringDataEncoding encoding="ISO-8859-1">'
    "<SizeInBits><Fixed><FixedValue>40</FixedValue></Fixed></SizeInBits></StringDataEncoding></StringParameterType>",
    "BLOB": '<BinaryParameterType name="BLOB"><BinaryDataEncoding><SizeInBits>'
    "<FixedValue>24</FixedValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>",
}
SIZES = {
    "U12": 12,
    "I6": 6,
    "I24LE": 24,
    "U64": 64,
    "F32": 32,
    "F64LE": 64,
    "VOLT": 11,
    "MODE": 2,
    "FLAG": 1,
    "TEXT": 40,
    "BLOB": 24,
}


def handmade(order: tuple[str, ...]) -> bytes:
    chosen = (
        '<BaseContainer containerRef="Packet"><RestrictionCriteria><ComparisonList>'
        '<Comparison parameterRef="APID" value="0x2A"/>'
        '<Comparison parameterRef="SEQ" value="9000" comparisonOperator="&lt;"/>'
        "</ComparisonList></RestrictionCriteria></BaseContainer>"
    )
    return bits.document(
        types=HEADER_TYPES + "".join(KINDS.values()),
        parameters=HEADER_PARAMETERS + "".join(bits.parameter(f"P_{k}", k) for k in KINDS),
        containers=HEADER_CONTAINER
        + bits.container("Science", "".join(bits.entry(f"P_{k}") for k in order), base=chosen),
    ).replace(b"0x2A", b"42")


class TestHandMadeDocuments:
    @pytest.mark.parametrize(
        "order",
        [
            tuple(KINDS),
            tuple(reversed(KINDS)),
            ("FLAG", *(k for k in KINDS if k != "FLAG")),
            ("I6", "U64", "MODE", "TEXT", "U12", "BLOB", "FLAG", "F32", "VOLT", "F64LE", "I24LE"),
        ],
    )
    def test_equals_the_oracle_at_every_bit_alignment(self, order):
        xml, generator = handmade(order), np.random.default_rng(5)
        body_octets = (sum(SIZES[k] for k in order) + 7) // 8
        packets = []
        for sequence in range(60):
            body = bytearray(generator.integers(1, 127, body_octets).astype(np.uint8).tobytes())
            header = (42, 0xC000 | sequence, body_octets - 1)
            packets.append(b"".join(x.to_bytes(2, "big") for x in header) + bytes(body))
        dictionary = parse_xtce(xml)
        [batch] = compile_dictionary(dictionary).decode(packets).batches
        expected = oracle_values(xml, packets, root="Packet")
        for kind in order:
            name = f"P_{kind}"
            parameter, raw = dictionary.parameters[name], batch.columns[name]
            derived = engineering(parameter, raw).tolist()
            if kind in {"TEXT", "BLOB"}:
                assert [bytes(value) for value in raw] == [v[name].raw_value for v in expected]
            elif kind in {"F32", "F64LE"}:
                np.testing.assert_array_equal(raw, [v[name].raw_value for v in expected])
            else:
                assert raw.tolist() == [v[name].raw_value for v in expected], name
            wanted = [v[name] for v in expected]
            if kind == "FLAG":
                wanted = ["True" if value else "False" for value in wanted]
            if kind in {"VOLT", "F32", "F64LE"}:
                np.testing.assert_allclose(derived, wanted, rtol=1e-12)
            else:
                assert derived == wanted, name


def test_the_load_dictionary_decodes_as_the_oracle_does():
    xml_file = shared_vector("../telemetry_load/odc.xml")
    xml = xml_file.read_bytes()
    code = compile((xml_file.parent / "packets.py").read_text(), "packets.py", "exec")
    module: dict[str, object] = {"__name__": "packets"}
    exec(code, module)
    packets = list(itertools.islice(module["packets"](90), 90))
    dictionary = parse_xtce(xml)
    result = compile_dictionary(dictionary).decode(packets)
    assert result.undecoded == []
    assert [batch.container for batch in result.batches] == ["EPS", "COMPUTE", "THERMAL"]
    # The oracle takes the header first, so its own root container is left to it.
    expected = oracle_values(with_full_header(xml), packets, root="ccsds")
    for batch in result.batches:
        for name, raw in batch.columns.items():
            derived = engineering(dictionary.parameters[name], raw).tolist()
            wanted = [expected[index] for index in batch.indices]
            assert raw.tolist() == [values[name].raw_value for values in wanted], name
            assert derived == pytest.approx([values[name] for values in wanted]), name


def with_full_header(xml: bytes) -> bytes:
    """Replace absolute places, which the oracle does not read, by filler parameters."""
    root = etree.fromstring(xml)
    space = {"x": root.nsmap[None]}
    for place in root.findall(".//x:LocationInContainerInBits", space):
        place.getparent().remove(place)
    filler = [("f0", 5), ("f1", 2), ("f2", 64)]
    types = root.find(".//x:ParameterTypeSet", space)
    parameters = root.find(".//x:ParameterSet", space)
    for name, size in filler:
        types.append(
            etree.fromstring(
                bits.integer_type(f"{name}_t", size).replace(
                    "<IntegerParameterType", f'<IntegerParameterType xmlns="{root.nsmap[None]}"'
                )
            )
        )
        parameters.append(
            parameters.makeelement(
                f"{{{root.nsmap[None]}}}Parameter",
                {"name": name, "parameterTypeRef": f"{name}_t"},
            )
        )
    entries = root.find(".//x:SequenceContainer[@name='ccsds']/x:EntryList", space)
    for position, (name, _) in zip((0, 2, 4), filler, strict=True):
        entries.insert(
            position,
            entries.makeelement(
                f"{{{root.nsmap[None]}}}ParameterRefEntry", {"parameterRef": name}
            ),
        )
    return etree.tostring(root)

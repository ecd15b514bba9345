from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.packet_stream import StreamFormat
from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket, idle_packet
from telemetry.decoding import CsvTable, JsonLines, PacketFile, ParquetTable
from telemetry.decoding.values import nested
from telemetry.dictionary import compile_dictionary, parse_xtce
from tests.unit.telemetry.dictionary import bits

SIZES = [("VER", 3), ("TYPE", 1), ("SHF", 1), ("APID", 11), ("FLAGS", 2), ("SEQ", 14), ("LEN", 16)]
TYPES = (
    "".join(bits.integer_type(f"{name}_t", size) for name, size in SIZES)
    + bits.integer_type("u8", 8)
    + bits.integer_type("wide", 72)
    + '<FloatParameterType name="f32"><FloatDataEncoding/></FloatParameterType>'
    '<FloatParameterType name="volt"><IntegerDataEncoding><DefaultCalibrator>'
    '<PolynomialCalibrator><Term exponent="1" coefficient="0.5"/></PolynomialCalibrator>'
    "</DefaultCalibrator></IntegerDataEncoding></FloatParameterType>"
    '<BooleanParameterType name="flag"><IntegerDataEncoding/></BooleanParameterType>'
    '<BooleanParameterType name="heater" oneStringValue="ON" zeroStringValue="OFF">'
    "<IntegerDataEncoding/></BooleanParameterType>"
    '<EnumeratedParameterType name="mode"><IntegerDataEncoding/><EnumerationList>'
    '<Enumeration value="0" label="SÄFE"/></EnumerationList></EnumeratedParameterType>'
    '<BinaryParameterType name="blob"><BinaryDataEncoding><SizeInBits><FixedValue>16</FixedValue>'
    "</SizeInBits></BinaryDataEncoding></BinaryParameterType>"
    '<StringParameterType name="text"><StringDataEncoding><SizeInBits><Fixed><FixedValue>16'
    "</FixedValue></Fixed></SizeInBits></StringDataEncoding></StringParameterType>"
    '<AbsoluteTimeParameterType name="clock"><Encoding scale="0.5"><IntegerDataEncoding/>'
    "</Encoding><ReferenceTime><Epoch>2026-01-01T00:00:00Z</Epoch></ReferenceTime>"
    "</AbsoluteTimeParameterType>"
    '<ArrayParameterType name="list" arrayTypeRef="u8"><DimensionList><Dimension><StartingIndex>'
    "<FixedValue>0</FixedValue></StartingIndex><EndingIndex><FixedValue>1</FixedValue>"
    "</EndingIndex></Dimension></DimensionList></ArrayParameterType>"
    '<AggregateParameterType name="pair"><MemberList><Member name="a" typeRef="volt"/>'
    '<Member name="b" typeRef="list"/></MemberList></AggregateParameterType>'
)
BODY = {
    "F": "f32",
    "V": "volt",
    "FLAG": "flag",
    "HEATER": "heater",
    "MODE": "mode",
    "BLOB": "blob",
    "TEXT": "text",
    "AT": "clock",
    "LIST": "list",
    "PAIR": "pair",
    "WIDE": "wide",
}


def base(apid: int) -> str:
    return (
        '<BaseContainer containerRef="Packet"><RestrictionCriteria>'
        f'<Comparison parameterRef="APID" value="{apid}"/></RestrictionCriteria></BaseContainer>'
    )


DICTIONARY = parse_xtce(
    bits.document(
        types=TYPES,
        parameters="".join(bits.parameter(name, f"{name}_t") for name, _ in SIZES)
        + "".join(bits.parameter(name, kind) for name, kind in BODY.items())
        + bits.parameter("N", "u8")
        + bits.parameter("S", "u8"),
        containers=bits.container(
            "Packet", "".join(bits.entry(name) for name, _ in SIZES), abstract=True
        )
        + bits.container("Body", "".join(map(bits.entry, BODY)), base=base(5))
        + bits.container("Short", bits.entry("N"), base=base(6))
        + bits.container("Twice", bits.entry("S") + bits.entry("S"), base=base(7)),
    )
)
BODY_OCTETS = (
    bytes.fromhex("3fc00000")
    + bytes([5, 1, 1, 0])
    + b"\x01\xff"
    + b"hi"
    + bytes([3, 7, 8, 9, 10, 11])
    + (1 << 70).to_bytes(9, "big")
)


def packet(apid: int, data: bytes, count: int = 0) -> bytes:
    return SpacePacket(packet_type=TELEMETRY, apid=apid, sequence_count=count, data=data).encode()


def chunks(octets: bytes, **rules):
    decoder = compile_dictionary(DICTIONARY)
    return list(PacketFile(io.BytesIO(octets), decoder, StreamFormat(**rules)).chunks())


def objects(octets: bytes, *, raw_only: bool = False):
    writer = JsonLines(DICTIONARY.parameters, raw_only=raw_only)
    return [json.loads(line) for chunk in chunks(octets) for line in writer.lines(chunk)]


class TestJson:
    def test_writes_each_kind_of_value_as_json_has_it(self):
        [record] = objects(packet(5, BODY_OCTETS, count=9))
        assert (record["container"], record["apid"], record["sequence_count"]) == ("Body", 5, 9)
        parameters = record["parameters"]
        assert parameters["APID"] == {"raw": 5, "value": 5}
        assert {name: parameters[name] for name in BODY} == {
            "F": {"raw": 1.5, "value": 1.5},
            "V": {"raw": 5, "value": 2.5},
            "FLAG": {"raw": 1, "value": True},
            "HEATER": {"raw": 1, "value": "ON"},
            "MODE": {"raw": 0, "value": "SÄFE"},
            "BLOB": {"raw": "01ff", "value": "01ff"},
            "TEXT": {"raw": "6869", "value": "hi"},
            "AT": {"raw": 3, "value": "2026-01-01T00:00:01.500000Z"},
            "LIST": {"raw": [7, 8], "value": [7, 8]},
            "PAIR": {"raw": {"a": 9, "b": [10, 11]}, "value": {"a": 4.5, "b": [10, 11]}},
            "WIDE": {"raw": 1 << 70, "value": 1 << 70},
        }

    def test_keeps_the_order_of_the_file(self):
        sent = [packet(5 + i % 2, BODY_OCTETS if i % 2 == 0 else b"\7", i) for i in range(9)]
        assert [record["sequence_count"] for record in objects(b"".join(sent))] == list(range(9))

    def test_writes_null_for_what_is_no_number(self):
        octets = packet(5, bytes.fromhex("7fc00000") + BODY_OCTETS[4:])
        [record] = objects(octets)
        assert record["parameters"]["F"] == {"raw": None, "value": None}

    def test_leaves_engineering_values_out_on_request(self):
        [record] = objects(packet(6, b"\7"), raw_only=True)
        assert record["parameters"]["N"] == {"raw": 7}


class TestPacketFile:
    @given(
        counts=st.lists(st.integers(0, 16383), max_size=20),
        skip=st.integers(0, 7),
    )
    def test_reads_packets_with_octets_before_each(self, counts, skip):
        octets = b"".join(b"\xff" * skip + packet(6, b"\7", count) for count in counts)
        found = chunks(octets, prefix_octets=skip)
        read = [c for chunk in found for c in chunk.packets.sequence_counts.tolist()]
        assert read == counts
        assert all(chunk.rejected == [] for chunk in found)

    def test_numbers_packets_through_and_passes_idle_ones_over(self):
        octets = packet(6, b"\1") + idle_packet(20) + packet(9, b"\1") + b"\xff"
        first, last = chunks(octets)
        assert (first.first, first.idle, len(first.packets)) == (0, 1, 2)
        assert [u.index for u in first.result.undecoded] == [1]
        assert last.first == 2
        assert [r.octets for r in last.rejected] == [b"\xff"]


class TestCsv:
    def table(self, octets: bytes, *, raw: bool = False):
        table = CsvTable(DICTIONARY, raw=raw)
        text = table.header() + "".join(table.rows(chunk) for chunk in chunks(octets))
        return list(csv.DictReader(io.StringIO(text)))

    def test_has_a_column_for_each_parameter_and_leaves_cells_empty(self):
        body, short = self.table(packet(5, BODY_OCTETS) + packet(6, b"\7", 3))
        assert list(body) == ["container", "apid", "sequence_count", *DICTIONARY.declared]
        assert (body["V"], body["MODE"], body["LIST"], body["N"]) == ("2.5", "SÄFE", "[7,8]", "")
        assert json.loads(body["PAIR"]) == {"a": 4.5, "b": [10, 11]}
        assert (short["container"], short["sequence_count"], short["N"]) == ("Short", "3", "7")

    def test_holds_raw_values_on_request(self):
        [body] = self.table(packet(5, BODY_OCTETS), raw=True)
        assert (body["V"], body["MODE"], body["TEXT"]) == ("5", "0", "6869")


class TestParquet:
    def table(self, octets: bytes, *, raw: bool = False):
        sink = io.BytesIO()
        with ParquetTable(DICTIONARY, sink, raw=raw) as table:
            for chunk in chunks(octets):
                table.add(chunk)
        return pyarrow.parquet.read_table(io.BytesIO(sink.getvalue()))

    def test_is_read_back_by_an_independent_reader(self):
        table = self.table(packet(6, b"\7", 3) + packet(5, BODY_OCTETS, 4))
        short, body = table.to_pylist()
        assert (short["container"], short["sequence_count"], short["N"]) == ("Short", 3, 7)
        assert short["V"] is None
        assert body["V"] == 2.5
        assert body["AT"] == datetime(2026, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
        assert (body["MODE"], body["TEXT"], body["BLOB"]) == ("SÄFE", "hi", b"\1\xff")
        assert json.loads(body["PAIR"]) == {"a": 4.5, "b": [10, 11]}
        assert body["WIDE"] == str(1 << 70)
        assert str(table.schema.field("N").type) == "uint8"

    def test_holds_raw_values_on_request(self):
        table = self.table(packet(5, BODY_OCTETS), raw=True)
        [body] = table.to_pylist()
        assert (body["V"], body["MODE"], body["TEXT"]) == (5, 0, b"hi")
        assert str(table.schema.field("F").type) == "float"

    def test_holds_all_of_what_stands_in_a_packet_more_than_once(self):
        octets = packet(7, b"\1\2")
        assert self.table(octets).to_pylist()[0]["S"] == "[1,2]"
        [record] = objects(octets)
        assert record["parameters"]["S"] == {"raw": [1, 2], "value": [1, 2]}

    def test_is_a_file_without_rows_where_nothing_was_decoded(self):
        assert self.table(b"").num_rows == 0


@pytest.mark.parametrize(
    ("paths", "values", "wanted"),
    [
        ([()], [5], 5),
        ([(0,), (1,)], [5, 6], [5, 6]),
        ([(), (1,), (2,)], [5, 6, 7], [5, 6, 7]),
        ([(1,), (3,)], [5, 6], [None, 5, None, 6]),
        ([("a",), ("b", 0, "c")], [5, 6], {"a": 5, "b": [{"c": 6}]}),
    ],
)
def test_puts_values_together_by_their_paths(paths, values, wanted):
    assert nested(paths, values) == wanted

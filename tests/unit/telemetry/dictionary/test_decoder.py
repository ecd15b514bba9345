from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dictionary import DictionaryError, Undecoded, compile_dictionary, parse_xtce
from tests.unit.telemetry.dictionary import bits

LITTLE = "leastSignificantByteFirst"


def decode_one(xml: bytes, packets: list[bytes]):
    [batch] = compile_dictionary(parse_xtce(xml)).decode(packets).batches
    return batch.columns["P"]


class TestIntegers:
    @given(data=st.data(), size=st.integers(1, 64), skip=st.integers(0, 17))
    def test_reads_back_unsigned_of_any_size_at_any_bit(self, data, size, skip):
        values = data.draw(st.lists(st.integers(0, (1 << size) - 1), min_size=1, max_size=5))
        packets = [bits.packed("1" * skip, bits.unsigned(v, size), "1" * 7) for v in values]
        column = decode_one(
            bits.single_field(bits.integer_type("t", size), skip_bits=skip), packets
        )
        assert column.tolist() == values
        assert column.dtype.kind == "u"
        assert column.dtype.itemsize * 8 < 2 * max(size, 8)

    @given(data=st.data(), size=st.integers(1, 64), skip=st.integers(0, 17))
    def test_reads_back_twos_complement_of_any_size_at_any_bit(self, data, size, skip):
        half = 1 << (size - 1)
        values = data.draw(st.lists(st.integers(-half, half - 1), min_size=1, max_size=5))
        packets = [bits.packed("0" * skip, bits.signed(v, size), "1" * 7) for v in values]
        type_xml = bits.integer_type("t", size, encoding="twosComplement")
        assert decode_one(bits.single_field(type_xml, skip_bits=skip), packets).tolist() == values

    @given(
        data=st.data(), octets=st.integers(1, 8), skip=st.integers(0, 9), negative=st.booleans()
    )
    def test_reads_back_little_endian(self, data, octets, skip, negative):
        size = octets * 8
        low, high = (-(1 << (size - 1)), -1) if negative else (0, (1 << size) - 1)
        values = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=5))
        packets = [
            bits.packed("1" * skip, bits.reversed_octets(bits.signed(v, size)), "1" * 7)
            for v in values
        ]
        encoding = "twosComplement" if negative else "unsigned"
        type_xml = bits.integer_type("t", size, encoding=encoding, order=LITTLE)
        assert decode_one(bits.single_field(type_xml, skip_bits=skip), packets).tolist() == values


class TestFloats:
    @given(
        values=st.lists(st.floats(width=32), min_size=1, max_size=5),
        skip=st.integers(0, 9),
        little=st.booleans(),
        size=st.sampled_from([32, 64]),
    )
    def test_reads_back_every_bit_pattern(self, values, skip, little, size):
        fields = [bits.real(v, size) for v in values]
        if little:
            fields = [bits.reversed_octets(field) for field in fields]
        packets = [bits.packed("1" * skip, field, "1" * 7) for field in fields]
        order = f' byteOrder="{LITTLE}"' if little else ""
        type_xml = (
            f'<FloatParameterType name="t"><FloatDataEncoding sizeInBits="{size}"{order}/>'
            "</FloatParameterType>"
        )
        column = decode_one(bits.single_field(type_xml, skip_bits=skip), packets)
        assert column.dtype == np.dtype(f"f{size // 8}")
        for got, wanted in zip(column.tolist(), values, strict=True):
            assert got == wanted or (math.isnan(got) and math.isnan(wanted))
            assert math.copysign(1, got) == math.copysign(1, wanted) or math.isnan(wanted)


class TestOctets:
    @given(
        values=st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=5),
        skip=st.integers(0, 9),
    )
    def test_reads_back_binaries_with_trailing_zeros(self, values, skip):
        packets = [bits.packed("1" * skip, bits.octets(v), "1" * 7) for v in values]
        type_xml = (
            '<BinaryParameterType name="t"><BinaryDataEncoding><SizeInBits>'
            "<FixedValue>40</FixedValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>"
        )
        column = decode_one(bits.single_field(type_xml, skip_bits=skip), packets)
        assert [bytes(value) for value in column] == values


def comparing(*comparisons: str, name: str = "Child", field: str = "body") -> str:
    base = (
        '<BaseContainer containerRef="Root"><RestrictionCriteria><ComparisonList>'
        + "".join(comparisons)
        + "</ComparisonList></RestrictionCriteria></BaseContainer>"
    )
    return bits.container(name, bits.entry(field), base=base)


def comparison(parameter: str, value: str, **attributes: str) -> str:
    extra = "".join(f' {key}="{text}"' for key, text in attributes.items())
    return f'<Comparison parameterRef="{parameter}" value="{value}"{extra}/>'


MODE_TYPE = (
    '<EnumeratedParameterType name="mode_t"><IntegerDataEncoding sizeInBits="8"/><EnumerationList>'
    '<Enumeration value="0" label="SAFE"/><Enumeration value="1" label="NOMINAL"/>'
    "</EnumerationList></EnumeratedParameterType>"
)


def tree(*children: str, abstract: bool = True) -> bytes:
    """A root of an integer ``kind`` (8 bits) and a ``mode``, then the children."""
    return bits.document(
        types=bits.integer_type("u8", 8) + bits.integer_type("u16", 16) + MODE_TYPE,
        parameters=bits.parameter("kind", "u8")
        + bits.parameter("mode", "mode_t")
        + bits.parameter("body", "u16")
        + bits.parameter("other", "u8"),
        containers=bits.container(
            "Root", bits.entry("kind") + bits.entry("mode"), abstract=abstract
        )
        + "".join(children),
    )


class TestContainers:
    def test_sorts_packets_into_derived_containers_and_keeps_their_order(self):
        xml = tree(
            comparing(comparison("kind", "1"), name="One"),
            comparing(comparison("kind", "2"), name="Two", field="other"),
        )
        packets = [b"\2\0\7", b"\1\0\1\2", b"\2\0\x09", b"\1\0\3\4"]
        result = compile_dictionary(parse_xtce(xml)).decode(packets)
        one, two = result.batches
        assert (one.container, one.indices.tolist()) == ("One", [1, 3])
        assert one.columns["body"].tolist() == [0x0102, 0x0304]
        assert one.columns["kind"].tolist() == [1, 1]
        assert (two.container, two.indices.tolist()) == ("Two", [0, 2])
        assert two.columns["other"].tolist() == [7, 9]

    def test_says_which_packets_fit_no_container(self):
        xml = tree(comparing(comparison("kind", "1")))
        result = compile_dictionary(parse_xtce(xml)).decode([b"\1\0\0\0", b"\5\0\0\0"])
        assert result.undecoded == [Undecoded(1, "no container derived from Root fits")]

    def test_says_which_packets_are_too_short(self):
        xml = tree(comparing(comparison("kind", "1")))
        result = compile_dictionary(parse_xtce(xml)).decode([b"\1\0\0", b"\1", b""])
        assert result.batches == []
        assert result.undecoded == [
            Undecoded(0, "3 octets are too few for Child, which needs 4"),
            Undecoded(1, "1 octets are too few for Root, which needs 2"),
            Undecoded(2, "0 octets are too few for Root, which needs 2"),
        ]

    def test_refuses_a_packet_that_two_containers_claim(self):
        xml = tree(
            comparing(comparison("kind", "1"), name="One"),
            comparing(comparison("kind", "3", comparisonOperator="&lt;"), name="Few"),
        )
        result = compile_dictionary(parse_xtce(xml)).decode([b"\1\0\0\0", b"\2\0\0\0"])
        assert result.undecoded == [Undecoded(0, "more than one container derived from Root fits")]
        assert [batch.container for batch in result.batches] == ["Few"]

    def test_keeps_a_packet_in_its_base_when_the_base_is_not_abstract(self):
        xml = tree(comparing(comparison("kind", "1")), abstract=False)
        [batch] = compile_dictionary(parse_xtce(xml)).decode([b"\4\1"]).batches
        assert (batch.container, batch.columns["kind"].tolist()) == ("Root", [4])

    @pytest.mark.parametrize(
        ("operator", "kinds"),
        [
            ("==", [2]),
            ("!=", [1, 3]),
            ("&lt;", [1]),
            ("&lt;=", [1, 2]),
            (">", [3]),
            (">=", [2, 3]),
        ],
    )
    def test_compares_with_every_operator(self, operator, kinds):
        xml = tree(comparing(comparison("kind", "2", comparisonOperator=operator)))
        packets = [bytes([kind, 0, 0, 0]) for kind in (1, 2, 3)]
        [batch] = compile_dictionary(parse_xtce(xml)).decode(packets).batches
        assert batch.columns["kind"].tolist() == kinds

    def test_compares_labels_by_default_and_raw_values_on_request(self):
        packets = [b"\0\0\0\0", b"\0\1\0\0"]
        for criterion in (
            comparison("mode", "NOMINAL"),
            comparison("mode", "1", useCalibratedValue="false"),
        ):
            xml = tree(comparing(criterion))
            [batch] = compile_dictionary(parse_xtce(xml)).decode(packets).batches
            assert batch.indices.tolist() == [1]

    def test_includes_a_container_with_places_counted_from_its_start(self):
        entries = (
            bits.entry("kind")
            + '<ContainerRefEntry containerRef="Part"><LocationInContainerInBits>'
            + "<FixedValue>8</FixedValue></LocationInContainerInBits></ContainerRefEntry>"
            + bits.entry("mode")
        )
        part = (
            '<ParameterRefEntry parameterRef="body"><LocationInContainerInBits'
            ' referenceLocation="containerStart"><FixedValue>8</FixedValue>'
            "</LocationInContainerInBits></ParameterRefEntry>"
        )
        xml = bits.document(
            types=bits.integer_type("u8", 8) + bits.integer_type("u16", 16),
            parameters=bits.parameter("kind", "u8")
            + bits.parameter("mode", "u8")
            + bits.parameter("body", "u16"),
            containers=bits.container("Whole", entries) + bits.container("Part", part),
        )
        [batch] = compile_dictionary(parse_xtce(xml)).decode([bytes(range(8))]).batches
        assert {name: column.tolist() for name, column in batch.columns.items()} == {
            "kind": [0],
            "body": [0x0304],
            "mode": [5],
        }

    @given(packets=st.lists(st.binary(max_size=12), max_size=30))
    def test_accounts_for_every_packet_of_any_noise(self, packets):
        xml = tree(
            comparing(comparison("kind", "1"), name="One"),
            comparing(comparison("kind", "1", comparisonOperator=">"), name="More"),
        )
        result = compile_dictionary(parse_xtce(xml)).decode(packets)
        told = [u.index for u in result.undecoded]
        decoded = [index for batch in result.batches for index in batch.indices.tolist()]
        assert sorted(told + decoded) == list(range(len(packets)))

    def test_a_batch_decodes_as_its_packets_do_one_by_one(self):
        xml = tree(
            comparing(comparison("kind", "1"), name="One"),
            comparing(comparison("kind", "2"), name="Two", field="other"),
        )
        decoder = compile_dictionary(parse_xtce(xml))
        packets = [struct.pack(">BBH", 1 + i % 2, i % 2, i * 37) for i in range(50)]
        together = {}
        for batch in decoder.decode(packets).batches:
            for row, index in enumerate(batch.indices.tolist()):
                together[index] = {name: c[row] for name, c in batch.columns.items()}
        for index, packet in enumerate(packets):
            [batch] = decoder.decode([packet]).batches
            assert together[index] == {name: c[0] for name, c in batch.columns.items()}


class TestCompilation:
    def test_refuses_two_roots(self):
        xml = bits.document(
            types=bits.integer_type("u8", 8),
            parameters=bits.parameter("a", "u8"),
            containers=bits.container("A", bits.entry("a")) + bits.container("B", bits.entry("a")),
        )
        with pytest.raises(DictionaryError, match=r"has 2 containers .*\(/Craft/A, /Craft/B\)"):
            compile_dictionary(parse_xtce(xml))
        assert compile_dictionary(parse_xtce(xml), root="/Craft/B").containers == ("B",)

    def test_refuses_inheritance_in_a_circle(self):
        xml = bits.document(
            types=bits.integer_type("u8", 8),
            parameters=bits.parameter("a", "u8"),
            containers=bits.container("Top", bits.entry("a"))
            + bits.container("A", "", base='<BaseContainer containerRef="B"/>')
            + bits.container("B", "", base='<BaseContainer containerRef="A"/>'),
        )
        with pytest.raises(DictionaryError, match="'A' is its own base"):
            compile_dictionary(parse_xtce(xml))

    def test_refuses_inclusion_in_a_circle(self):
        xml = bits.document(
            types=bits.integer_type("u8", 8),
            parameters=bits.parameter("a", "u8"),
            containers=bits.container("Top", '<ContainerRefEntry containerRef="A"/>')
            + bits.container("A", '<ContainerRefEntry containerRef="A"/>'),
        )
        with pytest.raises(DictionaryError, match="'A' includes itself"):
            compile_dictionary(parse_xtce(xml))

    def test_numbers_a_parameter_that_stands_in_a_container_once_more(self):
        xml = tree(comparing(comparison("kind", "1"), field="kind"))
        dictionary = parse_xtce(xml)
        [batch] = compile_dictionary(dictionary).decode([b"\1\0\7"]).batches
        assert {name: column.tolist() for name, column in batch.columns.items()} == {
            "kind": [1],
            "mode": [0],
            "kind[1]": [7],
        }
        assert dictionary.parameters["kind[1]"].type == dictionary.parameters["kind"].type

    def test_refuses_an_entry_before_the_packet(self):
        with pytest.raises(DictionaryError, match="lies 8 bits before the packet"):
            compile_dictionary(
                parse_xtce(bits.single_field(bits.integer_type("t", 8), skip_bits=-8))
            )

    @pytest.mark.parametrize(
        ("criterion", "message"),
        [
            (comparison("body", "1"), "compares 'body', which its base does not hold"),
            (comparison("kind", "one"), "'kind' is compared with 'one', which is no number"),
            (comparison("mode", "NOMINALE"), "'mode' has no label 'NOMINALE'"),
            (
                comparison("mode", "SAFE", comparisonOperator=">"),
                "> is not supported for the texts",
            ),
        ],
    )
    def test_refuses_a_comparison_that_cannot_be_meant(self, criterion, message):
        with pytest.raises(DictionaryError, match=message):
            compile_dictionary(parse_xtce(tree(comparing(criterion))))

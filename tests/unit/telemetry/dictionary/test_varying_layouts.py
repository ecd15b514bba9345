"""Containers in which a packet decides what stands where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dictionary import (
    DictionaryError,
    compile_dictionary,
    engineering,
    parse_xtce,
    raw_values,
)
from tests.unit.telemetry.dictionary import bits

COUNT_OF = '<DynamicValue><ParameterInstanceRef parameterRef="{}"/></DynamicValue>'
OCTETS_OF = (
    '<DynamicValue><ParameterInstanceRef parameterRef="{}"/>'
    '<LinearAdjustment slope="8" intercept="0"/></DynamicValue>'
)


def when(parameter: str, value: object, operator: str = "==") -> str:
    return (
        f'<IncludeCondition><Comparison parameterRef="{parameter}" value="{value}"'
        f' comparisonOperator="{operator}"/></IncludeCondition>'
    )


def repeated(count: str, offset: str = "") -> str:
    gap = f"<Offset>{offset}</Offset>" if offset else ""
    return f"<RepeatEntry><Count>{count}</Count>{gap}</RepeatEntry>"


def entry(name: str, inside: str = "", kind: str = "Parameter") -> str:
    reference = "containerRef" if kind == "Container" else "parameterRef"
    return f'<{kind}RefEntry {reference}="{name}">{inside}</{kind}RefEntry>'


def fixed(value: int) -> str:
    return f"<FixedValue>{value}</FixedValue>"


TYPES = (
    bits.integer_type("u3", 3)
    + bits.integer_type("u8", 8)
    + bits.integer_type("i12", 12, encoding="twosComplement")
    + '<BinaryParameterType name="blob"><BinaryDataEncoding><SizeInBits>'
    + OCTETS_OF.format("N")
    + "</SizeInBits></BinaryDataEncoding></BinaryParameterType>"
    + '<StringParameterType name="text"><StringDataEncoding><Variable maxSizeInBits="2048">'
    + OCTETS_OF.format("M")
    + "</Variable></StringDataEncoding></StringParameterType>"
    + '<ArrayParameterType name="list" arrayTypeRef="i12"><DimensionList><Dimension>'
    f"<StartingIndex>{fixed(0)}</StartingIndex><EndingIndex><DynamicValue>"
    '<ParameterInstanceRef parameterRef="N"/><LinearAdjustment slope="1" intercept="-1"/>'
    "</DynamicValue></EndingIndex></Dimension></DimensionList></ArrayParameterType>"
    '<ArrayParameterType name="grid" arrayTypeRef="u3"><DimensionList>'
    f"<Dimension><StartingIndex>{fixed(0)}</StartingIndex><EndingIndex>{fixed(1)}</EndingIndex>"
    f"</Dimension><Dimension><StartingIndex>{fixed(1)}</StartingIndex><EndingIndex>{fixed(3)}"
    "</EndingIndex></Dimension></DimensionList></ArrayParameterType>"
    '<AggregateParameterType name="point"><MemberList><Member name="x" typeRef="i12"/>'
    '<Member name="grid" typeRef="grid"/></MemberList></AggregateParameterType>'
)


def document(entries: str, *, more: str = "", parameters: dict[str, str] | None = None) -> bytes:
    declared = {"N": "u8", "M": "u8", "A": "i12", "B": "u3", "C": "u8"}
    declared |= parameters or {}
    return bits.document(
        types=TYPES,
        parameters="".join(bits.parameter(name, kind) for name, kind in declared.items()),
        containers=bits.container("Packet", entry("N") + entry("M") + entries) + more,
    )


def decode(xml: bytes, packets: list[bytes], **options):
    """Return the values of each packet by name, in any batch, and why others have none."""
    dictionary = parse_xtce(xml)
    result = compile_dictionary(dictionary, **options).decode(packets)
    rows: dict[int, dict[str, object]] = {}
    for batch in result.batches:
        columns = {
            name: engineering(dictionary.parameters[name], column).tolist()
            for name, column in batch.columns.items()
        }
        for row, index in enumerate(batch.indices.tolist()):
            assert index not in rows
            rows[index] = {name: values[row] for name, values in columns.items()}
    return rows, {undecoded.index: undecoded.reason for undecoded in result.undecoded}


class TestConditions:
    def test_reads_an_entry_only_where_its_condition_holds_and_goes_on_after_it(self):
        xml = document(entry("A", when("N", 1)) + entry("B") + entry("C", when("M", 5, "&gt;")))
        packets = [
            bits.packed(bits.unsigned(1, 8), bits.unsigned(9, 8), bits.signed(-7, 12), "101")
            + b"",
            bits.packed(bits.unsigned(0, 8), bits.unsigned(0, 8), "110"),
            bits.packed(bits.unsigned(0, 8), bits.unsigned(6, 8), "011", bits.unsigned(200, 8)),
        ]
        packets[0] = bits.packed(
            bits.unsigned(1, 8),
            bits.unsigned(9, 8),
            bits.signed(-7, 12),
            "101",
            bits.unsigned(33, 8),
        )
        rows, bad = decode(xml, packets)
        assert bad == {}
        assert rows == {
            0: {"N": 1, "M": 9, "A": -7, "B": 5, "C": 33},
            1: {"N": 0, "M": 0, "B": 6},
            2: {"N": 0, "M": 6, "B": 3, "C": 200},
        }

    def test_keeps_packets_with_the_same_parameters_in_one_batch(self):
        xml = document(entry("C", when("N", 1)))
        packets = [bytes([i % 2, 0, i]) for i in range(10)]
        batches = compile_dictionary(parse_xtce(xml)).decode(packets).batches
        assert [(b.container, b.indices.tolist()) for b in batches] == [
            ("Packet", [0, 2, 4, 6, 8]),
            ("Packet", [1, 3, 5, 7, 9]),
        ]
        assert [sorted(b.columns) for b in batches] == [["M", "N"], ["C", "M", "N"]]

    def test_includes_a_container_under_a_condition_of_a_condition(self):
        inner = bits.container("Inner", entry("C", when("M", 1)) + entry("B"))
        xml = document(entry("Inner", when("N", 1), kind="Container") + entry("A"), more=inner)
        rows, bad = decode(
            xml,
            [
                bits.packed("00000001", "00000001", "00001111", "111", bits.signed(-1, 12)),
                bits.packed("00000001", "00000000", "010", bits.signed(5, 12)),
                bits.packed("00000000", "00000001", bits.signed(9, 12)),
            ],
        )
        assert bad == {}
        assert rows[0] == {"N": 1, "M": 1, "C": 15, "B": 7, "A": -1}
        assert rows[1] == {"N": 1, "M": 0, "B": 2, "A": 5}
        assert rows[2] == {"N": 0, "M": 1, "A": 9}

    def test_lets_a_parameter_stand_in_two_branches_that_exclude_each_other(self):
        xml = document(entry("C", when("N", 1)) + entry("B") + entry("C", when("N", 2)))
        rows, bad = decode(
            xml,
            [
                bits.packed("00000001", "00000000", "00000111", "001"),
                bits.packed("00000010", "00000000", "010", "00000011"),
            ],
        )
        assert bad == {}
        assert [rows[0]["C"], rows[1]["C"]] == [7, 3]

    def test_refuses_a_packet_in_which_a_parameter_stands_twice(self):
        xml = document(entry("C", when("N", 1)) + entry("C", when("M", 1)))
        rows, bad = decode(xml, [b"\1\0\7", b"\1\1\7\7", b"\0\1\7"])
        assert sorted(rows) == [0, 2]
        assert bad == {1: "C stands twice in the packet"}

    def test_chooses_a_derived_container_by_what_a_condition_read(self):
        base = (
            '<BaseContainer containerRef="Packet"><RestrictionCriteria>'
            '<Comparison parameterRef="C" value="3"/></RestrictionCriteria></BaseContainer>'
        )
        derived = bits.container("Derived", entry("A"), base=base)
        xml = document(entry("C", when("N", 1)), more=derived)
        packets = [b"\1\0\3" + bits.packed(bits.signed(-2, 12)), b"\1\0\4", b"\0\0"]
        rows, bad = decode(xml, packets)
        assert bad == {}
        assert rows == {
            0: {"N": 1, "M": 0, "C": 3, "A": -2},
            1: {"N": 1, "M": 0, "C": 4},
            2: {"N": 0, "M": 0},
        }


class TestRepeats:
    @given(
        packets=st.lists(
            st.tuples(st.lists(st.integers(-2048, 2047), max_size=6), st.integers(0, 7)),
            min_size=1,
            max_size=6,
        ),
        gap=st.integers(0, 9),
    )
    def test_reads_back_what_comes_as_often_as_the_packet_says(self, packets, gap):
        offset = fixed(gap) if gap else ""
        xml = document(entry("A", repeated(COUNT_OF.format("N"), offset)) + entry("B"))
        written = [
            bits.packed(
                bits.unsigned(len(values), 8),
                "0" * 8,
                ("1" * gap).join(bits.signed(v, 12) for v in values),
                bits.unsigned(last, 3),
            )
            for values, last in packets
        ]
        rows, bad = decode(xml, written)
        assert bad == {}
        for index, (values, last) in enumerate(packets):
            wanted = {f"A[{turn}]": value for turn, value in enumerate(values)}
            assert rows[index] == {"N": len(values), "M": 0, "B": last, **wanted}

    def test_unrolls_what_always_comes_as_often(self):
        xml = document(entry("B", repeated(fixed(3), fixed(1))) + entry("C"))
        packet = bits.packed("0" * 16, "0010", "0110", "111", "00001001")
        rows, _ = decode(xml, [packet])
        assert rows[0] == {"N": 0, "M": 0, "B[0]": 1, "B[1]": 3, "B[2]": 7, "C": 9}

    def test_repeats_a_container_with_all_that_varies_in_it(self):
        inner = bits.container("Inner", entry("B") + entry("T"))
        xml = document(
            entry("Inner", repeated(COUNT_OF.format("N")), kind="Container"),
            more=inner,
            parameters={"T": "text"},
        )
        packet = bits.packed(
            *(bits.unsigned(2, 8), bits.unsigned(3, 8)),
            *("001", bits.octets(b"abc"), "111", bits.octets(b"xyz")),
        )
        rows, bad = decode(xml, [packet])
        assert bad == {}
        assert rows[0] == {
            "N": 2,
            "M": 3,
            "B[0]": 1,
            "T[0]": "abc",
            "B[1]": 7,
            "T[1]": "xyz",
        }

    def test_reads_back_a_repeat_within_a_repeat(self):
        inner = bits.container("Inner", entry("B", repeated(COUNT_OF.format("M"))))
        xml = document(
            entry("Inner", repeated(COUNT_OF.format("N")), kind="Container"), more=inner
        )
        packet = bits.packed("00000010", "00000011", "000001010011100101")
        rows, bad = decode(xml, [packet])
        assert bad == {}
        wanted = {f"B[{i}][{j}]": 3 * i + j for i in range(2) for j in range(3)}
        assert rows[0] == {"N": 2, "M": 3, **wanted}

    def test_refuses_a_packet_that_announces_more_than_it_holds(self):
        xml = document(entry("A", repeated(COUNT_OF.format("N"))))
        rows, bad = decode(xml, [b"\x02\0" + bytes(3), b"\xff\0" + bytes(3)])
        assert sorted(rows) == [0]
        assert bad == {1: "5 octets are too few for Packet, which needs 385 with A"}

    def test_refuses_a_count_below_zero(self):
        count = (
            '<DynamicValue><ParameterInstanceRef parameterRef="N"/>'
            '<LinearAdjustment slope="-1"/></DynamicValue>'
        )
        _, bad = decode(document(entry("A", repeated(count))), [b"\x02\0"])
        assert bad == {0: "A of Packet would come -2 times"}


class TestArraysAndAggregates:
    @given(
        packets=st.lists(st.lists(st.integers(-2048, 2047), max_size=5), min_size=1, max_size=6)
    )
    def test_reads_back_arrays_whose_last_index_a_parameter_gives(self, packets):
        xml = document(entry("L") + entry("C"), parameters={"L": "list"})
        written = [
            bits.packed(
                bits.unsigned(len(values), 8),
                "0" * 8,
                "".join(bits.signed(v, 12) for v in values),
                bits.unsigned(77, 8),
            )
            for values in packets
        ]
        rows, bad = decode(xml, written)
        assert bad == {}
        for index, values in enumerate(packets):
            wanted = {f"L[{i}]": value for i, value in enumerate(values)}
            assert rows[index] == {"N": len(values), "M": 0, "C": 77, **wanted}

    def test_reads_members_and_elements_in_the_order_of_the_document(self):
        xml = document(entry("P"), parameters={"P": "point"})
        packet = bits.packed("0" * 16, bits.signed(-100, 12), "001010011100101110")
        rows, _ = decode(xml, [packet])
        grid = {f"P.grid[{i}][{j}]": 3 * i + j for i in range(2) for j in range(1, 4)}
        assert rows[0] == {"N": 0, "M": 0, "P.x": -100, **grid}
        assert list(parse_xtce(xml).parameters)[-7:] == ["P.x", *grid]

    def test_reads_a_part_of_an_array(self):
        part = (
            '<ArrayParameterRefEntry parameterRef="G"><DimensionList>'
            f"<Dimension><StartingIndex>{fixed(1)}</StartingIndex><EndingIndex>{fixed(1)}"
            f"</EndingIndex></Dimension><Dimension><StartingIndex>{fixed(2)}</StartingIndex>"
            f"<EndingIndex>{fixed(3)}</EndingIndex></Dimension></DimensionList>"
            "</ArrayParameterRefEntry>"
        )
        rows, _ = decode(
            document(part, parameters={"G": "grid"}), [bits.packed("0" * 16, "101110")]
        )
        assert rows[0] == {"N": 0, "M": 0, "G[1][2]": 5, "G[1][3]": 6}

    def test_finds_elements_by_name_that_only_a_packet_brings_about(self):
        parameters = parse_xtce(document("", parameters={"L": "list"})).parameters
        assert "L[4]" in parameters
        assert parameters["L[4]"].path == (4,)
        assert "L[4]" not in list(parameters)
        for name in ("L[x]", "L[1].y", "N.x", "Q[1]", "L[1", "L."):
            assert name not in parameters


class TestVaryingOctets:
    @given(
        packets=st.lists(
            st.tuples(st.binary(max_size=40), st.text("abcäß", max_size=20), st.integers(0, 7)),
            min_size=1,
            max_size=8,
        )
    )
    def test_reads_back_binaries_and_texts_of_any_length_at_any_bit(self, packets):
        xml = document(
            entry("B") + entry("D") + entry("T") + entry("C"),
            parameters={"D": "blob", "T": "text"},
        )
        written = [
            bits.packed(
                bits.unsigned(len(data), 8),
                bits.unsigned(len(text.encode()), 8),
                bits.unsigned(number, 3),
                bits.octets(data),
                bits.octets(text.encode()),
                bits.unsigned(200, 8),
            )
            for data, text, number in packets
        ]
        rows, bad = decode(xml, written)
        assert bad == {}
        for index, (data, text, number) in enumerate(packets):
            row = rows[index]
            assert (row["D"], row["T"], row["B"], row["C"]) == (data, text, number, 200)

    def test_tells_raw_octets_without_their_padding(self):
        dictionary = parse_xtce(document(entry("D"), parameters={"D": "blob"}))
        [batch] = compile_dictionary(dictionary).decode([b"\2\0\0\0", b"\0\0"]).batches
        column = batch.columns["D"]
        assert column.dtype.kind == "V"
        assert raw_values(dictionary.parameters["D"], column).tolist() == [b"\0\0", b""]

    def test_does_not_let_one_long_value_widen_the_others(self):
        xml = document(entry("D"), parameters={"D": "blob"})
        long, short = b"\xff\0" + bytes(255), b"\1\0\1"
        batches = compile_dictionary(parse_xtce(xml)).decode([short] * 1000 + [long]).batches
        assert [b.columns["D"].dtype.itemsize for b in batches] == [20, 260]

    def test_refuses_a_packet_too_short_for_what_it_announces(self):
        xml = document(entry("D"), parameters={"D": "blob"})
        rows, bad = decode(xml, [b"\5\0abc", b"\3\0abc"])
        assert rows[1]["D"] == b"abc"
        assert bad == {0: "5 octets are too few for Packet, which needs 7 with D"}


class TestPlaces:
    def test_puts_an_entry_where_a_parameter_says_and_goes_on_from_there(self):
        place = "<LocationInContainerInBits referenceLocation='{}'>{}</LocationInContainerInBits>"
        xml = document(
            entry("C", place.format("containerStart", OCTETS_OF.format("N"))) + entry("B")
        )
        rows, bad = decode(xml, [b"\3\0\xff\x09\xa0", b"\2\0\x08\x60", b"\x40\0\0"])
        assert (rows[0]["C"], rows[0]["B"]) == (9, 5)
        assert (rows[1]["C"], rows[1]["B"]) == (8, 3)
        assert bad == {2: "3 octets are too few for Packet, which needs 64 for a place (line 6)"}


class TestCompilation:
    @pytest.mark.parametrize(
        ("entries", "parameters", "message"),
        [
            (entry("A", when("C", 1)), {}, "compares 'C', which no earlier entry gives"),
            (
                entry("A") + entry("A") + entry("B", when("A", 1)),
                {},
                "stands in it more than once",
            ),
            (entry("A", repeated(COUNT_OF.format("C"))), {}, "'C', which no earlier entry gives"),
            (entry("X"), {"X": "nothing"}, "holds 'X', whose type 'nothing' has no data encoding"),
            (entry("T") + entry("A", repeated(COUNT_OF.format("T"))), {"T": "text"}, "is string"),
        ],
    )
    def test_refuses_what_cannot_be_meant(self, entries, parameters, message):
        xml = document(entries, parameters=parameters).replace(
            b"<ParameterTypeSet>",
            b'<ParameterTypeSet><IntegerParameterType name="nothing"/>',
        )
        with pytest.raises(DictionaryError, match=message) as caught:
            compile_dictionary(parse_xtce(xml))
        assert caught.value.line > 0

    def test_takes_the_only_container_that_others_derive_from_for_the_root(self):
        base = '<BaseContainer containerRef="Packet"/>'
        more = bits.container("Derived", entry("A"), base=base) + bits.container("Loose", "")
        xml = document("", more=more)
        assert compile_dictionary(parse_xtce(xml)).containers == ("Packet", "Derived")
        assert compile_dictionary(parse_xtce(xml), root="Loose").containers == ("Loose",)
        with pytest.raises(DictionaryError, match="Craft has no container 'Nix'; it has Packet"):
            compile_dictionary(parse_xtce(xml), root="Nix")


@given(
    packets=st.lists(st.binary(max_size=30), max_size=20),
    cut=st.integers(0, 20),
)
def test_accounts_for_every_packet_of_any_noise_however_it_is_batched(packets, cut):
    xml = document(
        entry("L", when("M", 7, "&lt;"))
        + entry("T")
        + entry("Inner", repeated(COUNT_OF.format("N")), kind="Container"),
        more=bits.container("Inner", entry("D", when("N", 3)) + entry("B")),
        parameters={"L": "list", "T": "text", "D": "blob"},
    )
    rows, bad = decode(xml, packets)
    assert sorted([*rows, *bad]) == list(range(len(packets)))
    cut = min(cut, len(packets))
    first_rows, first_bad = decode(xml, packets[:cut])
    second_rows, second_bad = decode(xml, packets[cut:])
    assert rows == first_rows | {index + cut: row for index, row in second_rows.items()}
    assert bad == first_bad | {index + cut: reason for index, reason in second_bad.items()}


def test_decodes_a_batch_whose_packets_lie_anywhere_in_one_array():
    from telemetry.ccsds.packet_batch import PacketBatch

    xml = document(entry("A", when("N", 1)))
    packets = [b"\1\0" + bits.packed(bits.signed(-i, 12)) for i in range(5)] + [b"\0\7"]
    noise = b"noise"
    joined = noise + noise.join(packets)
    starts = np.array([joined.index(p, 7 * i) for i, p in enumerate(packets)])
    starts = np.cumsum([len(noise)] + [len(p) + len(noise) for p in packets])[:-1]
    batch = PacketBatch(
        np.frombuffer(joined, dtype=np.uint8), starts, np.array([len(p) for p in packets])
    )
    decoder = compile_dictionary(parse_xtce(xml))
    together, one_by_one = decoder.decode(batch), decoder.decode(packets)
    assert [b.indices.tolist() for b in together.batches] == [[0, 1, 2, 3, 4], [5]]
    for left, right in zip(together.batches, one_by_one.batches, strict=True):
        assert {n: c.tolist() for n, c in left.columns.items()} == {
            n: c.tolist() for n, c in right.columns.items()
        }

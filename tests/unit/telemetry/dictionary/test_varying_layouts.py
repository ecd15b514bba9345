"""Containers in which a packet decides what stands where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.dictionary import (
    DictionaryError,
    compile_dictionary,
    parse_xtce,
    raw_values,
)
from tests.unit.telemetry.dictionary import bits
from tests.unit.telemetry.dictionary.varying import (
    COUNT_OF,
    OCTETS_OF,
    decode,
    document,
    entry,
    fixed,
    repeated,
    when,
)


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
                entry("C", repeated(COUNT_OF.format("N"))) + entry("B", when("C", 1)),
                {},
                "'C', which stands in it as often as a packet says",
            ),
            (
                entry("C") + entry("R", repeated(COUNT_OF.format("N")), kind="Container"),
                {},
                "uses 'C' from before what it repeats, which has one too",
            ),
            (entry("A", repeated(COUNT_OF.format("C"))), {}, "'C', which no earlier entry gives"),
            (entry("X"), {"X": "nothing"}, "holds 'X', whose type 'nothing' has no data encoding"),
            (entry("T") + entry("A", repeated(COUNT_OF.format("T"))), {"T": "text"}, "is string"),
        ],
    )
    def test_refuses_what_cannot_be_meant(self, entries, parameters, message):
        more = (
            bits.container("R", entry("A", when("C", 1)) + entry("C")) if '"R"' in entries else ""
        )
        xml = document(entries, parameters=parameters, more=more).replace(
            b"<ParameterTypeSet>",
            b'<ParameterTypeSet><IntegerParameterType name="nothing"/>',
        )
        with pytest.raises(DictionaryError, match=message) as caught:
            compile_dictionary(parse_xtce(xml))
        assert caught.value.line > 0

    @pytest.mark.parametrize(
        "entries",
        [
            entry("C") + entry("C"),
            entry("C", repeated(fixed(2))),
            entry("C", repeated(COUNT_OF.format("N"))),
        ],
    )
    def test_refuses_an_algorithm_that_depends_on_one_of_several(self, entries):
        algorithm = (
            '<CustomAlgorithm name="twice"><AlgorithmText language="expression">2 * C'
            '</AlgorithmText><InputSet><InputParameterInstanceRef parameterRef="C"/></InputSet>'
            '<OutputSet><OutputParameterRef parameterRef="D"/></OutputSet></CustomAlgorithm>'
        )
        xml = document(entries, parameters={"D": "u8"}).replace(
            b"</ContainerSet>", f"</ContainerSet><AlgorithmSet>{algorithm}</AlgorithmSet>".encode()
        )
        with pytest.raises(
            DictionaryError, match="'C', of which a packet may have more"
        ) as caught:
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

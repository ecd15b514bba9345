"""Entries, elements and containers that stand in a packet more than once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telemetry.dictionary import (
    parse_xtce,
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


RECORD = bits.container(
    "Record", entry("C") + entry("D", when("C", 200, "&lt;")) + entry("B", when("C", 7))
)
RECORD_TYPES = {"D": "octets", "E": "u8"}


def record_document(entries: str, more: str = "") -> bytes:
    """Records of a size, as many octets, and three bits where the size is seven."""
    octets = (
        '<BinaryParameterType name="octets"><BinaryDataEncoding><SizeInBits>'
        + OCTETS_OF.format("C")
        + "</SizeInBits></BinaryDataEncoding></BinaryParameterType>"
    )
    return document(entries, more=RECORD + more, parameters=RECORD_TYPES).replace(
        b"<ParameterTypeSet>", b"<ParameterTypeSet>" + octets.encode()
    )


@st.composite
def records(draw, count: int):
    return [
        (draw(st.integers(0, 10) | st.just(201)), draw(st.binary(min_size=10, max_size=10)))
        for _ in range(count)
    ]


def record_bits(size: int, octets: bytes) -> str:
    body = bits.octets(octets[:size]) if size < 200 else ""
    return bits.unsigned(size, 8) + body + ("101" if size == 7 else "")


def record_values(size: int, octets: bytes, number: str) -> dict[str, object]:
    values: dict[str, object] = {f"C{number}": size}
    if size < 200:
        values[f"D{number}"] = octets[:size]
    if size == 7:
        values[f"B{number}"] = 5
    return values


class TestValuesOfTheSameTurn:
    """What is repeated depends on its own values, not on those of the turns before."""

    @given(data=st.data(), count=st.integers(0, 5))
    def test_decide_in_repeats_that_the_packet_counts(self, data, count):
        sent = data.draw(records(count))
        xml = record_document(entry("Record", repeated(COUNT_OF.format("N")), kind="Container"))
        packet = bits.packed(
            bits.unsigned(count, 8), bits.unsigned(0, 8), *(record_bits(*each) for each in sent)
        )
        wanted: dict[str, object] = {"N": count, "M": 0}
        for turn, each in enumerate(sent):
            wanted |= record_values(*each, f"[{turn}]")
        assert decode(xml, [packet]) == ({0: wanted}, {})

    @given(data=st.data())
    def test_decide_in_repeats_of_fixed_number(self, data):
        sent = data.draw(records(3))
        xml = record_document(entry("Record", repeated(fixed(3)), kind="Container"))
        packet = bits.packed(bits.unsigned(0, 16), *(record_bits(*each) for each in sent))
        wanted: dict[str, object] = {"N": 0, "M": 0}
        for turn, each in enumerate(sent):
            wanted |= record_values(*each, f"[{turn}]")
        assert decode(xml, [packet]) == ({0: wanted}, {})

    @given(data=st.data(), counts=st.lists(st.integers(0, 3), max_size=3))
    def test_decide_in_repeats_of_repeats(self, data, counts):
        groups = [data.draw(records(count)) for count in counts]
        group = bits.container(
            "Group",
            entry("E") + entry("Record", repeated(COUNT_OF.format("E")), kind="Container"),
        )
        xml = record_document(
            entry("Group", repeated(COUNT_OF.format("N")), kind="Container"), more=group
        )
        packet = bits.packed(
            bits.unsigned(len(groups), 8),
            bits.unsigned(0, 8),
            *(
                bits.unsigned(len(group), 8) + "".join(record_bits(*each) for each in group)
                for group in groups
            ),
        )
        wanted: dict[str, object] = {"N": len(groups), "M": 0}
        for outer, group in enumerate(groups):
            wanted[f"E[{outer}]"] = len(group)
            for inner, each in enumerate(group):
                wanted |= record_values(*each, f"[{outer}][{inner}]")
        assert decode(xml, [packet]) == ({0: wanted}, {})

    @given(data=st.data())
    def test_decide_where_a_container_is_included_once_more(self, data):
        first, second = data.draw(records(2))
        xml = record_document(entry("Record", kind="Container") * 2)
        packet = bits.packed(bits.unsigned(0, 16), record_bits(*first), record_bits(*second))
        wanted = {"N": 0, "M": 0, **record_values(*first, ""), **record_values(*second, "[1]")}
        assert decode(xml, [packet]) == ({0: wanted}, {})

    def test_are_those_of_a_branch_where_the_packet_has_it(self):
        xml = document(entry("C") + entry("C", when("N", 1)) + entry("A", when("C", 9)))
        rows, bad = decode(xml, [b"\0\0\x09\0\x10", b"\1\0\x09\x08", b"\1\0\x08\x09\0\x20"])
        assert bad == {}
        assert rows[0] == {"N": 0, "M": 0, "C": 9, "A": 1}
        assert rows[1] == {"N": 1, "M": 0, "C": 9, "C[1]": 8}
        assert rows[2] == {"N": 1, "M": 0, "C": 8, "C[1]": 9, "A": 2}

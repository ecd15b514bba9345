"""Where fields lie, held against the bits that an independent writer wrote there."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from telemetry.dictionary import compile_dictionary, parse_xtce
from tests.unit.telemetry.dictionary import bits
from tests.unit.telemetry.dictionary.varying import (
    COUNT_OF,
    decode,
    document,
    entry,
    fixed,
    repeated,
    when,
)

VARYING = document(
    entry("B")
    + entry("A", when("M", 1))
    + entry("D")
    + entry("Inner", repeated(COUNT_OF.format("N"), fixed(3)), kind="Container")
    + entry("C"),
    more=bits.container("Inner", entry("P")),
    parameters={"D": "blob", "P": "point"},
)


def places(xml: bytes, packet: bytes) -> dict[str, tuple[int, int]]:
    layout = compile_dictionary(parse_xtce(xml)).locate(packet)
    assert len({field.parameter.name for field in layout.fields}) == len(layout.fields)
    return {field.parameter.name: (field.offset_bits, field.size_bits) for field in layout.fields}


def test_gives_the_bits_of_fields_at_fixed_places():
    assert places(document(entry("B") + entry("A")), bytes(4)) == {
        "N": (0, 8),
        "M": (8, 8),
        "B": (16, 3),
        "A": (19, 12),
    }


def test_follows_what_the_packet_decides():
    xml = document(
        entry("D") + entry("A", when("M", 1)) + entry("C", repeated(COUNT_OF.format("N"))),
        parameters={"D": "blob"},
    )
    assert places(xml, b"\2\0abXY") == {
        "N": (0, 8),
        "M": (8, 8),
        "D": (16, 16),
        "C[0]": (32, 8),
        "C[1]": (40, 8),
    }
    assert places(xml, b"\1\1aXYZ") == {
        "N": (0, 8),
        "M": (8, 8),
        "D": (16, 8),
        "A": (24, 12),
        "C[0]": (36, 8),
    }


@given(packet=st.binary(max_size=60))
@example(b"\1\1" + bytes(range(50)))
@example(b"\3\0" + bytes(range(50)))
@example(b"\0\0\0\0")
def test_marks_for_any_octets_what_is_decoded_and_where_it_was_read(packet):
    layout = compile_dictionary(parse_xtce(VARYING)).locate(packet)
    rows, refused = decode(VARYING, [packet])
    assert layout.container == ("" if refused else "Packet")
    # Of what ends too early one names the field, the other the block that it is decoded with.
    assert layout.refused.split(", which")[0] == refused.get(0, "").split(", which")[0]
    written = bits.octets(packet)
    found = {}
    for field in layout.fields:
        digits = written[field.offset_bits :][: field.size_bits]
        assert len(digits) == field.size_bits
        name = field.parameter.name
        if name == "D":
            found[name] = bits.packed(digits)
        else:
            value = int(digits, 2)
            is_negative = digits[0] == "1" and field.parameter.type.encoding.signed
            found[name] = value - (1 << field.size_bits) if is_negative else value
    if not refused:
        assert found == rows[0]


def test_gives_what_was_found_of_a_packet_that_fits_no_container():
    base = (
        '<BaseContainer containerRef="Head"><RestrictionCriteria>'
        '<Comparison parameterRef="N" value="1"/></RestrictionCriteria></BaseContainer>'
    )
    xml = document("", more="").replace(
        b"</ContainerSet>",
        (
            bits.container("Head", entry("N"), abstract=True)
            + bits.container("One", entry("C"), base=base)
            + "</ContainerSet>"
        ).encode(),
    )
    decoder = compile_dictionary(parse_xtce(xml), root="Head")
    other = decoder.locate(b"\2\3")
    assert [field.parameter.name for field in other.fields] == ["N"]
    assert (other.container, other.refused) == ("", "no container derived from Head fits")
    one = decoder.locate(b"\1\3")
    assert (one.container, [field.parameter.name for field in one.fields]) == ("One", ["N", "C"])

"""Feature by feature against ``space-packet-parser``, an independent XTCE interpreter."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from space_packet_parser.xtce.definitions import XtcePacketDefinition

from telemetry.dictionary import compile_dictionary, engineering, parse_xtce, raw_values
from tests.unit.telemetry.dictionary import bits

HEADER = [("VER", 3), ("TYPE", 1), ("SHF", 1), ("APID", 11), ("FLAGS", 2), ("SEQ", 14)]
FIELDS = [*HEADER, ("LEN", 16), ("SIZE", 8), ("MODE", 8)]
MODE = (
    '<EnumeratedParameterType name="MODE_t"><IntegerDataEncoding sizeInBits="8"'
    ' encoding="unsigned"/><EnumerationList>'
    + "".join(f'<Enumeration value="{i}" label="M{i}"/>' for i in range(256))
    + "</EnumerationList></EnumeratedParameterType>"
)


def document(types: str, names: list[str], *, children: str = "") -> bytes:
    """A header, then one parameter of each type called *names*, in one container."""
    heads = "".join(bits.integer_type(f"{n}_t", size) for n, size in FIELDS if n != "MODE")
    entries = "".join(bits.entry(f"P_{name}") for name in names)
    base = (
        '<BaseContainer containerRef="Packet"><RestrictionCriteria>'
        '<Comparison parameterRef="APID" value="9"/></RestrictionCriteria></BaseContainer>'
    )
    return bits.document(
        types=heads + MODE + types,
        parameters="".join(bits.parameter(n, f"{n}_t") for n, _ in FIELDS)
        + "".join(bits.parameter(f"P_{name}", name) for name in names),
        containers=bits.container(
            "Packet", "".join(bits.entry(n) for n, _ in FIELDS), abstract=True
        )
        + (children or bits.container("Body", entries, base=base)),
    )


def packet(size: int, mode: int, body: bytes, *, apid: int = 9, sequence: int = 0) -> bytes:
    data = bytes([size, mode]) + body
    words = (0x0800 | apid, 0xC000 | sequence, len(data) - 1)
    return b"".join(word.to_bytes(2, "big") for word in words) + data


def ours(xml: bytes, packets: list[bytes]) -> list[dict[str, tuple[object, object]]]:
    """Return (raw, engineering) by parameter, packet by packet."""
    dictionary = parse_xtce(xml)
    result = compile_dictionary(dictionary).decode(packets)
    assert result.undecoded == []
    rows: list[dict[str, tuple[object, object]]] = [{} for _ in packets]
    for batch in result.batches:
        for name, column in batch.columns.items():
            parameter = dictionary.parameters[name]
            raw = raw_values(parameter, batch.sent.get(name, column)).tolist()
            values = engineering(parameter, column).tolist()
            for index, *pair in zip(batch.indices.tolist(), raw, values, strict=True):
                rows[index][name] = tuple(pair)
    return rows


def theirs(xml: bytes, packets: list[bytes]) -> list[dict[str, tuple[object, object]]]:
    definition = XtcePacketDefinition.from_xtce(io.BytesIO(xml), root_container_name="Packet")
    parsed = [definition.parse_bytes(each) for each in packets]
    return [{name: (v.raw_value, v) for name, v in values.items()} for values in parsed]


def same(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float | int):
        return left == pytest.approx(right, rel=1e-12, abs=1e-300, nan_ok=True)
    return left == right


def agree(xml: bytes, packets: list[bytes]) -> None:
    for mine, wanted in zip(ours(xml, packets), theirs(xml, packets), strict=True):
        assert mine.keys() == wanted.keys()
        for name, (raw, value) in mine.items():
            shown = value == "True" if name.endswith("FLAG") else value
            assert same(raw, wanted[name][0]), name
            assert same(shown, wanted[name][1]), name


def integer(name: str, inside: str, *, size: int = 16, kind: str = "Float") -> str:
    return (
        f'<{kind}ParameterType name="{name}"><IntegerDataEncoding sizeInBits="{size}"'
        f' encoding="unsigned">{inside}</IntegerDataEncoding></{kind}ParameterType>'
    )


def spline(order: int, *, extrapolate: bool, points: str) -> str:
    return (
        f'<DefaultCalibrator><SplineCalibrator order="{order}"'
        f' extrapolate="{str(extrapolate).lower()}">{points}</SplineCalibrator>'
        "</DefaultCalibrator>"
    )


POINTS = "".join(
    f'<SplinePoint raw="{raw}" calibrated="{value}"/>'
    for raw, value in ((10, -5), (20, 7.5), (21, 7.5), (300, 1))
)
TEXT = (
    '<StringParameterType name="{}"><StringDataEncoding encoding="{}">{}</StringDataEncoding>'
    "</StringParameterType>"
)
DYNAMIC = (
    '<DynamicValue><ParameterInstanceRef parameterRef="SIZE"/>'
    '<LinearAdjustment slope="8" intercept="{}"/></DynamicValue>'
)


@pytest.mark.parametrize("seed", range(5))
class TestAgreesWithTheOracle:
    def test_on_floats_of_every_form(self, seed):
        types = "".join(
            f'<FloatParameterType name="{name}"><FloatDataEncoding sizeInBits="{size}"'
            f' encoding="{form}"{order}/></FloatParameterType>'
            for name, size, form, order in [
                ("F16", 16, "IEEE754", ""),
                ("F16L", 16, "IEEE754", ' byteOrder="leastSignificantByteFirst"'),
                ("F32", 32, "IEEE754_1985", ""),
                ("F64", 64, "IEEE754", ""),
                ("M32", 32, "MILSTD_1750A", ""),
                ("M32L", 32, "MILSTD_1750A", ' byteOrder="leastSignificantByteFirst"'),
            ]
        )
        names = ["F16", "F16L", "F32", "F64", "M32", "M32L"]
        random.Random(seed).shuffle(names)
        rng = np.random.default_rng(seed)
        bodies = [rng.bytes(24) for _ in range(50)]
        agree(document(types, names), [packet(0, 0, body) for body in bodies])

    @pytest.mark.parametrize(("order", "extrapolate"), [(0, True), (1, True), (1, False)])
    def test_on_splines(self, seed, order, extrapolate):
        xml = document(integer("S", spline(order, extrapolate=extrapolate, points=POINTS)), ["S"])
        rng = random.Random(seed)
        low, high = (0, 400) if extrapolate else (10, 299)
        raws = [10, 20, 21, 299, *(rng.randint(low, high) for _ in range(50))]
        agree(xml, [packet(0, 0, raw.to_bytes(2, "big")) for raw in raws])

    def test_on_context_calibrators_by_several_conditions(self, seed):
        def polynomial(*coefficients: float) -> str:
            terms = "".join(
                f'<Term exponent="{i}" coefficient="{c}"/>' for i, c in enumerate(coefficients)
            )
            return f"<PolynomialCalibrator>{terms}</PolynomialCalibrator>"

        def context(match: str, calibrator: str) -> str:
            return (
                f"<ContextCalibrator><ContextMatch>{match}</ContextMatch>"
                f"<Calibrator>{calibrator}</Calibrator></ContextCalibrator>"
            )

        contexts = (
            context('<Comparison parameterRef="MODE" value="M1"/>', polynomial(1, 2))
            + context(
                '<ComparisonList><Comparison parameterRef="SIZE" value="4"'
                ' comparisonOperator="&gt;="/><Comparison parameterRef="MODE" value="0"'
                ' useCalibratedValue="false"/></ComparisonList>',
                polynomial(0, 0, 3),
            )
            + context('<Comparison parameterRef="SIZE" value="2"/>', polynomial(-7))
        )
        xml = document(
            integer(
                "C",
                f"<DefaultCalibrator>{polynomial(0.5, 0.25)}</DefaultCalibrator>"
                f"<ContextCalibratorList>{contexts}</ContextCalibratorList>",
            ),
            ["C"],
        )
        rng = random.Random(seed)
        agree(
            xml,
            [
                packet(rng.randint(0, 6), rng.randint(0, 2), rng.randbytes(2), sequence=i)
                for i in range(200)
            ],
        )

    def test_on_strings_of_every_form(self, seed):
        fixed = "<SizeInBits><Fixed><FixedValue>{}</FixedValue></Fixed>{}</SizeInBits>"
        types = (
            TEXT.format("FIX", "US-ASCII", fixed.format(24, ""))
            + TEXT.format(
                "END", "UTF-8", fixed.format(48, "<TerminationChar>58</TerminationChar>")
            )
            + TEXT.format(
                "LEAD", "UTF-8", fixed.format(56, '<LeadingSize sizeInBitsOfSizeTag="8"/>')
            )
            + TEXT.format("WIDE", "UTF-16LE", fixed.format(32, ""))
            + TEXT.format(
                "VAR",
                "ISO-8859-1",
                f'<Variable maxSizeInBits="800">{DYNAMIC.format(-8)}</Variable>',
            )
            + TEXT.format(
                "LOOK",
                "US-ASCII",
                '<Variable maxSizeInBits="800"><DiscreteLookupList>'
                '<DiscreteLookup value="8"><Comparison parameterRef="MODE" value="M0"/>'
                '</DiscreteLookup><DiscreteLookup value="40"><Comparison parameterRef="MODE"'
                ' value="M0" comparisonOperator="!="/></DiscreteLookup></DiscreteLookupList>'
                "</Variable>",
            )
        )
        rng = random.Random(seed)
        packets = []
        for sequence in range(60):
            size, mode, lead = rng.randint(1, 40), rng.randint(0, 1), rng.randint(0, 6)
            text = "".join(rng.choices("abcdefgh", k=100)).encode()
            body = text[:3] + text[:4] + b"X" + text[:1] + bytes([8 * lead]) + text[3:9]
            body += "hé".encode("utf-16-le") + text[: size - 1] + text[: 5 if mode else 1]
            packets.append(packet(size, mode, body, sequence=sequence))
        agree(document(types, ["FIX", "END", "LEAD", "WIDE", "VAR", "LOOK"]), packets)

    def test_on_binaries_whose_length_a_parameter_gives_and_what_follows_them(self, seed):
        types = (
            '<BinaryParameterType name="B"><BinaryDataEncoding><SizeInBits>'
            + DYNAMIC.format(0)
            + "</SizeInBits></BinaryDataEncoding></BinaryParameterType>"
            + bits.integer_type("NIBBLE", 4)
            + bits.integer_type("AFTER", 16, encoding="twosComplement")
            + '<BooleanParameterType name="FLAG"><IntegerDataEncoding sizeInBits="4"'
            ' encoding="unsigned"/></BooleanParameterType>'
        )
        rng = random.Random(seed)
        packets = []
        for sequence in range(80):
            size = rng.choice([0, 1, 2, 17, 200])
            packets.append(packet(size, 0, rng.randbytes(size + 3), sequence=sequence))
        # The oracle takes no binary of no octets for a value.
        packets = [p for p in packets if p[6]]
        agree(document(types, ["NIBBLE", "B", "AFTER", "FLAG"]), packets)

    def test_on_inheritance_by_boolean_expressions(self, seed):
        def condition(parameter: str, operator: str, value: str) -> str:
            return (
                f'<Condition><ParameterInstanceRef parameterRef="{parameter}"/>'
                f"<ComparisonOperator>{operator}</ComparisonOperator><Value>{value}</Value>"
                "</Condition>"
            )

        def child(name: str, expression: str) -> str:
            base = (
                '<BaseContainer containerRef="Packet"><RestrictionCriteria><BooleanExpression>'
                f"{expression}</BooleanExpression></RestrictionCriteria></BaseContainer>"
            )
            return bits.container(name, bits.entry(f"P_{name}"), base=base)

        small = condition("SIZE", "&lt;", "100")
        children = child(
            "A",
            "<ANDedConditions>"
            + small
            + f"<ORedConditions>{condition('MODE', '==', 'M1')}{condition('MODE', '==', 'M2')}"
            "</ORedConditions></ANDedConditions>",
        ) + child(
            "B",
            "<ORedConditions>"
            + condition("SIZE", "&gt;=", "100")
            + f"<ANDedConditions>{small}{condition('MODE', '!=', 'M1')}"
            f"{condition('MODE', '!=', 'M2')}</ANDedConditions></ORedConditions>",
        )
        xml = document(
            bits.integer_type("A", 24) + bits.integer_type("B", 24), ["A", "B"], children=children
        )
        rng = random.Random(seed)
        agree(
            xml,
            [packet(rng.randint(0, 200), rng.randint(0, 3), rng.randbytes(3)) for _ in range(100)],
        )

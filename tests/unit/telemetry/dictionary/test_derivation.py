from __future__ import annotations

import numpy as np
import pytest

from telemetry.dictionary import (
    DictionaryError,
    Memory,
    XtceError,
    compile_dictionary,
    engineering,
    parse_xtce,
)
from tests.unit.telemetry.dictionary import bits

INPUT = '<InputParameterInstanceRef parameterRef="{}" inputName="{}"{}/>'
UNSENT = (
    '<FloatParameterType name="float"/><IntegerParameterType name="whole"/>'
    '<BooleanParameterType name="truth" oneStringValue="YES" zeroStringValue="NO"/>'
    '<EnumeratedParameterType name="state"><EnumerationList><Enumeration value="0" label="LOW"/>'
    '<Enumeration value="1" label="HIGH"/></EnumerationList></EnumeratedParameterType>'
)
CLOCK = (
    '<AbsoluteTimeParameterType name="clock"><Encoding><IntegerDataEncoding sizeInBits="8"/>'
    "</Encoding><ReferenceTime><Epoch>2026-01-01T00:00:00Z</Epoch></ReferenceTime>"
    "</AbsoluteTimeParameterType>"
    '<AbsoluteTimeParameterType name="later"><Encoding scale="0.5"><IntegerDataEncoding'
    ' sizeInBits="8"/></Encoding><ReferenceTime><OffsetFrom parameterRef="T"/></ReferenceTime>'
    "</AbsoluteTimeParameterType>"
)


def custom(text: str, output: str, *inputs: str, triggers: str = "", name: str = "") -> str:
    trigger_set = f"<TriggerSet>{triggers}</TriggerSet>" if triggers else ""
    listed = f"<InputSet>{''.join(inputs)}</InputSet>" if inputs else ""
    return (
        f'<CustomAlgorithm name="{name or output}"><AlgorithmText language="expression">{text}'
        f"</AlgorithmText>{listed}<OutputSet>"
        f'<OutputParameterRef parameterRef="{output}"/></OutputSet>{trigger_set}'
        "</CustomAlgorithm>"
    )


def document(algorithms: str = "", *, types: str = "", extra: dict[str, str] | None = None):
    """Packets of kind 1 hold A and B, those of kind 2 hold C."""
    declared = {"KIND": "u8", "A": "u8", "B": "u8", "C": "u8"}
    declared |= {"D": "float", "E": "float", "W": "whole", "Q": "truth", "S": "state"}
    declared |= extra or {}

    def child(name: str, kind: int, *entries: str) -> str:
        base = (
            '<BaseContainer containerRef="Packet"><RestrictionCriteria><Comparison'
            f' parameterRef="KIND" value="{kind}"/></RestrictionCriteria></BaseContainer>'
        )
        return bits.container(name, "".join(bits.entry(e) for e in entries), base=base)

    more = [n for n in declared if n in (extra or {})]
    return bits.document(
        types=bits.integer_type("u8", 8) + UNSENT + types,
        parameters="".join(bits.parameter(n, t) for n, t in declared.items()),
        containers=bits.container("Packet", bits.entry("KIND"), abstract=True)
        + child("One", 1, "A", "B", *more)
        + child("Two", 2, "C"),
        algorithms=algorithms,
    )


def decode(xml: bytes, packets: list[bytes], memory: Memory | None = None):
    """Return the engineering values of each packet by name."""
    dictionary = parse_xtce(xml)
    result = compile_dictionary(dictionary).decode(packets, memory)
    assert result.undecoded == []
    rows: list[dict[str, object]] = [{} for _ in packets]
    for batch in result.batches:
        for name, column in batch.columns.items():
            values = engineering(dictionary.parameters[name], column).tolist()
            for index, one in zip(batch.indices.tolist(), values, strict=True):
                rows[index][name] = one
    return rows


class TestAlgorithms:
    def test_derives_a_parameter_from_those_of_the_same_packet(self):
        xml = document(
            custom("a * b + 0.5", "D", INPUT.format("A", "a", ""), INPUT.format("B", "b", ""))
        )
        rows = decode(xml, [b"\1\3\4", b"\2\7", b"\1\5\6"])
        assert [row.get("D") for row in rows] == [12.5, None, 30.5]

    def test_derives_by_a_math_operation(self):
        algorithm = (
            '<MathAlgorithm name="m"><MathOperation outputParameterRef="D">'
            '<ParameterInstanceRefOperand parameterRef="A"/><ValueOperand>10</ValueOperand>'
            '<Operator>/</Operator><TriggerSet><OnParameterUpdateTrigger parameterRef="A"/>'
            "</TriggerSet></MathOperation></MathAlgorithm>"
        )
        assert decode(document(algorithm), [b"\1\7\0"])[0]["D"] == 0.7

    def test_derives_numbers_truths_and_labels(self):
        a = INPUT.format("A", "a", "")
        xml = document(custom("a / 2", "W", a) + custom("a > 4", "Q", a) + custom("a > 4", "S", a))
        rows = decode(xml, [b"\1\5\0", b"\1\4\0"])
        assert [(row["W"], row["Q"], row["S"]) for row in rows] == [
            (2, "YES", "HIGH"),
            (2, "NO", "LOW"),
        ]

    def test_derives_from_what_was_derived_whatever_their_order(self):
        xml = document(
            custom("d * 2", "E", INPUT.format("D", "d", ""))
            + custom("a + 1", "D", INPUT.format("A", "a", ""))
        )
        assert decode(xml, [b"\1\4\0"])[0]["E"] == 10.0

    def test_takes_a_parameter_of_another_packet_from_the_newest_before(self):
        xml = document(
            custom(
                "a + c",
                "D",
                INPUT.format("A", "a", ""),
                INPUT.format("C", "c", ""),
                triggers='<OnContainerUpdateTrigger containerRef="One"/>',
            )
        )
        packets = [b"\1\1\0", b"\2\x10", b"\1\2\0", b"\2\x20", b"\2\x30", b"\1\3\0"]
        rows = decode(xml, packets)
        assert [row.get("D") for row in rows] == [None, None, 0x12, None, None, 0x33]

    def test_remembers_across_calls_however_they_are_cut(self):
        xml = document(
            custom("a + c", "D", INPUT.format("A", "a", ""), INPUT.format("C", "c", ""))
        )
        packets = [b"\2\x10", b"\1\1\0", b"\2\x20", b"\1\2\0", b"\1\3\0", b"\2\x40"]
        together = decode(xml, packets)
        for cut in range(1, len(packets)):
            memory = Memory()
            parts = [decode(xml, part, memory) for part in (packets[:cut], packets[cut:])]
            assert parts[0] + parts[1] == together

    def test_computes_with_raw_values_on_request(self):
        calibrated = (
            '<FloatParameterType name="cal"><IntegerDataEncoding sizeInBits="8">'
            '<DefaultCalibrator><PolynomialCalibrator><Term exponent="1" coefficient="100"/>'
            "</PolynomialCalibrator>"
            "</DefaultCalibrator></IntegerDataEncoding></FloatParameterType>"
        )
        raw = INPUT.format("R", "r", ' useCalibratedValue="false"')
        xml = document(
            custom("r", "D", raw) + custom("r", "E", INPUT.format("R", "r", "")),
            types=calibrated,
            extra={"R": "cal"},
        )
        row = decode(xml, [b"\1\0\0\3"])[0]
        assert (row["D"], row["E"]) == (3.0, 300.0)

    @pytest.mark.parametrize(
        ("algorithms", "message"),
        [
            (
                custom("d", "E", INPUT.format("D", "d", ""))
                + custom("e", "D", INPUT.format("E", "e", "")),
                "depend on each other in a circle: E → D → E",
            ),
            (
                custom(
                    "1",
                    "D",
                    INPUT.format("A", "a", ""),
                    triggers='<OnContainerUpdateTrigger containerRef="One"/>',
                    name="x",
                )
                + custom(
                    "2",
                    "D",
                    INPUT.format("A", "a", ""),
                    triggers='<OnContainerUpdateTrigger containerRef="One"/>',
                    name="y",
                ),
                "two algorithms give 'D' a value",
            ),
            (
                custom("s", "D", INPUT.format("S", "s", "")),
                "'S' is enumerated, and is used as a number",
            ),
        ],
    )
    def test_refuses_what_cannot_be_computed(self, algorithms, message):
        with pytest.raises(DictionaryError, match=message):
            compile_dictionary(parse_xtce(document(algorithms)))

    @pytest.mark.parametrize(
        ("algorithm", "message"),
        [
            (
                custom("a", "D", INPUT.format("A", "a", "")).replace('"expression"', '"python"'),
                "language='python' of <AlgorithmText> is not supported; supported: expression",
            ),
            (custom("a +", "D", INPUT.format("A", "a", "")), "the expression 'a \\+': it ends"),
            (custom("1", "D"), "neither inputs nor triggers"),
            (
                custom("a", "D", INPUT.format("A", "a", ' instance="-1"')),
                "instance=-1 of <InputParameterInstanceRef> is not supported",
            ),
            (
                custom(
                    "a",
                    "D",
                    INPUT.format("A", "a", ""),
                    triggers='<OnPeriodicRateTrigger fireRateInSeconds="1"/>',
                ),
                "<OnPeriodicRateTrigger> in <TriggerSet> is not supported",
            ),
        ],
    )
    def test_refuses_with_its_line_what_is_not_of_the_language(self, algorithm, message):
        with pytest.raises(XtceError, match=message) as caught:
            parse_xtce(document(algorithm))
        assert caught.value.line == 7


def context_type(match: str) -> str:
    return (
        '<FloatParameterType name="cal"><IntegerDataEncoding sizeInBits="8"><DefaultCalibrator>'
        '<PolynomialCalibrator><Term exponent="1" coefficient="2"/></PolynomialCalibrator>'
        "</DefaultCalibrator><ContextCalibratorList><ContextCalibrator><ContextMatch>"
        f"{match}</ContextMatch><Calibrator><MathOperationCalibrator><ThisParameterOperand/>"
        '<ParameterInstanceRefOperand parameterRef="A"/><Operator>-</Operator>'
        "</MathOperationCalibrator></Calibrator></ContextCalibrator></ContextCalibratorList>"
        "</IntegerDataEncoding></FloatParameterType>"
    )


class TestContextCalibrators:
    def test_keeps_the_calibrated_value_and_the_raw_one_beside_it(self):
        xml = document(
            types=context_type('<Comparison parameterRef="B" value="1"/>'), extra={"R": "cal"}
        )
        dictionary = parse_xtce(xml)
        [batch] = compile_dictionary(dictionary).decode([b"\1\3\1\x09", b"\1\3\0\x09"]).batches
        assert batch.columns["R"].tolist() == [6.0, 18.0]
        assert batch.sent["R"].tolist() == [9, 9]
        assert engineering(dictionary.parameters["R"], batch.columns["R"]).tolist() == [6.0, 18.0]

    def test_follows_the_mode_that_another_packet_told(self):
        xml = document(
            types=context_type('<Comparison parameterRef="C" value="1"/>'), extra={"R": "cal"}
        )
        packets = [b"\1\3\0\x09", b"\2\1", b"\1\3\0\x09", b"\2\0", b"\1\3\0\x09"]
        assert [row.get("R") for row in decode(xml, packets)] == [18.0, None, 6.0, None, 18.0]

    def test_is_refused_where_a_condition_would_depend_on_it(self):
        xml = document(
            types=context_type('<Comparison parameterRef="B" value="1"/>')
            + bits.integer_type("x", 8),
            extra={"R": "cal", "Z": "x"},
        ).replace(
            b'<ParameterRefEntry parameterRef="Z"/>',
            b'<ParameterRefEntry parameterRef="Z"><IncludeCondition><Comparison parameterRef="R"'
            b' value="1"/></IncludeCondition></ParameterRefEntry>',
        )
        with pytest.raises(DictionaryError, match="whose calibrator depends on a context"):
            compile_dictionary(parse_xtce(xml))

    def test_is_refused_in_a_repeated_entry(self):
        xml = document(
            types=context_type('<Comparison parameterRef="B" value="1"/>'), extra={"R": "cal"}
        ).replace(
            b'<ParameterRefEntry parameterRef="R"/>',
            b'<ParameterRefEntry parameterRef="R"><RepeatEntry><Count><FixedValue>2</FixedValue>'
            b"</Count></RepeatEntry></ParameterRefEntry>",
        )
        with pytest.raises(DictionaryError, match=r"holds 'R\[0\]' as often as"):
            compile_dictionary(parse_xtce(xml))


def test_counts_a_time_from_another_parameter():
    rows = decode(
        document(types=CLOCK, extra={"T": "clock", "L": "later"}),
        [b"\1\0\0\x0a\3", b"\1\0\0\x14\4"],
    )
    assert [str(np.datetime64(row["L"])) for row in rows] == [
        "2026-01-01T00:00:11.500000",
        "2026-01-01T00:00:22.000000",
    ]

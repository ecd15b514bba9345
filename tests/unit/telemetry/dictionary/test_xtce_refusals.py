"""What a dictionary may not hold, each refused by name and line."""

from __future__ import annotations

import pytest

from telemetry.dictionary import XtceError, parse_xtce
from tests.unit.telemetry.dictionary import bits


def parse_type(type_xml: str):
    document = bits.document(types=type_xml, parameters=bits.parameter("P", "t"))
    return parse_xtce(document).parameters["P"].type


def integer(inside: str = "", after: str = "", attributes: str = "") -> str:
    return (
        f'<IntegerParameterType name="t"{attributes}>{inside}'
        f'<IntegerDataEncoding sizeInBits="16"/>{after}</IntegerParameterType>'
    )


def alarm(ranges: str, attributes: str = "", form: str = "") -> str:
    return (
        f"<DefaultAlarm{attributes}><StaticAlarmRanges{form}>{ranges}</StaticAlarmRanges>"
        "</DefaultAlarm>"
    )


def encoded(inside: str, kind: str = "Float") -> str:
    return f'<{kind}ParameterType name="t">{inside}</{kind}ParameterType>'


def text_type(inside: str, attributes: str = "") -> str:
    return encoded(f"<StringDataEncoding{attributes}>{inside}</StringDataEncoding>", "String")


def calibrated(calibrator: str, size: int = 8) -> str:
    return encoded(
        f'<IntegerDataEncoding sizeInBits="{size}"><DefaultCalibrator>{calibrator}'
        "</DefaultCalibrator></IntegerDataEncoding>"
    )


POINTS = '<SplinePoint raw="{}" calibrated="0"/><SplinePoint raw="1" calibrated="0"{}/>'
FIXED = "<SizeInBits><Fixed><FixedValue>{}</FixedValue></Fixed>{}</SizeInBits>"
TIME = (
    '<AbsoluteTimeParameterType name="t"><Encoding{}>{}</Encoding>'
    "<ReferenceTime><Epoch>{}</Epoch></ReferenceTime></AbsoluteTimeParameterType>"
)
DIMENSION = (
    "<Dimension><StartingIndex><FixedValue>{}</FixedValue></StartingIndex>"
    "<EndingIndex><FixedValue>{}</FixedValue></EndingIndex></Dimension>"
)
ARRAY = (
    '<ArrayParameterType name="t" arrayTypeRef="{}"><DimensionList>{}</DimensionList>'
    "</ArrayParameterType>"
)

REFUSED_TYPES = [
    (
        integer(attributes=' initialValue="3"'),
        "attribute 'initialValue' of <IntegerParameterType>",
    ),
    (integer(attributes=' baseType="x"'), "attribute 'baseType'"),
    (integer(attributes=' sizeInBits="0"'), "sizeInBits of <IntegerParameterType> is at least 1"),
    (integer(after="<ValidRange/>"), "<ValidRange> in <IntegerParameterType> is not supported"),
    (integer(after="<ContextAlarmList/>"), "<ContextAlarmList> is empty"),
    (integer(after="<DefaultAlarm><CustomAlarm/></DefaultAlarm>"), "<CustomAlarm> in"),
    (integer(after="<UnitSet/>"), "<UnitSet> in <IntegerParameterType> must stand before"),
    (integer("<UnitSet/><UnitSet/>"), "has more than one <UnitSet>; the limit is 1"),
    (integer("stray"), "<IntegerParameterType> holds the text 'stray'"),
    (integer(after=alarm("<WarningRange/>")), "<WarningRange> has no bound"),
    (
        integer(after=alarm('<WarningRange minInclusive="3" maxInclusive="2"/>')),
        "the minimum 3.0 is above the maximum 2.0",
    ),
    (
        integer(after=alarm('<WarningRange minInclusive="3" minExclusive="2"/>')),
        "both minInclusive and minExclusive",
    ),
    (integer(after=alarm('<WarningRange minInclusive="x"/>')), "minInclusive='x'"),
    (integer(after=alarm('<WarningRange minInclusive="NaN"/>')), "NaN is no bound"),
    (
        integer(after=alarm('<WarningRange minInclusive="1"/>', ' minViolations="0"')),
        "at least 1",
    ),
    (
        integer(
            after="<DefaultAlarm><ChangeAlarmRanges changeType='changePerSample'"
            " spanOfInterestInSeconds='2'/></DefaultAlarm>"
        ),
        "spanOfInterestInSeconds with changePerSample is not supported",
    ),
    (
        integer(
            after="<DefaultAlarm><AncillaryDataSet><AncillaryData name='hysteresis'>-1"
            "</AncillaryData></AncillaryDataSet></DefaultAlarm>"
        ),
        "hysteresis -1.0 is not a width from 0",
    ),
    (bits.integer_type("t", 1025), "an integer of 1025 bits is not supported; the limits are 1"),
    (bits.integer_type("t", 0), "an integer of 0 bits"),
    (
        bits.integer_type("t", 65, encoding="twosComplement"),
        "above 64 bits an integer is unsigned",
    ),
    (bits.integer_type("t", 8, encoding="BCD"), "encoding='BCD' of <IntegerDataEncoding>"),
    (bits.integer_type("t", 12, order="leastSignificantByteFirst"), "it needs whole octets"),
    (bits.integer_type("t", 16, order="0,0"), "byteOrder='0,0' is not supported for 16 bits"),
    (
        encoded('<IntegerDataEncoding bitOrder="leastSignificantBitFirst"/>'),
        "bitOrder='leastSignificantBitFirst'",
    ),
    (
        encoded('<FloatDataEncoding sizeInBits="128"/>'),
        "sizeInBits='128' of <FloatDataEncoding> is not supported; supported: 16, 32, 64",
    ),
    (encoded('<FloatDataEncoding encoding="IBM"/>'), "encoding='IBM'"),
    (encoded("<BinaryDataEncoding/>"), "<BinaryDataEncoding> in <FloatParameterType>"),
    (calibrated(f"<SplineCalibrator>{POINTS.format(1, '')}</SplineCalibrator>"), "same raw value"),
    (
        calibrated(
            f"<SplineCalibrator>{POINTS.format(0, ' order=%s2%s')}</SplineCalibrator>"
        ).replace("%s", '"'),
        "order=2 of <SplinePoint> is not supported; supported: 0 (steps), 1 (lines)",
    ),
    (
        calibrated("<MathOperationCalibrator><Operator>+</Operator></MathOperationCalibrator>"),
        "'+' needs 2 operands, 0 are on the stack",
    ),
    (
        calibrated(
            '<PolynomialCalibrator><Term exponent="17" coefficient="1"/></PolynomialCalibrator>'
        ),
        "exponent 17 is not in 0 to 16",
    ),
    (
        calibrated(
            '<PolynomialCalibrator><Term exponent="0" coefficient="1"/></PolynomialCalibrator>', 65
        ),
        "a calibrator of an integer of 65 bits is not supported",
    ),
    (text_type("<Variable maxSizeInBits='8'/>"), "has 0 of DynamicValue, DiscreteLookupList"),
    (
        text_type(FIXED.format(8, "<LeadingSize sizeInBitsOfSizeTag='5'/>")),
        "sizeInBitsOfSizeTag=5",
    ),
    (text_type(FIXED.format(12, "")), "12 bits is not supported; it needs whole octets"),
    (
        text_type(FIXED.format(32, "<TerminationChar>00</TerminationChar>"), " encoding='UTF-16'"),
        "00 is no character of utf-16-be, which has 2 octets",
    ),
    (
        text_type(FIXED.format(8, ""), " byteOrder='leastSignificantByteFirst'"),
        "leastSignificantByteFirst of UTF-8 is not supported",
    ),
    (
        encoded(
            "<BinaryDataEncoding><SizeInBits><FixedValue>12</FixedValue></SizeInBits>"
            "</BinaryDataEncoding>",
            "Binary",
        ),
        "12 bits is not supported; it needs whole octets",
    ),
    (
        encoded(
            "<BinaryDataEncoding><SizeInBits><FixedValue>8</FixedValue></SizeInBits>"
            "<FromBinaryTransformAlgorithm name='x'/></BinaryDataEncoding>",
            "Binary",
        ),
        "<FromBinaryTransformAlgorithm> in <BinaryDataEncoding> is not supported",
    ),
    (
        '<EnumeratedParameterType name="t"><IntegerDataEncoding/><EnumerationList>'
        '<Enumeration value="0" maxValue="4" label="A"/><Enumeration value="3" label="B"/>'
        "</EnumerationList></EnumeratedParameterType>",
        "'B' and 'A' both name the value 3",
    ),
    (TIME.format(' units="months"', "<IntegerDataEncoding/>", "UNIX"), "units='months'"),
    (TIME.format("", "<StringDataEncoding/>", "UNIX"), "<StringDataEncoding> of a time"),
    (TIME.format("", "<IntegerDataEncoding/>", "yesterday"), "Epoch='yesterday'"),
    (ARRAY.format("t", DIMENSION.format(0, 1)), "the type 't' contains itself"),
    (ARRAY.format("nix", DIMENSION.format(0, 1)), "there is no parameter type 'nix'"),
    (bits.integer_type("u", 8) + ARRAY.format("u", DIMENSION.format(3, 1)), "1 is below 3"),
    (
        bits.integer_type("u", 8) + ARRAY.format("u", DIMENSION.format(0, 70000)),
        "has 70001 values; the limit is 65536. Use a binary type",
    ),
]


class TestRefusals:
    @pytest.mark.parametrize(("type_xml", "message"), REFUSED_TYPES)
    def test_refuses_what_it_does_not_support_by_name_and_line(self, type_xml, message):
        with pytest.raises(XtceError) as caught:
            parse_type(type_xml)
        assert message in str(caught.value)
        assert caught.value.line == 4

    @pytest.mark.parametrize(
        ("entries", "message"),
        [
            ('<StreamSegmentEntry streamRef="S" sizeInBits="8"/>', "<StreamSegmentEntry>"),
            (
                '<ParameterRefEntry parameterRef="P"><TimeAssociation parameterRef="P"/>'
                "</ParameterRefEntry>",
                "<TimeAssociation> in <ParameterRefEntry> is not supported",
            ),
            (
                '<ParameterRefEntry parameterRef="P"><IncludeCondition><CustomAlgorithm name="x"/>'
                "</IncludeCondition></ParameterRefEntry>",
                "<CustomAlgorithm> in <IncludeCondition> is not supported",
            ),
            (
                '<ParameterRefEntry parameterRef="P"><IncludeCondition><Comparison'
                ' parameterRef="P" instance="1" value="0"/></IncludeCondition>'
                "</ParameterRefEntry>",
                "instance=1 of <Comparison> is not supported; only the newest value, 0, is",
            ),
            (
                '<ParameterRefEntry parameterRef="P"><RepeatEntry><Count><FixedValue>-1'
                "</FixedValue></Count></RepeatEntry></ParameterRefEntry>",
                "Count -1 is below 0",
            ),
            (
                '<ParameterRefEntry parameterRef="P"><LocationInContainerInBits'
                ' referenceLocation="containerEnd"><FixedValue>0</FixedValue>'
                "</LocationInContainerInBits></ParameterRefEntry>",
                "referenceLocation='containerEnd'",
            ),
        ],
    )
    def test_refuses_unsupported_parts_of_entries(self, entries, message):
        document = bits.document(
            types=bits.integer_type("t", 8),
            parameters=bits.parameter("P", "t"),
            containers=bits.container("C", entries),
        )
        with pytest.raises(XtceError, match=message) as caught:
            parse_xtce(document)
        assert caught.value.line == 6

    def test_refuses_a_choice_of_the_next_container(self):
        base = (
            '<BaseContainer containerRef="A"><RestrictionCriteria><NextContainer/>'
            "</RestrictionCriteria></BaseContainer>"
        )
        containers = bits.container("A", "") + bits.container("B", "", base=base)
        with pytest.raises(XtceError, match="<NextContainer> in <RestrictionCriteria>"):
            parse_xtce(bits.document(containers=containers))

    @pytest.mark.parametrize(
        "properties", ['dataSource="constant"', 'dataSource="local"'], ids=str
    )
    def test_refuses_a_parameter_whose_value_is_in_no_packet(self, properties):
        parameter = (
            '<Parameter name="P" parameterTypeRef="t">'
            f"<ParameterProperties {properties}/></Parameter>"
        )
        with pytest.raises(XtceError, match=r"line 5: .* its value is in no packet"):
            parse_xtce(bits.document(types=bits.integer_type("t", 8), parameters=parameter))

    def test_refuses_a_validity_condition(self):
        parameter = (
            '<Parameter name="P" parameterTypeRef="t"><ParameterProperties><ValidityCondition/>'
            "</ParameterProperties></Parameter>"
        )
        with pytest.raises(XtceError, match="<ValidityCondition> in <ParameterProperties>"):
            parse_xtce(bits.document(types=bits.integer_type("t", 8), parameters=parameter))

    @pytest.mark.parametrize("name", ["", "a.b", "a b", "a/b", "a[0]"])
    def test_refuses_a_name_that_a_path_could_not_hold(self, name):
        with pytest.raises(XtceError, match="is no name: one character at least"):
            parse_xtce(bits.document(types=bits.integer_type(name, 8)))

    def test_refuses_commands_rather_than_lose_them(self):
        document = bits.document(types=bits.integer_type("t", 8)).replace(
            b"</SpaceSystem>", b"<CommandMetaData/></SpaceSystem>"
        )
        with pytest.raises(XtceError, match="line 10: <CommandMetaData> in <SpaceSystem>"):
            parse_xtce(document)
        read = parse_xtce(document, telemetry_only=True)
        assert read.notices == (
            "line 10: <CommandMetaData> in <SpaceSystem> '/Craft' holds telecommands;"
            " it is not read",
        )

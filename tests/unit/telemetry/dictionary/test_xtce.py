from __future__ import annotations

import pytest

from telemetry.dictionary import XtceError, parse_xtce
from telemetry.dictionary.model import (
    AlarmRange,
    ConcernLevel,
    EnumerationAlarm,
    IntegerEncoding,
    NumericAlarm,
    PolynomialCalibrator,
    TypeKind,
)
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


class TestNames:
    def test_groups_parameters_by_the_space_system_they_stand_in(self):
        power = bits.telemetry(
            types=bits.integer_type("u8", 8), parameters=bits.parameter("VOLT", "u8")
        )
        systems = f'<SpaceSystem name="Power">{power}</SpaceSystem>'
        dictionary = parse_xtce(bits.document(systems=systems))
        [parameter] = dictionary.parameters.values()
        assert dictionary.name == "Craft"
        assert (parameter.subsystem, parameter.qualified_name) == ("Power", "/Craft/Power/VOLT")
        assert dictionary.subsystems == ("Power",)

    @pytest.mark.parametrize(
        "reference", ["u8", "/Craft/u8", "../u8", "../../Craft/u8", ".././u8", "../Power/../u8"]
    )
    def test_finds_a_type_by_every_form_of_reference(self, reference):
        power = bits.telemetry(parameters=bits.parameter("VOLT", reference))
        systems = f'<SpaceSystem name="Power">{power}</SpaceSystem>'
        dictionary = parse_xtce(bits.document(types=bits.integer_type("u8", 8), systems=systems))
        assert dictionary.parameters["VOLT"].type.name == "u8"

    def test_a_nearer_name_wins(self):
        power = bits.telemetry(
            types=bits.integer_type("u", 16), parameters=bits.parameter("VOLT", "u")
        )
        systems = f'<SpaceSystem name="Power">{power}</SpaceSystem>'
        dictionary = parse_xtce(bits.document(types=bits.integer_type("u", 8), systems=systems))
        assert dictionary.parameters["VOLT"].type.encoding == IntegerEncoding(size_bits=16)

    def test_refuses_a_parameter_name_used_twice_with_both_lines(self):
        both = bits.parameter("P", "u8") + "\n" + bits.parameter("P", "u8")
        with pytest.raises(XtceError, match="line 6: '/Craft/P' is defined on line 5 already"):
            parse_xtce(bits.document(types=bits.integer_type("u8", 8), parameters=both))

    def test_calls_what_two_subsystems_name_alike_by_its_whole_path(self):
        part = bits.telemetry(
            types=bits.integer_type("u8", 8),
            parameters=bits.parameter("MODE", "u8") + "{}",
            containers=bits.container("C", bits.entry("MODE")),
        )
        systems = "".join(
            f'<SpaceSystem name="{name}">{part.format(more)}</SpaceSystem>'
            for name, more in (("A", ""), ("B", bits.parameter("ONLY", "u8")))
        )
        dictionary = parse_xtce(bits.document(systems=systems))
        assert list(dictionary.parameters) == ["Craft/A/MODE", "Craft/B/MODE", "ONLY"]
        assert dictionary.containers["/Craft/B/C"].name == "Craft/B/C"
        [entry] = dictionary.containers["/Craft/B/C"].entries
        assert entry.parameter == "Craft/B/MODE"

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            (bits.document(parameters=bits.parameter("P", "nix")), "no parameter type 'nix'"),
            (
                bits.document(containers=bits.container("C", bits.entry("nix"))),
                "no parameter 'nix'",
            ),
            (
                bits.document(
                    containers=bits.container("C", '<ContainerRefEntry containerRef="nix"/>')
                ),
                "no container 'nix'",
            ),
        ],
    )
    def test_refuses_a_reference_to_nothing(self, document, message):
        with pytest.raises(XtceError, match=message):
            parse_xtce(document)


class TestTypes:
    def test_reads_units_with_powers(self):
        unit = '<UnitSet><Unit>kg</Unit><Unit power="2">m</Unit></UnitSet>'
        assert parse_type(integer(unit)).unit == "kg m^2"

    def test_prefers_the_description_of_the_parameter_to_that_of_its_type(self):
        types = integer(attributes=' shortDescription="of the type"')
        plain = parse_xtce(bits.document(types=types, parameters=bits.parameter("P", "t")))
        own = parse_xtce(
            bits.document(
                types=types,
                parameters='<Parameter name="P" parameterTypeRef="t" shortDescription="own"/>',
            )
        )
        assert plain.parameters["P"].description == "of the type"
        assert own.parameters["P"].description == "own"

    def test_fills_the_powers_that_a_polynomial_leaves_out(self):
        read = parse_type(
            '<FloatParameterType name="t"><IntegerDataEncoding><DefaultCalibrator>'
            '<PolynomialCalibrator><Term exponent="2" coefficient="0.5"/>'
            '<Term exponent="0" coefficient="-3"/></PolynomialCalibrator></DefaultCalibrator>'
            "</IntegerDataEncoding></FloatParameterType>"
        )
        assert read.kind is TypeKind.FLOAT
        assert read.calibrator == PolynomialCalibrator((-3.0, 0.0, 0.5))

    def test_reads_alarm_ranges_with_open_sides_and_persistence(self):
        read = parse_type(
            integer(
                after=alarm(
                    '<WarningRange minInclusive="-5"/>'
                    '<CriticalRange minExclusive="-10" maxInclusive="10"/>',
                    attributes=' minViolations="3"',
                )
            )
        )
        assert read.alarm == NumericAlarm(
            ranges=(
                AlarmRange(level=ConcernLevel.WARNING, minimum=-5.0),
                AlarmRange(
                    level=ConcernLevel.CRITICAL, minimum=-10.0, maximum=10.0, min_exclusive=True
                ),
            ),
            min_violations=3,
            min_conformance=3,
        )

    def test_reads_alarms_of_labels(self):
        read = parse_type(
            '<EnumeratedParameterType name="t"><IntegerDataEncoding/><EnumerationList>'
            '<Enumeration value="0" label="OK"/><Enumeration value="1" label="FAULT"/>'
            '</EnumerationList><DefaultAlarm defaultAlarmLevel="watch" minConformance="2">'
            '<EnumerationAlarmList><EnumerationAlarm alarmLevel="critical"'
            ' enumerationLabel="FAULT"/></EnumerationAlarmList></DefaultAlarm>'
            "</EnumeratedParameterType>"
        )
        assert read.alarm == EnumerationAlarm(
            levels=(("FAULT", ConcernLevel.CRITICAL),),
            default_level=ConcernLevel.WATCH,
            min_violations=1,
            min_conformance=2,
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


class TestDocuments:
    def test_refuses_what_is_not_well_formed_with_its_line(self):
        with pytest.raises(XtceError, match="line 2: not well-formed XML") as caught:
            parse_xtce(b"<SpaceSystem>\n<Oops></SpaceSystem>")
        assert caught.value.line == 2

    def test_refuses_another_version_of_xtce(self):
        old = bits.document().replace(b"20180204", b"20061101")
        with pytest.raises(XtceError, match=r"not in that of XTCE 1\.2"):
            parse_xtce(old)

    def test_refuses_a_document_type_that_could_define_entities(self):
        bomb = (
            b'<!DOCTYPE SpaceSystem [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
            b'<SpaceSystem name="&b;" xmlns="http://www.omg.org/spec/XTCE/20180204"/>'
        )
        with pytest.raises(XtceError, match="document type declaration is not allowed"):
            parse_xtce(bomb)

    def test_reads_comments_as_nothing(self):
        document = bits.document(types="<!-- none -->" + bits.integer_type("t", 8))
        assert list(parse_xtce(document).parameters) == []

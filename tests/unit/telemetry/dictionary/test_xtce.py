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

    def test_refuses_the_same_name_in_two_subsystems(self):
        part = bits.telemetry(
            types=bits.integer_type("u8", 8), parameters=bits.parameter("MODE", "u8")
        )
        systems = "".join(f'<SpaceSystem name="{name}">{part}</SpaceSystem>' for name in "AB")
        with pytest.raises(XtceError, match="'MODE' is defined on line"):
            parse_xtce(bits.document(systems=systems))

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


REFUSED_TYPES = [
    (
        integer(attributes=' initialValue="3"'),
        "attribute 'initialValue' of <IntegerParameterType>",
    ),
    (integer(attributes=' baseType="x"'), "attribute 'baseType'"),
    (integer(after="<ValidRange/>"), "<ValidRange> in <IntegerParameterType> is not supported"),
    (integer(after="<ContextAlarmList/>"), "<ContextAlarmList> in <IntegerParameterType>"),
    (integer(after="<DefaultAlarm><ChangeAlarmRanges/></DefaultAlarm>"), "<ChangeAlarmRanges>"),
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
    (integer(after=alarm('<WarningRange minInclusive="nan"/>')), "NaN is no bound"),
    (
        integer(after=alarm('<WarningRange minInclusive="1"/>', ' minViolations="0"')),
        "at least 1",
    ),
    ("<ArrayParameterType name='t'/>", "<ArrayParameterType> is not supported; supported: "),
    ("<IntegerParameterType name='t'/>", "0 data encodings; it needs exactly 1"),
    (
        bits.integer_type("t", 65),
        "an integer of 65 bits is not supported; the limits are 1 and 64",
    ),
    (bits.integer_type("t", 0), "an integer of 0 bits"),
    (bits.integer_type("t", 8, encoding="BCD"), "encoding='BCD' of <IntegerDataEncoding>"),
    (bits.integer_type("t", 12, order="leastSignificantByteFirst"), "it needs whole octets"),
    (
        '<FloatParameterType name="t"><FloatDataEncoding sizeInBits="128"/></FloatParameterType>',
        "sizeInBits='128' of <FloatDataEncoding> is not supported; supported: 32, 64",
    ),
    (
        '<FloatParameterType name="t"><FloatDataEncoding encoding="MILSTD_1750A"/>'
        "</FloatParameterType>",
        "encoding='MILSTD_1750A'",
    ),
    (
        '<FloatParameterType name="t"><IntegerDataEncoding><DefaultCalibrator>'
        "<SplineCalibrator/></DefaultCalibrator></IntegerDataEncoding></FloatParameterType>",
        "<SplineCalibrator> in <DefaultCalibrator> is not supported",
    ),
    (
        '<StringParameterType name="t"><StringDataEncoding><Variable/></StringDataEncoding>'
        "</StringParameterType>",
        "<Variable> in <StringDataEncoding>",
    ),
    (
        '<BinaryParameterType name="t"><BinaryDataEncoding><SizeInBits><FixedValue>12'
        "</FixedValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>",
        "12 bits is not supported; it needs whole octets",
    ),
    (
        '<EnumeratedParameterType name="t"><IntegerDataEncoding/><EnumerationList>'
        '<Enumeration value="0" maxValue="4" label="A"/><Enumeration value="3" label="B"/>'
        "</EnumerationList></EnumeratedParameterType>",
        "'B' and 'A' both name the value 3",
    ),
    (
        '<AbsoluteTimeParameterType name="t"><Encoding><IntegerDataEncoding/></Encoding>'
        "<ReferenceTime><Epoch>TAI</Epoch></ReferenceTime></AbsoluteTimeParameterType>",
        "the epoch TAI runs on a scale without leap seconds",
    ),
    (
        '<AbsoluteTimeParameterType name="t"><Encoding units="days"><IntegerDataEncoding/>'
        "</Encoding><ReferenceTime><Epoch>UNIX</Epoch></ReferenceTime>"
        "</AbsoluteTimeParameterType>",
        "units='days'",
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
            ('<ArrayParameterRefEntry parameterRef="P"/>', "<ArrayParameterRefEntry>"),
            (
                '<ParameterRefEntry parameterRef="P"><IncludeCondition/></ParameterRefEntry>',
                "<IncludeCondition> in <ParameterRefEntry>",
            ),
            (
                '<ParameterRefEntry parameterRef="P"><RepeatEntry/></ParameterRefEntry>',
                "<RepeatEntry>",
            ),
            (
                '<ParameterRefEntry parameterRef="P"><LocationInContainerInBits'
                ' referenceLocation="containerEnd"><FixedValue>0</FixedValue>'
                "</LocationInContainerInBits></ParameterRefEntry>",
                "referenceLocation='containerEnd'",
            ),
            (
                '<ParameterRefEntry parameterRef="P"><LocationInContainerInBits>'
                "<DynamicValue/></LocationInContainerInBits></ParameterRefEntry>",
                "<DynamicValue>",
            ),
        ],
    )
    def test_refuses_entries_without_a_fixed_place(self, entries, message):
        document = bits.document(
            types=bits.integer_type("t", 8),
            parameters=bits.parameter("P", "t"),
            containers=bits.container("C", entries),
        )
        with pytest.raises(XtceError, match=message):
            parse_xtce(document)

    def test_refuses_boolean_expressions_in_criteria(self):
        base = (
            '<BaseContainer containerRef="A"><RestrictionCriteria><BooleanExpression/>'
            "</RestrictionCriteria></BaseContainer>"
        )
        containers = bits.container("A", "") + bits.container("B", "", base=base)
        with pytest.raises(XtceError, match="<BooleanExpression> in <RestrictionCriteria>"):
            parse_xtce(bits.document(containers=containers))

    def test_refuses_commands_rather_than_lose_them(self):
        document = bits.document(systems="<CommandMetaData/>")
        with pytest.raises(XtceError, match="<CommandMetaData> in <SpaceSystem>"):
            parse_xtce(document)


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
        assert parse_xtce(document).parameters == {}

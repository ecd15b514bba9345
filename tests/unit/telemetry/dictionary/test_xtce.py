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

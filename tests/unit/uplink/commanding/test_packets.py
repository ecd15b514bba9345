from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.fleet.telecommands import TelecommandDefinition
from telemetry.ccsds.space_packet import PacketError, decode_space_packet
from uplink.commanding.packets import (
    ArgumentProblem,
    ArgumentsError,
    check_arguments,
    describe,
    encode_telecommand,
    request_id,
)


def definition(*arguments: dict, **fields) -> TelecommandDefinition:
    row = {
        "name": "TRY",
        "apid": 201,
        "function_code": 7,
        "description": "A telecommand of the tests.",
        "arguments": list(arguments),
        "verification": {"accept_s": 60, "complete_s": 60},
        **fields,
    }
    return TelecommandDefinition.model_validate(row)


POWER = definition(
    {"name": "UNIT", "type": "enum", "values": {"GPU0": 0, "GPU1": 1}},
    {"name": "STATE", "type": "enum", "values": {"OFF": 0, "ON": 1}},
)
RATE = definition({"name": "PERIOD_S", "type": "uint8", "min": 1, "max": 60, "unit": "s"})
RUN_JOB = definition(
    {"name": "JOB", "type": "uint32"},
    {"name": "PROGRAM", "type": "enum", "values": {"MATRIX_PRODUCT": 1, "SHA256": 2}},
    {"name": "INPUT_SHA256", "type": "octets", "length": 32},
)


def one(argument_type: str, **options) -> TelecommandDefinition:
    return definition({"name": "X", "type": argument_type, **options})


def problems(of: TelecommandDefinition, arguments: dict) -> list[ArgumentProblem]:
    with pytest.raises(ArgumentsError) as caught:
        check_arguments(of, arguments)
    return list(caught.value.problems)


class TestEncodeTelecommand:
    def test_gives_the_octets_of_the_worked_example(self):
        packet = encode_telecommand(POWER, {"UNIT": "GPU1", "STATE": "ON"}, sequence_count=5)
        # version 0, type 1, no secondary header, APID 201; unsegmented, count 5; 3 octets.
        assert packet.hex(" ") == "10 c9 c0 05 00 02 07 01 01"

    def test_puts_the_arguments_big_endian_in_the_order_of_the_definition(self):
        digest = bytes(range(32))
        packet = encode_telecommand(
            RUN_JOB,
            {"INPUT_SHA256": digest.hex().upper(), "PROGRAM": "SHA256", "JOB": 0x01020304},
            sequence_count=0,
        )
        assert decode_space_packet(packet).data == b"\x07\x01\x02\x03\x04\x02" + digest

    def test_needs_no_arguments(self):
        packet = encode_telecommand(definition(), {}, sequence_count=16383)
        assert packet.hex(" ") == "10 c9 ff ff 00 00 07"

    @given(
        kind=st.sampled_from(
            [("uint8", "B"), ("uint16", "H"), ("uint32", "I"), ("int16", "h"), ("int32", "i")]
        ),
        data=st.data(),
    )
    def test_carries_every_integer(self, kind, data):
        name, code = kind
        low, high = one(name).arguments[0].limits()
        value = data.draw(st.integers(low, high))
        packet = encode_telecommand(one(name), {"X": value}, sequence_count=0)
        assert struct.unpack(f">{code}", packet[7:]) == (value,)

    @given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
    def test_carries_every_float(self, value):
        packet = encode_telecommand(one("float32"), {"X": value}, sequence_count=0)
        assert struct.unpack(">f", packet[7:]) == (value,)

    @given(text=st.text(max_size=20))
    def test_carries_a_text_behind_its_length(self, text):
        octets = text.encode()
        packet = encode_telecommand(one("string", length=80), {"X": text}, sequence_count=0)
        assert packet[7:] == bytes([len(octets)]) + octets

    def test_refuses_a_sequence_count_beyond_14_bits(self):
        with pytest.raises(PacketError, match="sequence count 16384"):
            encode_telecommand(definition(), {}, sequence_count=16384)


class TestRequestId:
    def test_is_packet_identification_and_sequence_control(self):
        packet = encode_telecommand(definition(), {}, sequence_count=5)
        assert request_id(packet) == (0x10C9 << 16) | 0xC005


class TestCheckArguments:
    def test_returns_the_stored_form_in_the_order_of_the_definition(self):
        stored = check_arguments(
            RUN_JOB, {"INPUT_SHA256": b"\xab" * 32, "JOB": "17", "PROGRAM": "SHA256"}
        )
        assert list(stored.items()) == [
            ("JOB", 17),
            ("PROGRAM", "SHA256"),
            ("INPUT_SHA256", "ab" * 32),
        ]

    @pytest.mark.parametrize("given_value", [0, 61, -1, "0", "sixty", 2.0, True, None, "", [5]])
    def test_refuses_what_is_no_allowed_whole_number(self, given_value):
        [problem] = problems(RATE, {"PERIOD_S": given_value})
        assert problem == ArgumentProblem(
            "PERIOD_S", repr(given_value), "a whole number from 1 to 60 s"
        )

    @pytest.mark.parametrize(
        "given_value", [float("nan"), float("inf"), "nan", 1e39, 10**400, True, None, "x", 4.1]
    )
    def test_refuses_what_is_no_allowed_number(self, given_value):
        of = one("float32", min=-1.5, max=4, unit="V")
        [problem] = problems(of, {"X": given_value})
        assert problem.allowed == "-1.5 to 4 V"

    @pytest.mark.parametrize("given_value", ["on", "2", 1, None, ["ON"]])
    def test_refuses_what_is_no_label(self, given_value):
        [problem] = problems(POWER, {"UNIT": "GPU0", "STATE": given_value})
        assert (problem.argument, problem.allowed) == ("STATE", "one of OFF, ON")

    @pytest.mark.parametrize("given_value", ["", "00", "0g" * 32, b"\0" * 31, 5, None])
    def test_refuses_octets_of_another_length(self, given_value):
        [problem] = problems(RUN_JOB, {"JOB": 1, "PROGRAM": "SHA256", "INPUT_SHA256": given_value})
        assert problem.allowed == "32 octets (64 hexadecimal digits)"

    @pytest.mark.parametrize("given_value", ["äbc", "abcd", 7, None, "\ud800"])
    def test_refuses_a_text_that_is_too_long_in_octets_or_none(self, given_value):
        [problem] = problems(one("string", length=3), {"X": given_value})
        assert problem.allowed == "text of at most 3 octets in UTF-8"

    def test_lists_every_wrong_missing_and_foreign_argument(self):
        found = problems(POWER, {"UNIT": "GPU2", "SPEED": 3})
        assert [str(problem) for problem in found] == [
            "UNIT: 'GPU2'; allowed: one of GPU0, GPU1",
            "STATE: missing; allowed: one of OFF, ON",
            "SPEED: 3; allowed: only UNIT, STATE",
        ]
        [foreign] = problems(definition(), {"X": 1})
        assert foreign.allowed == "no argument at all"

    def test_shows_a_long_value_short(self):
        [problem] = problems(RATE, {"PERIOD_S": "9" * 5000})
        assert len(problem.value) < 100

    @given(
        arguments=st.dictionaries(
            st.sampled_from(["JOB", "PROGRAM", "INPUT_SHA256", "MORE"]),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        )
    )
    def test_either_refuses_or_gives_what_can_be_encoded(self, arguments):
        try:
            stored = check_arguments(RUN_JOB, arguments)
        except ArgumentsError as refusal:
            listed = refusal.problems
            assert listed
        else:
            assert len(encode_telecommand(RUN_JOB, stored, sequence_count=0)) == 6 + 38


class TestDescribe:
    @pytest.mark.parametrize(
        ("of", "text"),
        [
            (RATE, "a whole number from 1 to 60 s"),
            (one("int16"), "a whole number from -32768 to 32767"),
            (one("uint32"), "a whole number from 0 to 4294967295"),
            (one("float32", min=0.5, max=2), "0.5 to 2"),
        ],
    )
    def test_says_what_an_argument_may_be(self, of, text):
        assert describe(of.arguments[0]) == text

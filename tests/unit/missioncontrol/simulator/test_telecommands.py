from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.fleet.telecommands import TelecommandDefinition
from missioncontrol.simulator.telecommands import (
    FailureCode,
    TelecommandReader,
    TelecommandRejectedError,
    request_id_of,
)
from telemetry.ccsds.space_packet import TELECOMMAND, SpacePacket
from tests.unit.missioncontrol.simulator.demo import demo_spacecraft
from uplink.commanding.packets import encode_telecommand, request_id

EVERYTHING = TelecommandDefinition.model_validate(
    {
        "name": "EVERYTHING",
        "apid": 300,
        "function_code": 9,
        "description": "One argument of each type.",
        "arguments": [
            {"name": "A", "type": "uint8", "min": 2, "max": 200},
            {"name": "B", "type": "uint16"},
            {"name": "C", "type": "uint32"},
            {"name": "D", "type": "int16"},
            {"name": "E", "type": "int32"},
            {"name": "F", "type": "float32", "min": -1.0, "max": 1.0},
            {"name": "G", "type": "enum", "values": {"OFF": 0, "ON": 7}},
            {"name": "H", "type": "string", "length": 12},
            {"name": "I", "type": "octets", "length": 5},
        ],
        "verification": {"accept_s": 60, "complete_s": 60},
    }
)


def reader():
    return TelecommandReader([*demo_spacecraft().telecommands, EVERYTHING])


def packet(apid, data, **changes):
    fields = {"packet_type": TELECOMMAND, "sequence_count": 5, **changes}
    return SpacePacket(apid=apid, data=data, **fields).encode()


class TestTelecommandReader:
    @given(
        arguments=st.fixed_dictionaries(
            {
                "A": st.integers(2, 200),
                "B": st.integers(0, 65_535),
                "C": st.integers(0, 2**32 - 1),
                "D": st.integers(-(2**15), 2**15 - 1),
                "E": st.integers(-(2**31), 2**31 - 1),
                "F": st.floats(-1, 1, width=32),
                "G": st.sampled_from(["OFF", "ON"]),
                "H": st.text(max_size=3),
                "I": st.binary(min_size=5, max_size=5),
            }
        ),
        count=st.integers(0, 16_383),
    )
    def test_reads_what_the_ground_encodes(self, arguments, count):
        octets = encode_telecommand(EVERYTHING, arguments, sequence_count=count)
        received = reader().read(octets)
        assert received.name == "EVERYTHING"
        assert received.arguments == arguments
        assert received.request_id == request_id(octets)

    @pytest.mark.parametrize(
        ("octets", "code"),
        [
            (packet(999, b"\1"), FailureCode.UNKNOWN_APID),
            (packet(200, b"\x63"), FailureCode.UNKNOWN_FUNCTION),
            (packet(200, b"\1\0"), FailureCode.WRONG_LENGTH),  # PING has no arguments
            (packet(200, b"\2"), FailureCode.WRONG_LENGTH),
            (packet(200, b"\2\0"), FailureCode.ARGUMENT_OUT_OF_RANGE),
            (packet(200, b"\2\x3d"), FailureCode.ARGUMENT_OUT_OF_RANGE),
            (packet(201, b"\1\2\0"), FailureCode.ARGUMENT_OUT_OF_RANGE),
            (packet(202, b"\1\0\0\0\7\1" + bytes(10)), FailureCode.WRONG_LENGTH),
            (packet(200, b"\1", packet_type=0), FailureCode.NOT_A_TELECOMMAND),
            (packet(200, b"\1", has_secondary_header=True), FailureCode.NOT_A_TELECOMMAND),
        ],
    )
    def test_says_why_it_rejects(self, octets, code):
        with pytest.raises(TelecommandRejectedError) as rejection:
            reader().read(octets)
        assert rejection.value.code is code

    @given(data=st.binary(min_size=1, max_size=60), apid=st.sampled_from([200, 201, 202, 300]))
    def test_never_fails_otherwise_on_noise(self, data, apid):
        try:
            received = reader().read(packet(apid, data))
        except TelecommandRejectedError:
            return
        assert received.request_id == request_id_of(packet(apid, data))

"""A spacecraft with a dictionary small enough to know by heart, and its packets and frames.

APID 100, Power: VOLT (warning 20 to 30, critical 10 to 40), TEMP (warning below 50, two
violations and two good values), MODE (IDLE, BUSY), RATE (float32).
APID 101: SPEED (warning up to 9). APID 110: the verification reports.
"""

from __future__ import annotations

import copy
import struct
from datetime import UTC, datetime, timedelta

from missioncontrol.fleet.models import Spacecraft
from telemetry.ccsds.clcw import Clcw
from telemetry.ccsds.frame_builder import VirtualChannelMultiplexer
from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket
from telemetry.ccsds.time_codes import CucFormat
from telemetry.ccsds.tm_frame import TmFrameFormat
from telemetry.pipeline import ReceivedFrame, ReceivedPacket
from tests import factories
from tests.unit.missioncontrol.fleet.demo_mission import document
from tests.unit.telemetry.dictionary import bits

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
SCID = 0x42
STATION = "KASHI"
CLOCK = CucFormat(coarse_octets=4, fine_octets=2, epoch=datetime(2000, 1, 1, tzinfo=UTC))
FORMAT = TmFrameFormat(frame_length_octets=128, has_ocf=True, has_fecf=True)
STAGES = {"ACCEPTANCE": 1, "START": 2, "COMPLETION": 3}


def _alarmed(name: str, alarm: str) -> str:
    return (
        f'<IntegerParameterType name="{name}"><UnitSet><Unit>V</Unit></UnitSet>'
        f'<IntegerDataEncoding sizeInBits="8"/>{alarm}</IntegerParameterType>'
    )


def _packet(name: str, apid: int, *fields: str) -> str:
    first, *others = fields
    return bits.container(
        name,
        f'<ParameterRefEntry parameterRef="{first}"><LocationInContainerInBits'
        ' referenceLocation="containerStart"><FixedValue>96</FixedValue>'
        "</LocationInContainerInBits></ParameterRefEntry>"
        + "".join(bits.entry(field) for field in others),
        base='<BaseContainer containerRef="/Craft/Packet"><RestrictionCriteria>'
        f'<Comparison parameterRef="/Craft/APID" value="{apid}"/>'
        "</RestrictionCriteria></BaseContainer>",
    )


def _enumeration(name: str, **labels: int) -> str:
    lines = "".join(f'<Enumeration value="{v}" label="{k}"/>' for k, v in labels.items())
    return (
        f'<EnumeratedParameterType name="{name}"><IntegerDataEncoding sizeInBits="8"/>'
        f"<EnumerationList>{lines}</EnumerationList></EnumeratedParameterType>"
    )


_POWER = (
    '<SpaceSystem name="Power">'
    + bits.telemetry(
        types=_alarmed(
            "volts",
            '<DefaultAlarm><StaticAlarmRanges><WarningRange minInclusive="20" maxInclusive="30"/>'
            '<CriticalRange minInclusive="10" maxInclusive="40"/></StaticAlarmRanges>'
            "</DefaultAlarm>",
        )
        + _alarmed(
            "degrees",
            '<DefaultAlarm minViolations="2" minConformance="2"><StaticAlarmRanges>'
            '<WarningRange maxInclusive="50"/></StaticAlarmRanges></DefaultAlarm>',
        )
        + _enumeration("modes", IDLE=0, BUSY=1)
        + '<FloatParameterType name="rate"><FloatDataEncoding sizeInBits="32"/>'
        '<ContextAlarmList><ContextAlarm><StaticAlarmRanges><WarningRange maxInclusive="500"/>'
        '</StaticAlarmRanges><ContextMatch><Comparison parameterRef="MODE" value="BUSY"/>'
        "</ContextMatch></ContextAlarm></ContextAlarmList></FloatParameterType>",
        parameters=bits.parameter("VOLT", "volts")
        + bits.parameter("TEMP", "degrees")
        + bits.parameter("MODE", "modes")
        + bits.parameter("RATE", "rate"),
        containers=_packet("PowerPacket", 100, "VOLT", "TEMP", "MODE", "RATE"),
    )
    + "</SpaceSystem>"
)
DICTIONARY = bits.document(
    types=bits.integer_type("u11", 11)
    + bits.integer_type("u32", 32)
    + bits.integer_type("u8", 8)
    + _enumeration("stages", **STAGES)
    + '<BooleanParameterType name="success" oneStringValue="SUCCESS" zeroStringValue="FAILURE">'
    '<IntegerDataEncoding sizeInBits="8"/></BooleanParameterType>'
    + _alarmed(
        "speed",
        '<DefaultAlarm><StaticAlarmRanges><WarningRange maxInclusive="9"/>'
        "</StaticAlarmRanges></DefaultAlarm>",
    ),
    parameters=bits.parameter("APID", "u11")
    + bits.parameter("SPEED", "speed")
    + bits.parameter("VER_REQUEST_ID", "u32")
    + bits.parameter("VER_STAGE", "stages")
    + bits.parameter("VER_SUCCESS", "success")
    + bits.parameter("VER_CODE", "u8"),
    containers=bits.container(
        "Packet",
        '<ParameterRefEntry parameterRef="APID"><LocationInContainerInBits>'
        "<FixedValue>5</FixedValue></LocationInContainerInBits></ParameterRefEntry>",
        abstract=True,
    )
    + _packet("WheelPacket", 101, "SPEED")
    + _packet("Report", 110, "VER_REQUEST_ID", "VER_STAGE", "VER_SUCCESS", "VER_CODE"),
    systems=_POWER,
).decode()


def spacecraft(name: str = "DD-1", **fields) -> Spacecraft:
    """A row with the demo mission's link and this dictionary."""
    [demo] = document()["spacecraft"]
    link = copy.deepcopy(demo["link_profile"])
    link["tm"]["frame_octets"] = FORMAT.frame_length_octets
    link["packet_time"]["epoch"] = "2000-01-01T00:00:00Z"
    values = {
        "ccsds_id": SCID,
        "link_profile": link,
        "cfdp_profile": demo["cfdp_profile"],
        "telemetry_dictionary": DICTIONARY,
        "telecommands": demo["telecommands"],
        **fields,
    }
    return factories.spacecraft(name, **values)


def after(second: float) -> datetime:
    return AT + timedelta(seconds=second)


def packet(apid: int, second: float, data: bytes, *, count: int | None = None) -> bytes:
    """A telemetry packet generated *second* seconds after AT."""
    return SpacePacket(
        packet_type=TELEMETRY,
        apid=apid,
        sequence_count=int(second) % 16384 if count is None else count,
        has_secondary_header=True,
        data=CLOCK.encode(after(second)) + data,
    ).encode()


def power(second: float, volts: int = 25, *, temp: int = 20, mode: int = 0, rate: float = 1.0):
    return packet(100, second, struct.pack(">BBBf", volts, temp, mode, rate))


def wheel(second: float, speed: int) -> bytes:
    return packet(101, second, bytes([speed]))


def report(second: float, request_id: int, stage: str, *, code: int = 0) -> bytes:
    return packet(110, second, struct.pack(">IBBB", request_id, STAGES[stage], not code, code))


def received(*packets: bytes, at: float = 1000.0, station: str = STATION) -> list[ReceivedPacket]:
    return [ReceivedPacket(octets=p, received_at=after(at), station=station) for p in packets]


def clcw(report_value: int = 0) -> bytes:
    return Clcw(
        virtual_channel_id=0,
        lockout=False,
        wait=False,
        retransmit=False,
        farm_b_counter=0,
        report_value=report_value,
    ).encode()


class Transmitter:
    """Puts packets into frames, counting on as a real one does."""

    def __init__(self) -> None:
        self._frames = VirtualChannelMultiplexer(spacecraft_id=SCID, frame_format=FORMAT)
        self.sent = 0

    def frames(self, *packets: bytes, channel: int = 0) -> list[bytes]:
        """The frames that carry *packets*; their CLCWs count the frames."""
        for octets in packets:
            self._frames.add_packet(channel, octets)
        made = []
        while self._frames.pending_octets(channel):
            made.append(self._frames.next_frame(clcw(self.sent % 256)))
            self.sent += 1
        return made


def heard(frames: list[bytes], *, at: float = 1000.0) -> list[ReceivedFrame]:
    return [ReceivedFrame(octets=f, received_at=after(at), station=STATION) for f in frames]

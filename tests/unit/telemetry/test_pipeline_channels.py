"""What the pipeline makes of AOS frames, partial packets, contexts and varying layouts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from telemetry.ccsds.aos_frame import (
    AosFrame,
    AosFrameFormat,
    AosService,
    encode_aos_frame,
    multiplexed_data,
)
from telemetry.ccsds.count_ledger import CountChange
from telemetry.ccsds.packet_batch import PacketBatch
from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket, idle_packet
from telemetry.ccsds.time_codes import CucFormat
from telemetry.ccsds.tm_frame import NO_PACKET_START
from telemetry.dictionary import compile_dictionary, parse_xtce
from telemetry.limits import LimitState, definition_of, needs_of_limits
from telemetry.pipeline import (
    PacketTime,
    ReceivedFrame,
    ReceivedPacket,
    TelemetryPipeline,
    unix_us,
)
from tests.unit.telemetry.dictionary import bits

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLOCK = CucFormat(epoch=datetime(2000, 1, 1, tzinfo=UTC))
FORMAT = AosFrameFormat(frame_length_octets=64, has_fecf=True, has_ocf=True, insert_zone_octets=2)
ZONE = FORMAT.data_field_octets - 2
TYPES = (
    bits.integer_type("u8", 8)
    + bits.integer_type("u11", 11)
    + '<EnumeratedParameterType name="mode_t"><IntegerDataEncoding sizeInBits="8"/>'
    '<EnumerationList><Enumeration value="0" label="OFF"/><Enumeration value="1" label="ON"/>'
    "</EnumerationList></EnumeratedParameterType>"
    '<IntegerParameterType name="volt_t"><IntegerDataEncoding sizeInBits="8"/>'
    '<DefaultAlarm><StaticAlarmRanges><WarningRange maxInclusive="30"/></StaticAlarmRanges>'
    '</DefaultAlarm><ContextAlarmList><ContextAlarm minViolations="1"><StaticAlarmRanges>'
    '<CriticalRange maxInclusive="5"/></StaticAlarmRanges><ContextMatch><Comparison'
    ' parameterRef="MODE" value="OFF"/></ContextMatch></ContextAlarm></ContextAlarmList>'
    "</IntegerParameterType>"
)


def placed(name: str, bit: int, inside: str = "") -> str:
    return (
        f'<ParameterRefEntry parameterRef="{name}"><LocationInContainerInBits'
        f' referenceLocation="containerStart"><FixedValue>{bit}</FixedValue>'
        f"</LocationInContainerInBits>{inside}</ParameterRefEntry>"
    )


def derived(name: str, apid: int, entries: str) -> str:
    base = (
        '<BaseContainer containerRef="Packet"><RestrictionCriteria>'
        f'<Comparison parameterRef="APID" value="{apid}"/></RestrictionCriteria></BaseContainer>'
    )
    return bits.container(name, entries, base=base)


EXTRA = '<IncludeCondition><Comparison parameterRef="VOLT" value="9"/></IncludeCondition>'
DICTIONARY = parse_xtce(
    bits.document(
        types=TYPES,
        parameters="".join(
            bits.parameter(n, t)
            for n, t in {
                "APID": "u11",
                "VOLT": "volt_t",
                "MODE": "mode_t",
                "X": "u8",
                "N": "u8",
                "CELL": "volt_t",
            }.items()
        ),
        containers=bits.container("Packet", placed("APID", 5), abstract=True)
        + derived("Power", 100, placed("VOLT", 96) + placed("X", 104, EXTRA))
        + derived("Modes", 101, placed("MODE", 96))
        + derived(
            "Cells",
            102,
            placed("N", 96)
            + '<ParameterRefEntry parameterRef="CELL"><RepeatEntry><Count><DynamicValue>'
            '<ParameterInstanceRef parameterRef="N"/></DynamicValue></Count></RepeatEntry>'
            "</ParameterRefEntry>",
        ),
    )
)


def packet(
    second: float, value: int, *more: int, apid: int = 100, count: int | None = None
) -> bytes:
    data = CLOCK.encode(START + timedelta(seconds=second)) + bytes([value, *(more or (7,))])
    return SpacePacket(
        packet_type=TELEMETRY,
        apid=apid,
        sequence_count=int(second) if count is None else count,
        has_secondary_header=True,
        data=data,
    ).encode()


def pipeline(**changes) -> TelemetryPipeline:
    parameters = DICTIONARY.parameters
    limits = [definition_of(p, parameters) for p in parameters.values()]
    known = [limit for limit in limits if limit is not None]
    settings = {
        "spacecraft_id": 42,
        "decoder": compile_dictionary(DICTIONARY, follow=needs_of_limits(DICTIONARY)),
        "parameters": parameters,
        "limit_definitions": known,
        "frame_format": FORMAT,
        "packet_time": PacketTime(code=CLOCK),
    }
    return TelemetryPipeline(**(settings | changes))


def bare(*packets: bytes):
    at = START + timedelta(hours=1)
    return [ReceivedPacket(octets=octets, received_at=at, station="KASHI") for octets in packets]


def frames(*fields: dict) -> list[ReceivedFrame]:
    received = []
    for each in fields:
        settings = {
            "spacecraft_id": 42,
            "virtual_channel_id": 1,
            "insert_zone": b"\0\0",
            "ocf": b"\0\0\0\0",
        }
        octets = encode_aos_frame(AosFrame(**(settings | each)), FORMAT)
        at = START + timedelta(hours=1)
        received.append(ReceivedFrame(octets=octets, received_at=at, station="KASHI"))
    return received


def packet_frames(*packets: bytes, channel: int = 1, first_count: int = 0) -> list[ReceivedFrame]:
    stream, starts = b"".join(packets), [0]
    for each in packets:
        starts.append(starts[-1] + len(each))
    stream += idle_packet(max(7, -len(stream) % ZONE + (ZONE if -len(stream) % ZONE < 7 else 0)))
    made = []
    for number, begin in enumerate(range(0, len(stream) - ZONE + 1, ZONE)):
        inside = [s - begin for s in starts if begin <= s < begin + ZONE]
        pointer = inside[0] if inside else NO_PACKET_START
        made.append(
            {
                "virtual_channel_id": channel,
                "virtual_channel_frame_count": (first_count + number) % (1 << 24),
                "data": multiplexed_data(pointer, stream[begin : begin + ZONE]),
            }
        )
    return frames(*made)


class TestAosFrames:
    def test_takes_packets_out_and_counts_by_a_count_of_24_bits(self):
        sent = [packet(second, 20) for second in range(60)]
        received = packet_frames(*sent, first_count=(1 << 24) - 8)
        result = pipeline().receive_frames([*received[:6], *received[9:]])
        assert result.frames_lost == {1: 3}
        assert result.frames_good == len(received) - 3
        assert len(result.clcws) == result.frames_good
        # Three frames of 48 octets hold ten packets of 14, and parts of two more.
        assert result.packets_lost == {100: 11}
        [(key, counts)] = result.packet_counts.items()
        assert key == (1, 100)
        assert counts.received + counts.lost == int(result.packets[-1].sequence_count) + 1

    def test_keeps_the_octets_of_packets_whose_rest_did_not_come(self):
        received = packet_frames(*[packet(second, 20) for second in range(20)])
        result = pipeline().receive_frames([received[0], received[2]])
        [partial] = result.partial_packets
        assert (partial.fault, partial.station) == ("partial_packet", "KASHI")
        assert packet(3, 20).startswith(partial.octets) or len(partial.octets) < 14
        assert result.partial_packets_dropped == 1
        assert result.bad_frames == []

    def test_counts_frames_of_idle_data_and_takes_nothing_out_of_them(self):
        idle = {
            "virtual_channel_id": 63,
            "virtual_channel_frame_count": 0,
            "data": b"\x55" * FORMAT.data_field_octets,
        }
        result = pipeline().receive_frames(frames(idle, idle | {"virtual_channel_frame_count": 3}))
        assert (result.frames_good, result.frames_idle, len(result.packets)) == (2, 2, 0)
        assert result.frames_lost == {63: 2}
        assert [(d.service, d.octets) for d in result.channel_data] == [("insert", b"\0\0")] * 2

    def test_passes_on_what_bitstream_and_access_channels_carry(self):
        services = {2: AosService.BITSTREAM, 3: AosService.ACCESS}
        zone = bytes(range(ZONE))
        data = b"\x00\x0b" + zone
        sent = [
            {"virtual_channel_id": channel, "virtual_channel_frame_count": 5, "data": data}
            for channel in (2, 3)
        ]
        result = pipeline(aos_services=services).receive_frames(frames(*sent))
        found = [
            (d.service, d.virtual_channel, d.octets, d.bits)
            for d in result.channel_data
            if d.service != "insert"
        ]
        assert found == [("bitstream", 2, zone, 12), ("access", 3, data, 8 * len(data))]
        bad = pipeline(aos_services=services).receive_frames(
            frames(sent[0] | {"data": b"\x3f\xf0" + zone})
        )
        assert [b.fault for b in bad.bad_frames] == ["bitstream_pointer"]

    def test_tells_by_a_key_why_each_frame_was_refused(self):
        good = packet_frames(packet(1, 20))[0].octets
        at = START
        spoilt = [good[:-1], good[:20] + b"!!" + good[22:]]
        other = encode_aos_frame(
            AosFrame(
                spacecraft_id=7,
                virtual_channel_id=1,
                virtual_channel_frame_count=0,
                data=bytes(FORMAT.data_field_octets),
                insert_zone=b"\0\0",
                ocf=b"\0\0\0\0",
            ),
            FORMAT,
        )
        received = [
            ReceivedFrame(octets=octets, received_at=at, station="KASHI")
            for octets in [*spoilt, other, good, good]
        ]
        result = pipeline().receive_frames(received)
        assert [bad.fault for bad in result.bad_frames] == [
            *("length", "fecf", "spacecraft", "repeated")
        ]


class TestCounts:
    def test_tells_losses_by_virtual_channel_and_apid(self):
        one = packet_frames(packet(0, 20, count=5), packet(1, 20, count=8), channel=1)
        two = packet_frames(packet(0, 20, count=1), packet(1, 20, count=2), channel=2)
        result = pipeline().receive_frames([*one, *two])
        assert result.packet_counts == {
            (1, 100): CountChange(received=2, lost=2),
            (2, 100): CountChange(received=2),
        }
        assert result.packets_lost == {100: 2}

    def test_takes_a_loss_back_when_the_packet_comes_late(self):
        line = pipeline()
        first = line.receive_packets(bare(packet(0, 20), packet(2, 20)))
        second = line.receive_packets(bare(packet(1, 20)))
        assert (first.packets_lost, second.packets_lost) == ({100: 1}, {100: -1})


class TestVaryingLayouts:
    def test_keeps_packets_of_one_container_live_whatever_they_hold(self):
        # Volts of 9 bring one parameter more, so that two batches take turns in time.
        packets = [packet(s, volts) for s, volts in enumerate([9, 20, 9, 35, 9, 35])]
        result = pipeline().receive_packets(bare(*packets))
        assert [b.packet_indices.tolist() for b in result.batches] == [[0, 2, 4], [1, 3, 5]]
        assert [(t.current.name, t.recorded) for t in result.transitions] == [
            *(("WARNING", False), ("NOMINAL", False), ("WARNING", False))
        ]
        assert [b.states["VOLT"].tolist() for b in result.batches] == [[0, 0, 0], [0, 2, 2]]


class TestContexts:
    @pytest.mark.parametrize("cut", range(6))
    def test_takes_limits_by_the_mode_that_another_packet_told(self, cut):
        packets = [
            packet(0, 20),
            packet(1, 0, apid=101),
            packet(2, 20),
            packet(3, 1, apid=101),
            packet(4, 20),
        ]
        line = pipeline()
        results = [line.receive_packets(bare(*part)) for part in (packets[:cut], packets[cut:])]
        changes = [t for result in results for t in result.transitions]
        assert [(t.current.name, t.limit) for t in changes] == [
            ("CRITICAL", "CRITICAL above 5"),
            ("NOMINAL", "CRITICAL"),
        ]


class TestLimitsOfWhatAPacketHasSeveralOf:
    def test_hold_for_each_of_them_from_the_first_time_it_comes(self):
        line = pipeline()
        first = line.receive_packets(bare(packet(0, 2, 20, 40, apid=102)))
        second = line.receive_packets(
            bare(packet(1, 0, apid=101), packet(2, 3, 20, 5, 40, apid=102))
        )
        assert [
            (t.parameter, t.previous.name, t.current.name)
            for result in (first, second)
            for t in result.transitions
        ] == [
            ("CELL[1]", "NOMINAL", "WARNING"),
            ("CELL[0]", "NOMINAL", "CRITICAL"),
            ("CELL[1]", "WARNING", "NOMINAL"),
            ("CELL[2]", "NOMINAL", "CRITICAL"),
        ]

    def test_begin_in_the_state_that_they_were_left_in(self):
        line = pipeline(states_in_force={"CELL[1]": LimitState.WARNING})
        result = line.receive_packets(bare(packet(0, 2, 20, 40, apid=102)))
        assert result.transitions == []
        assert [batch.states["CELL[1]"].tolist() for batch in result.batches] == [[2]]


class TestPacketColumns:
    def test_takes_packets_in_one_piece_as_it_does_one_by_one(self):
        sent = [packet(second, 20 + 5 * second, count=2 * second) for second in range(6)]
        at = START + timedelta(hours=1)
        one_by_one = pipeline().receive_packets(bare(*sent))
        together = pipeline().receive_packet_columns(
            PacketBatch.of(sent),
            received_us=np.full(6, unix_us(at)),
            station="KASHI",
        )
        assert together.packets == one_by_one.packets
        assert together.transitions == one_by_one.transitions
        assert together.packet_counts == one_by_one.packet_counts
        assert [b.packet_indices.tolist() for b in together.batches] == [
            b.packet_indices.tolist() for b in one_by_one.batches
        ]

    def test_reads_as_a_sequence_of_packets_and_as_columns(self):
        sent = [packet(second, 20) for second in range(4)]
        packets = pipeline().receive_packets(bare(*sent)).packets
        assert [p.octets for p in packets] == sent
        assert packets[-1] == packets[3]
        assert [p.sequence_count for p in packets[1:3]] == [1, 2]
        assert packets.apids.tolist() == [100] * 4
        assert packets.virtual_channels.tolist() == [-1] * 4
        assert packets.station_names == ("KASHI",)
        with pytest.raises(IndexError):
            packets[4]

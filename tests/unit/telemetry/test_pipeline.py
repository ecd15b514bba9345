from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.clcw import Clcw
from telemetry.ccsds.frame_builder import VirtualChannelMultiplexer
from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket
from telemetry.ccsds.time_codes import CdsFormat, CucFormat
from telemetry.ccsds.tm_frame import TmFrame, TmFrameFormat, encode_tm_frame
from telemetry.dictionary import compile_dictionary, parse_xtce
from telemetry.limits import LimitState, definition_of
from telemetry.pipeline import (
    PacketTime,
    ReceivedFrame,
    ReceivedPacket,
    TelemetryPipeline,
    unix_us,
)
from tests.unit.telemetry.dictionary import bits
from tests.unit.telemetry.dictionary.test_oracle import split_packets
from tests.vectors import shared_vector

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
START = datetime(2026, 12, 1, tzinfo=UTC)
FORMAT = TmFrameFormat(frame_length_octets=64, has_ocf=True, has_fecf=True)
SPACECRAFT_ID = 42
CLOCK = CucFormat(coarse_octets=4, fine_octets=2, epoch=EPOCH)
CLCW = Clcw(
    virtual_channel_id=0,
    lockout=False,
    wait=False,
    retransmit=False,
    farm_b_counter=1,
    report_value=9,
).encode()

DICTIONARY = parse_xtce(
    bits.document(
        types=bits.integer_type("u11", 11)
        + bits.integer_type("u8", 8)
        + '<IntegerParameterType name="volts"><UnitSet><Unit>V</Unit></UnitSet>'
        + '<IntegerDataEncoding sizeInBits="8"/><DefaultAlarm><StaticAlarmRanges>'
        + '<WarningRange minInclusive="20" maxInclusive="30"/></StaticAlarmRanges></DefaultAlarm>'
        + "</IntegerParameterType>",
        parameters=bits.parameter("APID", "u11")
        + bits.parameter("VOLT", "volts")
        + bits.parameter("MODE", "u8"),
        containers=bits.container(
            "Packet",
            '<ParameterRefEntry parameterRef="APID"><LocationInContainerInBits>'
            "<FixedValue>5</FixedValue></LocationInContainerInBits></ParameterRefEntry>",
            abstract=True,
        )
        + bits.container(
            "Power",
            '<ParameterRefEntry parameterRef="VOLT"><LocationInContainerInBits'
            ' referenceLocation="containerStart"><FixedValue>96</FixedValue>'
            "</LocationInContainerInBits></ParameterRefEntry>" + bits.entry("MODE"),
            base='<BaseContainer containerRef="Packet"><RestrictionCriteria>'
            '<Comparison parameterRef="APID" value="100"/></RestrictionCriteria></BaseContainer>',
        ),
    )
)


def power_packet(second: float, volts: int, *, count: int | None = None, apid: int = 100) -> bytes:
    generated = START + timedelta(seconds=second)
    return SpacePacket(
        packet_type=TELEMETRY,
        apid=apid,
        sequence_count=int(second) % 16384 if count is None else count,
        has_secondary_header=True,
        data=CLOCK.encode(generated) + bytes([volts, 7]),
    ).encode()


def pipeline(**changes) -> TelemetryPipeline:
    limits = [definition_of(parameter) for parameter in DICTIONARY.parameters.values()]
    settings = {
        "spacecraft_id": SPACECRAFT_ID,
        "decoder": compile_dictionary(DICTIONARY),
        "parameters": DICTIONARY.parameters,
        "limit_definitions": [limit for limit in limits if limit is not None],
        "frame_format": FORMAT,
        "packet_time": PacketTime(code=CLOCK),
        "file_apids": {120},
    }
    return TelemetryPipeline(**{**settings, **changes})


def frames_of(*packets: bytes, channel: int = 0, ocf: bytes = CLCW) -> list[bytes]:
    multiplexer = VirtualChannelMultiplexer(spacecraft_id=SPACECRAFT_ID, frame_format=FORMAT)
    for packet in packets:
        multiplexer.add_packet(channel, packet)
    frames = []
    while multiplexer.pending_octets(channel):
        frames.append(multiplexer.next_frame(ocf))
    return frames


def received(frames: list[bytes], *, station: str = "KASHI", after_s: float = 100_000.0):
    at = START + timedelta(seconds=after_s)
    return [ReceivedFrame(octets=octets, received_at=at, station=station) for octets in frames]


def bare(*packets: bytes, station: str = "KASHI", after_s: float = 100_000.0):
    at = START + timedelta(seconds=after_s)
    return [ReceivedPacket(octets=octets, received_at=at, station=station) for octets in packets]


class TestFrames:
    def test_gives_packets_with_their_own_time_and_columns_of_raw_values(self):
        packets = [power_packet(second, 20 + second) for second in range(10)]
        result = pipeline().receive_frames(received(frames_of(*packets)))
        assert [p.octets for p in result.packets] == packets
        assert [p.generated_at for p in result.packets] == [
            START + timedelta(seconds=second) for second in range(10)
        ]
        [batch] = result.batches
        assert batch.container == "Power"
        assert batch.columns["VOLT"].tolist() == list(range(20, 30))
        assert batch.sequence_counts.tolist() == list(range(10))
        assert batch.generation_times_us.tolist() == [
            unix_us(START) + second * 1_000_000 for second in range(10)
        ]
        assert (result.bad_frames, result.undecoded, result.frames_lost) == ([], [], {})

    @given(cuts=st.lists(st.integers(0, 12), max_size=4))
    def test_does_not_depend_on_how_the_frames_are_cut_into_batches(self, cuts):
        frames = received(frames_of(*[power_packet(s, 15 + s % 20) for s in range(40)]))
        whole = pipeline().receive_frames(frames)
        parts, following, done = pipeline(), [], 0
        for cut in sorted({*(min(c, len(frames)) for c in cuts), len(frames)}):
            following.append(parts.receive_frames(frames[done:cut]))
            done = cut
        assert [p for r in following for p in r.packets] == whole.packets
        assert [t for r in following for t in r.transitions] == whole.transitions
        volts = [v for r in following for b in r.batches for v in b.columns["VOLT"].tolist()]
        assert volts == whole.batches[0].columns["VOLT"].tolist()

    def test_keeps_a_frame_with_a_flipped_bit_and_goes_on(self):
        frames = frames_of(*[power_packet(second, 25) for second in range(30)])
        spoilt = bytearray(frames[3])
        spoilt[20] ^= 4
        result = pipeline().receive_frames(received([*frames[:3], bytes(spoilt), *frames[4:]]))
        [bad] = result.bad_frames
        assert (bad.octets, bad.station) == (bytes(spoilt), "KASHI")
        assert "frame error control field" in bad.reason
        assert result.frames_lost == {0: 1}
        assert result.packets_lost[100] == 30 - len(result.packets)
        assert 20 < len(result.packets) < 30

    def test_refuses_frames_of_another_spacecraft(self):
        multiplexer = VirtualChannelMultiplexer(spacecraft_id=7, frame_format=FORMAT)
        result = pipeline().receive_frames(received([multiplexer.next_frame(CLCW)]))
        assert [bad.reason for bad in result.bad_frames] == [
            "spacecraft identifier 7, expected 42"
        ]
        assert result.clcws == []

    def test_refuses_a_frame_that_says_it_holds_no_packets(self):
        frame = TmFrame(
            spacecraft_id=SPACECRAFT_ID,
            virtual_channel_id=0,
            master_channel_frame_count=0,
            virtual_channel_frame_count=0,
            first_header_pointer=0,
            data=bytes(FORMAT.data_field_octets),
            ocf=CLCW,
            synchronisation_flag=True,
        )
        result = pipeline().receive_frames(received([encode_tm_frame(frame, FORMAT)]))
        assert "synchronisation flag" in result.bad_frames[0].reason

    def test_tells_the_newest_clcw_of_each_channel_and_all_of_them(self):
        later = Clcw(
            virtual_channel_id=0,
            lockout=True,
            wait=False,
            retransmit=False,
            farm_b_counter=1,
            report_value=10,
        ).encode()
        frames = [*frames_of(power_packet(1, 25)), *frames_of(power_packet(2, 25), ocf=later)]
        result = pipeline().receive_frames(received(frames))
        assert [clcw.word for clcw in result.clcws] == [CLCW, later]
        assert result.latest_clcws[0].clcw.lockout is True

    def test_counts_operational_control_fields_that_are_no_clcw(self):
        result = pipeline().receive_frames(
            received(frames_of(power_packet(1, 25), ocf=b"\x80\0\0\0"))
        )
        assert (result.ocfs_unread, result.clcws, len(result.packets)) == (1, [], 1)

    def test_keeps_two_stations_that_hear_the_same_pass_apart(self):
        frames = frames_of(*[power_packet(second, 25) for second in range(20)])
        both = [
            frame
            for a, b in zip(received(frames), received(frames, station="SANYA"), strict=True)
            for frame in (a, b)
        ]
        result = pipeline().receive_frames(both)
        assert (result.frames_lost, result.packets_lost, result.bad_frames) == ({}, {}, [])
        assert len(result.packets) == 40

    def test_counts_no_loss_across_the_beginning_of_a_contact(self):
        line = pipeline()
        frames = frames_of(*[power_packet(second, 25) for second in range(60)])
        line.receive_frames(received(frames[:3]))
        line.begin_contact("KASHI")
        result = line.receive_frames(received(frames[10:]))
        assert (result.frames_lost, result.packets_lost) == ({}, {})
        assert len(result.packets) > 10

    def test_refuses_frames_on_a_link_of_bare_packets(self):
        with pytest.raises(ValueError, match="give a frame_format"):
            pipeline(frame_format=None).receive_frames([])

    @given(
        octets=st.lists(
            st.one_of(st.binary(max_size=80), st.binary(min_size=64, max_size=64)), max_size=10
        ),
        flips=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 511)), max_size=6),
    )
    def test_never_raises_on_noise_and_accounts_for_every_frame(self, octets, flips):
        frames = [bytearray(f) for f in frames_of(*[power_packet(s, 25) for s in range(15)])]
        for index, bit in flips:
            frames[index % len(frames)][bit // 8] ^= 1 << bit % 8
        mixed = [*map(bytes, frames), *octets]
        result = pipeline(
            frame_format=TmFrameFormat(frame_length_octets=64, has_ocf=True, has_fecf=False)
        ).receive_frames(received(mixed))
        assert result.frames_good + len({bad.octets for bad in result.bad_frames}) <= 2 * len(
            mixed
        )
        assert result.frames_good + len(result.bad_frames) >= len(mixed)


class TestPackets:
    def test_passes_file_packets_through_undecoded(self):
        file_packet = power_packet(1, 25, apid=120)
        result = pipeline().receive_packets(bare(file_packet, power_packet(1, 25)))
        assert [p.apid for p in result.packets] == [120, 100]
        assert result.undecoded == []
        assert [batch.packet_indices.tolist() for batch in result.batches] == [[1]]

    def test_keeps_a_packet_that_no_container_fits_and_says_so(self):
        result = pipeline().receive_packets(
            bare(power_packet(1, 25, apid=120), power_packet(1, 25, apid=99))
        )
        assert len(result.packets) == 2
        [undecoded] = result.undecoded
        assert undecoded.index == 1
        assert "no container derived from Packet" in undecoded.reason

    def test_refuses_packets_whose_length_is_wrong(self):
        packet = power_packet(1, 25)
        result = pipeline().receive_packets(bare(packet[:-1], b"\0", packet))
        assert [bad.reason for bad in result.bad_frames] == [
            "packet of 13 octets whose header announces 14",
            "a packet header has 6 octets, 1 are present",
        ]
        assert len(result.packets) == 1

    def test_counts_lost_packets_but_not_repeats(self):
        counts = [10, 11, 14, 14, 15, 11, 12]
        packets = [power_packet(i, 25, count=c) for i, c in enumerate(counts)]
        assert pipeline().receive_packets(bare(*packets)).packets_lost == {100: 2}

    def test_counts_no_loss_where_the_count_wraps(self):
        packets = [power_packet(i, 25, count=c) for i, c in enumerate([16383, 0])]
        assert pipeline().receive_packets(bare(*packets)).packets_lost == {}

    @given(packets=st.lists(st.binary(max_size=30), max_size=20))
    def test_never_raises_on_noise(self, packets):
        result = pipeline().receive_packets(bare(*packets))
        idle = sum(
            1
            for p in packets
            if len(p) > 6
            and int.from_bytes(p[:2], "big") & 0x7FF == 0x7FF
            and p not in [bad.octets for bad in result.bad_frames]
        )
        assert len(result.packets) + len(result.bad_frames) + idle == len(packets)


class TestGenerationTime:
    def test_falls_back_to_reception_without_a_secondary_header(self):
        packet = SpacePacket(
            packet_type=TELEMETRY, apid=100, sequence_count=0, data=bytes(8)
        ).encode()
        [good] = pipeline().receive_packets(bare(packet)).packets
        assert (good.generated_at, good.has_own_time) == (good.received_at, False)

    def test_falls_back_to_reception_when_the_packet_is_too_short_for_a_time(self):
        packet = SpacePacket(
            packet_type=TELEMETRY,
            apid=120,
            sequence_count=0,
            has_secondary_header=True,
            data=b"\1",
        ).encode()
        [good] = pipeline().receive_packets(bare(packet)).packets
        assert good.has_own_time is False

    def test_falls_back_to_reception_when_the_clock_runs_hours_ahead(self):
        packet = power_packet(10 * 3600, 25)
        [good] = pipeline().receive_packets(bare(packet, after_s=3600)).packets
        assert (good.generated_at, good.has_own_time) == (good.received_at, False)

    def test_reads_the_day_segmented_time_of_real_packets(self):
        xml = shared_vector("xtce_jpss/jpss1_geolocation_xtce_v1.xml").read_bytes()
        stream = shared_vector("xtce_jpss/J01_geolocation_packets.bin").read_bytes()
        dictionary = parse_xtce(xml)
        line = TelemetryPipeline(
            spacecraft_id=159,
            decoder=compile_dictionary(dictionary),
            parameters=dictionary.parameters,
            packet_time=PacketTime(code=CdsFormat(day_octets=2, submillisecond_octets=2)),
        )
        packets = [
            ReceivedPacket(octets=octets, received_at=START, station="FILE")
            for octets in split_packets(stream)[:100]
        ]
        result = line.receive_packets(packets)
        [batch] = result.batches
        day = batch.columns["DOY"].astype(np.int64) * 86_400_000_000
        of_day = batch.columns["MSEC"].astype(np.int64) * 1000 + batch.columns["USEC"]
        since_1958 = day + of_day + unix_us(datetime(1958, 1, 1, tzinfo=UTC))
        assert batch.generation_times_us.tolist() == since_1958.tolist()
        assert result.packets[0].generated_at.year == 2021


class TestLimits:
    def transitions(self, result):
        return [
            (t.parameter, t.previous.name, t.current.name, t.value, t.recorded)
            for t in result.transitions
        ]

    def test_tells_when_a_value_leaves_its_range_and_returns(self):
        packets = [power_packet(s, volts) for s, volts in enumerate([25, 31, 32, 25])]
        result = pipeline().receive_packets(bare(*packets))
        assert self.transitions(result) == [
            ("VOLT", "NOMINAL", "WARNING", 31, False),
            ("VOLT", "WARNING", "NOMINAL", 25, False),
        ]
        assert result.transitions[0].limit == "WARNING below 20 or above 30"
        assert result.transitions[0].generated_at == START + timedelta(seconds=1)
        assert result.batches[0].states["VOLT"].tolist() == [0, 2, 2, 0]

    def test_checks_in_order_of_generation_within_a_batch(self):
        packets = [power_packet(s, volts) for s, volts in [(2, 25), (1, 31), (0, 25)]]
        result = pipeline().receive_packets(bare(*packets))
        assert [t.current for t in result.transitions] == [LimitState.WARNING, LimitState.NOMINAL]

    def test_tells_an_excursion_of_the_past_without_touching_the_state_in_force(self):
        line = pipeline()
        line.receive_packets(bare(power_packet(100, 25)))
        dump = line.receive_packets(bare(*[power_packet(s, 31) for s in range(5)]))
        assert self.transitions(dump) == [("VOLT", "NOMINAL", "WARNING", 31, True)]
        live = line.receive_packets(bare(power_packet(101, 31)))
        assert self.transitions(live) == [("VOLT", "NOMINAL", "WARNING", 31, False)]

    def test_tells_once_what_two_stations_delivered(self):
        line = pipeline()
        packets = [power_packet(0, 25), power_packet(1, 31)]
        first = line.receive_packets(bare(*packets))
        second = line.receive_packets(bare(*packets, station="SANYA"))
        assert len(first.transitions) == 1
        assert second.transitions == []
        assert second.batches[0].states["VOLT"].tolist() == [0, 2]

    def test_a_repeat_does_not_count_towards_persistence(self):
        limits = [definition_of(DICTIONARY.parameters["VOLT"])]
        patient = [replace(limit, min_violations=2) for limit in limits if limit is not None]
        line = pipeline(limit_definitions=patient)
        same = power_packet(1, 31)
        assert line.receive_packets(bare(same, same)).transitions == []
        later = line.receive_packets(bare(power_packet(2, 31)))
        assert self.transitions(later) == [("VOLT", "NOMINAL", "WARNING", 31, False)]

    @given(
        volts=st.lists(st.sampled_from([10, 25, 26, 27, 40]), min_size=1, max_size=30),
        late=st.integers(0, 30),
        cuts=st.lists(st.integers(0, 30), max_size=4),
        violations=st.integers(1, 3),
        conformance=st.integers(1, 3),
    )
    def test_a_quick_look_changes_nothing_that_a_full_check_finds(
        self, volts, late, cuts, violations, conformance
    ):
        limit = definition_of(DICTIONARY.parameters["VOLT"])
        limit = replace(limit, min_violations=violations, min_conformance=conformance)
        packets = [power_packet(second, value) for second, value in enumerate(volts)]
        packets += packets[:late]  # recorded, or repeats
        edges = [0, *sorted(cuts), len(packets)]
        found = []
        for screens in (True, False):
            flow = pipeline(
                limit_definitions=[limit], states_in_force={"VOLT": LimitState.WARNING}
            )
            if not screens:
                flow._watch._screen.nominal = lambda columns: set()
            results = [
                flow.receive_packets(bare(*packets[begin:end])) for begin, end in pairwise(edges)
            ]
            states = [batch.states["VOLT"].tolist() for r in results for batch in r.batches]
            found.append((states, [t for r in results for t in r.transitions]))
        assert found[0] == found[1]

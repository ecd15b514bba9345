from __future__ import annotations

import hashlib
import itertools
import random
import struct
import time
from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.simulator.simulation import setups_of
from missioncontrol.simulator.spacecraft import Spacecraft
from telemetry.ccsds.space_packet import TELECOMMAND, SpacePacket, decode_space_packet
from telemetry.dictionary import compile_dictionary
from tests.unit.missioncontrol.simulator.demo import OUT_OF_PASS, demo_dictionary, demo_mission
from tests.unit.missioncontrol.simulator.fakes import (
    IN_CONTACT,
    LISTENING,
    SILENCE,
    UNATTENDED,
    FakeGround,
)
from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codec import encode_pdu
from uplink.cfdp.effects import FileComplete, VerifyChecksum, WriteSegment
from uplink.cfdp.entity import CfdpEntity
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.request import PutRequest
from uplink.tc.cltu import encode_cltu
from uplink.tc.tc_frame import (
    SegmentFlags,
    SegmentHeader,
    TcFrame,
    TcFrameFormat,
    encode_tc_frame,
)

T0 = OUT_OF_PASS
HOUSEKEEPING = [100, 101, 102, 103, 104, 105]
ACCEPTANCE, START, COMPLETION = 1, 2, 3
PING = struct.pack(">B", 1)


class Flight:
    """A spacecraft with a ground that the test sets, and a hand on the radio."""

    def __init__(self, folder, at=T0):
        [setup] = setups_of(demo_mission(), folder, at)
        self.spacecraft = Spacecraft(setup, at=at, rng=random.Random(2))
        self.ground = FakeGround()
        self.at = at
        self.sequence_number = 0
        self.counts = {}

    def fly(self, seconds, state=None, *, tick_s=0.5):
        if state is not None:
            self.ground.state = state
        end = self.at + timedelta(seconds=seconds)
        while self.at < end:
            self.at = min(end, self.at + timedelta(seconds=tick_s))
            self.spacecraft.advance(self.at, self.ground)

    def command(self, apid, data):
        count = self.counts.get(apid, 0)
        self.counts[apid] = count + 1
        packet = SpacePacket(
            packet_type=TELECOMMAND, apid=apid, sequence_count=count, data=data
        ).encode()
        self.radiate(packet, channel=0, number=self.sequence_number)
        self.sequence_number += 1
        return int.from_bytes(packet[:4], "big")

    def radiate(self, packet, *, channel, number=0):
        frame = TcFrame(
            spacecraft_id=171,
            virtual_channel_id=channel,
            bypass=channel == 1,
            frame_sequence_number=number,
            segment_header=SegmentHeader(SegmentFlags.UNSEGMENTED, 0),
            data=packet,
        )
        cltu = encode_cltu(encode_tc_frame(frame, TcFrameFormat()))
        self.spacecraft.receive_cltu(cltu, self.at)

    def send_file(self, name, content):
        """Send a file without losses, and take no notice of what comes back."""
        entity = CfdpEntity(CfdpProfile(local_entity_id=1, remote_entity_id=2))
        entity.put(
            PutRequest(
                source_file_name=name, destination_file_name=name, size_octets=len(content)
            ),
            sequence_number=1,
            at=self.at,
        )
        for pdu in entity.next_pdus(
            lambda _one, offset, length: content[offset : offset + length],
            at=self.at,
            max_octets=10**6,
        ):
            packet = SpacePacket(
                packet_type=TELECOMMAND, apid=121, sequence_count=0, data=encode_pdu(pdu)
            )
            self.radiate(packet.encode(), channel=1)

    def run_job(self, number, content, *, digest=None):
        digest = digest or hashlib.sha256(content).digest()
        return self.command(202, struct.pack(">BIB", 1, number, 2) + digest)


@pytest.fixture
def flight(tmp_path):
    return Flight(tmp_path)


def finish(flight):
    """Let the worker thread finish what it computes."""
    time.sleep(0.05)


class TestTelemetry:
    def test_sends_every_housekeeping_packet_each_second_and_the_dictionary_knows_them(
        self, flight
    ):
        flight.fly(10, LISTENING)
        packets = [octets for _, octets, _ in flight.ground.packets]
        assert flight.ground.apids(0)[:6] == HOUSEKEEPING
        assert 54 <= len(packets) <= 60
        result = compile_dictionary(demo_dictionary()).decode(packets)
        assert result.undecoded == []
        assert sum(len(batch.indices) for batch in result.batches) == len(packets)

    def test_a_packet_is_received_after_it_was_made(self, flight):
        flight.fly(30, LISTENING)
        epoch = datetime(2000, 1, 1, tzinfo=UTC)
        for _, octets, heard_at in flight.ground.packets:
            made = epoch + timedelta(seconds=int.from_bytes(octets[6:12], "big") / 65536)
            assert timedelta(0) < heard_at - made < timedelta(seconds=2)

    def test_says_little_out_of_view(self, flight):
        flight.fly(300, SILENCE)
        assert flight.ground.frames == []

    def test_sends_a_frame_a_second_even_with_nothing_to_say(self, flight):
        flight.fly(5, IN_CONTACT)
        flight.command(200, struct.pack(">BB", 2, 60))  # SET_TM_RATE
        flight.fly(5)
        before = len(flight.ground.frames)
        flight.fly(50)
        frames = flight.ground.frames[before:]
        assert 48 <= len(frames) <= 53
        assert {frame.virtual_channel_id for frame, _ in frames} <= {0, 1, 7}
        times = [at for _, at in frames]
        assert max(b - a for a, b in itertools.pairwise(times)) <= timedelta(seconds=1.2)

    def test_keeps_to_the_bit_rate(self, flight):
        flight.send_file("job-1.in", bytes(200_000))
        flight.run_job(1, bytes(200_000))
        flight.fly(600, SILENCE, tick_s=10)
        flight.fly(100, IN_CONTACT)
        octets = 1115 * len(flight.ground.frames)
        assert octets * 8 <= 64_000 * 100
        times = [at for _, at in flight.ground.frames]
        shortest = min(b - a for a, b in itertools.pairwise(times))
        assert shortest >= timedelta(seconds=1115 * 8 / 64_000) - timedelta(microseconds=2)

    def test_dumps_what_it_recorded_once_the_uplink_is_seen(self, flight):
        flight.fly(600, SILENCE)
        flight.fly(20, UNATTENDED)
        flight.fly(20, LISTENING)
        assert flight.ground.apids(1) == []
        flight.fly(20, IN_CONTACT)
        assert flight.ground.apids(1) == HOUSEKEEPING * 10

    def test_shows_the_carrier_in_the_clcw(self, flight):
        flight.fly(3, LISTENING)
        assert flight.ground.last_clcw.no_rf_available
        flight.fly(3, IN_CONTACT)
        assert not flight.ground.last_clcw.no_rf_available


class TestTelecommands:
    def test_reports_the_stages_of_a_ping_and_counts_it(self, flight):
        flight.fly(2, IN_CONTACT)
        ping = flight.command(200, PING)
        flight.fly(3)
        assert flight.ground.reports() == [
            (ping, stage, 1, 0) for stage in (ACCEPTANCE, START, COMPLETION)
        ]
        assert flight.ground.last_clcw.report_value == 1

    def test_repeats_the_reports_later_in_the_pass_and_in_the_next(self, flight):
        flight.fly(2, IN_CONTACT)
        ping = flight.command(200, PING)
        flight.fly(40)
        once = [(ping, stage, 1, 0) for stage in (ACCEPTANCE, START, COMPLETION)]
        assert flight.ground.reports(1) == once
        flight.fly(100, SILENCE)
        flight.fly(40, IN_CONTACT)
        assert flight.ground.reports(1) == once * 2
        flight.fly(100, SILENCE)
        flight.fly(40, IN_CONTACT)
        assert flight.ground.reports(1) == once * 2

    @pytest.mark.parametrize(
        ("apid", "data", "code"), [(300, b"\1", 1), (200, b"\x09", 2), (200, b"\1\1", 3)]
    )
    def test_reports_why_it_does_not_accept(self, flight, apid, data, code):
        flight.fly(2, IN_CONTACT)
        request = flight.command(apid, data)
        flight.fly(3)
        assert flight.ground.reports() == [(request, ACCEPTANCE, 0, code)]

    def test_sets_the_period_of_housekeeping(self, flight):
        flight.fly(2, IN_CONTACT)
        flight.command(200, struct.pack(">BB", 2, 10))
        flight.fly(3)
        flight.ground.packets.clear()
        flight.fly(60)
        assert 5 <= flight.ground.apids(0).count(100) <= 6


class TestJobs:
    def run(self, flight, number, content, **changes):
        request = flight.run_job(number, content, **changes)
        flight.fly(2)
        finish(flight)
        flight.fly(70)
        return [report[1:] for report in flight.ground.reports() if report[0] == request]

    def test_computes_and_sends_the_result(self, flight):
        flight.fly(2, IN_CONTACT)
        flight.send_file("job-5.in", b"input")
        stages = self.run(flight, 5, b"input")
        assert stages == [(ACCEPTANCE, 1, 0), (START, 1, 0), (COMPLETION, 1, 0)]
        pdus = [
            decode_space_packet(octets).data
            for channel, octets, _ in flight.ground.packets
            if channel == 2
        ]
        assert any(b"job-5.out" in pdu for pdu in pdus)
        assert any(hashlib.sha256(b"input").digest() in pdu for pdu in pdus)

    def test_does_not_start_without_its_file(self, flight):
        flight.fly(2, IN_CONTACT)
        assert self.run(flight, 6, b"input") == [(ACCEPTANCE, 1, 0), (START, 0, 10)]

    def test_does_not_start_with_another_file(self, flight):
        flight.fly(2, IN_CONTACT)
        flight.send_file("job-6.in", b"input")
        stages = self.run(flight, 6, b"input", digest=bytes(32))
        assert stages == [(ACCEPTANCE, 1, 0), (START, 0, 11)]

    def test_fails_without_power(self, flight):
        flight.fly(2, IN_CONTACT)
        flight.send_file("job-7.in", b"input")
        flight.command(201, struct.pack(">BBB", 1, 0, 0))  # PAYLOAD_POWER GPU0 OFF
        stages = self.run(flight, 7, b"input")
        assert stages == [(ACCEPTANCE, 1, 0), (START, 1, 0), (COMPLETION, 0, 12)]

    def test_waits_for_an_accelerator_that_starts_up(self, flight):
        flight.fly(2, IN_CONTACT)
        flight.send_file("job-7.in", b"input")
        flight.command(201, struct.pack(">BBB", 1, 0, 0))
        flight.fly(5)
        flight.command(201, struct.pack(">BBB", 1, 0, 1))
        request = flight.run_job(7, b"input")
        flight.fly(25)
        stages = [report[1] for report in flight.ground.reports() if report[0] == request]
        assert stages == [ACCEPTANCE]
        flight.fly(10)
        stages = [report[1] for report in flight.ground.reports() if report[0] == request]
        assert stages == [ACCEPTANCE, START]

    def test_fails_on_an_input_that_the_program_refuses(self, flight):
        flight.fly(2, IN_CONTACT)
        flight.send_file("job-8.in", b"no matrix")
        request = flight.command(
            202, struct.pack(">BIB", 1, 8, 1) + hashlib.sha256(b"no matrix").digest()
        )
        flight.fly(2)
        finish(flight)
        flight.fly(70)
        assert (request, COMPLETION, 0, 13) in flight.ground.reports()

    def test_is_not_queued_twice(self, flight):
        flight.fly(2, IN_CONTACT)
        flight.send_file("job-5.in", b"input")
        flight.run_job(5, b"input")
        second = flight.run_job(5, b"input")
        flight.fly(3)
        assert (second, ACCEPTANCE, 0, 6) in flight.ground.reports()


class TestFiles:
    def test_go_on_in_the_next_pass(self, flight):
        """A result of 160 kB takes 20 s; the first pass ends after 10."""
        flight.fly(2, IN_CONTACT)
        column = struct.pack(">3H", 200, 1, 200) + struct.pack(">400f", *range(400))
        flight.send_file("job-9.in", column)
        flight.command(202, struct.pack(">BIB", 1, 9, 1) + hashlib.sha256(column).digest())
        flight.fly(2)
        finish(flight)
        flight.fly(70, SILENCE)
        flight.ground.packets.clear()
        receiver = Receiver()
        flight.fly(10, IN_CONTACT)
        assert receiver.hear(flight.ground.packets, flight.at)
        assert not receiver.content
        flight.fly(3600, SILENCE, tick_s=2)
        assert not receiver.hear(flight.ground.packets, flight.at)
        flight.fly(30, IN_CONTACT)  # an hour's housekeeping comes down beside it
        assert receiver.hear(flight.ground.packets, flight.at)
        line, _, output = receiver.content.partition(b"\n")
        assert b'"job":9' in line
        assert output == b"".join(
            struct.pack(">f", row * column) for row in range(200) for column in range(200, 400)
        )


class Receiver:
    """The ground's end of one file, on a link without losses."""

    def __init__(self):
        self.entity = CfdpEntity(CfdpProfile(local_entity_id=1, remote_entity_id=2))
        self.part = bytearray(200_000)
        self.content = b""
        self.read = 0

    def hear(self, packets, at):
        """Take the packets that are new; return whether there were any of the file."""
        units = [octets[6:] for channel, octets, _ in packets[self.read :] if channel == 2]
        self.read = len(packets)
        for unit in units:
            self.apply(self.entity.receive(unit, at), at)
        return bool(units)

    def apply(self, effects, at):
        for effect in effects:
            match effect:
                case WriteSegment(_, offset, data):
                    self.part[offset : offset + len(data)] = data
                case VerifyChecksum(one, kind, size):
                    checksum = file_checksum(kind, lambda o, n: bytes(self.part[o : o + n]), size)
                    self.apply(self.entity.checksum_computed(one, checksum, at), at)
                case FileComplete(size_octets=size):
                    self.content = bytes(self.part[:size])


class TestRestart:
    def test_goes_on_from_what_was_committed_without_a_farewell(self, flight, tmp_path):
        """As after a kill: nothing but the commits of the ticks is there."""
        flight.fly(2, IN_CONTACT)
        flight.command(200, struct.pack(">BB", 2, 30))
        flight.send_file("job-5.in", b"input")
        flight.run_job(5, b"input")
        flight.fly(3)
        again = Flight(tmp_path, at=flight.at)
        again.fly(2, IN_CONTACT)
        assert again.ground.last_clcw.report_value == 2
        finish(again)
        again.fly(70)
        completed = [report[1:] for report in again.ground.reports() if report[1] == COMPLETION]
        assert completed == [(COMPLETION, 1, 0)]
        assert 2 in {channel for channel, _, _ in again.ground.packets}
        assert 2 <= again.ground.apids(0).count(100) <= 3

    def test_keeps_the_recorder_and_lives_through_the_time_it_was_down(self, flight, tmp_path):
        flight.fly(300, SILENCE)
        flight.spacecraft.close()
        again = Flight(tmp_path, at=flight.at + timedelta(seconds=300))
        again.fly(1, SILENCE)
        again.fly(30, IN_CONTACT)
        assert again.ground.apids(1) == HOUSEKEEPING * 10

    def test_may_continue_at_an_earlier_time(self, flight, tmp_path):
        flight.fly(300, SILENCE)
        flight.spacecraft.close()
        again = Flight(tmp_path, at=T0)
        again.fly(30, IN_CONTACT)
        assert again.ground.apids(1) == HOUSEKEEPING * 5

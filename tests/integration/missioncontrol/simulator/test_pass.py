"""A pass over KASHI, with sockets, COP-1, files and a job."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from datetime import UTC, datetime

import numpy as np
import pytest

from missioncontrol.simulator.link_faults import FaultRates
from missioncontrol.stationlink.messages import CltuState, Journal, Refused
from telemetry.ccsds.time_codes import CucFormat
from telemetry.dictionary import compile_dictionary, parse_xtce
from telemetry.limits import definition_of
from telemetry.pipeline import PacketTime, ReceivedFrame, TelemetryPipeline
from tests.integration.missioncontrol.simulator.ground import (
    FRAME_FORMAT,
    SCID,
    Wire,
    demo_mission,
    flying,
)

pytestmark = pytest.mark.once

BEFORE_PASS = datetime(2026, 12, 1, 12, 19, 30, tzinfo=UTC)
AOS = datetime(2026, 12, 1, 12, 21, 0, tzinfo=UTC)
IN_PASS = datetime(2026, 12, 1, 12, 21, 30, tzinfo=UTC)
FACTOR = 50.0
SUCCESS = [("ACCEPTANCE", True, 0), ("START", True, 0), ("COMPLETION", True, 0)]


def matrices(size, seed=3):
    rng = np.random.default_rng(seed)
    left, right = rng.integers(-9, 10, (2, size, size)).astype(">f4")
    octets = struct.pack(">3H", size, size, size) + left.tobytes() + right.tobytes()
    return octets, (left.astype(float) @ right.astype(float)).astype(">f4").tobytes()


def stages(ground, request_id):
    """Return the verification of one telecommand, each report once, in their order."""
    seen = dict.fromkeys(report[1:] for report in ground.reports if report[0] == request_id)
    return list(seen)


def pipeline():
    """Return the telemetry pipeline of the product, as for DD-1."""
    dictionary = parse_xtce(demo_mission().attachment("dd1.xtce.xml").encode())
    limits = [definition_of(parameter) for parameter in dictionary.parameters.values()]
    return dictionary, TelemetryPipeline(
        spacecraft_id=SCID,
        decoder=compile_dictionary(dictionary),
        parameters=dictionary.parameters,
        limit_definitions=[limit for limit in limits if limit is not None],
        frame_format=FRAME_FORMAT,
        packet_time=PacketTime(code=CucFormat(epoch=datetime(2000, 1, 1, tzinfo=UTC))),
        file_apids={120, 121},
    )


class TestPass:
    async def test_answers_a_ping_with_three_reports(self, tmp_path):
        async with flying(tmp_path, start=IN_PASS, factor=FACTOR) as fly:
            ground = fly()
            await ground.connect()
            await ground.begin()
            ping = ground.command(200, b"\x01")
            await ground.until(lambda: stages(ground, ping) == SUCCESS)
            await ground.until(lambda: ground.clcws[-1].report_value == 1)
            await ground.until(lambda: ground.cltu_reports)
            assert [report.state for report in ground.cltu_reports] == [CltuState.RADIATED]
            assert ground.statuses[0].carrier_lock
            assert 5.0 < ground.statuses[0].elevation_deg < 30.0

    async def test_runs_a_job_and_brings_its_result_over_a_lossy_link(self, tmp_path):
        octets, product = matrices(64)
        rates = FaultRates(frame_loss=0.02, cltu_loss=0.02, bit_error_rate=1e-7)
        async with flying(tmp_path, start=IN_PASS, factor=FACTOR, rates=rates) as fly:
            ground = fly()
            await ground.connect()
            await ground.begin()
            ground.send_file("job-7.in", octets, 1)
            await ground.until(lambda: ("job-7.in", "NO_ERROR") in ground.finished)
            ground.run_job(7, octets, program=1)
            await ground.until(lambda: "job-7.out" in ground.delivered)
            line, _, output = ground.delivered["job-7.out"].partition(b"\n")
            told = json.loads(line)
            assert output == product
            assert told["job"] == 7
            assert told["program"] == "MATRIX_PRODUCT"
            assert told["input_sha256"] == hashlib.sha256(octets).hexdigest()
            assert told["output_sha256"] == hashlib.sha256(output).hexdigest()
            assert told["output_octets"] == len(output)
            started, finished = (datetime.fromisoformat(told[n]) for n in ("started", "finished"))
            assert 20 <= (finished - started).total_seconds() <= 62
            assert line == json.dumps(told, sort_keys=True, separators=(",", ":")).encode()

    async def test_sends_telemetry_that_the_product_decodes_and_finds_normal(self, tmp_path):
        async with flying(tmp_path, start=BEFORE_PASS, factor=100.0) as fly:
            ground = fly()
            while ground.now < IN_PASS:
                await asyncio.sleep(0.02)
            await ground.connect()
            await ground.begin()
            ground.command(200, b"\x01")
            await ground.until(lambda: len(ground.packets) > 600)
        dictionary, product = pipeline()
        frames = [
            ReceivedFrame(octets=octets, received_at=at, station="KASHI")
            for octets, at in ground.frames
        ]
        result = product.receive_frames(frames)
        assert result.frames_good == len(frames) > 60
        assert result.bad_frames == []
        assert result.undecoded == []
        assert sum(result.frames_lost.values()) == sum(result.packets_lost.values()) == 0
        assert all(packet.has_own_time for packet in result.packets)
        assert all(packet.generated_at < packet.received_at for packet in result.packets)
        assert {batch.container for batch in result.batches} == {
            "PowerHousekeeping",
            "ThermalHousekeeping",
            "ComputeHousekeeping",
            "AttitudeHousekeeping",
            "CommsHousekeeping",
            "SoftwareHousekeeping",
            "Verification",
        }
        assert [one.parameter for one in result.transitions] == []  # nothing left its limits
        # What was recorded before the pass came down too.
        assert min(packet.generated_at for packet in result.packets) < AOS
        assert set(dictionary.subsystems) >= {"Power", "Compute"}


class TestStation:
    async def test_refuses_below_the_mask_and_closes(self, tmp_path):
        async with flying(tmp_path, start=BEFORE_PASS, factor=1.0) as fly:
            port = fly().port
            for service in ("return", "forward"):
                wire = await Wire.open(port, service)
                answer = await wire.receive()
                assert isinstance(answer, Refused)
                assert "deg below the mask of KASHI-1" in answer.reason
                assert await wire.receive() is None
                await wire.close()

    async def test_closes_a_connection_that_speaks_no_station_link(self, tmp_path):
        async with flying(tmp_path, start=IN_PASS, factor=1.0) as fly:
            reader, writer = await asyncio.open_connection("127.0.0.1", fly().port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    async def test_says_bye_at_los(self, tmp_path):
        async with flying(tmp_path, start=IN_PASS.replace(minute=32), factor=FACTOR) as fly:
            ground = fly()
            await ground.connect()
            await ground.until(lambda: len(ground.goodbyes) == 2)
            assert ground.goodbyes == ["LOS", "LOS"]
            assert ground.frames

    async def test_gives_the_journal_after_the_pass(self, tmp_path):
        async with flying(tmp_path, start=IN_PASS.replace(minute=32), factor=FACTOR) as fly:
            ground = fly()
            await ground.connect(epoch=3, contact=12)
            ground.send_cltu(b"\x55" * 40, item=77)
            await ground.until(lambda: len(ground.goodbyes) == 2)
            assert [(one.item, one.state) for one in ground.cltu_reports] == [(77, "RADIATED")]
            wire = await Wire.open(ground.port, "journal", contact=12, epoch=3)
            assert await wire.receive() == Journal(contact=12, radiated=(77,))
            await wire.close()

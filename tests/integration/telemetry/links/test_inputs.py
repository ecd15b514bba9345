"""From a socket to the archive: the receiver, the spool and the ingest, in one process."""

from __future__ import annotations

import socket
import time

import pytest
from django.db import OperationalError

from telemetry import selectors
from telemetry.archive import open_reader
from telemetry.ccsds.packet_stream import StreamFormat
from telemetry.links.deframing import FrameDeframer, PacketDatagrams, PacketDeframer
from telemetry.links.receiver import Receiver, ReceiverPlan
from telemetry.links.spool_ingest import SpoolIngest, inputs_of, spool_folder
from telemetry.management.commands.run_telemetry_receiver import MissionClock, look
from telemetry.models import BadFrame, InputCounts
from telemetry.pipeline import unix_us
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import AT, after, power

PACKETS = {
    "kind": "space_packets",
    "packet_time": {
        "code": "CUC",
        "coarse_octets": 4,
        "fine_octets": 2,
        "epoch": "2000-01-01T00:00:00Z",
    },
}


@pytest.fixture(autouse=True)
def _own_spool(settings, tmp_path):
    settings.SPOOL_DIR = tmp_path / "spool"


def source(protocol: str, carries: str = "space_packets") -> dict:
    return {"name": "lab", "protocol": protocol, "listen": "127.0.0.1:9", "carries": carries}


def bare(protocol: str):
    """A spacecraft that sends bare packets to one input."""
    return craft.spacecraft(link_profile={**PACKETS, "inputs": [source(protocol)]})


def framed():
    """A spacecraft whose frames come to an input."""
    made = craft.spacecraft()
    made.link_profile = {**made.link_profile, "inputs": [source("tcp", "frames")]}
    made.save()
    return made


def receiver(spacecraft, protocol: str, deframer, *, limit_octets: int = 1 << 30) -> Receiver:
    [one] = inputs_of(spacecraft)
    plan = ReceiverPlan(
        name="lab",
        folder=spool_folder(spacecraft, one),
        protocol=protocol,
        address=("127.0.0.1", 0),
        connects=False,
        deframer=deframer,
        limit_octets=limit_octets,
    )
    return Receiver(plan, now_us=lambda: unix_us(after(1000)))


def packets() -> PacketDeframer:
    return PacketDeframer(StreamFormat())


def _holds(condition) -> bool:
    try:
        return condition()
    except OperationalError:  # SQLite in memory, which the threads of a test share, locks tables
        return False


def ingest_until(spacecraft, condition, *, within_s: float = 20.0) -> None:
    ingest = SpoolIngest(spacecraft, inputs_of(spacecraft))
    ingest.start()
    try:
        deadline_s = time.monotonic() + within_s
        while not _holds(condition):
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
    finally:
        ingest.stop()
        ingest.join(10)


def volts(spacecraft):
    return selectors.history(spacecraft, "VOLT", start=AT, end=after(100_000)).values


def logged(spacecraft) -> list[bytes]:
    with open_reader(selectors.archive_folder(spacecraft)) as reader:
        return [
            octets
            for rows in reader.rows_since(0, spacecraft=spacecraft.name)
            for octets in rows.packets
        ]


def units(spacecraft) -> int:
    row = InputCounts.objects.filter(spacecraft=spacecraft).first()
    return 0 if row is None else row.units


@pytest.mark.django_db(transaction=True)
class TestInputs:
    def test_archives_a_stream_of_packets_that_came_while_nobody_ingested(self):
        dd1 = bare("tcp")
        own = receiver(dd1, "tcp", packets)
        sent = [power(second, second % 200) for second in range(300)]
        with socket.create_connection(("127.0.0.1", own.port)) as line:
            line.sendall(b"".join(sent))
        ingest_until(dd1, lambda: len(volts(dd1)) == 300)
        own.stop()
        assert logged(dd1) == sent
        row = InputCounts.objects.get(spacecraft=dd1, name="lab")
        assert (row.units, row.connections, row.dropped) == (300, 1, 0)

    def test_archives_datagrams_and_keeps_those_that_are_none(self):
        dd1 = bare("udp")
        own = receiver(dd1, "udp", lambda: PacketDatagrams(StreamFormat()))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            for datagram in [power(1, 25), b"\xff\xff no packet", power(2, 26)]:
                line.sendto(datagram, ("127.0.0.1", own.port))
        ingest_until(dd1, lambda: volts(dd1) == [25, 26] and BadFrame.objects.exists())
        own.stop()
        [bad] = BadFrame.objects.all()
        assert (bytes(bad.octets), bad.station) == (b"\xff\xff no packet", "input:lab")

    def test_an_ingest_that_starts_again_takes_nothing_twice_and_leaves_nothing(self):
        dd1 = bare("tcp")
        own = receiver(dd1, "tcp", packets)
        sent = [power(second, second % 200) for second in range(400)]
        with socket.create_connection(("127.0.0.1", own.port)) as line:
            for first in range(0, 400, 100):
                line.sendall(b"".join(sent[first : first + 100]))
                ingest_until(dd1, lambda wanted=first + 100: len(volts(dd1)) == wanted)
        own.stop()
        assert logged(dd1) == sent

    def test_a_packet_that_lies_across_frames_outlives_a_restart_between_them(self):
        dd1 = framed()
        own = receiver(dd1, "tcp", lambda: FrameDeframer(craft.FORMAT.frame_length_octets))
        sent = [power(second, second % 200) for second in range(60)]
        frames = craft.Transmitter().frames(*sent)
        assert len(frames) > 5
        with socket.create_connection(("127.0.0.1", own.port)) as line:
            for number, frame in enumerate(frames):
                line.sendall(frame)
                ingest_until(dd1, lambda wanted=number + 1: units(dd1) >= wanted)
        own.stop()
        assert logged(dd1) == sent
        assert not BadFrame.objects.exists()

    def test_a_full_spool_makes_the_sender_wait_and_counts_datagrams(self, monkeypatch):
        monkeypatch.setattr("telemetry.links.spool.KEPT_OCTETS", 0)
        monkeypatch.setattr("telemetry.links.spool._LOOK_EVERY_OCTETS", 0)
        dd1 = bare("udp")
        own = receiver(dd1, "udp", lambda: PacketDatagrams(StreamFormat()), limit_octets=0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            for second in range(3):
                line.sendto(power(second), ("127.0.0.1", own.port))
                time.sleep(0.1)
        counted = InputCounts.objects.filter(spacecraft=dd1, dropped__gt=0)
        ingest_until(dd1, counted.exists)
        own.stop()
        row = InputCounts.objects.get(spacecraft=dd1)
        assert row.units + row.dropped == 3
        assert row.last_drop_reason == "the spool was full"

    def test_the_receiver_follows_the_link_profiles(self):
        dd1 = craft.spacecraft(link_profile={**PACKETS, "inputs": []})
        receivers = {}
        clock = MissionClock()
        look(receivers, clock.now_us)
        assert receivers == {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        one = {**source("tcp"), "listen": f"127.0.0.1:{port}"}
        dd1.link_profile = {**PACKETS, "inputs": [one]}
        dd1.save()
        look(receivers, clock.now_us)
        assert [own.port for own in receivers.values()] == [port]
        dd1.link_profile = {**PACKETS, "inputs": []}
        dd1.save()
        look(receivers, clock.now_us)
        assert receivers == {}

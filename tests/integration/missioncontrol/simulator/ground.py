"""A small ground segment of its own for tests of the simulator: links, COP-1, files."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import struct
from collections import deque
from datetime import timedelta
from importlib import resources

from missioncontrol.fleet.mission_file import parse_mission
from missioncontrol.simulator.clock import SteadyClock
from missioncontrol.simulator.server import SimulatorServer
from missioncontrol.simulator.simulation import Simulation
from missioncontrol.stationlink.messages import (
    Bye,
    Cltu,
    CltuReport,
    Hello,
    MessageDecoder,
    Service,
    Status,
    TmFrameReceived,
    Welcome,
    encode,
)
from telemetry.ccsds.clcw import decode_clcw
from telemetry.ccsds.frame_fault import FrameError
from telemetry.ccsds.packet_extractor import PacketExtracted, PacketExtractor
from telemetry.ccsds.space_packet import TELECOMMAND, SpacePacket, decode_space_packet
from telemetry.ccsds.tm_frame import TmFrameFormat, decode_tm_frame
from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codec import encode_pdu
from uplink.cfdp.effects import FileComplete, TransactionFinished, VerifyChecksum, WriteSegment
from uplink.cfdp.entity import CfdpEntity
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.request import PutRequest
from uplink.tc.cltu import encode_cltu
from uplink.tc.fop1 import Fop1
from uplink.tc.fop1_effects import FopParameters, TransmitFrame
from uplink.tc.fop1_table import State
from uplink.tc.segmentation import segment_packet
from uplink.tc.tc_frame import TcFrame, TcFrameFormat, encode_tc_frame

FRAME_FORMAT = TmFrameFormat(frame_length_octets=1115, has_ocf=True, has_fecf=True)
TC_FORMAT = TcFrameFormat()
SCID = 171
FILES_UP, FILES_DOWN, VERIFICATION = 121, 120, 110
STAGES = {1: "ACCEPTANCE", 2: "START", 3: "COMPLETION"}


def demo_mission():
    folder = resources.files("missioncontrol.fleet") / "missions"
    return parse_mission(
        (folder / "demo.yaml").read_text(encoding="utf-8"),
        lambda name: (folder / name).read_text(encoding="utf-8"),
    )


@contextlib.asynccontextmanager
async def flying(folder, *, start, factor, rates=None, seed=1):
    """Run the simulator in this loop; yield what makes a ground that is connected to it."""
    clock = SteadyClock(start, factor)
    simulation = Simulation(
        mission=demo_mission(), folder=folder, at=start, rates=rates, seed=seed
    )
    server = SimulatorServer(simulation=simulation, clock=clock, latency_s=0.002)
    _, port = await server.listen("127.0.0.1", 0)
    stop = asyncio.Event()
    running = asyncio.create_task(server.run(stop))
    grounds = []

    def ground():
        grounds.append(Ground(clock, port))
        return grounds[-1]

    try:
        yield ground
    finally:
        for one in grounds:
            await one.disconnect()
        stop.set()
        await running


class Wire:
    """One connection to a station."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._decoder = MessageDecoder()
        self._messages = deque()

    @classmethod
    async def open(cls, port, service, *, contact=1, epoch=1, antenna="KASHI-1", **changes):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        wire = cls(reader, writer)
        hello = {"service": Service(service), "spacecraft": "DD-1", "antenna": antenna, **changes}
        wire.send(Hello(contact=contact, epoch=epoch, **hello))
        return wire

    def send(self, message):
        self._writer.write(encode(message))

    async def receive(self):
        """Return the next message; None when the station has closed."""
        while not self._messages:
            octets = await self._reader.read(1 << 16)
            if not octets:
                return None
            self._messages.extend(self._decoder.receive(octets))
        return self._messages.popleft()

    async def close(self):
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class Ground:
    """Mission control in one class: hears frames, commands by FOP-1, sends and gets files."""

    def __init__(self, clock, port):
        self.clock, self.port = clock, port
        self.frames = []  # (octets, reception time) of good frames
        self.bad_frames = 0
        self.packets = []  # (virtual channel, octets)
        self.clcws = []
        self.reports = []  # (request id, stage, success, code)
        self.statuses = []
        self.cltu_reports = []
        self.delivered = {}  # file name -> octets
        self.finished = []
        self.goodbyes = []
        self._extractors = {}
        self._item = 0
        self._epoch = 1
        self._counts = {}
        self._fop = Fop1(
            spacecraft_id=SCID,
            virtual_channel_id=0,
            parameters=FopParameters(
                window_width=10, t1_initial=timedelta(seconds=30), transmission_limit=20
            ),
        )
        self._waiting = deque()
        self._begun = False
        self._cfdp = CfdpEntity(
            CfdpProfile(
                local_entity_id=1,
                remote_entity_id=2,
                ack_timer_s=20,
                nak_timer_s=20,
                ack_limit=50,
                nak_limit=50,
            )
        )
        self._outgoing = {}
        self._parts = {}
        self._names = {}
        self._tasks = []

    @property
    def now(self):
        return self.clock.now()

    async def connect(self, *, epoch=1, contact=1):
        self._epoch = epoch
        self.back = await Wire.open(self.port, "return", contact=contact, epoch=epoch)
        self.up = await Wire.open(self.port, "forward", contact=contact, epoch=epoch)
        assert isinstance(await self.back.receive(), Welcome)
        assert isinstance(await self.up.receive(), Welcome)
        self._tasks = [
            asyncio.create_task(self._hear()),
            asyncio.create_task(self._follow()),
            asyncio.create_task(self._turn()),
        ]

    async def disconnect(self):
        if not self._tasks:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.back.close()
        await self.up.close()
        self._cfdp.suspend(self.now)
        self._fop.on_link_failed(at=self.now)
        self._begun = False
        self._tasks = []

    async def until(self, condition, *, within_s=15.0):
        async with asyncio.timeout(within_s):
            while not condition():
                for task in self._tasks:
                    if task.done() and task.exception() is not None:
                        raise task.exception()
                await asyncio.sleep(0.01)

    # Down

    async def _hear(self):
        while (message := await self.back.receive()) is not None:
            if isinstance(message, TmFrameReceived):
                self._receive_frame(message.octets, message.received_at)
            elif isinstance(message, Bye):
                self.goodbyes.append(message.reason)

    def _receive_frame(self, octets, received_at):
        try:
            frame = decode_tm_frame(octets, FRAME_FORMAT)
        except FrameError:
            self.bad_frames += 1
            return
        self.frames.append((octets, received_at))
        clcw = decode_clcw(frame.ocf)
        self.clcws.append(clcw)
        if self._begun:
            self._carry_out(self._fop.on_clcw(clcw, at=self.now))
        extractor = self._extractors.setdefault(frame.virtual_channel_id, PacketExtractor())
        for event in extractor.receive_frame(
            frame_count=frame.virtual_channel_frame_count,
            first_header_pointer=frame.first_header_pointer,
            data=frame.data,
        ):
            if isinstance(event, PacketExtracted):
                self._receive_packet(frame.virtual_channel_id, event.octets)

    def _receive_packet(self, channel, octets):
        packet = decode_space_packet(octets)
        if packet.is_idle:
            return
        self.packets.append((channel, octets))
        if packet.apid == VERIFICATION:
            body = packet.data[6:]
            self.reports.append(
                (
                    int.from_bytes(body[:4], "big"),
                    STAGES[body[4]],
                    bool(body[5]),
                    int.from_bytes(body[6:8], "big"),
                )
            )
        elif packet.apid == FILES_DOWN:
            self._apply(self._cfdp.receive(packet.data, self.now))

    def _apply(self, effects):
        for effect in effects:
            match effect:
                case WriteSegment(one, offset, data):
                    part = self._parts.setdefault(one, bytearray())
                    part.extend(bytes(max(0, offset + len(data) - len(part))))
                    part[offset : offset + len(data)] = data
                case VerifyChecksum(one, kind, size):
                    part = bytes(self._parts.setdefault(one, bytearray()))
                    checksum = file_checksum(kind, lambda o, n, p=part: p[o : o + n], size)
                    self._apply(self._cfdp.checksum_computed(one, checksum, self.now))
                case FileComplete(one, metadata):
                    self.delivered[metadata.destination_file_name] = bytes(self._parts[one])
                case TransactionFinished(one, condition):
                    self.finished.append((self._names.get(one), condition.name))
                case _:
                    pass

    # Up

    async def _follow(self):
        while (message := await self.up.receive()) is not None:
            if isinstance(message, CltuReport):
                self.cltu_reports.append(message)
            elif isinstance(message, Status):
                self.statuses.append(message)
            elif isinstance(message, Bye):
                self.goodbyes.append(message.reason)

    async def _turn(self):
        while True:
            at = self.now
            deadline = self._fop.next_deadline()
            if deadline is not None and deadline <= at:
                self._carry_out(self._fop.on_time(at))
            self._apply(self._cfdp.on_time(at))
            for pdu in self._cfdp.next_pdus(self._read, at=at, max_octets=6000):
                self._send_file_packet(encode_pdu(pdu))
            await asyncio.sleep(0.03)

    def _read(self, one, offset, length):
        return self._outgoing[one][offset : offset + length]

    async def begin(self):
        """Initiate COP-1 at the number that the last CLCW expects, and resume files."""
        await self.until(lambda: self.clcws and not self.clcws[-1].no_rf_available)
        clcw, at = self.clcws[-1], self.now
        self._begun = True
        self._carry_out(self._fop.set_vs(request_id="vs", value=clcw.report_value, at=at))
        if clcw.lockout or clcw.retransmit:
            self._carry_out(self._fop.initiate_ad_with_unlock(request_id="ad", at=at))
        else:
            self._carry_out(self._fop.initiate_ad_with_clcw_check(request_id="ad", at=at))
        self._cfdp.resume(at)
        await self.until(lambda: self._fop.state is State.ACTIVE)

    def packet(self, apid, data):
        count = self._counts.get(apid, 0)
        self._counts[apid] = count + 1
        return SpacePacket(
            packet_type=TELECOMMAND, apid=apid, sequence_count=count, data=data
        ).encode()

    def command(self, apid, data):
        """Send a telecommand in AD frames; return its request identifier."""
        packet = self.packet(apid, data)
        for number, segment in enumerate(self._segments(packet)):
            self._carry_out(
                self._fop.transfer_ad(
                    request_id=f"{packet[:4].hex()}-{number}",
                    data=segment.data,
                    segment_header=segment.header,
                    at=self.now,
                )
            )
        return int.from_bytes(packet[:4], "big")

    def run_job(self, number, content, *, program=2):
        """Command RUN_JOB; program 2 is SHA256, 1 MATRIX_PRODUCT."""
        digest = hashlib.sha256(content).digest()
        return self.command(202, struct.pack(">BIB", 1, number, program) + digest)

    def send_file(self, name, content, number):
        source = self._cfdp.put(
            PutRequest(
                source_file_name=name, destination_file_name=name, size_octets=len(content)
            ),
            sequence_number=number,
            at=self.now,
        )
        self._outgoing[source.transaction_id] = content
        self._names[source.transaction_id] = name

    def send_cltu(self, cltu, *, item=None):
        if item is None:
            self._item += 1
            item = self._item
        self.up.send(Cltu(item=item, epoch=self._epoch, octets=cltu))
        return item

    def _segments(self, packet):
        return segment_packet(packet, map_id=0, max_data_octets=TC_FORMAT.max_data_octets)

    def _send_file_packet(self, pdu):
        for segment in self._segments(self.packet(FILES_UP, pdu)):
            frame = TcFrame(
                spacecraft_id=SCID,
                virtual_channel_id=1,
                bypass=True,
                segment_header=segment.header,
                data=segment.data,
            )
            self.send_cltu(encode_cltu(encode_tc_frame(frame, TC_FORMAT)))

    def _carry_out(self, effects):
        for effect in effects:
            if isinstance(effect, TransmitFrame):
                self.send_cltu(encode_cltu(encode_tc_frame(effect.frame, TC_FORMAT)))

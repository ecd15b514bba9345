"""A ground station with a spacecraft behind it, played by threads over real sockets."""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime

from missioncontrol.stationlink.messages import (
    Bye,
    Cltu,
    CltuReport,
    CltuState,
    Hello,
    Journal,
    MessageDecoder,
    Refused,
    Service,
    Status,
    Welcome,
    encode,
)
from telemetry.streams import StreamedClcw
from uplink.tc.cltu import decode_cltu
from uplink.tc.farm1 import Farm1, FrameAccepted
from uplink.tc.tc_frame import TcFrameFormat, decode_tc_frame, split_frames

_FORMAT = TcFrameFormat()


class Spacecraft:
    """FARM-1 on virtual channel 0, and a CLCW every few hundredths of a second."""

    def __init__(self, *, spacecraft_id: int, now: Callable[[], datetime]) -> None:
        self.farm = Farm1(spacecraft_id=spacecraft_id, virtual_channel_id=0)
        self.accepted: list[bytes] = []  # data of AD frames
        self.files: list[bytes] = []  # data of BD frames of channel 1
        self.silent = False
        self._now = now
        self._clcws: queue.SimpleQueue[StreamedClcw] = queue.SimpleQueue()
        self._lock = threading.Lock()

    def become(self, spacecraft_id: int) -> None:
        """Be another spacecraft from now on."""
        self.farm = Farm1(spacecraft_id=spacecraft_id, virtual_channel_id=0)

    def receive(self, cltu: bytes) -> None:
        for octets in split_frames(decode_cltu(cltu).octets):
            frame = decode_tc_frame(octets, _FORMAT)
            if frame.virtual_channel_id == 1:
                self.files.append(frame.data)
                continue
            with self._lock:
                event = self.farm.receive_frame(frame)
            if isinstance(event, FrameAccepted):
                self.accepted.append(event.frame.data)

    def report(self) -> None:
        if not self.silent:
            with self._lock:
                word = self.farm.clcw().encode()
            self._clcws.put(StreamedClcw(word=word, received_at=self._now()))

    def read(self, *, block_ms: int) -> list[StreamedClcw]:
        """Play the telemetry's stream of CLCWs."""
        words = []
        with contextlib.suppress(queue.Empty):
            words.append(self._clcws.get(timeout=block_ms / 1000))
            while True:
                words.append(self._clcws.get_nowait())
        return words


class ScriptedStation:
    """Speaks the station link; ``lose`` decides which CLTUs the spacecraft misses."""

    def __init__(self, spacecraft: Spacecraft, *, now: Callable[[], datetime]) -> None:
        self.spacecraft = spacecraft
        self.refusal = ""
        self.lose: Callable[[int], bool] = lambda count: False
        self.without_report: Callable[[int], bool] = lambda count: False
        self.end_with: str | None = None  # reason of a BYE, once
        self.hellos: list[Hello] = []
        self.received: list[Cltu] = []
        self.radiated: list[int] = []  # the journal
        self.highest_epoch = 0
        self._now = now
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._threads = [
            threading.Thread(target=self._accept, daemon=True),
            threading.Thread(target=self._report, daemon=True),
        ]

    @property
    def address(self) -> str:
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def __enter__(self) -> ScriptedStation:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()

    def _report(self) -> None:
        while not self._stop.wait(0.03):
            self.spacecraft.report()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        decoder = MessageDecoder()
        with connection, contextlib.suppress(ConnectionError):
            while not self._stop.is_set():
                if self.end_with is not None:
                    connection.sendall(encode(Bye(reason=self.end_with)))
                    self.end_with = None
                    _hang_up(connection)
                    return
                if not select.select([connection], [], [], 0.02)[0]:
                    continue
                octets = connection.recv(65_536)
                if not octets:
                    return
                for message in decoder.receive(octets):
                    if isinstance(message, Hello) and not self._answer(connection, message):
                        return
                    if isinstance(message, Cltu):
                        self._radiate(connection, message)

    def _answer(self, connection: socket.socket, hello: Hello) -> bool:
        self.hellos.append(hello)
        refusal = self.refusal
        if hello.epoch < self.highest_epoch:
            refusal = f"epoch {hello.epoch} is over: {self.highest_epoch} was seen"
        if refusal:
            connection.sendall(encode(Refused(reason=refusal)))
            return False
        self.highest_epoch = hello.epoch
        if hello.service is Service.JOURNAL:
            journal = Journal(contact=hello.contact, radiated=tuple(self.radiated))
            connection.sendall(encode(journal))
            return False
        at = self._now()
        welcome = Welcome(station="TEST", antenna=hello.antenna, mission_time=at)
        status = Status(
            at=at,
            azimuth_deg=120.0,
            elevation_deg=34.5,
            range_m=1.2e6,
            range_rate_m_s=-3000.0,
            carrier_lock=True,
        )
        connection.sendall(encode(welcome) + encode(status))
        return True

    def _radiate(self, connection: socket.socket, cltu: Cltu) -> None:
        self.received.append(cltu)
        count = len(self.received)
        if cltu.epoch < self.highest_epoch:
            state, reason = CltuState.REFUSED, f"epoch {cltu.epoch} is over"
        else:
            state, reason = CltuState.RADIATED, ""
            self.radiated.append(cltu.item)
            if not self.lose(count):
                self.spacecraft.receive(cltu.octets)
        if not self.without_report(count):
            report = CltuReport(item=cltu.item, state=state, reason=reason, at=self._now())
            connection.sendall(encode(report))


def _hang_up(connection: socket.socket) -> None:
    """Close when the other end has: a reset, the answer to what is unread, overtakes the BYE."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(5)
    with contextlib.suppress(TimeoutError):
        while connection.recv(65_536):
            pass


def wait_for(condition: Callable[[], bool], *, timeout_s: float = 5.0) -> None:
    """Wait until *condition* holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.01)

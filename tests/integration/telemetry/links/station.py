"""A station's return service that does as it is told, connection by connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from missioncontrol.stationlink.messages import (
    Bye,
    Hello,
    MessageDecoder,
    Refused,
    Status,
    TmFrameReceived,
    Welcome,
    encode,
)
from tests.integration.telemetry.craft import AT, STATION, after


class Connection:
    """The station's end of one connection."""

    def __init__(self, link: socket.socket, hello: Hello) -> None:
        self._link = link
        self.hello = hello

    def send(self, octets: bytes, *, piece: int = 0) -> None:
        """Send octets, in pieces of *piece* octets where it is given."""
        if not piece:
            self._link.sendall(octets)
            return
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        for begin in range(0, len(octets), piece):
            self._link.sendall(octets[begin : begin + piece])

    def welcome(self) -> None:
        self.send(encode(Welcome(station=STATION, antenna="KASHI-1", mission_time=AT)))

    def refuse(self, reason: str) -> None:
        self.send(encode(Refused(reason=reason)))

    def bye(self, reason: str = "LOS") -> None:
        self.send(encode(Bye(reason=reason)))

    def wait_for_the_end(self) -> None:
        """Wait until the ground closes."""
        with contextlib.suppress(OSError):
            while self._link.recv(4096):
                pass


def frame_records(frames: list[bytes], *, at: float = 60.0) -> bytes:
    return b"".join(
        encode(TmFrameReceived(received_at=after(at), octets=octets)) for octets in frames
    )


def status(second: float) -> bytes:
    return encode(
        Status(
            at=after(second),
            azimuth_deg=10.0,
            elevation_deg=20.0,
            range_m=1e6,
            range_rate_m_s=-7e3,
            carrier_lock=True,
        )
    )


Script = Callable[[Connection], None]


class Station:
    """Listens on a port of its own; the n-th connection is played by the n-th script."""

    def __init__(self, *scripts: Script, greets: bool = True) -> None:
        self._scripts = scripts
        self._greets = greets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.hellos: list[Hello] = []
        self.faults: list[Exception] = []
        self.played = threading.Event()  # the last script is over
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        return self._listener.getsockname()

    def __enter__(self) -> Station:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        # On Linux a thread in accept() is woken by shutdown, not by close.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=5)
        assert self.faults == []

    def _run(self) -> None:
        for script in self._scripts:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with link:
                try:
                    self._play(link, script)
                except Exception as error:
                    self.faults.append(error)
        self.played.set()

    def _play(self, link: socket.socket, script: Script) -> None:
        decoder, messages = MessageDecoder(), []
        while self._greets and not messages:
            messages = decoder.receive(link.recv(4096))
        self.hellos += messages
        script(Connection(link, messages[0] if messages else None))

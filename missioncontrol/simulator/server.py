"""The stations' TCP listener and the tick that moves the simulation on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from datetime import datetime
from typing import Final

from missioncontrol.simulator.antenna import ForwardSession, Session
from missioncontrol.simulator.clock import MissionClock
from missioncontrol.simulator.simulation import Simulation
from missioncontrol.stationlink.messages import (
    Cltu,
    Hello,
    Message,
    MessageDecoder,
    Refused,
    StationLinkError,
    encode,
)

_TICK_S: Final = 0.03
_EARLY_S: Final = 0.0005  # a timer of the loop may be called a little before its time
_SAVE_EVERY_S: Final = 5.0
_HELLO_WITHIN_S: Final = 10.0
_READ_OCTETS: Final = 65_536
# A client that does not read is dropped when this much waits for it.
_MOST_UNREAD_OCTETS: Final = 16 << 20

logger = logging.getLogger(__name__)


class _Wire:
    """One client's connection; what is sent leaves after the network's latency."""

    def __init__(self, writer: asyncio.StreamWriter, latency_s: float) -> None:
        self._writer = writer
        self._latency_s = latency_s
        self._outbox: deque[tuple[float, bytes | None]] = deque()
        self._loop = asyncio.get_running_loop()

    def send(self, message: Message) -> None:
        self._post(encode(message))

    def close(self) -> None:
        self._post(None)

    def _post(self, octets: bytes | None) -> None:
        due = self._loop.time() + self._latency_s
        self._outbox.append((due, octets))
        self._loop.call_at(due, self._flush)

    def _flush(self) -> None:
        transport = self._writer.transport
        now = self._loop.time() + _EARLY_S
        while self._outbox and self._outbox[0][0] <= now:
            _, octets = self._outbox.popleft()
            if octets is None:
                transport.close()  # after what is buffered has gone out
            elif transport.get_write_buffer_size() > _MOST_UNREAD_OCTETS:
                logger.warning("a client does not read; its connection is dropped")
                transport.abort()
            elif not transport.is_closing():
                transport.write(octets)


class SimulatorServer:
    """Serves the station link for all antennas at one address."""

    def __init__(
        self, *, simulation: Simulation, clock: MissionClock, latency_s: float = 0.005
    ) -> None:
        self._simulation = simulation
        self._clock = clock
        self._latency_s = latency_s
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> tuple[str, int]:
        """Begin to listen; return the address, which tells the port where 0 was given."""
        self._server = await asyncio.start_server(self._serve, host, port)
        address, bound, *_ = self._server.sockets[0].getsockname()
        logger.info("stations listen on %s:%s", address, bound)
        return address, bound

    async def run(self, stop: asyncio.Event) -> None:
        """Move the simulation on until *stop* is set; then save and close everything."""
        loop = asyncio.get_running_loop()
        saved_s = loop.time()
        try:
            while not stop.is_set():
                self._tick()
                if loop.time() - saved_s > _SAVE_EVERY_S:
                    self._simulation.save()
                    saved_s = loop.time()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _TICK_S)
        finally:
            await self._close()

    def _tick(self) -> None:
        at = self._clock.now()
        if at is not None:
            self._simulation.advance(at)

    async def _close(self) -> None:
        self._simulation.close()
        if self._server is not None:
            self._server.close()
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        wire = _Wire(writer, self._latency_s)
        session: Session | None = None
        try:
            decoder = MessageDecoder()
            session, rest = await self._introduce(reader, decoder, wire)
            if session is not None:
                await self._listen(reader, decoder, session, rest)
            else:
                await _until_closed(reader)
        except (StationLinkError, TimeoutError, ConnectionError) as error:
            logger.info("a connection ends: %s", str(error) or type(error).__name__)
        except asyncio.CancelledError:
            logger.debug("a connection ends with the simulator")
        finally:
            if session is not None:
                self._simulation.ground.lose(session)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self._clients.discard(task)

    async def _introduce(
        self, reader: asyncio.StreamReader, decoder: MessageDecoder, wire: _Wire
    ) -> tuple[Session | None, list[Message]]:
        """Wait for HELLO and answer it; return the session and what came behind it."""
        messages: list[Message] = []
        async with asyncio.timeout(_HELLO_WITHIN_S):
            while not messages:
                octets = await reader.read(_READ_OCTETS)
                if not octets:
                    raise ConnectionResetError("closed before HELLO")
                messages = decoder.receive(octets)
        hello, *rest = messages
        if not isinstance(hello, Hello):
            raise StationLinkError(f"began with {type(hello).__name__}, not HELLO")
        at = self._clock.now()
        if at is None:
            wire.send(Refused(reason="The stations wait for the mission clock."))
            wire.close()
            return None, []
        return self._simulation.open(hello, wire, at), rest

    async def _listen(
        self,
        reader: asyncio.StreamReader,
        decoder: MessageDecoder,
        session: Session,
        messages: list[Message],
    ) -> None:
        """Take what a client sends until it closes."""
        while True:
            at = self._clock.now()
            for message in messages:
                self._take(session, message, at)
            octets = await reader.read(_READ_OCTETS)
            if not octets:
                return
            messages = decoder.receive(octets)

    def _take(self, session: Session, message: Message, at: datetime | None) -> None:
        if not isinstance(session, ForwardSession) or not isinstance(message, Cltu):
            raise StationLinkError(f"{type(message).__name__} on a service that has none")
        if at is not None:
            self._simulation.take_cltu(session, message, at)


async def _until_closed(reader: asyncio.StreamReader) -> None:
    """Let the answer reach the client before the connection ends."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_HELLO_WITHIN_S):
            while await reader.read(_READ_OCTETS):
                continue

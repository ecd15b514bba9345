"""Listens for what comes without a contact, and puts it on the spool.

A thread for each socket does nothing else: it takes what the kernel has, finds where
packets or frames begin, notes the time and appends to the spool. Whatever the ingest, the
database or the disk of the archive are doing, the next octets are taken. Where the spool
is full, TCP makes the sender wait; datagrams are lost then, and counted, as are those
that the kernel had no room for.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from telemetry.links.deframing import Deframer, Units
from telemetry.links.spool import RecordKind, SpoolWriter, encode_note, encode_units

BUFFER_OCTETS: Final = 64 << 20  # half a minute at full rate, where the kernel grants it
_SO_RCVBUFFORCE: Final = 33  # socket(7); the administrator may exceed the kernel's limit
_SO_RXQ_OVFL: Final = 40
_DROPS: Final = struct.Struct("I")
_LOOK_UP_EVERY_S: Final = 0.25
_CONNECT_AGAIN_S: Final = 1.0
_READ_OCTETS: Final = 1 << 20
_DATAGRAM_OCTETS: Final = 65_535
# What came together is written together; the kernel holds it meanwhile.
_GATHER_S: Final = 0.001
_GATHERED_OCTETS: Final = 1 << 20
_GATHERED_DATAGRAMS: Final = 4096

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverPlan:
    """One input: where it comes in and how its units are found.

    Attributes:
        name: For people.
        folder: Of its spool.
        protocol: ``tcp`` or ``udp``.
        address: Host and port.
        connects: TCP only: the receiver calls, and calls again, instead of listening.
        deframer: Makes what finds the units of one stream.
        limit_octets: Of the spool.
    """

    name: str
    folder: Path
    protocol: str
    address: tuple[str, int]
    connects: bool
    deframer: Callable[[], Deframer]
    limit_octets: int


class Receiver:
    """Receives one input until :meth:`stop`.

    Raises:
        OSError: Its address cannot be listened at.
    """

    def __init__(self, plan: ReceiverPlan, *, now_us: Callable[[], int]) -> None:
        self.plan = plan
        self._now_us = now_us
        self._spool = SpoolWriter(plan.folder, limit_octets=plan.limit_octets)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._stream = 0
        self._socket: socket.socket | None = None
        try:
            if plan.protocol == "udp":
                self._socket = _datagram_socket(plan.address)
            elif not plan.connects:
                self._socket = _listening_socket(plan.address)
        except OSError:
            self._spool.close()
            raise
        work = {"udp": self._receive_datagrams}.get(
            plan.protocol, self._call if plan.connects else self._accept
        )
        self._start(work)

    @property
    def port(self) -> int:
        """The port that it listens at."""
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    def stop(self) -> None:
        """End; what was taken from the sockets is on the spool then."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._socket is not None:
            self._socket.close()
        self._spool.close()

    def _start(self, work: Callable[[], None]) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, name=f"receive-{self.plan.name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    # --- datagrams ---------------------------------------------------------------------

    def _receive_datagrams(self) -> None:
        assert self._socket is not None
        line, deframer = self._socket, self.plan.deframer()
        buffer = bytearray(_DATAGRAM_OCTETS)
        lost_before = 0
        poll = select.poll()
        poll.register(line, select.POLLIN)
        while not self._stopping.is_set():
            if not poll.poll(1000 * _LOOK_UP_EVERY_S):
                continue
            time.sleep(_GATHER_S)
            received_us = self._now_us()
            gathered = Units()
            octets = taken = 0
            lost = lost_before
            while octets < _GATHERED_OCTETS and taken < _GATHERED_DATAGRAMS:
                try:
                    length, extra, _, _ = line.recvmsg_into([buffer], 64, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    break
                lost = _lost_by_kernel(extra, lost)
                found = deframer.receive(bytes(buffer[:length]))
                gathered.whole += found.whole
                gathered.rejected += found.rejected
                octets += length
                taken += 1
            if lost != lost_before:
                count = (lost - lost_before) % (1 << 32)
                self._note_dropped(count, "the kernel's buffer was full", received_us)
                lost_before = lost
            if self._spool.is_full:
                self._note_dropped(taken, "the spool was full", received_us)
            else:
                self._keep(gathered, 0, received_us)

    def _note_dropped(self, count: int, reason: str, received_us: int) -> None:
        logger.warning("%s: %d datagrams lost: %s", self.plan.name, count, reason)
        self._write(
            encode_note(
                RecordKind.DROPPED, stream=0, received_us=received_us, reason=reason, count=count
            )
        )

    # --- streams -----------------------------------------------------------------------

    def _accept(self) -> None:
        assert self._socket is not None
        while not self._stopping.is_set():
            try:
                connection, peer = self._socket.accept()
            except TimeoutError:
                continue
            self._start(partial(self._receive_stream, connection, peer))

    def _call(self) -> None:
        told = False
        while not self._stopping.is_set():
            try:
                line = socket.create_connection(self.plan.address, timeout=_CONNECT_AGAIN_S)
            except OSError as error:
                if not told:
                    logger.info("%s cannot be called yet: %s", self.plan.name, error)
                told = True
                self._stopping.wait(_CONNECT_AGAIN_S)
                continue
            told = False
            self._receive_stream(line, self.plan.address)

    def _receive_stream(self, line: socket.socket, peer: tuple[str, int]) -> None:
        _enlarge_buffer(line)
        line.settimeout(_LOOK_UP_EVERY_S)
        with self._lock:
            self._stream += 1
            stream = self._stream
        deframer = self.plan.deframer()
        self._note(RecordKind.OPENED, stream, f"{peer[0]}:{peer[1]}")
        logger.info("%s: %s:%d sends", self.plan.name, peer[0], peer[1])
        try:
            reason = self._receive_until_closed(line, deframer, stream)
        finally:
            line.close()
        self._keep(deframer.finish(), stream, self._now_us())
        self._note(RecordKind.CLOSED, stream, reason)
        logger.info("%s: %s:%d ended: %s", self.plan.name, peer[0], peer[1], reason)

    def _receive_until_closed(self, line: socket.socket, deframer: Deframer, stream: int) -> str:
        while not self._stopping.is_set():
            if self._spool.is_full:
                # Not read, so that TCP tells the sender to wait.
                self._stopping.wait(_LOOK_UP_EVERY_S / 10)
                continue
            try:
                octets = line.recv(_READ_OCTETS)
            except TimeoutError:
                continue
            except OSError as error:
                return f"the connection broke: {error}"
            if not octets:
                return "the sender closed the connection"
            self._keep(deframer.receive(octets), stream, self._now_us())
            time.sleep(_GATHER_S)
        return "the receiver was stopped"

    # --- the spool ---------------------------------------------------------------------

    def _keep(self, units: Units, stream: int, received_us: int) -> None:
        records = []
        if units.whole:
            records.append(encode_units(units.whole, stream=stream, received_us=received_us))
        for octets, reason in units.rejected:
            records.append(
                encode_note(
                    RecordKind.REJECTED,
                    stream=stream,
                    received_us=received_us,
                    reason=reason,
                    octets=octets,
                )
            )
        if records:
            self._write(b"".join(records))

    def _note(self, kind: RecordKind, stream: int, reason: str) -> None:
        self._write(encode_note(kind, stream=stream, received_us=self._now_us(), reason=reason))

    def _write(self, records: bytes) -> None:
        while True:
            try:
                with self._lock:
                    self._spool.append(records)
            except OSError as error:
                logger.exception("the spool of %s cannot be written: %s", self.plan.name, error)
                if self._stopping.wait(_CONNECT_AGAIN_S):
                    return
            else:
                return


def _lost_by_kernel(extra: list[tuple[int, int, bytes]], before: int) -> int:
    """Return how many datagrams the kernel has dropped on this socket, modulo 2^32."""
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
            return int(_DROPS.unpack(data[: _DROPS.size])[0])
    return before


def _datagram_socket(address: tuple[str, int]) -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    _enlarge_buffer(line)
    with contextlib.suppress(OSError):  # another kernel: then its losses are not known
        line.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
    line.bind(address)
    return line


def _listening_socket(address: tuple[str, int]) -> socket.socket:
    line = socket.create_server(address)
    line.settimeout(_LOOK_UP_EVERY_S)
    return line


def _enlarge_buffer(line: socket.socket) -> None:
    """Ask for a buffer that outlasts a pause of this process; say how much was granted."""
    try:
        line.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_OCTETS)
    except OSError:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_OCTETS)
    granted = line.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    if granted < BUFFER_OCTETS:
        logger.info(
            "the kernel grants a buffer of %d octets of %d; net.core.rmem_max sets the limit",
            granted,
            BUFFER_OCTETS,
        )

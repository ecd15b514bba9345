"""One TCP connection to a station: messages out, messages in, no threads of its own."""

from __future__ import annotations

import select
import socket
import time
from types import TracebackType
from typing import Final, Self, TypeVar

from missioncontrol.stationlink.messages import (
    Hello,
    Journal,
    Message,
    MessageDecoder,
    Refused,
    Welcome,
    encode,
)
from uplink.links.errors import StationRefusedError, StationUnreachableError

CONNECT_TIMEOUT_S: Final = 2.0
_SEND_TIMEOUT_S: Final = 5.0
_READ_OCTETS: Final = 65_536

Answer = TypeVar("Answer", Welcome, Journal)


class StationConnection:
    """Blocking, with short timeouts. One thread uses it.

    After any error the connection is of no more use: close it.
    """

    def __init__(self, sock: socket.socket, *, antenna: str) -> None:
        self._socket = sock
        self._antenna = antenna
        self._decoder = MessageDecoder()
        self._early: list[Message] = []  # arrived with the answer to HELLO

    @classmethod
    def open(cls, address: tuple[str, int], hello: Hello) -> Self:
        """Connect to *address* and say *hello*.

        Raises:
            StationUnreachableError: nobody listens there or answers in time.
        """
        try:
            sock = socket.create_connection(address, timeout=CONNECT_TIMEOUT_S)
        except OSError as error:
            raise StationUnreachableError(
                f"{hello.antenna} cannot be reached at {address[0]}:{address[1]}: {error}"
            ) from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(_SEND_TIMEOUT_S)
        connection = cls(sock, antenna=hello.antenna)
        try:
            connection.send(hello)
        except StationUnreachableError:
            connection.close()
            raise
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, message: Message) -> None:
        """Send *message* whole.

        Raises:
            StationUnreachableError: the connection broke, or the station took
                nothing for 5 s. Part of the message may be out.
        """
        try:
            self._socket.sendall(encode(message))
        except OSError as error:
            raise self._broken(error) from error

    def receive(self, timeout_s: float) -> list[Message]:
        """Return the messages that arrive within *timeout_s*; none is an empty list.

        Raises:
            StationUnreachableError: the station closed the connection, it
                broke, or what came is no record of the protocol.
        """
        if self._early:
            early, self._early = self._early, []
            return early
        try:
            readable, _, _ = select.select([self._socket], [], [], timeout_s)
            if not readable:
                return []
            octets = self._socket.recv(_READ_OCTETS)
            if not octets:
                raise StationUnreachableError(f"{self._antenna} closed the connection")
            return self._decoder.receive(octets)
        except (OSError, ValueError) as error:  # ValueError: a closed socket, or a bad record
            raise self._broken(error) from error

    def answer(self, wanted: type[Answer], *, timeout_s: float) -> Answer:
        """Wait for the station's answer to HELLO; what follows it is kept for ``receive``.

        Raises:
            StationRefusedError: the station does not give the service.
            StationUnreachableError: no answer in time, or no connection.
        """
        deadline_s = time.monotonic() + timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            messages = self.receive(left_s)
            for number, message in enumerate(messages):
                if isinstance(message, Refused):
                    raise StationRefusedError(antenna=self._antenna, reason=message.reason)
                if isinstance(message, wanted):
                    self._early = messages[number + 1 :]
                    return message
        raise StationUnreachableError(f"{self._antenna} gave no answer within {timeout_s:g} s")

    def close(self) -> None:
        """Close the connection; what was not sent is lost."""
        self._socket.close()

    def _broken(self, error: Exception) -> StationUnreachableError:
        return StationUnreachableError(f"the connection to {self._antenna} broke: {error}")

"""The ground's end of a station's return service: a socket in, messages out.

One thread reads from the socket into a bounded queue, so that a slow moment of
the database does not stop the reading at once; when the queue is full the
reading stops and TCP tells the station to wait. Nothing is thrown away here.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from dataclasses import dataclass
from typing import Final

from missioncontrol.stationlink.messages import (
    Bye,
    Hello,
    Message,
    MessageDecoder,
    Refused,
    StationLinkError,
    Welcome,
    encode,
)

RECEIVE_BUFFER_OCTETS: Final = 4 << 20
_QUEUED_MESSAGES: Final = 20_000
_CONNECT_WITHIN_S: Final = 2.0
_LOOK_UP_EVERY_S: Final = 0.2


class LinkClosedError(Exception):
    """The connection ended; the text says why."""


class LinkRefusedError(LinkClosedError):
    """The station does not give the service (yet)."""


@dataclass(frozen=True, slots=True)
class _Ended:
    reason: str


class ReturnLink:
    """One open return service. Use it as a context manager."""

    def __init__(self, address: tuple[str, int], hello: Hello) -> None:
        """Connect and ask for the service.

        Raises:
            LinkRefusedError: the station said no; its reason is the text.
            LinkClosedError: no connection, or an answer that is no protocol.
        """
        self._queue: queue.Queue[Message | _Ended] = queue.Queue(maxsize=_QUEUED_MESSAGES)
        self._decoder = MessageDecoder()
        self._ended: _Ended | None = None
        self._closing = threading.Event()
        try:
            self._socket = socket.create_connection(address, timeout=_CONNECT_WITHIN_S)
        except OSError as error:
            raise LinkClosedError(
                f"no connection to the station at {address[0]}:{address[1]}: {error}"
            ) from error
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)
        try:
            self._early = self._introduce(hello)
        except (OSError, StationLinkError) as error:
            self._socket.close()
            raise LinkClosedError(f"the station does not answer: {error}") from error
        except LinkClosedError:
            self._socket.close()
            raise
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, name="return-link", daemon=True)
        self._thread.start()

    def __enter__(self) -> ReturnLink:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._closing.set()
        with contextlib.suppress(OSError):  # the peer may have been faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=_CONNECT_WITHIN_S)

    def receive(self, *, within_s: float, at_most: int) -> list[Message]:
        """Return what has arrived, waiting at most *within_s* for the first message.

        Raises:
            LinkClosedError: the connection has ended and all was handed out.
        """
        if self._early:
            early, self._early = self._early, []
            return early
        if self._ended is not None:
            raise LinkClosedError(self._ended.reason)
        messages: list[Message] = []
        try:
            item = self._queue.get(timeout=within_s)
            while not isinstance(item, _Ended):
                messages.append(item)
                if len(messages) >= at_most:
                    return messages
                item = self._queue.get_nowait()
        except queue.Empty:
            return messages
        self._ended = item
        if not messages:
            raise LinkClosedError(item.reason)
        return messages

    def _introduce(self, hello: Hello) -> list[Message]:
        """Send *hello*; return what came behind the station's welcome."""
        self._socket.sendall(encode(hello))
        messages: list[Message] = []
        while not messages:
            octets = self._socket.recv(65536)
            if not octets:
                raise LinkClosedError("the station closed the connection without an answer")
            messages = self._decoder.receive(octets)
        first, *rest = messages
        if isinstance(first, Refused):
            raise LinkRefusedError(first.reason)
        if not isinstance(first, Welcome):
            raise LinkClosedError(f"the station began with {type(first).__name__}, not Welcome")
        return rest

    def _read(self) -> None:
        reason = _bye_among(self._early) or "the station closed the connection"
        try:
            while octets := self._socket.recv(262_144):
                messages = self._decoder.receive(octets)
                reason = _bye_among(messages) or reason
                for message in messages:
                    self._put(message)
        except StationLinkError as error:
            reason = f"not understood: {error}"
        except OSError as error:
            reason = f"the connection broke: {error}"
        self._put(_Ended(reason))

    def _put(self, item: Message | _Ended) -> None:
        """Hand over one item; while the queue is full, wait for a reader or the end."""
        while not self._closing.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=_LOOK_UP_EVERY_S)
                return


def _bye_among(messages: list[Message]) -> str:
    return next((message.reason for message in messages if isinstance(message, Bye)), "")

"""Who listens to the live streams of a web process, and for how long they may.

Everything here belongs to one event loop, but for ``require_room``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from missioncontrol.accounts.credentials import Credential, principals_in_force
from missioncontrol.accounts.principals import Principal
from missioncontrol.events.reading import read
from missioncontrol.kernel import clock
from missioncontrol.kernel.shared_work import SharedWork, every

MAX_STREAMS: Final = 1000  # of one web process
MAX_STREAMS_OF_ONE: Final = 250  # of one account there: no member takes all the room
WATCH_EVERY_S: Final = 1.0
STALLED_AFTER_S: Final = 30.0  # that a line takes nothing

_May = Callable[[Principal], bool]


class EndOfStream(IntEnum):
    """Why a stream ends: close codes of RFC 6455 section 7.4.2, private range, as HTTP counts."""

    NOT_SIGNED_IN = 4401
    NOT_PERMITTED = 4403
    NOT_FOUND = 4404
    TOO_SLOW = 4408
    INVALID = 4422
    NO_ROOM = 4503


class StreamEndedError(Exception):
    """The stream ends; the text says why and what to do, in the 123 octets that a socket has."""

    def __init__(self, end: EndOfStream, text: str) -> None:
        self.end = end
        super().__init__(text)


@dataclass(eq=False, kw_only=True)
class Listener:
    """One open stream."""

    credential: Credential
    may: _May  # what it takes to go on listening
    task: asyncio.Task[object] | None  # that sends
    news: asyncio.Event = field(default_factory=asyncio.Event)  # look again
    ended: StreamEndedError | None = None
    sending_since_s: float | None = None

    def end(self, end: EndOfStream, text: str) -> None:
        """Have the stream ended with what is said here."""
        self.ended = StreamEndedError(end, text)
        self.news.set()

    async def wait(self, timeout_s: float) -> None:
        """Return at news, after *timeout_s* at the latest.

        Raises:
            StreamEndedError: the stream ends.
        """
        # Not wait_for: in Python 3.11 it swallows a cancellation that comes with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.news.wait()
        self.news.clear()
        self.check()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Have it noticed if the line takes nothing of what is sent inside."""
        self.sending_since_s = time.monotonic()
        try:
            yield
        finally:
            self.sending_since_s = None

    def check(self) -> None:
        """Go on only if the stream does.

        Raises:
            StreamEndedError: it ends.
        """
        if self.ended is not None:
            raise self.ended


class Listeners:
    """The open streams; once a second each is looked at."""

    def __init__(self) -> None:
        self._open: set[Listener] = set()
        self._work = SharedWork(lambda: every(WATCH_EVERY_S, self._watch))

    def require_room(self, credential: Credential) -> None:
        """Refuse where one stream more would be too many; can be called from any thread.

        Raises:
            StreamEndedError: there is no room.
        """
        open_streams = list(self._open)
        own = sum(each.credential.operator_id == credential.operator_id for each in open_streams)
        if len(open_streams) >= MAX_STREAMS or own >= MAX_STREAMS_OF_ONE:
            raise StreamEndedError(
                EndOfStream.NO_ROOM,
                f"{len(open_streams)} streams are open here, {own} of them yours; the limits are "
                f"{MAX_STREAMS} and {MAX_STREAMS_OF_ONE}. Close one, or try again.",
            )

    @asynccontextmanager
    async def listening(self, credential: Credential, may: _May) -> AsyncIterator[Listener]:
        """Have a stream watched while it is open.

        Args:
            credential: What it was opened with.
            may: Whether somebody with these rights may go on listening.

        Raises:
            StreamEndedError: there is no room for it.
        """
        self.require_room(credential)
        listener = Listener(credential=credential, may=may, task=asyncio.current_task())
        self._open.add(listener)
        self._work.begin()
        try:
            yield listener
        finally:
            self._open.discard(listener)
            await self._work.end()

    async def _watch(self) -> None:
        """End the streams of those who may listen no longer, and those that nobody reads."""
        watched = list(self._open)
        principals = await read(
            principals_in_force,
            {each.credential for each in watched},
            wall_at=clock.wall_now(),
        )
        for listener in watched:
            principal = principals.get(listener.credential)
            if principal is None:
                listener.end(
                    EndOfStream.NOT_SIGNED_IN,
                    "What opened this stream is over: the token was revoked or expired, the "
                    "session or account closed.",
                )
            elif not listener.may(principal):
                listener.end(
                    EndOfStream.NOT_PERMITTED, "No role or scope grants this stream any longer."
                )
            _let_go_if_stalled(listener)


def _let_go_if_stalled(listener: Listener) -> None:
    """Break off where a line takes nothing, or nothing more may be sent and something is."""
    if listener.sending_since_s is None or listener.task is None:
        return
    stalled_s = time.monotonic() - listener.sending_since_s
    if stalled_s > STALLED_AFTER_S or (listener.ended and stalled_s > WATCH_EVERY_S):
        listener.task.cancel()


listeners: Final = Listeners()

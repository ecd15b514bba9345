"""The newest events of the log in the memory of a web process, read once for all its streams.

A stream is a place in the log. While it is near the end it takes events from
here; one that begins further back reads the database until it arrives. So a
slow line costs no memory, nothing is lost or doubled where the two meet, and
resuming is the same as beginning.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from itertools import islice
from typing import Final

from missioncontrol.audit.selectors import published_size
from missioncontrol.events.event import Event
from missioncontrol.events.event_types import EventTypes
from missioncontrol.events.listeners import EndOfStream, Listener, StreamEndedError
from missioncontrol.events.reading import read
from missioncontrol.events.selectors import published_events
from missioncontrol.kernel.live import LOG_CHANNEL
from missioncontrol.kernel.shared_work import SharedWork, every
from missioncontrol.kernel.subscription import messages_of

KEPT_EVENTS: Final = 2000  # some seconds of the busiest hour
TURN_EVERY_S: Final = 0.5  # where no word comes that the log has published
MAX_BATCH: Final = 200  # events that go to a stream in one piece


class LogHub:
    """Follows the published log while somebody listens. It belongs to one event loop."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._kept: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._next_id: int | None = None  # the number after the last one read; None: none is yet
        self._told = asyncio.Event()
        self._work = SharedWork(self._listen, lambda: every(0.0, self._take_turn))

    @asynccontextmanager
    async def followed_by(self, listener: Listener) -> AsyncIterator[None]:
        """Wake *listener* at each new event."""
        self._listeners.add(listener)
        if len(self._listeners) == 1:
            self._kept.clear()
            self._next_id, self._told = None, asyncio.Event()
            self._told.set()
        self._work.begin()
        try:
            yield
        finally:
            self._listeners.discard(listener)
            await self._work.end()

    async def events(
        self,
        listener: Listener,
        *,
        begin: int | None,
        types: EventTypes,
        organisation: str = "",
        beat_s: float,
    ) -> AsyncGenerator[list[Event]]:
        """Yield events in order, none twice and none left out, until the stream ends.

        Args:
            listener: The stream, which follows this hub.
            begin: The number to begin with; None: what is published from now on.
            types: Only these.
            organisation: Only those that concern this one (slug); empty: whomever.
            beat_s: An empty list comes after so many seconds without an event.

        Raises:
            StreamEndedError: the stream ends, and why.
        """
        while (published := self._next_id) is None:
            await listener.wait(beat_s)
        place = published if begin is None else begin
        arrived, beat_at_s = False, time.monotonic() + beat_s
        while True:
            listener.check()
            if arrived and place < self._first_kept:
                raise _too_slow(place)
            wanted, place = await self._next(place, types, organisation)
            arrived = arrived or place >= self._first_kept
            if wanted or time.monotonic() >= beat_at_s:
                yield wanted
                beat_at_s = time.monotonic() + beat_s
            elif place >= self._end:
                await listener.wait(max(0.0, beat_at_s - time.monotonic()))

    async def _next(
        self, place: int, types: EventTypes, organisation: str
    ) -> tuple[list[Event], int]:
        """Return the next wanted events from *place* on, and the place to go on from."""
        if place >= self._first_kept:
            begin = place - self._first_kept
            found = list(islice(self._kept, begin, begin + MAX_BATCH))
            wanted = [
                event
                for event in found
                if types.take(event.type) and organisation in {"", event.organisation}
            ]
            return wanted, place + len(found)
        page = await read(
            published_events,
            begin=place,
            end=self._end,
            types=types,
            organisation=organisation,
            limit=MAX_BATCH,
        )
        return page.events, page.next_id

    @property
    def _end(self) -> int:
        return self._next_id or 0

    @property
    def _first_kept(self) -> int:
        return self._end - len(self._kept)

    async def _listen(self) -> None:
        async with aclosing(messages_of(LOG_CHANNEL)) as messages:
            async for _ in messages:
                self._told.set()

    async def _take_turn(self) -> None:
        """Wait for word that something was published, not for ever, and read it."""
        # Not wait_for: in Python 3.11 it swallows a cancellation that comes with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(TURN_EVERY_S):
                await self._told.wait()
        self._told.clear()
        published = await read(published_size)
        if self._next_id is None:
            self._next_id = published
            self._wake()
        while self._next_id < published:
            page = await read(published_events, begin=self._next_id, end=published)
            self._kept.extend(page.events)
            self._next_id = page.next_id
            self._wake()

    def _wake(self) -> None:
        for listener in self._listeners:
            listener.news.set()


def _too_slow(place: int) -> StreamEndedError:
    return StreamEndedError(
        EndOfStream.TOO_SLOW,
        f"This line is too slow: it is more than {KEPT_EVENTS} events behind. Connect again "
        f"after {place - 1}; nothing is lost.",
    )


log_hub: Final = LogHub()

"""Newest values of one spacecraft for all who listen in this web process.

One subscription to the broker for each spacecraft that somebody listens to; a message is
read once, and merged into what each listener still has to be sent. Who was cut off goes on
from the archive: each message says up to which position of the packet log it goes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Any, Final

from channels.db import database_sync_to_async

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.shared_work import SharedWork
from missioncontrol.kernel.subscription import messages_of
from telemetry import selectors
from telemetry.streams import news_channel

_SUBSCRIBED_WITHIN_S: Final = 2.0
Wanted = Callable[[str], bool]
Values = dict[str, Any]  # by parameter, as telemetry.streams publishes them


class FeedListener:
    """What one client wants, and what it has not been sent yet.

    ``news`` is set when there is something to take, or when messages may have been missed
    (``has_gap``) and the client must look at the archive.
    """

    def __init__(self, is_wanted: Wanted, *, news: asyncio.Event | None = None) -> None:
        """Listen for the parameters that *is_wanted* says yes to."""
        self.is_wanted = is_wanted
        self.news = news or asyncio.Event()
        self.position = 0
        self.has_gap = False
        self._values: Values = {}

    def offer(self, position: int, values: Values) -> None:
        """Merge newer values in."""
        self._values |= {name: value for name, value in values.items() if self.is_wanted(name)}
        self.position = max(self.position, position)
        if self._values:
            self.news.set()

    def lost_line(self) -> None:
        """Note that messages may have been missed."""
        self.has_gap = True
        self.news.set()

    def take(self) -> Values:
        """Return what is to be sent and forget it."""
        values, self._values = self._values, {}
        return values


class Feed:
    """The news of one spacecraft. All methods belong to one event loop."""

    _feeds: Final[dict[str, Feed]] = {}

    def __init__(self, spacecraft: str) -> None:
        self._spacecraft = spacecraft
        self._listeners: set[FeedListener] = set()
        self._subscribed = asyncio.Event()
        self._work = SharedWork(self._listen)

    @classmethod
    async def join(cls, spacecraft: str, listener: FeedListener) -> Feed:
        """Add a listener; when this returns, it misses nothing that is published."""
        feed = cls._feeds.setdefault(spacecraft, cls(spacecraft))
        feed._listeners.add(listener)
        feed._work.begin()
        with suppress(TimeoutError):  # the broker is away: nothing is published then
            async with asyncio.timeout(_SUBSCRIBED_WITHIN_S):
                await feed._subscribed.wait()
        return feed

    async def leave(self, listener: FeedListener) -> None:
        """Take a listener away; the last one ends the subscription."""
        self._listeners.discard(listener)
        if not self._listeners:
            type(self)._feeds.pop(self._spacecraft, None)
        await self._work.end()

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    async def _listen(self) -> None:
        async with aclosing(messages_of(news_channel(self._spacecraft))) as messages:
            async for data in messages:
                if data is not None:
                    self._take(data)
                elif self._subscribed.is_set():
                    for listener in self._listeners:
                        listener.lost_line()
                else:
                    self._subscribed.set()

    def _take(self, data: bytes) -> None:
        message = json.loads(data)
        for listener in self._listeners:
            listener.offer(message["position"], message["values"])


async def newest_values(spacecraft: Spacecraft, is_wanted: Wanted) -> tuple[int, Values]:
    """Return (position in the packet log, newest values by parameter)."""
    found: tuple[int, Values]
    found = await database_sync_to_async(selectors.newest_news)(spacecraft, is_wanted)
    return found


async def samples_after(
    spacecraft: Spacecraft, position: int, is_wanted: Wanted
) -> AsyncGenerator[tuple[int, Values]]:
    """Yield all samples that were archived after a position; see ``selectors.samples_since``.

    Raises:
        ArchiveError: *position* is none that this archive gave.
    """
    parts = selectors.samples_since(spacecraft, position, is_wanted)
    while (part := await database_sync_to_async(_next)(parts)) is not None:
        yield part


def _next(parts: Iterator[tuple[int, Values]]) -> tuple[int, Values] | None:
    return next(parts, None)

"""Newest values of one spacecraft for all who listen in this web process.

One subscription to the broker for each spacecraft that somebody listens to; a message is
read once, and merged into what each listener still has to be sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any, Final

from redis.exceptions import RedisError

from missioncontrol.kernel import broker
from telemetry.streams import news_channel

_AGAIN_S: Final = 0.5

logger = logging.getLogger(__name__)


class Listener:
    """What one client wants, and what it has not been sent yet."""

    def __init__(self) -> None:
        self.wants: dict[str, bool] = {}  # by parameter, as far as it was asked
        self.position = 0
        self.has_gap = False
        self._values: dict[str, Any] = {}
        self._wake = asyncio.Event()

    def offer(self, position: int, values: dict[str, Any]) -> None:
        """Merge newer values in."""
        for name, value in values.items():
            if self.is_wanted(name):
                self._values[name] = value
        self.position = max(self.position, position)
        if self._values:
            self._wake.set()

    def is_wanted(self, name: str) -> bool:
        """Say whether the client asked for a parameter."""
        return True

    def lost_line(self) -> None:
        """Note that messages may have been missed: the client must look at the archive."""
        self.has_gap = True
        self._wake.set()

    async def next_values(self) -> dict[str, Any]:
        """Wait for values, or for the news that some were missed; then there may be none."""
        await self._wake.wait()
        self._wake.clear()
        values, self._values = self._values, {}
        return values


class Feed:
    """The news of one spacecraft. All methods belong to one event loop."""

    _feeds: Final[dict[str, Feed]] = {}

    def __init__(self, spacecraft: str) -> None:
        self._spacecraft = spacecraft
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()

    @classmethod
    async def join(cls, spacecraft: str, listener: Listener) -> Feed:
        """Add a listener; when this returns, it misses nothing that is published."""
        feed = cls._feeds.setdefault(spacecraft, cls(spacecraft))
        feed._listeners.add(listener)
        if feed._task is None:
            feed._task = asyncio.create_task(feed._listen())
        with suppress(TimeoutError):  # the broker is away: nothing is published then
            await asyncio.wait_for(feed._subscribed.wait(), 2.0)
        return feed

    async def leave(self, listener: Listener) -> None:
        """Take a listener away; the last one ends the subscription."""
        self._listeners.discard(listener)
        if not self._listeners and self._task is not None:
            type(self)._feeds.pop(self._spacecraft, None)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    async def _listen(self) -> None:
        first = True
        while True:
            connection = broker.async_connection()
            try:
                async with connection.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(news_channel(self._spacecraft))
                    self._subscribed.set()
                    if not first:
                        self._tell_of_gap()
                    first = False
                    async for item in channel.listen():
                        self._take(item)
            except (RedisError, OSError) as error:
                logger.warning("news of %s are cut off: %s", self._spacecraft, error)
            finally:
                await connection.aclose()
            await asyncio.sleep(_AGAIN_S)

    def _take(self, item: dict[str, Any]) -> None:
        message = json.loads(item["data"])
        for listener in self._listeners:
            listener.offer(message["position"], message["values"])

    def _tell_of_gap(self) -> None:
        for listener in self._listeners:
            listener.lost_line()

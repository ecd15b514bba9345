"""The newest telemetry values for the streams of a web process.

One subscription to the live channel serves them all. Each stream keeps the
newest value of each of its parameters until its line takes them, so a slow line
costs detail and no memory.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from missioncontrol.events.listeners import Listener
from missioncontrol.kernel.live import LIVE_CHANNEL
from missioncontrol.kernel.shared_work import SharedWork
from missioncontrol.kernel.subscription import messages_of

logger = logging.getLogger(__name__)

Values = dict[str, dict[str, Any]]  # by parameter, as telemetry.streams publishes them


@dataclass(eq=False, kw_only=True)
class Watch:
    """What one stream is still to be told."""

    listener: Listener
    spacecraft: str
    parameters: frozenset[str]
    pending: Values = field(default_factory=dict)
    begins_anew: bool  # what was published before is missed: it needs all values

    def offer(self, spacecraft: str, values: Values) -> None:
        """Keep the newest of what this stream is about."""
        if spacecraft != self.spacecraft:
            return
        for name in self.parameters & values.keys():
            known = self.pending.get(name)
            if known is None or known["t"] <= values[name]["t"]:
                self.pending[name] = values[name]
        if self.pending:
            self.listener.news.set()

    def must_begin(self) -> bool:
        """Return whether the stream needs all values before it goes on."""
        return self.begins_anew

    def take(self) -> Values:
        """Return what is to be told and forget it."""
        taken, self.pending = self.pending, {}
        return taken


class TelemetryHub:
    """Works while somebody watches. It belongs to one event loop."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self._name = ""  # empty: nothing is heard yet
        self._taken = 0
        self._work = SharedWork(self._listen)

    @property
    def place(self) -> str:
        """Where the stream of values is: it changes with each that comes."""
        return f"{self._name}-{self._taken}"

    @asynccontextmanager
    async def watched_by(
        self, listener: Listener, *, spacecraft: str, parameters: Collection[str]
    ) -> AsyncIterator[Watch]:
        """Tell a stream the values of these parameters."""
        if not self._watches:
            self._name = ""
        watch = Watch(
            listener=listener,
            spacecraft=spacecraft,
            parameters=frozenset(parameters),
            begins_anew=self._name != "",
        )
        self._watches.add(watch)
        self._work.begin()
        try:
            yield watch
        finally:
            self._watches.discard(watch)
            await self._work.end()

    def _begin_anew(self) -> None:
        """Take another name: nobody can know what came in between."""
        self._name, self._taken = secrets.token_hex(4), 0
        for watch in self._watches:
            watch.begins_anew = True
            watch.listener.news.set()

    async def _listen(self) -> None:
        async with aclosing(messages_of(LIVE_CHANNEL)) as messages:
            async for data in messages:
                if data is None:
                    self._begin_anew()
                else:
                    self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            message = json.loads(data)
            if message["type"] != "telemetry":
                return
            self._taken += 1
            for watch in self._watches:
                watch.offer(message["spacecraft"], message["values"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("a live message of no known shape was dropped: %r", error)


telemetry_hub: Final = TelemetryHub()

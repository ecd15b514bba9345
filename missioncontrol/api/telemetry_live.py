"""Values as they come, over a websocket: subscribe, resume where the line broke.

The client sends one JSON object, and may send another at any time::

    {"parameters": ["PWR_*", "TEMP_A"], "position": 81920}

``parameters`` are names or patterns (``*``, ``?``), none: all. ``position`` is what the
last message said; what was archived since is sent first, every sample of it, so that
nothing is missing. Then come the newest values, merged where they come faster than they
can be sent. Each message says up to which position of the archive it goes.
"""

from __future__ import annotations

import asyncio
import fnmatch
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from redis.exceptions import RedisError

from missioncontrol.accounts.gate import principal_of_bearer
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.accounts.tickets import principal_of_ticket
from missioncontrol.api.telemetry_feed import Feed, Listener
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from telemetry import selectors
from telemetry.archive import ArchiveError

# Private range of RFC 6455 section 7.4.2; the last digits follow HTTP.
CLOSE_NOT_UNDERSTOOD: Final[int] = 4400
CLOSE_NOT_SIGNED_IN: Final[int] = 4401
CLOSE_NOT_ALLOWED: Final[int] = 4403
CLOSE_NOT_FOUND: Final[int] = 4404
MAX_PATTERNS: Final = 200
# A message goes out at once, the next one not before this; with many clients later, so
# that sending to all of them takes a part of one processor only.
SHORTEST_PAUSE_S: Final = 0.005
PAUSE_FOR_A_CLIENT_S: Final = 0.0002
WATCH_EVERY_S: Final = 5.0


class NotUnderstoodError(ValueError):
    """What the client sent is no subscription; the text says why."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one client asked for."""

    patterns: tuple[str, ...]
    position: int | None

    @classmethod
    def parse(cls, text: str) -> Subscription:
        """Return the subscription in a message.

        Raises:
            NotUnderstoodError: It is none.
        """
        try:
            asked = json.loads(text)
        except ValueError as error:
            raise NotUnderstoodError(f"this is no JSON: {error}") from error
        if not isinstance(asked, dict) or not asked.keys() <= {"parameters", "position"}:
            raise NotUnderstoodError("send an object with 'parameters' and 'position', or less")
        patterns, position = asked.get("parameters", []), asked.get("position")
        if not isinstance(patterns, list) or not all(isinstance(p, str) for p in patterns):
            raise NotUnderstoodError("'parameters' is a list of names or patterns")
        if len(patterns) > MAX_PATTERNS:
            raise NotUnderstoodError(f"{len(patterns)} patterns; the limit is {MAX_PATTERNS}")
        if position is not None and (not isinstance(position, int) or position < 0):
            raise NotUnderstoodError("'position' is what the last message said, or is left out")
        return cls(tuple(patterns), position)


class PatternListener(Listener):
    """Wants the parameters that fit one of some patterns."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        super().__init__()
        joined = "|".join(fnmatch.translate(pattern) for pattern in patterns) or ".*"
        self._fits = re.compile(joined).match

    def is_wanted(self, name: str) -> bool:
        known = self.wants.get(name)
        if known is None:
            known = self.wants[name] = self._fits(name) is not None
        return known


class TelemetrySocket(AsyncWebsocketConsumer):
    """A websocket to what one spacecraft sends, for as long as the client may see it."""

    sender: asyncio.Task[None] | None = None
    watcher: asyncio.Task[None] | None = None
    principal: Principal
    spacecraft: Spacecraft

    async def begin(self) -> None:
        """Start to send; the client may see the spacecraft."""
        raise NotImplementedError

    async def connect(self) -> None:
        await self.accept()  # refused before, a browser would learn no reason
        code = await database_sync_to_async(self._refusal)()
        if code is not None:
            await self.close(code=code)
            return
        self.watcher = asyncio.create_task(self._watch())
        await self.begin()

    async def disconnect(self, code: int) -> None:
        for task in (self.sender, self.watcher):
            if task is not None:
                task.cancel()

    async def _watch(self) -> None:
        """Close where the right is gone."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            code = await database_sync_to_async(self._still_refusal)()
            if code is not None:
                await self.close(code=code)
                return

    def _refusal(self) -> int | None:
        """Find out who asks and for what; return the code to close with, if any."""
        principal = self._principal()
        if principal is None:
            return CLOSE_NOT_SIGNED_IN
        self.principal = principal
        try:
            self.spacecraft = fleet.get_spacecraft(name=self.scope["url_route"]["kwargs"]["name"])
        except Spacecraft.DoesNotExist:
            return CLOSE_NOT_FOUND
        return self._unless_allowed(principal)

    def _still_refusal(self) -> int | None:
        again = self.principal.again(wall_at=clock.wall_now())
        return CLOSE_NOT_SIGNED_IN if again is None else self._unless_allowed(again)

    def _unless_allowed(self, principal: Principal) -> int | None:
        allowed = principal.may(Action.TELEMETRY_VIEW, self.spacecraft.organisation)
        return None if allowed else CLOSE_NOT_ALLOWED

    def _principal(self) -> Principal | None:
        """Return who asks: by a token in a header, or by a ticket in the address."""
        headers = dict(self.scope["headers"])
        shown = headers.get(b"authorization")
        if shown is not None:
            return principal_of_bearer(shown.decode("latin-1"))
        asked = parse_qs(self.scope["query_string"].decode("latin-1"))
        try:
            return principal_of_ticket(asked.get("ticket", [""])[0], wall_at=clock.wall_now())
        except RedisError:
            return None


class TelemetryConsumer(TelemetrySocket):
    """Sends one spacecraft's newest values to one client."""

    async def begin(self) -> None:
        self._follow(Subscription((), None))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take another subscription instead of the one before."""
        if self.sender is None:
            return
        try:
            subscription = Subscription.parse(text_data or "")
        except NotUnderstoodError as error:
            await self.send(text_data=json.dumps({"error": str(error)}))
            await self.close(code=CLOSE_NOT_UNDERSTOOD)
            return
        self._follow(subscription)

    def _follow(self, subscription: Subscription) -> None:
        if self.sender is not None:
            self.sender.cancel()
        self.sender = asyncio.create_task(self._send_all(subscription))

    async def _send_all(self, subscription: Subscription) -> None:
        listener = PatternListener(subscription.patterns)
        feed = await Feed.join(self.spacecraft.name, listener)
        try:
            position = await self._send_past(listener, subscription.position)
            while True:
                values = await listener.next_values()
                if listener.has_gap:
                    listener.has_gap = False
                    position = await self._send_past(listener, position)
                if values:
                    position = max(position, listener.position)
                    await self._tell({"position": position, "values": values})
                pause_s = max(SHORTEST_PAUSE_S, PAUSE_FOR_A_CLIENT_S * feed.listeners)
                await asyncio.sleep(pause_s)
        except ArchiveError as error:
            await self.send(text_data=json.dumps({"error": str(error)}))
            await self.close(code=CLOSE_NOT_UNDERSTOOD)
        finally:
            await feed.leave(listener)

    async def _send_past(self, listener: Listener, position: int | None) -> int:
        """Send what stands in the archive; return up to where."""
        if position is None:
            reached: int
            reached, values = await database_sync_to_async(_newest)(self.spacecraft, listener)
            await self._tell({"position": reached, "values": values})
            return reached
        reached = int(position)
        parts = selectors.samples_since(self.spacecraft, position, listener.is_wanted)
        while (part := await database_sync_to_async(_next)(parts)) is not None:
            reached, samples = int(part[0]), part[1]
            await self._tell({"position": reached, "samples": samples})
        return reached

    async def _tell(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message, separators=(",", ":")))


def _newest(spacecraft: Spacecraft, listener: Listener) -> tuple[int, dict[str, Any]]:
    return selectors.newest_news(spacecraft, listener.is_wanted)


def _next(parts: Iterator[Any]) -> Any:
    return next(parts, None)

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
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from redis.exceptions import RedisError

from missioncontrol.accounts.credentials import Credential, credential_of, principals_in_force
from missioncontrol.accounts.gate import principal_of_bearer
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.accounts.tickets import redeem_ticket
from missioncontrol.api.telemetry_feed import Feed, FeedListener, newest_values, samples_after
from missioncontrol.events.listeners import EndOfStream, StreamEndedError, listeners
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from telemetry.archive import ArchiveError

MAX_PATTERNS: Final = 200
# A message goes out at once, the next one not before this; with many clients later, so
# that sending to all of them takes a part of one processor only.
SHORTEST_PAUSE_S: Final = 0.005
PAUSE_FOR_A_CLIENT_S: Final = 0.0002
LOOK_S: Final = 60.0  # the server's own pings show that the line lives
_STRANGER: Final = "No token in force, and no fresh ticket. Ask for a new one."


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


def fitting(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Return what says whether a parameter's name fits one of *patterns*; none: all do."""
    joined = "|".join(fnmatch.translate(pattern) for pattern in patterns) or ".*"
    fits = re.compile(joined).match
    return lru_cache(maxsize=None)(lambda name: fits(name) is not None)


class TelemetrySocket(AsyncWebsocketConsumer, ABC):
    """A websocket to what one spacecraft sends, for as long as the client may see it."""

    sender: asyncio.Task[None] | None = None
    watcher: asyncio.Task[None] | None = None
    spacecraft: Spacecraft

    @abstractmethod
    async def begin(self) -> None:
        """Start to send; the client may see the spacecraft."""

    async def connect(self) -> None:
        await self.accept()  # refused before, a browser would learn no reason
        try:
            credential = await database_sync_to_async(self._enter)()
        except StreamEndedError as end:
            await self.end(end)
            return
        self.watcher = asyncio.create_task(self._watch(credential))
        await self.begin()

    async def disconnect(self, code: int) -> None:
        for task in (self.sender, self.watcher):
            if task is not None:
                task.cancel()

    async def end(self, end: StreamEndedError) -> None:
        """Close and say why."""
        await self.close(code=end.end, reason=str(end))

    async def refuse(self, reason: str) -> None:
        """Say what was wrong with a message or the address, and close."""
        await self.send(text_data=json.dumps({"error": reason}))
        await self.close(code=EndOfStream.INVALID)

    async def _watch(self, credential: Credential) -> None:
        """Close where the right is gone."""
        try:
            async with listeners.listening(credential, self._may) as listener:
                while True:
                    await listener.wait(LOOK_S)
        except StreamEndedError as end:
            await self.end(end)

    def _enter(self) -> Credential:
        """Find out who asks and for what.

        Raises:
            StreamEndedError: it is nobody known, may not, or for nothing that is there.
        """
        credential = self._credential()
        wall_at = clock.wall_now()
        principal = principals_in_force([credential], wall_at=wall_at).get(credential)
        if principal is None:
            raise StreamEndedError(EndOfStream.NOT_SIGNED_IN, _STRANGER)
        name = self.scope["url_route"]["kwargs"]["name"]
        try:
            self.spacecraft = fleet.get_spacecraft(name=name)
        except Spacecraft.DoesNotExist:
            raise StreamEndedError(EndOfStream.NOT_FOUND, "There is no such spacecraft.") from None
        if not self._may(principal):
            raise StreamEndedError(
                EndOfStream.NOT_PERMITTED, "No role or scope grants this spacecraft's telemetry."
            )
        return credential

    def _may(self, principal: Principal) -> bool:
        return principal.may(Action.TELEMETRY_VIEW, self.spacecraft.organisation)

    def _credential(self) -> Credential:
        """Return what was shown: a token in a header, or a ticket in the address."""
        headers = dict(self.scope["headers"])
        shown = headers.get(b"authorization")
        found: Credential | None = None
        if shown is not None:
            principal = principal_of_bearer(shown.decode("latin-1"))
            found = credential_of(principal, session_key="") if principal is not None else None
        else:
            asked = parse_qs(self.scope["query_string"].decode("latin-1"))
            with suppress(RedisError):
                found = redeem_ticket(asked.get("ticket", [""])[0])
        if found is None:
            raise StreamEndedError(EndOfStream.NOT_SIGNED_IN, _STRANGER)
        return found


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
            await self.refuse(str(error))
            return
        self._follow(subscription)

    def _follow(self, subscription: Subscription) -> None:
        if self.sender is not None:
            self.sender.cancel()
        self.sender = asyncio.create_task(self._send_all(subscription))

    async def _send_all(self, subscription: Subscription) -> None:
        listener = FeedListener(fitting(subscription.patterns))
        feed = await Feed.join(self.spacecraft.name, listener)
        try:
            position = await self._send_past(listener, subscription.position)
            while True:
                await listener.news.wait()
                listener.news.clear()
                if listener.has_gap:
                    listener.has_gap = False
                    position = await self._send_past(listener, position)
                if values := listener.take():
                    position = max(position, listener.position)
                    await self._tell({"position": position, "values": values})
                pause_s = max(SHORTEST_PAUSE_S, PAUSE_FOR_A_CLIENT_S * feed.listeners)
                await asyncio.sleep(pause_s)
        except ArchiveError as error:
            await self.refuse(str(error))
        finally:
            await feed.leave(listener)

    async def _send_past(self, listener: FeedListener, position: int | None) -> int:
        """Send what stands in the archive; return up to where."""
        if position is None:
            reached, values = await newest_values(self.spacecraft, listener.is_wanted)
            await self._tell({"position": reached, "values": values})
            return reached
        past = samples_after(self.spacecraft, position, listener.is_wanted)
        async with aclosing(past) as parts:
            async for reached, samples in parts:
                position = reached
                await self._tell({"position": position, "samples": samples})
        return position

    async def _tell(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message, separators=(",", ":")))

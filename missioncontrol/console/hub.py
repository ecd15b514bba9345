"""One subscription to the live channel for all the consoles of a web process.

Values of telemetry are merged to the newest of each parameter and go out ten
times a second; everything else goes out at once. A message is encoded once (that
of a pass twice: not everybody may see what it commands); every console has a
queue of its own that forgets the oldest when its line is slow, so that one slow
line holds up nobody. The rows are the truth: what a console missed, it reads
when it asks for the page again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from contextlib import aclosing
from typing import Any, Final

from channels.db import database_sync_to_async
from django.db import DatabaseError

from missioncontrol.console import selectors as reads
from missioncontrol.console.audience import Audience, audience_of, without_commanding
from missioncontrol.console.context import page_clock
from missioncontrol.kernel import clock
from missioncontrol.kernel.live import LIVE_CHANNEL
from missioncontrol.kernel.shared_work import SharedWork, every
from missioncontrol.kernel.subscription import messages_of
from telemetry.streams import iso

# Private range of RFC 6455 section 7.4.2; the last digits follow HTTP.
CLOSE_NOT_SIGNED_IN: Final = 4401
CLOSE_NOT_ALLOWED: Final = 4403

QUEUE_LENGTH: Final = 200  # messages; some seconds of a busy pass
FLUSH_EVERY_S: Final = 0.1
WATCH_EVERY_S: Final = 1.0
BEAT_EVERY_S: Final = 10.0

logger = logging.getLogger(__name__)


class Client:
    """One open console as the hub sees it."""

    def __init__(self, *, session_key: str, operator_id: int, audience: Audience) -> None:
        self.session_key = session_key
        self.operator_id = operator_id
        self.audience = audience
        self.close_code: int | None = None
        self.dropped = 0
        self._waiting: deque[str] = deque(maxlen=QUEUE_LENGTH)
        self._wake = asyncio.Event()

    def offer(self, text: str) -> None:
        """Queue a message; the oldest falls out of a full queue."""
        self.dropped += len(self._waiting) == QUEUE_LENGTH
        self._waiting.append(text)
        self._wake.set()

    def end(self, code: int) -> None:
        """Have the socket closed with *code*; what is queued is not sent any more."""
        self.close_code = code
        self._wake.set()

    async def next_text(self) -> str | None:
        """Wait for the next message; None when the socket is to be closed."""
        while True:
            if self.close_code is not None:
                return None
            if self._waiting:
                return self._waiting.popleft()
            self._wake.clear()
            await self._wake.wait()


class Hub:
    """Hands what is published to the consoles that may see it.

    It works while at least one console is open. All methods belong to one
    event loop.
    """

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._pending: dict[str, dict[str, dict[str, Any]]] = {}
        self._work = SharedWork(
            self._listen,
            lambda: every(FLUSH_EVERY_S, self._flush),
            lambda: every(WATCH_EVERY_S, self._watch),
            lambda: every(BEAT_EVERY_S, self._beat),
        )

    async def join(self, client: Client) -> None:
        """Add a console; the first one starts the work."""
        self._clients.add(client)
        self._work.begin()

    async def leave(self, client: Client) -> None:
        """Take a console away; the last one ends the work."""
        self._clients.discard(client)
        await self._work.end()
        if not self._clients:
            self._pending.clear()

    async def _listen(self) -> None:
        async with aclosing(messages_of(LIVE_CHANNEL)) as messages:
            async for data in messages:
                await self._take(data)

    async def _take(self, data: bytes | None) -> None:
        if data is None:
            # What was published before is missed: the pages ask for what they show.
            self._broadcast({"type": "refresh", "part": "all"})
            return
        try:
            message = json.loads(data)
            if message["type"] == "telemetry":
                self._merge(message["spacecraft"], message["values"])
            elif message["type"] == "clock":
                self._broadcast(await _clock_message("clock"))
            else:
                self._broadcast(message)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("a live message of no known shape was dropped: %r", error)
        except DatabaseError as error:
            logger.warning("a live message was dropped, the database is away: %s", error)

    def _merge(self, spacecraft: str, values: dict[str, dict[str, Any]]) -> None:
        pending = self._pending.setdefault(spacecraft, {})
        for name, value in values.items():
            known = pending.get(name)
            if known is None or known["t"] <= value["t"]:
                pending[name] = value

    async def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        for spacecraft, values in pending.items():
            self._broadcast({"type": "telemetry", "spacecraft": spacecraft, "values": values})

    def _broadcast(self, message: dict[str, Any]) -> None:
        whole = _encoded(message)
        is_pass = message["type"] == "pass"
        reduced = _encoded(without_commanding(message)) if is_pass else whole
        for client in self._clients:
            if client.audience.takes(message):
                client.offer(whole if client.audience.sees_commanding(message) else reduced)

    async def _beat(self) -> None:
        """Show that the line lives and set the pages' clocks right."""
        self._broadcast(await _clock_message("beat"))

    async def _watch(self) -> None:
        """Cut off who signed out, was closed or lost the right; others see what they still may."""
        await self._end_signed_out()
        clients = list(self._clients)
        audiences = await database_sync_to_async(_audiences)({c.operator_id for c in clients})
        for client in clients:
            audience = audiences[client.operator_id]
            if audience is None:
                client.end(CLOSE_NOT_ALLOWED)
            else:
                client.audience = audience

    async def _end_signed_out(self) -> None:
        owners = {client.session_key: client.operator_id for client in self._clients}
        holding = await database_sync_to_async(reads.sessions_in_force)(owners)
        for client in list(self._clients):
            # One that joined while the database was asked is looked at next time.
            if client.session_key in owners and client.session_key not in holding:
                client.end(CLOSE_NOT_SIGNED_IN)


def _encoded(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))


async def _clock_message(kind: str) -> dict[str, Any]:
    now = await database_sync_to_async(_fresh_clock)()
    return {
        "type": kind,
        "mission_at": iso(now.mission_at),
        "wall_at": iso(now.wall_at),
        "factor": now.factor,
        "frozen": now.frozen,
    }


def _audiences(operators: set[int]) -> dict[int, Audience | None]:
    return {operator: audience_of(operator) for operator in operators}


def _fresh_clock() -> Any:
    clock.forget()
    return page_clock()


live_hub: Final = Hub()

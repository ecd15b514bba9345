from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Final
from urllib.parse import parse_qsl

from channels.generic.websocket import AsyncWebsocketConsumer
from pydantic import ValidationError
from redis.exceptions import RedisError

from missioncontrol.accounts.credentials import Credential, principals_in_force
from missioncontrol.accounts.tickets import redeem_ticket
from missioncontrol.api.event_query import StreamQuery, WantedEvents, may_listen
from missioncontrol.api.problems import InvalidInputError
from missioncontrol.events.listeners import EndOfStream, StreamEndedError, listeners
from missioncontrol.events.reading import read
from missioncontrol.kernel import clock

_REASON_OCTETS: Final = 123  # RFC 6455 section 5.5
_LOOK_S: Final = 60.0  # the server's own pings show that the line lives


class EventsConsumer(AsyncWebsocketConsumer):
    """Carries the log's events to a browser or a pipeline, one JSON message each.

    A ticket opens it, once. What the other end sends is ignored. The close code
    says why it ends (``events.listeners.EndOfStream``).
    """

    sender: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        # Accepted first: refused before it is, a browser would learn no code.
        await self.accept()
        self.sender = asyncio.create_task(self._send_all())

    async def disconnect(self, code: int) -> None:
        if self.sender is not None:
            self.sender.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore the other end."""

    async def _send_all(self) -> None:
        try:
            credential, wanted = await read(_enter, self.scope["query_string"])
            async with (
                listeners.listening(credential, may_listen) as listener,
                aclosing(wanted.follow(listener, beat_s=_LOOK_S)) as batches,
            ):
                async for batch in batches:
                    for event in batch:
                        with listener.sending():
                            await self.send(text_data=event.text)
        except StreamEndedError as end:
            await self.close(code=end.end, reason=str(end).encode()[:_REASON_OCTETS].decode())


def _enter(query_string: bytes) -> tuple[Credential, WantedEvents]:
    """Return who comes in by an address, and what for.

    Raises:
        StreamEndedError: nobody does: no fresh ticket, no right, or no such events.
    """
    query = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
    credential = _credential(query.pop("ticket", ""))
    principal = principals_in_force([credential], wall_at=clock.wall_now()).get(credential)
    if principal is None or not may_listen(principal):
        raise StreamEndedError(EndOfStream.NOT_PERMITTED, "No role or scope grants this stream.")
    try:
        return credential, WantedEvents(StreamQuery.model_validate(query))
    except (ValidationError, InvalidInputError) as error:
        raise StreamEndedError(EndOfStream.INVALID, _short(error)) from error


def _credential(ticket: str) -> Credential:
    try:
        credential = redeem_ticket(ticket)
    except RedisError:
        credential = None
    if credential is None:
        raise StreamEndedError(
            EndOfStream.NOT_SIGNED_IN,
            "This ticket is unknown, used or older than half a minute. Ask for a new one.",
        )
    return credential


def _short(error: ValidationError | InvalidInputError) -> str:
    if isinstance(error, InvalidInputError):
        return str(error)
    first = error.errors()[0]
    return f"query.{'.'.join(map(str, first['loc']))}: {first['msg']}"

"""A pipeline's end of a stream."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.integration.missioncontrol.events.served import bearer


@dataclass
class Message:
    """One server-sent event, as a browser would read it (HTML, section 9.2.6)."""

    id: str = ""
    event: str = "message"
    data: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def content(self):
        return json.loads("\n".join(self.data))


async def messages_in(lines):
    """Yield messages; one that has only comments comes too."""
    message = Message()
    async for line in lines:
        if line == "":
            yield message
            message = Message()
        elif line.startswith(":"):
            message.comments.append(line[1:].strip())
        else:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                message.data.append(value)
            elif name in {"id", "event"}:
                setattr(message, name, value)


@asynccontextmanager
async def event_stream(product, secret, path="/events", **query):
    """Open a stream; yield the response's status and its messages."""
    headers = {**bearer(secret), "Accept": "text/event-stream"}
    last = query.pop("last_event_id", None)
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    async with (
        # Without certificates to read: there are hundreds of these.
        httpx.AsyncClient(timeout=20, verify=False) as client,
        client.stream(
            "GET", f"{product.address}/api/v1{path}", params=query, headers=headers
        ) as response,
    ):
        yield response, messages_in(response.aiter_lines())


async def take(messages, count):
    """Return the next messages that carry an event."""
    found = []
    while len(found) < count:
        message = await anext(messages)
        if message.data:
            found.append(message)
    return found
